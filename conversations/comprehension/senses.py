"""What a word is about, in a language's own words: ``again``, ``refund``, ``robot``. The names mean the same in every language.

A model that learns what "again" means in an answer learns it from every language at once, and knows a word that nobody used
while it learnt. The words are in ``languages/<code>/senses.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conversations.comprehension.tokens import tokenize


class Senses:
    """The senses of a language by name, each with its words; ``word*`` is every word that begins so.

    Raises ValueError for an entry that is not one word.
    """

    __slots__ = ("_beginnings", "_words")

    def __init__(self, table: Mapping[str, Sequence[str]]) -> None:
        self._words: dict[str, tuple[str, ...]] = {}
        self._beginnings: dict[int, dict[str, tuple[str, ...]]] = {}
        for name, words in table.items():
            for word, folded in zip(words, _folded(name, words), strict=True):
                place = self._beginnings.setdefault(len(folded), {}) if word.endswith("*") else self._words
                place[folded] = (*place.get(folded, ()), name)

    def of(self, word: str) -> set[str]:
        """The signs of a word's senses, as the weights know them."""
        names = set(self._words.get(word, ()))
        for length, table in self._beginnings.items():
            names.update(table.get(word[:length], ()))
        return {f"sense:{name}" for name in names}


def _folded(name: str, words: Sequence[str]) -> Sequence[str]:
    """The words of a sense as they stand in a text that was split into words."""
    lines = tokenize("\n".join(word.removesuffix("*") for word in words))
    if len(lines.words) != len(words):
        wrong = next(word for word in words if len(tokenize(word.removesuffix("*")).words) != 1)
        raise ValueError(f"the sense {name!r} holds {wrong!r}, which is not one word: split it or leave it out")
    return lines.words
