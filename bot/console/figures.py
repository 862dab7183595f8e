"""Figures of the last weeks: both clocks, check-back answers, interruptions. Reading only, and each case only once per version.

The first-reply clock runs day and night from the customer's post; the human-answer clock runs in the queue's working time from
the handoff (protocol.md, "Two clocks"). An interruption is the bot speaking between two posts of the customer that are at most
30 minutes apart, before anybody of the brand had spoken otherwise.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.console.parts import Running
from bot.store.records import TurnRecord
from conversations.conversation import Author, Conversation
from conversations.deadlines import BusinessHours
from conversations.policy import Policy

SPAN = timedelta(days=30)
"""What the page looks back on."""
CASES_MAX = 3000
"""The latest cases that are looked at; the page says so when there are more."""
PAGE = 100
BURST = timedelta(minutes=30)
FRESH = timedelta(seconds=20)
"""Figures younger than this are shown again as they are."""


@dataclass(frozen=True, slots=True)
class Row:
    """One case in figures. Spans in seconds; ``posted_at`` is the customer's first post."""

    posted_at: datetime
    topic: str
    first_s: float | None
    human_s: float | None
    interrupted: bool
    spoke: bool
    answers: tuple[bool | None, ...]


@dataclass(frozen=True)
class Figures:
    """What the charts show. ``whole`` False: there were more cases than are looked at."""

    at: datetime
    rows: tuple[Row, ...]
    whole: bool
    window_s: float
    target_s: float
    human_s: float

    @property
    def first(self) -> list[float]:
        """First-reply times, shortest first."""
        return sorted(row.first_s for row in self.rows if row.first_s is not None)

    @property
    def human(self) -> list[float]:
        """Human-answer times in working seconds, shortest first."""
        return sorted(row.human_s for row in self.rows if row.human_s is not None)

    @property
    def interrupted(self) -> tuple[int, int]:
        """Cases in which the bot cut in, of those in which it spoke."""
        spoke = [row for row in self.rows if row.spoke]
        return sum(row.interrupted for row in spoke), len(spoke)

    @property
    def answers(self) -> list[Counter[str]]:
        """What was answered, by round."""
        rounds: list[Counter[str]] = []
        for row in self.rows:
            for number, satisfied in enumerate(row.answers):
                while len(rounds) <= number:
                    rounds.append(Counter())
                rounds[number]["none" if satisfied is None else "yes" if satisfied else "no"] += 1
        return rounds


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which that share of them lies; None of nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


@dataclass
class Looked:
    """Keeps what was worked out, so that looking again costs little."""

    known: dict[str, tuple[int, Row]] = field(default_factory=dict)
    last: Figures | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, app: Running) -> Figures:
        """The figures as they are now, or were a moment ago."""
        now = app.clock.now()
        async with self.lock:
            if self.last is None or not timedelta() <= now - self.last.at < FRESH:
                self.last = await self.work_out(app, now)
            return self.last

    async def work_out(self, app: Running, now: datetime) -> Figures:
        """Look at the latest cases, a page at a time, leaving room for the bot's own work between them."""
        policy = app.acts.policy()
        rows: list[Row] = []
        seen: dict[str, tuple[int, Row]] = {}
        offset = 0
        while offset < CASES_MAX and (found := await app.store.conversations(limit=PAGE, offset=offset)):
            offset += len(found)
            for case in found:
                if case.first_posted_at < now - SPAN:
                    continue
                kept = self.known.get(case.key)
                if kept is None or kept[0] != case.version:
                    kept = (case.version, row_of(case, await app.store.turns(case.key), policy))
                seen[case.key] = kept
                rows.append(kept[1])
            await asyncio.sleep(0)
        self.known = seen
        rows.sort(key=lambda row: row.posted_at)
        whole = offset < CASES_MAX
        return Figures(now, tuple(rows), whole, policy.window_s, policy.target_s, policy.human_answer_s)


def row_of(case: Conversation, turns: Sequence[TurnRecord], policy: Policy) -> Row:
    """One case."""
    hours = policy.queue_named(case.queue).hours
    handed = case.handed_off_at
    people = [t.posted_at for t in turns if t.author in (Author.AGENT, Author.BRAND)]
    answered = min((at for at in people if handed and at >= handed), default=None)
    return Row(
        posted_at=case.first_posted_at,
        topic=case.topic or "other",
        first_s=max(0.0, (case.replied_at - case.first_posted_at).total_seconds()) if case.replied_at else None,
        human_s=working_s(hours, handed, answered) if handed and answered else None,
        interrupted=interrupted(turns),
        spoke=any(turn.author is Author.BOT for turn in turns),
        answers=tuple(answer.satisfied for answer in case.answers),
    )


def interrupted(turns: Sequence[TurnRecord]) -> bool:
    """Whether the bot spoke within the customer's opening burst."""
    for before, ours, after in zip(turns, turns[1:], turns[2:], strict=False):
        if ours.author in (Author.AGENT, Author.BRAND):
            return False
        between = (before.author, ours.author, after.author) == (Author.CUSTOMER, Author.BOT, Author.CUSTOMER)
        if between and ours.act != "check_back" and after.posted_at - before.posted_at <= BURST:
            return True
    return False


def working_s(hours: BusinessHours, since: datetime, until: datetime) -> float:
    """Working time between two instants, in seconds."""
    if hours.is_open(since) and until - since < timedelta(minutes=1):
        return max(0.0, (until - since).total_seconds())
    total = 0.0
    day, last = since.date() - timedelta(days=1), until.date() + timedelta(days=1)
    while day <= last:
        for starts, ends in hours.spans(day):
            total += max(0.0, (min(ends, until) - max(starts, since)).total_seconds())
        day += timedelta(days=1)
    return total
