"""How fast decisions are on PostgreSQL: ``python -m tests.benchmarks.store_postgres [--cases N] [--batch N] [--fsync-ms MS]``.

Beside it, in the same run, a bare loop of the same statements in the same transactions with constant values: no documents, no
domain. Then the same with two workers. ``--fsync-ms`` adds a wait to every commit that reaches the disk (``commit_delay``).
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

import psycopg

from bot.store.postgres import PostgresStore
from bot.store.records import Claimed, Decision
from bot.store.rows import OUTBOX_WRITTEN, TURN_COLUMNS, marks, outbox_params, turn_params
from bot.store.steps import to_postgres
from conversations.ids import ConversationKey
from tests.contracts.backends import PostgresServer
from tests.contracts.examples import NOW, deciding, open_or_join, post, posted, quiet_timer, row, turn_of

DUE = """select key, version, document, poison_count from conversation
  where wake_at<=%s order by wake_at limit %s for update skip locked"""
UNREAD = "select sequence, kind, document from inbox where conversation=%s and read_at is null order by sequence"
READ = "update inbox set read_at=%s where sequence=%s and conversation=%s"
TURN = to_postgres(f"insert into turn ({TURN_COLUMNS}) values ({marks(15)})")
OUT = to_postgres(f"insert into outbox ({OUTBOX_WRITTEN}) values ({marks(18)}) on conflict (key) do nothing")
SAVE = """update conversation set version=%s, wake_at=%s, owner=null, queue='', language='und', closed_at=null,
  updated_at=%s, document=%s where key=%s and version=%s returning 1"""
NOW_US = 1 << 60
Run = Callable[[str, int], Awaitable[int]]


async def bare(url: str, batch: int) -> int:
    """The statements alone, until nothing is due."""
    done = 0
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            async with connection.transaction():
                due = await (await connection.execute(DUE, (NOW_US, batch))).fetchall()
                for key, version, document, _ in due:
                    unread = await (await connection.execute(UNREAD, (key,))).fetchall()
                    turn = turn_params(turn_of(ConversationKey(key), posted(key)))
                    async with connection.pipeline():
                        await connection.execute(READ, (1, unread[0][0], key))
                        await connection.execute(TURN, turn)
                        await connection.execute(OUT, outbox_params(row(ConversationKey(key), "0"), 1))
                        save = await connection.execute(SAVE, (version + 1, None, 1, document, key, version))
                    await save.fetchall()
            if not due:
                return done
            done += len(due)


def decide(claimed: Claimed) -> Decision:
    """One turn, one reply, one timer."""
    reply = row(claimed.conversation.key, "0")
    return deciding(outbox=(reply,), changes={"timers": (quiet_timer(NOW.replace(year=2040)),)})(claimed)


async def ours(url: str, batch: int) -> int:
    """The store, until nothing is due."""
    store = await PostgresStore.open(url, connections_max=2)
    done = 0
    while count := await store.decide_due(NOW, batch, decide):
        done += count
    await store.close()
    return done


async def rate(server: PostgresServer, run: Run, options: argparse.Namespace, workers: int) -> tuple[float, float]:
    """Decisions per second of so many workers, and this program's own milliseconds of CPU for each."""
    backend = await server.database()
    store = await PostgresStore.open(backend.url)
    for first in range(0, options.cases, 100):
        await store.take_in([post(str(n), f"c{n}") for n in range(first, first + 100)], open_or_join, NOW)
    await store.close()
    with psycopg.connect(backend.url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    begun, cpu = time.perf_counter(), time.process_time()
    done = await asyncio.gather(*(run(backend.url, options.batch) for _ in range(workers)))
    assert sum(done) == options.cases
    return options.cases / (time.perf_counter() - begun), (time.process_time() - cpu) * 1000 / options.cases


async def main(options: argparse.Namespace) -> None:
    """Print the rates."""
    server = PostgresServer(wait_for_disk=True)
    try:
        backend = await server.database()
        with psycopg.connect(backend.url, autocommit=True) as connection:
            connection.execute(f"alter system set commit_delay = {int(options.fsync_ms * 1000)}".encode())
            connection.execute("alter system set commit_siblings = 0")
            connection.execute("select pg_reload_conf()")
        for name, run in (("bare", bare), ("store", ours), ("bare", bare), ("store", ours)):
            found = [await rate(server, run, options, workers) for workers in (1, 2)]
            one, two = (f"{per_s:,.0f}/s ({cpu_ms:.2f} ms CPU)" for per_s, cpu_ms in found)
            print(f"{name:5}  1 worker {one}  2 workers {two}  batch {options.batch}")
    finally:
        server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--fsync-ms", type=float, default=0.0)
    asyncio.run(main(parser.parse_args()))
