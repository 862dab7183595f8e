"""Many labels at once from the traces in a text: words, their beginnings and senses, two in a row, what the phrases found.

Phrases find what is said plainly. Most things are not: a fire is "brown around the socket", a yes is "see you on Friday then".
So a linear model weighs many weak signs for each label. Weights are JSON, learnt from a corpus written for this project
(``tests/corpus``): each sign has one printable character a label, which is compact, quick to add up, and exact enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from conversations.comprehension.phrases import Hit
from conversations.comprehension.senses import Senses
from conversations.comprehension.tokens import Tokens

ZERO, STEPS = 80, 16
"""A character's code less ``ZERO``, in sixteenths, is a weight; so weights lie in about -2.9 .. 2.9."""
LOWEST, HIGHEST = 33, 126
WINDOW_WORDS = 60
"""A longer text is weighed in parts that overlap by half, so that a long story says nothing by its length alone."""
FEW_WORDS = (2, 4, 8, 16)
WORDS_MAX = 10_000
NAMED = ("asked:", "read:", ":", "^")
"""Signs of these kinds may hold a space and are no two words."""
TELLING = 3
NEAR_WORDS = 12


@dataclass(frozen=True, slots=True)
class Signs:
    """What a part of a text is weighed by: its words, and ``more`` signs, by name, of what was found in it and how it looks."""

    words: Sequence[str]
    more: Sequence[str]

    def names(self, senses: Senses) -> list[str]:
        """Every sign by name, as often as it counts; for training and for people, since it is slow."""
        found = [name for word in set(self.words) for name in _of_word(word, senses)]
        return [*found, *{f"{one} {two}" for one, two in pairwise(self.words)}, *set(self.more)]


class Traces:
    """The weights of a language: one character of ``weights[sign]`` and one ``bias`` for each of ``labels``.

    ``limits`` are log-odds by name, above which something is believed; what they mean is said where they are used.
    The weights do not change; which of them a word has is remembered, since words repeat.
    """

    __slots__ = ("_first", "_pairs", "_senses", "_single", "_words", "bias", "labels", "limits")

    def __init__(
        self, labels: Sequence[str], bias: Sequence[float], weights: Mapping[str, bytes], limits: Mapping[str, float],
        senses: Senses,
    ) -> None:  # fmt: skip
        if len(bias) != len(labels) or any(len(row) != len(labels) for row in weights.values()):
            raise ValueError("every sign and the bias must have one weight for each label")
        self.labels, self.bias, self.limits = tuple(labels), tuple(bias), dict(limits)
        self._senses = senses
        self._single: dict[str, bytes] = {}
        self._pairs: dict[str, dict[str, bytes]] = {}
        self._words: dict[str, tuple[int, ...]] = {}
        self._first: dict[str, int] = {}
        for sign, row in weights.items():
            one, space, two = sign.partition(" ")
            if space and not sign.startswith(NAMED):
                self._pairs.setdefault(one, {})[two] = row
            else:
                self._single[sign] = row

    @staticmethod
    def from_json(data: Mapping[str, Any], senses: Senses) -> Traces:
        """The form on disk. ``senses`` are those of the language. Raises: KeyError, ValueError for another form."""
        weights = {sign: text.encode("ascii") for sign, text in data["weights"].items()}
        limits = {name: float(value) for name, value in data["limits"].items()}
        return Traces(data["labels"], tuple(map(float, data["bias"])), weights, limits, senses)

    def to_json(self) -> dict[str, Any]:
        """The reverse of ``from_json``."""
        pairs = {f"{one} {two}": row for one, seconds in self._pairs.items() for two, row in seconds.items()}
        return {
            "labels": list(self.labels),
            "bias": [round(value, 3) for value in self.bias],
            "limits": dict(self.limits),
            "weights": {sign: row.decode("ascii") for sign, row in sorted((self._single | pairs).items())},
        }

    def weigh_one(self, parts: Sequence[Signs]) -> float:
        """The log-odds of the first label alone, much quicker than those of all."""
        known, pairs, get = self._first, self._pairs, self._single.get
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
        best: list[float] | None = None
        for part in parts:
            rows, less = self._rows(part)
            sums = map(sum, zip(*rows, strict=True)) if rows else (0 for _ in self.labels)
            totals = [bias + (whole - less) / STEPS for bias, whole in zip(self.bias, sums, strict=True)]
            best = totals if best is None else list(map(max, best, totals))
        return dict(zip(self.labels, best or self.bias, strict=True))

    def telling(self, label: str, tokens: Tokens) -> tuple[int, int] | None:
        """The words that speak most for a label, first up to, not with, last; None when none does."""
        place = self.labels.index(label)
        words = _shown(tokens.words)
        gains: list[int] = []
        for index, word in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else ""
            own, row = self._gains(word), self._pairs.get(word, {}).get(following)
            gains.append((own[place] if own else 0) + (row[place] - ZERO if row else 0))
        ranked = sorted(range(len(words)), key=gains.__getitem__, reverse=True)
        most = [index for index in ranked[:TELLING] if gains[index] > 0]
        near = [index for index in most if abs(index - most[0]) <= NEAR_WORDS]
        return (min(near), max(near) + 1) if near else None

    def _rows(self, part: Signs) -> tuple[list[Sequence[int]], int]:
        """The weights, in steps, of each different word, pair and sign of a part, and what each column of them is too high by."""
        pairs = self._pairs
        rows: list[Sequence[int]] = [row for row in map(self._gains, set(part.words)) if row]
        exact = len(rows)
        for one, two in set(pairwise(part.words)):
            seconds = pairs.get(one)
            if seconds is not None and two in seconds:
                rows.append(seconds[two])
        rows += filter(None, map(self._single.get, part.more))
        return rows, ZERO * (len(rows) - exact)

    def _word_first(self, word: str) -> int:
        """What a word adds to the first label, in steps; remembered."""
        if len(self._first) >= WORDS_MAX:
            self._first.clear()
        row = self._gains(word)
        gain = self._first[word] = row[0] if row else 0
        return gain

    def _gains(self, word: str) -> tuple[int, ...]:
        """What a word adds to each label, with its beginnings and senses, in steps; empty for nothing. Remembered."""
        known = self._words.get(word)
        return self._summed(word) if known is None else known

    def _summed(self, word: str) -> tuple[int, ...]:
        """The same, looked up."""
        rows = [row for row in map(self._single.get, _of_word(word, self._senses)) if row is not None]
        if len(self._words) >= WORDS_MAX:
            self._words.clear()
        gains = self._words[word] = tuple(sum(column) - ZERO * len(rows) for column in zip(*rows, strict=True))
        return gains


