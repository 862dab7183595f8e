"""One template: a short text in slots, each with several phrasings, so that no two customers in a row read the same.

The source is plain text. A blank line ends a slot; within a slot every line is one phrasing. A slot may open with a
header that says when it is said and how it is joined:

    [if dm_invite]              only when direct messages are possible
    [if first_reply and not late]
    [optional]                  left out when the text would be too long
    [paragraph]                 begins a new paragraph
    [paragraph optional if signature]

A phrasing that names a fact which is not known is not said; among those that can be said, the ones that use most of
what is known come first ("the parcel" before "this").
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from conversations.errors import TemplateError
from conversations.wording.facts import NAMES, concreteness
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.syntax import Phrase, parse_phrase

PHRASINGS_MAX = 60
SLOTS_MAX = 24
_HEADER = re.compile(r"\[(?P<flags>(?:(?:paragraph|optional) ?)*)(?:if (?P<conditions>[a-z_ ]+))?\]")


@dataclass(frozen=True, slots=True)
class Line:
    """A phrasing and the line of the source on which it stands (from 1)."""

    number: int
    phrase: Phrase
    concrete: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a text. ``wanted`` and ``unwanted`` are the names that must, and must not, have a value."""

    lines: tuple[Line, ...]
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    optional: bool = False
    paragraph: bool = False

    def applies(self, names: AbstractSet[str]) -> bool:
        """Whether the slot is said at all, when these names are known."""
        return self.wanted <= names and self.unwanted.isdisjoint(names)

    def sayable(self, names: AbstractSet[str]) -> list[Line]:
        """The phrasings whose facts are all known, most concrete first."""
        lines = [line for line in self.lines if line.phrase.needs <= names]
        lines.sort(key=_concreteness, reverse=True)
        return lines


def _concreteness(line: Line) -> int:
    return line.concrete


@dataclass(frozen=True)
class Template:
    """A template and where it applies. ``version`` is ``default`` or the number under which it was published."""

    language: str
    act: Act
    surface: Surface
    source: str
    topic: str | None = None
    situations: frozenset[Situation] = frozenset()
    variant: str = "a"
    version: str = "default"
    where: str = field(default="template", compare=False)

    @cached_property
    def name(self) -> str:
        """A stable name, e.g. ``en.acknowledge.public.delivery.late.a``: the place and the variant."""
        return f"{self.place}.{self.variant}"

    @cached_property
    def place(self) -> str:
        """Where it applies, as a name that its variants share, e.g. ``en.acknowledge.public.delivery.late``."""
        parts = [self.language, self.act.value, self.surface.value, self.topic or ""]
        parts += sorted(situation.value for situation in self.situations)
        return ".".join(part for part in parts if part)

    @property
    def published(self) -> bool:
        """Whether an admin published it on top of the defaults."""
        return self.version != "default"

    @property
    def key(self) -> tuple[str, Act, Surface, str | None, frozenset[Situation]]:
        """Where it applies: a published template comes before the default of the same key."""
        return (self.language, self.act, self.surface, self.topic, self.situations)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The source, parsed once. Raises TemplateError with the line and the name that is wrong."""
        return parse_source(self.source, self.where)


def parse_source(source: str, where: str = "template") -> tuple[Slot, ...]:
    """Parse a template's source into slots.

    Raises TemplateError if a header or a phrasing is wrong, if there is nothing to say, or if there is too much.
    """
    slots: list[Slot] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*source.splitlines(), ""], start=1):
        if line.strip():
            block.append((number, line.strip()))
        elif block:
            slots.append(_slot(block, where))
            block = []
    if not slots:
        raise TemplateError(where, 1, "nothing to say: write at least one sentence")
    if len(slots) > SLOTS_MAX:
        raise TemplateError(where, 1, f"{len(slots)} slots, at most {SLOTS_MAX}: customers read short texts")
    return tuple(slots)


def _slot(block: list[tuple[int, str]], where: str) -> Slot:
    wanted: set[str] = set()
    unwanted: set[str] = set()
    paragraph = optional = False
    if block[0][1].startswith("["):
        number, text = block.pop(0)
        header = _HEADER.fullmatch(text)
        if not header:
            raise TemplateError(where, number, f"{text}: a header is [paragraph optional if name and not name]")
        flags = header["flags"].split()
        paragraph, optional = "paragraph" in flags, "optional" in flags
        for condition in header["conditions"].split(" and ") if header["conditions"] else ():
            name = condition.strip().removeprefix("not ").strip()
            if name not in NAMES:
                raise TemplateError(where, number, f"unknown variable {name}: known are {', '.join(sorted(NAMES))}")
            (unwanted if condition.strip().startswith("not ") else wanted).add(name)
        if not block:
            raise TemplateError(where, number, "a header without a phrasing: write one line below it")
    if len(block) > PHRASINGS_MAX:
        raise TemplateError(where, block[0][0], f"{len(block)} phrasings in a slot, at most {PHRASINGS_MAX}")
    lines = []
    for number, text in block:
        phrase = parse_phrase(text, where, number)
        lines.append(Line(number, phrase, sum(concreteness(name) for name in phrase.needs)))
    return Slot(tuple(lines), frozenset(wanted), frozenset(unwanted), optional, paragraph)
