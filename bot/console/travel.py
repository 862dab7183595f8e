"""Moving the virtual clock: from timer to timer, so that everything that would have happened on the way happens, in order."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.console.parts import Parts

STOPS_MAX = 500
"""Timers at which a journey stops; past them it goes straight to its end, and what is due is decided there."""
SETTLED_S = 2.0
"""How long a page waits for what its own click set off."""
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
    bell = app.worker.bell
    while True:
        heard = bell.rings
        upcoming = await next_stop(app)
        if (upcoming is None or upcoming > app.local_clock.now()) and not app.delivery.running:
            return True
        left = ends - loop.time()
        if left <= 0:
            return False
        await bell.heard(heard, left)


async def travel(app: Parts, to: datetime) -> None:
    """Move forward to an instant, stopping at whatever is due before it. An instant that has passed changes nothing."""
    for _ in range(STOPS_MAX):
        upcoming = await next_stop(app)
        if upcoming is None or upcoming >= to:
            break
        await app.jump(upcoming + GLANCE)
        if not await settled(app):
            break
    await app.jump(to + GLANCE)
    await settled(app)
