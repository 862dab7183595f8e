"""Group commit inside the event loop: writes that wait at the same time share one transaction, each isolated from the
rest.

One fsync then serves up to ``JOBS_MAX`` callers (performance.md, "The floor"). Nobody is told that something was
written before it is on disk, and a write that fails takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from bot.crash_points import reached
from bot.store.port import StoreError, StoreUnavailable

T = TypeVar("T")

JOBS_MAX = 100
"""Writes that share a commit: beyond this a longer wait for the first buys little."""

RETRY_S = (0.005, 0.1)
"""How long to wait when another process is writing: the first time, and at most."""


class Entangled(Exception):
    """A part wrote something and then failed: only savepoints take it back alone. The group is run again with them."""


class Attempt:
    """One try at a group of writes. Savepoints cost a fifth of the speed, so the first try does without.

    Most failures come before anything was written (a callback that raises); these need no savepoint. After any other
    the whole group is rolled back and run once more, carefully. So jobs may run twice: their callbacks are pure.
    """

    def __init__(self, connection: sqlite3.Connection, *, careful: bool) -> None:
        self.x = connection.execute
        self._connection = connection
        self._careful = careful

    def alone(self, part: Callable[[], T]) -> T:
        """Run a part so that its failure takes nothing else with it. Raises what the part raised."""
        if self._careful:
            return self._behind_savepoint(part)
        before = self._connection.total_changes
        try:
            return part()
        except Exception as error:
            if self._connection.total_changes != before or not self._connection.in_transaction:
                raise Entangled from error
            raise

    def _behind_savepoint(self, part: Callable[[], T]) -> T:
        self.x("savepoint part")
        try:
            result = part()
        except BaseException:
            if self._connection.in_transaction:
                self.x("rollback to part")
                self.x("release part")
            raise
        self.x("release part")
        return result


Job = Callable[[Attempt], Any]
Waiting = tuple[Job, asyncio.Future[Any]]


class Writer:
    """The one writer of a SQLite connection. Transactions never span an ``await``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._waiting: deque[Waiting] = deque()
        self._scheduled = False
        self._closed = False
        self._retry_s = RETRY_S[0]

    async def write(self, job: Callable[[Attempt], T]) -> T:
        """Run ``job`` in a transaction and return what it returned, once that is on disk.

        Raises what the job raised, ``StoreUnavailable`` when the disk or the database refused, ``StoreError`` when a
        constraint did. In each case nothing of the job was written. A caller that is cancelled before its turn has
        written nothing either.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((job, future))
        if not self._scheduled:
            self._schedule(0.0)
        return await future

    async def close(self) -> None:
        """Write what waits, then refuse."""
        while self._waiting:
            await self.write(lambda attempt: None)
        self._closed = True

    def _schedule(self, delay_s: float) -> None:
        self._scheduled = True
        loop = asyncio.get_running_loop()
        if delay_s:
            loop.call_later(delay_s, self._commit_group)
        else:
            loop.call_soon(self._commit_group)

    def _commit_group(self) -> None:
        self._scheduled = False
        group = self._next_group()
        if not group:
            return
        try:
            settled = self._run(group)
        except sqlite3.Error as error:
            if is_busy(error):
                self._waiting.extendleft(reversed(group))
                self._schedule(self._retry_s)
                self._retry_s = min(2 * self._retry_s, RETRY_S[1])
                return
            settled = [(future, error) for _, future in group]
        except BaseException as error:  # the program is ending
            for _, future in group:
                future.set_exception(translate(error))
            raise
        self._retry_s = RETRY_S[0]
        for future, outcome in settled:
            if future.done():  # its caller gave up while it was written
                continue
            if isinstance(outcome, Exception):
                future.set_exception(translate(outcome))
            else:
                future.set_result(outcome)
        if self._waiting:
            self._schedule(0.0)

    def _next_group(self) -> list[Waiting]:
        """Who waited longest; whoever gave up is left out."""
        group: list[Waiting] = []
        while self._waiting and len(group) < JOBS_MAX:
            item = self._waiting.popleft()
            if not item[1].done():
                group.append(item)
        return group

    def _run(self, group: list[Waiting]) -> list[tuple[asyncio.Future[Any], Any]]:
        """Commit the group; for each future its result or its own error. Raises what failed them all."""
        try:
            return self._try(group, Attempt(self._connection, careful=False))
        except Entangled:
            return self._try(group, Attempt(self._connection, careful=True))

    def _try(self, group: list[Waiting], attempt: Attempt) -> list[tuple[asyncio.Future[Any], Any]]:
        self._execute("begin immediate")
        try:
            settled = [(future, self._outcome(job, attempt)) for job, future in group]
            reached("store: before commit")
            self._execute("commit")
            reached("store: after commit")
        except BaseException:
            if self._connection.in_transaction:
                self._execute("rollback")
            raise
        return settled

    def _outcome(self, job: Job, attempt: Attempt) -> Any:
        try:
            return attempt.alone(lambda: job(attempt))
        except Entangled:
            raise
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # nothing is left to commit: SQLite gave up the whole transaction
            return error


def is_busy(error: BaseException) -> bool:
    """Whether another connection is writing at the moment."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def is_outage(error: BaseException) -> bool:
    """Whether the database or the disk failed, rather than what was asked of it."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def translate(error: BaseException) -> Exception:
    """The store's error for one of SQLite's; any other as it is. A fresh one each time: tracebacks are not shared."""
    if is_outage(error):
        wrapped: Exception = StoreUnavailable(f"the database refused: {error}")
    elif isinstance(error, sqlite3.Error):
        wrapped = StoreError(f"the database did not take it: {error}")
    elif isinstance(error, Exception):
        return error
    else:
        wrapped = StoreUnavailable(f"interrupted by {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
