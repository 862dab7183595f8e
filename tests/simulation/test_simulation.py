"""The simulation at the size of a commit: 300 seeds of 14 days, every fault, every crash point, and the same log twice.

docs/reliability.md has the figures of larger runs.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.crash_points import POINTS
from tests.simulation.command import simulate
from tests.simulation.facts import Violation
from tests.simulation.mutants import MUTANTS, planted
from tests.simulation.run import run
from tests.simulation.scenario import Mishap, scenario
from tests.simulation.shrink import shrink

ROOT = Path(__file__).parents[2]
SEEDS = int(os.environ.get("HEAROUT_SEEDS", "300"))
"""The volume of a commit (reliability.md). A smaller sample while working: rare faults are then sought in further seeds."""
SEEDS_MAX = 300
DAYS = 14
FAULTS = (
    "lost reply", "delay", "late", "reset", "429", "5xx", "401", "402", "403 duplicate", "403 permanent", "reorder",
    "duplicate delivery", "late-indexed mention", "clock step forward", "clock step back", "DST", "disk full", "I/O error",
    "failed fsync", "busy database", "stalled worker", "zombie lease", "old schema", "overlapping workers", "kill -9",
    "crash", "crash in recovery",
)  # fmt: skip
"""The faults of reliability.md, and some more."""


@lru_cache(maxsize=1)
def sample() -> dict[str, Any]:
    """The seeds of a commit, run once for all tests."""
    return simulate(seeds=SEEDS, days=DAYS)


def test_what_a_seed_found_comes_back_from_its_process() -> None:
    found = pickle.loads(pickle.dumps(Violation("I3", "twice")))
    assert (found.invariant, found.words, str(found)) == ("I3", "twice", "I3: twice")


def test_no_seed_breaks_an_invariant() -> None:
    failures = sample()["failures"]
    assert not failures, "\n".join(f"{f['replay']}: {f['invariant']}: {f['what']}" for f in failures)
    assert sample()["sends"] > 20 * SEEDS


def test_no_fault_is_left_unfired() -> None:
    fired = Counter(sample()["faults"])
    further = count(SEEDS + 1)
    # a small sample leaves out what is rare: seeds are added until everything has happened
    while unfired := [fault for fault in FAULTS if not fired[fault]]:
        seed = next(further)
        assert seed <= SEEDS_MAX, unfired
        result = run(scenario(seed, DAYS))
        assert result.failure is None, f"seed {seed}: {result.failure}"
        fired += result.faults


def test_every_crash_point_is_reached() -> None:
    assert set(sample()["points"]) == set(POINTS)


# a crash closes nothing: what it held open is left to the garbage collector, which says so
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_each_point_costs_nothing(point: str) -> None:
    quiet = replace(scenario(3, 2), mishaps=())
    points = tuple(Mishap(hour * 3600.0, "crash", point, 1.0) for hour in range(1, 40, 3))
    restarts = tuple(Mishap(hour * 3600.0 + 1.0, "kill", "", 1.0) for hour in range(2, 40, 6))
    looked = tuple(Mishap(hour * 1800.0, "wire sim send", "lost reply") for hour in range(1, 60, 4))
    result = run(replace(quiet, mishaps=(*points, *restarts, *looked)))
    assert result.failure is None
    assert result.faults["crash"] > 0


@pytest.mark.parametrize("on_x", [False, True], ids=["simulated platform", "strict local X"])
def test_the_same_seed_gives_the_same_log(on_x: bool) -> None:
    code = (
        "from tests.simulation.run import run; from tests.simulation.scenario import scenario;"
        f"print(run(scenario(5, 1, on_x={on_x})).sha256)"
    )
    logs = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    ]
    assert logs[0] == logs[1]
    assert len(logs[0].strip()) == 64


def test_the_real_x_channel_keeps_the_invariants() -> None:
    for seed in (1, 2, 3):
        result = run(scenario(seed, 1, on_x=True))
        assert result.failure is None, result.failure
        assert result.sends > 0


def test_a_failing_seed_shrinks_to_what_it_takes() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "resend at once")
    with planted(mutant):
        whole = next(each for each in (scenario(seed, 5) for seed in range(1, SEEDS_MAX)) if run(each).failure)
        found = shrink(whole)
    assert found is not None
    assert found.result.failure is not None
    assert found.result.failure.invariant == "I3"
    assert len(found.scenario.mishaps) <= 2, "a lost reply is all that it takes, or a stall and a failed look"
    assert len(found.scenario.customers) < len(whole.customers)
