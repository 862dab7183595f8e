"""Many labels at once from the signs in a text, where it matters which signs meet: a small network of two layers.

A linear model adds up what each sign says alone; "is" and "still" and "leaking" mean something together, and a good word
means the opposite beside a bad one. So each sign adds to some dozens of hidden numbers, each cut off below zero, and
each label is a sum of these. The weights are JSON, learnt by ``python -m tests.corpus.answers``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from conversations.comprehension.rows import Rows
from conversations.comprehension.senses import Senses
from conversations.comprehension.signs import Signs, shown, telling
from conversations.comprehension.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Head:
    """A label: how much of each hidden number it is, and its own ``bias``."""

    bias: float
    weights: tuple[float, ...]

    def odds(self, hidden: Sequence[float]) -> float:
        """The log-odds of the label."""
        return self.bias + sum(map(mul, self.weights, hidden), 0.0)


@dataclass(frozen=True, slots=True)
class Network:
    """The weights of a language. A hidden number is its ``bias`` and what the ``rows`` add to it, in so many ``steps`` to one.

    ``limits`` are log-odds by name, above which something is believed; what they mean is said where they are used.
    """

    heads: Mapping[str, Head]
    bias: tuple[float, ...]
    rows: Rows
    steps: float
    limits: Mapping[str, float]

    @staticmethod
    def from_json(data: Mapping[str, Any], senses: Senses) -> Network:
        """The form on disk. ``senses`` are those of the language. Raises: KeyError, ValueError for another form."""
        bias = tuple(map(float, data["bias"]))
        heads = {label: Head(float(own), tuple(map(float, rest))) for label, (own, *rest) in data["heads"].items()}
        if any(len(head.weights) != len(bias) for head in heads.values()):
            raise ValueError("every label must have one weight for each hidden number")
        limits = {name: float(value) for name, value in data["limits"].items()}
        return Network(heads, bias, Rows.from_json(data["rows"], len(bias), senses), float(data["steps"]), limits)

    def to_json(self) -> dict[str, Any]:
        """The reverse of ``from_json``."""
        return {
            "bias": [round(value, 3) for value in self.bias],
            "heads": {
                label: [round(value, 3) for value in (head.bias, *head.weights)] for label, head in self.heads.items()
            },
            "limits": dict(self.limits),
            "rows": self.rows.to_json(),
            "steps": self.steps,
        }

    def weigh(self, parts: Sequence[Signs]) -> dict[str, float]:
        """The log-odds of every label: those of the part of the text that speaks most for it."""
        seen = [self.hidden(part) for part in parts]
        return {label: max(map(head.odds, seen), default=-math.inf) for label, head in self.heads.items()}

    def hidden(self, part: Signs) -> list[float]:
        """The hidden numbers of a part."""
        sums = self.rows.sums(part)
        return [max(0.0, bias + whole / self.steps) for bias, whole in zip(self.bias, sums, strict=True)]

    def telling(self, label: str, tokens: Tokens, parts: Sequence[Signs]) -> tuple[int, int] | None:
        """The words that speak most for a label, first up to, not with, last; None when none does."""
        head = self.heads[label]
        hidden = max(map(self.hidden, parts), key=head.odds)
        slopes = [weight if number > 0 else 0.0 for weight, number in zip(head.weights, hidden, strict=True)]
        words = shown(tokens.words)
        return telling([sum(map(mul, slopes, self.rows.added(words, index))) for index in range(len(words))])
