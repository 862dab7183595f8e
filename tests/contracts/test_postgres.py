"""What PostgreSQL does besides the contract: several programs at once, wake-ups between them, lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from bot.store.port import Store, StoreTooNew, StoreUnavailable
from bot.store.postgres import PostgresStore, migrate
from bot.store.records import Claimed, Decision, Lane, OutboxRow, Status
from bot.store.schema import VERSION
from conversations.ids import ConversationKey
from tests.contracts.backends import PostgresBackend, PostgresServer
from tests.contracts.examples import (
    NOW,
    act,
    at,
    decided,
    deciding,
    must_not_route,
    open_or_join,
    opened,
    post,
    posted,
    quiet_timer,
    read_all,
    reported,
    row,
    turn_of,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(postgres: PostgresServer) -> PostgresBackend:
    """An empty database."""
    return await postgres.database()


@pytest.fixture
async def stores(database: PostgresBackend) -> AsyncIterator[list[PostgresStore]]:
    """Four programs on one database."""
    found = [await PostgresStore.open(database.url, connections_max=3) for _ in range(4)]
    yield found
    for store in found:
        await store.close()


async def test_posts_that_reach_four_programs_at_once_are_kept_once(stores: list[PostgresStore]) -> None:
    pages = [[post(f"{customer}-{n}", f"c{customer}") for n in range(5)] for customer in range(10)]
    taken = await asyncio.gather(*(store.take_in(page, open_or_join, NOW) for page in pages for store in stores))
    assert sum(item.new for page in taken for item in page) == 50
    assert (await stores[0].counts()).by_state == {"LISTENING": 10}


async def test_acts_that_reach_four_programs_at_once_are_kept_once(stores: list[PostgresStore]) -> None:
    key = await opened(stores[0], "1")
    acts = [act(key) for _ in range(20)]
    taken = await asyncio.gather(*(store.take_in([item], must_not_route, NOW) for item in acts for store in stores))
    assert sum(item.new for [item] in taken) == 20
    assert (await stores[0].counts()).unread == 20


async def test_four_programs_decide_every_conversation_once_and_serially(stores: list[PostgresStore]) -> None:
    await stores[0].take_in([post(str(n), f"c{n}") for n in range(60)], open_or_join, NOW)
    seen: list[ConversationKey] = []

    def decide(item: Claimed) -> Decision:
        seen.append(item.conversation.key)
        return read_all(item)

    while sum(await asyncio.gather(*(store.decide_due(NOW, 5, decide) for store in stores))):
        pass
    assert len(seen) == len(set(seen)) == 60
    assert {item.version for item in await stores[0].conversations()} == {1}


async def test_no_wake_up_is_lost_between_intake_and_decisions(stores: list[PostgresStore]) -> None:
    keys = [await opened(stores[0], str(n), f"c{n}") for n in range(3)]
    stop = asyncio.Event()

    async def take_in(store: PostgresStore) -> None:
        for _ in range(40):
            await store.take_in([act(key) for key in keys], must_not_route, NOW)
        stop.set()

    async def decide(store: PostgresStore) -> None:
        while not stop.is_set():
            await store.decide_due(NOW, 3, read_all)

    await asyncio.gather(take_in(stores[0]), *(decide(store) for store in stores[1:]))
    while await stores[0].decide_due(NOW, 10, read_all):
        pass
    counts = await stores[0].counts()
    assert (counts.unread, counts.poisoned) == (0, 0)


async def test_a_lane_is_one_senders_however_many_claim(stores: list[PostgresStore]) -> None:
    for number in range(6):
        key = await opened(stores[0], str(number), f"c{number}")
        await decided(stores[0], key, outbox=(row(key, "a"),))
    sent: list[OutboxRow] = []
    while len(sent) < 6:
        rounds = await asyncio.gather(*(store.claim_deliveries(NOW, 30, 10) for store in stores))
        [item] = [item for rows in rounds for item in rows]
        assert await reported(stores[1], item, Status.SENT)
        sent.append(item)
    assert len({item.key for item in sent}) == 6


async def test_a_wide_lane_never_sends_more_than_it_may(stores: list[PostgresStore]) -> None:
    await stores[0].set_lane(Lane("x:posts", at_once=3))
    for number in range(8):
        key = await opened(stores[0], str(number), f"c{number}")
        await decided(stores[0], key, outbox=(row(key, "a"),))
    rounds = await asyncio.gather(*(store.claim_deliveries(NOW, 30, 2) for store in stores))
    assert sum(len(rows) for rows in rounds) == 3


async def test_one_bad_decision_among_many_is_taken_back_alone(stores: list[PostgresStore]) -> None:
    store = stores[0]
    await store.take_in([post(str(n), f"c{n}") for n in range(10)], open_or_join, NOW)
    orphan = turn_of(ConversationKey("x:acme:nowhere"), posted("orphan"))

    def decide(item: Claimed) -> Decision:
        bad = item.conversation.key == "x:acme:5"
        return deciding(outbox=(row(item.conversation.key, "a"),), turns=(orphan,) if bad else ())(item)

    assert await store.decide_due(NOW, 10, decide) == 10
    assert [item.conversation for item in await store.poisoned()] == ["x:acme:5"]
    assert len(await store.outbox()) == 9


async def test_programs_wake_each_other(stores: list[PostgresStore]) -> None:
    decide, deliver = asyncio.Event(), asyncio.Event()
    listening, writing = stores[:2]
    await listening.listen(decide, deliver)
    decide.clear()
    deliver.clear()
    await writing.take_in([post("1")], open_or_join, NOW)
    await asyncio.wait_for(decide.wait(), 30)
    assert not deliver.is_set()
    await writing.decide_due(NOW, 10, read_all)
    await asyncio.wait_for(deliver.wait(), 30)


async def test_a_lost_connection_is_an_outage_and_then_work_goes_on(database: PostgresBackend) -> None:
    store = await PostgresStore.open(database.url, connections_max=1)
    await opened(store, "1", timers=(quiet_timer(at(60)),))

    def cut(item: Claimed) -> Decision:
        with psycopg.connect(database.url, autocommit=True) as killer:
            others = "pid<>pg_backend_pid() and datname=current_database()"
            killer.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {others}".encode())
        return read_all(item)

    with pytest.raises(StoreUnavailable):
        await store.decide_due(at(60), 10, cut)
    assert await store.decide_due(at(60), 10, read_all) == 1
    assert await store.poisoned() == []
    await store.close()


async def test_a_database_of_a_newer_version_is_refused(postgres: PostgresServer) -> None:
    url = await postgres.unprepared()
    await migrate(url)
    with psycopg.connect(url, autocommit=True) as newer:
        newer.execute("insert into schema_version values (%s)", (VERSION + 1,))
    with pytest.raises(StoreTooNew, match=f"schema {VERSION + 1}"):
        await PostgresStore.open(url)


async def test_programs_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    url = await postgres.unprepared()
    started: list[Store] = list(await asyncio.gather(*(PostgresStore.open(url) for _ in range(4))))
    assert await started[0].check() == []
    for store in started:
        await store.close()


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    with pytest.raises(StoreUnavailable):
        await PostgresStore.open("postgresql://nobody@127.0.0.1:1/nothing")
