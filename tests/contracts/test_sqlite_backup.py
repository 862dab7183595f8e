"""Backup beside a running bot; restore checked, whole, and refused while a bot runs."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.backup import backup, restore
from bot.store.port import StoreError, StoreInUse, StoreTooNew
from bot.store.schema import VERSION
from bot.store.sqlite import SqliteStore
from tests.contracts.examples import NOW, decided, open_or_join, opened, post, row

pytestmark = pytest.mark.anyio


async def states(path: Path) -> dict[str, int]:
    """What a database holds, in short."""
    store = await SqliteStore.open(path)
    counts = await store.counts()
    assert await store.check() == []
    await store.close()
    return dict(counts.by_state)


async def test_a_backup_beside_a_running_bot_holds_what_was_committed(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path, holder="hearout run")
    for number in range(20):
        await opened(bot, str(number), f"c{number}")
    writing = [asyncio.ensure_future(bot.take_in([post("late", "late")], open_or_join, NOW))]
    await asyncio.to_thread(backup, path, copy)
    await asyncio.gather(*writing)
    assert [item.name for item in tmp_path.glob("copy*")] == ["copy.db"], "one file, nothing beside it"
    await bot.close()
    assert (await states(copy))["LISTENING"] in (20, 21)


async def test_a_backup_replaces_an_older_one(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path)
    backup(path, copy)
    await opened(bot, "1")
    backup(path, copy)
    await bot.close()
    assert await states(copy) == {"LISTENING": 1}


async def test_what_was_backed_up_is_restored(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path)
    key = await opened(bot, "1")
    await decided(bot, key, outbox=(row(key, "a"),))
    backup(path, copy)
    await opened(bot, "2", "c2")
    await bot.close()
    restore(copy, path)
    assert await states(path) == {"LISTENING": 1}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    assert copy.exists()


async def test_46_a_stale_log_beside_the_target_is_not_replayed_on_the_restored_file(tmp_path: Path) -> None:
    path, copy, crashed = tmp_path / "hearout.db", tmp_path / "copy.db", tmp_path / "crashed"
    bot = await SqliteStore.open(path)
    await opened(bot, "1")
    backup(path, copy)
    for number in range(2, 40):
        await opened(bot, str(number), f"c{number}")
    crashed.mkdir()
    for name in ("hearout.db", "hearout.db-wal", "hearout.db-shm"):  # as a machine that lost its power leaves them
        (crashed / name).write_bytes((tmp_path / name).read_bytes())
    assert (crashed / "hearout.db-wal").stat().st_size > 0
    await bot.close()
    restore(copy, crashed / "hearout.db")
    assert {item.name for item in crashed.iterdir()} == {"hearout.db", "hearout.db-lock"}
    assert await states(crashed / "hearout.db") == {"LISTENING": 1}


async def test_a_log_beside_a_damaged_target_is_removed_too(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path)
    await opened(bot, "1")
    backup(path, copy)
    await bot.close()
    path.write_bytes(b"\xff" * 50_000)
    path.with_name("hearout.db-wal").write_bytes(b"\xff" * 50_000)
    restore(copy, path)
    assert await states(path) == {"LISTENING": 1}


async def test_a_restore_into_a_new_place(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path)
    await opened(bot, "1")
    backup(path, copy)
    await bot.close()
    restore(copy, tmp_path / "new.db")
    assert await states(tmp_path / "new.db") == {"LISTENING": 1}


async def test_a_restore_is_refused_while_a_bot_runs(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path, holder="hearout run")
    backup(path, copy)
    with pytest.raises(StoreInUse, match="hearout run"):
        restore(copy, path)
    await opened(bot, "1")
    await bot.close()
    assert await states(path) == {"LISTENING": 1}


async def test_a_damaged_backup_is_refused_and_the_database_stays(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    bot = await SqliteStore.open(path)
    for number in range(30):
        await opened(bot, str(number), f"c{number}")
    backup(path, copy)
    await bot.close()
    data = bytearray(copy.read_bytes())
    data[20_000:40_000] = b"\xff" * 20_000
    copy.write_bytes(data)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="damaged"):
        restore(copy, path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.partial*"))


async def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path, copy = tmp_path / "hearout.db", tmp_path / "copy.db"
    await (await SqliteStore.open(path)).close()
    backup(path, copy)
    with closing(sqlite3.connect(copy)) as newer:
        newer.execute(f"pragma user_version={VERSION + 1}")
    with pytest.raises(StoreTooNew):
        restore(copy, path)


async def test_what_is_no_database_is_neither_backed_up_nor_restored(tmp_path: Path) -> None:
    path, text = tmp_path / "hearout.db", tmp_path / "notes.txt"
    await (await SqliteStore.open(path)).close()
    text.write_text("milk, bread")
    for source in (text, tmp_path / "missing.db"):
        with pytest.raises(StoreError):
            restore(source, path)
        with pytest.raises(StoreError):
            backup(source, tmp_path / "copy.db")
    with pytest.raises(StoreError, match="the database itself"):
        backup(path, path)
