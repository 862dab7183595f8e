"""The worker: the loops that decide, deliver and listen, kept alive, and stopped without losing anything.

Each loop is supervised: one that raises is logged, told to the desk, and started again after a pause. SIGTERM stops the
channels first, lets the sends under way finish, and leaves the rest in the outbox for the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from bot.bell import Bell
from bot.channels.port import Channel
from bot.clock import Clock
from bot.delivery import Delivery
from bot.desk.port import Desk
from bot.engine import Engine
from bot.housekeeping import Housekeeping
from bot.log import get_logger
from bot.store.port import Store, StoreUnavailable

RESTART_S = (0.1, 1.0, 5.0, 30.0)
"""Pauses before a loop that failed is started again, the last for ever after."""
STALL_S = 60.0
"""A loop that has not come round for so long is not ready (``/readyz``)."""

log = get_logger("worker")


class Worker:
    """Runs everything that runs."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        engine: Engine,
        delivery: Delivery,
        channels: Mapping[str, Channel],
        desk: Desk,
        decide: asyncio.Event,
        housekeeping: Housekeeping | None = None,
    ) -> None:
        self.housekeeping = housekeeping
        self.store = store
        self.clock = clock
        self.engine = engine
        self.delivery = delivery
        self.channels = channels
        self.desk = desk
        self.decide = decide
        self.stopping = asyncio.Event()
        self.beats: dict[str, float] = {}
        self.failures: dict[str, str] = {}
        self.bell = Bell()

    async def run(self) -> None:
        """Run until ``stop`` is called, then drain."""
        await self.delivery.open()
        inner = {"engine": self.decide_loop, "delivery": self.deliver_loop}
        outer = {f"channel {name}": channel.run for name, channel in self.channels.items()} | {"desk": self.desk.run}
        if self.housekeeping is not None:
            outer["housekeeping"] = self.housekeeping.run
        listening = [asyncio.create_task(self.supervise(name, loop), name=name) for name, loop in outer.items()]
        working = [asyncio.create_task(self.supervise(name, loop), name=name) for name, loop in inner.items()]
        await self.stopping.wait()
        await cancel(listening)
        await cancel(working)
        await self.delivery.settle()
        for channel in self.channels.values():
            await channel.close()
        await self.desk.close()

    def stop(self) -> None:
        """Begin to stop; ``run`` returns when what was under way is finished."""
        self.stopping.set()

    async def supervise(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Keep a loop alive."""
        failures = 0
        while not self.stopping.is_set():
            try:
                await loop()
                return
            except asyncio.CancelledError:
                raise
            except StoreUnavailable as error:
                log.error("store unavailable", loop=name, error=str(error))
                self.failures[name] = str(error)
            except Exception as error:
                log.exception("loop failed", loop=name, error=repr(error))
                self.failures[name] = repr(error)
                if failures == 0:
                    await self.desk.alert("loop_failed", f"{name}: {error!r}")
            pause = RESTART_S[min(failures, len(RESTART_S) - 1)]
            failures += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.stopping.wait()

    def beat(self, name: str) -> None:
        """A loop came round: what it did is done, so whoever shows things looks again."""
        self.beats[name] = asyncio.get_running_loop().time()
        self.failures.pop(name, None)
        self.bell.ring()

    @property
    def ready(self) -> bool:
        """Whether the loops come round and none is failing."""
        return bool(self.beats) and not self.failures

    async def decide_loop(self) -> None:
        """Decide whatever woke, then sleep until the next timer or event."""
        while True:
            self.beat("engine")
            self.decide.clear()
            if await self.engine.decide_due():
                self.delivery.changed.set()
                await asyncio.sleep(0)
                continue
            await self.clock.wait(self.decide, await self.store.next_wake_at())

    async def deliver_loop(self) -> None:
        """Send whatever may leave, then sleep until something else may."""
        changed = self.delivery.changed
        while True:
            self.beat("delivery")
            changed.clear()
            if await self.delivery.drain():
                await asyncio.sleep(0)
                continue
            until = await self.store.next_delivery_at(self.clock.now())
            if until is not None and until <= self.clock.now():
                until = self.clock.now() + timedelta(seconds=0.05)  # it waits for a send under way on its lane
            await self.clock.wait(changed, until)


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
