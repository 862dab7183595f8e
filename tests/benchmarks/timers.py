"""Target 5: timers. ``python -m tests.benchmarks.timers [--timers 10000] [--singles 200] [--url URL] [--json]``

The real engine on a database of open conversations. First so many timers fall due in the same second: all must be decided within
5 seconds. Then single timers fall due one by one while nothing else happens: from the due instant to the committed decision, 100
ms at the 99th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from bot import log
from bot.app import App, wire
from bot.channels.playground import PlaygroundChannel
from bot.channels.port import Channel
from bot.clock import SystemClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.opening import open_url
from bot.store.port import Store
from bot.store.records import Claimed, Decision
from conversations.comprehension import Reader
from conversations.conversation import Customer, Timer, TimerName
from conversations.policy import Policy, Quiet
from conversations.wording import Wording
from conversations.wording.request import Surface
from tests.benchmarks.figures import Figure, show, within

ALL_WITHIN_S = 5.0
LATE_MS = 100.0
ONLY_QUIET = timedelta(hours=1)
"""Later than it takes to make the conversations, and earlier than any other of their timers."""
TEXT = "my parcel is three weeks late and nobody answers"
POLICY = Policy(quiet_s=Quiet(7200.0, 7200.0, 7200.0, 7200.0))
"""Nothing is due by itself while conversations are made."""


async def opened(store: Store, folder: Path) -> tuple[App, PlaygroundChannel]:
    """The program on a store, with local customers and agents."""
    clock = SystemClock()
    phone = PlaygroundChannel(clock, Reader.default(), folder / "posts.jsonl")
    phone.open()
    channels: dict[str, Channel] = {phone.name: phone}
    app = wire(Config(), store, clock, channels, PlaygroundDesk(clock), Reader.default(), Wording.default(), POLICY)
    phone.take_in = app.intake
    return app, phone


async def make(app: App, phone: PlaygroundChannel, count: int, name: str, due_at: list[datetime]) -> None:
    """So many conversations, each with its quiet timer set to an instant."""
    due = iter(due_at)

    def set_timer(claimed: Claimed) -> Decision:
        decision = app.engine.decide(claimed)
        timers = tuple(t for t in decision.conversation.timers if t.name is not TimerName.QUIET)
        timers = (*timers, Timer(TimerName.QUIET, next(due)))
        return replace(decision, conversation=decision.conversation.evolve(timers=timers))

    for begin in range(0, count, 100):
        for n in range(begin, min(begin + 100, count)):
            await phone.post(Customer(f"{name}{n}", f"{name}{n}"), TEXT, Surface.PUBLIC, f"{name}{n}")
        while await app.store.decide_due(app.clock.now(), 100, set_timer):
            pass


async def together(app: App, phone: PlaygroundChannel, count: int) -> tuple[float, float]:
    """Seconds from the second in which all fall due until all are decided, and of them on the processor."""
    due_at = app.clock.now() + ONLY_QUIET
    await make(app, phone, count, "a", [due_at] * count)
    assert isinstance(app.clock, SystemClock)
    app.clock.jump(due_at)
    begun, cpu, decided = time.perf_counter(), time.process_time(), 0
    while decided < count:
        decided += await app.engine.decide_due()
    return time.perf_counter() - begun, time.process_time() - cpu


async def alone(app: App, phone: PlaygroundChannel, count: int) -> list[float]:
    """Milliseconds from the due instant to the committed decision, one timer at a time, on the running program."""
    begin = app.clock.now() + timedelta(seconds=1 + count * 0.005)
    dues = [begin + timedelta(seconds=0.02 * n) for n in range(count)]
    await make(app, phone, count, "b", dues)
    late: list[float] = []
    decide = app.engine.decide

    def timed(claimed: Claimed) -> Decision:
        decision = decide(claimed)
        if claimed.conversation.key.startswith("playground:brand:b"):
            due = claimed.conversation.timer(TimerName.QUIET)
            if due is not None and due.due_at <= app.clock.now():
                waiting.append(due.due_at)
        return decision

    waiting: list[datetime] = []
    app.engine.decide = timed  # type: ignore[method-assign]
    real = app.engine.decide_due

    async def committed(limit: int = 100) -> int:
        found = await real(limit)
        now = app.clock.now()
        late.extend((now - due).total_seconds() * 1000 for due in waiting)
        waiting.clear()
        return found

    app.engine.decide_due = committed  # type: ignore[method-assign]
    loop = asyncio.create_task(app.worker.decide_loop())
    while len(late) < count:  # noqa: ASYNC110 - the loop under test is the one that waits
        await asyncio.sleep(0.1)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    return late


async def measure(url: str, timers: int, singles: int, folder: Path) -> list[Figure]:
    """The figures."""
    store = await open_url(url, holder="a benchmark")
    app, phone = await opened(store, folder)
    took, cpu = await together(app, phone, timers)
    late = await alone(app, phone, singles)
    if bad := await store.poisoned():
        raise RuntimeError(f"{len(bad)} decisions raised and were put off: {bad[0].error}")
    await store.close()
    await phone.close()
    return [
        within(f"{timers:,} timers of one second, all decided after", took, ALL_WITHIN_S * timers / 10_000, "s"),
        within("the same on the processor: what an idle core would need", cpu, ALL_WITHIN_S * timers / 10_000, "s"),
        Figure("lateness of a single timer, median", statistics.median(late), "ms"),
        within("lateness of a single timer, p99", statistics.quantiles(late, n=100)[98], LATE_MS, "ms"),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.timers", description=__doc__)
    parser.add_argument("--timers", type=int, default=10_000)
    parser.add_argument("--singles", type=int, default=200)
    parser.add_argument("--url", help="a database of its own; without one a SQLite file is made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    log.configure("error")
    with tempfile.TemporaryDirectory() as name:
        url = options.url or f"sqlite:///{name}/hearout.db"
        figures = asyncio.run(measure(url, options.timers, options.singles, Path(name)))
    return show("timers", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
