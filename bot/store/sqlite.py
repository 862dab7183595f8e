"""The Store on SQLite: one file, WAL, FULL, one writer with group commit inside the event loop.

Everything runs on the loop's thread: a transaction never spans an ``await``, so one connection serves reading and writing,
and a read sees exactly what was committed. Long looks can be sent to a thread with a connection of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot.crash_points import reached
from bot.store.codec import micros
from bot.store.database import Database
from bot.store.lock import FileLock
from bot.store.port import Decider, StoreUnavailable
from bot.store.sqlite_file import check, connect, prepare
from bot.store.stepped import Begin, SteppedStore
from bot.store.steps import Steps, decisions, run
from bot.store.writer import Attempt, Entangled, Writer, is_busy, is_outage, translate

T = TypeVar("T")

CHECKPOINT_RETRY_S = 0.05
CHECKPOINT_TRIES = 100


class SqliteStore(SteppedStore):
    """See ``bot.store.port.Store``."""

    def __init__(self, db: Database, path: Path | None, lock: FileLock | None, looking: Database | None) -> None:
        self._db = db
        self._path = path
        self._lock = lock
        self._looking = looking
        self._looking_turn = asyncio.Lock()
        self._writer = Writer(db.conn)

    @classmethod
    async def open(
        cls, path: str | Path, *, holder: str | None = None, read_only: bool = False, look_in_thread: bool = False
    ) -> SqliteStore:
        """Open a database, make or migrate it where needed.

        With a ``holder`` ("run", "the playground") the database's lock is taken: one such process at a time. Without
        one the store works beside a running process. ``read_only`` never writes and wants an existing, migrated file.
        ``look_in_thread`` keeps long looks (lists, counts, checks, exports) off the event loop.
        Raises ``StoreInUse``, ``StoreTooNew``, ``StoreUnavailable``, and ``StoreError`` for a file that is not ours.
        """
        if str(path) == ":memory:":
            return cls(prepare(Path(":memory:"), None, read_only=False)[0], None, None, None)
        path = Path(path)
        try:
            reached("store: before open")
            db, lock = prepare(path, holder, read_only=read_only)
            reached("store: after open")
            looking = connect(path, read_only=True) if look_in_thread else None
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        return cls(db, path, lock, looking)

    async def close(self) -> None:
        """See ``Store.close``."""
        await self._writer.close()
        if self._looking is not None:
            async with self._looking_turn:
                self._looking.conn.close()
        self._db.conn.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def database(self) -> Database:
        """The connection, for reports and the console's own queries: reading only."""
        return self._db

    @property
    def log_bytes(self) -> int:
        """How long the write-ahead log is: it shrinks when no reader holds it."""
        log = None if self._path is None else self._path.with_name(f"{self._path.name}-wal")
        return log.stat().st_size if log is not None and log.exists() else 0

    # ---- how steps are run

    async def _write(self, begin: Begin[T]) -> T:
        return await self._writer.write(lambda attempt: run(attempt.x, begin()))

    async def _read(self, steps: Steps[T]) -> T:
        try:
            return run(self._db.conn.execute, steps)
        except sqlite3.Error as error:
            raise translate(error) from error

    async def _look(self, steps: Steps[T]) -> T:
        if self._looking is None:
            return await self._read(steps)
        try:
            async with self._looking_turn:
                return await asyncio.to_thread(run, self._looking.conn.execute, steps)
        except sqlite3.Error as error:
            raise translate(error) from error

    # ---- what SQLite does in its own way

    async def decide_due(self, now: datetime, limit: int, decide: Decider) -> int:
        """See ``Store.decide_due``."""
        at = micros(now)
        return await self._writer.write(lambda attempt: _decide_due(attempt, at, limit, decide))

    async def erase_customer(self, customer: str, now: datetime) -> int:
        """See ``Store.erase_customer``. The write-ahead log is emptied as well, so that no file holds any of it."""
        erased = await super().erase_customer(customer, now)
        await self._empty_log()
        return erased

    async def _empty_log(self) -> None:
        """Move the write-ahead log into the file and truncate it, as soon as no reader is in the way."""
        for _ in range(CHECKPOINT_TRIES):
            try:
                busy = self._db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise translate(error) from error
                busy = 1
            if not busy:
                return
            await asyncio.sleep(CHECKPOINT_RETRY_S)
        raise StoreUnavailable(
            "all is erased, but a reader keeps a last copy in the write-ahead log: erase again later"
        )

    async def check(self) -> list[str]:
        """See ``Store.check``."""
        if self._looking is None:
            return check(self._db, self._path)
        async with self._looking_turn:
            return await asyncio.to_thread(check, self._looking, self._path)


def _decide_due(attempt: Attempt, now: int, limit: int, decide: Decider) -> int:
    x = attempt.x
    due = run(x, decisions.due(now, limit))
    for woken in due:
        try:
            attempt.alone(lambda woken=woken: run(x, decisions.decide(woken, now, decide)))  # type: ignore[misc]
        except Exception as error:
            if is_outage(error) or isinstance(error, Entangled):
                raise
            run(x, decisions.poison(woken, error, now))
    return len(due)
