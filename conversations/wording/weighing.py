"""What a sentence speaks of, weighed: the tone guard's second reading, for faults that no list of phrases can know.

A reproach can be told as a fact ("the size guide is right there under the picture"). So a small network weighs each sentence
by rule: its words with their beginnings and senses (``comprehension/senses.py``), two words in a row, its own *senses*
(``templates/senses.toml``: does it speak of weather, of a colleague, of records, of what we did?), which of these meet,
which are absent, and what the other sentences speak of.
Senses have the same names in every language, so what is learnt from one helps the others. The weights are
``guard.json``, learnt by ``python -m tests.corpus.guard``; without one, a language has no second reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

from conversations.comprehension.network import Network
from conversations.comprehension.pack import languages, load_senses
from conversations.comprehension.phrases import Phrases
from conversations.comprehension.senses import Senses
from conversations.comprehension.signs import Signs, shown
from conversations.comprehension.tokens import Tokens
from conversations.wording.packs import load_packs, load_weights

TELLING_WHEN_ABSENT = ("date", "done", "number", "we", "you", "own", "negation")
"""A sentence about anything at all that holds none of these is suspicious: it says nothing that was or will be done."""
TOLD_ELSEWHERE = ("date", "done", "own")
NEEDS_MORE = ("feel", "future", "conditional")
"""Feeling, promises and conditions are judged by whether another sentence holds something of ``TOLD_ELSEWHERE``."""
LENGTHS = (2, 4, 7, 11, 16, 24)
SENTENCES_MAX = 200
"""Of a longer text only the beginning is weighed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence: words ``first`` up to, not with, ``last``, and what it is weighed by."""

    number: int
    first: int
    last: int
    signs: Signs


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sentence and, by rule, the log-odds that it is at fault."""

    number: int
    first: int
    last: int
    odds: Mapping[str, float]
    signs: frozenset[str]

    def of(self, senses: Iterable[str]) -> bool:
        """Whether the sentence speaks of one of these."""
        return any(f"~{sense}" in self.signs for sense in senses)


@dataclass(frozen=True)
class Weigher:
    """A language's senses and weights. The limits of ``network``: by rule, the log-odds from which a sentence is found; by
    ``rule-``, those below which a phrase's finding is taken back.
    """

    senses: Phrases
    network: Network

    def weigh(self, tokens: Tokens) -> list[Weighed]:
        """Every sentence of a text."""
        return [
            Weighed(part.number, part.first, part.last, self.network.weigh([part.signs]), frozenset(part.signs.more))
            for part in parts(tokens, self.senses)
        ]


@lru_cache(maxsize=16)
def weigher(code: str) -> Weigher | None:
    """The second reading of a language; None without weights."""
    weights = load_weights(code)
    return Weigher(senses_of(code), Network.from_json(weights, words_of(code))) if weights is not None else None


@lru_cache(maxsize=16)
def words_of(code: str) -> Senses:
    """The senses that words of a language have alone: those of comprehension."""
    return load_senses(languages().joinpath(code))


@lru_cache(maxsize=16)
def senses_of(code: str) -> Phrases:
    """What sentences of a language speak of, as a matcher. Raises PhraseError for an unreadable one."""
    matcher = Phrases({}, {})
    for sense, phrases in load_packs()[code].senses.items():
        for phrase in phrases:
            matcher.add(phrase, sense)
    return matcher


def parts(tokens: Tokens, senses: Phrases) -> list[Part]:
    """The sentences of a text with their signs; the names of signs are stable, since the weights use them."""
    bounds = _bounds(tokens.sentence)[:SENTENCES_MAX]
    spoken: dict[int, set[str]] = {number: set() for number, _, _ in bounds}
    for hit in senses.find(tokens):
        if (number := tokens.sentence[hit.first]) in spoken:
            spoken[number].add(hit.mark)
    for number, first, last in bounds:
        if any(word[0].isdigit() for word in tokens.words[first:last]):
            spoken[number].add("number")
    everywhere = Counter(sense for found in spoken.values() for sense in found)
    made = []
    for place, (number, first, last) in enumerate(bounds):
        words = shown(tokens.words[first:last])
        own = spoken[number]
        rest = {sense for sense, count in everywhere.items() if count > (sense in own)}
        more = [*_senses(sorted(own), rest), *_form(words, own, tokens.stop.get(number, ""))]
        if len(bounds) == 1:
            more.append(":only")
        elif place in (0, len(bounds) - 1):
            more.append(":last" if place else ":first")
        made.append(Part(number, first, last, Signs(words, more)))
    return made


def _bounds(sentences: Sequence[int]) -> list[tuple[int, int, int]]:
    """The number, the first word and the word after the last of each sentence."""
    starts = [index for index, number in enumerate(sentences) if index == 0 or number != sentences[index - 1]]
    return [(sentences[first], first, last) for first, last in pairwise([*starts, len(sentences)])]


def _senses(own: Sequence[str], rest: set[str]) -> list[str]:
    """What the sentence speaks of: each sense, each two that meet, what is absent, and what is said elsewhere."""
    found = [f"~{sense}" for sense in own]
    found += [f"~{one}+{two}" for one, two in combinations(own, 2)]
    for absent in TELLING_WHEN_ABSENT:
        if absent not in own:
            found += [f"~{sense}-{absent}" for sense in own]
    found += [f"~~{sense}" for sense in rest]
    for sense in NEEDS_MORE:
        if sense in own:
            found += [f"~{sense}/{'with' if other in rest else 'no'}-{other}" for other in TOLD_ELSEWHERE]
    return found


def _form(words: Sequence[str], own: set[str], stop: str) -> list[str]:
    """How the sentence looks: who is in it, numbers, its length, its beginning, its punctuation."""
    who = f"{int('we' in own)}{int('you' in own)}"
    number = int("number" in own)
    found = [f":who-{who}", f":number-{number}", f":who-number-{who}{number}"]
    found.append(f":words-{next((size for size in LENGTHS if len(words) <= size), 99)}")
    found += [f":{mark}" for mark in "?!" if mark in stop]
    found += [f"^{words[0]}"] if words else []
    return found
