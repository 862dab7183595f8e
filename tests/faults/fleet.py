"""kill -9 among several processes on one PostgreSQL: ``python -m tests.faults.fleet --kills 500 [--processes 4]``.

Each process is the program that ``hearout run`` runs, with the strict local X and Slack behind real sockets. At random moments
one of them is killed and another one started, while complaints come in. In the end they finish what is left, and the judge
looks at what the platforms took, and at the database. ``--pauses 0.2`` stops (SIGSTOP) a fifth of them for longer than a lease
before they are killed.

Switched off are the platforms' limits, the desk's pace and our caps of like texts and of money, which would stop it, and X's
refusal of repetitions, which would hide what was said twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from bot.slack.marks import ids_of, opaque
from bot.store.opening import open_url
from tests.contracts.backends import PostgresServer
from tests.live.company import Company, company_of
from tests.platforms.x.faults import Fault, Kind
from tests.platforms.x.limits import Quota, x_quotas

LEASE_S = 2.0
CALL_S = 5.0
"""A call that takes longer counts as unknown; a claim lasts for four of them, as in earnest (where it is a minute)."""
QUARANTINE_S = 10.0
"""A platform may take so long to work on a call that was given up: it shares this machine."""
APART_S = (0.1, 0.9)
"""Between two kills."""
STUCK_S = 120.0
"""Work that has not become less for so long is stuck."""
SLOW = (
    Fault(Kind.DELAY, "POST /2/tweets", times=None, rate=0.4, delay_s=0.4),
    Fault(Kind.LATE, "POST /2/tweets", times=None, rate=0.2, delay_s=0.4),
)
"""X takes its time with posts, so that many a kill falls between what X has taken and what we have written down."""
STORIES = (
    "three weeks for a parcel and nobody answers, order {n}",
    "40 minutes on hold AGAIN about order {n}. joke of a company",
    "you charged me twice for order {n} and support ignores me",
    "the kettle of order {n} broke after one day, awful quality",
)
SETTINGS = """
posts_daily_max = 100000
timeout_s = 5.0
daily_spend_usd_max = 1000000.0
"""


@dataclass
class Report:
    """What became of it."""

    processes: int
    kills: int
    pauses: int
    ended_by_themselves: int
    seconds: float
    complaints: int
    replies: int
    claimed_again: int
    replied_twice: list[str]
    unanswered: list[str]
    cards: int
    cases: int
    shown_twice: list[str]
    outbox: dict[str, int]
    problems: list[str]

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled, stuck or broken."""
        whole = self.replies == self.complaints == self.cases == self.cards
        return whole and not (self.replied_twice or self.unanswered or self.shown_twice or self.problems)


def victim(folder: str, secrets: dict[str, str]) -> None:
    """One process of the bot, until it is killed or told to stop."""
    os.chdir(folder)
    os.environ.update(secrets)
    with open("log", "ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    asyncio.run(work())


async def work() -> None:
    """``hearout run`` without its web server, and with the paces that this trial can wait for."""
    from bot.config import load_config
    from bot.desk.slack import board, desk
    from bot.live import live

    board.POST_PACE_S = board.UPDATE_PACE_S = desk.POST_PACE_S = desk.UPDATE_PACE_S = 0.0
    async with live(load_config(Path("config.toml"))) as program:
        app = program.app
        app.desk.sending_s, app.desk.quarantine_s = 4 * CALL_S, QUARANTINE_S
        link = app.desk.slack  # type: ignore[attr-defined]
        link.settings = replace(link.settings, call_s=CALL_S)
        for line in app.channels["x"].lines.values():  # type: ignore[attr-defined]
            line.account = replace(line.account, same_text_hourly_max=1_000_000)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.worker.stop)
        await app.worker.run()


class Fleet:
    """The processes, each replaced when it dies."""

    def __init__(self, company: Company, size: int, seed: int) -> None:
        self.company = company
        self.size = size
        self.chance = random.Random(seed)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.faults.warm"])
        self.running: list[BaseProcess] = []
        self.kills = self.pauses = self.posted = self.ended = 0

    def start(self) -> None:
        """As many as there should be."""
        while len(self.running) < self.size:
            process = self.context.Process(target=victim, args=(str(self.company.folder), self.company.secrets))
            process.start()
            self.running.append(process)

    def complain(self) -> None:
        """Somebody new writes."""
        self.posted += 1
        user = self.company.x.world.add_user(f"customer{self.posted}")
        text = self.chance.choice(STORIES).format(n=10_000 + self.posted)
        self.company.x.world.post(user, f"@acme {text}")

    async def kill(self, pauses: float) -> None:
        """One of them dies; some are silent before it for longer than their leases."""
        process = self.chance.choice(self.running)
        assert process.pid is not None
        if self.chance.random() < pauses:
            self.pauses += 1
            os.kill(process.pid, signal.SIGSTOP)
            await asyncio.sleep(LEASE_S * 1.5)
            os.kill(process.pid, signal.SIGCONT)
            await asyncio.sleep(self.chance.uniform(0.0, 0.3))
        if process.is_alive():
            process.kill()
            self.kills += 1
        else:
            self.ended += 1
        self.running.remove(process)
        await asyncio.to_thread(process.join)

    async def finish(self) -> None:
        """Let them finish what is left, for as long as it becomes less; then stop them."""
        store = await open_url(self.company.url, read_only=True)
        least, since = sys.maxsize, time.monotonic()
        try:
            while time.monotonic() - since < STUCK_S:
                await asyncio.sleep(0.5)
                counts = await store.counts()
                left = sum(counts.outbox.get(name, 0) for name in ("pending", "sending", "unknown")) + counts.unread
                left += self.posted - sum(1 for ids in cards(self.company).values() if ids)
                if left <= 0:
                    break
                if left < least:
                    least, since = left, time.monotonic()
        finally:
            await store.close()
        for process in self.running:
            process.terminate()
        for process in self.running:
            await asyncio.to_thread(process.join, 30)
            if process.is_alive():
                process.kill()


