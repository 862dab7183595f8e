"""Group commit inside the event loop: writes that wait at the same time share one transaction, each behind a savepoint.

One fsync then serves up to ``JOBS_MAX`` callers (performance.md, "The floor"). Nobody is told that something was written
before it is on disk, and a write that fails takes nothing else with it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from sqlite_utils import Database

from bot.crash_points import reached
from bot.store.port import StoreError, StoreUnavailable

T = TypeVar("T")
Job = Callable[[], Any]

JOBS_MAX = 100
"""Writes that share a commit: beyond this a longer wait for the first buys little."""

RETRY_S = (0.005, 0.1)
"""How long to wait when another process is writing: the first time, and at most."""


class Writer:
    """The one writer of a SQLite connection. Transactions never span an ``await``."""

    def __init__(self, db: Database) -> None:
        self._execute = db.execute
        self._connection = db.conn
        self._waiting: deque[tuple[Job, asyncio.Future[Any]]] = deque()
        self._scheduled = False
        self._closed = False
        self._retry_s = RETRY_S[0]

    async def write(self, job: Callable[[], T]) -> T:
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
            self._scheduled = True
            loop.call_soon(self._commit_group)
        return await future

    async def close(self) -> None:
        """Write what waits, then refuse."""
        while self._waiting:
            await self.write(lambda: None)
        self._closed = True

    def _commit_group(self) -> None:
        self._scheduled = False
        waiting = self._waiting
        while waiting and waiting[0][1].done():  # cancelled while it waited
            waiting.popleft()
        if not waiting:
            return
        try:
            self._execute("begin immediate")
        except sqlite3.Error as error:
            if is_busy(error):
                self._schedule(self._retry_s)
                self._retry_s = min(2 * self._retry_s, RETRY_S[1])
                return
            group = self._take()
            self._fail([future for _, future in group], error)
        else:
            self._retry_s = RETRY_S[0]
            self._run(self._take())
        if waiting:
            self._schedule(0.0)

    def _schedule(self, delay_s: float) -> None:
        self._scheduled = True
        loop = asyncio.get_running_loop()
        if delay_s:
            loop.call_later(delay_s, self._commit_group)
        else:
            loop.call_soon(self._commit_group)

    def _take(self) -> list[tuple[Job, asyncio.Future[Any]]]:
        waiting = self._waiting
        group = [waiting.popleft() for _ in range(min(JOBS_MAX, len(waiting)))]
        return [(job, future) for job, future in group if not future.done()]

    def _run(self, group: list[tuple[Job, asyncio.Future[Any]]]) -> None:
        done: list[tuple[asyncio.Future[Any], Any]] = []
        failed: list[tuple[asyncio.Future[Any], Exception]] = []
        alone = len(group) == 1
        try:
            for job, future in group:
                try:
                    done.append((future, job() if alone else self._behind_savepoint(job)))
                except Exception as error:
                    if alone or not self._connection.in_transaction:
                        raise  # nothing is left to commit: SQLite gave up the whole transaction
                    failed.append((future, error))
            reached("store: before commit")
            self._execute("commit")
            reached("store: after commit")
        except BaseException as error:
            self._rollback()
            settled = {id(future) for future, _ in failed}
            self._fail([future for _, future in group if id(future) not in settled], error)
            if not isinstance(error, Exception):
                raise
        else:
            for future, result in done:
                if not future.done():
                    future.set_result(result)
        for future, reason in failed:
            self._fail([future], reason)

    def _behind_savepoint(self, job: Job) -> Any:
        self._execute("savepoint job")
        try:
            result = job()
        except BaseException:
            if self._connection.in_transaction:
                self._execute("rollback to job")
                self._execute("release job")
            raise
        self._execute("release job")
        return result

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._execute("rollback")

    @staticmethod
    def _fail(futures: list[asyncio.Future[Any]], error: BaseException) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(translate(error))


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
