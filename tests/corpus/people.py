"""How well the bot reads an author it has not learnt from: ``python -m tests.corpus.people [answers|dangers]``.

Each of the authors is left out in turn, the models learn from all the others (and from the patterns), and read what the one
left out wrote. Everything that can be chosen (strengths, limits, signs) is chosen by these figures; the sets called ``_fresh``
stay for the end. Two limits: the phrases were written after looking at scenes of ``first`` and at errors on the others, and the
limits were chosen on these very figures, so they flatter a little.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

from conversations.comprehension import Reader
from tests.benchmarks.reading import Row, cue_rows, risk_rows
from tests.corpus import answers, dangers
from tests.corpus.traces import written


def left_out(what: str) -> Iterator[Row]:
    """The rows of ``tests.benchmarks.reading`` for each author, and for all of them, read as a stranger."""
    packs = Reader.default().packs
    file = "answers.jsonl" if what == "answers" else "risk.jsonl"
    entries = [*written(file), *written(f"people/{file}")]
    material = answers.Material(packs) if what == "answers" else dangers.Material(packs)
    for author in dict.fromkeys(entry.get("author", "first") for entry in entries):
        learnt = material.learn(author)
        field = "answers" if what == "answers" else "dangers"
        reader = Reader([replace(pack, **{field: learnt[code]}) for code, pack in packs.items()])
        rows = [entry for entry in entries if entry.get("author", "first") == author]
        yield from (cue_rows if what == "answers" else risk_rows)(rows, f"{author} left out", reader)


def main() -> None:
    """Print the table as Markdown."""
    print("| Measure | Value |\n|---|---|")
    for what in sys.argv[1:] or ("answers", "dangers"):
        for name, value in left_out(what):
            print(f"| {name} | {value} |", flush=True)


if __name__ == "__main__":
    main()
