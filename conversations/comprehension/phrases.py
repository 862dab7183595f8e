"""Phrases to one matcher: a trie over words (``automaton.py`` walks it). No regular expressions, so no pattern can explode.

The notation is described for people in ``conversations/languages/README.md``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from conversations.comprehension.automaton import Automaton, Hit, Node
from conversations.comprehension.tokens import Tokens, tokenize

__all__ = ["Hit", "PhraseError", "Phrases", "expand"]

_NONE: frozenset[str] = frozenset()
_KNOWN_MAX = 20_000


class PhraseError(ValueError):
    """A phrase that cannot be read; the text says why."""


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
        self._root = Node()
        self.vocabulary: set[str] = set()
        self._aliases = aliases
        self._folded: dict[str, tuple[str, ...]] = {}
        self._class_words: dict[str, set[str]] = {}
        self._class_prefixes: dict[int, dict[str, set[str]]] = {}
        self._defined: set[str] = set()
        self._known: dict[str, AbstractSet[str]] = {}
        self._automaton = Automaton(self._root, self._classes, self.vocabulary)
        self._class_names = frozenset(classes)
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
        """The names of the classes that a word is in; remembered, since words repeat."""
        names = self._known.get(word)
        if names is None:
            names = self._classes(word)
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[word] = names
        return names

    def _classes(self, word: str) -> AbstractSet[str]:
        names: AbstractSet[str] = self._class_words.get(word, _NONE)
        for length, table in self._class_prefixes.items():
            more = table.get(word[:length])
            if more:
                names = names | more
        return names

    def add(self, phrase: str, mark: Any) -> None:
        """Store a phrase. Raises: PhraseError for one that cannot be read."""
        self._known.clear()
        self._automaton.forget()
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
                node.begin = node = node.begin or Node()
            elif piece == "^^":
                node.begin_text = node = node.begin_text or Node()
            elif piece == ".." and all(rest in ("$", "$$") for rest in sequence[index + 1 :]):
                node.any = node = node.any or Node()
            elif piece == "..":
                if index == 0:
                    raise PhraseError(f".. is first in {phrase!r}")
                node.gap = node = node.gap or Node()
            elif piece == "_":
                node.any = node = node.any or Node()
            elif piece == "#":
                node.number = node = node.number or Node()
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
        return self._automaton.find(tokens)