def cards(company: Company) -> dict[str, list[str]]:
    """The messages at the desk that are cases' cards, and the ids that each carries. Alerts are none."""
    world = company.slack.world
    wanted = {opaque(f"card:x:acme:{id_}") for id_ in company.x.world.posts}
    found: dict[str, list[str]] = {}
    for message in world.history(company.channel):
        ids = ids_of({"metadata": message.metadata}) if message.metadata else []
        if message.user == world.app.bot_user and wanted.intersection(ids):
            found[message.ts] = sorted(ids)
    return found


async def run(folder: Path, url: str, kills: int, processes: int, pauses: float = 0.0, seed: int = 1) -> Report:
    """So many kills, and the verdict."""
    begun = time.monotonic()
    async with company_of(folder, url, lease_s=LEASE_S, quarantine_s=QUARANTINE_S, account=SETTINGS) as company:
        company.x.limits.quotas = {name: (Quota(10_000_000),) for name in x_quotas()}
        company.x.settings.duplicate_window_s = 0.0
        company.slack.limits.enabled = False
        for fault in SLOW:
            company.x.faults.add(fault)
        fleet = Fleet(company, processes, seed)
        try:
            fleet.start()
            for _ in range(kills):
                fleet.complain()
                await asyncio.sleep(fleet.chance.uniform(*APART_S))
                await fleet.kill(pauses)
                fleet.start()
                if fleet.kills % 50 == 0:
                    print(f"{fleet.kills} kills, {len(company.said())} replies", file=sys.stderr, flush=True)
            await fleet.finish()
        finally:
            for process in fleet.running:
                if process.is_alive():
                    process.kill()
        return await judged(fleet, time.monotonic() - begun)


async def judged(fleet: Fleet, seconds: float) -> Report:
    """Compare what was written, what the platforms took, and the database."""
    company = fleet.company
    world = company.slack.world
    posts = [post.id for post in company.x.world.posts.values() if post.author_id != company.brand.id]
    replies = Counter(sent.reply_to_id for sent in company.said() if sent.kind == "post")
    shown = Counter(
        id_
        for message in world.history(company.channel)
        if message.user == world.app.bot_user and message.metadata
        for id_ in ids_of({"metadata": message.metadata})
    )
    store = await open_url(company.url, read_only=True)
    counts = await store.counts()
    problems = [f"poisoned: {bad.conversation}: {bad.error}" for bad in await store.poisoned()]
    problems += await store.check()
    bad = await store.outbox(statuses=("failed", "rejected", "refused"), limit=20)
    bad += await store.outbox(statuses=("pending", "sending", "unknown"), limit=5)
    problems += [f"{row.status.value}: {row.key} {row.kind.value}: {row.reason}" for row in bad]
    cases = await store.conversations(limit=100_000)
    claimed_again = sum(1 for row in await store.outbox(limit=100_000) if row.fence > 1)
    held = await store.leases(datetime.now(UTC))
    await store.close()
    # a killed process's own presence runs out by itself; what others could have taken over must be free
    held = [lease for lease in held if not lease.name.startswith(("duty:", "process:"))]
    problems += [f"still leased: {lease.name}" for lease in held]
    return Report(
        processes=fleet.size,
        kills=fleet.kills,
        pauses=fleet.pauses,
        ended_by_themselves=fleet.ended,
        seconds=round(seconds, 1),
        complaints=len(posts),
        replies=sum(replies.values()),
        claimed_again=claimed_again,
        replied_twice=sorted(str(id_) for id_, times in replies.items() if times > 1),
        unanswered=sorted(id_ for id_ in posts if id_ not in replies),
        cards=len(cards(company)),
        cases=len(cases),
        shown_twice=sorted(id_ for id_, times in shown.items() if times > 1),
        outbox=dict(counts.outbox),
        problems=problems,
    )


async def main(arguments: Sequence[str]) -> int:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fleet", description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--pauses", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="an empty PostgreSQL database instead of one that is started for it")
    asked = parser.parse_args(arguments)
    server = None if asked.url else PostgresServer()
    try:
        url = asked.url or (await server.database()).url
        with tempfile.TemporaryDirectory(prefix="hearout-fleet-") as name:
            report = await run(Path(name), url, asked.kills, asked.processes, asked.pauses, asked.seed)
            if not report.good:
                print((Path(name) / "log").read_text(errors="replace")[-6000:], file=sys.stderr)
    finally:
        if server is not None:
            server.stop()
    print(json.dumps(asdict(report)))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
