"""``hearout migrate --from … --to …``: a brand moves whole, with its timers, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bot.app import playground
from bot.store import moving
from bot.store.moving import TABLES, move, refuse_moved
from bot.store.opening import open_url
from bot.store.port import StoreError, StoreInUse, StoreMissing
from bot.store.sqlite import SqliteStore
from conversations.conversation import Agent, Customer
from conversations.events import AgentClaimed
from conversations.wording.request import Surface
from tests.cli.kit import hearout
from tests.contracts.backends import PostgresServer
from tests.contracts.examples import NOW, open_or_join, post, read_all, set_aside

pytestmark = pytest.mark.anyio
STORIES = (
    "My parcel is three weeks late and nobody answers, this is ridiculous",
    "You charged me twice for order 4711 and support ignores me",
    "The charger caught fire and burned my hand",
    "40 minutes on hold AGAIN. joke of a company",
)


async def fill(folder: Path) -> str:
    """A playground whose conversations stand in many states."""
    async with playground(folder) as app:
        for n, story in enumerate(STORIES):
            await app.phone.post(Customer(f"c{n}", f"c{n}", f"Customer {n}"), story, Surface.PUBLIC, f"p{n}")
            await app.engine.decide_due()
            await app.delivery.drain()
            await app.delivery.settle()
            await app.jump(app.clock.now() + timedelta(minutes=16))
            await app.engine.decide_due()
        claimed = (await app.store.conversations(customer="c0"))[0]
        await app.acts.submit(claimed.key, AgentClaimed(agent=Agent("a1", "Mia")), "claim")
        await app.engine.decide_due()
        await app.store.take_in([post("aside", "c9", text="nice weather")], set_aside, NOW)
        await app.store.erase_customer("c3", app.clock.now())
    return f"sqlite:///{folder / 'playground.db'}"


async def fresh(postgres: PostgresServer) -> str:
    """An empty database."""
    return await postgres.unprepared()


async def test_everything_arrives_with_its_timers_and_work_goes_on(postgres: PostgresServer, tmp_path: Path) -> None:
    source, target = await fill(tmp_path), await fresh(postgres)
    done = hearout("migrate", "--from", source, "--to", target, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for table in TABLES:
        assert f"{table}: ".encode() in done.stdout
    old, new = await open_url(source, read_only=True), await open_url(target)
    assert await new.conversations() == await old.conversations()
    assert len({case.state for case in await new.conversations()}) >= 2
    assert await new.next_wake_at() == await old.next_wake_at()
    assert (await new.outbox()) == (await old.outbox())
    assert (await new.asides()) == (await old.asides())
    assert (await new.audits()) == (await old.audits())
    [again, fresh_post] = await new.take_in(
        [post("aside", "c9"), post("new", "c10")], open_or_join, NOW + timedelta(days=400)
    )
    assert not again.new, "what was seen before the move is known after it"
    assert fresh_post.new
    later = NOW + timedelta(days=500)
    assert await new.decide_due(later, 100, read_all) >= 1
    await old.close()
    await new.close()
    assert b"moved already" in hearout("migrate", "--from", source, "--to", target, cwd=tmp_path).stdout


async def test_a_move_that_broke_off_goes_on(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = await fill(tmp_path), await fresh(postgres)
    monkeypatch.setattr(moving, "BATCH", 3)
    told: list[tuple[str, int]] = []

    def breaking(table: str, rows: int) -> None:
        told.append((table, rows))
        if table == "turn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move(source, target, breaking)
    new = await open_url(target)
    with pytest.raises(StoreError, match="not finished"):
        await refuse_moved(new, target)
    await new.close()
    resumed: list[str] = []
    verified = await move(source, target, lambda table, _rows: resumed.append(table))
    assert "inbox" not in resumed, "what had arrived is not sent again"
    assert verified["turn"].rows > 3
    old = await open_url(source)
    with pytest.raises(StoreError, match="was moved to"):
        await refuse_moved(old, source)
    await old.close()


async def test_what_was_written_in_between_is_not_lost(postgres: PostgresServer, tmp_path: Path) -> None:
    source, target = await fill(tmp_path), await fresh(postgres)

    def breaking(table: str, _rows: int) -> None:
        if table == "label" or table == "audit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await move(source, target, breaking)
    store = await open_url(source)
    case = (await store.conversations(customer="c1"))[0]
    await store.decide_due(NOW + timedelta(days=900), 100, read_all)
    changed = await store.conversation(case.key)
    await store.close()
    assert changed != case
    await move(source, target)
    new = await open_url(target, read_only=True)
    assert await new.conversation(case.key) == changed
    await new.close()


async def test_a_target_with_anything_in_it_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    source, target = await fill(tmp_path), await fresh(postgres)
    other = await open_url(target)
    await other.take_in([post("1")], open_or_join, NOW)
    await other.close()
    done = hearout("migrate", "--from", source, "--to", target, cwd=tmp_path)
    assert done.returncode == 3
    assert b"another brand" in done.stderr
    another = await fill_other(tmp_path / "other")
    target = await fresh(postgres)
    await move(source, target)
    with pytest.raises(StoreError, match="another database was moved"):
        await move(another, target)


async def fill_other(folder: Path) -> str:
    """Another brand."""
    folder.mkdir()
    store = await SqliteStore.open(folder / "hearout.db")
    await store.take_in([post("1")], open_or_join, NOW)
    await store.close()
    return f"sqlite:///{folder / 'hearout.db'}"


async def test_nothing_moves_while_a_bot_runs_or_from_nowhere(url: str, tmp_path: Path) -> None:
    source = await fill(tmp_path)
    running = await SqliteStore.open(tmp_path / "playground.db", holder="hearout run")
    with pytest.raises(StoreInUse, match="hearout run"):
        await move(source, url)
    await running.close()
    new = await open_url(url)
    await new.lease("process:worker:there:1:ab", "there:1:ab", datetime.now(UTC), 60)
    with pytest.raises(StoreInUse, match="there:1:ab"):
        await move(source, url)
    await new.close()
    with pytest.raises(StoreMissing):
        await move(f"sqlite:///{tmp_path / 'nothing.db'}", url)


async def test_a_row_that_arrives_changed_stops_the_move(postgres: PostgresServer, tmp_path: Path) -> None:
    source, target = await fill(tmp_path), await fresh(postgres)

    def meddling(table: str, _rows: int) -> None:
        if table == "meta":
            with psycopg.connect(target, autocommit=True) as connection:
                connection.execute("update conversation set wake_at=1 where id=(select min(id) from conversation)")

    with pytest.raises(StoreError, match=r"conversation: .* rows left"):
        await move(source, target, meddling)
    old = await open_url(source)
    await refuse_moved(old, source)
    await old.close()


async def test_it_moves_back_as_well(postgres: PostgresServer, tmp_path: Path) -> None:
    source, target = await fill(tmp_path), await fresh(postgres)
    there = await move(source, target)
    back = await move(target, f"sqlite:///{tmp_path / 'back.db'}")
    assert {name: found for name, found in there.items() if name != "meta"} == {
        name: found for name, found in back.items() if name != "meta"
    }
