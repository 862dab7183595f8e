"""The ten invariants (reliability.md, "Invariants"), each with its precise meaning. None knows how the program does it.

Hooks are called by the judge in the order in which things were committed or landed; each raises ``Violation``.
*Able time* is time in which the program could work: a process runs, the disk is sound, the clock is right.
I10 (the same seed gives the same log) is checked by running a seed twice (test_simulation.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from conversations.conversation import Author
from conversations.events import CustomerPosted, CustomerUnreachable, SendFailed, TimerFired
from conversations.protocol import OWNED
from tests.simulation.facts import Facts, Violation
from tests.simulation.journal import Change
from tests.simulation.process import Decided
from tests.simulation.texts import PRIVATE, SECRET
from tests.simulation.wire import Sent

OWNED_STATES = frozenset(state.value for state in OWNED)
SAID_WHILE_OWNED = frozenset({"reopen", "opt_out_confirmed"})
"""What the table itself says on the way into an owned state, or in answer to an opt-out there."""
SLACK_S = 90.0
"""Able time in which what is due must have been decided: a stepped clock may cost a minute (catalogue 21)."""
ALARM_AFTER_S = 4500.0
"""When the policy's alarm is due after the post: window − reserve − 15 min (protocol.md, "Two clocks")."""
UNFINISHED_S_MAX = 3 * 3600.0
"""Able time in which a row that is not held back must be finished: five tries through the longest limits, and read-backs."""
UNFINISHED = frozenset({"pending", "sending", "unknown"})
GIVEN_UP = frozenset({"failed", "rejected", "refused"})


class Invariant:
    """What must always hold. Every hook may be left out."""

    name = ""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def broken(self, words: str) -> Violation:
        """This does not hold."""
        return Violation(self.name, words)

    def acknowledged(self, ids: list[str]) -> None:
        """Intake told a channel or a desk that it has these."""

    def restarted(self) -> None:
        """A process is about to read what an earlier one left, or the run is over."""

    def changed(self, change: Change) -> None:
        """Something was committed."""

    def decided(self, decided: Decided) -> None:
        """A decision was committed."""

    def sent(self, sent: Sent) -> None:
        """A platform accepted something."""

    def shown(self, sent: Sent) -> None:
        """The desk shows something."""

    def stepped(self) -> None:
        """Everything has come to rest at an instant."""


class Stored(Invariant):
    """I1: what intake acknowledged is in the inbox, then and for ever: across crashes, full disks and failed syncs."""

    name = "I1"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.known: set[str] = set()
        self.promised: set[str] = set()

    def changed(self, change: Change) -> None:
        """See ``Invariant``."""
        if change.what == "inbox":
            self.known.add(change.subject)
        elif change.what == "gone":
            raise self.broken(f"{change.subject} was taken out of the inbox")

    def acknowledged(self, ids: list[str]) -> None:
        """See ``Invariant``."""
        self.promised.update(ids)

    def stepped(self) -> None:
        """See ``Invariant``."""
        if not self.promised <= self.known:
            raise self.broken(f"acknowledged, but not stored: {sorted(self.promised - self.known)[:3]}")

    def restarted(self) -> None:
        """See ``Invariant``."""
        missing = self.promised - self.facts.journal.inbox()
        if missing:
            raise self.broken(f"acknowledged, and gone after a restart: {sorted(missing)[:3]}")


class Once(Invariant):
    """I2: each source message has one effect: each inbox entry is consumed by one committed decision, each post once."""

    name = "I2"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.consumed: set[int] = set()
        self.posts: dict[str, str] = {}

    def decided(self, decided: Decided) -> None:
        """See ``Invariant``."""
        for sequence in decided.decision.consumed:
            if sequence in self.consumed:
                raise self.broken(f"inbox entry {sequence} was consumed twice")
            self.consumed.add(sequence)
        key = decided.decision.conversation.key
        for met in decided.steps:
            if isinstance(met.event, CustomerPosted):
                if met.event.id in self.posts:
                    raise self.broken(
                        f"post {met.event.id} had an effect in {self.posts[met.event.id]} and again in {key}"
                    )
                self.posts[met.event.id] = key


class AcceptedOnce(Invariant):
    """I3: the platforms' logs hold at most one message per outbox row; a row says *sent* only when there is one."""

    name = "I3"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.logged: dict[str, Sent] = {}

    def sent(self, sent: Sent) -> None:
        """See ``Invariant``."""
        if not sent.key:
            raise self.broken(f"{sent.id} was sent outside delivery")
        before = self.logged.get(sent.key)
        if before is not None:
            raise self.broken(
                f"{sent.key} was accepted twice: by {before.process} at {before.t:.1f} s, and {sent.process}"
            )
        self.logged[sent.key] = sent

    shown = sent

    def changed(self, change: Change) -> None:
        """See ``Invariant``."""
        if change.what == "outbox" and change.became == "sent" and change.subject not in self.logged:
            raise self.broken(f"{change.subject} says sent, and no platform has it")


