"""Two sources, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum


class Kind(StrEnum):
    """What became of a line."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line, with its number in the old and the new source (None where it is not there)."""

    kind: Kind
    text: str
    old: int | None
    new: int | None


def difference(old: str, new: str) -> list[DiffLine]:
    """What changes between two sources, all lines in order; what was removed comes before what was added."""
    before, after = old.splitlines(), new.splitlines()
    lines: list[DiffLine] = []
    for tag, first, last, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [DiffLine(Kind.SAME, before[n], n + 1, start + n - first + 1) for n in range(first, last)]
            continue
        lines += [DiffLine(Kind.REMOVED, before[n], n + 1, None) for n in range(first, last)]
        lines += [DiffLine(Kind.ADDED, after[n], None, n + 1) for n in range(start, end)]
    return lines