def _shown(words: Sequence[str]) -> list[str]:
    """The words, with one sign for all numbers."""
    return ["#" if word[0].isdigit() else word for word in words]


def _of_word(word: str, senses: Senses) -> list[str]:
    """A word, its beginnings and its senses. These count once for each different word that has them."""
    found = [word, *senses.of(word)]
    if len(word) > 4:
        found.append(f"{word[:4]}*")
    if len(word) > 6:
        found.append(f"{word[:6]}*")
    return found


def signs(tokens: Tokens, hits: Sequence[Hit]) -> list[Signs]:
    """The signs in each part of a text; the names are stable, since weights on disk use them."""
    words = _shown(tokens.words)
    count = len(words)
    if count <= WINDOW_WORDS:
        return [Signs(words, [*{hit.mark.sign for hit in hits}])]
    parts = []
    step = WINDOW_WORDS // 2
    for first in range(0, count - step, step):
        last = min(first + WINDOW_WORDS, count)
        parts.append(Signs(words[first:last], [*{hit.mark.sign for hit in hits if first <= hit.first < last}]))
    return parts


def form(tokens: Tokens) -> list[str]:
    """How the text looks, as signs: its length, how it begins and ends, its punctuation."""
    words = tokens.words
    stops = "".join(tokens.stop.values())
    found = [f":words {next((size for size in FEW_WORDS if len(words) <= size), 99)}"]
    if words:
        found += [f"^{words[0]}", f"{words[-1]}$"]
    found += [f":{mark}" for mark in ("?", "!", "!!", "...", "…", "??") if mark in stops]
    last = tokens.text.rstrip()[-1:]
    found.append(f":last {last if last in '?!.…,:-' else 'word'}")
    if tokens.capitals > 1:
        found.append(":capitals")
    return found
