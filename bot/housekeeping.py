"""Housekeeping: what has to be looked after now and then, beside the work itself.

Each duty has its own pace and fails alone: a duty that raises is logged and told to the desk, and done again when it is next due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.desk.port import Desk
from bot.log import get_logger
from bot.metrics import Metrics
from bot.store.port import Store
from bot.storms import StormWatch
from bot.switches import Switches

LOG_BYTES_MAX = 64_000_000
"""A write-ahead log beyond this means that a reader holds it open (catalogue 45)."""

log = get_logger("housekeeping")


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do every so many seconds."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[object]]


class Housekeeping:
    """Does its duties, each when it is due, the first time at once."""

    def __init__(self, clock: Clock, desk: Desk, duties: Sequence[Duty]) -> None:
        self.clock = clock
        self.desk = desk
        self.duties = tuple(duties)
        self.due: dict[str, datetime] = {}

    def add(self, duty: Duty) -> None:
        """One more duty, before ``run``."""
        self.duties += (duty,)

    async def run(self) -> None:
        """Until cancelled."""
        changed = asyncio.Event()
        while True:
            changed.clear()
            await self.round()
            await self.clock.wait(changed, min(self.due.values(), default=None))

    async def round(self) -> None:
        """Do whatever is due."""
        for duty in self.duties:
            now = self.clock.now()
            if self.due.get(duty.name, now) > now:
                continue
            self.due[duty.name] = now + timedelta(seconds=duty.every_s)
            try:
                await duty.do()
            except Exception as error:
                log.exception("duty failed", duty=duty.name, error=repr(error))
                await self.desk.alert("duty_failed", f"{duty.name}: {error!r}")


def retain(store: Store, clock: Clock, closed_days: float, set_aside_days: float) -> Callable[[], Awaitable[None]]:
    """The duty that erases what is older than the admin keeps it."""

    async def forget() -> None:
        now = clock.now()
        while count := await store.forget(now - timedelta(days=closed_days), now - timedelta(days=set_aside_days)):
            log.info("forgot", count=count)

    return forget


def look_for_storms(
    storms: StormWatch, clock: Clock, desk: Desk, metrics: Metrics, switches: Switches
) -> Callable[[], Awaitable[None]]:
    """The duty that announces storms."""

    async def look() -> None:
        for storm in storms.storms(clock.now()):
            metrics.storms.labels(storm.topic).inc()
            held = " Its first replies are on hold." if storm.topic in switches.now.held_topics else ""
            await desk.alert(
                f"storm:{storm.topic}",
                f"{storm.count} complaints about {storm.topic} in 30 minutes; usual are {storm.usual:g}.{held} "
                "You may hold the first replies of this topic, pause check-backs, or answer the group as a whole.",
            )

    return look


class Logged(Protocol):
    """A store with a write-ahead log."""

    @property
    def log_bytes(self) -> int:
        """How long its log is."""


def watch_log(store: Logged, desk: Desk) -> Callable[[], Awaitable[None]]:
    """The duty that tells when the log cannot be emptied, once for as long as it lasts."""
    large = False

    async def look() -> None:
        nonlocal large
        was, large = large, store.log_bytes > LOG_BYTES_MAX
        if large and not was:
            await desk.alert(
                "log_large",
                f"the database's log has {store.log_bytes // 1_000_000} MB: another program reads the file and does not "
                "end (a backup tool, an open shell)? The bot works on; the disk fills until that reader ends.",
            )

    return look
