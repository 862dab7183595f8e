"""What was observed so far, for the invariants to judge: states, rows, answers, and how long the program was able to work."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime

from bot.store.codec import instant, load_conversation
from conversations.comprehension.ending import DEFAULT_PATIENCE
from conversations.conversation import Conversation
from conversations.policy import Policy
from conversations.wording.request import Surface
from tests.simulation.channel import Platform
from tests.simulation.journal import Journal, Written
from tests.simulation.world import MachineClock, World
from tests.simulation.x_town import XTown


class Violation(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, words: str) -> None:
        super().__init__(f"{invariant}: {words}")
        self.invariant = invariant
        self.words = words

    def __reduce__(self) -> tuple[type[Violation], tuple[str, str]]:
        """A seed is played in a process of its own: what it found has to travel."""
        return Violation, (self.invariant, self.words)


class Facts:
    """The judge's memory."""

    excused_poison = False

    def __init__(
        self,
        world: World,
        clock: MachineClock,
        journal: Journal,
        platform: Platform | XTown,
        policy: Policy,
        settle: Callable[[], None],
    ) -> None:
        self.world = world
        self.clock = clock
        self.journal = journal
        self.platform = platform
        self.policy = policy
        self.settle = settle
        """Take in what was committed up to now."""
        self.window_s = policy.window_s
        self.reserve_s = policy.reserve_s
        self.states: dict[str, str] = {}
        self.rows: dict[str, Written] = {}
        self.answered: set[str] = set()
        """Conversations in which words of ours were accepted."""
        self.closed: set[str] = set()
        """Conversations that were closed at some time."""
        self.able_s = 0.0
        self._cases: dict[str, Conversation] = {}
        self._able: list[tuple[float, float]] = [(0.0, 0.0)]
        factors = {entry.name: getattr(DEFAULT_PATIENCE, entry.name) for entry in fields(DEFAULT_PATIENCE)}
        self._shortest = math.prod(value for name, value in factors.items() if "_s" not in name and value < 1)

    # ---------------------------------------------------------------- time

    def pass_time(self, seconds: float, *, able: bool) -> None:
        """Time has passed, in which the program was able to work or not."""
        if able:
            self.able_s += seconds
        elif self._able[-1][1] != self.able_s or len(self._able) < 2:
            self._able.append((self.world.t, self.able_s))
        else:
            self._able[-1] = (self.world.t, self.able_s)

    def able_at(self, t: float) -> float:
        """How much able time there had been at an instant: exact at the ends of outages, else at least that much."""
        index = bisect_right(self._able, (t, float("inf"))) - 1
        since_t, since_able = self._able[index]
        following = self._able[index + 1][1] if index + 1 < len(self._able) else self.able_s
        return min(since_able + max(0.0, t - since_t), following)

    def seconds(self, at: datetime) -> float:
        """An instant in the world's seconds."""
        return (at - self.world.starts_at).total_seconds()

    def from_micros(self, micros: int) -> float:
        """A stored instant of the machine's clock, in the world's seconds as the clock stands now."""
        return self.seconds(instant(micros)) - self.clock.offset_s

    def clock_stepped_within(self, seconds: float) -> bool:
        """Whether the clock was stepped lately."""
        return any(self.world.t - at < seconds for at, _ in self.clock.steps)

    def unknown_s_max(self, place: str) -> float:
        """How long something may stay unknown: the quarantine, 15 minutes (reliability.md), and the look that ends it."""
        return (120.0 if place == "desk" else 600.0) + 900.0 + 180.0

    # ---------------------------------------------------------------- what is known

    def case(self, key: str) -> Conversation:
        """A conversation as it is committed."""
        found = self._cases.get(key)
        if found is None:
            document = self.journal.document(key)
            assert document is not None, key
            found = self._cases[key] = load_conversation(document)
        return found

    def forget(self, key: str) -> None:
        """A conversation has changed."""
        self._cases.pop(key, None)

    def row(self, key: str) -> Written:
        """A row of the outbox."""
        if key not in self.rows:
            self.rows[key] = self.journal.written(key)
        return self.rows[key]

    def texts_of(self, row: Written) -> set[str]:
        """The words of a row, and those kept ready for a platform that refuses repetitions."""
        body = json.loads(row.body)
        return {body["text"], body.get("other") or body["text"]}

    def shortest_quiet_s(self, surface: Surface) -> float:
        """The shortest quiet time that there is on a surface."""
        quiet = self.policy.quiet_s
        base_s = quiet.direct if surface is Surface.DIRECT else quiet.public
        return max(DEFAULT_PATIENCE.quiet_s_min, base_s * self._shortest)
