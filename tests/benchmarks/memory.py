"""Target 7: memory. ``python -m tests.benchmarks.memory [--days 7] [--mentions 200] [--json]``

The resident memory of ``hearout`` at rest, as a process of its own: at most 120 MB. Then a simulated week in a process: so many
complaints a day through the real engine, store and delivery on a clock that is moved; from the second day to the last it must not
grow by more than 5 %. SQLite's cache of pages is kept at 2 MB here; in earnest it fills to its 32 MB within weeks, and stays.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from bot import log
from bot.app import wire
from bot.channels.playground import PlaygroundChannel
from bot.channels.port import Channel
from bot.clock import VirtualClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.sqlite import SqliteStore
from bot.virtual import VirtualRun
from conversations.comprehension import Reader
from conversations.conversation import Customer
from conversations.wording import Wording
from conversations.wording.request import Surface
from tests.benchmarks.figures import Figure, at_most, show, within

AT_REST_MB = 120.0
GROWTH = 1.05
STORIES = (
    "my parcel is three weeks late and nobody answers, order {n}",
    "you charged me twice for order {n} and support ignores me",
    "the kettle of order {n} broke after one day, awful quality",
    "40 minutes on hold AGAIN about order {n}. joke of a company",
)


def resident_mb(process: psutil.Process | None = None) -> float:
    """Resident memory."""
    return float((process or psutil.Process()).memory_info().rss) / 2**20


def at_rest_mb(folder: Path) -> float:
    """Of the playground, when it has printed its address and a page was asked for."""
    words = [sys.executable, "-m", "bot", "--port", "0", "--no-browser", "--data", str(folder / "data")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if re.search(r"http://\S+", line):
                    break
            children = psutil.Process(process.pid)
            steady = [0.0]
            while abs((now := resident_mb(children)) - steady[-1]) > 0.1:
                steady.append(now)
                psutil.wait_procs([children], timeout=2)
            return now
        finally:
            process.terminate()
            process.communicate()


async def week(folder: Path, days: int, mentions: int) -> list[float]:
    """Resident megabytes at the end of each day."""
    store = await SqliteStore.open(folder / "week.db")
    store.database.execute("pragma cache_size=-2048")
    clock = VirtualClock(datetime(2026, 11, 2, tzinfo=UTC))
    reader = Reader.default()
    phone = PlaygroundChannel(clock, reader, folder / "posts.jsonl")
    phone.open()
    channels: dict[str, Channel] = {phone.name: phone}
    desk = PlaygroundDesk(clock)
    policy = Config().domain_policy({phone.name: phone.traits})
    app = wire(Config(), store, clock, channels, desk, reader, Wording.default(), policy)
    phone.take_in = app.intake
    run = VirtualRun(clock, store, app.engine, app.delivery)
    found = []
    for day in range(days):
        for n in range(day * mentions, (day + 1) * mentions):
            await phone.post(Customer(f"c{n}", f"c{n}"), STORIES[n % 4].format(n=n), Surface.PUBLIC, f"p{n}")
            await run.advance_to(clock.now() + timedelta(days=1 / mentions))
        gc.collect()
        found.append(resident_mb())
    await store.close()
    await phone.close()
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--mentions", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    log.configure("error")
    with tempfile.TemporaryDirectory() as name:
        rest = at_rest_mb(Path(name))
        days = asyncio.run(week(Path(name), options.days, options.mentions))
    figures = [
        within("the playground at rest", rest, AT_REST_MB, "MB"),
        *(Figure(f"end of day {number}", mb, "MB") for number, mb in enumerate(days, 1)),
        at_most(f"day {len(days)} beside day 2", days[-1], days[1], "MB", GROWTH),
    ]
    return show("memory", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
