"""What a seed means: when it plays, who writes, how agents are, and what goes wrong. A value that a shrinker can make smaller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from random import Random

from bot.channels.x import XChannel
from bot.crash_points import POINTS
from conversations.deadlines import BusinessHours, Span
from conversations.policy import ChannelTraits, Policy, Queue
from conversations.wording.request import Surface
from tests.simulation.agents import Temper
from tests.simulation.people import TEMPERS, Plan
from tests.simulation.texts import LANGUAGES
from tests.simulation.wire import Trouble

DAY_S = 86400.0
X_EVERY = 20
X_DAYS_MAX = 1
STARTS = (
    datetime(2026, 3, 20, 9, tzinfo=UTC),  # Berlin's clocks go forward on 29 March
    datetime(2026, 10, 16, 22, tzinfo=UTC),  # … and back on 25 October
    datetime(2026, 11, 2, 6, tzinfo=UTC),
    datetime(2027, 2, 22, 15, tzinfo=UTC),
)
DST_AT = (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC))
OFFICE = (Span(time(9), time(18)),)

STALLS = (
    "delivery: after claim", "delivery: before send", "delivery: before send", "delivery: after send",
    "delivery: before look", "delivery: after look", "delivery: before report",
)  # fmt: skip
"""Where a worker that stalls holds a lease."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something goes wrong at a time, in seconds from the beginning. ``detail`` and ``amount`` are the kind's own."""

    at_s: float
    kind: str
    detail: str = ""
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulated run."""

    seed: int
    days: int
    starts_at: datetime
    customers: tuple[Plan, ...]
    mishaps: tuple[Mishap, ...]
    temper: Temper
    policy: Policy
    on_x: bool = False

    @property
    def ends_s(self) -> float:
        """When it is over."""
        return self.days * DAY_S


def scenario(seed: int, days: int, *, on_x: bool | None = None) -> Scenario:
    """The scenario of a seed: on the simulated platform, or on the strict local X with the real X channel.

    ``on_x`` None: every twentieth seed is, for ``X_DAYS_MAX`` days at most, because X is polled.
    """
    if on_x is None:
        on_x = seed % X_EVERY == 0
        days = min(days, X_DAYS_MAX) if on_x else days
    rng = Random(f"{seed}:scenario")
    starts_at = STARTS[seed % len(STARTS)]
    ends_s = days * DAY_S
    traits = ChannelTraits(unprompted_public=rng.random() < 0.5, public_chars_max=280, direct_chars_max=10_000)
    week = (OFFICE,) * 5 + ((),) * 2
    hours = BusinessHours() if rng.random() < 0.5 else BusinessHours("Europe/Berlin", week)
    policy = Policy(
        check_back_days=rng.choice((1.0, 3.0)),
        time_zone=rng.choice(("UTC", "Europe/Berlin")),
        languages=("en", "de"),
        queues=(Queue("support", hours=hours),),
        channels={"x": XChannel.traits} if on_x else {"sim": traits},
    )
    customers = tuple(customer(rng, n, ends_s) for n in range(1, rng.randint(8, 14)))
    return Scenario(seed, days, starts_at, customers, mishaps(rng, ends_s), temper(rng), policy, on_x)


def temper(rng: Random) -> Temper:
    """How agents are."""
    return Temper(
        slow_s=rng.choice((60.0, 600.0, 7200.0)),
        double_click=rng.choice((0.05, 0.5)),
        two_at_once=rng.choice((0.05, 0.4)),
        absent=rng.choice((0.1, 0.6)),
    )


def customer(rng: Random, n: int, ends_s: float) -> Plan:
    """One customer. They come in bunches: what meets in time is what breaks."""
    begins_s = (
        rng.uniform(0.0, 0.9) * ends_s
        if rng.random() < 0.6
        else rng.choice((0.05, 0.3, 0.6)) * ends_s + rng.uniform(0, 900)
    )
    name = rng.choices([name for name, _ in TEMPERS], [weight for _, weight in TEMPERS])[0]
    language = rng.choices(LANGUAGES, (6, 3, 1, 1, 1))[0]
    surface = Surface.PUBLIC if rng.random() < 0.7 else Surface.DIRECT
    return Plan(f"c{n}", begins_s, name, language, surface)


def mishaps(rng: Random, ends_s: float) -> tuple[Mishap, ...]:
    """What goes wrong: some of everything, more of what is cheap."""
    found: list[Mishap] = []

    def some(count: int, kind: str, detail: str = "", amount: float = 0.0) -> None:
        found.extend(Mishap(rng.uniform(0.0, 0.97) * ends_s, kind, detail, amount) for _ in range(count))

    for _ in range(rng.randint(1, 6)):
        some(1, "crash", rng.choice(POINTS), rng.choice((1, 1, 2, 5)))
    some(rng.randint(0, 2), "crash in recovery", "", rng.randint(1, 12))
    some(rng.randint(0, 2), "kill", "", rng.choice((1.0, 30.0, 1800.0, 72_000.0)))
    some(rng.randint(0, 2), "stalled worker", "", rng.choice((10.0, 40.0, 200.0, 500.0, 3000.0)))
    for _ in range(rng.randint(0, 3)):
        some(1, "zombie lease", rng.choice(STALLS), rng.choice((60.0, 300.0, 700.0, 2000.0)))
    some(rng.randint(0, 1), "overlap", "", rng.choice((600.0, 7200.0)))
    if rng.random() < 0.3:
        some(1, "clock forward", "", rng.choice((1.0, 40.0, 3600.0)))
    if rng.random() < 0.3:
        some(1, "clock back", "", rng.choice((1.0, 40.0, 3600.0)))
    some(rng.randint(0, 1), "disk full", "", rng.choice((10.0, 600.0)))
    some(rng.randint(0, 3), "I/O error", "", rng.choice((1, 3)))
    some(rng.randint(0, 2), "failed fsync", "", 1)
    some(rng.randint(0, 2), "busy database", "", rng.choice((1, 20)))
    if rng.random() < 0.1:
        some(1, "new schema")
    some(rng.randint(0, 3), "late", "", rng.choice((1, 3)))
    some(rng.randint(0, 3), "duplicate", "", 1)
    some(rng.randint(0, 2), "reorder")
    for _ in range(rng.randint(4, 14)):
        trouble = rng.choice(tuple(Trouble))
        where = rng.choice(("sim send",) * 6 + ("desk show",) * 2 + ("sim read", "sim look", "desk find"))
        some(1, f"wire {where}", trouble.value)
    return tuple(sorted(found, key=lambda mishap: mishap.at_s))
