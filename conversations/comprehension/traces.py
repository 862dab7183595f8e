"""Many labels at once from the traces in a text: words, their beginnings, two words in a row, and what the phrases found.

Phrases find what is said plainly. Most things are not: a fire is "brown around the socket", a yes is "see you on Friday then".
So a linear model weighs many weak signs for each label. Weights are JSON, learnt from a corpus written for this project
(``tests/corpus``): each sign has one printable character a label, which is compact, quick to add up, and exact enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from conversations.comprehension.phrases import Hit
from conversations.comprehension.tokens import Tokens

ZERO, STEPS = 80, 16
"""A character's code less ``ZERO``, in sixteenths, is a weight; so weights lie in about -2.9 .. 2.9."""
LOWEST, HIGHEST = 33, 126
WINDOW_WORDS = 60
"""A longer text is weighed in parts that overlap by half, so that a long story says nothing by its length alone."""
FEW_WORDS = (2, 4, 8, 16)
TELLING = 3
NEAR_WORDS = 12


@dataclass(frozen=True, slots=True)
class Traces:
    """The weights of a language: one character of ``weights[sign]`` and one ``bias`` for each of ``labels``.

    ``limits`` are log-odds by name, above which something is believed; what they mean is said where they are used.
    """

    labels: tuple[str, ...]
    bias: tuple[float, ...]
    weights: Mapping[str, bytes]
    limits: Mapping[str, float]

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Traces:
        """The form on disk. Raises: KeyError, ValueError for another form."""
        labels = tuple(data["labels"])
        weights = {sign: text.encode("ascii") for sign, text in data["weights"].items()}
        if len(data["bias"]) != len(labels) or any(len(row) != len(labels) for row in weights.values()):
            raise ValueError("every sign and the bias must have one weight for each label")
        limits = {name: float(value) for name, value in data["limits"].items()}
        return Traces(labels, tuple(map(float, data["bias"])), weights, limits)

    def to_json(self) -> dict[str, Any]:
        """The reverse of ``from_json``."""
        return {
            "labels": list(self.labels),
            "bias": [round(value, 3) for value in self.bias],
            "limits": dict(self.limits),
            "weights": {sign: row.decode("ascii") for sign, row in sorted(self.weights.items())},
        }

    def weigh(self, parts: Sequence[Sequence[str]]) -> dict[str, float]:
        """The log-odds of every label: those of the part of the text that speaks most for it."""
        get = self.weights.get
        best: list[float] | None = None
        for signs in parts:
            rows = [row for row in map(get, signs) if row is not None]
            less = ZERO * len(rows)
            sums = map(sum, zip(*rows, strict=True)) if rows else (0 for _ in self.labels)
            totals = [bias + (whole - less) / STEPS for bias, whole in zip(self.bias, sums, strict=True)]
            best = totals if best is None else list(map(max, best, totals))
        return dict(zip(self.labels, best or self.bias, strict=True))

    def telling(self, label: str, tokens: Tokens) -> tuple[int, int] | None:
        """The words that speak most for a label, first up to, not with, last; None when none does."""
        place = self.labels.index(label)
        gains: dict[int, int] = {}
        for index in range(len(tokens.words)):
            rows = (self.weights.get(sign) for sign in _of_word(tokens.words, index))
            gains[index] = sum(row[place] - ZERO for row in rows if row is not None)
        most = [index for index in sorted(gains, key=lambda index: -gains[index])[:TELLING] if gains[index] > 0]
        near = [index for index in most if abs(index - most[0]) <= NEAR_WORDS]
        return (min(near), max(near) + 1) if near else None


def signs(tokens: Tokens, hits: Sequence[Hit]) -> list[list[str]]:
    """The signs in each part of a text, each sign once; the names are stable, since weights on disk use them."""
    words = tokens.words
    count = len(words)
    form = _form(tokens)
    if count <= WINDOW_WORDS:
        return [[*_of_words(words, 0, count), *{hit.mark.sign for hit in hits}, *form]]
    parts = []
    step = WINDOW_WORDS // 2
    for first in range(0, count - step, step):
        last = min(first + WINDOW_WORDS, count)
        found = {hit.mark.sign for hit in hits if first <= hit.first < last}
        parts.append([*_of_words(words, first, last), *found, *form])
    return parts


def _of_words(words: Sequence[str], first: int, last: int) -> list[str]:
    """Words, beginnings and pairs. A beginning counts once for each different word that has it."""
    shown = ["#" if word[0].isdigit() else word for word in words[first:last]]
    different = set(shown)
    found = list(different)
    found += [f"{word[:4]}*" for word in different if len(word) > 4]
    found += [f"{word[:6]}*" for word in different if len(word) > 6]
    found += {f"{one} {two}" for one, two in pairwise(shown)}
    return found


def _of_word(words: Sequence[str], index: int) -> list[str]:
    found = _of_words(words, index, index + 1)
    return found + _of_words(words, index, index + 2)[-1:] if index + 1 < len(words) else found


def _form(tokens: Tokens) -> list[str]:
    """How the text looks: its length, how it begins and ends, its punctuation."""
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
