"""What customers answer, spelt out, and the weights learnt from it: ``python -m tests.corpus.answers``.

Patterns are in ``answers/<code>.txt``. A line ``# plan any = agrees adds`` says in which situations the patterns below it are
said, and with which labels; both are those of ``tests/reading/README.md``. The first written set of answers and those of the
authors in ``people/`` are learnt from as well, so they measure nothing any more, except when an author is left out
(``tests/corpus/people.py``).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from conversations.comprehension import Reader
from conversations.comprehension.answers import LABELS, ONLY_IN, SITUATIONS, answer_signs
from conversations.comprehension.cues import gather, read_cues
from conversations.comprehension.network import Network
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.signs import Signs
from conversations.comprehension.tokens import bounded, clean
from tests.corpus.generate import HERE, roughen, spell_out
from tests.corpus.network import fit
from tests.corpus.traces import Row, found_in, write, written

EACH = 14
JOINED = 0.35
PATTERN_WEIGHT = 0.3
"""A text spelt out of a pattern counts less than one that somebody wrote."""
LIMITS = {
    "venting": -0.7, "more_to_come": -1.0, "done": -0.7, "asks_for_human": -0.7, "opts_out": -1.1, "confirms": -0.2,
    "adds": -0.9, "states_wish": -0.9, "agrees": -0.6, "declines": -0.3, "satisfied": -0.7, "unsatisfied": -0.9,
    "needs_more": -0.5, "only_thanks": -0.4, "question": -0.5, "irony": -1.4, "certain": 0.2, "opposed": -4.0, "ahead": 5.5,
}  # fmt: skip
"""Log-odds. For each label that from which it is *likely*: where its F1 on the authors left out is best
(tests/corpus/people.py). ``certain``: above this the rules may be sure. ``opposed`` and ``ahead``: a label
must be so much likelier than an opposite above the first, or neither is read."""
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
            yield Row(language, text, both, surely(situation, both), PATTERN_WEIGHT, source=f"{language}{number}"), situation


def authors() -> Iterator[tuple[Row, str, str]]:
    """What people wrote by hand: rows, their situations, and who wrote them."""
    for entry in [*written("answers.jsonl"), *written("people/answers.jsonl")]:
        labels, place = frozenset(entry["labels"]), entry["situation"]
        row = Row(entry["language"], entry["text"], labels, judged(place), source=entry["id"])
        yield row, place, entry.get("author", "first")


def heard(pack: LanguagePack, text: str, situation: str) -> list[str]:
    """What was asked, and what the rules read in the text."""
    tokens = pack.tokens(clean(bounded(text)[0]))
    question = asked(situation)
    cues = read_cues(gather(pack, tokens, pack.phrases.find(tokens)), question)
    return list(answer_signs([Signs((), ())], tokens, cues, question)[0].more)


class Material:
    """All rows, who wrote them (nobody, for a pattern), and their signs, found once."""

    def __init__(self, packs: Mapping[str, LanguagePack]) -> None:
        some = [(row, place, "") for code in packs for row, place in answers(code)] + list(authors())
        self.packs = packs
        self.rows = [row for row, _, _ in some]
        self.authors = [author for _, _, author in some]
        self.found = [
            signs + heard(packs[row.language], row.text, place)
            for (row, place, _), signs in zip(some, found_in(packs, self.rows, DROP), strict=True)
        ]

    def learn(self, without: str | None = None) -> dict[str, Network]:
        """The weights by language, from all authors but one."""
        kept = [number for number, author in enumerate(self.authors) if author != without]
        rows, found = [self.rows[number] for number in kept], [self.found[number] for number in kept]
        senses = {code: pack.senses for code, pack in self.packs.items()}
        return fit(senses, rows, found, LABELS, LIMITS)


def main() -> None:
    """Learn and write ``cues.json`` of each language."""
    write(Material(Reader.default().packs).learn(), "cues.json")


if __name__ == "__main__":
    main()
