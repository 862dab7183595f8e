"""The corpus of dangers spelt out, and the weights learnt from it: ``python -m tests.corpus.dangers``.

Patterns are in ``risk/<code>.txt``. Ordinary posts come from the corpus of the triage; the first written sets of
``tests/reading`` are learnt from as well, so they measure nothing any more (docs/reading.md).
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from conversations.comprehension import Reader
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.phrases import expand
from conversations.comprehension.traces import Traces
from tests.corpus.generate import HERE, generate, roughen, spell_out
from tests.corpus.traces import Row, fit, found_in, write, written

LANGUAGES = Path(__file__).parents[2] / "conversations" / "languages"
RED = ("fire", "injury", "safety", "self_harm", "minor", "fraud", "stranded")
AMBER = ("legal", "press", "discrimination", "privacy", "vulnerable", "threat")
LABELS = ("danger", "red", *RED, *AMBER)
LIMITS = {"danger": -1.5, "red": -0.3, "pair": -1.5, "phrase": -3.5, "named_red": -3.6, "self_harm": -0.7}
DROP = ("small", "sense:", "cue:", "topic:", "lexicon:")
CALM_WEIGHT, CALM_PATTERN_WEIGHT = 3.0, 8.0
WRITTEN_WEIGHT = 20.0
"""How much a text counts beside a dangerous pattern's: calm ones, calm patterns and ordinary posts, what somebody wrote."""
STRENGTH = 0.1


def labelled(kinds: tuple[str, ...]) -> frozenset[str]:
    """The labels of a post with these kinds of danger."""
    return frozenset([*kinds, *["danger"] * bool(kinds), *["red"] * bool(set(kinds) & set(RED))])


def load(language: str) -> tuple[list[tuple[tuple[str, ...], str]], dict[str, list[str]]]:
    """The patterns of dangers with their kinds, none for calm ones, and the slots."""
    patterns: list[tuple[tuple[str, ...], str]] = []
    slots: dict[str, list[str]] = {}
    part, kinds = "", ()
    for line in (HERE / "risk" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            part, kinds = line[2:].strip(), ()
        elif line.startswith("# ") and part:
            kinds = tuple(line[2:].split()) if part == "risk" else ()
        elif line.strip() and part == "slots":
            name, _, values = line.partition(": ")
            slots[name] = values.split("|")
        elif line.strip() and part:
            patterns.append((kinds, line))
    return patterns, slots


def posts(language: str, each: int = 24, seed: int = 11) -> Iterator[Row]:
    """Dangers, tempting harmless posts, and ordinary posts; some dangers stand beside an ordinary complaint."""
    patterns, slots = load(language)
    chance = random.Random(seed)
    ordinary = list(generate(language, 10 if language == "en" else 24))
    plain = [sample for sample in ordinary if sample.complaint]
    slots["handle"] = ["@acme", "@northair", "@bankora", "@shopwell", "@cloudly"]
    for number, (kinds, pattern) in enumerate(patterns):
        for _ in range(each):
            text = spell_out(pattern, slots, chance)
            if chance.random() < 0.15:
                other = chance.choice(plain).text
                text = f"{text}. {other}" if chance.random() < 0.5 else f"{other}. {text}"
            weight = 1.0 if kinds else CALM_PATTERN_WEIGHT
            text = roughen(text, True, slots, chance)
            yield Row(language, text, labelled(kinds), weight=weight, source=f"{language}{number}")
    for sample in ordinary:
        yield Row(language, sample.text, frozenset(), weight=CALM_PATTERN_WEIGHT)
    for text in everyday(language, chance):
        yield Row(language, text, frozenset(), weight=CALM_PATTERN_WEIGHT)


def everyday(language: str, chance: random.Random) -> Iterator[str]:
    """Nonsense of everyday words: the phrases of the language's topics, cues and lexicon, a few at a time."""
    for name in ("topics", "cues", "lexicon"):
        table = tomllib.loads((LANGUAGES / language / f"{name}.toml").read_text(encoding="utf-8"))
        phrases = [
            phrase
            for entry in table.values()
            for value in entry.values()
            if isinstance(value, list)
            for phrase in value
        ]
        chance.shuffle(phrases)
        for place in range(0, len(phrases), 3):
            for turn in range(2):
                chosen = phrases[place : place + 3] if not turn else chance.sample(phrases, 3)
                words = [word for phrase in chosen for word in chance.choice(expand(phrase)) if word[0].isalnum()]
                yield " ".join(word.rstrip("*") for word in words)


def authors() -> Iterator[tuple[Row, str]]:
    """What people wrote by hand, and who wrote it. Answers that are no answers to a danger are calm."""
    for entry in [*written("risk.jsonl"), *written("people/risk.jsonl")]:
        kinds = tuple(risk["kind"] for risk in entry["risk"])
        weight = WRITTEN_WEIGHT * (1.0 if kinds else CALM_WEIGHT)
        row = Row(entry["language"], entry["text"], labelled(kinds), weight=weight, source=entry["id"])
        yield row, entry.get("author", "first")
    for entry in written("answers.jsonl"):
        yield Row(entry["language"], entry["text"], frozenset(), weight=CALM_WEIGHT, source=entry["id"]), "first"


class Material:
    """All rows, who wrote them (nobody, for a pattern), and their signs, found once."""

    def __init__(self, packs: Mapping[str, LanguagePack]) -> None:
        some = [(row, "") for code in packs for row in posts(code)] + list(authors())
        self.packs = packs
        self.rows = [row for row, _ in some]
        self.authors = [author for _, author in some]
        self.found = found_in(packs, self.rows, DROP)

    def learn(self, without: str | None = None) -> dict[str, Traces]:
        """The weights by language, from all authors but one."""
        kept = [number for number, author in enumerate(self.authors) if author != without]
        rows, found = [self.rows[number] for number in kept], [self.found[number] for number in kept]
        return fit(self.packs, rows, found, LABELS, LIMITS, strength=STRENGTH)


def main() -> None:
    """Learn and write ``risk.json`` of each language."""
    write(Material(Reader.default().packs).learn(), "risk.json")


if __name__ == "__main__":
    main()
