"""Target 8: PostgreSQL. ``python -m tests.benchmarks.store_postgres [--cases N] [--batch N] [--rounds N] [--json]``

How fast decisions are, beside a bare loop of the same statements in the same transactions with constant values, in the same run:
no documents, no domain. At least 70 % of it. Then with 2 ms more for every commit that reaches the disk (``commit_delay``)
and one conversation a claim: two workers at least 1.6 times as fast as one. Last, what the whole way of a message costs: kept,
decided, claimed, reported.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

import psutil
import psycopg

from bot.store.postgres import PostgresStore
from bot.store.records import Claimed, Decision
from bot.store.rows import OUTBOX_WRITTEN, TURN_COLUMNS, marks, outbox_params, turn_params
from bot.store.steps import to_postgres
from conversations.ids import ConversationKey
from tests.benchmarks.figures import Figure, at_least, show
from tests.benchmarks.store import run_on
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
DELAY_MS = 2.0
BARE_SHARE = 0.7
TWO_TIMES = 1.6
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


def processor_s(server: PostgresServer) -> float:
    """Seconds of processor time that this program and the server have used: what a busy machine does not distort."""
    parent = psutil.Process(server.pid)
    while True:
        try:
            children = parent.children(recursive=True)
            of_children = sum(sum(child.cpu_times()[:2]) for child in children)
        except psutil.NoSuchProcess:
            continue  # one ended meanwhile: what it used is its parent's now
        return time.process_time() + sum(parent.cpu_times()[:4]) + of_children


async def rate(server: PostgresServer, run: Run, cases: int, batch: int, workers: int) -> tuple[float, float]:
    """Decisions per second of so many workers, and milliseconds of processor time for each, the program's and the server's."""
    backend = await server.database()
    store = await PostgresStore.open(backend.url)
    for first in range(0, cases, 100):
        await store.take_in([post(str(n), f"c{n}") for n in range(first, first + 100)], open_or_join, NOW)
    await store.close()
    with psycopg.connect(backend.url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    begun, cpu = time.perf_counter(), processor_s(server)
    done = await asyncio.gather(*(run(backend.url, batch) for _ in range(workers)))
    assert sum(done) == cases
    return cases / (time.perf_counter() - begun), (processor_s(server) - cpu) * 1000 / cases


async def whole_way(server: PostgresServer, messages: int, senders: int) -> tuple[float, float]:
    """Messages per second through the store with so many senders, and milliseconds of this program's CPU for each."""
    backend = await server.database()
    store = await PostgresStore.open(backend.url)
    try:
        per_s, cpu_us = await run_on(store, messages, senders, 10**9)
    finally:
        await store.close()
    return per_s, cpu_us / 1000


async def set_delay(server: PostgresServer, milliseconds: float) -> None:
    """Every commit that reaches the disk takes so much longer."""
    backend = await server.database()
    with psycopg.connect(backend.url, autocommit=True) as connection:
        connection.execute(f"alter system set commit_delay = {int(milliseconds * 1000)}".encode())
        connection.execute("alter system set commit_siblings = 0")
        connection.execute("select pg_reload_conf()")


async def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures."""
    server = PostgresServer(wait_for_disk=True)
    try:
        await set_delay(server, 0.0)
        found: dict[str, list[float]] = {"bare": [], "store": [], "one": [], "two": [], "bare ms": [], "store ms": []}
        for _ in range(options.rounds):
            for name, run in (("bare", bare), ("store", ours)):
                per_s, cpu_ms = await rate(server, run, options.cases, options.batch, 1)
                found[name].append(per_s)
                found[f"{name} ms"].append(cpu_ms)
        way, way_cpu = await whole_way(server, options.cases, 50)
        await set_delay(server, DELAY_MS)
        for _ in range(options.rounds):
            for name, workers in (("one", 1), ("two", 2)):
                found[name].append((await rate(server, ours, max(100, options.cases // 400 * 100), 1, workers))[0])
    finally:
        server.stop()
    of = {name: median(rates) for name, rates in found.items()}
    return [
        at_least(
            f"decisions, {options.batch} a claim, beside the bare loop", of["store"], of["bare"], "/s", BARE_SHARE
        ),
        Figure(
            "processor time of a decision, program and server",
            of["store ms"],
            "ms",
            of["bare ms"],
            of["store ms"] / of["bare ms"],
        ),
        at_least(
            f"two workers, 1 a claim, + {DELAY_MS:g} ms a commit, beside one", of["two"], of["one"], "/s", TWO_TIMES
        ),
        Figure("the whole way of a message, 50 at once", way, "messages/s"),
        Figure("the program's own CPU of it", way_cpu, "ms"),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.store_postgres", description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    return show("PostgreSQL", asyncio.run(measure(options)), options.json)


if __name__ == "__main__":
    sys.exit(main())
