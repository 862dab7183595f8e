"""The world: one true time, what is scheduled in it, and the machine's clock, which may be wrong."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from random import Random

NOTICED_S = 60.0
"""A waiting process notices a stepped clock within this time (``SystemClock.wait`` looks again every minute)."""


class World:
    """True time in seconds since ``starts_at``, scheduled happenings, chance by name, and the log that a seed must repeat."""

    def __init__(self, seed: int, starts_at: datetime) -> None:
        self.seed = seed
        self.starts_at = starts_at
        self.t = 0.0
        self.log: list[str] = []
        self.fired: Counter[str] = Counter()
        """How often each kind of fault happened."""
        self._digest = hashlib.sha256()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0

    @property
    def now(self) -> datetime:
        """The true time."""
        return self.starts_at + timedelta(seconds=self.t)

    def rng(self, name: str) -> Random:
        """A stream of chance of its own for whoever bears this name: taking one away changes no other."""
        return Random(f"{self.seed}:{name}")

    def at(self, t: float, do: Callable[[], None]) -> None:
        """Let something happen at a time, in seconds since the beginning."""
        self._serial += 1
        heapq.heappush(self._heap, (max(t, self.t), self._serial, do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.at(self.t + seconds, do)

    def next_at(self) -> float | None:
        """When the next thing happens."""
        return self._heap[0][0] if self._heap else None

    def happen(self) -> bool:
        """Let one thing happen that is due now; False: there is none."""
        if not self._heap or self._heap[0][0] > self.t:
            return False
        heapq.heappop(self._heap)[2]()
        return True

    def write(self, line: str) -> None:
        """Write a line into the log."""
        whole = f"{self.t:.6f} {line}"
        self.log.append(whole)
        self._digest.update(whole.encode() + b"\n")

    def fault(self, kind: str, detail: str = "") -> None:
        """A fault happened."""
        self.fired[kind] += 1
        self.write(f"fault {kind} {detail}".rstrip())

    @property
    def sha256(self) -> str:
        """What the whole log comes down to."""
        return self._digest.hexdigest()


class MachineClock:
    """The clock of the machine on which the processes run. It may be stepped; who waits on it notices within a minute."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.offset_s = 0.0
        self.steps: list[tuple[float, float]] = []
        """When the clock was stepped, and by how many seconds."""
        self.crowded = False
        """Whether several processes share the database: then each looks every minute at what the others left to do."""
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._serial = 0

    def now(self) -> datetime:
        """What the machine takes for the time."""
        return self.world.now + timedelta(seconds=self.offset_s)

    def step(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.offset_s = round(self.offset_s + seconds, 6)
        self.steps.append((self.world.t, seconds))
        self.look_again()

    def look_again(self) -> None:
        """Something changed that a waiting process finds when it next looks."""
        for future in list(self._waiting.values()):
            self.world.after(NOTICED_S, partial(wake, future))

    async def wait(self, changed: asyncio.Event, until: datetime | None) -> None:
        """See ``bot.clock.Clock``. What a look every minute would find is found, without looking every minute."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        self._serial += 1
        serial = self._serial
        self._waiting[serial] = woken
        timer = None
        seconds = None if until is None else max(0.0, (until - self.now()).total_seconds())
        if self.crowded:
            seconds = min(NOTICED_S, NOTICED_S if seconds is None else seconds)
        if seconds is not None:
            timer = loop.call_later(seconds, wake, woken)
        rung = loop.create_task(changed.wait())
        rung.add_done_callback(lambda _: wake(woken))
        try:
            await woken
        finally:
            del self._waiting[serial]
            if timer is not None:
                timer.cancel()
            rung.cancel()


def wake(future: asyncio.Future[None]) -> None:
    """Wake who waits, unless it is awake."""
    if not future.done():
        future.set_result(None)
