"""``hearout simulate``: many seeds, on all cores, and what they came to."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from tests.simulation.run import Result, run
from tests.simulation.scenario import scenario


def one(task: tuple[int, int]) -> Result:
    """One seed for so many days."""
    seed, days = task
    return run(scenario(seed, days))


def results(seeds: int, days: int, first: int, workers: int | None = None) -> Iterator[Result]:
    """The seeds in order, run side by side."""
    tasks = [(seed, days) for seed in range(first, first + seeds)]
    count = min(seeds, workers or len(os.sched_getaffinity(0)))
    if count == 1:
        yield from map(one, tasks)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield from pool.map(one, tasks, chunksize=max(1, min(8, seeds // (4 * count))))


def simulate(seeds: int, days: int, first: int = 1) -> dict[str, Any]:
    """Run seeds ``first`` to ``first + seeds - 1``. The document of interfaces.md, ``hearout simulate``."""
    faults: Counter[str] = Counter()
    points: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    digest = hashlib.sha256()
    crashes = sends = 0
    for result in results(seeds, days, first):
        faults += result.faults
        points += result.points
        crashes += result.crashes
        sends += result.sends
        digest.update(result.sha256.encode())
        if result.failure is not None:
            failures.append(
                {
                    "seed": result.seed,
                    "invariant": result.failure.invariant,
                    "what": result.failure.words,
                    "replay": f"hearout simulate --seeds 1 --first {result.seed} --days {days}",
                    "log_sha256": result.sha256,
                }
            )
    return {
        "seeds": seeds,
        "days": days,
        "failures": failures,
        "faults": dict(sorted(faults.items())),
        "crashes": crashes,
        "sends": sends,
        "points": dict(sorted(points.items())),
        "log_sha256": digest.hexdigest(),
    }
