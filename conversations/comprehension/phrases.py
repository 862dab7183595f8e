"""Phrases to one matcher: a trie over words, walked once over a text. No regular expressions, so no pattern can explode.

The notation is described for people in ``conversations/languages/README.md``. A walk starts at each word and follows at most
a handful of branches; gaps (``..``) take up to three words, so the work is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from conversations.comprehension.tokens import Tokens, tokenize

GAP_WORDS_MAX = 3


class PhraseError(ValueError):
    """A phrase that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found at words ``first`` up to, not with, ``last``; ``mark`` is what was stored with it."""

    mark: Any
    first: int
    last: int


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    prefixes: dict[int, dict[str, _Node]] = field(default_factory=dict)
    classes: dict[str, _Node] = field(default_factory=dict)
    number: _Node | None = None
    any: _Node | None = None
    gap: _Node | None = None
    begin: _Node | None = None
    begin_text: _Node | None = None
    marks: list[Any] = field(default_factory=list)
    end_marks: list[Any] = field(default_factory=list)
    end_text_marks: list[Any] = field(default_factory=list)


_PIECE = re.compile(r"\(([^()]*)\)(\?)?|(\S+)")


def expand(phrase: str) -> list[tuple[str, ...]]:
    """All plain sequences of a phrase: groups, alternatives and optional words written out."""
    results: list[tuple[str, ...]] = [()]
    position = 0
    for match in _PIECE.finditer(phrase):
        if phrase[position : match.start()].strip():
            raise PhraseError(f"cannot read {phrase[position : match.start()]!r} in {phrase!r}")
        position = match.end()
        if match[3] is None:
            options = [tuple(option.split()) for option in match[1].split("|")]
            if any(not option for option in options):
                raise PhraseError(f"an empty alternative in {phrase!r}; write (a|b)? for an optional group")
            if match[2]:
                options.append(())
        else:
            piece = match[3]
            if "(" in piece or ")" in piece or "|" in piece:
                raise PhraseError(f"brackets that do not pair, or stand inside a word, in {phrase!r}")
            options = [(piece[:-1],), ()] if piece.endswith("?") and len(piece) > 1 else [(piece,)]
        results = [(*result, *option) for result in results for option in options]
        if len(results) > 2_000:
            raise PhraseError(f"{phrase!r} stands for more than 2,000 phrases; split it or use a <class>")
    return [result for result in results if result]


class Phrases:
    """All phrases of a language, each with a mark. Build once with ``add``, then ``find``."""

    def __init__(self, classes: Mapping[str, Collection[str]], aliases: Mapping[str, tuple[str, ...]]) -> None:
        self._root = _Node()
        self._aliases = aliases
        self._class_words: dict[str, tuple[str, ...]] = {}
        self._class_prefixes: list[tuple[str, str]] = []
        self._class_names = frozenset(classes)
        self.vocabulary: set[str] = set()
        members: dict[str, list[str]] = {}
        for name, words in classes.items():
            for word in words:
                if word.endswith("*"):
                    self._class_prefixes.extend((folded, name) for folded in self._fold(word[:-1]))
                else:
                    for folded in self._fold(word):
                        members.setdefault(folded, []).append(name)
                        self.vocabulary.add(folded)
        self._class_words = {word: tuple(names) for word, names in members.items()}

    def _fold(self, word: str) -> tuple[str, ...]:
        return tokenize(word, self._aliases).words

    def classes_of(self, word: str) -> tuple[str, ...]:
        """The names of the classes that a word is in."""
        names = self._class_words.get(word, ())
        if self._class_prefixes:
            more = tuple(name for prefix, name in self._class_prefixes if word.startswith(prefix))
            if more:
                names = (*names, *more)
        return names

    def add(self, phrase: str, mark: Any) -> None:
        """Store a phrase. Raises: PhraseError for one that cannot be read."""
        for sequence in expand(phrase):
            self._add(sequence, mark, phrase)

    def _add(self, sequence: tuple[str, ...], mark: Any, phrase: str) -> None:
        node = self._root
        ending = ""
        for index, piece in enumerate(sequence):
            if ending:
                raise PhraseError(f"{ending} is not last in {phrase!r}")
            if piece in ("$", "$$"):
                ending = piece
            elif piece == "^":
                node.begin = node = node.begin or _Node()
            elif piece == "^^":
                node.begin_text = node = node.begin_text or _Node()
            elif piece == "..":
                if index == 0 or index == len(sequence) - 1:
                    raise PhraseError(f".. is first or last in {phrase!r}")
                node.gap = node = node.gap or _Node()
            elif piece == "_":
                node.any = node = node.any or _Node()
            elif piece == "#":
                node.number = node = node.number or _Node()
            elif piece[0] == "<" and piece[-1] == ">" and len(piece) > 2:
                name = piece[1:-1]
                if name not in self._class_names:
                    raise PhraseError(f"no class {name!r} for {phrase!r}")
                node = node.classes.setdefault(name, _Node())
            elif piece.endswith("*") and len(piece) > 1:
                *heads, last = self._fold(piece[:-1])
                for head in heads:
                    node = node.words.setdefault(head, _Node())
                node = node.prefixes.setdefault(len(last), {}).setdefault(last, _Node())
            else:
                folded = self._fold(piece)
                if not folded:
                    raise PhraseError(f"{piece!r} holds no word, in {phrase!r}")
                for word in folded:
                    self.vocabulary.add(word)
                    node = node.words.setdefault(word, _Node())
        if node is self._root:
            raise PhraseError(f"{phrase!r} holds no word")
        (node.end_text_marks if ending == "$$" else node.end_marks if ending else node.marks).append(mark)

    def find(self, tokens: Tokens) -> list[Hit]:
        """Every phrase in the text, in the order of its first word."""
        words, sentence = tokens.words, tokens.sentence
        count = len(words)
        last_plain = max((index for index, word in enumerate(words) if word[0].isalnum()), default=-1)
        first_plain = next((index for index, word in enumerate(words) if word[0].isalnum()), 0)
        word_classes = [self.classes_of(word) for word in words]
        root = self._root
        hits: list[Hit] = []
        for first in range(count):
            here = sentence[first]
            stack: list[tuple[_Node, int]] = [(root, first)]
            if root.begin is not None and (first == 0 or sentence[first - 1] != here):
                stack.append((root.begin, first))
            if root.begin_text is not None and first <= first_plain:
                stack.append((root.begin_text, first))
            seen: set[tuple[int, int]] = set()
            while stack:
                node, position = stack.pop()
                if node.marks or node.end_marks or node.end_text_marks:
                    self._collect(node, first, position, count, here, sentence, last_plain, hits, seen)
                if position >= count or sentence[position] != here:
                    continue
                word = words[position]
                following = node.words.get(word)
                if following is not None:
                    stack.append((following, position + 1))
                if node.prefixes:
                    for length, table in node.prefixes.items():
                        following = table.get(word[:length])
                        if following is not None:
                            stack.append((following, position + 1))
                if node.classes:
                    for name in word_classes[position]:
                        following = node.classes.get(name)
                        if following is not None:
                            stack.append((following, position + 1))
                if node.any is not None:
                    stack.append((node.any, position + 1))
                if node.number is not None and (word[0].isdigit() or "number" in word_classes[position]):
                    stack.append((node.number, position + 1))
                if node.gap is not None:
                    stack.extend((node.gap, position + skipped) for skipped in range(GAP_WORDS_MAX + 1))
        return hits

    @staticmethod
    def _collect(
        node: _Node, first: int, position: int, count: int, here: int, sentence: tuple[int, ...], last_plain: int,
        hits: list[Hit], seen: set[tuple[int, int]],
    ) -> None:  # fmt: skip
        marks = node.marks
        if node.end_marks and (position >= count or sentence[position] != here):
            marks = marks + node.end_marks
        if node.end_text_marks and position > last_plain:
            marks = marks + node.end_text_marks
        for mark in marks:
            key = (id(mark), position)
            if key not in seen:
                seen.add(key)
                hits.append(Hit(mark, first, position))
