"""The training corpus of the triage: posts written for this project as patterns, spelt out and roughened like real posts.

``python -m tests.corpus.generate en`` prints it (label, section, text; tab-separated). The same seed gives the same corpus.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_PART = re.compile(r"[()|]|\{\w+\}|[^()|{}]+")
_KEYS = {
    "a": "sq",
    "e": "wr",
    "i": "uo",
    "o": "ip",
    "n": "bm",
    "t": "ry",
    "s": "ad",
    "r": "et",
    "l": "k",
    "c": "xv",
    "m": "n",
    "u": "yi",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One written line: whether it is a complaint, its section, and the pattern."""

    complaint: bool
    section: str
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A post of the corpus; ``source`` is the number of the pattern it began with, for splitting without leaks."""

    text: str
    complaint: bool
    section: str
    source: int


def load(language: str) -> tuple[list[Pattern], dict[str, list[str]]]:
    """The patterns and the slots of a language."""
    patterns: list[Pattern] = []
    slots: dict[str, list[str]] = {}
    part = section = ""
    for line in (HERE / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            part, section = line[2:].strip(), ""
        elif line.startswith("# "):
            section = line[2:].strip()
        elif line.strip() and part == "slots":
            name, _, values = line.partition(": ")
            slots[name] = values.split("|")
        elif line.strip() and part:
            patterns.append(Pattern(part == "complaint", section, line))
    return patterns, slots


def spell_out(pattern: str, slots: dict[str, list[str]], chance: random.Random) -> str:
    """One text of a pattern, each choice made by chance."""
    pieces = _PART.findall(pattern)
    text, position = _choose(pieces, 0, slots, chance)
    if position != len(pieces):
        raise ValueError(f"a bracket closes that never opened: {pattern}")
    return re.sub(r" +", " ", text).strip()


def _choose(pieces: list[str], position: int, slots: dict[str, list[str]], chance: random.Random) -> tuple[str, int]:
    options = [""]
    while position < len(pieces) and pieces[position] != ")":
        piece = pieces[position]
        if piece == "|":
            options.append("")
        elif piece == "(":
            inner, position = _choose(pieces, position + 1, slots, chance)
            options[-1] += inner
        elif piece[0] == "{":
            inner, _ = _choose(_PART.findall(chance.choice(slots[piece[1:-1]])), 0, slots, chance)
            options[-1] += inner
        else:
            options[-1] += piece
        position += 1
    return chance.choice(options), position


def roughen(text: str, complaint: bool, slots: dict[str, list[str]], chance: random.Random) -> str:
    """The noise of real posts: handles, case, missing apostrophes, slips of the finger, emphasis, tags, faces, links."""
    roll = chance.random
    if roll() < 0.5:
        text = text.lower()
    if roll() < 0.3:
        text = text.replace("'", "")
    if roll() < 0.15:
        text = text.replace("you ", "u ").replace("please", "pls").replace("are ", "r ")
    if roll() < 0.12 and len(text) > 12:
        place = chance.randrange(1, len(text) - 1)
        letter = text[place]
        text = (
            text[:place] + chance.choice(["", letter * 2, chance.choice(_KEYS.get(letter, letter))]) + text[place + 1 :]
        )
    if roll() < (0.12 if complaint else 0.06):
        words = text.split(" ")
        place = chance.randrange(len(words))
        words[place] = words[place].upper()
        text = " ".join(words)
    if roll() < 0.15:
        text += chance.choice(
            ["!", "!!", "!!!", " :)", "..."] if not complaint else ["!", "!!", "!!!", "...", " :(", "?!"]
        )
    if roll() < 0.08:
        text += chance.choice(
            [" 😡", " 🙄", " 😩", " 😤", " 😒", " 😭"] if complaint else [" 😊", " 😂", " 👍", " 😎", " 🎉", " 😁"]
        )
    if roll() < 0.08:
        text += " #" + chance.choice(
            ["fail", "customerservice", "help", "angry"] if complaint else ["love", "fun", "travel", "happy", "help"]
        )
    if roll() < (0.05 if complaint else 0.1):
        text += " http://t.co/" + "".join(chance.choice("abcxyz019") for _ in range(6))
    if roll() < 0.7:
        handle = chance.choice(slots["handle"])
        if handle not in text:
            text = f"{handle} {text}" if roll() < 0.85 else f"{text} {handle}"
    return text


def generate(language: str, each: int = 40, seed: int = 7) -> Iterator[Sample]:
    """``each`` posts for every pattern; some join two of their kind, some complaints begin friendly."""
    patterns, slots = load(language)
    chance = random.Random(seed)
    sides = {side: [pattern for pattern in patterns if pattern.complaint is side] for side in (True, False)}
    friendly = [pattern for pattern in patterns if pattern.section in ("thanks", "praise", "questions")]
    for source, pattern in enumerate(patterns):
        for _ in range(each):
            text = spell_out(pattern.text, slots, chance)
            roll = chance.random()
            if roll < 0.25 and pattern.section not in ("news", "replies"):
                same = [other for other in sides[pattern.complaint] if other.section not in ("news",)]
                text = f"{text}{chance.choice(['. ', ' ', ', ', '! '])}{spell_out(chance.choice(same).text, slots, chance)}"
            elif roll < 0.32 and pattern.complaint:
                kind = spell_out(chance.choice(friendly).text, slots, chance)
                text = f"{kind} {chance.choice(slots.get('but', ['but']))} {text}"
            yield Sample(roughen(text, pattern.complaint, slots, chance), pattern.complaint, pattern.section, source)


if __name__ == "__main__":
    for sample in generate(sys.argv[1] if len(sys.argv) > 1 else "en"):
        print(int(sample.complaint), sample.section, sample.text, sep="\t")
