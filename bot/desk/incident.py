"""What a desk offers when something goes wrong for many at once: the values it shows, and the acts it may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from conversations.conversation import Agent
from conversations.wording.findings import Finding

UPDATE_CHARS_MAX = 110
"""A shared update stands inside a public post beside the bot's other words: the wording is checked with so many characters
(``conversations.wording.facts``)."""
ANSWER_CHARS_MAX = 3_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic with its switches and its recent complaints that are open. ``recent`` and ``usual`` are per half hour.

    ``waiting`` of them had no first reply yet. ``updates`` are by language.
    """

    name: str
    storm: bool = False
    recent: int = 0
    usual: float = 0.0
    held: bool = False
    open: int = 0
    waiting: int = 0
    updates: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """How the switches stand, and the topics worth a look, storms first. ``paused`` says by whom, empty when the bot runs."""

    paused: str
    check_backs_paused: bool
    topics: tuple[Topic, ...]
    languages: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What would be said, before it is: the texts, what is wrong with them, and how many would get them."""

    texts: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    count: int = 0
    left: int = 0


class Incidents(Protocol):
    """The acts. ``by`` is who acts, for the audit log. Raises ``ActError`` with the field at fault."""

    async def state(self) -> Incident:
        """How things stand."""

    async def topic(self, name: str) -> Topic:
        """One topic."""

    async def hold(self, topic: str, on: bool, by: str) -> None:
        """First replies about a topic wait for a human, or go out again."""

    async def pause_check_backs(self, on: bool, by: str) -> None:
        """Nobody is asked whether they are happy, or people are asked again."""

    def look_at_update(self, topic: str, language: str, text: str) -> Look:
        """The first replies that would carry an update."""

    async def set_update(self, topic: str, language: str, text: str, by: str) -> None:
        """First replies about a topic carry this update in this language; an empty one takes it out."""

    async def look_at_answer(self, topic: str, language: str, text: str, agent: Agent) -> Look:
        """Whom one answer to all would reach, and what the guard says of it."""

    async def answer(self, topic: str, language: str, text: str, agent: Agent, group: str) -> int:
        """Ask for an answer to all open cases of a topic in a language, each customer once. Returns how many."""

    async def carry_on(self) -> int:
        """Give the answers that were asked for. Returns how many."""


def others(names: Sequence[str], name: str) -> tuple[str, ...]:
    """All but one."""
    return tuple(entry for entry in names if entry != name)
