"""The whole program on one virtual clock, with the strict local X at its other end: what the channel's tests begin with."""

import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.app import App, wire
from bot.channels.x import XAccount, XChannel, XKeys, XSettings
from bot.channels.x.line import Line
from bot.clock import VirtualClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.records import OutboxRow
from bot.store.sqlite import SqliteStore
from bot.virtual import VirtualRun
from conversations.comprehension import Reader
from conversations.conversation import Agent, Conversation
from conversations.events import AgentEvent
from conversations.ids import AgentId, ExternalId
from conversations.policy import ChannelTraits, Policy, Quiet
from conversations.wording import Wording
from tests.platforms.x import Account, User, XPlatform, XServer
from tests.platforms.x.model import Accepted, Post

START = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
STORY = "@brand my parcel is two weeks late and nobody answers my mails, this is a disgrace"
KIM = Agent(AgentId("U1"), "Kim Low")


def account_for(account: Account, base_url: str, **changes: Any) -> XAccount:
    """The settings of an account of the local X."""
    keys = account.credentials
    settings = XAccount(
        name=account.user.username,
        keys=XKeys(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret),
        user_id=account.id,
        api_url=base_url,
        daily_spend_usd_max=500.0,
    )
    return replace(settings, **changes)


@dataclass
class Rig:
    """One running program, one local X, a brand and a customer."""

    x: XPlatform
    clock: VirtualClock
    base_url: str
    brand: Account
    ada: User
    store: SqliteStore
    app: App
    channel: XChannel
    desk: PlaygroundDesk
    run: VirtualRun
    stack: AsyncExitStack
    settings: XSettings
    policy: Policy = field(default_factory=Policy)
    acts: int = 0

    @property
    def line(self) -> Line:
        """The brand's line."""
        return self.channel.lines["brand"]

    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now()

    # ---------------------------------------------------------------- time

    async def settle(self) -> None:
        """Read from X, decide, send, until nothing is left to do now."""
        await self.channel.round()
        await self.run.settle()

    async def advance(self, seconds: float, step_s: float = 30.0) -> None:
        """Let time pass in steps, with everything that comes due on the way."""
        end = self.now() + timedelta(seconds=seconds)
        await self.settle()
        while self.now() < end:
            await self.run.advance_to(min(end, self.now() + timedelta(seconds=step_s)))
            await self.settle()

    async def restart(self, **changes: Any) -> None:
        """The process ends and another one starts on the same database."""
        await self.channel.close()
        accounts = tuple(replace(account, **changes) for account in self.settings.accounts)
        self.settings = replace(self.settings, accounts=accounts)
        self.app, self.channel, self.desk, self.run = build(self.settings, self.store, self.clock, self.policy)
        await self.app.delivery.open()

    # ---------------------------------------------------------------- what is said

    def says(self, text: str = STORY, by: User | None = None, **how: Any) -> Post:
        """A customer posts."""
        return self.x.world.post(by or self.ada, text, **how)

    def messages(self, text: str, by: User | None = None) -> None:
        """A customer writes a direct message."""
        self.x.world.dm(by or self.ada, self.brand.user, text)

    async def act(self, event: AgentEvent, case: Conversation | None = None) -> None:
        """An agent acts on a case, the only one if none is named."""
        from bot.store.records import Arrival

        self.acts += 1
        case = case or await self.case()
        arrival = Arrival(
            channel="x",
            account=case.account,
            id=ExternalId(f"act:{self.acts}"),
            event=event,
            at=self.now(),
            conversation=case.key,
        )
        await self.app.intake([arrival])
        await self.run.settle()

    # ---------------------------------------------------------------- looking

    @property
    def accepted(self) -> list[Accepted]:
        """What the local X took, in order: the judge of once."""
        return list(self.x.accepted)

    def replies_to(self, post: Post) -> list[Accepted]:
        """What was posted in answer to a post."""
        return [row for row in self.accepted if row.reply_to_id == post.id]

    async def case(self) -> Conversation:
        """The only conversation."""
        (case,) = await self.store.conversations(limit=10)
        return case

    async def cases(self) -> list[Conversation]:
        """All conversations."""
        return await self.store.conversations(limit=1000)

    async def rows(self, *statuses: str) -> list[OutboxRow]:
        """Words in the outbox."""
        rows = await self.store.outbox(statuses=statuses, limit=5000)
        return [row for row in rows if row.kind.value == "words"]

    async def alarms(self) -> list[str]:
        """What the desk was called for."""
        rows = await self.store.outbox(limit=5000)
        return [str(row.body["alarm"]) for row in rows if row.kind.value == "alarm"]

    def alerts(self) -> list[str]:
        """The kinds of alerts about the channel itself."""
        return [kind for _, kind, _ in self.desk.alerts]

    async def cursor(self) -> dict[str, Any]:
        """How far mentions were read."""
        kept = await self.store.get_meta("x:brand:mentions")
        found: dict[str, Any] = json.loads(kept) if kept else {}
        return found


def build(
    settings: XSettings, store: SqliteStore, clock: VirtualClock, policy: Policy
) -> tuple[App, XChannel, PlaygroundDesk, VirtualRun]:
    """Put a program together."""
    desk = PlaygroundDesk(clock)
    reader = Reader.default()
    channel = XChannel(
        settings,
        store=store,
        reader=reader,
        clock=clock,
        alert=desk.alert,
        policy=lambda: policy,
        rng=random.Random(5),
    )
    app = wire(Config(), store, clock, {"x": channel}, desk, reader, Wording.default(), policy)
    channel.take_in = app.intake
    return app, channel, desk, VirtualRun(clock, store, app.engine, app.delivery)


@asynccontextmanager
async def rig(*brands: str, prices: Any = None, quiet_s: Quiet | None = None, **changes: Any) -> AsyncIterator[Rig]:
    """A program with accounts of ours (by default one, ``brand``); ``changes`` are of every account's settings."""
    traits: dict[str, ChannelTraits] = {"x": XChannel.traits}
    policy = Config().domain_policy(traits)
    policy = replace(policy, quiet_s=quiet_s or policy.quiet_s)
    clock = VirtualClock(START)
    x = XPlatform(clock.now, random.Random(7))
    accounts = [x.world.add_account(name) for name in (brands or ("brand",))]
    ada = x.world.add_user("ada")
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(XServer(x))
        store = await SqliteStore.open(":memory:")
        stack.push_async_callback(store.close)
        settings = XSettings(tuple(account_for(account, base_url, **changes) for account in accounts))
        if prices is not None:
            settings = replace(settings, prices=prices)
        app, channel, desk, run = build(settings, store, clock, policy)
        await app.delivery.open()
        made = Rig(x, clock, base_url, accounts[0], ada, store, app, channel, desk, run, stack, settings, policy)
        try:
            yield made
        finally:
            await made.channel.close()


def texts(rows: Sequence[Accepted]) -> list[str]:
    """The words of what was accepted."""
    return [row.text for row in rows]
