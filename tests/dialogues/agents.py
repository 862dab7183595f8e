"""What agents do in a dialogue, as the events that a desk would make of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from conversations.conversation import Agent, CheckBackBy, Step
from conversations.events import (
    AgentClaimed,
    AgentDismissed,
    AgentEvent,
    AgentLabelled,
    AgentMutedBot,
    AgentProposedPlan,
    AgentRecordedAgreement,
    AgentRecordedAnswer,
    AgentReleased,
    AgentReopened,
    AgentResolved,
    AgentSetReference,
    AgentSnoozed,
    AgentTransferred,
    BrandAnsweredElsewhere,
    PromiseKept,
)
from conversations.ids import AgentId, ExternalId, PromiseId
from conversations.wording.request import Surface
from tests.dialogues.script import UNITS, WHEN

AGENTS = {name: Agent(AgentId(f"U-{name}"), name) for name in ("Noor", "Ben", "Lee")}


def span(word: str) -> timedelta:
    """``+2d``, ``3h`` or ``40`` (minutes)."""
    found = WHEN.match(word)
    if found is None:
        raise ValueError(f"{word!r} is no span of time")
    return float(found[2]) * UNITS[found[3] or ""]


def event_of(verb: str, rest: tuple[str, ...], agent: Agent, now: datetime) -> AgentEvent | BrandAnsweredElsewhere:
    """The event that a verb is. Raises ValueError, IndexError or KeyError for what cannot be read."""
    match verb:
        case "claims":
            return AgentClaimed(agent=agent)
        case "proposes":
            words = [word for word in rest if word not in ("by", "and")]
            remedy = words[words.index("remedy") + 1] if "remedy" in words else ""
            words = words[: words.index("remedy")] if "remedy" in words else words
            pairs = zip(words[::2], words[1::2], strict=True)
            steps = tuple(Step(text, now + span(by)) for text, by in pairs)
            return AgentProposedPlan(agent=agent, steps=steps, remedy=remedy)
        case "keeps":
            return PromiseKept(agent=agent, promise=PromiseId(rest[0]))
        case "resolves":
            by = next((CheckBackBy(word) for word in rest[1:] if word in set(CheckBackBy)), CheckBackBy.BOT)
            days = span(rest[rest.index("in") + 1]) / timedelta(days=1) if "in" in rest[1:] else None
            return AgentResolved(
                agent=agent, done_text=rest[0], check_back=by, check_back_days=days, anyway="anyway" in rest[1:]
            )
        case "records":
            if rest[0] == "agreement":
                return AgentRecordedAgreement(agent=agent, words=rest[1], where=rest[-1])
            answers = {"yes": True, "no": False, "none": None}
            return AgentRecordedAnswer(agent=agent, satisfied=answers[rest[0]], words=" ".join(rest[1:]))
        case "transfers":
            to = rest[-1]
            return AgentTransferred(
                agent=agent, to_agent=AGENTS.get(to), to_queue=None if to in AGENTS else to, note="please"
            )
        case "snoozes":
            return AgentSnoozed(agent=agent, until=now + span(rest[0]))
        case "mutes":
            return AgentMutedBot(agent=agent)
        case "releases":
            return AgentReleased(agent=agent, note=" ".join(rest))
        case "dismisses":
            return AgentDismissed(agent=agent, why=rest[0])
        case "labels":
            return AgentLabelled(agent=agent, complaint=rest[0] == "complaint")
        case "reopens":
            return AgentReopened(agent=agent)
        case "notes":
            return AgentSetReference(agent=agent, reference=rest[0])
        case "answered":
            return BrandAnsweredElsewhere(  # by hand, after a failure
                id=ExternalId(f"hand-{now.timestamp()}"),
                answered_at=now,
                surface=Surface.PUBLIC,
                text=rest[-1],
                agent=agent,
            )
        case _:
            raise ValueError(f"agents do not {verb}")
