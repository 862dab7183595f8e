"""Walks a trie of phrases over the words of a text, one step a word: branches that stand side by side are one state.

States are made when a text first needs them, and kept while there is room: words that no phrase knows are all the same to a
state, so few states and steps serve most texts. From each word at most a phrase's length of steps is taken, and gaps (``..``)
take up to three words, so the work is linear in the text whatever is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple

from conversations.comprehension.tokens import Tokens

GAP_WORDS_MAX = 3
STEPS_MAX = 40_000
"""So many steps are kept; then all are forgotten. A step takes about 100 bytes."""
SYMBOLS_MAX = 20_000
_STRANGE, _DIGITS = "?", "#"


class Hit(NamedTuple):
    """A phrase found at words ``first`` up to, not with, ``last``; ``mark`` is what was stored with it.

    A named tuple, since a text has about a hundred and these are made three times as quickly as frozen dataclasses.
    """

    mark: Any
    first: int
    last: int


@dataclass(slots=True)
class Node:
    """A place in the trie of all phrases: what may follow, by the kind of the next piece, and what ends here.

    ``begin`` and ``begin_text`` are passed without a word, at a sentence's and at the text's beginning; ``end_marks`` and
    ``end_text_marks`` count only where the sentence or the text ends. Most nodes have one way on, so what is not there is None.
    """

    words: dict[str, Node] | None = None
    prefixes: dict[int, dict[str, Node]] | None = None
    classes: dict[str, Node] | None = None
    number: Node | None = None
    any: Node | None = None
    gap: Node | None = None
    begin: Node | None = None
    begin_text: Node | None = None
    marks: tuple[Any, ...] = ()
    end_marks: tuple[Any, ...] = ()
    end_text_marks: tuple[Any, ...] = ()

    def word(self, word: str) -> Node:
        """The node after a word; made when it is not there."""
        if self.words is None:
            self.words = {}
        return self.words.setdefault(word, Node())

    def prefix(self, prefix: str) -> Node:
        """The node after a word that begins so."""
        if self.prefixes is None:
            self.prefixes = {}
        return self.prefixes.setdefault(len(prefix), {}).setdefault(prefix, Node())

    def of_class(self, name: str) -> Node:
        """The node after a word of a class."""
        if self.classes is None:
            self.classes = {}
        return self.classes.setdefault(name, Node())


_Place = tuple[Node, int]
"""A node, and how many words may still be skipped before it."""


class _State:
    """Places that stand side by side, what is found there, and the states that the next word leads to."""

    __slots__ = ("end_marks", "end_text_marks", "marks", "places", "plain", "steps")

    def __init__(self, places: tuple[_Place, ...]) -> None:
        nodes = [node for node, _ in places]
        self.places = places
        self.steps: dict[str, _State | None] = {}
        self.marks = _once((mark for node in nodes for mark in node.marks), ())
        self.end_marks = _once((mark for node in nodes for mark in node.end_marks), self.marks)
        ends = (mark for node in nodes for mark in node.end_text_marks)
        self.end_text_marks = _once(ends, self.marks + self.end_marks)
        self.plain = not (self.marks or self.end_marks or self.end_text_marks)


def _once(marks: Iterable[Any], known: tuple[Any, ...]) -> tuple[Any, ...]:
    """Each mark once, and none that is known."""
    taken = {id(mark) for mark in known}
    return tuple({id(mark): mark for mark in marks if id(mark) not in taken}.values())


_UNKNOWN = _State(())
"""Where a step leads that was never taken."""


class Automaton:
    """Finds the phrases of a trie. ``classes`` names the classes of a word; ``vocabulary`` holds the words of the phrases."""

    def __init__(self, root: Node, classes: Callable[[str], AbstractSet[str]], vocabulary: Collection[str]) -> None:
        self._root = root
        self._classes = classes
        self._vocabulary = vocabulary
        self.forget()

    def forget(self) -> None:
        """Let go of all states: the trie has changed, or there are too many."""
        self._states: dict[frozenset[tuple[int, int]], _State | None] = {}
        self._begins: dict[tuple[bool, bool], _State | None] = {}
        self._symbols: dict[str, str] = {}
        self._prefixes: set[str] | None = None
        self._count = 0

    def find(self, tokens: Tokens) -> list[Hit]:
        """Every phrase in the text, in the order of its first word."""
        words, sentence = tokens.words, tokens.sentence
        count = len(words)
        if self._count > STEPS_MAX:
            self.forget()
        known = self._symbols
        symbols = [known.get(word) or self._symbol(word) for word in words]
        plain = [index for index in range(count) if words[index][0].isalnum()]
        first_plain, last_plain = (plain[0], plain[-1]) if plain else (0, -1)
        ends = [count] * count
        for index in range(count - 2, -1, -1):
            ends[index] = ends[index + 1] if sentence[index] == sentence[index + 1] else index + 1
        inner = self._begin(False, False)
        hits: list[Hit] = []
        for first in range(count):
            state = inner
            if first <= first_plain or sentence[first - 1] != sentence[first]:
                state = self._begin(first == 0 or sentence[first - 1] != sentence[first], first <= first_plain)
            end = ends[first]
            position = first
            while state is not None:
                if not state.plain:
                    hits += [Hit(mark, first, position) for mark in state.marks]
                    if state.end_marks and position >= end:
                        hits += [Hit(mark, first, position) for mark in state.end_marks]
                    if state.end_text_marks and position > last_plain:
                        hits += [Hit(mark, first, position) for mark in state.end_text_marks]
                if position >= end:
                    break
                symbol = symbols[position]
                following = state.steps.get(symbol, _UNKNOWN)
                state = self._step(state, symbol) if following is _UNKNOWN else following
                position += 1
        return hits

    def _begin(self, of_sentence: bool, of_text: bool) -> _State | None:
        """The state before a word."""
        key = of_sentence, of_text
        if key not in self._begins:
            root = self._root
            nodes = [root, root.begin if of_sentence else None, root.begin_text if of_text else None]
            self._begins[key] = self._state([(node, 0) for node in nodes if node is not None])
        return self._begins[key]

    def _state(self, places: list[_Place]) -> _State | None:
        """The state of these places and of the gaps behind them; None when there is none."""
        spare: dict[int, _Place] = {}
        for node, skips in places:
            if id(node) not in spare or spare[id(node)][1] < skips:
                spare[id(node)] = node, skips
            if node.gap is not None:
                spare[id(node.gap)] = node.gap, GAP_WORDS_MAX
        key = frozenset((number, skips) for number, (_, skips) in spare.items())
        if key not in self._states:
            self._states[key] = _State(tuple(spare.values())) if spare else None
        return self._states[key]

    def _step(self, state: _State, symbol: str) -> _State | None:
        """The state after a word; remembered."""
        names = self._classes(symbol)
        after: list[_Place] = []
        for node, skips in state.places:
            if node.words is not None and symbol in node.words:
                after.append((node.words[symbol], 0))
            if node.prefixes is not None:
                for length, table in node.prefixes.items():
                    if symbol[:length] in table:
                        after.append((table[symbol[:length]], 0))
            if node.classes is not None:
                after += [(following, 0) for name, following in node.classes.items() if name in names]
            if node.any is not None:
                after.append((node.any, 0))
            if node.number is not None and (symbol[:1].isdigit() or symbol == _DIGITS or "number" in names):
                after.append((node.number, 0))
            if skips:
                after.append((node, skips - 1))
        self._count += 1
        state.steps[symbol] = following_state = self._state(after)
        return following_state

    def _symbol(self, word: str) -> str:
        """What a word is to the phrases: itself, or any number, or any word that they do not know."""
        if self._prefixes is None:
            self._prefixes = _prefixes(self._root)
        told = word in self._vocabulary or bool(self._classes(word))
        told = told or any(word[:length] in self._prefixes for length in range(1, len(word) + 1))
        symbol = word if told else _DIGITS if word[0].isdigit() else _STRANGE
        if len(self._symbols) >= SYMBOLS_MAX:
            self._symbols.clear()
        self._symbols[word] = symbol
        return symbol


def _prefixes(root: Node) -> set[str]:
    """Every beginning of a word that stands anywhere in the trie."""
    found: set[str] = set()
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for table in (node.prefixes or {}).values():
            found.update(table)
            stack += table.values()
        stack += (node.words or {}).values()
        stack += (node.classes or {}).values()
        stack += [other for other in (node.number, node.any, node.gap, node.begin, node.begin_text) if other]
    return found
