"""The worker: the loops that decide, deliver and listen, kept alive, and stopped without losing anything.

Each loop is supervised: one that raises is logged, told to the desk, and started again after a pause. SIGTERM stops the
channels first, lets the sends under way finish, and leaves the rest in the outbox for the next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from bot.bell import Bell
from bot.channels.port import Channel
from bot.clock import Clock
from bot.delivery import Delivery
from bot.desk.port import Desk
from bot.engine import Engine
from bot.housekeeping import Housekeeping
from bot.leases import Alone, at_once
from bot.log import get_logger
from bot.roles import ProcessRole
from bot.store.port import Store, StoreUnavailable
from bot.store.records import Hold

RESTART_S = (0.1, 1.0, 5.0, 30.0)
"""Pauses before a loop that failed is started again, the last for ever after."""
STORE_AGAIN_S = (0.1, 1.0, 5.0)
"""The same, after the database did not answer: it may be back any moment."""
POLL_S = 2.0
"""Where several processes work on a database, they look so often even if nobody wakes them."""
HANDS_S = 0.02
"""What is due and was not ours to claim is in another process's hands: it is looked at again after so long."""
STALL_S = 60.0
"""A loop that has not come round for so long is not ready (``/readyz``)."""

log = get_logger("worker")
Loop = Callable[[], Awaitable[None]]


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
        self.role = ProcessRole.ALL
        self.name = "process"
        self.alone: Alone = at_once
        """How it is made sure that one process only listens to a platform."""
        self.store = store
        self.clock = clock
        self.engine = engine
        self.delivery = delivery
        self.channels = channels
        self.desk = desk
        self.decide = decide
        self.stopping = asyncio.Event()
        self.lanes_set = False
        self.loops: dict[str, Loop] | None = None
        self.beats: dict[str, float] = {}
        self.failures: dict[str, str] = {}
        self.bell = Bell()

    async def run(self) -> None:
        """Run what the role asks for until ``stop`` is called, then drain."""
        self.loops = self.working_loops()
        outer = self.listening_loops()
        listening = [asyncio.create_task(self.supervise(name, loop), name=name) for name, loop in outer.items()]
        working = [asyncio.create_task(self.supervise(name, loop), name=name) for name, loop in self.loops.items()]
        await self.stopping.wait()
        await cancel(listening)
        await cancel(working)
        await self.delivery.settle()
        for channel in self.channels.values():
            await channel.close()
        await self.desk.close()

    def working_loops(self) -> dict[str, Loop]:
        """The loops that any number of processes may run."""
        loops: dict[str, Loop] = {"engine": self.decide_loop} if self.role.decides else {}
        return loops | ({"delivery": self.deliver_loop} if self.role.delivers else {})

    def listening_loops(self) -> dict[str, Loop]:
        """The loops that listen to platforms, each in one process; and housekeeping."""
        loops: dict[str, Loop] = {}
        if self.store.shared:
            loops["presence"] = lambda: self.alone(f"process:{self.role.value}:{self.name}", self.idle)
            loops["wake-ups"] = lambda: self.store.listen(self.decide, self.delivery.changed)
        if self.role.listens:
            loops |= {f"channel {name}": self.only(name, channel.run) for name, channel in self.channels.items()}
            loops["desk"] = self.only("desk", self.desk.run)
        if self.housekeeping is not None:
            loops["housekeeping"] = self.housekeeping.run
        return loops

    def only(self, name: str, run: Loop) -> Loop:
        """A loop that runs in one process at a time. X's channel sees to it itself, account by account."""
        if name == "x":
            return run

        async def work(_hold: Hold | None) -> None:
            await run()

        return lambda: self.alone(name, work)

    async def idle(self, _hold: Hold | None) -> None:
        """Be there: others see it by the lease."""
        await self.stopping.wait()

    def stop(self) -> None:
        """Begin to stop; ``run`` returns when what was under way is finished."""
        self.stopping.set()

    async def supervise(self, name: str, loop: Loop) -> None:
        """Keep a loop alive."""
        failures, running = 0, asyncio.get_running_loop()
        while not self.stopping.is_set():
            began = running.time()
            self.failures.pop(name, None)
            try:
                await loop()
                return
            except asyncio.CancelledError:
                raise
            except Exception as error:
                if running.time() - began >= STALL_S:
                    failures = 0
                await self.failed(name, error, failures)
                pauses = STORE_AGAIN_S if isinstance(error, StoreUnavailable) else RESTART_S
            pause = pauses[min(failures, len(pauses) - 1)]
            failures += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.stopping.wait()

    async def failed(self, name: str, error: Exception, before: int) -> None:
        """A loop raised, after ``before`` failures in a row."""
        if isinstance(error, StoreUnavailable):
            log.error("store unavailable", loop=name, error=str(error))
            self.failures[name] = str(error)
            return
        log.error("loop failed", loop=name, error=repr(error), exc_info=error)
        self.failures[name] = repr(error)
        if before == 0:
            await self.desk.alert("loop_failed", f"{name}: {error!r}")

    def beat(self, name: str) -> None:
        """A loop came round: what it did is done, so whoever shows things looks again."""
        self.beats[name] = asyncio.get_running_loop().time()
        self.failures.pop(name, None)
        self.bell.ring()

    @property
    def ready(self) -> bool:
        """Whether the loops come round and none is failing."""
        return self.loops is not None and self.loops.keys() <= self.beats.keys() and not self.failures

    async def decide_loop(self) -> None:
        """Decide whatever woke, then sleep until the next timer or event."""
        while True:
            self.beat("engine")
            self.decide.clear()
            until = await self.store.next_wake_at()  # looking costs less than a transaction that finds nothing
            if until is not None and until <= self.clock.now() and await self.engine.decide_due():
                self.delivery.changed.set()
                await asyncio.sleep(0)
                continue
            await self.clock.wait(self.decide, self.look_again(until))

    async def deliver_loop(self) -> None:
        """Send whatever may leave, then sleep until something else may."""
        if not self.lanes_set:
            await self.delivery.open()
            self.lanes_set = True
        changed = self.delivery.changed
        while True:
            self.beat("delivery")
            changed.clear()
            until = await self.store.next_delivery_at(self.clock.now(), self.delivery.elsewhere())
            if until is not None and until <= self.clock.now():
                if await self.delivery.drain():
                    await asyncio.sleep(0)
                    continue
                until = self.clock.now() + timedelta(seconds=0.05)  # it waits for a send under way on its lane
            await self.clock.wait(changed, self.look_again(until))

    def look_again(self, until: datetime | None) -> datetime | None:
        """Until when to wait. Other processes' wake-ups may be missed, and what is due may be in another's hands."""
        if not self.store.shared:
            return until
        now = self.clock.now()
        latest = now + timedelta(seconds=POLL_S)
        return latest if until is None else min(latest, max(until, now + timedelta(seconds=HANDS_S)))


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
