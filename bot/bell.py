"""A bell that rings when something changed: whoever shows things listens to it instead of asking again and again."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Bell:
    """Counts its rings. Nobody is kept waiting by a listener that is slow or gone."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self.rings += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def heard(self, since: int, timeout_s: float | None = None) -> int:
        """Wait until it has rung after ``since`` (a count it returned before), or the time is over; the count now."""
        if self.rings <= since:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._rung.wait()
        return self.rings
