"""Target 2 of the performance page: a page of 100 mentions polled → durable → 100 ``create_tweet`` on loopback.

``python -m tests.benchmarks.x [--pages N] [--json]``

The floor is tweepy's AsyncClient alone with a shared session, which fetches the same page, reads each text and
renders the same reply inline, stores nothing and keeps no rule. Both talk to the same bare server in a process of its
own; only the ratio, in one run, says something. The second figure is the time from a mention's being visible in the
API to the decision's being committed.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import logging
import multiprocessing
import pstats
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from tweepy.asynchronous import AsyncClient
from yarl import URL

from bot.app import App, wire
from bot.channels.x import XAccount, XChannel, XKeys, XSettings
from bot.clock import SystemClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.sqlite import SqliteStore
from conversations.comprehension import Reader
from conversations.comprehension.reading import ReadingContext
from conversations.policy import Quiet
from conversations.wording import Wording
from conversations.wording.request import Act, Request, Situation, Surface

CPU: dict[str, list[float]] = {"floor": [], "ours": []}
"""Processor milliseconds per message: what a busy machine does not distort."""
PAGE = 100
AT_ONCE = 50
BRAND = "42"
KEYS = XKeys("consumer", "consumer-secret", "42-token", "token-secret")
TEXTS = (
    "@brand my parcel is two weeks late and nobody answers my mails",
    "@brand the kettle I bought broke after one day, this is awful quality",
    "@brand you charged me twice for the same order and support is useless",
    "@brand your app crashes every time I try to pay, I am so angry",
)
FIELDS = [
    "author_id",
    "created_at",
    "conversation_id",
    "in_reply_to_user_id",
    "referenced_tweets",
    "entities",
    "attachments",
]


# ---------------------------------------------------------------- the server


class Bare(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and nothing more: the server must not be what is measured."""

    epoch = 0
    posted = 0
    size = 0

    def __init__(self) -> None:
        self.buffer = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":", 1)[1])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.answer(head.split(b" ", 2)[:2])

    def answer(self, asked: list[bytes]) -> None:
        method, path = asked[0], asked[1].split(b"?", 1)[0]
        status = b"200 OK"
        if method == b"POST" and path == b"/2/tweets":
            Bare.posted += 1
            status, body = (
                b"201 Created",
                b'{"data":{"id":"%d","text":"ok"}}' % (2_000_000_000_000_000_000 + Bare.posted),
            )
        elif path.startswith(b"/next"):
            Bare.epoch += 1
            Bare.size = int(path.rpartition(b"/")[2])
            body = b"{}"
        elif path.endswith(b"/mentions"):
            body = mentions_page(Bare.epoch, Bare.size)
        elif path == b"/2/users/me":
            body = b'{"data":{"id":"42","username":"brand","name":"Brand"}}'
        else:
            body = b'{"meta":{"result_count":0}}'
        reset = int(time.time()) + 900
        head = (
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nx-rate-limit-limit: 1000000\r\n"
            b"x-rate-limit-remaining: 999999\r\nx-rate-limit-reset: %d\r\n\r\n" % (status, len(body), reset)
        )
        self.transport.write(head + body)


def mentions_page(epoch: int, size: int) -> bytes:
    """The page of one epoch: 100 people who complain, a while ago, so that their bursts have ended."""
    if not epoch:
        return b'{"meta":{"result_count":0}}'
    now = datetime.now(UTC)
    rows, users = [], []
    for n in range(size):
        at = now - timedelta(seconds=1500 - n)
        id_ = ((int(at.timestamp() * 1000) - 1_288_834_974_657) << 22) + epoch * 1000 + n
        author = str(10_000_000 + epoch * PAGE + n)
        rows.append(
            {
                "id": str(id_),
                "text": TEXTS[n % len(TEXTS)] + f" ({epoch * PAGE + n})",
                "author_id": author,
                "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "conversation_id": str(id_),
                "edit_history_tweet_ids": [str(id_)],
                "entities": {"mentions": [{"start": 0, "end": 6, "username": "brand", "id": BRAND}]},
            }
        )
        users.append({"id": author, "username": f"user{author}", "name": "User"})
    rows.reverse()
    return json.dumps({"data": rows, "includes": {"users": users}, "meta": {"result_count": size}}).encode()


def serve(pipe: Connection) -> None:
    """The server's process."""

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


# ---------------------------------------------------------------- the floor