class Deadline(Invariant):
    """I4: by two hours after the customer posted, words were accepted, a human answered or closed it, or the desk had
    been alarmed (``first_reply_endangered``). The program must have had a minute of able time since the alarm was due
    (or since the post was taken in, for a late one); before that the check waits for able time.
    """

    name = "I4"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.due: list[tuple[float, float, str]] = []

    def changed(self, change: Change) -> None:
        """See ``Invariant``."""
        if change.what == "case" and change.was is None:
            facts = self.facts
            posted_s = facts.seconds(facts.case(change.subject).first_posted_at)
            anchor_s = max(posted_s + ALARM_AFTER_S, facts.world.t)
            facts.world.at(
                anchor_s, lambda: self.anchored(change.subject, max(posted_s + facts.window_s, anchor_s + 60.0))
            )

    def anchored(self, key: str, deadline_s: float) -> None:
        """From here on able time counts."""
        able_s = self.facts.able_s
        self.facts.world.at(deadline_s, lambda: self.check(key, able_s))

    def check(self, key: str, able_then_s: float) -> None:
        """The deadline."""
        facts = self.facts
        missing_s = 60.0 - (facts.able_s - able_then_s)
        if missing_s > 0.5:
            facts.world.after(missing_s, lambda: self.check(key, able_then_s))
            return
        facts.settle()
        case = facts.case(key)
        if key in facts.answered or case.replied_at is not None or case.closed_at is not None or key in facts.closed:
            return
        if not facts.journal.alarmed(key, "first_reply_endangered"):
            raise self.broken(f"{key} ({case.state.value}): no reply within the window, and no alarm before its end")


class Silence(Invariant):
    """I5: no words of the bot leave sooner after a post that was decided than the shortest quiet time which ``ending.py``
    gives on that surface, but for risk words and a first reply that is due; and none leave while a human owns the case
    (but what the table says on the way into an owned state). Judged when the row is claimed: that commit is the decision to
    send. Not judged within 20 minutes of a stepped clock.
    """

    name = "I5"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.last: dict[str, CustomerPosted] = {}

    def decided(self, decided: Decided) -> None:
        """See ``Invariant``."""
        for met in decided.steps:
            if isinstance(met.event, CustomerPosted):
                self.last[decided.decision.conversation.key] = met.event

    def changed(self, change: Change) -> None:
        """See ``Invariant``."""
        facts = self.facts
        if change.what != "outbox" or (change.was, change.became) != ("pending", "sending"):
            return
        row = facts.rows[change.subject]
        if row.author != Author.BOT.value or (row.act or "").startswith("risk_"):
            return
        state = facts.states[row.conversation]
        if state in OWNED_STATES and row.act not in SAID_WHILE_OWNED:
            raise self.broken(f"{row.act} leaves while {row.conversation} is {state}")
        last = self.last.get(row.conversation)
        if last is None or facts.clock_stepped_within(1200.0):
            return
        case = facts.case(row.conversation)
        first_due = case.first_posted_at + timedelta(seconds=facts.window_s - facts.reserve_s)
        if case.replied_at is None and facts.clock.now() >= first_due:
            return
        quiet_s = facts.shortest_quiet_s(last.surface)
        silent_s = (facts.world.now - last.posted_at).total_seconds()
        if silent_s < quiet_s - 1.0:
            raise self.broken(
                f"{row.act} leaves {silent_s:.0f} s after {last.id}; the quiet time is at least {quiet_s:.0f} s"
            )


class Addressed(Invariant):
    """I6: words go to the customer of their own conversation, in answer to a post of that conversation, as they were written."""

    name = "I6"

    def sent(self, sent: Sent) -> None:
        """See ``Invariant``."""
        row = self.facts.row(sent.key)
        case = self.facts.case(row.conversation)
        if sent.to != case.customer.id:
            raise self.broken(f"{sent.key} of {case.customer.id} went to {sent.to}")
        if sent.in_reply_to is not None:
            author = self.facts.platform.author_of(sent.in_reply_to)
            if author is not None and author != sent.to:
                raise self.broken(f"{sent.key} answers {sent.in_reply_to}, a post of {author}")
        if sent.text not in self.facts.texts_of(row):
            raise self.broken(f"{sent.key} left with other words than were written")


class Internal(Invariant):
    """I7: nothing internal on the wire: no words that agents wrote for agents, no keys, no unfilled template, and in the
    bot's public words nothing private of a customer.
    """

    name = "I7"

    def sent(self, sent: Sent) -> None:
        """See ``Invariant``."""
        row = self.facts.row(sent.key)
        if SECRET in sent.text:
            raise self.broken(f"{sent.key} carries words that were for agents only")
        if row.conversation in sent.text or "{{" in sent.text or "{%" in sent.text:
            raise self.broken(f"{sent.key} carries a key or an unfilled template: {sent.text[:60]}")
        if sent.place == "public" and row.author == Author.BOT.value and any(mark in sent.text for mark in PRIVATE):
            raise self.broken(f"{sent.key} repeats private data in public")


