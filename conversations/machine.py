"""The door of the domain: ``advance`` takes a conversation one event further. The only importer of transitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from transitions import Machine, MachineError

from conversations.comprehension.reading import Decision
from conversations.conversation import Conversation, Customer
from conversations.effects import Effect
from conversations.errors import ProtocolError
from conversations.events import CustomerPosted, Event, TimerFired
from conversations.ids import ConversationKey, conversation_key
from conversations.policy import Policy
from conversations.protocol import IGNORED, TABLE, State
from conversations.step import Step
from conversations.steps.draft import first_reply_timers


def build_machine() -> Machine:
    """The table as a machine that is shared by all conversations; the model (a ``Step``) is never registered."""
    machine = Machine(model=None, states=State, initial=None, auto_transitions=False, queued=False)
    for entry in TABLE:
        for trigger in entry.triggers:
            machine.add_transition(
                trigger.value,
                list(entry.sources),
                entry.dest,
                conditions=list(entry.guards),
                after=list(entry.effects),
            )
    return machine


MACHINE = build_machine()


@dataclass(frozen=True, slots=True)
class Advance:
    """What one event led to: the new conversation and what is to be done."""

    conversation: Conversation
    effects: tuple[Effect, ...]


def advance(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Advance:
    """Take a conversation one event further.

    Pure: the same arguments give the same result. Raises ``ProtocolError`` for an event that the table has no place for.
    """
    step = Step(conversation, event, now, policy)
    trigger = event.trigger
    if (conversation.state, trigger) not in IGNORED:
        try:
            MACHINE.events[trigger.value].trigger(step)
        except (MachineError, KeyError) as error:
            raise ProtocolError(
                f"{conversation.key}: {trigger.value} has no row in {conversation.state.value}"
            ) from error
    return Advance(step.finish(), tuple(step.effects))


class Opening(NamedTuple):
    """Who complains, where, and to which account of ours."""

    channel: str
    account: str
    customer: Customer


def open_conversation(
    opening: Opening, event: CustomerPosted, now: datetime, policy: Policy, previous: Conversation | None = None
) -> Conversation:
    """A new conversation, before its first post is decided: the first-reply clock runs from the moment the customer posted."""
    return Conversation(
        key=conversation_key(opening.channel, opening.account, event.id),
        channel=opening.channel,
        account=opening.account,
        customer=opening.customer,
        opened_at=now,
        first_posted_at=event.posted_at,
        triage=triage_of(event),
        returning=previous is not None,
        previous=previous.key if previous else None,
        timers=first_reply_timers(event.posted_at, policy),
    )


def triage_of(event: CustomerPosted) -> Decision:
    """What triage thinks of a post that opens a conversation: opened by hand it is a complaint; a picture alone, who knows."""
    decision = event.reading.complaint.decision
    if decision is not Decision.NO:
        return decision
    return Decision.UNSURE if event.media and event.reading.wordless else Decision.YES


def due_timers(conversation: Conversation, now: datetime) -> tuple[TimerFired, ...]:
    """The timers that are due, as events, earliest first."""
    due = sorted((t for t in conversation.timers if t.due_at <= now), key=lambda t: (t.due_at, t.name, t.promise or ""))
    return tuple(TimerFired(timer.name, timer.due_at, timer.promise) for timer in due)


def is_current(conversation: Conversation, fired: TimerFired) -> bool:
    """Whether a timer that was due is still running (an event decided just before may have stopped or moved it)."""
    timer = conversation.timer(fired.name, fired.promise)
    return timer is not None and timer.due_at == fired.due_at


__all__ = ["Advance", "ConversationKey", "Opening", "advance", "due_timers", "is_current", "open_conversation"]
