"""What ``advance`` costs beside the bare machine: ``python -m tests.benchmarks.advance [--calls N] [--profile]``.

The bare machine is ``MACHINE.events[trigger].trigger(step)`` on the same table, with a step that was made beforehand: the same
guards and effects run. ``advance`` adds the step, what the event says, and the result. Only the ratio, in one run, says
something; it must be at most 2 (performance.md, target 9).
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import statistics
import time
from collections.abc import Callable
from datetime import datetime

from conversations.comprehension.reading import CueName
from conversations.conversation import Conversation, TimerName
from conversations.events import AgentClaimed, CustomerPosted, Event, TimerFired, WordsAccepted
from conversations.ids import ExternalId
from conversations.machine import MACHINE, advance
from conversations.step import Step
from conversations.wording.request import Surface
from tests.protocol.kit import NOOR, POLICY, Case, fulfilling_case, listening_case, reading, told_case

ROUNDS = 7
Situation = tuple[Conversation, Event, datetime]


def situations() -> dict[str, Situation]:
    """Everyday events: a post, the end of a burst, words accepted, a wish, a claim, a post to an owner."""

    def post(case: Case, *cues: CueName, wish: str | None = None) -> Situation:
        event = CustomerPosted(
            id=ExternalId("new"),
            posted_at=case.now,
            surface=Surface.PUBLIC,
            text="words",
            reading=reading(*cues, wish=wish),
        )
        return case.it, event, case.now

    def timer(case: Case, name: TimerName) -> Situation:
        due = case.due(name)
        return case.it, TimerFired(name, due), due

    queued = listening_case().fire(TimerName.QUIET)
    words = queued.it.words_out[0]
    accepted = WordsAccepted(
        key=words.key, id=ExternalId("o1"), accepted_at=queued.now, author=words.author, act=words.act
    )
    told = Case().post(reading(told=True, topic="delivery"))
    return {
        "a post while listening": post(listening_case().minutes(1)),
        "the burst ends: acknowledge": timer(listening_case(), TimerName.QUIET),
        "the burst ends: reflect": timer(told, TimerName.QUIET),
        "words accepted": (queued.it, accepted, queued.now),
        "a wish: hand over": post(told_case().minutes(1), CueName.CONFIRMS, wish="money back"),
        "a claim": (told_case().it, AgentClaimed(agent=NOOR), told_case().now),
        "a post to an owner": post(fulfilling_case().minutes(30)),
    }


def timed(calls: int, make: Callable[[], Callable[[], object]]) -> float:
    """Microseconds a call, the best of some rounds; what ``make`` does is not timed."""
    best = float("inf")
    for _ in range(ROUNDS):
        prepared = [make() for _ in range(calls)]
        gc.collect()
        gc.disable()
        begin = time.perf_counter()
        for call in prepared:
            call()
        best = min(best, time.perf_counter() - begin)
        gc.enable()
    return best / calls * 1e6


def measure(calls: int) -> dict[str, dict[str, float]]:
    """For each situation: microseconds of both, and the ratio."""
    found = {}
    for name, (case, event, now) in situations().items():
        trigger = MACHINE.events[event.trigger.value].trigger

        def bare(
            case: Conversation = case,
            event: Event = event,
            now: datetime = now,
            trigger: Callable[[Step], bool] = trigger,
        ):  # type: ignore[no-untyped-def]
            step = Step(case, event, now, POLICY)
            return lambda: trigger(step)

        def whole(case: Conversation = case, event: Event = event, now: datetime = now):  # type: ignore[no-untyped-def]
            return lambda: advance(case, event, now, POLICY)

        machine_us, advance_us = timed(calls, bare), timed(calls, whole)
        found[name] = {
            "machine_us": round(machine_us, 2),
            "advance_us": round(advance_us, 2),
            "ratio": round(advance_us / machine_us, 3),
        }
    return found


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    if chosen.profile:
        profile = cProfile.Profile()
        mix = list(situations().values())
        profile.enable()
        for _ in range(chosen.calls):
            for case, event, now in mix:
                advance(case, event, now, POLICY)
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    found = measure(chosen.calls)
    print(
        json.dumps(
            {
                "situations": found,
                "machine_us": round(statistics.mean(entry["machine_us"] for entry in found.values()), 2),
                "advance_us": round(statistics.mean(entry["advance_us"] for entry in found.values()), 2),
                "ratio_mean": round(
                    sum(entry["advance_us"] for entry in found.values())
                    / sum(entry["machine_us"] for entry in found.values()),
                    3,
                ),
                "ratio_worst": max(entry["ratio"] for entry in found.values()),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
