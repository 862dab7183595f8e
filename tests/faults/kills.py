"""kill -9 of a real process, again and again, under load: ``python -m tests.faults.kills --cycles 1000``.

Each cycle forks a process that runs the real shell (intake, engine, delivery, worker, SQLite) on one database, with the
playground channel's log on disk as the platform. The parent kills it after a random number of crash points was reached,
counted through a pipe: the signal comes from outside, so it lands anywhere. In the end one more process finishes the work, and
the judge compares what was acknowledged, the database and the platform's log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from bot import crash_points
from bot.app import wire
from bot.channels.playground import ACCOUNT, PlaygroundChannel
from bot.channels.port import Channel
from bot.clock import SystemClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.records import Arrival
from bot.store.sqlite import SqliteStore
from bot.store.sqlite_file import connect
from conversations.comprehension import Reader
from conversations.conversation import Customer
from conversations.events import CustomerPosted
from conversations.ids import ExternalId
from conversations.policy import Policy, Quiet
from conversations.wording import Wording
from conversations.wording.request import Surface

CUSTOMERS_PER_CYCLE = 6
AGAIN = 4
"""How many acknowledged posts are delivered again after a restart: a platform does not know what we know."""
POINTS_MAX = 100
"""A process is killed after at most so many crash points."""
IDLE_S = 0.3
POLICY = Policy(quiet_s=Quiet(0.0, 0.0, 0.0, 0.0))
TEXT = "My parcel is three weeks late and nobody answers, this is ridiculous"


@dataclass
class Report:
    """What became of it."""

    cycles: int
    seconds: float
    acknowledged: int
    delivered_again: int
    killed_at_work: int
    accepted: int
    accepted_twice: list[str]
    lost: list[str]
    unanswered: list[str]
    unfinished: dict[str, int]
    problems: list[str]

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled, stuck or broken."""
        return not (self.accepted_twice or self.lost or self.unanswered or self.unfinished or self.problems)


class Victim:
    """One process: takes in posts from where its predecessor's acknowledgements end, answers them, until it is killed."""

    def __init__(self, directory: Path, posts: int, pipe: int | None) -> None:
        self.directory = directory
        self.posts = posts
        self.pipe = pipe
        self.acknowledged = directory / "acknowledged"

    async def run(self, *, to_the_end: bool) -> None:
        """Work. ``to_the_end``: until nothing is left to do."""
        if self.pipe is not None:
            pipe = self.pipe
            crash_points.set_hook(lambda point: tell(pipe))
        store = await SqliteStore.open(self.directory / "hearout.db", holder="the victim")
        clock = SystemClock()
        phone = PlaygroundChannel(clock, Reader.default(), self.directory / "posts.jsonl")
        phone.open()
        channels: dict[str, Channel] = {phone.name: phone}
        desk = PlaygroundDesk(clock)
        app = wire(Config(), store, clock, channels, desk, Reader.default(), Wording.default(), POLICY)
        phone.take_in = app.intake
        working = asyncio.create_task(app.worker.run())
        begin = max(0, acknowledged(self.acknowledged) - AGAIN)
        with self.acknowledged.open("a", encoding="ascii") as acks:
            for n in range(begin, self.posts, CUSTOMERS_PER_CYCLE):
                numbers = range(n, min(n + CUSTOMERS_PER_CYCLE, self.posts))
                await app.intake([arrival(phone, number) for number in numbers])
                acks.write("".join(f"{number}\n" for number in numbers))
                acks.flush()
                await asyncio.sleep(0.002)
        while to_the_end:
            counts = await store.counts()
            if not counts.unread and not any(counts.outbox.get(name) for name in ("pending", "sending", "unknown")):
                break
            await asyncio.sleep(0.05)
        if to_the_end:
            app.worker.stop()
            await working
            await store.close()
        else:
            await asyncio.Event().wait()


def tell(pipe: int) -> None:
    """One more point was reached."""
    os.write(pipe, b".")


