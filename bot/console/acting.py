"""From a form at the desk to an agent's act: one small function per act, all in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.console.cast import AGENTS
from bot.console.forms import BadInput, Form, instant
from bot.desk.card import CaseAct
from conversations.conversation import Agent, CheckBackBy, Conversation, Step
from conversations.events import (
    AgentClaimed,
    AgentDismissed,
    AgentEvent,
    AgentLabelled,
    AgentMerged,
    AgentMutedBot,
    AgentProposedPlan,
    AgentRecordedAgreement,
    AgentRecordedAnswer,
    AgentReleased,
    AgentReopened,
    AgentReplied,
    AgentResolved,
    AgentSetReference,
    AgentSnoozed,
    AgentSplit,
    AgentTransferred,
    BrandAnsweredElsewhere,
    PromiseKept,
)
from conversations.ids import ConversationKey, ExternalId, PromiseId
from conversations.wording.request import Surface

PLAN_ROWS = 4
"""Rows of the plan's form; empty ones are left out."""
SURFACES = {surface.value: surface for surface in Surface}


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, on what, when, and with which fields."""

    form: Form
    agent: Agent
    case: Conversation
    now: datetime
    zone: ZoneInfo
    remedies: tuple[str, ...]


def surface_for(case: Conversation) -> Surface:
    """Where an agent's words go unless they choose: into direct messages as soon as there are some."""
    return Surface.DIRECT if case.direct else case.last_surface


def reply(a: Acting) -> AgentEvent:
    """Words of the agent's own."""
    surface = a.form.choice("surface", SURFACES, surface_for(a.case).value)
    overridden = tuple(filter(None, a.form.fields.get("overridden", "").split()))
    return AgentReplied(agent=a.agent, text=a.form.words("text").strip(), surface=surface, overridden=overridden)


def propose_plan(a: Acting) -> AgentEvent:
    """Steps with dates. Rows without a text are left out."""
    if a.form.lists.get("steps"):
        rows = [(str(entry.get("text", "")), str(entry.get("due_at") or "")) for entry in a.form.lists["steps"]]
    else:
        rows = [(a.form.text(f"step{n}", 500), a.form.fields.get(f"due{n}", "")) for n in range(1, PLAN_ROWS + 1)]
    steps = []
    for n, (text, due) in enumerate(rows, 1):
        if text.strip():
            steps.append(Step(text.strip(), instant(f"step {n}", due, a.zone) if due else None))
    remedy = a.form.fields.get("remedy", "")
    if remedy and remedy not in a.remedies:
        raise BadInput("remedy", "Choose one of the remedies of the list.")
    by = a.form.instant("remedy_due", a.zone)
    if remedy and by is not None and all(remedy.casefold() not in step.text.casefold() for step in steps):
        steps.append(Step(remedy, by))  # what the customer agrees to holds all that they get
    return AgentProposedPlan(agent=a.agent, steps=tuple(steps), remedy=remedy)


def record_agreement(a: Acting) -> AgentEvent:
    """The customer agreed elsewhere."""
    return AgentRecordedAgreement(
        agent=a.agent, where=a.form.text("where", 300).strip(), words=a.form.text("words", 3000).strip()
    )


def keep_promise(a: Acting) -> AgentEvent:
    """A promised step is done."""
    return PromiseKept(agent=a.agent, promise=PromiseId(a.form.id("promise")))


def resolve(a: Acting) -> AgentEvent:
    """It is done; who checks back, and when."""
    days = a.form.fields.get("check_back_days", "").strip()
    return AgentResolved(
        agent=a.agent,
        done_text=a.form.text("done_text", 3000).strip(),
        check_back=a.form.choice("check_back", {by.value: by for by in CheckBackBy}, CheckBackBy.BOT.value),
        check_back_days=a.form.number("check_back_days", 3.0, 0, 90) if days else None,
        anyway=a.form.flag("anyway"),
    )


