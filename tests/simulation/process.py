"""One run of the program: the real shell on its own virtual loop, until it is killed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.channels.port import Channel
from bot.crash_points import reached
from bot.delivery import Delivery
from bot.desk.acts import Acts
from bot.engine import Deciding, Engine
from bot.intake import Intake
from bot.speech import Brand, Speech
from bot.store.port import StoreTooNew
from bot.store.records import Arrival, Claimed, Decision, Taken
from bot.store.sqlite import SqliteStore
from bot.store.writer import Writer
from bot.worker import Worker
from conversations.conversation import Conversation
from conversations.events import Event
from conversations.policy import Policy
from conversations.wording import Wording
from tests.simulation.channel import Platform
from tests.simulation.desk import Office, SimDesk
from tests.simulation.loop import VirtualLoop
from tests.simulation.trouble import Disk
from tests.simulation.world import MachineClock, World
from tests.simulation.x_town import XTown


@dataclass(frozen=True, slots=True)
class Met:
    """One event of a decision, with the conversation before it."""

    before: Conversation
    event: Event


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it was made: it counts when the journal shows that it was committed."""

    claimed: Claimed
    decision: Decision
    steps: tuple[Met, ...]
    clock_now: Any


@dataclass
class Setting:
    """What all processes of a world share."""

    world: World
    clock: MachineClock
    disk: Disk
    platform: Platform | XTown
    office: Office
    policy: Policy
    on_decided: Callable[[Decided], None]
    on_acknowledged: Callable[[Sequence[Arrival]], None]


class WatchedIntake(Intake):
    """The real intake; the judge is told what it has acknowledged."""

    on_acknowledged: Callable[[Sequence[Arrival]], None]

    async def __call__(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """See ``Intake``."""
        taken = await super().__call__(arrivals)
        self.on_acknowledged(arrivals)
        return taken


class WatchedDeciding(Deciding):
    """The real decision; it remembers which event met which conversation."""

    def __init__(self, engine: Engine, conversation: Conversation) -> None:
        super().__init__(engine, conversation)
        self.steps: list[Met] = []

    def take(self, event: Event) -> None:
        """See ``Deciding``."""
        self.steps.append(Met(self.conversation, event))
        super().take(event)


class WatchedEngine(Engine):
    """The real engine; the judge is told what it has decided."""

    on_decided: Callable[[Decided], None]

    def decide(self, claimed: Claimed) -> Decision:
        """See ``Engine``."""
        reached("engine: inside commit")
        deciding = WatchedDeciding(self, claimed.conversation)
        decision = deciding.run(claimed.events)
        self.on_decided(Decided(claimed, decision, tuple(deciding.steps), self.clock.now()))
        return decision


class Process:
    """A process of the machine: started, perhaps frozen for a while, killed."""

    def __init__(self, setting: Setting, name: str, path: Path, *, locks: bool) -> None:
        self.setting = setting
        self.name = name
        self.path = path
        self.locks = locks
        self.loop = VirtualLoop(lambda: setting.world.t)
        self.frozen_until = -1.0
        """Until when it gets no time: a long pause of the machine, or of the collector of garbage."""
        self.store: SqliteStore | None = None
        self.acts: Acts | None = None
        self.changed: asyncio.Event | None = None
        """Set when the platform has more to read, where it says so."""
        self.worker: Worker | None = None
        self.refused: str | None = None
        """Why it would not start."""
        self.main: asyncio.Task[None] | None = self.loop.create_task(self.run(), name=f"process {name}")

    @property
    def frozen(self) -> bool:
        """Whether it gets no time at the moment."""
        return self.setting.world.t < self.frozen_until

    def freeze(self, seconds: float) -> None:
        """No time for this process, from the end of what it is doing at this moment."""
        world = self.setting.world
        self.frozen_until = max(self.frozen_until, world.t + seconds)
        self.loop.halted = True
        world.at(self.frozen_until, self.thaw)

    def thaw(self) -> None:
        """It may go on."""
        self.loop.halted = self.frozen

    @property
    def exited(self) -> str | None:
        """With which error the program ended by itself, or None while it runs."""
        return repr(self.main.exception()) if self.main is not None and self.main.done() else None

    @property
    def able(self) -> bool:
        """Whether it can do its work."""
        return not self.loop.dead and not self.frozen and self.worker is not None

    async def run(self) -> None:
        """What ``hearout run`` does, with this world's platform and desk."""
        setting, clock = self.setting, self.setting.clock
        try:
            store = await SqliteStore.open(self.path, holder=f"the simulation ({self.name})" if self.locks else None)
        except StoreTooNew as error:
            self.refused = str(error)
            return
        connection: Any = setting.disk.over(store._db.conn)
        store._db.conn = connection
        store._writer = Writer(connection)
        self.store = store
        decide = asyncio.Event()
        intake = WatchedIntake(store, clock, self.policy, decide)
        intake.on_acknowledged = setting.on_acknowledged
        desk = SimDesk(setting.office, clock, self.name)
        channel: Any = setting.platform.channel(clock, store, self.name, desk.alert, setting.policy)
        channel.take_in = intake
        channels: dict[str, Channel] = {channel.name: channel}
        speech = Speech(wording(), Brand("Acme", privacy_url="https://acme.example/privacy"), self.policy)
        engine = WatchedEngine(store, clock, self.policy, lambda: speech, channels, desk)
        engine.on_decided = setting.on_decided
        delivery = Delivery(store, clock, self.policy, channels, desk, intake, decide)
        self.changed = getattr(channel, "changed", None)
        self.acts = Acts(store, intake, clock, self.policy, channels)
        self.worker = Worker(store, clock, engine, delivery, channels, desk, decide)
        await self.worker.run()

    def policy(self) -> Policy:
        """The tunables."""
        return self.setting.policy

    def submit(self, do: Callable[[Acts], Coroutine[Any, Any, None]]) -> bool:
        """Let an agent act; False: nobody answers."""
        if not self.able or self.acts is None:
            return False
        self.loop.create_task(do(self.acts), name="act")
        return True

    def kill(self, *, alone: bool, generation: int) -> Path:
        """kill -9. Returns where the database is now.

        What was committed is in the file and its log; both are copied as they are, because closing the connection would
        tidy up, which a killed process does not. With another process on the same file there is nothing to tidy up.
        """
        self.main = None  # a process that died while it opened the database holds its lock by this task alone
        self.loop.kill()
        store = self.store
        if store is None:
            return self.path
        path = self.path
        if store._db.conn.in_transaction:
            store._db.conn.rollback()
        if alone:
            path = self.path.with_name(f"hearout-{generation}.db")
            for suffix in ("", "-wal"):
                source = self.path.with_name(self.path.name + suffix)
                if source.exists():
                    shutil.copyfile(source, path.with_name(path.name + suffix))
        store._db.conn.close()
        if store._lock is not None:
            store._lock.release()
        self.worker = None
        return path


@lru_cache(maxsize=1)
def wording() -> Wording:
    """Every template that is shipped: immutable."""
    return Wording.default()
