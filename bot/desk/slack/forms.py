"""From a filled-in modal to an agent's act. What is wrong is told at the field that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.desk.acts import ActError
from bot.desk.card import CaseAct
from bot.desk.slack.settings import DeskSettings
from bot.slack.text import plain
from conversations.conversation import Agent, CheckBackBy, Conversation, Step
from conversations.events import (
    AgentDismissed,
    AgentEvent,
    AgentProposedPlan,
    AgentRecordedAgreement,
    AgentRecordedAnswer,
    AgentReleased,
    AgentResolved,
    AgentSetReference,
    AgentSnoozed,
    AgentSplit,
    AgentTransferred,
    BrandAnsweredElsewhere,
    PromiseKept,
)
from conversations.ids import ExternalId, PromiseId

Values = Mapping[str, Any]


def event_of(
    act: str,
    given: Values,
    agent: Agent,
    case: Conversation,
    settings: DeskSettings,
    now: datetime,
    act_id: str,
    to: Agent | None,
) -> AgentEvent | BrandAnsweredElsewhere:
    """The act that a modal asks for. ``to`` is the chosen person. Raises ``ActError`` with the field at fault."""
    match act:
        case CaseAct.RECORD_AGREEMENT:
            return AgentRecordedAgreement(agent=agent, where=text(given, "where"), words=text(given, "words"))
        case CaseAct.KEEP_PROMISE:
            return PromiseKept(agent=agent, promise=PromiseId(text(given, "promise")))
        case CaseAct.RESOLVE:
            return AgentResolved(
                agent=agent,
                done_text=text(given, "done_text"),
                check_back=CheckBackBy(given.get("check_back") or CheckBackBy.BOT),
                check_back_days=days(given),
                anyway=bool(given.get("anyway")),
            )
        case CaseAct.RECORD_ANSWER:
            satisfied = {"yes": True, "no": False, "none": None}[given.get("satisfied") or "none"]
            return AgentRecordedAnswer(agent=agent, satisfied=satisfied, words=text(given, "words"))
        case CaseAct.TRANSFER:
            if (to is None) == (not given.get("to_queue")):
                raise ActError("to_agent", "choose a person or a queue, not both")
            return AgentTransferred(agent=agent, to_agent=to, to_queue=given.get("to_queue"), note=text(given, "note"))
        case CaseAct.SNOOZE:
            return AgentSnoozed(agent=agent, until=instant_of(given, "until"))
        case CaseAct.RELEASE:
            return AgentReleased(agent=agent, note=text(given, "note"))
        case CaseAct.DISMISS:
            return AgentDismissed(agent=agent, why=text(given, "why"))
        case CaseAct.SET_REFERENCE:
            return AgentSetReference(agent=agent, reference=text(given, "reference"))
        case CaseAct.SPLIT:
            return AgentSplit(agent=agent, posts=tuple(ExternalId(str(post)) for post in given.get("posts") or ()))
        case CaseAct.ANSWERED_BY_HAND:
            return BrandAnsweredElsewhere(
                id=ExternalId(act_id), answered_at=now, surface=case.last_surface, text=text(given, "text"), agent=agent
            )
        case _:
            raise ActError("case", f"{act!r} is nothing that this desk can do")


def plan_of(
    given: Values, rows: int, agent: Agent, settings: DeskSettings, overridden: tuple[str, ...] = ()
) -> AgentProposedPlan:
    """The plan as it was filled in. Raises ``ActError``: a date without a step, a step without a date."""
    steps = []
    for n in range(1, rows + 1):
        words, due = text(given, f"step{n}"), given.get(f"due{n}")
        if not words and due is None:
            continue
        if not words:
            raise ActError(f"step{n}", "say what will be done by then")
        if due is None:
            raise ActError(f"due{n}", "give it a date: a promise without one is none")
        steps.append(Step(words, datetime.fromtimestamp(int(due), UTC)))
    chosen = given.get("remedy")
    remedy = (
        settings.remedies[int(chosen)]
        if chosen is not None and str(chosen).isdigit() and int(chosen) < len(settings.remedies)
        else ""
    )
    return AgentProposedPlan(agent=agent, steps=tuple(steps), remedy=remedy, overridden=overridden)


def text(given: Values, name: str) -> str:
    """A text field, trimmed and without ids of Slack."""
    return plain(str(given.get(name) or ""))


def days(given: Values) -> float | None:
    """Days until the check-back. Raises ``ActError``."""
    words = text(given, "check_back_days").replace(",", ".")
    if not words:
        return None
    try:
        return float(words)
    except ValueError:
        raise ActError("check_back_days", "write a number of days, such as 3") from None


def instant_of(given: Values, name: str) -> datetime:
    """A date and time. Raises ``ActError``."""
    value = given.get(name)
    if value is None:
        raise ActError(name, "choose a date and a time")
    return datetime.fromtimestamp(int(value), UTC)


FIELDS: Mapping[str, Mapping[str, str]] = {
    CaseAct.PROPOSE_PLAN: {"steps": "step1"},
    CaseAct.TRANSFER: {"to": "to_agent"},
}
"""Fields of ``Acts`` that a modal calls otherwise."""


def block_of(error: ActError, act: str, blocks: list[Mapping[str, Any]]) -> str | None:
    """The input of a view that an error is about; the first input where none has its name, None where there is none."""
    inputs = [str(block["block_id"]) for block in blocks if block.get("type") == "input"]
    name = FIELDS.get(act, {}).get(error.field, error.field)
    if name.startswith("step ") and name[5:].isdigit():
        name = f"due{name[5:]}" if "date" in error.message or "year" in error.message else f"step{name[5:]}"
    for candidate in (name, *(entry for entry in inputs if name and entry.rstrip("0123456789") == name)):
        if candidate in inputs:
            return candidate
    return inputs[0] if inputs else None
