"""What customers answer, spelt out, and the weights learnt from it: ``python -m tests.corpus.answers``.

Patterns are in ``answers/<code>.txt``. A line ``# plan any = agrees adds`` says in which situations the patterns below it are
said, and with which labels; both are those of ``tests/reading/README.md``. The first written set of answers is learnt from as
well, so it measures nothing any more (docs/reading.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from conversations.comprehension import Reader
from conversations.comprehension.answers import LABELS, ONLY_IN, SITUATIONS, answer_signs
from conversations.comprehension.cues import gather, read_cues
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.tokens import bounded, clean
from conversations.comprehension.traces import Signs
from tests.corpus.generate import HERE, roughen, spell_out
from tests.corpus.traces import Row, fit, write, written

EACH = 14
JOINED = 0.35
WRITTEN_WEIGHT = 4.0
LIMITS = {"likely": -0.6, "grave": 0.0, "certain": 0.3, "opposed": -1.0, "ahead": 0.3}
DROP = ("part:", "topic:", "risk:")
PASSING = {"needs_more", "states_wish", "venting", "adds", "irony", "unsatisfied"}
"""Labels that a pattern may carry without saying so, unless it is a plain one; then they are not judged."""
PLAIN = {"agrees", "confirms", "satisfied", "done", "only_thanks", "more_to_come"}
SECOND = ("venting", "question", "asks_for_human", "opts_out", "states_wish", "more_to_come", "done", "irony", "adds")
"""Labels that may stand beside any other in a second sentence."""
ROUGH = {"handle": ["@acme", "@northair", "@bankora"]}


def load(language: str) -> list[tuple[tuple[str, ...], frozenset[str], str]]:
    """The patterns with their situations and labels."""
    patterns = []
    situations: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    for line in (HERE / "answers" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            left, _, right = line[2:].partition("=")
            situations, labels = tuple(left.split()), frozenset(right.split())
        elif line.strip():
            patterns.append((situations, labels, line))
    return patterns


def asked(situation: str) -> str:
    """What the engine says was asked in a situation of the written set."""
    return "mirror" if situation == "any" else situation


def judged(situation: str) -> frozenset[str]:
    """The labels that mean something in a situation."""
    if situation == "any":
        return frozenset(label for label in LABELS if "mirror" in ONLY_IN.get(label, SITUATIONS))
    known = frozenset(label for label in LABELS if situation in ONLY_IN.get(label, SITUATIONS))
    return known - {"needs_more"} if situation == "mirror" else known


def surely(situation: str, labels: frozenset[str]) -> frozenset[str]:
    """The labels of a pattern that are known to be there or not."""
    return judged(situation) if labels and labels <= PLAIN else judged(situation) - (PASSING - labels)


def answers(language: str, seed: int = 5) -> Iterator[tuple[Row, str]]:
    """Rows with their situations; some join a second sentence that adds its own labels."""
    patterns = load(language)
    chance = random.Random(seed)
    seconds = [pattern for pattern in patterns if pattern[1] and pattern[1] <= set(SECOND)]
    for number, (situations, labels, pattern) in enumerate(patterns):
        for _ in range(EACH * (2 if len(situations) > 3 else 1)):
            situation = chance.choice(situations)
            text, both = spell_out(pattern, {}, chance), labels
            if chance.random() < JOINED and "only_thanks" not in labels:
                places, more, other = chance.choice(seconds)
                if situation in places:
                    second = spell_out(other, {}, chance)
                    text = f"{text}{chance.choice(['. ', ', ', '. ', ' '])}{second}"
                    both = labels | more
                    if "agrees" in both and more & {"states_wish", "opts_out"}:
                        both -= {"agrees"}
            text = roughen(text, bool(both & {"venting", "unsatisfied"}), ROUGH, chance)
            yield Row(language, text, both, surely(situation, both), source=f"{language}{number}"), situation


def authors() -> Iterator[tuple[Row, str]]:
    """The written set."""
    for entry in written("answers.jsonl"):
        labels, place = frozenset(entry["labels"]), entry["situation"]
        yield Row(entry["language"], entry["text"], labels, judged(place), WRITTEN_WEIGHT, entry["id"]), place


def heard(pack: LanguagePack, text: str, situation: str) -> list[str]:
    """What was asked, and what the rules read in the text."""
    tokens = pack.tokens(clean(bounded(text)[0]))
    question = asked(situation)
    cues = read_cues(gather(pack, tokens, pack.phrases.find(tokens)), question)
    return list(answer_signs([Signs((), ())], tokens, cues, question)[0].more)


def main() -> None:
    """Learn and write ``cues.json`` of each language."""
    packs = Reader.default().packs
    some = [pair for code in packs for pair in answers(code)] + list(authors())
    rows = [row for row, _ in some]
    more = [heard(packs[row.language], row.text, situation) for row, situation in some]
    write(fit(packs, rows, LABELS, LIMITS, DROP, strength=0.3, more=more), "cues.json")


if __name__ == "__main__":
    main()
