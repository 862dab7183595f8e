"""What the desk is called for, and what agents are told, in words: one table for every desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.store.records import Kind, OutboxRow
from conversations.effects import Alarm, Audience
from conversations.ids import EffectKey


class Tone(StrEnum):
    """How loud a call is."""

    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the desk, or an answer to one agent (``alarm`` None). ``draft`` may be sent with one click."""

    key: EffectKey
    at: datetime
    alarm: Alarm | None
    tone: Tone
    title: str
    detail: str
    audience: Audience | None = None
    agent_id: str | None = None
    agent: str | None = None
    draft: str | None = None
    text: str | None = None


DANGER, WARNING, NOTE = Tone.DANGER, Tone.WARNING, Tone.NOTE
A = Alarm
WORDS: dict[Alarm, tuple[Tone, str, str]] = {
    A.RED_RISK: (DANGER, "Danger", "Somebody may be in danger ({kind}): “{evidence}”. A person has to take this now."),
    A.AMBER_RISK: (WARNING, "Take care", "A risk ({kind}) shows: “{evidence}”."),
    A.FIRST_REPLY_ENDANGERED: (DANGER, "First reply in danger", "Nothing has reached the customer yet. Answer, or claim it."),
    A.FIRST_REPLY_HELD: (WARNING, "The first reply is held", "Its topic ({topics}) is on hold: answer it yourself, or end that."),
    A.UNCLAIMED: (WARNING, "Nobody has taken this case", "It waits in the queue (call number {times})."),
    A.CUSTOMER_WROTE: (NOTE, "The customer wrote again", "They wait for your answer."),
    A.OWNER_SILENT: (WARNING, "Still waiting for you", "No answer went out, or nothing has happened for a while."),
    A.BACK_IN_QUEUE: (WARNING, "Back in the queue", "Anybody may take it; what was planned and promised stays. {note}"),
    A.SNOOZE_ENDED: (NOTE, "The snooze is over", "Have another look."),
    A.PROMISE_DUE_SOON: (WARNING, "A promise is due soon", "“{promise}”, by {due_at}."),
    A.PROMISE_OVERDUE: (DANGER, "A promise is overdue", "“{promise}” was due {due_at}. Tell the customer before they ask."),
    A.NO_AGREEMENT: (WARNING, "No answer to the plan", "Start anyway, ask again, or resolve it: you choose."),
    A.PLAN_NOT_AGREED: (WARNING, "The plan was not clearly agreed", "Read the answer: it is declined, or unclear."),
    A.CHECK_BACK_BY_HAND: (NOTE, "Please check back yourself", "The bot does not ask here: {why}. Then record the answer."),
    A.NOT_HAPPY: (WARNING, "Not happy yet", "The customer is not satisfied (round {rounds}). Have another go."),
    A.LEAD_NEEDED: (DANGER, "A lead is needed", "Still unhappy after {rounds} rounds: no further questionnaire goes out."),
    A.REOPENED: (WARNING, "The customer came back", "The case is open again."),
    A.SEND_FAILED: (DANGER, "A message was not delivered", "{reason}. Copy the text and answer by hand."),
    A.UNREACHABLE: (WARNING, "The customer cannot be reached", "{reason}."),
    A.ANSWERED_ELSEWHERE: (NOTE, "A colleague has answered", "Their words are in the thread."),
    A.OPTED_OUT: (WARNING, "The customer wants no bot", "It is muted for them for good. A person decides what follows."),
    A.TRANSFERRED: (NOTE, "Handed over by {by}", "{note}"),
    A.POST_DELETED: (NOTE, "A post was deleted", "Our copy is gone as well."),
    A.POST_EDITED: (NOTE, "A post was edited", "The new words are in the thread."),
    A.SPLIT_OFF: (NOTE, "Split off by {by}", "These posts are about another matter than the case that they came from."),
    A.MERGED: (NOTE, "Another case was merged into this one by {by}", "Its posts follow; answers to either come here."),
}  # fmt: skip
"""Loudness, title and detail of every alarm; the names in braces are the call's facts."""

RISKS: dict[str, str] = {
    "fire": "fire or smoke",
    "injury": "somebody is hurt",
    "self_harm": "self-harm",
    "minor": "a child",
    "fraud": "fraud",
    "stranded": "somebody is stranded",
    "safety": "safety",
    "legal": "legal steps",
    "press": "the press",
    "discrimination": "discrimination",
    "privacy": "personal data",
    "vulnerable": "a vulnerable person",
    "threat": "a threat",
}
"""Kinds of risk as people say them."""

TOLD: dict[str, str] = {
    "closed": "This case is closed, or has no owner.",
    "already_yours": "This case is already yours.",
    "taken": "{owner} was faster and owns this case.",
    "not_now": "That has no meaning while the case is in {state}.",
}
"""Why an agent's act did nothing."""

WHY: dict[str, str] = {
    "bot_muted": "it was muted",
    "danger": "somebody was in danger",
    "no_direct_messages": "it may write only into direct messages, and there are none",
    "chosen": "it was left to you",
    "not_sent": "it has not been sent",
}
"""Reasons that facts name by a word."""


def call_of(row: OutboxRow) -> Call:
    """The call that an ``alarm`` or ``tell`` row of the outbox is."""
    facts: Mapping[str, Any] = row.body.get("facts") or {}
    agent: Mapping[str, str] = row.body.get("agent") or {}
    if row.kind is Kind.TELL:
        words = TOLD.get(row.body["reason"], row.body["reason"])
        if row.body["reason"] == "not_now" and facts.get("promises_open"):
            words = "Promises are still open: tick them first, or resolve “anyway”."
        title = f"To {agent.get('name', '')}"
        return Call(row.key, row.created_at, None, NOTE, title, filled(words, facts), agent_id=agent.get("id"))
    alarm = Alarm(row.body["alarm"])
    tone, title, detail = WORDS[alarm]
    return Call(
        key=row.key,
        at=row.created_at,
        alarm=alarm,
        tone=tone,
        title=filled(title, facts),
        detail=filled(detail, facts).strip(),
        audience=Audience(row.body["audience"]),
        agent_id=agent.get("id"),
        agent=agent.get("name"),
        draft=row.body.get("draft"),
        text=facts.get("text"),
    )


def filled(words: str, facts: Mapping[str, Any]) -> str:
    """Words with their facts. A fact that is missing leaves nothing behind; instants are said in UTC."""
    return words.format_map(Facts(facts))


class Facts(dict[str, Any]):
    """Facts as people read them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        super().__init__({name: said(name, value) for name, value in facts.items() if value is not None})

    def __missing__(self, name: str) -> str:
        return ""


def said(name: str, value: Any) -> str:
    """One fact in words."""
    if name.endswith("_at") and isinstance(value, str):
        return f"{datetime.fromisoformat(value):%a %d %b %H:%M} UTC"
    if isinstance(value, list):
        return ", ".join(str(entry).replace("_", " ") for entry in value)
    if name == "kind":
        return risk_words(str(value))
    return WHY.get(str(value), str(value)) if name in ("why", "reason") else str(value)


def risk_words(kind: str) -> str:
    """A kind of risk in words; one that a language pack adds is said as it is called."""
    return RISKS.get(kind, kind.replace("_", " "))
