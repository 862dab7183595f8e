"""What is in a text, by name: words, their beginnings and senses, two in a row, what the phrases found, how it looks.

The models of this room (``traces.py``, ``network.py``) weigh these signs; their names are stable, since weights on disk use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from conversations.comprehension.phrases import Hit
from conversations.comprehension.senses import Senses
from conversations.comprehension.tokens import Tokens

WINDOW_WORDS = 60
"""A longer text is weighed in parts that overlap by half, so that a long story says nothing by its length alone."""
FEW_WORDS = (2, 4, 8, 16)
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
        found = [name for word in set(self.words) for name in signs_of(word, senses)]
        return [*found, *{f"{one} {two}" for one, two in pairwise(self.words)}, *set(self.more)]


def shown(words: Sequence[str]) -> list[str]:
    """The words, with one sign for all numbers."""
    return ["#" if word[0].isdigit() else word for word in words]


def signs_of(word: str, senses: Senses) -> list[str]:
    """A word, its beginnings and its senses. These count once for each different word that has them."""
    found = [word, *senses.of(word)]
    if len(word) > 4:
        found.append(f"{word[:4]}*")
    if len(word) > 6:
        found.append(f"{word[:6]}*")
    return found


def signs(tokens: Tokens, hits: Sequence[Hit]) -> list[Signs]:
    """The signs in each part of a text."""
    words = shown(tokens.words)
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


def telling(gains: Sequence[float]) -> tuple[int, int] | None:
    """The words that speak most for something, by what each adds: first up to, not with, last; None when none does."""
    ranked = sorted(range(len(gains)), key=gains.__getitem__, reverse=True)
    most = [index for index in ranked[:TELLING] if gains[index] > 0]
    near = [index for index in most if abs(index - most[0]) <= NEAR_WORDS]
    return (min(near), max(near) + 1) if near else None
