"""Imperatives: what a decision wants done in the world. They leave through the outbox, after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from conversations.conversation import Agent, Author, Conversation
from conversations.events import Event
from conversations.ids import ConversationKey, ExternalId
from conversations.wording.request import Act, Situation, Surface


class Urgency(StrEnum):
    """Within a delivery lane, earlier members go first (design.md, "Lanes")."""

    RISK = "risk"
    FIRST_REPLY = "first_reply"
    AGENT = "agent"
    REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Say something from a template. ``author`` AGENT: an agent's act, worded by a template.

    ``facts`` are values by the names templates use; instants stay instants, the engine puts them into words. It may not leave
    before ``not_before`` (the quiet time).
    """

    act: Act
    surface: Surface
    in_reply_to: ExternalId | None
    author: Author = Author.BOT
    agent: Agent | None = None
    urgency: Urgency = Urgency.REST
    not_before: datetime | None = None
    due_at: datetime | None = None
    situations: tuple[Situation, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    first_reply: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendWords:
    """Send an agent's own words, as they are."""

    text: str
    agent: Agent
    surface: Surface
    in_reply_to: ExternalId | None
    overridden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WithdrawWords:
    """Take back the bot's words that have not left yet; an agent's words stay."""

    reason: str


@dataclass(frozen=True, slots=True)
class PostponeWords:
    """Hold the bot's words that have not left yet until the customer has been quiet again, but never past ``latest_at``."""

    until: datetime
    latest_at: datetime | None = None


class Alarm(StrEnum):
    """Why the desk is called."""

    RED_RISK = "red_risk"
    AMBER_RISK = "amber_risk"
    FIRST_REPLY_ENDANGERED = "first_reply_endangered"
    FIRST_REPLY_HELD = "first_reply_held"
    UNCLAIMED = "unclaimed"
    CUSTOMER_WROTE = "customer_wrote"
    OWNER_SILENT = "owner_silent"
    BACK_IN_QUEUE = "back_in_queue"
    SNOOZE_ENDED = "snooze_ended"
    PROMISE_DUE_SOON = "promise_due_soon"
    PROMISE_OVERDUE = "promise_overdue"
    NO_AGREEMENT = "no_agreement"
    PLAN_NOT_AGREED = "plan_not_agreed"
    CHECK_BACK_BY_HAND = "check_back_by_hand"
    NOT_HAPPY = "not_happy"
    LEAD_NEEDED = "lead_needed"
    REOPENED = "reopened"
    SEND_FAILED = "send_failed"
    UNREACHABLE = "unreachable"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    OPTED_OUT = "opted_out"
    TRANSFERRED = "transferred"
    POST_DELETED = "post_deleted"
    POST_EDITED = "post_edited"
    SPLIT_OFF = "split_off"
    MERGED = "merged"


class Audience(StrEnum):
    """Who at the desk is meant."""

    OWNER = "owner"
    QUEUE = "queue"
    LEADS = "leads"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class ShowCard:
    """Bring the case's card up to date (or up for the first time). What it shows is read when it is delivered."""


@dataclass(frozen=True, slots=True)
class MirrorTurn:
    """Show a turn in the case's thread at the desk. ``change`` is ``said``, ``edited`` or ``deleted``."""

    id: ExternalId
    change: str = "said"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDesk:
    """Call people at the desk. ``facts`` say what about; ``draft`` offers words that the owner may send with one click."""

    alarm: Alarm
    audience: Audience
    agent: Agent | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    draft: Act | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TellAgent:
    """Answer the agent who acted, where they look: why the act did nothing, or who was faster."""

    agent: Agent
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLabel:
    """Keep what an agent said of the triage."""

    agent: Agent
    complaint: bool


@dataclass(frozen=True, slots=True)
class DeleteCopy:
    """Delete our copy of a post that is gone from the platform (X: within 24 hours)."""

    id: ExternalId


@dataclass(frozen=True, slots=True)
class MuteCustomer:
    """The bot never again writes to this customer of its own accord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Posts go to another conversation of the same customer, in the same commit, and ``event`` tells it so.

    ``posts`` None: all turns, and our words that are on their way. ``opens``: the other conversation, if it is made here.
    """

    to: ConversationKey
    event: Event
    posts: tuple[ExternalId, ...] | None
    opens: Conversation | None = None


Effect = (
    Say
    | SendWords
    | WithdrawWords
    | PostponeWords
    | ShowCard
    | MirrorTurn
    | CallDesk
    | TellAgent
    | KeepLabel
    | DeleteCopy
    | MuteCustomer
    | Move
)
