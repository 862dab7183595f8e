"""One seed: the world turns, processes work and die, people write and click, and the judge looks at every step."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from bot import crash_points
from bot.desk.acts import Acts
from bot.store.records import Kind
from conversations.conversation import Conversation
from conversations.ids import ConversationKey
from tests.simulation.agents import AgentsAtWork
from tests.simulation.channel import Platform
from tests.simulation.desk import Office
from tests.simulation.facts import Violation
from tests.simulation.judge import Judge
from tests.simulation.loop import Livelock
from tests.simulation.mishaps import Mishaps
from tests.simulation.people import Someone
from tests.simulation.process import Process, Setting
from tests.simulation.scenario import DST_AT, Scenario
from tests.simulation.trouble import Crash, Disk
from tests.simulation.wire import Sent
from tests.simulation.world import MachineClock, World
from tests.simulation.x_town import XTown

STEPS_PER_HOUR_MAX = 20_000
"""More instants in a simulated hour are a program that turns in circles instead of waiting."""


@dataclass
class Result:
    """What a run came to."""

    seed: int
    days: int
    failure: Violation | None
    sha256: str
    faults: Counter[str]
    points: Counter[str]
    crashes: int
    sends: int
    shown: int
    steps: int
    states: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)


class Simulation:
    """A world with its processes."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self.scenario = scenario
        self.directory = directory
        self.world = World(scenario.seed, scenario.starts_at)
        self.clock = MachineClock(self.world)
        self.disk = Disk(self.world)
        self.platform = XTown(self.world) if scenario.on_x else Platform(self.world)
        self.office = Office(self.world)
        self.judge = Judge(self.world, self.clock, self.platform, scenario.policy)
        self.setting = Setting(
            self.world, self.clock, self.disk, self.platform, self.office, scenario.policy,
            self.judge.decided, self.judge.acknowledged,
        )  # fmt: skip
        self.path = directory / "hearout-0.db"
        self.processes: list[Process] = []
        self.starting: set[str] = set()
        self.running: Process | None = None
        self.installed: Path | None = None
        self.crash: tuple[str, int] | None = None
        """The point at which the next process to come there dies, and how often it must be reached first ("" is any point)."""
        self.stall: tuple[str, float] | None = None
        """The point at which the next process to come there stalls, and for how long."""
        self.crashes = 0
        self.generation = 0
        self.points: Counter[str] = Counter()
        self.graveyard: list[Process] = []
        self.steps = 0
        self.hour = 0
        self.busy = 0
        self.agents = AgentsAtWork(self.world, self.office, self, scenario.temper)
        people = [Someone(self.world, self.platform, plan) for plan in scenario.customers]
        self.customers = {someone.who.id: someone for someone in people}
        self.platform.on_sent = self.sent
        self.platform.on_feed = self.fed
        seen = self.office.on_shown
        self.office.on_shown = lambda case, kind: self.shown(case, kind, seen)
        self.mishaps = Mishaps(self)
        for instant in DST_AT:
            at_s = (instant - scenario.starts_at).total_seconds()
            if 0 < at_s < scenario.ends_s:
                self.world.at(at_s, partial(self.world.fault, "DST", instant.date().isoformat()))

    # ---------------------------------------------------------------- what people and platforms ask of it

    def submit(self, do: Callable[[Acts], Coroutine[Any, Any, None]]) -> bool:
        """See ``agents.Reach``."""
        return any(process.submit(do) for process in self.processes)

    def case(self, key: ConversationKey) -> Conversation | None:
        """See ``agents.Reach``."""
        self.judge.settle()
        return self.judge.facts.case(key) if key in self.judge.facts.states else None

    def sent(self, sent: Sent) -> None:
        """Words of ours have arrived: the judge looks, and the customer reads them."""
        self.judge.sent(sent)
        row = self.judge.facts.row(sent.key)
        act = row.act or ("agent" if row.author == "agent" else "")
        self.customers[sent.to].read(sent, act)

    def shown(self, case: str, kind: Kind, seen: Callable[[str, Kind], None]) -> None:
        """The desk shows something: the judge looks, and agents see it."""
        self.judge.shown(self.office.log[-1])
        seen(case, kind)

    def fed(self) -> None:
        """There is more to read."""
        for process in self.processes:
            if process.changed is not None:
                process.loop.call_soon(process.changed.set)

    # ---------------------------------------------------------------- processes

    def start(self, name: str, *, locks: bool = True) -> None:
        """Start a process."""
        self.starting.discard(name)
        self.judge.restarted()
        self.world.write(f"{name} starts")
        self.processes.append(Process(self.setting, name, self.path, locks=locks))
        self.count_processes()

    def die(self, process: Process, restart_s: float) -> None:
        """A process is killed, and started again after a while."""
        self.crashes += 1
        self.world.write(f"{process.name} dies")
        self.judge.settle()
        self.processes.remove(process)
        self.graveyard.append(process)
        self.count_processes()
        alone = not self.processes
        self.generation += 1
        if alone:
            self.judge.journal.close()
        path = process.kill(alone=alone, generation=self.generation)
        self.path = path
        if self.installed is not None:
            self.install()
        if process.locks:
            self.starting.add(process.name)
            self.world.after(restart_s, partial(self.start, process.name))

    def count_processes(self) -> None:
        """Several processes on one database find each other's leavings when they look, every minute."""
        self.clock.crowded = len(self.processes) > 1
        self.clock.look_again()

    def install(self) -> None:
        """Let the journal read the database as it is now."""
        self.judge.journal.install(self.path)
        self.installed = self.path

    def reached(self, point: str) -> None:
        """A process has come to a crash point."""
        self.points[point] += 1
        if self.stall is not None and self.stall[0] == point and self.running is not None:
            seconds, self.stall = self.stall[1], None
            self.mishaps.stalled(self.running, point, seconds)
        if self.crash is None:
            return
        wanted, left = self.crash
        if wanted in ("", point):
            self.crash = (wanted, left - 1) if left > 1 else None
            if self.crash is None:
                self.world.fault("crash", point)
                raise Crash

    @property
    def able(self) -> bool:
        """Whether the program can do its work."""
        return (
            any(process.able for process in self.processes)
            and self.disk.sound
            and self.clock.offset_s == 0
            and not self.judge.facts.clock_stepped_within(61.0)
        )

    # ---------------------------------------------------------------- time

    def run(self) -> Violation | None:
        """Let the time of the scenario pass. Returns the first violation."""
        self.start("A")
        try:
            while self.step():
                self.steps += 1
                hour = int(self.world.t // 3600)
                self.busy = self.busy + 1 if hour == self.hour else 0
                self.hour = hour
                if self.busy > STEPS_PER_HOUR_MAX:
                    raise Violation("I9", "the program turns in circles instead of waiting")
            self.judge.restarted()
        except Violation as violation:
            self.world.write(f"violation {violation}")
            return violation
        except Livelock as livelock:
            return Violation("I9", str(livelock))
        return None

    def step(self) -> bool:
        """One instant. False: it is over."""
        world = self.world
        instants = [t for t in (world.next_at(), *(self.next_at(p) for p in self.processes)) if t is not None]
        t = max(world.t, min(instants, default=float("inf")))
        if t > self.scenario.ends_s:
            return False
        self.judge.facts.pass_time(t - world.t, able=self.able)
        world.t = t
        world.happen()
        for process in list(self.processes):
            self.turn(process)
        self.judge.stepped()
        return True

    def next_at(self, process: Process) -> float | None:
        """When a process next does something."""
        at = process.loop.next_at()
        return None if at is None else max(at, process.frozen_until)

    def turn(self, process: Process) -> None:
        """Let a process do what it has to do now."""
        if process.frozen or process not in self.processes:
            return
        self.running = process
        try:
            process.loop.run_ready()
        except Crash as crash:
            crash.__traceback__ = None  # what the dead process held (the lock of the database) must not outlive it
            self.die(process, self.mishaps.restart_s())
        finally:
            self.running = None
        if process.loop.errors:
            raise Violation("I9", f"an error that nobody caught: {process.loop.errors[0]}")
        if self.installed != self.path and process.store is not None:
            self.install()
        exited = process.exited
        if process not in self.processes or exited is None:
            return
        if process.refused is not None:
            self.mishaps.refused(process)
        else:  # it gave up and exited: whatever supervises it starts it again
            self.world.write(f"{process.name} exits: {exited}")
            self.die(process, 5.0)

    def close(self) -> None:
        """End everything without a trace."""
        self.judge.journal.close()
        for process in self.processes:
            process.kill(alone=False, generation=0)
        for process in (*self.processes, *self.graveyard):
            process.loop.bury()


@contextmanager
def quiet() -> Iterator[None]:
    """No logs: thousands of simulated failures would fill them."""
    before = structlog.get_config()
    structlog.configure(
        processors=[drop], wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def drop(*_: Any) -> Any:
    """Log nothing."""
    raise structlog.DropEvent


def scratch() -> Path:
    """A directory in memory where there is one: the simulation is about order, not about disks."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="hearout-sim-", dir=memory if os.access(memory, os.W_OK) else None))


def run(scenario: Scenario, *, keep_log: bool = False) -> Result:
    """Run one scenario."""
    directory = scratch()
    simulation = Simulation(scenario, directory)
    crash_points.set_hook(simulation.reached)
    try:
        with quiet():
            failure = simulation.run()
        return Result(
            scenario.seed, scenario.days, failure, simulation.world.sha256, simulation.world.fired, simulation.points,
            simulation.crashes, len(simulation.platform.log), len(simulation.office.log), simulation.steps,
            Counter(simulation.judge.facts.states.values()), simulation.world.log if keep_log else [],
        )  # fmt: skip
    finally:
        crash_points.set_hook(None)
        with quiet():
            simulation.close()
        shutil.rmtree(directory, ignore_errors=True)
        gc.collect(0)
