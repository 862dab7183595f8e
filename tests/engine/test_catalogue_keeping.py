"""Failures seen in other bots, as numbered in the reliability catalogue: what long running, old readers and new versions do."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.housekeeping import LOG_BYTES_MAX, watch_log
from bot.store.codec import dump_conversation
from bot.store.port import StoreInUse, StoreTooNew
from bot.store.schema import VERSION
from bot.store.sqlite import SqliteStore
from conversations.conversation import Customer
from tests.engine.stage import START, Platform, Stage

pytestmark = pytest.mark.anyio
DOWN = "@brand my internet has been down for three days and nobody picks up the phone"


async def test_19_a_timer_that_four_overlapping_workers_see_due_sends_once(tmp_path: Path):
    one = await Stage.open(tmp_path / "db")
    workers = [one, *[await one.reopened() for _ in range(3)]]
    await one.post(DOWN)
    await one.run.engine.decide_due()
    one.clock.set(START + timedelta(minutes=30))
    for _ in range(3):
        await asyncio.gather(*(worker.run.engine.decide_due() for worker in workers))
        await asyncio.gather(*(worker.app.delivery.drain() for worker in workers))
        await asyncio.gather(*(worker.app.delivery.settle() for worker in workers))
    assert len(one.platform.log) == one.platform.sends == 1


async def test_45_a_reader_that_pins_the_log_is_told_of(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    look = watch_log(stage.store, stage.app.desk)
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from meta").fetchone()
        for n in range(70):
            await stage.store.set_meta(f"big:{n % 7}", f"{n}" * 500_000)
        assert stage.store.log_bytes > LOG_BYTES_MAX
        await look()
        assert [kind for _, kind, _ in stage.app.desk.alerts] == ["log_large"]
    for n in range(7):
        await stage.store.set_meta(f"big:{n}", "small")
    await stage.store.set_meta("after", "the reader went: the log is moved into the file and begins anew")
    await look()
    assert stage.store.log_bytes < LOG_BYTES_MAX
    assert len(stage.app.desk.alerts) == 1


async def test_48_a_newer_version_waits_for_the_older_one_and_the_older_refuses_what_it_does_not_know(tmp_path: Path):
    path = tmp_path / "db"
    old = await SqliteStore.open(path, holder="run")
    with pytest.raises(StoreInUse):
        await SqliteStore.open(path, holder="run")
    with closing(sqlite3.connect(path)) as newer:  # a newer version all the same, as an admin may do by hand
        newer.execute("alter table meta add column later text")
        newer.execute(f"pragma user_version = {VERSION + 1}")
        newer.commit()
    await old.set_meta("still", "here")
    assert await old.get_meta("still") == "here"
    assert await old.check() == []
    await old.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew):
        await SqliteStore.open(path, holder="run")
    assert path.read_bytes() == before


async def test_49_seven_days_leave_nothing_behind_in_memory(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db", platform=Platform())
    held: list[int] = []
    tracemalloc.start()
    try:
        for day in range(7):
            for n in range(12):
                await stage.post(DOWN, customer=replace(Customer(f"{day}:{n}"), handle=f"user{n}"))
                await stage.minutes(115)
            stage.platform.log.clear()
            stage.app.desk.alerts.clear()
            latest = await stage.case(f"{day}:11")
            for version in range(600):  # what was read lately is kept on purpose, and is bounded: let it be full
                dump_conversation(replace(latest, version=version))
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    grown = (held[-1] - held[2]) / (len(held) - 3)
    assert grown < 40_000, f"{grown:.0f} bytes a day: {held}"
