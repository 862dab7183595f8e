"""A platform that can fail in every way a real one does, and the real program in front of it on a clock that stands still.

``Platform`` is what a customer would see: an append-only log that outlives the program. ``StageChannel`` is a Channel like any
other, with the platform behind it. ``Stage`` is intake, engine, delivery and store as the program wires them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import App, wire
from bot.channels.port import Accepted, Channel, Refused, Rejected, Transient, Unknown, Unreachable
from bot.clock import VirtualClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.records import Arrival, Kind, Lane, OutboxRow, Taken
from bot.store.sqlite import SqliteStore
from bot.virtual import VirtualRun
from conversations.comprehension import Reader
from conversations.comprehension.reading import Reading, ReadingContext
from conversations.conversation import Conversation, Customer
from conversations.events import AgentEvent, BrandAnsweredElsewhere, CustomerPosted, Event, PostDeleted, PostEdited
from conversations.ids import ConversationKey, ExternalId
from conversations.policy import ChannelTraits, Policy
from conversations.wording import Wording
from conversations.wording.request import Surface

START = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)  # a Tuesday morning
ACCOUNT = "brand"
DANA = Customer("42", "dana", "Dana Reed")


class Crash(BaseException):
    """The program is dead: nothing catches it, nothing is cleaned up."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a customer sees of us."""

    id: ExternalId
    key: str
    customer: str
    place: str
    act: str | None
    author: str
    text: str
    in_reply_to: str | None
    at: datetime
    language: str


@dataclass
class Platform:
    """The platform's own memory. ``faults`` are used up one a send: lost, dropped, refused, limited, blocked, 5xx, crash…"""

    log: list[Post] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    look_faults: deque[str] = field(default_factory=deque)
    sends: int = 0
    looks: int = 0
    outage_until: datetime | None = None

    def found(self, key: str) -> Post | None:
        """A post of ours by its key."""
        return next((post for post in self.log if post.key == key), None)

    def of(self, customer: str) -> list[Post]:
        """All that one customer got."""
        return [post for post in self.log if post.customer == customer]


