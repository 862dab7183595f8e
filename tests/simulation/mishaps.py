"""What goes wrong, when its time comes: crashes, stalls, clocks, disks, and what platforms do to requests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from bot.store.schema import VERSION
from tests.simulation.process import Process
from tests.simulation.scenario import Mishap
from tests.simulation.wire import Trouble

if TYPE_CHECKING:
    from tests.simulation.run import Simulation

CLOCK_WRONG_S = 180.0
"""How long a clock stays wrong before it is set right."""


class Mishaps:
    """The mishaps of a scenario, planned in its world."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.world = simulation.world
        self.rng = simulation.world.rng("mishaps")
        for mishap in simulation.scenario.mishaps:
            self.world.at(mishap.at_s, partial(self.happen, mishap))

    def restart_s(self) -> float:
        """How long until a dead process is started again."""
        return self.rng.choice((0.5, 2.0, 10.0, 60.0, 1800.0))

    def refused(self, process: Process) -> None:
        """A process would not start on a database that is newer than itself: the newer version is taken back."""
        simulation = self.simulation
        simulation.processes.remove(process)
        simulation.graveyard.append(process)
        process.kill(alone=False, generation=0)
        self.set_version(VERSION)
        self.world.fault("old schema", "refused, untouched")
        self.world.after(30.0, partial(simulation.start, process.name))

    def set_version(self, version: int) -> None:
        """Another version of the program has opened the database."""
        with closing(sqlite3.connect(self.simulation.path, isolation_level=None)) as database:
            database.execute(f"pragma user_version = {version}")
            database.execute("pragma wal_checkpoint(truncate)")

    def happen(self, mishap: Mishap) -> None:
        """One mishap."""
        simulation, world, amount = self.simulation, self.world, mishap.amount
        first = simulation.processes[0] if simulation.processes else None
        match mishap.kind:
            case "crash":
                simulation.crash = (mishap.detail, int(amount))
            case "crash in recovery":
                if first is not None:
                    self.kill(first, 1.0)
                    simulation.crash = ("", int(amount))
                    world.fault("crash in recovery")
            case "kill":
                if first is not None:
                    self.kill(first, amount)
            case "stalled worker" | "zombie lease":
                if first is not None:
                    simulation.stall = (mishap.detail, amount)
                    if not mishap.detail:
                        first.freeze(amount)
                        world.fault("stalled worker", f"{amount:g} s")
                        simulation.stall = None
            case "overlap":
                self.overlap(amount)
                world.fault("overlapping workers")
            case "clock forward" | "clock back":
                seconds = amount if mishap.kind == "clock forward" else -amount
                world.fault(f"clock step {mishap.kind.removeprefix('clock ')}", f"{seconds:g} s")
                simulation.clock.step(seconds)
                world.after(CLOCK_WRONG_S, partial(simulation.clock.step, -seconds))
            case "disk full":
                simulation.disk.full_until = world.t + amount
            case "I/O error":
                simulation.disk.io_errors = int(amount)
            case "failed fsync":
                simulation.disk.fsync_errors = int(amount)
            case "busy database":
                simulation.disk.busy = int(amount)
            case "new schema":
                if first is not None and len(simulation.processes) == 1 and simulation.installed:
                    self.kill(first, 5.0)
                    self.set_version(VERSION + 1)
            case "late":
                simulation.platform.late_next += int(amount)
            case "duplicate":
                simulation.platform.repeat(int(amount))
            case "reorder":
                simulation.platform.shuffle()
            case _:
                where, endpoint = mishap.kind.removeprefix("wire ").split()
                trouble = Trouble(mishap.detail)
                if where == "sim":
                    simulation.platform.plan(endpoint, trouble)
                else:
                    simulation.office.wire.plan(endpoint, trouble)

    def kill(self, process: Process, restart_s: float) -> None:
        """kill -9 between two steps."""
        if not process.loop.dead:
            self.world.fault("kill -9")
            self.simulation.die(process, restart_s)

    def stalled(self, process: Process, point: str, seconds: float) -> None:
        """A process stalls in the middle of its work, and another one takes over what it had claimed."""
        process.freeze(seconds)
        if point == "delivery: before send" and self.rng.random() < 0.6:
            trouble = self.rng.choice(tuple(Trouble))
            self.simulation.platform.plan("send", trouble)
            self.simulation.office.wire.plan("show", trouble)
        self.world.fault("zombie lease", f"{point}, {seconds:g} s")
        self.world.after(1.0, partial(self.overlap, seconds + 1200.0))

    def overlap(self, seconds: float) -> None:
        """A second worker on the same database, for a while: an old one that has not gone yet, or a new one too early."""
        simulation = self.simulation
        name = f"B{int(self.world.t)}"
        if not simulation.processes or simulation.installed is None:
            return
        simulation.start(name, locks=False)
        second = simulation.processes[-1]
        self.world.after(seconds, partial(self.end, second))

    def end(self, process: Process) -> None:
        """The second worker goes, without a word."""
        if process in self.simulation.processes:
            self.simulation.die(process, 0.0)
