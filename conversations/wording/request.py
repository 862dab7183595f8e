"""What is asked of the wording, and what it gives back: two values, so that the protocol knows no template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """What a text of ours does (protocol.md, "The acts of the bot").

    ``propose_plan`` and ``promise_update`` are an agent's: the first is sent by the agent's act, the second is only ever a
    draft. ``risk_*`` are the first words to somebody in danger, one per kind.
    """

    RECEIVE = "receive"
    ACKNOWLEDGE = "acknowledge"
    REFLECT = "reflect"
    HAND_OVER = "hand_over"
    HOLDING = "holding"
    PROPOSE_PLAN = "propose_plan"
    CONFIRM_PLAN = "confirm_plan"
    PROMISE_UPDATE = "promise_update"
    CONFIRM_RESOLUTION = "confirm_resolution"
    CHECK_BACK = "check_back"
    REOPEN = "reopen"
    FAREWELL = "farewell"
    OPT_OUT_CONFIRMED = "opt_out_confirmed"
    RISK_SAFETY = "risk_safety"
    RISK_INJURY = "risk_injury"
    RISK_FIRE = "risk_fire"
    RISK_SELF_HARM = "risk_self_harm"
    RISK_MINOR = "risk_minor"
    RISK_FRAUD = "risk_fraud"
    RISK_STRANDED = "risk_stranded"


class Surface(StrEnum):
    """Where a text is read: by everybody, or by the customer alone."""

    PUBLIC = "public"
    DIRECT = "direct"


class Situation(StrEnum):
    """What makes this moment different enough to deserve words of its own."""

    FIRST_REPLY = "first_reply"  # reflect or hand_over is the first thing we say: it introduces the bot
    LATE = "late"  # the window has passed, or nearly
    OUT_OF_HOURS = "out_of_hours"  # nobody works now: hours are named honestly
    MEDIA_ONLY = "media_only"  # a picture or a video and no words
    RETURNING = "returning"  # this customer had a case before
    SECOND_ROUND = "second_round"  # an unhappy check-back came before
    INCIDENT = "incident"  # a known incident: one shared, guarded update


@dataclass(frozen=True, slots=True)
class Request:
    """One text that is wanted.

    ``facts`` holds what is known, by the variable names that templates use (docs/wording.md); a fact that is absent or None
    is unknown, and a template that needs it is not chosen. ``seed`` chooses among equals, always the same way.
    ``assigned`` is who or what keeps one variant, where several are published for the same place: a conversation's key;
    without it the seed decides. ``avoid`` are texts said lately, which must not be repeated word for word. ``weight_max``
    is the surface's limit in the channel's own measure (X: 280 weighted characters), None for none.
    """

    act: Act
    surface: Surface
    language: str
    seed: str
    topic: str | None = None
    situations: tuple[Situation, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    avoid: frozenset[str] = frozenset()
    weight_max: int | None = None
    assigned: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text that is ready to go out. ``template`` names the template, the phrasings and the version (``TemplateUse``)."""

    text: str
    template: str
    language: str
    request: Request | None = field(default=None, compare=False)
    """What it is the answer to, so that it can be asked again of another wording."""


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """Which words were used: the template's name, the source lines of its phrasings, and its version.

    Written ``en.acknowledge.public.a#2-9-14@default``; ``version`` is the published number, or ``default``.
    """

    name: str
    lines: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}#{self.lines}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> TemplateUse:
        """The reverse of ``str``; what is missing is empty."""
        rest, _, version = text.partition("@")
        name, _, lines = rest.partition("#")
        return cls(name, lines, version)