class StageChannel:
    """A channel like X (or like Slack, by name) with the platform behind it."""

    def __init__(self, name: str, clock: VirtualClock, platform: Platform, quarantine_s: float = 600.0) -> None:
        self.name = name
        self.clock = clock
        self.platform = platform
        self.quarantine_s = quarantine_s
        self.sending_s = 30.0
        self.lanes: Sequence[Lane] = ()
        self.one_lane = False
        self.traits = ChannelTraits(
            unprompted_public=name != "x", public_chars_max=280 if name == "x" else None, direct_chars_max=10_000
        )

    def lane(self, conversation: Conversation, place: str) -> str:
        """A lane a conversation; with ``one_lane`` one for all, as an endpoint has it."""
        return f"{self.name}:{place}" if self.one_lane else f"{conversation.key}:{place}"

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """As on X with direct messages."""
        return self.name == "x"

    def direct_link(self, conversation: Conversation) -> str | None:
        """None."""
        return None

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Accept it, unless a fault is planned."""
        self.platform.sends += 1
        now = self.clock.now()
        if self.platform.outage_until is not None and now < self.platform.outage_until:
            raise Transient("connection refused", 60.0)
        fault, _, detail = (self.platform.faults.popleft() if self.platform.faults else "").partition(" ")
        match fault:
            case "crash-before":
                raise Crash
            case "refused":
                raise Rejected(detail or "403")
            case "forbidden":
                raise Refused(detail or "our rules")
            case "blocked":
                raise Unreachable(detail or "the customer blocked us")
            case "limited":
                raise Transient("429", float(detail or 60), pause_lane=True)
            case "5xx":
                raise Transient("503", float(detail or 5))
            case "dropped":
                raise Unknown("timeout")
            case "bug":
                raise ZeroDivisionError("a bug in the adapter")
            case _:
                pass
        accepted = self.accept(row, conversation, now)
        if fault == "crash-after":
            raise Crash
        if fault == "lost":
            raise Unknown("timeout")
        return accepted

    def accept(self, row: OutboxRow, conversation: Conversation, now: datetime) -> Accepted:
        """It is on the wire."""
        number = ExternalId(f"ours-{len(self.platform.log) + 1}")
        post = Post(
            id=number,
            key=row.key,
            customer=conversation.customer.id,
            place=row.place.value,
            act=row.act,
            author=row.author.value if row.author else "",
            text=row.body["text"],
            in_reply_to=row.body.get("in_reply_to"),
            at=now,
            language=row.body.get("language", ""),
        )
        self.platform.log.append(post)
        return Accepted(number, now)

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """Read back by the key."""
        self.platform.looks += 1
        fault = self.platform.look_faults.popleft() if self.platform.look_faults else ""
        if fault == "crash":
            raise Crash
        if fault == "unknown":
            raise Unknown("cannot tell")
        if fault == "5xx":
            raise Transient("503", 5.0)
        post = self.platform.found(row.key)
        return Accepted(post.id, post.at) if post else None

    async def run(self) -> None:
        """Nothing comes in by itself."""

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Stage:
    """The real program on one database file, with customers and agents to play."""

    path: Path
    clock: VirtualClock
    platform: Platform
    channel: StageChannel
    store: SqliteStore
    app: App
    run: VirtualRun
    config: Config
    changes: dict[str, Any]
    posts: int = 0
    acts: int = 0

    @classmethod
    async def open(
        cls,
        path: Path,
        name: str = "x",
        *,
        at: datetime = START,
        config: Config | None = None,
        platform: Platform | None = None,
        clock: VirtualClock | None = None,
        wording: Wording | None = None,
        quarantine_s: float = 600.0,
        **policy: Any,
    ) -> Stage:
        """The program on a file, new or left by one that died. ``policy`` changes tunables by name."""
        clock = clock or VirtualClock(at)
        platform = platform or Platform()
        channel = StageChannel(name, clock, platform, quarantine_s)
        channels: dict[str, Channel] = {name: channel}
        settings = config or Config()
        store = await SqliteStore.open(path)
        tunables = replace(settings.domain_policy({name: channel.traits}), **policy)
        desk = PlaygroundDesk(clock)
        app = wire(settings, store, clock, channels, desk, Reader.default(), wording or Wording.default(), tunables)
        await app.delivery.open()
        run = VirtualRun(clock, store, app.engine, app.delivery)
        return cls(path, clock, platform, channel, store, app, run, settings, policy)

    async def reopened(self) -> Stage:
        """After a crash: every object is dropped, nothing is closed, and the program starts again on the same file."""
        stage = await Stage.open(
            self.path,
            self.channel.name,
            config=self.config,
            platform=self.platform,
            clock=self.clock,
            quarantine_s=self.channel.quarantine_s,
            **self.changes,
        )
        stage.posts, stage.acts = self.posts, self.acts
        stage.channel.one_lane = self.channel.one_lane
        return stage

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.app.policy

    # ---------------------------------------------------------------- the customer

    def read(self, text: str) -> Reading:
        """What the bot understands."""
        return self.app.reader.read(text, ReadingContext(channel=self.channel.name, handles=(ACCOUNT,)))

    def arrival(
        self,
        text: str,
        customer: Customer = DANA,
        *,
        surface: Surface = Surface.PUBLIC,
        post_id: str | None = None,
        posted_at: datetime | None = None,
        media: int = 0,
        in_reply_to: str | None = None,
    ) -> Arrival:
        """A post as a channel brings it."""
        self.posts += 1
        number = ExternalId(post_id or f"p{self.posts}")
        event = CustomerPosted(
            id=number,
            posted_at=posted_at or self.clock.now(),
            surface=surface,
            text=text,
            reading=self.read(text),
            media=media,
            in_reply_to=ExternalId(in_reply_to) if in_reply_to else None,
        )
        return self.arrives(number, event, customer=customer)

    def arrives(self, number: str, event: Event, customer: Customer | None = None, about: str | None = None) -> Arrival:
        """Anything that comes in."""
        return Arrival(
            channel=self.channel.name,
            account=ACCOUNT,
            id=ExternalId(number),
            event=event,
            at=self.clock.now(),
            customer=customer,
            about=ExternalId(about) if about else None,
        )

    async def take(self, *arrivals: Arrival) -> list[Taken]:
        """Hand over to intake."""
        return await self.app.intake(arrivals)

    async def post(self, text: str, customer: Customer = DANA, **more: Any) -> list[Taken]:
        """A customer writes."""
        return await self.take(self.arrival(text, customer, **more))

    async def edit(self, post_id: str, text: str) -> None:
        """A customer changes a post."""
        event = PostEdited(id=ExternalId(post_id), edited_at=self.clock.now(), text=text, reading=self.read(text))
        self.acts += 1
        await self.take(self.arrives(f"{post_id}:edit:{self.acts}", event, about=post_id))

    async def delete(self, post_id: str) -> None:
        """A customer takes a post back."""
        event = PostDeleted(id=ExternalId(post_id), deleted_at=self.clock.now())
        await self.take(self.arrives(f"{post_id}:delete", event, about=post_id))

    async def colleague(self, text: str, about: str, surface: Surface = Surface.PUBLIC) -> None:
        """Somebody of the brand types on the platform itself."""
        self.acts += 1
        number = ExternalId(f"brand-{self.acts}")
        event = BrandAnsweredElsewhere(id=number, answered_at=self.clock.now(), surface=surface, text=text)
        await self.take(self.arrives(number, event, about=about))

    # ---------------------------------------------------------------- the desk

    async def act(self, event: AgentEvent, case: ConversationKey | None = None, act_id: str | None = None) -> None:
        """An agent acts through the door that every desk uses."""
        self.acts += 1
        key = case or (await self.case()).key
        await self.app.acts.submit(key, event, act_id or f"act-{self.acts}")

    async def case(self, customer: str = DANA.id) -> Conversation:
        """The customer's latest conversation."""
        found = await self.store.conversations(customer=customer)
        assert found, "there is no conversation yet"
        return max(found, key=lambda case: (case.is_open, case.opened_at))

    async def calls(self, case: ConversationKey | None = None) -> list[OutboxRow]:
        """What the desk was called for, and what agents were told, in order."""
        rows = await self.store.outbox(conversation=case, limit=5000)
        return [row for row in rows if row.kind in (Kind.ALARM, Kind.TELL)]

    # ---------------------------------------------------------------- time

    async def settle(self) -> None:
        """Decide and deliver all that can be now."""
        await self.run.settle()

    async def pass_to(self, at: datetime) -> None:
        """Let time pass until then."""
        await self.run.advance_to(at)

    async def minutes(self, minutes: float) -> None:
        """Let so much time pass."""
        await self.pass_to(self.clock.now() + timedelta(minutes=minutes))
