"""Recorded conversations as bursts, and what waiting would have done to them: interruptions against seconds waited.

A burst is the customer's turns up to the first turn of anybody else (interfaces.md, "rehearse"). The bot speaks once, when it
has been quiet for as long as a rule says; a burst is interrupted when that falls between two of its turns that are at most 30
minutes apart.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

GAP_S_MAX = 1800.0
Rule = Callable[["Burst", int], float]
"""How long to be quiet after turn ``i`` of a burst, in seconds."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The customer's opening turns: texts, and seconds from the first."""

    channel: str
    texts: tuple[str, ...]
    times_s: tuple[float, ...]

    @property
    def gaps_s(self) -> tuple[float, ...]:
        """The seconds between turns."""
        return tuple(later - earlier for earlier, later in zip(self.times_s, self.times_s[1:], strict=False))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule did: the share interrupted, the mean wait after the last turn, the median wait from the first."""

    interrupted: float
    wait_s_mean: float
    first_reply_s_median: float


def threads(path: Path) -> Iterator[Burst]:
    """The opening bursts of a threads file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            thread = json.loads(line)
            turns = sorted(thread["turns"], key=lambda turn: _at(turn["t"]))
            burst = []
            for turn in turns:
                if turn["role"] not in ("customer", "client"):
                    break
                burst.append(turn)
            if burst:
                yield _burst("x", [turn["text"] for turn in burst], [_at(turn["t"]) for turn in burst])


def slack(path: Path) -> Iterator[Burst]:
    """The opening bursts of a Slack file; the customer is the first author of a conversation."""
    conversations: dict[tuple[str, str], list[dict[str, str]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            message = json.loads(line)
            conversations.setdefault((message["channel"], message["conversation_id"]), []).append(message)
    for messages in conversations.values():
        messages.sort(key=lambda message: _at(message["ts"]))
        burst = []
        for message in messages:
            if message["user"] != messages[0]["user"]:
                break
            burst.append(message)
        yield _burst("slack", [message["text"] for message in burst], [_at(message["ts"]) for message in burst])


def _at(written: str) -> float:
    return datetime.fromisoformat(written.replace("Z", "+00:00")).timestamp()


def _burst(channel: str, texts: list[str], times: list[float]) -> Burst:
    return Burst(channel, tuple(texts), tuple(moment - times[0] for moment in times))


def play(bursts: Sequence[Burst], rule: Rule) -> Outcome:
    """Wait in every burst by the rule."""
    interrupted = 0
    waits: list[float] = []
    firsts: list[float] = []
    for burst in bursts:
        for index, moment in enumerate(burst.times_s):
            wait = rule(burst, index)
            last = index == len(burst.times_s) - 1
            if last or wait < burst.times_s[index + 1] - moment:
                waits.append(wait)
                firsts.append(moment + wait)
                interrupted += not last and burst.times_s[index + 1] - moment <= GAP_S_MAX
                break
    firsts.sort()
    return Outcome(interrupted / len(bursts), sum(waits) / len(waits), firsts[len(firsts) // 2])


def fixed(seconds: float) -> Rule:
    """Always the same wait."""
    return lambda burst, index: seconds
