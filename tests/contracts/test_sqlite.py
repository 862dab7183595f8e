"""What SQLite does besides the contract: one bot per file, group commit, and a disk or a writer in the way."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.store.lock import lock_path
from bot.store.port import StoreError, StoreInUse, StoreTooNew, StoreUnavailable
from bot.store.records import Arrival, Route
from bot.store.schema import VERSION
from bot.store.sqlite import SqliteStore
from bot.store.steps import customers, decisions, deliveries, intake, looks, to_sqlite
from bot.store.writer import Writer
from conversations.conversation import Conversation
from tests.contracts.examples import NOW, act, deciding, must_not_route, open_or_join, opened, post, read_all

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is to be."""
    return tmp_path / "hearout.db"


def contents(directory: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and the time of its last change."""
    return {item.name: (item.read_bytes(), item.stat().st_mtime_ns) for item in directory.iterdir()}


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Writes beyond this size of a file fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ---------------------------------------------------------------- one bot per file


async def test_a_second_bot_is_refused_and_told_who_is_there(path: Path) -> None:
    first = await SqliteStore.open(path, holder="hearout run")
    with pytest.raises(StoreInUse, match=f"hearout run .process {os.getpid()} on {platform.node()}, since 2"):
        await SqliteStore.open(path, holder="the playground")
    await first.close()
    second = await SqliteStore.open(path, holder="the playground")
    assert json.loads(lock_path(path).read_text())["holder"] == "the playground"
    await second.close()


async def test_other_commands_work_beside_a_running_bot(path: Path) -> None:
    bot = await SqliteStore.open(path, holder="hearout run")
    await opened(bot, "1")
    status = await SqliteStore.open(path, read_only=True)
    assert (await status.counts()).by_state == {"LISTENING": 1}
    with pytest.raises(StoreUnavailable, match="readonly"):
        await status.set_meta("a", "b")
    erasing = await SqliteStore.open(path)
    assert await erasing.erase_customer("c1", NOW) == 1
    assert await bot.conversations() == []
    for store in (status, erasing, bot):
        await store.close()


async def test_a_holder_that_failed_to_open_lets_go(path: Path) -> None:
    path.write_text("not a database, but long enough to look like something " * 10)
    for _ in range(2):
        with pytest.raises(StoreError, match="not a database of Hearout"):
            await SqliteStore.open(path, holder="hearout run")


async def test_reading_what_is_not_there_is_refused_and_makes_nothing(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database here"):
        await SqliteStore.open(path, read_only=True)
    assert list(path.parent.iterdir()) == []


async def test_a_directory_that_is_not_there_is_an_outage(path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await SqliteStore.open(path.parent / "missing" / "hearout.db", holder="hearout run")


# ---------------------------------------------------------------- whose file, which version


async def test_a_database_of_a_newer_version_is_left_untouched(path: Path) -> None:
    store = await SqliteStore.open(path)
    await opened(store, "1")
    await store.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"pragma user_version={VERSION + 1}")
    before = contents(path.parent)
    for holder, read_only in (("hearout run", False), (None, True), (None, False)):
        with pytest.raises(StoreTooNew, match=f"schema {VERSION + 1}"):
            await SqliteStore.open(path, holder=holder, read_only=read_only)
    assert contents(path.parent) == before


async def test_a_newer_version_that_died_before_its_checkpoint_is_noticed_too(path: Path) -> None:
    await (await SqliteStore.open(path)).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"pragma user_version={VERSION + 1}")
        newer.commit()
        before = path.read_bytes()
        with pytest.raises(StoreTooNew):
            await SqliteStore.open(path, holder="hearout run")
        assert path.read_bytes() == before


async def test_somebody_elses_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("pragma user_version=3")
        other.execute("create table browser_history (url)")
    before = contents(path.parent)
    with pytest.raises(StoreError, match="not a database of Hearout"):
        await SqliteStore.open(path, holder="hearout run")
    assert contents(path.parent).keys() - {lock_path(path).name} == before.keys()


async def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    store = await SqliteStore.open(path, holder="hearout run")
    await store.set_meta("a", "b")
    await store.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
        assert db.execute("pragma user_version").fetchone() == (VERSION,)


async def test_a_store_in_memory_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = await SqliteStore.open(":memory:")
    key = await opened(store, "1")
    assert await store.conversation(key) is not None
    await store.close()
    assert list(tmp_path.iterdir()) == []


async def test_long_looks_can_run_in_a_thread(path: Path) -> None:
    store = await SqliteStore.open(path, look_in_thread=True)
    key = await opened(store, "1")
    found, counts, problems = await asyncio.gather(store.conversations(), store.counts(), store.check())
    assert ([item.key for item in found], counts.by_state, problems) == ([key], {"LISTENING": 1}, [])
    await store.close()


# ---------------------------------------------------------------- group commit


async def test_one_failing_write_takes_nothing_else_with_it(path: Path) -> None:
    store = await SqliteStore.open(path)

    def bad(arrival: Arrival, current: Conversation | None) -> Route:
        raise LookupError(arrival.id)

    routers = [bad if number in (0, 20, 49) else open_or_join for number in range(50)]
    takes = (store.take_in([post(str(n), f"c{n}")], route, NOW) for n, route in enumerate(routers))
    results = await asyncio.gather(*takes, return_exceptions=True)
    assert [number for number, result in enumerate(results) if isinstance(result, LookupError)] == [0, 20, 49]
    assert (await store.counts()).by_state == {"LISTENING": 47}
    await store.close()


async def test_writes_that_wait_together_share_one_commit(path: Path) -> None:
    store = await SqliteStore.open(path)
    begun: list[str] = []
    store.database.conn.set_trace_callback(lambda sql: begun.append(sql) if sql.startswith("begin") else None)
    await asyncio.gather(*(store.take_in([post(str(n), f"c{n}")], open_or_join, NOW) for n in range(100)))
    assert len(begun) == 1
    await asyncio.gather(*(store.set_meta(str(n), "x") for n in range(101)))
    assert len(begun) == 3, "no more than a hundred share one"
    await store.close()


async def test_nobody_is_told_before_the_commit(path: Path) -> None:
    store = await SqliteStore.open(path)
    steps: list[str] = []
    store.database.conn.set_trace_callback(
        lambda sql: steps.append(sql) if sql in ("begin immediate", "commit") else None
    )

    async def write(number: int) -> None:
        await store.set_meta(str(number), "x")
        steps.append("told")

    await asyncio.gather(write(1), write(2))
    assert steps == ["begin immediate", "commit", "told", "told"]
    await store.close()


async def test_a_caller_that_gave_up_before_its_turn_wrote_nothing(path: Path) -> None:
    store = await SqliteStore.open(path)
    giving_up = asyncio.ensure_future(store.set_meta("a", "x"))
    patient = asyncio.ensure_future(store.set_meta("b", "x"))
    await asyncio.sleep(0)
    giving_up.cancel()
    await patient
    assert (await store.get_meta("a"), await store.get_meta("b")) == (None, "x")
    await store.close()


async def test_closing_writes_what_waits_and_then_refuses(path: Path) -> None:
    store = await SqliteStore.open(path)
    waiting = [asyncio.ensure_future(store.set_meta(str(n), "x")) for n in range(250)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.set_meta("late", "x")
    again = await SqliteStore.open(path)
    assert await again.get_meta("249") == "x"
    await again.close()


async def test_a_commit_that_fails_fails_everybody_in_it_and_the_next_goes_on(path: Path) -> None:
    store = await SqliteStore.open(path)
    x, writer = store.database.execute, Writer(store.database.conn)

    def orphan(attempt: object) -> None:
        x("pragma defer_foreign_keys=on")
        x("insert into label (conversation, agent, complaint, text, language, at) values ('?', 'U1', 1, '', 'en', 0)")

    def meta(number: int) -> Callable[[object], object]:
        return lambda attempt: x("insert into meta values (?, 'x')", (str(number),))

    good = [writer.write(meta(number)) for number in range(3)]
    results = await asyncio.gather(*good, writer.write(orphan), return_exceptions=True)
    assert [type(result) for result in results] == [StoreError] * 4
    assert await store.get_meta("1") is None
    await store.set_meta("1", "later")
    assert await store.get_meta("1") == "later"
    await store.close()


# ---------------------------------------------------------------- the disk and other writers


async def test_a_full_disk_refuses_the_intake_keeps_what_was_there_and_work_resumes(path: Path) -> None:
    store = await SqliteStore.open(path)
    key = await opened(store, "1")
    [(pages,)] = store.database.execute("pragma page_count").fetchall()
    store.database.execute(f"pragma max_page_count={pages + 4}")
    big = [post(str(n), f"c{n}", text="x" * 20_000) for n in range(2, 8)]
    results = await asyncio.gather(
        *(store.take_in([item], open_or_join, NOW) for item in big),
        store.set_meta("a", "small"),
        return_exceptions=True,
    )
    assert [type(result) for result in results[:-1]] == [StoreUnavailable] * 6
    assert await store.conversation(key) is not None
    store.database.execute("pragma max_page_count=1000000")
    taken = await asyncio.gather(*(store.take_in([item], open_or_join, NOW) for item in big))
    assert all(item.new for [item] in taken)
    assert await store.check() == []
    await store.close()


async def test_a_disk_that_fails_during_a_decision_poisons_nobody(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.take_in([post("1")], open_or_join, NOW)
    [(pages,)] = store.database.execute("pragma page_count").fetchall()
    store.database.execute(f"pragma max_page_count={pages}")
    with pytest.raises(StoreUnavailable):
        await store.decide_due(NOW, 10, deciding(changes={"wish": "x" * 100_000}))
    store.database.execute("pragma max_page_count=1000000")
    assert await store.poisoned() == []
    assert await store.decide_due(NOW, 10, read_all) == 1
    await store.close()


async def test_an_io_error_fails_the_group_and_loses_nothing_of_before(path: Path) -> None:
    store = await SqliteStore.open(path)
    key = await opened(store, "1")
    size = path.with_name("hearout.db-wal").stat().st_size
    with file_size_limit(size + 5000):
        results = await asyncio.gather(
            *(store.take_in([post(str(n), f"c{n}")], open_or_join, NOW) for n in range(2, 50)), return_exceptions=True
        )
    assert {type(result) for result in results} == {StoreUnavailable}
    assert (await store.counts()).by_state == {"LISTENING": 1}
    assert [item.new for item in await store.take_in([post("2", "c2")], open_or_join, NOW)] == [True]
    assert await store.conversation(key) is not None
    assert await store.check() == []
    await store.close()


async def test_while_another_process_writes_writes_wait_and_looks_do_not(path: Path) -> None:
    store = await SqliteStore.open(path)
    key = await opened(store, "1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        waiting = [
            asyncio.ensure_future(store.take_in([post(str(n), f"c{n}")], open_or_join, NOW)) for n in range(2, 32)
        ]
        for _ in range(50):
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        assert await store.conversation(key) is not None
        other.execute("commit")
        assert all(taken.new for [taken] in await asyncio.gather(*waiting))
    assert (await store.counts()).by_state == {"LISTENING": 31}
    await store.close()


async def test_two_processes_that_write_to_one_file_take_turns(path: Path) -> None:
    one, two = await SqliteStore.open(path), await SqliteStore.open(path)
    key = await opened(one, "1")
    await asyncio.gather(*(store.take_in([act(key)], must_not_route, NOW) for _ in range(100) for store in (one, two)))
    assert (await two.counts()).unread == 200
    await one.close()
    await two.close()


async def test_a_damaged_file_is_reported(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.take_in([post(str(n), f"c{n}", text="x" * 3000) for n in range(50)], open_or_join, NOW)
    await store.close()
    data = bytearray(path.read_bytes())
    data[20_000:60_000] = b"\xff" * 40_000
    path.write_bytes(data)
    damaged = await SqliteStore.open(path, read_only=True)
    assert await damaged.check() != []
    await damaged.close()


# ---------------------------------------------------------------- at a million conversations

STEPS = (customers, decisions, deliveries, intake, looks)
ALL = {"_BY_STATE", "_BY_STATUS", "_TOTALS"}
"""What counts everything may read a whole index."""


def statements() -> dict[str, str]:
    """Every constant statement of the steps, by name."""
    found = {f"{module.__name__}.{name}": value for module in STEPS for name, value in vars(module).items()}
    verbs = ("select", "with", "update", "delete")
    return {name: sql for name, sql in found.items() if isinstance(sql, str) and sql.startswith(verbs)}


@pytest.mark.parametrize("name", sorted(statements()))
async def test_no_statement_reads_a_whole_table(name: str) -> None:
    store = await SqliteStore.open(":memory:")
    sql = to_sqlite(statements()[name])
    plan = store.database.conn.execute(f"explain query plan {sql}", (None,) * sql.count("?")).fetchall()
    details = [row[3] for row in plan]
    whole = [
        detail for detail in details if detail.startswith("SCAN") and detail not in ("SCAN busy", "SCAN CONSTANT ROW")
    ]
    if name.rpartition(".")[2] in ALL:
        whole = [detail for detail in whole if "INDEX" not in detail]
    assert whole == []
    assert not [detail for detail in details if "AUTOMATIC" in detail]
    await store.close()
