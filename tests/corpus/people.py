"""How well the bot reads an author it has not learnt from: ``python -m tests.corpus.people [answers|dangers|complaints]``.

Each of the authors is left out in turn, the models learn from all the others (and from the patterns), and read what the one
left out wrote. Everything that can be chosen (strengths, limits, signs) is chosen by these figures; the sets called ``_fresh``
stay for the end. Two limits: the phrases were written after looking at scenes of ``first`` and at errors on the others, and the
limits were chosen on these very figures, so they flatter a little.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from conversations.comprehension import Reader
from conversations.comprehension.network import Network
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.traces import Traces
from tests.benchmarks.reading import Row, cue_rows, posts, risk_rows
from tests.corpus import answers, complaints, dangers
from tests.corpus.traces import written


@dataclass(frozen=True, slots=True)
class Kind:
    """What a model learns from, where that was written, and how it is measured. Its name is the pack's field."""

    material: Callable[[Mapping[str, LanguagePack]], Material]
    files: tuple[str, ...]
    measure: Callable[[Sequence[dict[str, Any]], str, Reader], Iterable[Row]]


class Material(Protocol):
    """What can be learnt from, with an author left out."""

    def learn(self, without: str | None = None) -> Mapping[str, Network | Traces]:
        """The weights by language."""


KINDS = {
    "answers": Kind(answers.Material, ("answers.jsonl", "people/answers.jsonl"), cue_rows),
    "dangers": Kind(dangers.Material, ("risk.jsonl", "people/risk.jsonl"), risk_rows),
    "complaints": Kind(complaints.Material, ("people/complaints.jsonl",), posts),
}


def left_out(what: str) -> Iterator[Row]:
    """The rows of ``tests.benchmarks.reading`` for each author, and for all of them, read as a stranger."""
    packs = Reader.default().packs
    kind = KINDS[what]
    entries = [entry for file in kind.files for entry in written(file)]
    material = kind.material(packs)
    for author in dict.fromkeys(entry.get("author", "first") for entry in entries):
        learnt = material.learn(author)
        reader = Reader([replace(pack, **{what: learnt[code]}) for code, pack in packs.items()])
        rows = [entry for entry in entries if entry.get("author", "first") == author]
        yield from kind.measure(rows, f"{author} left out", reader)


def main() -> None:
    """Print the table as Markdown."""
    print("| Measure | Value |\n|---|---|")
    for what in sys.argv[1:] or KINDS:
        for name, value in left_out(what):
            print(f"| {name} | {value} |", flush=True)


if __name__ == "__main__":
    main()
