"""Target 3: growth. ``python -m tests.benchmarks.growth [--sizes 1000 10000 100000] [--plot FILE.svg] [--json]``

Messages per second through the store (kept, decided, claimed, reported, 50 at once) on databases of growing size, in turns; the
rate on the greatest must be 60 % of that on the smallest. Then a process is started on an empty database and on the greatest,
and timed from its start to the first reply that the platform accepted: at most twice as long. ``--sizes … 1000000`` needs 2 GB
of disk and some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bot import log
from bot.app import wire
from bot.channels.playground import PlaygroundChannel
from bot.channels.port import Channel
from bot.clock import SystemClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.store.opening import open_url
from bot.triage_weights import learned_reader
from conversations.conversation import Customer
from conversations.policy import Policy, Quiet
from conversations.wording import Wording
from conversations.wording.request import Surface
from tests.benchmarks.figures import Figure, at_least, at_most, show
from tests.benchmarks.filling import fill
from tests.benchmarks.store import run_store

SENDERS = 50
RATE_SHARE = 0.6
START_TIMES = 2.0
POLICY = Policy(quiet_s=Quiet(0.0, 0.0, 0.0, 0.0))


async def first_reply(path: Path) -> None:
    """Start as ``hearout run`` does, take in a complaint, and return when its reply was accepted."""
    store = await open_url(f"sqlite:///{path}", holder="a benchmark")
    clock = SystemClock()
    reader = await learned_reader(store)
    phone = PlaygroundChannel(clock, reader, path.with_suffix(".posts"))
    phone.open()
    channels: dict[str, Channel] = {phone.name: phone}
    app = wire(Config(), store, clock, channels, PlaygroundDesk(clock), reader, Wording.default(), POLICY)
    phone.take_in = app.intake
    await app.switches.load()
    await app.wordings.load()
    await app.storms.recall(store, clock.now())
    working = asyncio.create_task(app.worker.run())
    await phone.post(Customer("new", "new"), "my parcel is three weeks late", Surface.PUBLIC, f"p{time.time_ns()}")
    while not phone.accepted:  # noqa: ASYNC110 - it is timed from outside
        await asyncio.sleep(0.001)
    print("replied", flush=True)
    app.worker.stop()
    await working
    await store.close()


def start_s(path: Path) -> float:
    """Seconds from the start of a process to its first reply."""
    path.with_suffix(".posts").unlink(missing_ok=True)
    begun = time.perf_counter()
    words = [sys.executable, "-m", "tests.benchmarks.growth", "--first-reply", str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "replied\n"
        took = time.perf_counter() - begun
        process.communicate()
    return took


def measure(
    folder: Path, sizes: list[int], messages: int, rounds: int
) -> tuple[list[Figure], list[tuple[int, float, float]]]:
    """The figures, and for the plot: size, messages per second, microseconds of CPU for each."""
    paths = {size: folder / f"{size}.db" for size in sizes}
    rates: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    for size, path in paths.items():
        fill(f"sqlite:///{path}", size)
    for number in range(rounds + 1):
        for size, path in paths.items():
            first = 10**9 + number * 10**6
            rate = asyncio.run(run_store(path, messages, SENDERS, first))
            if number:  # the first round warms the file cache
                rates[size].append(rate)
    curve = [(size, *(statistics.median(column) for column in zip(*rates[size], strict=True))) for size in sizes]
    smallest, greatest = curve[0], curve[-1]
    figures = [Figure(f"{size:,} conversations", rate, "messages/s") for size, rate, _ in curve]
    figures.append(at_least(f"rate at {greatest[0]:,}", greatest[1], smallest[1], "messages/s", RATE_SHARE))
    figures.append(
        Figure(f"CPU of a message at {greatest[0]:,}", greatest[2], "µs", smallest[2], greatest[2] / smallest[2])
    )
    empty = folder / "empty.db"
    starts = [(start_s(empty), start_s(paths[sizes[-1]])) for _ in range(rounds)]
    small, great = (statistics.median(column) for column in zip(*starts, strict=True))
    figures.append(at_most(f"start to first reply at {greatest[0]:,}", great, small, "s", START_TIMES))
    return figures, curve


def plot(curve: list[tuple[int, float, float]], path: Path) -> None:
    """Messages per second of processor time over the sizes, as SVG: logarithmic to the right, from zero upwards."""
    curve = [(size, 1_000_000 / cpu_us, cpu_us) for size, _, cpu_us in curve]
    width, height, left, bottom = 640, 320, 70, 40
    exponents = [len(str(size)) - 1 for size, _, _ in curve]
    low, high = exponents[0], max(exponents[-1], exponents[0] + 1)
    top = max(rate for _, rate, _ in curve) * 1.15

    def at(exponent: float, rate: float) -> tuple[float, float]:
        x = left + (exponent - low) / (high - low) * (width - left - 30)
        return x, height - bottom - rate / top * (height - bottom - 20)

    points = [at(exponent, rate) for exponent, (_, rate, _) in zip(exponents, curve, strict=True)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for step in range(5):
        x0, y = at(low, top * step / 4)
        x1, _ = at(high, 0)
        lines.append(f'<path d="M{x0:.0f} {y:.0f}H{x1:.0f}" stroke="#ddd"/>')
        lines.append(f'<text x="{x0 - 8:.0f}" y="{y + 4:.0f}" text-anchor="end">{top * step / 4:,.0f}</text>')
    path_data = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    lines.append(f'<path d="{path_data}" fill="none" stroke="#3a6ea5" stroke-width="2"/>')
    for (x, y), (size, rate, _) in zip(points, curve, strict=True):
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#3a6ea5"/>')
        lines.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{rate:,.0f}</text>')
        lines.append(f'<text x="{x:.1f}" y="{height - 22}" text-anchor="middle">{size:,}</text>')
    lines.append(
        f'<text x="{width / 2:.0f}" y="{height - 6}" text-anchor="middle">conversations in the database</text>'
    )
    lines.append(f'<text x="{left}" y="14">messages per second of one core: kept, decided, sent, reported</text></svg>')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--first-reply", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    log.configure("error")
    if options.first_reply:
        asyncio.run(first_reply(options.first_reply))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        figures, curve = measure(Path(folder), options.sizes, options.messages, options.rounds)
    if options.plot:
        plot(curve, options.plot)
    return show("growth", figures, options.json, curve=curve)


if __name__ == "__main__":
    sys.exit(main())
