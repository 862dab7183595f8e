"""A brand on the playground's channel, with the real store, engine and delivery, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App, wire
from bot.channels.playground import PlaygroundChannel
from bot.channels.port import Accepted, Channel, Transient
from bot.clock import VirtualClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.records import OutboxRow
from bot.store.sqlite import SqliteStore
from bot.virtual import VirtualRun
from bot.webhook import Webhook
from conversations.comprehension import Reader
from conversations.conversation import Conversation, Customer
from conversations.wording import Wording
from conversations.wording.request import Surface

START = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
LATE_PARCEL = "my parcel is three weeks late, it never arrived, it was a birthday present"


class Phone(PlaygroundChannel):
    """The playground's channel, with a limit: until ``full_until`` it takes no more, as X after a hundred posts."""

    full_until: datetime = START

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Accept a message, or name when there is room again."""
        wait_s = (self.full_until - self.clock.now()).total_seconds()
        if wait_s > 0:
            raise Transient("the limit is used up", wait_s, pause_lane=True)
        return await super().send(row, conversation)


@dataclass
class Scene:
    """The parts, and shorthands."""

    app: App
    clock: VirtualClock
    run: VirtualRun
    phone: Phone
    desk: PlaygroundDesk
    posts: int = field(default=0)

    async def post(self, customer: str = "ann", text: str = LATE_PARCEL, reach: int | None = None) -> None:
        """A public post."""
        self.posts += 1
        await self.phone.post(Customer(customer, handle=customer, reach=reach), text, Surface.PUBLIC, f"p{self.posts}")
        await self.run.settle()

    async def later(self, **span: float) -> None:
        """Time passes, with what it brings."""
        await self.run.advance_to(self.clock.now() + timedelta(**span))

    async def cases(self) -> list[Conversation]:
        """All conversations."""
        return await self.app.store.conversations(limit=1000)

    async def rows(self, kind: str) -> list[OutboxRow]:
        """Rows of the outbox of a kind."""
        return [row for row in await self.app.store.outbox(limit=10_000) if row.kind.value == kind]


@asynccontextmanager
async def scene(folder: Path, config: Config | None = None, webhook: Webhook | None = None) -> AsyncIterator[Scene]:
    """A running brand."""
    settings = config or Config()
    clock = VirtualClock(START)
    store = await SqliteStore.open(folder / "hearout.db", holder="test")
    reader = Reader.default()
    phone = Phone(clock, reader, folder / "posts.jsonl")  # type: ignore[arg-type]
    phone.open()
    desk = PlaygroundDesk(clock)
    channels: dict[str, Channel] = {phone.name: phone}
    policy = settings.domain_policy({phone.name: phone.traits})
    app = wire(settings, store, clock, channels, desk, reader, Wording.default(), policy, webhook=webhook)
    phone.take_in = app.intake
    try:
        yield Scene(app, clock, VirtualRun(clock, store, app.engine, app.delivery), phone, desk)
    finally:
        await phone.close()
        await store.close()
