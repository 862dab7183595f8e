"""Time, injected everywhere: the real one, and one that only moves when it is told to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the shell asks for the time, and how it waits."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""

    async def wait(self, changed: asyncio.Event, until: datetime | None) -> None:
        """Return when ``changed`` is set, or the instant has come (None: never), whichever is first."""


class SystemClock:
    """The machine's clock, with an offset that the playground may move forward."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self._jumped: set[asyncio.Event] = set()

    def now(self) -> datetime:
        """The machine's time plus the offset."""
        return datetime.now(UTC) + self.offset

    def jump(self, to: datetime) -> None:
        """Move forward to an instant; everybody who waits looks again. An instant that has passed changes nothing."""
        ahead = to - self.now()
        if ahead > timedelta():
            self.offset += ahead
            for event in self._jumped:
                event.set()

    def resting(self, changed: asyncio.Event) -> bool:
        """Whether somebody waits for that event, and it has not come: a loop with nothing to do."""
        return changed in self._jumped and not changed.is_set()

    async def wait(self, changed: asyncio.Event, until: datetime | None) -> None:
        """See ``Clock.wait``. A clock that jumps back or forth is noticed within a minute."""
        self._jumped.add(changed)
        try:
            seconds = None if until is None else min(60.0, max(0.0, (until - self.now()).total_seconds()))
            if seconds is None:
                await changed.wait()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):  # wait_for may lose a cancellation (CPython issue 86296)
                        await changed.wait()
        finally:
            self._jumped.discard(changed)


class VirtualClock:
    """A clock that stands still until it is set: rehearsals and tests."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.at

    def set(self, at: datetime) -> None:
        """Move to an instant; never backwards."""
        self.at = max(self.at, at)

    async def wait(self, changed: asyncio.Event, until: datetime | None) -> None:
        """Wait for a change only: time does not pass by itself."""
        await changed.wait()
