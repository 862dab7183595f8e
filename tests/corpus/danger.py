"""The corpus of dangers spelt out, and the weights learnt from it: ``python -m tests.corpus.danger en es de fr pt``.

Patterns are in ``risk/<code>.txt``; ordinary posts come from the corpus of the triage. All languages are learnt together: the
classes of words mean the same in each, single words are a language's own. Needs scikit-learn.
"""

from __future__ import annotations

import json
import random
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.comprehension import Reader
from conversations.comprehension.danger import NONE, Dangers, windows
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.phrases import expand
from conversations.comprehension.tokens import bounded, clean
from tests.corpus.generate import HERE, generate, roughen, spell_out

LANGUAGES = Path(__file__).parents[2] / "conversations" / "languages"
OWN = ("w:", "s:")
STRENGTH = 0.5
TINY = 0.08
CALM_WEIGHT = 3.0
AMBER, RED = -0.5, 1.7


@dataclass(frozen=True, slots=True)
class Danger:
    """A post with its kinds of danger, none for an ordinary one; ``source`` names the pattern, for splits without leaks."""

    text: str
    kinds: tuple[str, ...]
    source: str


def load(language: str) -> tuple[list[tuple[tuple[str, ...], str]], dict[str, list[str]]]:
    """The patterns of dangers with their kinds, and the slots."""
    patterns: list[tuple[tuple[str, ...], str]] = []
    slots: dict[str, list[str]] = {}
    part, kinds = "", ()
    for line in (HERE / "risk" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            part = line[2:].strip()
        elif line.startswith("# ") and part:
            kinds = tuple(line[2:].split()) if part == "risk" else ()
        elif line.strip() and part == "slots":
            name, _, values = line.partition(": ")
            slots[name] = values.split("|")
        elif line.strip() and part:
            patterns.append((kinds, line))
    return patterns, slots


def posts(language: str, each: int = 24, seed: int = 11) -> Iterator[Danger]:
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
            yield Danger(roughen(text, True, slots, chance), kinds, f"{language}{number}")
    for sample in ordinary:
        yield Danger(sample.text, (), f"{language}-{sample.source}")
    yield from everyday(language, chance)


def everyday(language: str, chance: random.Random) -> Iterator[Danger]:
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
                yield Danger(" ".join(word.rstrip("*") for word in words), (), f"{language}-{name}-{place}")


def rows(pack: LanguagePack, some: Iterator[Danger]) -> Iterator[tuple[dict[str, float], str, str, float]]:
    """Features, kind, source and weight; a post of two kinds is two rows of half the weight.

    Harmless posts weigh more, since they are rarer here than where people write, and far more varied there.
    """
    for post in some:
        tokens = pack.tokens(clean(bounded(post.text)[0]))
        found: dict[str, float] = {}
        for part in windows(tokens, pack.phrases.find(tokens), pack.small):
            found.update(dict.fromkeys((_shared(name, pack.code) for name in part), 1.0))
        for kind in post.kinds or (NONE,):
            yield found, kind, post.source, 1.0 / len(post.kinds) if post.kinds else CALM_WEIGHT


def _shared(name: str, code: str) -> str:
    return f"{code}|{name}" if name.startswith(OWN) or " " in name else name


def fit(data: list[tuple[dict[str, float], str, str, float]], strength: float = STRENGTH) -> dict[str, Any]:
    """The weights of every feature for every kind, and the biases, for all languages at once."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    sources: dict[str, set[str]] = {}
    for found, _, source, _ in data:
        for name in found:
            sources.setdefault(name, set()).add(source)

    def kept(name: str) -> bool:
        return len(sources[name]) >= (3 if " " in name else 1)

    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform([{n: v for n, v in found.items() if kept(n)} for found, _, _, _ in data])
    model = LogisticRegression(C=strength, max_iter=150, tol=1e-3)
    model.fit(matrix, [row[1] for row in data], sample_weight=[row[3] for row in data])
    return {
        "names": vectorizer.feature_names_,
        "kinds": list(model.classes_),
        "bias": model.intercept_,
        "weights": model.coef_,
    }


def split(model: dict[str, Any], code: str, amber: float = AMBER, red: float = RED) -> Dangers:
    """One language's share of the weights."""
    order = sorted(range(len(model["kinds"])), key=lambda place: (model["kinds"][place] != NONE, model["kinds"][place]))
    weights = {}
    for place, name in enumerate(model["names"]):
        owner, _, own = name.rpartition("|")
        if owner in ("", code):
            shares = [(new, float(model["weights"][old][place])) for new, old in enumerate(order)]
            shares = [(new, weight) for new, weight in shares if abs(weight) >= TINY]
            if shares:
                weights[own] = shares
    kinds = tuple(model["kinds"][place] for place in order)
    return Dangers(kinds, tuple(float(model["bias"][place]) for place in order), weights, amber, red)


def main(codes: list[str]) -> None:
    """Learn and write ``risk.json`` of each language."""
    packs = Reader.default().packs
    data = [row for code in codes for row in rows(packs[code], posts(code))]
    model = fit(data)
    for code in codes:
        text = json.dumps(split(model, code).to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        (LANGUAGES / code / "risk.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
