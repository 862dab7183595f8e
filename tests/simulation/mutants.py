"""Planted bugs, as switches: each must be caught by the simulation (reliability.md, "Mutation check").

    python -m tests.simulation.mutants [--seeds 300] [--days 14] [NAME …]

runs seeds under each bug until one fails, and says which invariant caught it. A bug that is not caught is a hole in the
simulation. ``chance`` is caught by running a seed twice (I10).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

import bot.engine
from bot.channels.port import Unknown
from bot.delivery import Delivery
from bot.engine import Deciding
from bot.intake import Intake
from bot.speech import Speech
from bot.store.port import StoreUnavailable
from bot.store.records import Arrival, Decision, InboxEvent, OutboxRow, Report, Status, Taken
from bot.store.sqlite import SqliteStore
from bot.store.steps import intake as intake_steps
from bot.worker import Worker
from conversations import absorb
from conversations.conversation import Conversation, TimerName
from conversations.effects import WithdrawWords
from conversations.machine import due_timers
from conversations.step import Step
from tests.simulation.channel import SimChannel
from tests.simulation.run import Result, run
from tests.simulation.scenario import scenario

Patch = tuple[Any, str, Any]
INHERITED = object()


@dataclass(frozen=True)
class Mutant:
    """One planted bug: what it does, what is put in whose place, and the invariants that may catch it."""

    name: str
    says: str
    patches: tuple[Patch, ...]
    caught_by: tuple[str, ...]


@contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """The program with this bug."""
    before = [(where, name, vars(where).get(name, INHERITED)) for where, name, _ in mutant.patches]
    for where, name, bug in mutant.patches:
        setattr(where, name, bug)
    try:
        yield
    finally:
        for where, name, original in before:
            if original is INHERITED:
                delattr(where, name)
            else:
                setattr(where, name, original)


# ---------------------------------------------------------------- delivery

_again, _deliver, _accepted, _send, _report = (
    Delivery.again, Delivery.deliver, Delivery.accepted, Delivery.send, Delivery.report,
)  # fmt: skip


async def resend_at_once(self: Delivery, row: OutboxRow, reason: str, now: datetime) -> None:
    await self.report(row, Status.PENDING, reason=reason)


async def unknown_is_sent(self: Delivery, row: OutboxRow, reason: str, now: datetime) -> None:
    await self.report(row, Status.SENT, reason=reason)


async def drop_a_retry(self: Delivery, row: OutboxRow, *_: Any) -> None:
    await self.report(row, Status.FAILED, reason="never mind")


async def give_up_silently(self: Delivery, row: OutboxRow, status: Status, reason: str) -> None:
    await self.report(row, status, reason=reason)


async def never_look(self: Delivery, row: OutboxRow, case: Conversation) -> None:
    return None


async def look_error_is_absent(self: Delivery, row: OutboxRow, case: Conversation) -> Any:
    try:
        return await self.channels[row.channel].find_sent(row, case) if row.place.value != "desk" else None
    except Unknown:
        return None


async def deliver_twice(self: Delivery, row: OutboxRow) -> None:
    await _deliver(self, row)
    if row.status is Status.SENDING and row.sequence % 7 == 0:
        await _deliver(self, row)


async def lose_words_accepted(self: Delivery, row: OutboxRow, status: Status, **known: Any) -> None:
    await _report(self, row, status, **(known | {"event": None} if status is Status.SENT else known))


_last_case: list[Conversation] = []


async def wrong_customer(self: Delivery, row: OutboxRow, case: Conversation) -> Any:
    _last_case[:] = [*_last_case, case][-2:]
    return await _send(self, row, _last_case[0])


# ---------------------------------------------------------------- the store

_report_deliveries, _take_in = SqliteStore.report_deliveries, SqliteStore.take_in


async def ignore_fences(self: SqliteStore, reports: Sequence[Report]) -> list[bool]:
    current = await _report_deliveries(self, reports)
    for report, good in zip(reports, current, strict=True):
        if not good:
            sql = "update outbox set status=?, sending_until=null, not_before=0 where key=?"
            self._db.conn.execute(sql, (report.status.value, report.key))
    return current


async def leases_never_expire(self: SqliteStore, now: datetime, quarantine_s: Any) -> int:
    return 0


async def skip_the_dedupe(self: SqliteStore, arrivals: Sequence[Arrival], route: Any, now: datetime) -> list[Taken]:
    taken = await _take_in(self, arrivals, route, now)
    again = [a for a, t in zip(arrivals, taken, strict=True) if not t.new and a.channel == "sim"]
    if again:
        await _take_in(self, [replace(a, id=type(a.id)(f"{a.id}~{now.timestamp()}")) for a in again], route, now)
    return taken


def no_wake(key: str, now: int) -> tuple[str, tuple[Any, ...]]:
    return intake_steps._WAKE, (now + 10**12, now + 10**12, key)


# ---------------------------------------------------------------- intake and engine

_call, _run, _carry_out, _write_words, _words = (
    Intake.__call__, Deciding.run, Deciding.carry_out, Deciding.write_words, Speech.words,
)  # fmt: skip
_supervise = Worker.supervise


async def acknowledge_before_commit(self: Intake, arrivals: Sequence[Arrival]) -> list[Taken]:
    try:
        return await _call(self, arrivals)
    except StoreUnavailable:
        return []


def consume_nothing(self: Deciding, events: tuple[InboxEvent, ...]) -> Decision:
    decision = _run(self, events)
    return replace(decision, consumed=decision.consumed[1:]) if len(decision.consumed) > 1 else decision


def ignore_withdraw(self: Deciding, effect: Any, key: Any) -> None:
    if not isinstance(effect, WithdrawWords):
        _carry_out(self, effect, key)


def speak_at_once(self: Step, turn: Any = None) -> datetime:
    return self.now


def leak_notes(self: Deciding, key: Any, place: Any, author: Any, rank: Any, body: Any) -> OutboxRow:
    note = self.conversation.reference or self.conversation.done_text
    return _write_words(self, key, place, author, rank, {**body, "text": f"{body['text']} {note}".strip()})


def timers_early(conversation: Conversation, now: datetime) -> Any:
    return due_timers(conversation, now + timedelta(minutes=10))


def timers_twice(case: Conversation, event: Any, policy: Any) -> dict[str, object]:
    changes = _absorb(case, event, policy)
    name = getattr(event, "name", None)
    if name is TimerName.QUIET:
        changes.pop("timers", None)
    return changes


def forget_wake_at(self: Conversation) -> datetime | None:
    soon = [timer.due_at for timer in self.timers if timer.name is not TimerName.UNCLAIMED]
    return min(soon, default=None)


_absorb = absorb.absorb


def no_alarm(self: Step) -> None:
    self.change(priority=self.draft.priority + 5)


def quiet_not_restarted(self: Step) -> None:
    if self.draft.timer(TimerName.QUIET) is None:
        _restart_quiet(self)


_restart_quiet = Step.restart_quiet


async def loop_not_restarted(self: Worker, name: str, loop: Callable[[], Awaitable[None]]) -> None:
    try:
        await loop()
    except StoreUnavailable:
        return


def chance(self: Speech, say: Any, case: Any, channel: Any, key: Any, now: datetime) -> Any:
    return _words(self, say, case, channel, f"{key}{SystemRandom().random()}", now)  # type: ignore[arg-type]


MUTANTS: tuple[Mutant, ...] = (
    Mutant("resend at once", "an unknown outcome is sent again", ((Delivery, "unknown", resend_at_once),), ("I3",)),
    Mutant("no quarantine", "read back at once, then resend", ((SimChannel, "quarantine_s", 0.0),), ("I3",)),
    Mutant("never look", "resend after the quarantine without a look", ((Delivery, "look", never_look),), ("I3",)),
    Mutant("look error is absent", "a failed read-back means absent", ((Delivery, "look", look_error_is_absent),), ("I3",)),
    Mutant("deliver twice", "a claim is worked on twice", ((Delivery, "deliver", deliver_twice),), ("I3",)),
    Mutant("unknown is sent", "an unknown outcome counts as sent", ((Delivery, "unknown", unknown_is_sent),), ("I3",)),
    Mutant("ignore fences", "the last report wins", ((SqliteStore, "report_deliveries", ignore_fences),), ("I3", "I9")),
    Mutant("drop a retry", "a 429 ends it", ((Delivery, "again", drop_a_retry),), ("I9",)),
    Mutant("give up silently", "nobody hears of a failure", ((Delivery, "give_up", give_up_silently),), ("I9",)),
    Mutant("lose words_accepted", "what was said is not told", ((Delivery, "report", lose_words_accepted),), ("I4", "I9")),
    Mutant("leases never expire", "a dead sender's rows stay", ((SqliteStore, "expire_sending", leases_never_expire),), ("I9",)),
    Mutant("wrong customer", "the case before is answered", ((Delivery, "send", wrong_customer),), ("I6",)),
    Mutant("skip the dedupe", "a second delivery is new", ((SqliteStore, "take_in", skip_the_dedupe),), ("I2",)),
    Mutant("consume nothing", "an event stays unread", ((Deciding, "run", consume_nothing),), ("I2", "I9")),
    Mutant("no wake", "an event wakes nobody", ((intake_steps, "wake", no_wake),), ("I9",)),
    Mutant("forget wake_at", "a timer wakes nobody", ((Conversation, "wake_at", property(forget_wake_at)),), ("I9",)),
    Mutant("acknowledge first", "acknowledged, stored or not", ((Intake, "__call__", acknowledge_before_commit),), ("I1",)),
    Mutant("ignore withdraw", "queued words leave all the same", ((Deciding, "carry_out", ignore_withdraw),), ("I5",)),
    Mutant("no quiet", "the bot answers at once", ((Step, "quiet_until", speak_at_once),), ("I5",)),
    Mutant("quiet not restarted", "a burst does not prolong it", ((Step, "restart_quiet", quiet_not_restarted),), ("I5",)),
    Mutant("no alarm", "a reply in danger alarms nobody", ((Step, "call_first_reply_endangered", no_alarm),), ("I4",)),
    Mutant("leak notes", "agents' notes go to customers", ((Deciding, "write_words", leak_notes),), ("I7",)),
    Mutant("timers early", "ten minutes too early", ((bot.engine, "due_timers", timers_early),), ("I8",)),
    Mutant("timers twice", "a timer that fired stays", ((absorb, "absorb", timers_twice),), ("I8", "I9")),
    Mutant("stopped timers fire", "a stopped timer counts", ((bot.engine, "is_current", lambda *_: True),), ("I8",)),
    Mutant("loop not restarted", "one failure ends a loop", ((Worker, "supervise", loop_not_restarted),), ("I9",)),
    Mutant("chance", "words by real chance", ((Speech, "words", chance),), ("I10",)),
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the seed that caught it and the invariant, or None."""

    mutant: Mutant
    seed: int | None
    invariant: str | None
    words: str = ""

    @property
    def caught(self) -> bool:
        """Whether it was."""
        return self.seed is not None


