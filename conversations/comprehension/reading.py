"""What was understood in one text: the value that the guards of the protocol branch on.

A Reading is stored with the event it belongs to, so that a conversation can be replayed without reading again.
Its JSON form is the output of ``hearout read`` and is kept stable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_NO_WORDS = re.compile(r"[@#][\w.-]+|https?://\S+")


class CueName(StrEnum):
    """What a customer does with words. The guards of the protocol are written in these terms."""

    VENTING = "venting"
    MORE_TO_COME = "more_to_come"
    DONE = "done"
    ASKS_FOR_HUMAN = "asks_for_human"
    OPTS_OUT = "opts_out"
    CONFIRMS = "confirms"
    ADDS = "adds"
    STATES_WISH = "states_wish"
    AGREES = "agrees"
    DECLINES = "declines"
    SATISFIED = "satisfied"
    UNSATISFIED = "unsatisfied"
    NEEDS_MORE = "needs_more"
    ONLY_THANKS = "only_thanks"
    QUESTION = "question"
    IRONY = "irony"
    MIXED = "mixed"


class Certainty(StrEnum):
    """How sure a cue is. A guard that closes, thanks, agrees or opts out takes CERTAIN only."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Decision(StrEnum):
    """Is it a complaint? UNSURE goes to a human with a neutral first reply."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class RiskLevel(StrEnum):
    """RED calls a human at once; AMBER raises the case and listening goes on."""

    RED = "red"
    AMBER = "amber"


@dataclass(frozen=True, slots=True)
class Complaint:
    """The triage of a text. ``probability`` is in 0..1; ``why`` is for people, most important first."""

    probability: float
    decision: Decision
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """What the text is about, e.g. ``delivery``. ``score`` is in 0..1."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Risk:
    """A danger in the text. ``kind`` is e.g. ``fire`` or ``legal``; ``evidence`` the customer's own words."""

    kind: str
    level: RiskLevel
    evidence: str


@dataclass(frozen=True, slots=True)
class Cue:
    """Something the customer does with the text; ``evidence`` is the customer's own words."""

    name: CueName
    certainty: Certainty
    evidence: str


@dataclass(frozen=True, slots=True)
class PrivateSpan:
    """Personal data at ``text[start:end]``; ``kind`` is e.g. ``email``, ``phone``, ``iban``, ``card``, ``order``."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What is known around a text, and changes how it is read.

    ``channel`` is ``x``, ``slack`` or ``playground``; ``handles`` are our own account names, which are no content;
    ``language`` is the conversation's language so far, for texts too short to tell ("ok", "👍").
    ``asked`` is what the customer is answering: ``story`` (listening), ``mirror``, ``plan``, ``check_back``, ``resolved``, or
    None when it is not known; a "no" to a plan is another thing than a "no" to "anything else?".
    """

    channel: str = "x"
    handles: tuple[str, ...] = ()
    language: str | None = None
    asked: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, understood. ``intensity`` is in 0..1 (calm to furious).

    ``language`` is an ISO 639-1 code, or ``und`` when it cannot be told. ``wish`` is what would put it right, in the
    customer's words. ``story_told`` says that what happened is told well enough to mirror it. ``quotable`` are the concrete
    words that a mirror may repeat in a direct message (no names, links, insults or personal data). ``masked`` is the text
    with personal data replaced.
    """

    language: str
    complaint: Complaint
    topics: tuple[Topic, ...] = ()
    risk: tuple[Risk, ...] = ()
    intensity: float = 0.0
    cues: tuple[Cue, ...] = ()
    wish: str | None = None
    story_told: bool = False
    private: tuple[PrivateSpan, ...] = ()
    masked: str = ""
    quotable: str | None = None

    def has(self, name: CueName) -> bool:
        """Whether the cue is there, certain or likely."""
        return any(cue.name is name for cue in self.cues)

    def certain(self, name: CueName) -> bool:
        """Whether the cue is certain: no irony, no mixture, no "but"."""
        return any(cue.name is name and cue.certainty is Certainty.CERTAIN for cue in self.cues)

    @property
    def risk_level(self) -> RiskLevel | None:
        """The worst level in the text, or None."""
        levels = {risk.level for risk in self.risk}
        return RiskLevel.RED if RiskLevel.RED in levels else RiskLevel.AMBER if levels else None

    @property
    def wordless(self) -> bool:
        """Whether there is nothing to read: no more than names, tags and links (a picture may tell the story)."""
        return not _NO_WORDS.sub("", self.masked).strip()

    def to_json(self) -> dict[str, Any]:
        """The stable JSON form (interfaces.md, ``read``)."""
        return {
            "language": self.language,
            "complaint": {
                "probability": round(self.complaint.probability, 4),
                "decision": self.complaint.decision.value,
                "why": list(self.complaint.why),
            },
            "topics": [{"name": topic.name, "score": round(topic.score, 3)} for topic in self.topics],
            "risk": [{"kind": r.kind, "level": r.level.value, "evidence": r.evidence} for r in self.risk],
            "intensity": round(self.intensity, 3),
            "cues": [{"name": c.name.value, "certainty": c.certainty.value, "evidence": c.evidence} for c in self.cues],
            "wish": self.wish,
            "story_told": self.story_told,
            "private": [{"kind": span.kind, "start": span.start, "end": span.end} for span in self.private],
            "masked": self.masked,
            "quotable": self.quotable,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Reading:
        """The reverse of ``to_json``."""
        complaint = data["complaint"]
        return Reading(
            language=data["language"],
            complaint=Complaint(complaint["probability"], Decision(complaint["decision"]), tuple(complaint["why"])),
            topics=tuple(Topic(topic["name"], topic["score"]) for topic in data["topics"]),
            risk=tuple(Risk(r["kind"], RiskLevel(r["level"]), r["evidence"]) for r in data["risk"]),
            intensity=data["intensity"],
            cues=tuple(Cue(CueName(c["name"]), Certainty(c["certainty"]), c["evidence"]) for c in data["cues"]),
            wish=data["wish"],
            story_told=data["story_told"],
            private=tuple(PrivateSpan(span["kind"], span["start"], span["end"]) for span in data["private"]),
            masked=data["masked"],
            quotable=data["quotable"],
        )
