"""The program on real platforms: which channels and which desk the configuration asks for, put together and run."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from bot.app import App, open_store, store_url, wire
from bot.audit import EVERY_S, Auditor, Look
from bot.audit.slack import SlackAudit
from bot.audit.x import XAudit
from bot.channels.port import Channel
from bot.channels.slack import CustomerSettings, SlackChannel
from bot.channels.x import XAccount, XChannel, XKeys, XPrices, XSettings
from bot.clock import Clock, SystemClock
from bot.config import Config, ConfigError, XAccountSection, secret
from bot.console import ops, spending
from bot.console.app import web
from bot.console.door import LOOPBACK, Door
from bot.console.people import StaffUnknown
from bot.console.serve import at_work, listen, stopped_by_signals
from bot.console.session import Cookies
from bot.console.sign_in import Links, SignedGate
from bot.desk.playground import PlaygroundDesk
from bot.desk.port import Desk
from bot.desk.slack import DeskSettings, QueuePlace, SlackDesk
from bot.desk.slack.check import missing
from bot.housekeeping import Duty
from bot.leases import Leases, at_once, process_name
from bot.log import get_logger
from bot.rehearse import file_rehearser
from bot.roles import ProcessRole
from bot.slack import Mode, Slack, SlackSettings, Trouble
from bot.slack.people import People
from bot.slack.sign_in import SlackSignIn
from bot.staff import Role
from bot.store.moving import refuse_moved
from bot.store.port import Store
from bot.store.sqlite import SqliteStore
from bot.switches import Switches
from bot.triage_weights import learned_reader
from bot.webhook import Webhook
from conversations.comprehension import Reader
from conversations.policy import Policy
from conversations.wording import Wording

HEAR_S = 15.0
"""How often a process asks what another one knows of the accounts of X that it works on."""
log = get_logger("live")

SECRET_CHARS_MIN = 32
"""A shorter secret could be guessed, and whoever has it may sign in as anybody."""


@dataclass
class Late:
    """What parts need before it exists: the desk that is alerted, the policy that is asked."""

    desk: Desk
    base: Policy
    app: App | None = None

    async def alert(self, kind: str, words: str) -> None:
        """To the desk, whichever it is."""
        await self.desk.alert(kind, words)

    def policy(self) -> Policy:
        """The policy as it stands."""
        return self.app.policy if self.app is not None else self.base


@dataclass
class Live:
    """The program, and the routes that its platforms call."""

    app: App
    signed: Sequence[BaseRoute] = field(default=())
    people: People | None = None


@asynccontextmanager
async def live(config: Config, role: ProcessRole = ProcessRole.ALL) -> AsyncIterator[Live]:
    """The configured program, ready to run. Raises ``ConfigError`` when nothing is configured to run, or not in this role."""
    if not config.x.accounts and not config.slack.enabled:
        raise ConfigError(["no channel is configured: add [[x.accounts]] or [slack], or try the playground: hearout"])
    async with AsyncExitStack() as stack:
        store = await open_store(config, holder="hearout run")
        stack.push_async_callback(store.close)
        if role is not ProcessRole.ALL and not store.shared:
            raise ConfigError([f"--role {role}: several processes need PostgreSQL: store.url (docs/scaling.md)"])
        await refuse_moved(store, store_url(config))
        clock = SystemClock()
        leases = Leases(store, clock, process_name(), config.store.lease_s) if store.shared else None
        reader = await learned_reader(store)
        reader.warm()
        slack = slack_of(config, clock) if config.slack.enabled else None
        base = config.domain_policy()
        late = Late(PlaygroundDesk(clock), base)
        slack_desk = SlackDesk(slack, store, clock, desk_settings(config), late.policy) if slack is not None else None
        if slack_desk is not None:
            late.desk = slack_desk
        channels: dict[str, Channel] = {}
        takers: list[XChannel | SlackChannel] = []
        if config.x.accounts:
            takers.append(x_channel(config, store, reader, clock, late, leases))
        if slack is not None and slack_desk is not None and config.slack.customers.enabled:
            takers.append(SlackChannel(slack, store, clock, reader, customers(config), slack_desk.people))
        for taker in takers:
            channels[taker.name] = taker
        policy = config.domain_policy({name: channel.traits for name, channel in channels.items()})
        webhook = await webhook_of(config, clock, stack)
        wording = Wording.default()
        app = wire(config, store, clock, channels, late.desk, reader, wording, policy, webhook=webhook, leases=leases)
        app.worker.role = role
        if leases is not None:
            app.worker.alone, app.worker.name = leases.alone, leases.holder
        for taker in takers:
            taker.take_in = app.intake
            if isinstance(taker, SlackChannel):
                taker.open_aside = app.intake.open_aside
        late.app = app
        looks: dict[str, Look] = {taker.name: XAudit(taker) for taker in takers if isinstance(taker, XChannel)}
        if slack is not None and slack_desk is not None:
            outside = next((taker for taker in takers if isinstance(taker, SlackChannel)), None)
            looks["slack"] = SlackAudit(slack, store, slack_desk, outside)
        auditor = Auditor(store, clock, late.desk, app.metrics, looks)
        if app.worker.housekeeping is not None and role.listens:
            audit = auditor.audit if leases is None else leases.once("audit", EVERY_S, auditor.audit)
            app.worker.housekeeping.add(Duty("audit", EVERY_S, audit))
        if slack_desk is not None:
            slack_desk.bind(app.acts, app.intake.open_aside, Controls(app.switches, store), app.approved, app.incidents)
        for taker in takers:
            if isinstance(taker, XChannel):
                app.metrics.spending = taker.spend
                if app.worker.housekeeping is not None:
                    app.worker.housekeeping.add(Duty("spending", spending.EVERY_S, spending.keep(store, taker.spend)))
                if leases is not None and app.worker.housekeeping is not None:
                    app.delivery.elsewhere = taker.elsewhere
                    app.worker.housekeeping.add(Duty("x", HEAR_S, taker.hear))
        await app.switches.load()
        app.wordings.rehearser = file_rehearser(config)
        await app.wordings.load()
        await app.storms.recall(store, clock.now())
        signed = slack.routes() if slack is not None and slack.settings.mode is Mode.HTTP else ()
        yield Live(app, signed, slack_desk.people if slack_desk is not None else None)


async def run(config: Config, port: int | None = None, role: ProcessRole = ProcessRole.ALL) -> None:
    """Run until SIGTERM or Ctrl-C, then finish what is under way."""
    sock = listen(config.console.port if port is None else port, config.console.host)
    async with live(config, role) as program, aiohttp.ClientSession() as session:
        app = program.app
        hosts = LOOPBACK | {config.console.host, urlsplit(config.console.url).hostname or "localhost"}
        watched = role in (ProcessRole.ALL, ProcessRole.CONSOLE)
        if watched:
            console = web(app, gate_of(config, program, session, sock.getsockname()[1]), hosts=hosts)
        else:  # what machines ask, and nothing for people
            console = Starlette(routes=ops.routes(app), middleware=[Middleware(Door, hosts=hosts)])
        async with at_work(app.worker, ops.beside(console, program.signed), sock) as server:
            with stopped_by_signals(server):
                gc.freeze()  # packs and modules stay: the collector would walk through them for 0.1 s each time
                log.warning("running", role=role.value, channels=sorted(app.channels), port=sock.getsockname()[1])
                await app.worker.stopping.wait()


# ---------------------------------------------------------------- the console's door


class DeskStaff:
    """Who may do what at the console: what they may do at the desk."""

    def __init__(self, people: People) -> None:
        self.people = people

    async def role(self, user: str, team: str) -> Role:
        """See ``bot.console.people.Staff``."""
        try:
            return await self.people.role(user, team)
        except Trouble as trouble:
            raise StaffUnknown(str(trouble)) from trouble


def gate_of(config: Config, program: Live, session: aiohttp.ClientSession, port: int) -> SignedGate:
    """How people sign in to the console. Raises ``ConfigError`` where a secret is missing."""
    shared = secret("CONSOLE_SECRET")
    if shared is not None and len(shared.get_secret_value()) < SECRET_CHARS_MIN:
        raise ConfigError([f"environment: HEAROUT_CONSOLE_SECRET: give {SECRET_CHARS_MIN} characters or more"])
    clock, console = program.app.clock, config.console
    cookies = Cookies(shared.get_secret_value() if shared else "", clock, secure=console.url.startswith("https://"))
    if console.sign_in == "link":
        links = Links(clock, f"http://127.0.0.1:{port}", lambda link: print(f"Hearout's console: {link}", flush=True))
        links.make()
        return SignedGate(cookies, links=links)
    client_secret = secret("SLACK_CLIENT_SECRET")
    if client_secret is None or program.people is None:
        raise ConfigError(["environment: HEAROUT_SLACK_CLIENT_SECRET: is missing: set it, or its _FILE variant"])
    people = program.people
    signing = SlackSignIn(
        api_url=config.slack.api_url,
        client_id=config.slack.client_id,
        client_secret=client_secret.get_secret_value(),
        redirect_uri=console.url.rstrip("/") + "/sign-in/slack/back",
        team=lambda: people.slack.team,
        clock=clock,
        session=session,
    )
    return SignedGate(cookies, slack=signing, staff=DeskStaff(people))


# ---------------------------------------------------------------- Slack


def slack_of(config: Config, clock: Clock) -> Slack:
    """The one Slack app. Raises ``ConfigError`` where a secret is missing."""
    token = secret("SLACK_BOT_TOKEN")
    app_token = secret("SLACK_APP_TOKEN")
    signing = secret("SLACK_SIGNING_SECRET")
    missing = [] if token else ["HEAROUT_SLACK_BOT_TOKEN"]
    if config.slack.mode == "socket" and not app_token:
        missing.append("HEAROUT_SLACK_APP_TOKEN")
    if config.slack.mode == "http" and not signing:
        missing.append("HEAROUT_SLACK_SIGNING_SECRET")
    if missing or token is None:
        raise ConfigError([f"environment: {name}: is missing: set it, or its _FILE variant" for name in missing])
    settings = SlackSettings(
        bot_token=token.get_secret_value(),
        app_token=app_token.get_secret_value() if app_token else "",
        signing_secret=signing.get_secret_value() if signing else "",
        mode=Mode(config.slack.mode),
        api_url=config.slack.api_url.rstrip("/") + "/",
    )
    return Slack(settings, clock)


def desk_settings(config: Config) -> DeskSettings:
    """The desk in Slack, queue by queue."""
    desk = config.slack.desk
    names = [queue.name for queue in config.domain_policy().queues]
    places = tuple(
        QueuePlace(
            name=entry.name,
            channel=entry.channel or desk.fallback_channel,
            agents=entry.agents,
            leads=entry.leads,
            on_call=entry.on_call,
        )
        for entry in desk.queues
    ) or tuple(QueuePlace(name=name, channel=desk.fallback_channel) for name in names)
    return DeskSettings(
        fallback_channel=desk.fallback_channel,
        admins=desk.admins,
        queues=places,
        remedies=config.wording.remedies,
        crm_url=config.wording.crm_url,
        time_zone=config.brand.time_zone,
        templates=tuple((reply.name, reply.text) for reply in desk.replies),
    )


def customers(config: Config) -> CustomerSettings:
    """Customers in Slack: everywhere but at the desk, and never the agents themselves."""
    desk = config.slack.desk
    colleagues = tuple({name for queue in desk.queues for name in (*queue.agents, *queue.leads, *queue.on_call)})
    channels = tuple({channel for channel in (desk.fallback_channel, *(q.channel for q in desk.queues)) if channel})
    return CustomerSettings(
        channels=config.slack.customers.channels,
        desk_channels=channels,
        colleagues=(*colleagues, *desk.admins),
        quarantine_s=min(60.0, config.policy.quarantine_s),
    )


class Controls:
    """What admins may switch from Slack."""

    def __init__(self, switches: Switches, store: Store) -> None:
        self.switches = switches
        self.store = store

    async def pause(self, by: str) -> str:
        """The bot says nothing of its own from now on."""
        await self.switches.turn(by, paused=f"by {by}")
        return "The bot is paused: it says nothing of its own. Agents' words still go out."

    async def resume(self, by: str) -> str:
        """It speaks again."""
        await self.switches.turn(by, paused="")
        return "The bot speaks again."

    async def health(self) -> str:
        """How the bot is, in a line."""
        counts = await self.store.counts()
        waiting = counts.by_state.get("AWAITING_AGENT", 0)
        unsent = sum(counts.outbox.get(status, 0) for status in ("pending", "sending", "unknown"))
        state = "paused" if self.switches.now.paused else "shadow mode" if self.switches.shadow else "running"
        return f"{state}; {waiting} cases wait for an agent; {unsent} messages on their way"


# ---------------------------------------------------------------- X


def x_channel(
    config: Config, store: Store, reader: Reader, clock: Clock, late: Late, leases: Leases | None = None
) -> XChannel:
    """X, with its accounts."""
    several = len(config.x.accounts) > 1
    accounts = tuple(x_account(entry, several) for entry in config.x.accounts)
    settings = XSettings(accounts, XPrices(**config.x.prices.model_dump()))
    alone = leases.alone if leases is not None else at_once
    return XChannel(
        settings, store=store, reader=reader, clock=clock, alert=late.alert, policy=late.policy, alone=alone
    )


async def check_online(config: Config) -> list[str]:
    """What is wrong with credentials, scopes and labels, asked of the platforms themselves; empty when all is well."""
    wrong: list[str] = []
    clock = SystemClock()
    late = Late(PlaygroundDesk(clock), config.domain_policy())
    if config.x.accounts:
        store = await SqliteStore.open(":memory:")
        channel = x_channel(config, store, Reader.default(), clock, late)
        try:
            wrong += await channel.check()
        finally:
            await channel.close()
            await store.close()
    if config.slack.enabled:
        slack = slack_of(config, clock)
        try:
            wrong += await missing(slack, desk_settings(config), config.slack.customers.channels)
        except Trouble as trouble:
            wrong.append(f"slack: {trouble}: see docs/slack.md")
        finally:
            await slack.close()
    return wrong


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
        bearer=key("BEARER_TOKEN"),
    )
    return XAccount(keys=keys, **values)


# ---------------------------------------------------------------- webhook


async def webhook_of(config: Config, clock: Clock, stack: AsyncExitStack) -> Webhook | None:
    """The webhook, if one is configured. Raises ``ConfigError`` without its secret."""
    if not config.webhook.url:
        return None
    shared = secret("WEBHOOK_SECRET")
    if shared is None:
        raise ConfigError(["webhook.url is set, but HEAROUT_WEBHOOK_SECRET is not: set it in the environment"])
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return Webhook(config.webhook.url, shared.get_secret_value(), session, clock)
