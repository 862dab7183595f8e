"""The composition root: the only place where the parts are put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.channels.playground import PlaygroundChannel
from bot.channels.port import Channel
from bot.clock import Clock, SystemClock
from bot.config import Config, ConfigError, secret
from bot.delivery import Delivery
from bot.desk.acts import Acts
from bot.desk.playground import PlaygroundDesk
from bot.desk.port import Desk
from bot.engine import Engine, Watch
from bot.housekeeping import Duty, Housekeeping, look_for_storms, retain, watch_log
from bot.incidents import IncidentRoom
from bot.intake import Intake
from bot.leases import Leases
from bot.metrics import Metrics
from bot.speech import Brand, Speech
from bot.store.opening import open_url, sqlite_file
from bot.store.port import Store
from bot.store.sqlite import SqliteStore
from bot.storms import StormWatch
from bot.switches import Switches
from bot.webhook import Webhook
from bot.wordings import Wordings
from bot.worker import Worker
from conversations.comprehension import Reader
from conversations.conversation import Conversation
from conversations.policy import Policy
from conversations.wording import Wording

WARM_AFTER_S = 0.5
"""The playground's page is shown first; the languages are read before anybody has typed a word."""
CLOCK_META = "playground.clock_offset_s"
"""Where the playground keeps how far its clock was moved: a restart must not go back in time."""


@dataclass
class App:
    """The parts of one running program."""

    config: Config
    store: Store
    clock: Clock
    reader: Reader
    intake: Intake
    engine: Engine
    delivery: Delivery
    acts: Acts
    worker: Worker
    channels: Mapping[str, Channel]
    desk: Desk
    speech: Speech
    switches: Switches
    metrics: Metrics
    storms: StormWatch
    wordings: Wordings
    incidents: IncidentRoom

    @property
    def policy(self) -> Policy:
        """The policy as the switches have it now."""
        return self.switches.policy()

    def approved(self, case: Conversation) -> list[tuple[str, str]]:
        """Approved wording that an agent's reply may start from, by name."""
        return self.speech.starts(case, self.channels[case.channel], self.clock.now())


@dataclass
class Playground(App):
    """The program with local customers and local agents."""

    phone: PlaygroundChannel
    local_clock: SystemClock

    async def jump(self, to: datetime) -> None:
        """Move the virtual clock forward, and keep it so."""
        self.local_clock.jump(to)
        await self.store.set_meta(CLOCK_META, str(self.local_clock.offset.total_seconds()))
        self.worker.decide.set()
        self.delivery.changed.set()


def wire(
    config: Config,
    store: Store,
    clock: Clock,
    channels: dict[str, Channel],
    desk: Desk,
    reader: Reader,
    wording: Wording,
    policy: Policy,
    brand: Brand | None = None,
    webhook: Webhook | None = None,
    leases: Leases | None = None,
) -> App:
    """Put the parts together. Nothing runs yet. ``leases``: where several processes share the store."""
    decide = asyncio.Event()
    switches = Switches(store, clock, policy, shadow=config.brand.shadow)
    current = switches.policy
    intake = Intake(store, clock, current, decide)
    speech = Speech(wording, brand or config.brand_facts(), current)
    wordings = Wordings(store, clock, wording, second_admin=config.wording.second_admin)
    wordings.taken_up = speech.use
    metrics, storms = Metrics(), StormWatch()
    watch = Watch(metrics, storms if leases is None else None, webhook=webhook is not None)
    engine = Engine(store, clock, current, lambda: speech, channels, desk, watch, reader.read)
    delivery = Delivery(store, clock, current, channels, desk, intake, decide, switches.refusal, metrics, webhook)
    acts = Acts(store, intake, clock, current, channels)
    incidents = IncidentRoom(store, clock, switches, storms, acts, speech, channels, desk)

    def once(name: str, every_s: float, do: Callable[[], Awaitable[object]]) -> Duty:
        return Duty(name, every_s, do if leases is None else leases.once(name, every_s, do))

    duties: tuple[Duty, ...] = (
        Duty("switches", 5.0, switches.load),
        Duty("wording", 5.0, wordings.load),
        once("retention", 3600.0, retain(store, clock, config.privacy.closed_days, config.privacy.set_aside_days)),
        once("storms", 60.0, look_for_storms(storms, clock, desk, metrics, switches)),
        once("held topics", 60.0, incidents.watch),
        once("group answers", 15.0, incidents.carry_on),
    )
    if leases is not None:  # each process decides about a part: what blows is seen in the store alone
        duties = (Duty("storm watch", 60.0, lambda: storms.recall(store, clock.now(), limit=1000)), *duties)
    if isinstance(store, SqliteStore):
        duties += (Duty("log", 300.0, watch_log(store, desk)),)
    housekeeping = Housekeeping(clock, desk, duties)
    worker = Worker(store, clock, engine, delivery, channels, desk, decide, housekeeping)
    return App(
        config,
        store,
        clock,
        reader,
        intake,
        engine,
        delivery,
        acts,
        worker,
        channels,
        desk,
        speech,
        switches,
        metrics,
        storms,
        wordings,
        incidents,
    )


@asynccontextmanager
async def playground(
    data: Path, config: Config | None = None, database: str = "playground.db"
) -> AsyncIterator[Playground]:
    """The playground on a data directory, ready to run. Raises ``StoreInUse`` when another process has it."""
    settings = config or Config()
    phone: PlaygroundChannel | None = None
    data.mkdir(parents=True, exist_ok=True)
    store = await SqliteStore.open(data / database, holder="the playground")
    try:
        offset_s = float(await store.get_meta(CLOCK_META) or 0.0)
        clock = SystemClock(timedelta(seconds=offset_s))
        reader = Reader.default()
        asyncio.get_running_loop().call_later(WARM_AFTER_S, reader.warm)
        phone = PlaygroundChannel(clock, reader, data / "playground-posts.jsonl")
        phone.open()
        desk = PlaygroundDesk(clock)
        channels: dict[str, Channel] = {phone.name: phone}
        policy = settings.domain_policy({phone.name: phone.traits})
        app = wire(settings, store, clock, channels, desk, reader, Wording.default(), policy)
        phone.take_in = app.intake
        await app.wordings.load()
        yield Playground(**vars(app), phone=phone, local_clock=clock)
    finally:
        if phone is not None:
            await phone.close()
        await store.close()


def store_url(config: Config) -> str:
    """The database's URL: from the environment, else from the configuration."""
    from_environment = secret("STORE_URL")
    return from_environment.get_secret_value() if from_environment else config.store.url


def store_path(config: Config) -> Path:
    """The SQLite database's file. Raises ``ConfigError`` where the store is another one."""
    file = sqlite_file(store_url(config))
    if file is None:
        raise ConfigError(["store.url: this is for SQLite; with PostgreSQL use its own tools (pg_dump, pg_restore)"])
    return file


async def open_store(config: Config, *, holder: str | None = None, read_only: bool = False) -> Store:
    """The configured store. Raises as ``open_url``."""
    return await open_url(store_url(config), holder=holder, read_only=read_only, lease_s=config.store.lease_s)
