"""Faults of the machine: the disk and the database, injected where the store hands its statements to SQLite."""

from __future__ import annotations

import sqlite3
from typing import Any, NoReturn

from tests.simulation.world import World

WRITING = ("insert", "update", "delete")


class Crash(SystemExit):
    """The process is gone. Goes through everything, as asyncio lets ``SystemExit`` do."""


class Disk:
    """What is wrong with the disk at the moment; shared by all processes of the machine."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.full_until = -1.0
        self.busy = 0
        self.io_errors = 0
        self.fsync_errors = 0
        self.rng = world.rng("disk")
        self.hit_at = -1e9
        """When something last went wrong."""

    def over(self, connection: sqlite3.Connection) -> OverDisk:
        """The same connection, over this disk."""
        return OverDisk(connection, self)

    def execute(self, connection: sqlite3.Connection, sql: str, *args: Any) -> sqlite3.Cursor:
        """Hand a statement to SQLite, unless something goes wrong."""
        verb = sql.lstrip()[:6].lower().rstrip()
        if verb == "begin" and self.busy:
            self.busy -= 1
            self.fail("busy database", sqlite3.SQLITE_BUSY, "database is locked")
        if verb in WRITING and self.world.t < self.full_until:
            self.fail("disk full", sqlite3.SQLITE_FULL, "database or disk is full")
        if self.io_errors and verb in (*WRITING, "select"):
            self.io_errors -= 1
            if connection.in_transaction and self.rng.random() < 0.5:
                connection.execute("rollback")  # SQLite gives up the whole transaction on some I/O errors
            self.fail("I/O error", sqlite3.SQLITE_IOERR_WRITE, "disk I/O error")
        if verb == "commit" and self.fsync_errors:
            self.fsync_errors -= 1
            connection.execute("rollback")
            self.fail("failed fsync", sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
        return connection.execute(sql, *args)

    def fail(self, kind: str, code: int, words: str) -> NoReturn:
        """Raise what SQLite raises."""
        self.hit_at = self.world.t
        self.world.fault(kind)
        error = sqlite3.OperationalError(words)
        error.sqlite_errorcode = code
        raise error

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.world.t >= self.full_until and self.world.t - self.hit_at > 120.0


class OverDisk:
    """A connection whose statements go over a disk that may fail."""

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self._connection = connection
        self._disk = disk

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        """As of the real connection."""
        return self._disk.execute(self._connection, sql, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
