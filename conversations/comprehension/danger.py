"""A linear model of danger: how much each kind of danger, and none, is told by the words of a text.

Phrases and pairs of words (``risk.py``) find a danger that is named. Most people tell it by its traces, so this weighs many
weak signs: words, their beginnings, two words in a row, and the phrases and classes of words of ``risk.toml``. The weights are
JSON, learnt from a corpus written for this project (``tests/corpus/risk``).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.comprehension.phrases import Hit
from conversations.comprehension.tokens import Tokens

NONE = "none"
WINDOW_WORDS = 40
"""A longer text is weighed in parts that overlap by half, so that a long story is not dangerous for its length alone."""
STEM_LETTERS = 5
TELLING = 3
"""Evidence is cut around so many features, as far as they stand within ``NEAR_WORDS`` of the most telling one."""
NEAR_WORDS = 12


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The most dangerous part of a text: the log-odds of any danger, each kind's share of it, and the features it rests on."""

    odds: float
    shares: Mapping[str, float]
    found: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Dangers:
    """The weights: for each feature, (place of the kind in ``kinds``, weight) pairs. ``kinds[0]`` is ``none``."""

    kinds: tuple[str, ...]
    bias: tuple[float, ...]
    weights: Mapping[str, Sequence[tuple[int, float]]]
    amber: float
    red: float

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Dangers:
        """The form on disk. Raises: KeyError, ValueError for another form."""
        weights = {
            name: tuple((int(place), float(weight)) for place, weight in zip(flat[::2], flat[1::2], strict=True))
            for name, flat in data["weights"].items()
        }
        kinds = tuple(data["kinds"])
        if kinds[:1] != (NONE,) or len(kinds) != len(data["bias"]):
            raise ValueError(f"kinds must begin with {NONE!r} and have one bias each")
        return Dangers(kinds, tuple(map(float, data["bias"])), weights, float(data["amber"]), float(data["red"]))

    def to_json(self) -> dict[str, Any]:
        """The reverse of ``from_json``, two digits a weight."""
        return {
            "kinds": list(self.kinds),
            "bias": [round(value, 3) for value in self.bias],
            "amber": self.amber,
            "red": self.red,
            "weights": {
                name: [part for place, weight in shares for part in (place, round(weight, 2))]
                for name, shares in sorted(self.weights.items())
            },
        }

    def weigh(self, found: Mapping[str, tuple[int, int]]) -> tuple[float, dict[str, float]]:
        """The log-odds of any danger, and each kind's share of that, which add up to 1."""
        totals = list(self.bias)
        weights = self.weights
        for name in found:
            shares = weights.get(name)
            if shares is not None:
                for place, weight in shares:
                    totals[place] += weight
        top = max(totals[1:])
        powers = [math.exp(total - top) for total in totals[1:]]
        whole = sum(powers)
        odds = top + math.log(whole) - totals[0]
        return odds, {kind: power / whole for kind, power in zip(self.kinds[1:], powers, strict=True)}

    def suspect(self, tokens: Tokens, hits: Sequence[Hit], small: Collection[str]) -> Suspicion:
        """The most dangerous part of a text, however little that is."""
        best = Suspicion(-math.inf, {}, {})
        for found in windows(tokens, hits, small):
            odds, shares = self.weigh(found)
            if odds > best.odds:
                best = Suspicion(odds, shares, found)
        return best

    def telling(self, kind: str, seen: Suspicion) -> tuple[int, int] | None:
        """The words that speak most for a kind, first up to, not with, last; None when no word does."""
        place = self.kinds.index(kind)
        gains: dict[tuple[int, int], float] = {}
        for name, span in seen.found.items():
            parts = dict(self.weights.get(name, ()))
            gain = parts.get(place, 0.0) - parts.get(0, 0.0)
            if gain > 0:
                gains[span] = gains.get(span, 0.0) + gain
        most = sorted(gains, key=lambda span: -gains[span])[:TELLING]
        near = [span for span in most if abs(span[0] - most[0][0]) <= NEAR_WORDS]
        return (min(span[0] for span in near), max(span[1] for span in near)) if near else None


def windows(tokens: Tokens, hits: Sequence[Hit], small: Collection[str]) -> Iterator[dict[str, tuple[int, int]]]:
    """The features of each part of a text, with where the first of each name stands."""
    count = len(tokens.words)
    step = WINDOW_WORDS // 2
    begins = [hit.first for hit in hits]  # hits are in the order of the text
    first = 0
    while True:
        last = min(first + WINDOW_WORDS, count)
        yield features(tokens, hits[bisect_left(begins, first) : bisect_left(begins, last)], small, first, last)
        if last == count:
            return
        first += step


def features(
    tokens: Tokens, hits: Sequence[Hit], small: Collection[str], first: int, last: int
) -> dict[str, tuple[int, int]]:
    """Feature names with the words they stand on. The names are stable, since weights on disk use them."""
    found: dict[str, tuple[int, int]] = {}
    for hit in hits:
        kind = hit.mark.kind
        if kind == "part":
            found.setdefault(f"c:{hit.mark.name}", (hit.first, hit.last))
        elif kind == "risk":
            found.setdefault(f"r:{hit.mark.name}", (hit.first, hit.last))
    words = tokens.words
    before = ""
    for place in range(first, last):
        word = words[place]
        if word[0].isdigit():
            word = "#"
        if word not in small:
            found.setdefault(f"w:{word}", (place, place + 1))
            if len(word) > STEM_LETTERS:
                found.setdefault(f"s:{word[:STEM_LETTERS]}", (place, place + 1))
        if before:
            found.setdefault(f"{before} {word}", (place - 1, place + 1))
        before = word
    return found
