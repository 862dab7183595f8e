"""The real engine on a clock that stands still between events: rehearsals, previews and tests advance time, and never sleep."""

from __future__ import annotations

from datetime import datetime

from bot.clock import VirtualClock
from bot.delivery import Delivery
from bot.engine import Engine
from bot.store.port import Store

ROUNDS_MAX = 10_000
"""A run of decisions that does not come to rest is a bug: rather than hang, it is said."""


class VirtualRun:
    """Moves one engine and its delivery through time."""

    def __init__(self, clock: VirtualClock, store: Store, engine: Engine, delivery: Delivery) -> None:
        self.clock = clock
        self.store = store
        self.engine = engine
        self.delivery = delivery

    async def settle(self) -> None:
        """Decide and deliver until nothing is left to do at this instant. Raises ``RuntimeError`` if that never comes."""
        for _ in range(ROUNDS_MAX):
            decided = await self.engine.decide_due()
            sent = await self.delivery.drain()
            await self.delivery.settle()
            if not decided and not sent:
                return
        raise RuntimeError(f"no rest at {self.clock.now().isoformat()}: decisions lead to decisions for ever")

    async def next_at(self) -> datetime | None:
        """When something is next to be done by itself, or None."""
        found = (await self.store.next_wake_at(), await self.store.next_delivery_at(self.clock.now()))
        return min((at for at in found if at is not None), default=None)

    async def advance_to(self, at: datetime) -> None:
        """Let time pass until then, with everything that comes due on the way."""
        await self.settle()
        for _ in range(ROUNDS_MAX):
            due = await self.next_at()
            if due is None or due > at:
                break
            self.clock.set(due)
            await self.settle()
        self.clock.set(at)
        await self.settle()
