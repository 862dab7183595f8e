"""Target 4: a slow disk. ``python -m tests.benchmarks.slow_disk [--messages N] [--wait-ms 1.0] [--json]``

The store's own rate with 50 senders, with and without a wait before every fsync, in processes of their own, in turns. The wait is
a dozen lines of C in front of the C library (``LD_PRELOAD``), so a C compiler is needed. At least 85 % of its own figure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figure, at_least, show
from tests.benchmarks.store import run_floor, run_store

SHARE = 0.85
SENDERS = 50
WAITING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static int after_a_wait(const char *name, int file) {
    usleep((useconds_t)atoi(getenv("FSYNC_WAIT_US")));
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}
int fsync(int file) { return after_a_wait("fsync", file); }
int fdatasync(int file) { return after_a_wait("fdatasync", file); }
"""


def compiled(folder: Path) -> Path:
    """The library that waits. Raises ``RuntimeError`` without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("a C compiler (cc) is needed to slow the disk down")
    source, library = folder / "waiting.c", folder / "waiting.so"
    source.write_text(WAITING, encoding="ascii")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def one(folder: Path, what: str, messages: int, library: Path | None, wait_ms: float) -> float:
    """Messages per second of one run in a process of its own."""
    more = {"LD_PRELOAD": str(library), "FSYNC_WAIT_US": str(int(wait_ms * 1000))} if library else {}
    with tempfile.TemporaryDirectory(dir=folder) as name:
        words = [sys.executable, "-m", "tests.benchmarks.slow_disk", "--messages", str(messages), "--one", what, name]
        done = subprocess.run(words, env=os.environ | more, stdout=subprocess.PIPE, check=True)
    rate: float = json.loads(done.stdout)
    return rate


def measure(folder: Path, messages: int, rounds: int, wait_ms: float) -> list[Figure]:
    """The figures."""
    library = compiled(folder)
    kinds = {"store": None, "store, slow disk": library, "floor": None, "floor, slow disk": library}
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, wait in kinds.items():
            rates[kind].append(one(folder, kind.partition(",")[0], messages, wait, wait_ms))
    of = {kind: statistics.median(found) for kind, found in rates.items()}
    return [
        at_least(f"store, + {wait_ms:g} ms an fsync", of["store, slow disk"], of["store"], "messages/s", SHARE),
        Figure(
            f"raw sqlite3, + {wait_ms:g} ms an fsync",
            of["floor, slow disk"],
            "messages/s",
            of["floor"],
            of["floor, slow disk"] / of["floor"],
        ),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.slow_disk", description=__doc__)
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wait-ms", type=float, default=1.0)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.one:
        what, folder = options.one
        run = run_store if what == "store" else run_floor
        print(json.dumps(asyncio.run(run(Path(folder) / "one.db", options.messages, SENDERS))[0]))
        return 0
    with tempfile.TemporaryDirectory(dir=Path.cwd() if os.access(".", os.W_OK) else None) as name:
        figures = measure(Path(name), options.messages, options.rounds, options.wait_ms)
    return show("slow disk", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
