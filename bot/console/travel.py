"""Moving the virtual clock: from timer to timer, so that everything that would have happened on the way happens, in order."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.console.parts import Parts

STOPS_MAX = 500
"""Timers at which a journey stops; past them it goes straight to its end, and what is due is decided there."""
SETTLED_S = 2.0
"""How long a page waits for what its own click set off."""
LOOK_S = 0.01
"""Between two looks whether everything rests."""
GLANCE = timedelta(milliseconds=1)
"""Past an instant, so that what is due at it is due."""


async def next_stop(app: Parts) -> datetime | None:
    """When anything happens next: a timer, or words that wait."""
    now = app.local_clock.now()
    times = (await app.store.next_wake_at(), await app.store.next_delivery_at(now))
    return min((time for time in times if time is not None), default=None)


async def settled(app: Parts, timeout_s: float = SETTLED_S) -> bool:
    """Wait until what is due now is done. False: the time was over first; the page shows the rest when it comes."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + timeout_s
    while not await resting(app):
        left = ends - loop.time()
        if left <= 0:
            return False
        await app.worker.bell.heard(app.worker.bell.rings, min(left, LOOK_S))
    return True


async def resting(app: Parts) -> bool:
    """Whether nothing is due, and nothing is being decided or sent: a clock that is moved now breaks off nothing."""
    upcoming = await next_stop(app)
    if upcoming is not None and upcoming <= app.local_clock.now():
        return False
    loops = (app.worker.decide, app.delivery.changed)
    return not app.delivery.running and all(app.local_clock.resting(changed) for changed in loops)


async def travel(app: Parts, to: datetime) -> None:
    """Move forward to an instant, stopping at whatever is due before it. An instant that has passed changes nothing."""
    await settled(app)
    for _ in range(STOPS_MAX):
        upcoming = await next_stop(app)
        if upcoming is None or upcoming >= to:
            break
        await app.jump(upcoming + GLANCE)
        if not await settled(app):
            break
    await app.jump(to + GLANCE)
    await settled(app)
