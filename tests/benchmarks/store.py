"""How fast the store is beside raw sqlite3: ``python -m tests.benchmarks.store [--messages N] [--senders N]
[--profile]``.

Both do the same durable work per message, with as many senders at once: keep what came in, decide, claim what is to
leave, write down that it left, with a commit of its own for each of the four, shared by whoever waits at the same time.
The floor is raw sqlite3 with rows as small as they can be and no domain at all; only the ratio, in one run, says
something.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.store.port import Store
from bot.store.records import Claimed, Decision, Lane, Report, Status
from bot.store.sqlite import SqliteStore
from conversations.conversation import Author
from conversations.events import CustomerPosted, WordsAccepted
from conversations.ids import ExternalId
from tests.contracts.examples import NOW, consume, open_or_join, post, quiet_timer, row, turn_of

BATCH = 100
Rate = tuple[float, float]


# ---------------------------------------------------------------- the floor

FLOOR_SCHEMA = """
pragma journal_mode=wal; pragma synchronous=full;
create table inbox (id integer primary key, external_id text unique, conversation text, body text, done integer);
create index unread on inbox (conversation) where done=0;
create table conversation (key text primary key, state text, n integer, data text, wake_at integer) without rowid;
create index wake on conversation (wake_at) where wake_at is not null;
create table turn (id integer primary key, conversation text, body text);
create index turns on turn (conversation, id);
create table outbox (id integer primary key, conversation text, body text, status text);
create index waiting on outbox (status) where status<>'sent';
"""
KEEP = "insert into inbox (external_id, conversation, body, done) values (?,?,?,0) on conflict do nothing"


class Floor:
    """The same four steps with nothing around them."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(FLOOR_SCHEMA)
        self.x = self.db.execute
        self.waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    async def write(self, job: Callable[[], Any]) -> Any:
        """Group commit without isolation."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self.waiting:
            loop.call_soon(self.commit)
        self.waiting.append((job, future))
        return await future

    def commit(self) -> None:
        """All that waits, in one transaction."""
        group, self.waiting = self.waiting, []
        self.x("begin immediate")
        results = [job() for job, _ in group]
        self.x("commit")
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    def take_in(self, id_: str, body: str) -> None:
        """Keep, and wake."""
        key = f"x:acme:{id_}"
        if self.x(KEEP, (id_, key, body)).rowcount:
            self.x("insert into conversation values (?,'open',0,?,0) on conflict do update set wake_at=0", (key, body))

    def decide(self) -> int:
        """Read what woke, write what follows."""
        due = self.x(
            f"select key, n, data from conversation where wake_at<=1 order by wake_at limit {BATCH}"
        ).fetchall()
        for key, n, data in due:
            id_, body = self.x("select id, body from inbox where conversation=? and done=0", (key,)).fetchone()
            self.x("update inbox set done=1 where id=?", (id_,))
            text = json.loads(body).get("text")
            if text is not None:
                self.x("insert into turn (conversation, body) values (?,?)", (key, text))
                self.x("insert into outbox (conversation, body, status) values (?,?,'pending')", (key, text))
            state = json.dumps(json.loads(data) | {"last": id_})
            self.x("update conversation set n=?, data=?, wake_at=9 where key=?", (n + 1, state, key))
        return len(due)

    def claim(self) -> list[tuple[int, str]]:
        """What is to leave."""
        rows = self.x(f"select id, conversation from outbox where status='pending' limit {BATCH}").fetchall()
        for id_, _ in rows:
            self.x("update outbox set status='sending' where id=?", (id_,))
        return rows

    def report(self, rows: list[tuple[int, str]]) -> None:
        """It left."""
        for id_, key in rows:
            self.x("update outbox set status='sent' where id=?", (id_,))
            self.x("insert into turn (conversation, body) values (?,'said')", (key,))
            self.x(KEEP, (f"sent:{id_}", key, "{}"))
            self.x("update conversation set wake_at=0 where key=?", (key,))


async def run_floor(path: Path, messages: int, senders: int) -> Rate:
    """Messages per second, and microseconds of CPU for each."""
    floor = Floor(path)
    sent: dict[str, asyncio.Future[None]] = {}

    async def send(name: str) -> None:
        sent[f"x:acme:{name}"] = done = asyncio.get_running_loop().create_future()
        await floor.write(lambda: floor.take_in(name, json.dumps({"text": f"my parcel is late {name}"})))
        await done

    async def turn_wheel() -> None:
        decided = await floor.write(floor.decide)
        rows = await floor.write(floor.claim)
        if rows:
            await floor.write(lambda: floor.report(rows))
        for _, key in rows:
            sent.pop(key).set_result(None)
        if not decided and not rows:
            await asyncio.sleep(0)

    rate = await drive(send, turn_wheel, messages, senders)
    floor.db.close()
    return rate


# ---------------------------------------------------------------- the store


def decide(claimed: Claimed) -> Decision:
    """What an engine decides most often: read, one turn, one reply, one timer; a report is only read."""
    conversation = claimed.conversation
    consumed = tuple(item.sequence for item in claimed.events)
    changed = consume(claimed, timers=(quiet_timer(NOW.replace(year=2030)),))
    first = claimed.events[0].event
    if isinstance(first, WordsAccepted):
        return Decision(conversation=changed, consumed=consumed)
    assert isinstance(first, CustomerPosted)
    reply = row(conversation.key, f"{conversation.version}:0", body={"text": "We hear you.", "in_reply_to": "1"})
    return Decision(conversation=changed, consumed=consumed, turns=(turn_of(conversation.key, first),), outbox=(reply,))


async def run_store(path: Path, messages: int, senders: int, first: int = 10**9) -> Rate:
    """Messages per second, and microseconds of CPU for each."""
    store = await SqliteStore.open(path)
    try:
        return await run_on(store, messages, senders, first)
    finally:
        await store.close()


async def run_on(store: Store, messages: int, senders: int, first: int) -> Rate:
    """The same on a store that is open; customers are numbered from ``first``."""
    await store.set_lane(Lane("x:posts", at_once=BATCH))
    sent: dict[str, asyncio.Future[None]] = {}

    async def send(name: str) -> None:
        sent[f"x:acme:{name}"] = done = asyncio.get_running_loop().create_future()
        await store.take_in([post(name, f"c{name}", text=f"my parcel is late {name}")], open_or_join, NOW)
        await done

    async def turn_wheel() -> None:
        decided = await store.decide_due(NOW, BATCH, decide)
        rows = await store.claim_deliveries(NOW, 30, BATCH)
        reports = []
        for item in rows:
            id_ = ExternalId(f"s{item.sequence}")
            event = WordsAccepted(key=item.key, id=id_, accepted_at=NOW, author=Author.BOT, act=None)
            reports.append(
                Report(key=item.key, fence=item.fence, status=Status.SENT, at=NOW, external_id=id_, event=event)
            )
        if reports:
            await store.report_deliveries(reports)
        for item in rows:
            sent.pop(item.conversation).set_result(None)
        if not decided and not rows:
            await asyncio.sleep(0)

    return await drive(send, turn_wheel, messages, senders, first)


async def drive(
    send: Callable[[str], Any], turn_wheel: Callable[[], Any], messages: int, senders: int, first: int = 10**9
) -> Rate:
    """So many senders, each with its next message when the last has gone out."""
    names = iter(range(first, first + messages))

    async def sender() -> None:
        for number in names:
            await send(str(number))

    async def wheel() -> None:
        while True:
            await turn_wheel()

    turning = asyncio.create_task(wheel())
    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(sender() for _ in range(senders)))
    elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)
    return messages / elapsed, cpu * 1_000_000 / messages


def main() -> None:
    """Alternate the two, and print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--senders", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(asyncio.run, run_store(Path(directory) / "p.db", options.messages, options.senders))
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
            return
        rates: dict[str, list[Rate]] = {"floor": [], "store": []}
        for number in range(options.rounds):
            for name, run in (("floor", run_floor), ("store", run_store)):
                path = Path(directory) / f"{name}{number}.db"
                rates[name].append(asyncio.run(run(path, options.messages, options.senders)))
        for column, unit in enumerate(("per second", "µs of CPU each")):
            floor, store = (statistics.median(rate[column] for rate in rates[name]) for name in ("floor", "store"))
            print(f"{unit}: floor {floor:,.0f}  store {store:,.0f}  ratio {store / floor:.2f}")


if __name__ == "__main__":
    main()
