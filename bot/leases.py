"""What only one of several processes may do at a time: it is leased in the store, renewed while it is done, and given up.

A process that falls silent is replaced when its lease ends. It may not know yet: whatever it still writes under the lease is
refused by the store, because the fence has risen (``Store.set_meta``), and its work is stopped as soon as it looks.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
from collections.abc import Awaitable, Callable

from bot.clock import Clock
from bot.log import get_logger
from bot.store.port import LeaseLost, Store, StoreUnavailable
from bot.store.records import Hold

RENEWALS = 3
"""A lease is renewed so often in its time, and those who wait for it look as often."""

log = get_logger("leases")

Work = Callable[[Hold | None], Awaitable[None]]
Alone = Callable[[str, Work], Awaitable[None]]
"""Do this work in one process at a time, for ever; it is cancelled when it must stop."""


async def at_once(name: str, work: Work) -> None:
    """``Alone`` for a program that is the only one."""
    await work(None)


def process_name() -> str:
    """What this process is called where several share a database: machine, process, and a bit of chance."""
    return f"{platform.node()}:{os.getpid()}:{secrets.token_hex(3)}"


class Leases:
    """The leases of one process, named ``holder``; each lasts ``lease_s`` seconds unless it is renewed."""

    def __init__(self, store: Store, clock: Clock, holder: str, lease_s: float) -> None:
        self.store = store
        self.clock = clock
        self.holder = holder
        self.lease_s = lease_s

    async def alone(self, name: str, work: Work) -> None:
        """Wait for a lease, work while it is held, and wait again when it was lost. Returns when the work does.

        Raises what the work raises, but for ``LeaseLost``, and ``StoreUnavailable`` while there is no lease to lose.
        """
        while True:
            hold = await self.take(name)
            if hold is None:
                await asyncio.sleep(self.lease_s / RENEWALS)
            elif await self._held(hold, work):
                return

    async def take(self, name: str, seconds: float | None = None) -> Hold | None:
        """Take or renew a lease; None: another process has it."""
        return await self.store.lease(name, self.holder, self.clock.now(), seconds or self.lease_s)

    def once(self, name: str, every_s: float, do: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        """What is done every so many seconds, by one process: the first that comes, for as long as it comes round."""

        async def duty() -> None:
            if await self.take(f"duty:{name}", 2 * every_s + self.lease_s) is not None:
                await do()

        return duty

    async def _held(self, hold: Hold, work: Work) -> bool:
        """Work under a lease. True: the work is over. False: the lease was lost."""
        log.info("lease taken", name=hold.name, fence=hold.fence)
        working = asyncio.ensure_future(work(hold))
        keeping = asyncio.ensure_future(self._keep(hold))
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            over = working.done()
        finally:
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)
            await self._release(hold)
        error = None if working.cancelled() else working.exception()
        if error is not None and not isinstance(error, LeaseLost):
            raise error
        if not over or error is not None:
            log.warning("lease lost", name=hold.name, fence=hold.fence)
        return over and error is None

    async def _keep(self, hold: Hold) -> None:
        """Renew a lease; returns when it is lost, or cannot be renewed in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.lease_s
        while loop.time() < until:
            await asyncio.sleep(self.lease_s / RENEWALS)
            try:
                async with asyncio.timeout_at(max(until, loop.time() + 0.1)):
                    renewed = await self.take(hold.name)
            except (StoreUnavailable, TimeoutError) as error:
                log.warning("lease not renewed", name=hold.name, error=str(error))
                continue
            if renewed != hold:
                return
            until = loop.time() + self.lease_s

    async def _release(self, hold: Hold) -> None:
        try:
            await self.store.release(hold)
        except StoreUnavailable as error:
            log.warning("lease not released: it ends by itself", name=hold.name, error=str(error))
