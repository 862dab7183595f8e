"""A company whose desk is in the strict local Slack, with the real store, engine and delivery; time passes only on purpose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bot.app import App as Parts
from bot.app import wire
from bot.channels.playground import ACCOUNT, PlaygroundChannel
from bot.channels.port import Channel as Customers
from bot.channels.slack import CustomerSettings, SlackChannel
from bot.config import Config
from bot.desk.slack import DeskSettings, QueuePlace, SlackDesk
from bot.slack import Mode, Slack, SlackSettings
from bot.store.records import OutboxRow, Status
from bot.store.sqlite import SqliteStore
from conversations.comprehension import Reader
from conversations.conversation import Conversation, Customer
from conversations.deadlines import BusinessHours, Span
from conversations.ids import conversation_key
from conversations.policy import Policy, Queue
from conversations.wording import Wording
from conversations.wording.request import Surface
from tests.platforms.slack.clock import ManualClock
from tests.platforms.slack.log import Entry
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.server import SlackServer
from tests.platforms.slack.values import App, Channel, Json, Message, Options, User, UserGroup
from tests.platforms.slack.views import Shown

ALWAYS = BusinessHours("UTC", tuple((Span(datetime.min.time(), datetime.max.time()),) for _ in range(7)))
STORY = "My parcel has been missing for three weeks and your chat hangs up on me. It was a birthday present."


class StepClock(ManualClock):
    """The platform's clock, which the bot can wait on as well: waiting ends when the test moves time."""

    def __init__(self, at: datetime | None = None) -> None:
        super().__init__(at)
        self._moved: set[asyncio.Event] = set()

    async def wait(self, changed: asyncio.Event, until: datetime | None) -> None:
        """See ``bot.clock.Clock.wait``."""
        while not changed.is_set() and (until is None or self.now() < until):
            moved = asyncio.Event()
            self._moved.add(moved)
            waits = [asyncio.create_task(changed.wait()), asyncio.create_task(moved.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._moved.discard(moved)
                for wait in waits:
                    wait.cancel()

    def advance(self, seconds: float) -> datetime:
        """Time passes, and whoever waits looks again."""
        at = super().advance(seconds)
        for moved in self._moved:
            moved.set()
        return at

    async def sleep(self, seconds: float) -> None:
        """Pacing waits by moving time itself."""
        self.advance(seconds)
        await asyncio.sleep(0)


@dataclass
class Desk:
    """Everything of one company, and shorthands for what people do."""

    slack: SlackPlatform
    server: SlackServer
    clock: StepClock
    link: Slack
    desk: SlackDesk
    parts: Parts
    phone: PlaygroundChannel
    outside: SlackChannel
    channel: Channel
    fallback: Channel
    mia: User
    tom: User
    lena: User
    guest: User
    stranger: User
    outsider: User
    robot: User
    agents: UserGroup
    help: Channel
    sue: User
    customer: Customer = field(default_factory=lambda: Customer("c1", "sue", "Sue"))
    posts: int = 0

    # ---------------------------------------------------------------- time and work

    async def work(self, limit_s: float = 120.0) -> None:
        """Decide and deliver until nothing is left to do that would be due within ``limit_s`` seconds."""
        ends = self.clock.now() + timedelta(seconds=limit_s)
        for _ in range(4_000):
            await self.server.settled()
            decided = await self.parts.engine.decide_due()
            sent = await self.parts.delivery.drain()
            await self.parts.delivery.settle()
            await self.link.settle()
            if decided or sent:
                continue
            until = await self.parts.store.next_delivery_at(self.clock.now())
            if until is None or until > ends:
                return
            self.clock.advance(max(0.001, (until - self.clock.now()).total_seconds()))
        raise AssertionError("the desk does not come to rest")

    async def later(self, seconds: float) -> None:
        """Let time pass, and do what it brings."""
        self.clock.advance(seconds)
        await self.work()

    # ---------------------------------------------------------------- the customer

    async def complain(
        self, text: str = STORY, *, direct: bool = False, media: int = 0, customer: Customer | None = None
    ) -> str:
        """A post of the customer."""
        self.posts += 1
        post = f"p{self.posts}"
        surface = Surface.DIRECT if direct else Surface.PUBLIC
        await self.phone.post(customer or self.customer, text, surface, post, media)
        await self.work()
        return post

    async def handed_off(self, text: str = STORY, **more: Any) -> str:
        """A case that is on the desk, nobody's yet."""
        post = await self.complain(text, **more)
        await self.later(901)
        await self.later(1_801)
        return post

    async def writes(
        self, text: str, user: User | None = None, *, dm: bool = False, thread: Message | None = None, **more: Any
    ) -> Message:
        """A customer in Slack writes: in the help channel, in a thread there, or directly."""
        said = self.slack.people.post(user or self.sue, None if dm else self.help, text, thread=thread, **more)
        await self.work()
        return said

    async def slack_case(self, user: User | None = None) -> Conversation:
        """The latest conversation of a customer in Slack."""
        found = await self.parts.store.conversations(customer=(user or self.sue).id)
        assert found
        return found[0]

    def replies(self, channel: Channel | None = None) -> list[Entry]:
        """What customers in Slack got from us."""
        desk = {self.channel.id, self.fallback.id}
        return [
            e
            for e in self.slack.log.posts()
            if e.channel not in desk and channel in (None, self.slack.world.channels[e.channel])
        ]

    async def case(self, post: str = "p1") -> Conversation:
        """A conversation by its first post."""
        found = await self.parts.store.conversation(conversation_key("playground", ACCOUNT, post))
        assert found is not None
        return found

    @property
    def wire(self) -> list[str]:
        """Everything that reached customers."""
        assert self.phone._file is not None
        import json

        return [json.loads(line)["text"] for line in self.phone.path.read_text().splitlines()]

    # ---------------------------------------------------------------- the desk

    def cards(self, channel: Channel | None = None) -> list[Message]:
        """The cards that stand in a channel."""
        there = channel or self.channel
        return [
            m
            for m in self.slack.world.history(there)
            if not m.is_reply and m.user == self.slack.world.app.bot_user and m.blocks
        ]

    def card(self, n: int = 0, channel: Channel | None = None) -> Message:
        """One card as it is now."""
        return self.cards(channel)[n]

    def thread(self, card: Message | None = None) -> list[Message]:
        """What stands under a card."""
        top = card or self.card()
        return list(self.slack.world.thread(self.slack.world.channels[top.channel], top.ts))[1:]

    def alarmed(self, words: str) -> bool:
        """Whether the thread of the first card has an alarm with these words."""
        return any(words in message.text for message in self.thread())

    async def click(self, user: User, action: str, message: Message | None = None, value: str | None = None) -> Any:
        """Press a button of a card, or choose an entry of its menu."""
        target = message or self.card()
        for name, chosen in ((f"hearout:{action}", value), ("hearout:more", action)):
            try:
                done = self.slack.people.click(user, target, name, chosen)
            except Exception as error:
                refused = error
                continue
            await self.server.settled()
            await self.link.settle()
            return done
        raise refused

    async def submit(self, user: User, inputs: Json | None = None, view: Shown | None = None) -> Any:
        """Submit the modal on top."""
        done = self.slack.people.submit(user, inputs, view=view)
        await self.server.settled()
        await self.link.settle()
        return done

    async def claim(self, user: User) -> None:
        """Take the case."""
        await self.click(user, "claim")
        await self.work()

    async def say(self, user: User, text: str) -> None:
        """Reply to the customer: write, look at the preview, send."""
        await self.click(user, "reply")
        await self.submit(user, {"text0": text})
        await self.submit(user)
        await self.work()

    def told(self, user: User | None = None) -> list[Entry]:
        """What was said to one person only."""
        from tests.platforms.slack.log import Did

        return [e for e in self.slack.log.of(Did.EPHEMERAL) if user is None or e.user == user.id]

    async def rows(self, *statuses: Status) -> list[OutboxRow]:
        """Rows of the outbox."""
        return await self.parts.store.outbox(statuses=[s.value for s in statuses], limit=10_000)


def policy_of(**changes: Any) -> Policy:
    """One queue that is open around the clock."""
    queues = (Queue(name="support", hours=ALWAYS),)
    return Policy(**({"queues": queues} | changes))


@asynccontextmanager
async def company(
    tmp_path: Path,
    *,
    http: bool = False,
    listening: bool = True,
    policy: Policy | None = None,
    options: Options | None = None,
    ping_s: float = 5.0,
    also: Callable[[SqliteStore, StepClock, SlackDesk, Policy], Customers] | None = None,
    **settings: Any,
) -> AsyncIterator[Desk]:
    """A company with a desk, and customers on the playground's phone and in Slack. ``http``: signed HTTP instead of sockets."""
    clock = StepClock(datetime.fromtimestamp(int(time.time()), UTC))  # slack_bolt compares signatures with today
    slack = SlackPlatform(clock, Random(7), app=App(), options=options)
    world = slack.world
    people = [world.add_user(name, real_name=name.title()) for name in ("mia", "tom", "lena", "outsider")]
    mia, tom, lena, outsider = people
    guest = world.add_user("guest", is_restricted=True)
    stranger = world.add_user("stranger", world.add_team("Other"))
    robot = world.add_bot("robot")
    agents = world.add_group("agents", [mia, tom, guest, stranger, robot])
    everybody = [*people, guest, stranger, robot]
    channel, fallback = world.add_channel("desk", everybody), world.add_channel("fallback", everybody)
    sue = world.add_user("sue")
    help_ = world.add_channel("help", [sue, mia, tom, outsider])
    arguments: dict[str, Any] = {
        "fallback_channel": fallback.id,
        "admins": (lena.id,),
        "queues": (QueuePlace("support", channel.id, agents=(agents.id,), leads=(lena.id,), on_call=(tom.id,)),),
        "remedies": ("a full refund", "a replacement"),
        "templates": (("Late parcel", "We are on it: your parcel leaves today by courier."),),
    }
    desk_settings = DeskSettings(**(arguments | settings))
    store = await SqliteStore.open(tmp_path / "hearout.db", holder="test")
    reader = Reader.default()
    phone = PlaygroundChannel(clock, reader, tmp_path / "posts.jsonl")
    phone.open()
    async with serving(slack, http) as (server, carrier):
        mode = Mode.HTTP if http else Mode.SOCKET
        app = world.app
        link = Slack(
            SlackSettings(app.bot_token, app.app_token, app.signing_secret, mode, server.api_url, ping_s=ping_s),
            clock,
            sleep=clock.sleep,
        )
        channels: dict[str, Customers] = {phone.name: phone}
        chosen = policy or policy_of()
        late: list[Parts] = []
        desk = SlackDesk(link, store, clock, desk_settings, lambda: late[0].policy if late else chosen)
        heard = CustomerSettings(channels=(help_.id,), colleagues=(agents.id,))
        outside = SlackChannel(link, store, clock, reader, heard, desk.people)
        channels[outside.name] = outside
        more = also(store, clock, desk, chosen) if also else None
        if more is not None:
            channels[more.name] = more
        parts = wire(Config(), store, clock, channels, desk, reader, Wording.default(), chosen)
        late.append(parts)
        phone.take_in = parts.intake
        outside.take_in = parts.intake
        outside.open_aside = parts.intake.open_aside
        desk.bind(parts.acts, parts.intake.open_aside, None, parts.approved, parts.incidents)
        carrier.append(link)
        made = Desk(
            slack,
            server,
            clock,
            link,
            desk,
            parts,
            phone,
            outside,
            channel,
            fallback,
            mia,
            tom,
            lena,
            guest,
            stranger,
            outsider,
            robot,
            agents,
            help_,
            sue,
        )
        await link.open()
        try:
            if listening and not http:
                async with link.listening():
                    await server.sockets_open(2)
                    yield made
            else:
                yield made
        finally:
            await link.close()
            await phone.close()
            await store.close()


@asynccontextmanager
async def serving(slack: SlackPlatform, http: bool) -> AsyncIterator[tuple[SlackServer, list[Slack]]]:
    """The local Slack; in HTTP mode with our own door behind a real server."""
    carrier: list[Slack] = []
    if not http:
        async with SlackServer(slack) as server:
            yield server, carrier
        return
    async with door(carrier) as url, SlackServer(slack, events_url=url, actions_url=url, commands_url=url) as server:
        yield server, carrier


@asynccontextmanager
async def door(carrier: list[Slack]) -> AsyncIterator[str]:
    """``/slack/events`` of the Slack in ``carrier``, on loopback."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def events(request: Request) -> Response:
        (route,) = carrier[0].routes()
        answer: Response = await route.endpoint(request)
        return answer

    app = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving_task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/slack/events"
    finally:
        server.should_exit = True
        await serving_task
