"""Phrases to one matcher: a trie over words, walked once over a text. No regular expressions, so no pattern can explode.

The notation is described for people in ``conversations/languages/README.md``. A walk starts at each word and follows at most
a handful of branches; gaps (``..``) take up to three words, so the work is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from conversations.comprehension.tokens import Tokens, tokenize

GAP_WORDS_MAX = 3
_NONE: frozenset[str] = frozenset()
_KNOWN_MAX = 20_000


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
    words: dict[str, _Node] | None = None
    prefixes: dict[int, dict[str, _Node]] | None = None
    classes: dict[str, _Node] | None = None
    number: _Node | None = None
    any: _Node | None = None
    gap: _Node | None = None
    begin: _Node | None = None
    begin_text: _Node | None = None
    marks: tuple[Any, ...] = ()
    end_marks: tuple[Any, ...] = ()
    end_text_marks: tuple[Any, ...] = ()

    def word(self, word: str) -> _Node:
        """The node after a word; made when it is not there."""
        if self.words is None:
            self.words = {}
        return self.words.setdefault(word, _Node())

    def prefix(self, prefix: str) -> _Node:
        """The node after a word that begins so."""
        if self.prefixes is None:
            self.prefixes = {}
        return self.prefixes.setdefault(len(prefix), {}).setdefault(prefix, _Node())

    def of_class(self, name: str) -> _Node:
        """The node after a word of a class."""
        if self.classes is None:
            self.classes = {}
        return self.classes.setdefault(name, _Node())


_PIECE = re.compile(r"[()|]\??|[^\s()|]+")
_PHRASES_MAX = 5_000
_CLASS_WORDS_MIN = 4


def expand(phrase: str) -> list[tuple[str, ...]]:
    """All plain sequences of a phrase: groups and optional words written out.

    A group of many single words after the first word stays together as one piece ``<a|b|c>``, so that groups do not multiply.
    """
    pieces = _PIECE.findall(phrase)
    results, position = _alternatives(pieces, 0, phrase)
    if position != len(pieces):
        raise PhraseError(f"a bracket closes that never opened, in {phrase!r}")
    return list(dict.fromkeys(result for result in results if result))


def _alternatives(pieces: list[str], position: int, phrase: str) -> tuple[list[tuple[str, ...]], int]:
    """Options separated by ``|`` up to a closing bracket or the end."""
    options: list[tuple[str, ...]] = []
    current: list[tuple[str, ...]] = [()]
    while position < len(pieces) and pieces[position][0] != ")":
        piece = pieces[position]
        if piece[0] == "|":
            options, current = options + current, [()]
            position += 1
            continue
        if piece[0] == "(":
            inner, position = _alternatives(pieces, position + 1, phrase)
            if position == len(pieces):
                raise PhraseError(f"a bracket is never closed, in {phrase!r}")
            if any(not option for option in inner):
                raise PhraseError(f"an empty alternative in {phrase!r}; write (a|b)? for an optional group")
            if current != [()] and len(inner) >= _CLASS_WORDS_MIN and all(_is_word(option) for option in inner):
                inner = [("<" + "|".join(sorted(option[0] for option in inner)) + ">",)]
            if pieces[position].endswith("?"):
                inner.append(())
        elif piece.endswith("?") and len(piece) > 1:
            inner = [(piece[:-1],), ()]
        else:
            inner = [(piece,)]
        position += 1
        current = [(*start, *option) for start in current for option in inner]
        if len(current) + len(options) > _PHRASES_MAX:
            raise PhraseError(f"{phrase!r} stands for more than {_PHRASES_MAX:,} phrases; split it")
    return options + current, position


def _is_word(option: tuple[str, ...]) -> bool:
    return len(option) == 1 and option[0] not in ("..", "_", "#", "^", "^^", "$", "$$") and option[0][0] != "<"


class Phrases:
    """All phrases of a language, each with a mark. Build once with ``add``, then ``find``."""

    def __init__(self, classes: Mapping[str, Collection[str]], aliases: Mapping[str, tuple[str, ...]]) -> None:
        self._root = _Node()
        self._aliases = aliases
        self._folded: dict[str, tuple[str, ...]] = {}
        self._class_words: dict[str, set[str]] = {}
        self._class_prefixes: dict[int, dict[str, set[str]]] = {}
        self._defined: set[str] = set()
        self._known: dict[str, tuple[AbstractSet[str], tuple[_Node, ...]]] = {}
        self._class_names = frozenset(classes)
        self.vocabulary: set[str] = set()
        for name, words in classes.items():
            self._define(name, words)

    def _define(self, name: str, words: Collection[str]) -> None:
        """A class of words; one that exists already stays as it is."""
        if name in self._defined:
            return
        self._defined.add(name)
        for word in words:
            if word.endswith("*"):
                for folded in self._fold(word[:-1])[-1:]:
                    self._class_prefixes.setdefault(len(folded), {}).setdefault(folded, set()).add(name)
            else:
                for folded in self._fold(word):
                    self._class_words.setdefault(folded, set()).add(name)
                    self.vocabulary.add(folded)

    def _fold(self, word: str) -> tuple[str, ...]:
        known = self._folded.get(word)
        if known is None:  # the same few thousand words stand in tens of thousands of phrases
            known = self._folded[word] = tokenize(word, self._aliases).words
        return known

    def classes_of(self, word: str) -> AbstractSet[str]:
        """The names of the classes that a word is in."""
        return self._word(word)[0]

    def _word(self, word: str) -> tuple[AbstractSet[str], tuple[_Node, ...]]:
        """The classes of a word and the nodes that follow it at the start of a phrase; remembered, since words repeat."""
        known = self._known.get(word)
        if known is None:
            names: AbstractSet[str] = self._class_words.get(word, _NONE)
            for length, table in self._class_prefixes.items():
                more = table.get(word[:length])
                if more:
                    names = names | more
            after: list[_Node] = []
            self._follow(self._root, word, names, after)
            known = names, tuple(after)
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[word] = known
        return known

    @staticmethod
    def _follow(node: _Node, word: str, names: AbstractSet[str], after: list[_Node]) -> None:
        """Add the nodes that a word leads to."""
        if node.words is not None:
            following = node.words.get(word)
            if following is not None:
                after.append(following)
        if node.prefixes is not None:
            for length, table in node.prefixes.items():
                following = table.get(word[:length])
                if following is not None:
                    after.append(following)
        if node.classes is not None and names:
            after.extend(following for name, following in node.classes.items() if name in names)
        if node.any is not None:
            after.append(node.any)
        if node.number is not None and (word[0].isdigit() or "number" in names):
            after.append(node.number)

    def add(self, phrase: str, mark: Any) -> None:
        """Store a phrase. Raises: PhraseError for one that cannot be read."""
        self._known.clear()
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
            elif piece == ".." and all(rest in ("$", "$$") for rest in sequence[index + 1 :]):
                node.any = node = node.any or _Node()
            elif piece == "..":
                if index == 0:
                    raise PhraseError(f".. is first in {phrase!r}")
                node.gap = node = node.gap or _Node()
            elif piece == "_":
                node.any = node = node.any or _Node()
            elif piece == "#":
                node.number = node = node.number or _Node()
            elif piece[0] == "<" and piece[-1] == ">" and len(piece) > 2:
                name = piece[1:-1]
                if "|" in name:
                    self._define(name, name.split("|"))
                elif name not in self._class_names:
                    raise PhraseError(f"no class {name!r} for {phrase!r}")
                node = node.of_class(name)
            elif piece.endswith("*") and len(piece) > 1:
                *heads, last = self._fold(piece[:-1])
                for head in heads:
                    node = node.word(head)
                node = node.prefix(last)
            else:
                folded = self._fold(piece)
                if not folded:
                    raise PhraseError(f"{piece!r} holds no word, in {phrase!r}")
                for word in folded:
                    self.vocabulary.add(word)
                    node = node.word(word)
        if node is self._root:
            raise PhraseError(f"{phrase!r} holds no word")
        if ending == "$$":
            node.end_text_marks += (mark,)
        elif ending:
            node.end_marks += (mark,)
        else:
            node.marks += (mark,)

    def find(self, tokens: Tokens) -> list[Hit]:
        """Every phrase in the text, in the order of its first word."""
        words, sentence = tokens.words, tokens.sentence
        count = len(words)
        plain = [index for index, word in enumerate(words) if word[0].isalnum()]
        first_plain, last_plain = (plain[0], plain[-1]) if plain else (0, -1)
        known = [self._word(word) for word in words]
        root = self._root
        hits: list[Hit] = []
        for first in range(count):
            here = sentence[first]
            stack: list[tuple[_Node, int]] = [(after, first + 1) for after in known[first][1]]
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
                if node.words is not None:  # written out, not _follow: this is where reading spends its time
                    following = node.words.get(words[position])
                    if following is not None:
                        stack.append((following, position + 1))
                if node.prefixes is not None:
                    word = words[position]
                    for length, table in node.prefixes.items():
                        following = table.get(word[:length])
                        if following is not None:
                            stack.append((following, position + 1))
                if node.classes is not None:
                    names = known[position][0]
                    if names:
                        for name, following in node.classes.items():
                            if name in names:
                                stack.append((following, position + 1))
                if node.any is not None:
                    stack.append((node.any, position + 1))
                if node.number is not None and (words[position][0].isdigit() or "number" in known[position][0]):
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
