"""What costs to work out, shared by all who look: made once, shown while it is fresh, made again beside the loop's work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Generic, TypeVar

from bot.clock import Clock

T = TypeVar("T")
FRESH = timedelta(seconds=2)
TIMES_COST = 10.0
"""Whatever took a second to make is good for ten: looking may take a tenth of the program's time at most."""


class Fresh(Generic[T]):
    """A value and how old it is, by the program's clock: where that is moved, what was made before is old."""

    def __init__(self, clock: Clock, make: Callable[[], Awaitable[T]]) -> None:
        self.clock = clock
        self.make = make
        self.value: T | None = None
        self._at: datetime | None = None
        self._good_for = FRESH
        self._making: asyncio.Task[None] | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it need not be made again yet."""
        return self._at is not None and timedelta() <= self.clock.now() - self._at < self._good_for

    async def now(self) -> T:
        """As it is from now on: after an act, whoever acted wants to see it."""
        while self._making is not None:
            await asyncio.wait([self._making])
        await self._make()
        assert self.value is not None
        return self.value

    async def within(self, wait_s: float) -> T | None:
        """As it is, or was a moment ago. Where making it takes longer than ``wait_s``: the one before, None at first."""
        if not self.is_fresh:
            if self._making is None:
                self._making = asyncio.create_task(self._make(), name="fresh figures")
                self._making.add_done_callback(self._made)
            await asyncio.wait([self._making], timeout=wait_s)
        return self.value

    async def _make(self) -> None:
        at, began = self.clock.now(), perf_counter()
        self.value = await self.make()
        self._at, self._good_for = at, max(FRESH, timedelta(seconds=TIMES_COST * (perf_counter() - began)))

    def _made(self, task: asyncio.Task[None]) -> None:
        self._making = None
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "figures", "exception": task.exception()})
