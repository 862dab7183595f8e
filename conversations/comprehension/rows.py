"""Weights by sign: a row of numbers for each, on disk one printable character a number.

That is compact, quick to add up, and exact enough for weights that were learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from conversations.comprehension.senses import Senses
from conversations.comprehension.signs import NAMED, Signs, signs_of

ZERO, LOWEST, HIGHEST = 80, 33, 126
"""A character's code less ``ZERO`` is a number of steps."""
REMEMBERED_NUMBERS_MAX = 200_000
"""How many numbers the rows of words remembered may hold, some 2 MB."""


def encoded(numbers: Iterable[float], steps: float) -> bytes:
    """A row on disk: each number in so many ``steps`` to one; what does not fit is cut off."""
    return bytes(min(HIGHEST, max(LOWEST, round(number * steps) + ZERO)) for number in numbers)


class Rows:
    """The rows of a language, found by a part's signs. They do not change; which of them a word has is remembered, since
    words repeat.
    """

    __slots__ = ("_senses", "_words", "pairs", "single", "width")

    def __init__(self, rows: Mapping[str, bytes], width: int, senses: Senses) -> None:
        if any(len(row) != width for row in rows.values()):
            raise ValueError(f"every sign must have {width} numbers")
        self.width = width
        self.single: dict[str, bytes] = {}
        self.pairs: dict[str, dict[str, bytes]] = {}
        self._senses = senses
        self._words: dict[str, tuple[int, ...]] = {}
        for sign, row in rows.items():
            one, space, two = sign.partition(" ")
            if space and not sign.startswith(NAMED):
                self.pairs.setdefault(one, {})[two] = row
            else:
                self.single[sign] = row

    @staticmethod
    def from_json(data: Mapping[str, str], width: int, senses: Senses) -> Rows:
        """The form on disk. ``senses`` are those of the language. Raises: ValueError for another form."""
        return Rows({sign: text.encode("ascii") for sign, text in data.items()}, width, senses)

    def to_json(self) -> dict[str, str]:
        """The reverse of ``from_json``."""
        pairs = {f"{one} {two}": row for one, seconds in self.pairs.items() for two, row in seconds.items()}
        return {sign: row.decode("ascii") for sign, row in sorted((self.single | pairs).items())}

    def sums(self, part: Signs) -> list[int]:
        """What all signs of a part add up to, in steps, column by column."""
        rows: list[Sequence[int]] = [row for row in map(self.word, set(part.words)) if row]
        exact = len(rows)
        for one, two in set(pairwise(part.words)):
            row = self.pair(one, two)
            if row is not None:
                rows.append(row)
        rows += filter(None, map(self.single.get, part.more))
        if not rows:
            return [0] * self.width
        less = ZERO * (len(rows) - exact)
        return [sum(column) - less for column in zip(*rows, strict=True)]

    def pair(self, one: str, two: str) -> bytes | None:
        """The row of two words one after the other."""
        seconds = self.pairs.get(one)
        return seconds.get(two) if seconds is not None else None

    def word(self, word: str) -> tuple[int, ...]:
        """What a word adds with its beginnings and senses, in steps; empty for nothing. Remembered."""
        known = self._words.get(word)
        return self._looked_up(word) if known is None else known

    def added(self, words: Sequence[str], index: int) -> list[int]:
        """What the word at a place adds, with the two that begin there, in steps."""
        own = self.word(words[index]) or (0,) * self.width
        row = self.pair(words[index], words[index + 1]) if index + 1 < len(words) else None
        return [one + two - ZERO for one, two in zip(own, row, strict=True)] if row else list(own)

    def _looked_up(self, word: str) -> tuple[int, ...]:
        rows = [row for row in map(self.single.get, signs_of(word, self._senses)) if row is not None]
        if len(self._words) * self.width >= REMEMBERED_NUMBERS_MAX:
            self._words.clear()
        found = self._words[word] = tuple(sum(column) - ZERO * len(rows) for column in zip(*rows, strict=True))
        return found