def arrival(phone: PlaygroundChannel, n: int) -> Arrival:
    """The n-th post; every second one is of a customer of its own."""
    posted = CustomerPosted(
        id=ExternalId(f"p{n}"),
        posted_at=phone.clock.now(),
        surface=Surface.PUBLIC if n % 3 else Surface.DIRECT,
        text=f"{TEXT} ({n})",
        reading=phone.read(TEXT),
    )
    customer = Customer(f"c{n // 2}", handle=f"c{n // 2}")
    return Arrival(
        channel=phone.name, account=ACCOUNT, id=posted.id, event=posted, at=phone.clock.now(), customer=customer
    )


def acknowledged(path: Path) -> int:
    """How many posts were acknowledged, from the first on."""
    return max((int(line) + 1 for line in path.read_text("ascii").split()), default=0) if path.exists() else 0


def cycle(directory: Path, posts: int, points: int) -> bool:
    """Fork a process and kill it when it has reached so many points, or has nothing more to do for a while.

    Returns whether it was killed at work.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            asyncio.run(Victim(directory, posts, writing).run(to_the_end=False))
        finally:
            os._exit(3)
    os.close(writing)
    os.set_blocking(reading, False)
    seen, idle_since = 0, time.monotonic()
    while seen < points and time.monotonic() - idle_since < IDLE_S:
        try:
            got = os.read(reading, 4096)
        except BlockingIOError:
            time.sleep(0.0005)
            continue
        if not got:
            break
        seen += len(got)
        idle_since = time.monotonic()
    os.kill(child, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the victim ended by itself, with status {os.waitstatus_to_exitcode(status)}")
    return seen >= points


def run(cycles: int, seed: int = 1) -> Report:
    """So many cycles, and the verdict."""
    chance = random.Random(seed)
    Reader.default().read(TEXT)
    Wording.default()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hearout-kills-") as name:
        directory = Path(name)
        again = at_work = 0
        for n in range(1, cycles + 1):
            at_work += cycle(directory, n * CUSTOMERS_PER_CYCLE, chance.randint(1, POINTS_MAX))
            again += min(AGAIN, acknowledged(directory / "acknowledged"))
        asyncio.run(Victim(directory, cycles * CUSTOMERS_PER_CYCLE, None).run(to_the_end=True))
        return judged(directory, cycles, time.monotonic() - begun, again, at_work)


def judged(directory: Path, cycles: int, seconds: float, again: int, at_work: int) -> Report:
    """Compare acknowledgements, database and log."""
    entries = [json.loads(line) for line in (directory / "posts.jsonl").read_text("utf-8").splitlines()]
    keys = Counter(entry["key"] for entry in entries)
    count = acknowledged(directory / "acknowledged")
    with closing(connect(directory / "hearout.db", read_only=True).conn) as database:
        kept = {row[0] for row in database.execute("select external_id from inbox where channel='playground'")}
        said = {row[0] for row in database.execute("select key from outbox where kind='words' and status='sent'")}
        cases = {row[0] for row in database.execute("select key from conversation")}
        unfinished = dict(
            database.execute(
                "select status, count(*) from outbox where status in ('pending', 'sending', 'unknown') group by status"
            ).fetchall()
        )
        problems = [row[0] for row in database.execute("pragma integrity_check") if row[0] != "ok"]
        problems += [f"foreign key: {row}" for row in database.execute("pragma foreign_key_check")]
        problems += [
            f"poisoned: {row}" for row in database.execute("select key from conversation where poison_count>0")
        ]
    if said != set(keys):
        problems.append(f"the database and the log disagree about {sorted(said ^ set(keys))[:5]}")
    answered = {entry["conversation"] for entry in entries}
    return Report(
        cycles=cycles,
        seconds=round(seconds, 1),
        acknowledged=count,
        delivered_again=again,
        killed_at_work=at_work,
        accepted=len(entries),
        accepted_twice=[key for key, times in keys.items() if times > 1],
        lost=[f"p{n}" for n in range(count) if f"p{n}" not in kept],
        unanswered=sorted(cases - answered),
        unfinished=unfinished,
        problems=problems,
    )


def main(arguments: Sequence[str]) -> int:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.kills", description="kill -9 a real process, under load."
    )
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    report = run(asked.cycles, asked.seed)
    print(json.dumps(asdict(report)))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
