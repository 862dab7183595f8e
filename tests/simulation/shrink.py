"""The smallest scenario that still breaks the same invariant: fewer mishaps, fewer customers, then nothing more can go.

    python -m tests.simulation.shrink SEED [--days 14] [--x]

prints what is left, and the end of its log.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tests.simulation.run import Result, run
from tests.simulation.scenario import Scenario, scenario

T = TypeVar("T")


@dataclass
class Shrunk:
    """What is left, what it came to, and how many runs that took."""

    scenario: Scenario
    result: Result
    runs: int


def smaller(items: tuple[T, ...], fails: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """A subset that still fails and from which no single part can be taken (delta debugging: Zeller, 1999)."""
    size = max(1, len(items) // 2)
    while items:
        at = 0
        while at < len(items):
            without = items[:at] + items[at + size :]
            if fails(without):
                items = without
            else:
                at += size
        if size == 1:
            return items
        size //= 2
    return items


def shrink(whole: Scenario, runs_max: int = 200) -> Shrunk | None:
    """Shrink a scenario that fails; None when it does not."""
    first = run(whole, keep_log=True)
    if first.failure is None:
        return None
    state = Shrunk(whole, first, 1)

    def fails(candidate: Scenario) -> bool:
        if state.runs >= runs_max:
            return False
        state.runs += 1
        result = run(candidate, keep_log=True)
        if result.failure is None or result.failure.invariant != first.failure.invariant:  # type: ignore[union-attr]
            return False
        state.scenario, state.result = candidate, result
        return True

    smaller(whole.mishaps, lambda mishaps: fails(replace(state.scenario, mishaps=mishaps)))
    smaller(whole.customers, lambda customers: fails(replace(state.scenario, customers=customers)))
    return state


def main(arguments: Sequence[str]) -> int:
    """Shrink one seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.shrink", description="Make a failing seed small.")
    parser.add_argument("seed", type=int)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--x", action="store_true", help="on the strict local X")
    asked = parser.parse_args(arguments)
    found = shrink(scenario(asked.seed, asked.days, on_x=asked.x))
    if found is None:
        print(f"seed {asked.seed} does not fail")
        return 0
    print(f"{found.result.failure} ({found.runs} runs)")
    for mishap in found.scenario.mishaps:
        print(f"  {mishap.at_s:12.1f} s {mishap.kind} {mishap.detail} {mishap.amount:g}")
    for customer in found.scenario.customers:
        print(
            f"  {customer.begins_s:12.1f} s {customer.name}: {customer.temper}, {customer.language}, {customer.surface.value}"
        )
    print("\n".join(found.result.log[-30:]))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