class Redirect:
    """The least that leads tweepy to another server."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    def request(self, method: str, url: URL | str, *, params: Any = None, **others: Any) -> Any:
        """The same request elsewhere."""
        asked = URL(url) if isinstance(url, str) else url
        return self.session.request(method, URL(self.base + asked.raw_path_qs, encoded=True), params=params, **others)


async def floor(base: str, pages: int, reader: Reader, wording: Wording) -> list[float]:
    """Replies per second of tweepy alone, a figure per page."""
    rates = []
    async with aiohttp.ClientSession() as session:
        client = AsyncClient(
            consumer_key=KEYS.consumer_key,
            consumer_secret=KEYS.consumer_secret,
            access_token=KEYS.access_token,
            access_token_secret=KEYS.access_token_secret,
            return_type=dict,
        )
        client.session = Redirect(session, base)
        free = asyncio.Semaphore(AT_ONCE)

        async def reply(row: dict[str, Any]) -> None:
            async with free:
                reading = reader.read(row["text"], ReadingContext(channel="x", handles=("brand",)))
                topic = reading.topics[0].name if reading.topics else None
                request = Request(
                    act=Act.ACKNOWLEDGE,
                    surface=Surface.PUBLIC,
                    language=reading.language,
                    seed=row["id"],
                    topic=topic,
                    situations=(Situation.FIRST_REPLY,),
                    facts={"brand": "Brand", "dm_invite": True},
                    weight_max=280,
                )
                text = wording.render(request).text
                await client.create_tweet(text=text, in_reply_to_tweet_id=row["id"], user_auth=True)

        for _ in range(pages):
            async with session.post(base + f"/next/{PAGE}"):
                pass
            started, began = time.perf_counter(), time.process_time()
            page = await client.get_users_mentions(BRAND, user_auth=True, max_results=100, tweet_fields=FIELDS)
            await asyncio.gather(*(reply(row) for row in page["data"]))
            rates.append(PAGE / (time.perf_counter() - started))
            CPU["floor"].append(1000 * (time.process_time() - began) / PAGE)
    return rates


# ---------------------------------------------------------------- ours


@asynccontextmanager
async def program(base: str, reader: Reader, wording: Wording) -> AsyncIterator[tuple[App, XChannel]]:
    """The real program on a database file."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder) / "bench.db")
        clock = SystemClock()
        desk = PlaygroundDesk(clock)
        policy = replace(Config().domain_policy({"x": XChannel.traits}), quiet_s=Quiet(public=1.0), quiet_s_max=1.0)
        account = XAccount(
            name="brand",
            keys=KEYS,
            user_id=BRAND,
            api_url=base,
            daily_spend_usd_max=1e9,
            posts_daily_max=10**9,
            same_text_hourly_max=10**9,
            at_once=AT_ONCE,
        )
        channel = XChannel(
            XSettings((account,)),
            store=store,
            reader=reader,
            clock=clock,
            alert=desk.alert,
            policy=lambda: policy,
            rng=random.Random(1),
        )
        app = wire(Config(), store, clock, {"x": channel}, desk, reader, wording, policy)
        channel.take_in = app.intake
        await app.delivery.open()
        await channel.round()
        try:
            yield app, channel
        finally:
            await channel.close()
            await store.close()


async def ours(base: str, pages: int, reader: Reader, wording: Wording) -> list[float]:
    """Replies per second of the program, a figure per page."""
    rates = []
    async with program(base, reader, wording) as (app, channel), aiohttp.ClientSession() as session:
        client = channel.lines["brand"].client
        mentions = channel.rounds["brand"].mentions
        for n in range(1, pages + 1):
            async with session.post(base + f"/next/{PAGE}"):
                pass
            started, began = time.perf_counter(), time.process_time()
            await mentions.poll()
            while await app.engine.decide_due():
                await app.delivery.drain()
            while client.meter.items["reply_sent"] < n * PAGE or app.delivery.running:
                if not await app.delivery.drain() and app.delivery.running:
                    await asyncio.wait(app.delivery.running, return_when=asyncio.FIRST_COMPLETED)
            rates.append(PAGE / (time.perf_counter() - started))
            CPU["ours"].append(1000 * (time.process_time() - began) / PAGE)
            while await app.engine.decide_due():  # the turns of what was accepted: after the replies, as in production
                pass
    return rates


async def decided(base: str, mentions: int, reader: Reader, wording: Wording) -> list[float]:
    """Milliseconds from a poll that shows one new mention to its committed decision."""
    took = []
    async with program(base, reader, wording) as (app, channel), aiohttp.ClientSession() as session:
        for _ in range(mentions):
            async with session.post(base + "/next/1"):
                pass
            started = time.perf_counter()
            await channel.rounds["brand"].mentions.poll()
            await app.engine.decide_due()
            took.append((time.perf_counter() - started) * 1000)
    return took


def main() -> None:
    """Measure both, and say the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    base = f"http://127.0.0.1:{mine.recv()}"
    reader, wording = Reader.default(), Wording.default()
    try:
        floor_rates: list[float] = []
        our_rates: list[float] = []
        profile = cProfile.Profile()
        for _ in range(3):  # interleaved, so that a busy machine is busy for both
            floor_rates += asyncio.run(floor(base, options.pages, reader, wording))
            if options.profile:
                profile.enable()
            our_rates += asyncio.run(ours(base, options.pages, reader, wording))
            profile.disable()
        took = sorted(asyncio.run(decided(base, 300, reader, wording)))
    finally:
        process.terminate()
    result = {
        "floor_per_s": round(statistics.median(floor_rates)),
        "ours_per_s": round(statistics.median(our_rates)),
        "ratio": round(statistics.median(our_rates) / statistics.median(floor_rates), 3),
        "floor_cpu_ms": round(statistics.median(CPU["floor"]), 2),
        "ours_cpu_ms": round(statistics.median(CPU["ours"]), 2),
        "decided_ms_p50": round(statistics.median(took), 1),
        "decided_ms_p99": round(took[int(len(took) * 0.99)], 1),
    }
    print(json.dumps(result) if options.json else "\n".join(f"{name}: {value}" for name, value in result.items()))
    if options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
