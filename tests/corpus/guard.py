"""Learns the weights of the tone guard's second reading: ``python -m tests.corpus.guard``.

One network over the sentences of nine authors' messages and those of ``guard/sentences.txt``, for all
languages at once: senses mean the same in every language and are learnt together, words are a language's own. What is
learnt from is on ``AUTHORS``; how it is used: ``conversations/wording/weighing.py``.
``--leave-out`` writes nothing: it learns from all authors but one, and says how the guard fares on that one's messages.
Needs scikit-learn (development only).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.comprehension.network import Network
from conversations.comprehension.tokens import clean, tokenize
from conversations.wording import guard
from conversations.wording.packs import load_packs
from conversations.wording.weighing import (
    NEEDS_MORE,
    TOLD_ELSEWHERE,
    Part,
    Weigher,
    parts,
    senses_of,
    words_of,
)  # fmt: skip
from tests.corpus import network
from tests.corpus.traces import Row, owned, write

TESTS = Path(__file__).parents[1]
LANGUAGES = TESTS.parent / "conversations" / "languages"
AUTHORS = {
    "first": TESTS / "wording" / "guard_sentences.jsonl",
    "second": TESTS / "wording" / "guard_plain.jsonl",
    **{
        name: TESTS / "corpus" / "guard" / f"{name}.jsonl"
        for name in ("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
    },
}
"""What is learnt from. ``guard_fresh.jsonl`` is not, and must never be."""
RULES = (
    "blame", "excuse", "disbelief", "minimising", "defensiveness", "empty_empathy", "stock_phrase", "undated_promise",
    "legal_admission",
)  # fmt: skip
SENTENCES = TESTS / "corpus" / "guard" / "sentences"
"""Single sentences, a file for each author, below headings of a language and rules joined by ``+``, or ``sound``."""
ALONE = (":only", *(f"~{sense}/no-{other}" for sense in NEEDS_MORE for other in TOLD_ELSEWHERE))
"""Signs of a message that is one sentence; those of ``SENTENCES`` are a sentence of some message."""
SHARED = ("~", ":", "sense:")
EVERYDAY = ("after_reading", "thirty_seventh", "thirty_eighth", "thirty_ninth", "fortieth")
EVERYDAY_WEIGHT = 3.0
"""What sentences of small talk and of every day's requests count beside the others: there are far more of them in earnest."""
TEXTS_MIN = 3
"""A sign must stand in so many sentences. Two would do no better on authors left out, with half as many weights more."""
FOUND: Mapping[str, float] = {
    "blame": -0.5, "excuse": -0.5, "disbelief": -0.5, "minimising": -0.5, "defensiveness": -0.5, "empty_empathy": 0.0,
    "stock_phrase": 1.0, "undated_promise": -0.5, "legal_admission": -0.5,
}  # fmt: skip
"""The log-odds from which a sentence is found. Chosen, as ``KEPT``, on the messages of authors who were left out."""
KEPT: Mapping[str, float] = {
    "blame": -3.0, "excuse": -3.0, "disbelief": -1.0, "minimising": -4.0, "defensiveness": -3.0, "empty_empathy": -4.0,
    "undated_promise": -6.0, "legal_admission": -2.0,
}  # fmt: skip
"""The log-odds below which a phrase's finding is taken back. Stock phrases stand: the phrases know them better."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a sentence is weighed by, and the rules it breaks."""

    author: str
    signs: tuple[str, ...]
    rules: frozenset[str]
    weight: float = 1.0


def read(author: str) -> list[dict[str, Any]]:
    """An author's messages."""
    return [json.loads(line) for line in AUTHORS[author].read_text(encoding="utf-8").splitlines()]


def sentences(author: str) -> Iterable[Sentence]:
    """Every sentence of an author of which it is known whether it is at fault: by its marked words, or because it is alone."""
    for row in read(author):
        code = row["language"]
        text = clean(row["text"])
        tokens = tokenize(text)
        found = parts(tokens, senses_of(code))
        marked = [(fault["rule"], *_place(text, fault["evidence"])) for fault in row["faults"] if "evidence" in fault]
        if len(marked) < len(row["faults"]) and len(found) > 1:
            continue
        for part in found:
            start, end = tokens.start[part.first], tokens.end[part.last - 1]
            rules = {rule for rule, since, until in marked if since < end and start < until}
            if len(found) == 1:
                rules |= {fault["rule"] for fault in row["faults"]}
            yield Sentence(author, signs_in(code, part), frozenset(rules))


def written() -> Iterable[Sentence]:
    """What stands in ``SENTENCES``. Of a line of two sentences it is only known who is at fault if both are, or neither."""
    for file in sorted(SENTENCES.glob("*.txt")):
        code, rules = "", frozenset[str]()
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                _, code, named = line.split()
                rules = frozenset(named.split("+")) - {"sound"}
            elif line:
                found = parts(tokenize(clean(line)), senses_of(code))
                if len(found) == 1 or rules <= {"empty_empathy"}:
                    drop = ALONE if len(found) == 1 else ()
                    weight = EVERYDAY_WEIGHT if file.stem in EVERYDAY else 1.0
                    yield from (Sentence(file.stem, signs_in(code, part, drop), rules, weight) for part in found)


def signs_in(code: str, part: Part, drop: Sequence[str] = ()) -> tuple[str, ...]:
    """The signs of a sentence, by their names among all languages."""
    return tuple(owned(code, sign, SHARED) for sign in part.signs.names(words_of(code)) if sign not in drop)


def _place(text: str, evidence: str) -> tuple[int, int]:
    at = text.find(clean(evidence))
    return at, at + len(clean(evidence))


def fit(rows: Sequence[Sentence]) -> dict[str, Network]:
    """The weights by language."""
    limits = {**FOUND, **{f"{rule}-": limit for rule, limit in KEPT.items()}}
    known = [Row("", "", row.rules, weight=row.weight) for row in rows]
    senses = {code: words_of(code) for code in load_packs()}
    return network.fit(senses, known, [row.signs for row in rows], RULES, limits, SHARED, texts_min=TEXTS_MIN)


def left_out(rows: Sequence[Sentence], author: str) -> Iterable[tuple[str, int, int, int]]:
    """How the guard fares on an author's messages when its model has learnt from all the others.

    By language: rules found, rightly found, and at fault. The phrases stay as they are.
    """
    made = fit([row for row in rows if row.author != author])
    counts: dict[str, Counter[str]] = {}
    for row in read(author):
        code = row["language"]
        patterns = guard.patterns_of(code)
        tokens = tokenize(clean(row["text"]), vocabulary=patterns.phrases.vocabulary)
        tone = guard.tone(patterns, tokens, Weigher(senses_of(code), made[code]))
        found = {rule.value for rule, _, _ in tone} & set(RULES)
        at_fault = {fault["rule"] for fault in row["faults"]} & set(RULES)
        for name in (code, "all"):
            counts.setdefault(name, Counter()).update(
                found=len(found), right=len(found & at_fault), faults=len(at_fault)
            )
    for name, count in sorted(counts.items()):
        yield name, count["found"], count["right"], count["faults"]


def main(arguments: Iterable[str] | None = None) -> None:
    """Learn and write, or learn from all but one and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leave-out", action="store_true")
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    rows = [*(row for author in AUTHORS for row in sentences(author)), *written()]
    if not options.leave_out:
        write(fit(rows), "templates/guard.json")
        return
    for author in AUTHORS:
        for name, found, right, faults in left_out(rows, author):
            print(f"| {author} left out, {name} | {right / found:.3f} / {right / faults:.3f} |")


if __name__ == "__main__":
    main()