def record_answer(a: Acting) -> AgentEvent:
    """What the customer answered to the check-back."""
    satisfied = a.form.choice("satisfied", {"yes": True, "no": False, "none": None})
    return AgentRecordedAnswer(agent=a.agent, satisfied=satisfied, words=a.form.text("words", 3000).strip())


def transfer(a: Acting) -> AgentEvent:
    """To somebody else, or to a queue: ``to`` is ``agent:ID`` or ``queue:NAME``."""
    kind, _, name = a.form.fields.get("to", "").partition(":")
    person = next((agent for agent in AGENTS if agent.id == name), None) if kind == "agent" else None
    if kind == "agent" and person is None:
        raise BadInput("to", "Choose a person or a queue.")
    if person is not None and a.case.owner is not None and person.id == a.case.owner.id:
        raise BadInput("to", f"{person.name} has this case already: choose somebody else.")
    queue = name if kind == "queue" else None
    return AgentTransferred(agent=a.agent, to_agent=person, to_queue=queue, note=a.form.text("note", 500).strip())


def snooze(a: Acting) -> AgentEvent:
    """Put aside until an instant."""
    until = a.form.instant("until", a.zone)
    if until is None:
        raise BadInput("until", "Choose a date and a time.")
    return AgentSnoozed(agent=a.agent, until=until)


def label(a: Acting) -> AgentEvent:
    """What the triage should learn."""
    return AgentLabelled(agent=a.agent, complaint=a.form.choice("complaint", {"yes": True, "no": False}))


def answered_by_hand(a: Acting) -> BrandAnsweredElsewhere:
    """An agent answered on the platform itself."""
    return BrandAnsweredElsewhere(
        id=ExternalId(f"by-hand-{a.form.id('id')}"),
        answered_at=a.now,
        surface=a.form.choice("surface", SURFACES, a.case.last_surface.value),
        text=a.form.words("text").strip(),
        agent=a.agent,
    )


def split(a: Acting) -> AgentEvent:
    """The posts that are about another matter: ticked one by one on the page, a list from a program."""
    given = a.form.lists.get("posts")
    ticked = [value for name, value in a.form.fields.items() if name.startswith("post-")] if given is None else given
    return AgentSplit(agent=a.agent, posts=tuple(ExternalId(str(post)) for post in ticked))


def merge(a: Acting) -> AgentEvent:
    """The other case of this customer. Which of the two goes on is for ``Acts.merge`` to say."""
    return AgentMerged(agent=a.agent, into=ConversationKey(a.form.text("other", 500)))


C = CaseAct
ACTS: dict[CaseAct, Callable[[Acting], AgentEvent | BrandAnsweredElsewhere]] = {
    C.CLAIM: lambda a: AgentClaimed(agent=a.agent),
    C.REPLY: reply,
    C.PROPOSE_PLAN: propose_plan,
    C.RECORD_AGREEMENT: record_agreement,
    C.KEEP_PROMISE: keep_promise,
    C.RESOLVE: resolve,
    C.RECORD_ANSWER: record_answer,
    C.TRANSFER: transfer,
    C.SNOOZE: snooze,
    C.RELEASE: lambda a: AgentReleased(agent=a.agent, note=a.form.text("note", 500).strip()),
    C.DISMISS: lambda a: AgentDismissed(agent=a.agent, why=a.form.text("why", 500).strip()),
    C.LABEL: label,
    C.MUTE_BOT: lambda a: AgentMutedBot(agent=a.agent),
    C.REOPEN: lambda a: AgentReopened(agent=a.agent),
    C.SET_REFERENCE: lambda a: AgentSetReference(agent=a.agent, reference=a.form.text("reference", 80).strip()),
    C.ANSWERED_BY_HAND: answered_by_hand,
    C.SPLIT: split,
    C.MERGE: merge,
}
"""How each act is read from its form."""