def hunt(mutant: Mutant, seeds: int = 300, days: int = 14, first: int = 1) -> Verdict:
    """Run seeds under a bug until an invariant breaks."""
    with planted(mutant):
        for seed in range(first, first + seeds):
            result = run(scenario(seed, days))
            if result.failure is not None:
                return Verdict(mutant, seed, result.failure.invariant, result.failure.words)
            if mutant.caught_by == ("I10",) and differs(result):
                return Verdict(mutant, seed, "I10", "the same seed gave another log")
    return Verdict(mutant, None, None)


def differs(result: Result) -> bool:
    """Whether the seed gives another log the second time."""
    return run(scenario(result.seed, result.days)).sha256 != result.sha256


def main(arguments: Sequence[str]) -> int:
    """The report."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.mutants", description="Plant bugs; see them caught."
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--days", type=int, default=14)
    asked = parser.parse_args(arguments)
    missed = 0
    for mutant in MUTANTS:
        if asked.names and mutant.name not in asked.names:
            continue
        verdict = hunt(mutant, asked.seeds, asked.days)
        missed += not verdict.caught
        by = f"{verdict.invariant} in seed {verdict.seed}: {verdict.words}" if verdict.caught else "NOT CAUGHT"
        print(f"{mutant.name:22} {by}"[:200], flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
