"""What X has cost, day by day: the channel counts today; this keeps the days before.

Several processes may each pay for other accounts. A day's figure only ever grows, so the greater one is the later one.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.store.port import Store

META = "console.spending"
KEPT_DAYS = 60
SHOWN_DAYS = 14
EVERY_S = 300.0
"""How often today's figure is kept."""
HEIGHT = 44.0
STEP = 20.0

Spending = Callable[[], Mapping[str, Any]]
"""By account: ``day`` (ISO), ``usd``, ``usd_max``, ``stopped`` (``bot.channels.x``)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A day's dollars, as a bar of a chart ``HEIGHT`` high."""

    x: float
    y: float
    height: float
    over: bool
    words: str


def keep(store: Store, spending: Spending) -> Callable[[], Awaitable[None]]:
    """The duty that keeps what today has cost so far."""

    async def note() -> None:
        found = spending()
        if not found:
            return
        kept = await days(store)
        for account, spent in found.items():
            day = kept.setdefault(spent["day"], {})
            day[account] = max(day.get(account, 0.0), round(spent["usd"], 4))
        latest = dict(sorted(kept.items())[-KEPT_DAYS:])
        await store.set_meta(META, json.dumps(latest))

    return note


async def days(store: Store) -> dict[str, dict[str, float]]:
    """Dollars by day and account."""
    found: dict[str, dict[str, float]] = json.loads(await store.get_meta(META) or "{}")
    return found


def bars(kept: Mapping[str, Mapping[str, float]], account: str, spent: Mapping[str, Any]) -> tuple[Bar, ...]:
    """The latest days of an account, today last, against what a day may cost."""
    today = date.fromisoformat(spent["day"])
    dates = [today - timedelta(days=back) for back in range(SHOWN_DAYS - 1, -1, -1)]
    values = [spent["usd"] if day == today else kept.get(day.isoformat(), {}).get(account, 0.0) for day in dates]
    most = max([*values, spent["usd_max"]]) or 1.0
    return tuple(
        Bar(
            x=n * STEP + 2,
            y=HEIGHT * (1 - value / most),
            height=HEIGHT * value / most,
            over=bool(spent["usd_max"]) and value >= 0.8 * spent["usd_max"],
            words=f"{day:%a} {day.day} {day:%b}: ${value:.2f}",
        )
        for n, (day, value) in enumerate(zip(dates, values, strict=True))
    )
