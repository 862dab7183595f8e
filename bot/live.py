"""The program on real platforms: which channels and which desk the configuration asks for, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bot.app import App, open_store, wire
from bot.channels.port import Channel
from bot.channels.x import XAccount, XChannel, XKeys, XPrices, XSettings
from bot.clock import Clock, SystemClock
from bot.config import Config, ConfigError, XAccountSection, secret
from bot.desk.playground import PlaygroundDesk
from bot.desk.port import Desk
from bot.store.port import Store
from bot.triage_weights import learned_reader
from bot.webhook import Webhook
from conversations.comprehension import Reader
from conversations.policy import Policy
from conversations.wording import Wording


@dataclass
class Late:
    """What parts need before it exists: the desk that is alerted, the policy that is asked."""

    desk: Desk
    app: App | None = None
    policy: Policy | None = None

    async def alert(self, kind: str, words: str) -> None:
        """To the desk, whichever it is."""
        await self.desk.alert(kind, words)

    def now(self) -> Policy:
        """The policy as it stands."""
        if self.app is not None:
            return self.app.policy
        assert self.policy is not None
        return self.policy


@asynccontextmanager
async def live(config: Config) -> AsyncIterator[App]:
    """The configured program, ready to run. Raises ``ConfigError`` when nothing is configured to run."""
    if not config.x.accounts:
        raise ConfigError(["no channel is configured: add an [[x.accounts]] or [slack], or try the playground: hearout"])
    async with AsyncExitStack() as stack:
        store = await open_store(config, holder="hearout run")
        stack.push_async_callback(store.close)
        clock = SystemClock()
        reader = await learned_reader(store)
        desk: Desk = PlaygroundDesk(clock)
        late = Late(desk, policy=config.domain_policy())
        channels: dict[str, Channel] = {}
        x = x_channel(config, store, reader, clock, late)
        channels[x.name] = x
        policy = config.domain_policy({name: channel.traits for name, channel in channels.items()})
        webhook = await webhook_of(config, clock, stack)
        app = wire(config, store, clock, channels, desk, reader, Wording.default(), policy, webhook=webhook)
        x.take_in = app.intake
        late.app = app
        await app.switches.load()
        await app.storms.recall(store, clock.now())
        yield app


def x_channel(config: Config, store: Store, reader: Reader, clock: Clock, late: Late) -> XChannel:
    """X, with its accounts."""
    several = len(config.x.accounts) > 1
    accounts = tuple(x_account(entry, several) for entry in config.x.accounts)
    settings = XSettings(accounts, XPrices(**config.x.prices.model_dump()))
    return XChannel(settings, store=store, reader=reader, clock=clock, alert=late.alert, policy=late.now)


def x_account(entry: XAccountSection, several: bool) -> XAccount:
    """One account with its keys. A missing key stays empty: the channel says so, and the others go on."""
    values = entry.model_dump()
    values["blocked"] = frozenset(values["blocked"])

    def key(name: str) -> str:
        found = secret(f"X_{name}", entry.name if several else None)
        return found.get_secret_value() if found else ""

    keys = XKeys(
        consumer_key=key("CONSUMER_KEY"),
        consumer_secret=key("CONSUMER_SECRET"),
        access_token=key("ACCESS_TOKEN"),
        access_token_secret=key("ACCESS_TOKEN_SECRET"),
    )
    return XAccount(keys=keys, **values)


async def webhook_of(config: Config, clock: Clock, stack: AsyncExitStack) -> Webhook | None:
    """The webhook, if one is configured. Raises ``ConfigError`` without its secret."""
    if not config.webhook.url:
        return None
    shared = secret("WEBHOOK_SECRET")
    if shared is None:
        raise ConfigError(["webhook.url is set, but HEAROUT_WEBHOOK_SECRET is not: set it in the environment"])
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return Webhook(config.webhook.url, shared.get_secret_value(), session, clock)
