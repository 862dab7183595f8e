"""A bell that rings when something changed: whoever shows things listens to it instead of asking again and again."""

from __future__ import annotations

import asyncio


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
            try:
                await asyncio.wait_for(self._rung.wait(), timeout_s)
            except TimeoutError:
                pass
        return self.rings
