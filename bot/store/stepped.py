"""The port, said in steps: what all databases have in common. A database adds how steps are run."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.store.codec import instant_or_none, micros
from bot.store.port import Decider, Router
from bot.store.records import (
    Arrival,
    Aside,
    Counts,
    Hold,
    Lane,
    Lease,
    OutboxRow,
    Poisoned,
    Report,
    Taken,
    TemplateVersion,
    TurnRecord,
    Used,
)
from bot.store.steps import Steps, customers, deliveries, intake, keeping, leases, looks
from conversations.conversation import Conversation
from conversations.ids import ConversationKey, EffectKey

T = TypeVar("T")
Begin = Callable[[], Steps[T]]
"""Makes the steps, anew for each try."""


class SteppedStore(ABC):
    """See ``bot.store.port.Store``. Every method is documented there."""

    shared = False

    @abstractmethod
    async def _write(self, begin: Begin[T]) -> T:
        """Run steps in a transaction."""

    @abstractmethod
    async def _read(self, steps: Steps[T]) -> T:
        """Run steps that only look, and briefly."""

    async def _look(self, steps: Steps[T]) -> T:
        """Run steps that only look, and may take long."""
        return await self._read(steps)

    # ---- intake

    async def take_in(self, arrivals: Sequence[Arrival], route: Router, now: datetime) -> list[Taken]:
        """See ``Store.take_in``."""
        at = micros(now)
        return await self._write(lambda: intake.take_in(arrivals, route, at))

    async def open_aside(self, sequence: int, route: Router, now: datetime) -> Taken:
        """See ``Store.open_aside``."""
        at = micros(now)
        return await self._write(lambda: intake.open_aside(sequence, route, at))

    # ---- engine

    @abstractmethod
    async def decide_due(self, now: datetime, limit: int, decide: Decider) -> int:
        """See ``Store.decide_due``."""

    async def next_wake_at(self) -> datetime | None:
        """See ``Store.next_wake_at``."""
        return await self._read(looks.next_wake_at())

    # ---- delivery

    async def claim_deliveries(
        self, now: datetime, sending_s: float, limit: int, elsewhere: Collection[str] = ()
    ) -> list[OutboxRow]:
        """See ``Store.claim_deliveries``."""
        at, sending_us = micros(now), int(sending_s * 1_000_000)
        return await self._write(lambda: deliveries.claim(at, sending_us, limit, elsewhere))

    async def expire_sending(self, now: datetime, quarantine_s: Mapping[str, float]) -> int:
        """See ``Store.expire_sending``."""
        at = micros(now)
        return await self._write(lambda: deliveries.expire(at, quarantine_s))

    async def report_deliveries(self, reports: Sequence[Report]) -> list[bool]:
        """See ``Store.report_deliveries``."""
        return await self._write(lambda: deliveries.report(reports))

    async def next_delivery_at(self, now: datetime, elsewhere: Collection[str] = ()) -> datetime | None:
        """See ``Store.next_delivery_at``."""
        return instant_or_none(await self._read(deliveries.next_at(micros(now), elsewhere)))

    async def set_lane(self, lane: Lane) -> None:
        """See ``Store.set_lane``."""
        await self._write(lambda: deliveries.set_lane(lane))

    # ---- several processes

    async def listen(self, decide: asyncio.Event, deliver: asyncio.Event) -> None:
        """See ``Store.listen``."""
        del decide, deliver  # one process: nobody else writes here

    async def lease(self, name: str, holder: str, now: datetime, seconds: float) -> Hold | None:
        """See ``Store.lease``."""
        at, ends_at = micros(now), micros(now + timedelta(seconds=seconds))
        return await self._write(lambda: leases.take(name, holder, at, ends_at))

    async def release(self, hold: Hold) -> None:
        """See ``Store.release``."""
        await self._write(lambda: leases.release(hold))

    async def leases(self, now: datetime) -> list[Lease]:
        """See ``Store.leases``."""
        return await self._read(leases.held(micros(now)))

    # ---- looking

    async def conversation(self, key: ConversationKey) -> Conversation | None:
        """See ``Store.conversation``."""
        return await self._read(looks.conversation(key))

    async def conversations(
        self, *, states: Sequence[str] = (), search: str = "", customer: str = "", limit: int = 100, offset: int = 0
    ) -> list[Conversation]:
        """See ``Store.conversations``."""
        return await self._look(looks.conversations(states, search, customer, limit, offset))

    async def turns(self, key: ConversationKey) -> list[TurnRecord]:
        """See ``Store.turns``."""
        return await self._read(looks.turns(key))

    async def turn(self, key: ConversationKey, turn_id: str) -> TurnRecord | None:
        """See ``Store.turn``."""
        return await self._read(looks.turn(key, turn_id))

    async def outbox(
        self, *, conversation: ConversationKey | None = None, statuses: Sequence[str] = (), limit: int = 200
    ) -> list[OutboxRow]:
        """See ``Store.outbox``."""
        return await self._read(looks.outbox(conversation, statuses, limit))

    async def outbox_row(self, key: EffectKey) -> OutboxRow | None:
        """See ``Store.outbox_row``."""
        return await self._read(looks.outbox_row(key))

    async def sent_words(self, channel: str, account: str, place: str, since: datetime, limit: int) -> list[OutboxRow]:
        """See ``Store.sent_words``."""
        return await self._read(looks.sent_words(channel, account, place, micros(since), limit))

    async def asides(self, limit: int = 100) -> list[Aside]:
        """See ``Store.asides``."""
        return await self._read(looks.asides(limit))

    async def counts(self) -> Counts:
        """See ``Store.counts``."""
        return await self._look(looks.counts())

    async def poisoned(self, limit: int = 100) -> list[Poisoned]:
        """See ``Store.poisoned``."""
        return await self._read(looks.poisoned(limit))

    async def labels(self) -> list[Mapping[str, Any]]:
        """See ``Store.labels``."""
        return await self._look(looks.labels())

    # ---- the admins' wording

    async def add_template(self, template: TemplateVersion) -> TemplateVersion:
        """See ``Store.add_template``."""
        return await self._write(lambda: keeping.add_template(template))

    async def set_template_status(
        self, template: str, version: int, status: str, actor: str, action: str, now: datetime
    ) -> bool:
        """See ``Store.set_template_status``."""
        at = micros(now)
        return await self._write(lambda: keeping.set_template_status(template, version, status, actor, action, at))

    async def templates(self, *, template: str | None = None, status: str | None = None) -> list[TemplateVersion]:
        """See ``Store.templates``."""
        return await self._read(looks.templates(template, status))

    async def template_uses(self, prefix: str, since: datetime | None = None, limit: int = 100_000) -> list[Used]:
        """See ``Store.template_uses``."""
        return await self._look(looks.template_uses(prefix, micros(since) if since else 0, limit))

    # ---- small things

    async def get_meta(self, key: str) -> str | None:
        """See ``Store.get_meta``."""
        return await self._read(looks.meta(key))

    async def set_meta(self, key: str, value: str, hold: Hold | None = None) -> None:
        """See ``Store.set_meta``."""
        await self._write(lambda: keeping.set_meta(key, value, hold))

    async def audit(self, actor: str, action: str, subject: str, now: datetime) -> None:
        """See ``Store.audit``."""
        at = micros(now)
        await self._write(lambda: keeping.audit(actor, action, subject, at))

    async def audits(self, limit: int = 200, *, action: str = "", subject: str = "") -> list[Mapping[str, Any]]:
        """See ``Store.audits``."""
        return await self._read(looks.audits(limit, action, subject))

    async def export_customer(self, customer: str) -> Mapping[str, Any]:
        """See ``Store.export_customer``."""
        return await self._look(customers.export(customer))

    async def erase_customer(self, customer: str, now: datetime) -> int:
        """See ``Store.erase_customer``."""
        at = micros(now)
        return await self._write(lambda: customers.erase(customer, at))

    async def forget(self, closed_before: datetime, aside_before: datetime, limit: int = 200) -> int:
        """See ``Store.forget``."""
        closed_at, aside_at = micros(closed_before), micros(aside_before)
        return await self._write(lambda: customers.forget(closed_at, aside_at, limit))
