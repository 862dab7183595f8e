"""Many labels at once from the signs in a text: a linear model.

Phrases find what is said plainly. Most dangers are not: a fire is "brown around the socket". So many weak signs are weighed
for each label. Weights are JSON, learnt from a corpus written for this project (``tests/corpus``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from conversations.comprehension.rows import ZERO, Rows
from conversations.comprehension.senses import Senses
from conversations.comprehension.signs import Signs, shown, telling
from conversations.comprehension.tokens import Tokens

STEPS = 16
"""A weight on disk is in sixteenths, so weights lie in about -2.9 .. 2.9."""
WORDS_MAX = 10_000
"""So many words are remembered, each with one number."""


class Traces:
    """The weights of a language: a row for each sign and one ``bias`` for each of ``labels``.

    ``limits`` are log-odds by name, above which something is believed; what they mean is said where they are used.
    """

    __slots__ = ("_first", "bias", "labels", "limits", "rows")

    def __init__(self, labels: Sequence[str], bias: Sequence[float], rows: Rows, limits: Mapping[str, float]) -> None:
        if len(bias) != len(labels) or rows.width != len(labels):
            raise ValueError("every sign and the bias must have one weight for each label")
        self.labels, self.bias, self.rows, self.limits = tuple(labels), tuple(bias), rows, dict(limits)
        self._first: dict[str, int] = {}

    @staticmethod
    def from_json(data: Mapping[str, Any], senses: Senses) -> Traces:
        """The form on disk. ``senses`` are those of the language. Raises: KeyError, ValueError for another form."""
        limits = {name: float(value) for name, value in data["limits"].items()}
        rows = Rows.from_json(data["weights"], len(data["labels"]), senses)
        return Traces(data["labels"], tuple(map(float, data["bias"])), rows, limits)

    def to_json(self) -> dict[str, Any]:
        """The reverse of ``from_json``."""
        return {
            "labels": list(self.labels),
            "bias": [round(value, 3) for value in self.bias],
            "limits": dict(self.limits),
            "weights": self.rows.to_json(),
        }

    def weigh_one(self, parts: Sequence[Signs]) -> float:
        """The log-odds of the first label alone, much quicker than those of all."""
        known, pairs, get = self._first, self.rows.pairs, self.rows.single.get
        best = -math.inf
        for part in parts:
            total = 0
            for word in set(part.words):
                gain = known.get(word)
                total += self._word_first(word) if gain is None else gain
            for one, two in set(pairwise(part.words)):
                seconds = pairs.get(one)
                if seconds is not None and two in seconds:
                    total += seconds[two][0] - ZERO
            total += sum([row[0] - ZERO for row in map(get, part.more) if row is not None])
            best = max(best, self.bias[0] + total / STEPS)
        return best

    def weigh(self, parts: Sequence[Signs]) -> dict[str, float]:
        """The log-odds of every label: those of the part of the text that speaks most for it."""
        best = [-math.inf] * len(self.labels)
        for part in parts:
            totals = [bias + whole / STEPS for bias, whole in zip(self.bias, self.rows.sums(part), strict=True)]
            best = list(map(max, best, totals))
        return dict(zip(self.labels, best, strict=True))

    def telling(self, label: str, tokens: Tokens) -> tuple[int, int] | None:
        """The words that speak most for a label, first up to, not with, last; None when none does."""
        place, words = self.labels.index(label), shown(tokens.words)
        return telling([self.rows.added(words, index)[place] for index in range(len(words))])

    def _word_first(self, word: str) -> int:
        """What a word adds to the first label, in steps; remembered."""
        if len(self._first) >= WORDS_MAX:
            self._first.clear()
        row = self.rows.word(word)
        gain = self._first[word] = row[0] if row else 0
        return gain
