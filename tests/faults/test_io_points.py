"""Every write, sync and truncation of a run fails once: what was acknowledged stays, and the rest is done again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import apsw
import pytest

from bot.store.port import StoreUnavailable
from bot.store.records import OutboxRow, Report, Status
from bot.store.sqlite import SqliteStore
from bot.store.sqlite_file import PRAGMAS, connect
from conversations.ids import conversation_key
from tests.contracts.examples import act, at, deciding, open_or_join, post, row
from tests.faults.vfs import Connection, Layer, Points
from tests.simulation.run import scratch

T = TypeVar("T")
CUSTOMERS = 5
CODES = {"I/O error": apsw.SQLITE_IOERR, "disk full": apsw.SQLITE_FULL}


@pytest.fixture(scope="module")
def points() -> Iterator[Points]:
    """The failing disk."""
    found = Points()
    layer = Layer(found)
    yield found
    layer.unregister()


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory in memory: syncs are counted and failed, not waited for."""
    directory = scratch()
    yield directory
    shutil.rmtree(directory)


async def opened(path: Path) -> SqliteStore:
    """A store on the failing disk. Its schema was made on a sound one."""
    connection: Any = Connection(path)
    for pragma in (*PRAGMAS, "wal_autocheckpoint=8"):
        connection.execute(f"pragma {pragma}")
    database: Any = SimpleNamespace(conn=connection)
    return SqliteStore(database, path, None, None)


async def until_done(do: Callable[[], Awaitable[T]]) -> T:
    """Again, as callers do when the store is unavailable."""
    for _ in range(3):
        try:
            return await do()
        except StoreUnavailable:
            continue
    return await do()


async def work(path: Path, acknowledged: set[str], accepted: list[str]) -> None:
    """A small run: posts, an act, decisions, claims, sends, reports. The platform is a list."""
    store = await until_done(lambda: opened(path))
    try:
        for n in range(CUSTOMERS):
            arrival, now = post(f"p{n}", f"c{n}"), at(n)
            await until_done(partial(store.take_in, [arrival], open_or_join, now))
            acknowledged.add(str(arrival.id))
            key = conversation_key("x", arrival.account, str(arrival.id))
            await until_done(partial(store.decide_due, now, 10, deciding(outbox=(row(key, "hello"),))))
        claimed = await until_done(lambda: store.claim_deliveries(at(60), 30.0, 100))
        for _ in range(CUSTOMERS):
            for item in claimed:
                accepted.append(item.key)
                await until_done(partial(store.report_deliveries, [sent(item)]))
            claimed = await until_done(lambda: store.claim_deliveries(at(61), 30.0, 100))
        await until_done(lambda: store.take_in([act(key)], open_or_join, at(70)))
    finally:
        store.database.conn.close()


def sent(item: OutboxRow) -> Report:
    """The platform has it."""
    return Report(key=item.key, fence=item.fence, status=Status.SENT, at=at(60))


def prepared(directory: Path, name: str) -> Path:
    """An empty database, made on a sound disk: the first is made, the others are copies."""
    path, first = directory / f"{name}.db", directory / "first.db"

    async def make() -> None:
        store = await SqliteStore.open(first)
        await store.close()

    if not first.exists():
        asyncio.run(make())
    shutil.copyfile(first, path)
    return path


def judge(path: Path, acknowledged: set[str], accepted: list[str], where: str) -> None:
    """Nothing lost, nothing half-written, nothing sent twice."""
    with closing(connect(path).conn) as database:
        assert [found[0] for found in database.execute("pragma integrity_check")] == ["ok"], where
        assert database.execute("pragma foreign_key_check").fetchall() == [], where
        kept = {found[0] for found in database.execute("select external_id from inbox where channel='x'")}
        assert acknowledged <= kept, where
        cases = database.execute("select count(*) from conversation").fetchone()[0]
        turns = database.execute("select count(*) from turn where author='customer'").fetchone()[0]
        assert cases == turns == CUSTOMERS, where
        said = {found[0] for found in database.execute("select key from outbox where status='sent'")}
        lost = {found[0] for found in database.execute("select key from outbox where status='sending'")}
        assert said <= set(accepted) <= said | lost, where
    assert len(accepted) == len(set(accepted)), where


@pytest.mark.parametrize("kind", CODES)
def test_every_point_fails_once(kind: str, points: Points, memory: Path) -> None:
    points.count, points.fail_at, points.code = 0, 0, CODES[kind]
    path, acknowledged, accepted = prepared(memory, "whole"), set[str](), list[str]()
    asyncio.run(work(path, acknowledged, accepted))
    judge(path, acknowledged, accepted, "no fault")
    total = points.count
    assert total > 50
    for point in range(1, total + 1):
        points.count, points.fail_at = 0, point
        path, acknowledged, accepted = prepared(memory, f"p{point}"), set(), []
        asyncio.run(work(path, acknowledged, accepted))
        points.fail_at = 0
        judge(path, acknowledged, accepted, f"{kind} at point {point} of {total}")
        path.unlink()
    assert len(points.failed) >= total