class Timers(Invariant):
    """I8: a timer fires once (per conversation, name, promise and due time), only while it runs, and never before it is due
    by the machine's clock.
    """

    name = "I8"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.fired: set[tuple[str, str, str, datetime]] = set()

    def decided(self, decided: Decided) -> None:
        """See ``Invariant``."""
        key = decided.decision.conversation.key
        for met in decided.steps:
            if not isinstance(met.event, TimerFired):
                continue
            fired = met.event
            if fired.due_at > decided.clock_now:
                raise self.broken(f"{fired.name.value} of {key} fired {fired.due_at - decided.clock_now} early")
            running = met.before.timer(fired.name, fired.promise)
            if running is None or running.due_at != fired.due_at:
                raise self.broken(f"{fired.name.value} of {key} fired although it had been stopped")
            this = (key, fired.name.value, fired.promise or "", fired.due_at)
            if this in self.fired:
                raise self.broken(f"{fired.name.value} of {key}, due {fired.due_at:%d %b %H:%M:%S}, fired twice")
            self.fired.add(this)


class NothingStuck(Invariant):
    """I9: every open conversation will wake by itself or has words on their way; what is due or unread is decided within
    90 s of able time; no decision raises; every row of the outbox is finished within 3 h of able time once nothing holds it
    back; what is unknown goes to a human 15 minutes after its quarantine; and who is concerned hears of words that were
    given up.
    """

    name = "I9"

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.due: dict[str, tuple[int, float]] = {}
        self.unread: dict[str, float] = {}
        self.open_rows: dict[str, tuple[float, float]] = {}
        self.unknown: dict[str, float] = {}
        self.untold: dict[str, float] = {}
        self.sleeping: dict[str, float] = {}

    def changed(self, change: Change) -> None:
        """See ``Invariant``."""
        facts = self.facts
        if change.what == "case":
            if change.b and not facts.excused_poison:
                raise self.broken(f"the decision for {change.subject} raised")
            if change.a is None:
                self.due.pop(change.subject, None)
            else:
                self.due[change.subject] = (change.a, facts.able_s)
            if change.became != "CLOSED" and change.a is None:
                self.sleeping.setdefault(change.subject, facts.able_s)
            else:
                self.sleeping.pop(change.subject, None)
        elif change.what == "inbox":
            if change.became is not None and change.a is None:
                self.unread[change.subject] = facts.able_s
            else:
                self.unread.pop(change.subject, None)
        elif change.what == "outbox":
            self.row_changed(change)

    def row_changed(self, change: Change) -> None:
        """A row of the outbox moved on."""
        facts, key = self.facts, change.subject
        if change.became in UNFINISHED:
            held_s = facts.from_micros(change.a) if change.was is None and change.a else facts.world.t
            self.open_rows.setdefault(key, (max(held_s, facts.world.t), facts.able_s))
        else:
            self.open_rows.pop(key, None)
        if change.became == "unknown":
            self.unknown.setdefault(key, facts.able_s)
        else:
            self.unknown.pop(key, None)
        if change.became in GIVEN_UP and facts.rows[key].kind == "words":
            self.untold[key] = facts.able_s

    def decided(self, decided: Decided) -> None:
        """See ``Invariant``."""
        for met in decided.steps:
            if isinstance(met.event, SendFailed | CustomerUnreachable) and met.event.key:
                self.untold.pop(met.event.key, None)

    def stepped(self) -> None:
        """See ``Invariant``."""
        facts = self.facts
        able_s, now_s = facts.able_s, facts.world.t
        stepped_s = max((facts.able_at(at) for at, _ in facts.clock.steps[-1:]), default=0.0)
        for key, (due_at, since_s) in self.due.items():
            # by the clock as it stands now, and since it does: what a wrong clock wrote is due when it is right
            due_s = facts.from_micros(due_at)
            if now_s > due_s + SLACK_S and able_s - max(since_s, stepped_s, facts.able_at(due_s)) > SLACK_S:
                raise self.broken(f"{key} was due {now_s - due_s:.0f} s ago, and is not decided")
        for what, events in (("unread", self.unread), ("given up without a word", self.untold)):
            for key, since_s in events.items():
                if able_s - since_s > SLACK_S:
                    raise self.broken(f"{key} is {what} after {able_s - since_s:.0f} s")
        for key, since_s in self.sleeping.items():
            if able_s - since_s > SLACK_S and not any(facts.rows[row].conversation == key for row in self.open_rows):
                raise self.broken(f"{key} is {facts.states[key]}, and nothing will ever wake it")
        for key, (held_s, since_s) in self.open_rows.items():
            if now_s - held_s > UNFINISHED_S_MAX and able_s - max(since_s, facts.able_at(held_s)) > UNFINISHED_S_MAX:
                raise self.broken(f"{key} ({facts.rows[key].kind}) is not finished after {now_s - held_s:.0f} s")
        for key, since_s in self.unknown.items():
            if able_s - since_s > facts.unknown_s_max(facts.rows[key].place):
                raise self.broken(f"{key} is still unknown after {able_s - since_s:.0f} s")


ALL: tuple[type[Invariant], ...] = (
    Stored, Once, AcceptedOnce, Deadline, Silence, Addressed, Internal, Timers, NothingStuck,
)  # fmt: skip
