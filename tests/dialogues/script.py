"""Dialogues as text that an admin could write (README.md), read into lines that can be played.

== The late parcel
channel: x
0     C "@brand three weeks for a parcel"
      -> LISTENING
6     B acknowledge public
      -> says "parcel", never "refund"
+20   Noor claims
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

WHEN = re.compile(r"(\+)?(\d+(?:\.\d+)?)(d|h)?$")
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "": timedelta(minutes=1)}


class ScriptError(Exception):
    """A line that cannot be read: where it stands, and what is wrong with it."""


@dataclass(frozen=True)
class Line:
    """Something that happens. ``after`` counts from the beginning, or from the line before if ``relative``."""

    number: int
    after: timedelta
    relative: bool
    who: str
    words: tuple[str, ...]
    expected: tuple[tuple[str, ...], ...]


@dataclass
class Dialogue:
    """One dialogue: its title, what it sets, and its lines."""

    title: str
    file: str
    settings: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


def read(path: Path) -> list[Dialogue]:
    """The dialogues of a file. Raises ``ScriptError`` with file, line and what is wrong."""
    found: list[Dialogue] = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("=="):
            found.append(Dialogue(text.strip("= "), path.stem))
        elif not found:
            raise ScriptError(f"{path.name}, line {number}: a dialogue begins with == and its title")
        else:
            try:
                add(found[-1], number, text)
            except ValueError as error:
                raise ScriptError(f"{path.name}, line {number}: {error}") from error
    return found


def add(dialogue: Dialogue, number: int, text: str) -> None:
    """One line of a dialogue. Raises ``ValueError``."""
    if text.startswith("->"):
        if not dialogue.lines:
            raise ValueError("nothing has happened yet that could lead to this")
        last = dialogue.lines[-1]
        expected = (*last.expected, *expectations(text.removeprefix("->")))
        dialogue.lines[-1] = Line(last.number, last.after, last.relative, last.who, last.words, expected)
        return
    if not dialogue.lines and (setting := re.fullmatch(r"(\w+):\s*(.+)", text)):
        dialogue.settings[setting[1]] = setting[2]
        return
    what, _, then = split_arrow(text)
    words = shlex.split(what, posix=True)
    when = WHEN.match(words[0])
    if when is None or len(words) < 3:
        raise ValueError("a line is: the time, who, and what")
    after = float(when[2]) * UNITS[when[3] or ""]
    dialogue.lines.append(
        Line(number, after, bool(when[1]), words[1], tuple(words[2:]), tuple(expectations(then)) if then else ())
    )


def split_arrow(text: str) -> tuple[str, str, str]:
    """A line at its arrow, if it has one outside of quotes."""
    quoted = False
    for n, character in enumerate(text):
        quoted ^= character == '"'
        if not quoted and text.startswith("->", n):
            return text[:n], "->", text[n + 2 :]
    return text, "", ""


def expectations(text: str) -> Iterator[tuple[str, ...]]:
    """``RESOLVED, says "a" "b", wish "money"`` as tuples of words."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=",")
    lexer.quotes = '"'
    lexer.whitespace_split = True
    lexer.commenters = ""
    part: list[str] = []
    for word in lexer:
        if word == ",":
            yield tuple(part)
            part = []
        else:
            part.append(word)
    if part:
        yield tuple(part)
