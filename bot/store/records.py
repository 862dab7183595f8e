"""The rows of the store as values. Instants are aware UTC; JSON bodies hold plain data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from conversations.comprehension.reading import Reading
from conversations.conversation import Author, Conversation, Customer
from conversations.events import Event
from conversations.ids import ConversationKey, EffectKey, ExternalId


class Status(StrEnum):
    """Where a message of ours stands (design.md, "Storage").

    pending → sending → sent | unknown | rejected (by the platform) | refused (by our rules) | failed (tries used up), and
    pending → withdrawn. ``unknown`` rests for the quarantine, is read back, and becomes sent, pending again, or failed.
    """

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    REFUSED = "refused"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


UNFINISHED = (Status.PENDING, Status.SENDING, Status.UNKNOWN)
"""Rows that still hold up later rows of the same conversation and surface."""


class Place(StrEnum):
    """Where a row of the outbox goes: the two surfaces that customers read, or the desk."""

    PUBLIC = "public"
    DIRECT = "direct"
    DESK = "desk"
    WEBHOOK = "webhook"


class Kind(StrEnum):
    """What a row of the outbox is."""

    WORDS = "words"  # to the customer: body {"text", "in_reply_to", "act", "agent"}
    CARD = "card"  # desk: bring the case's card up to date; at most one pending per conversation
    MIRROR = "mirror"  # desk: a turn in the case's thread: body {"id", "change"}
    ALARM = "alarm"  # desk: call people: body {"alarm", "audience", "agent", "facts", "draft"}
    TELL = "tell"  # desk: answer one agent: body {"agent", "reason", "facts"}
    WEBHOOK = "webhook"  # to the admin's own systems: body see bot/webhook.py


class Rank(IntEnum):
    """The order within a lane: lower goes first."""

    RISK = 0
    FIRST_REPLY = 1
    AGENT = 2
    REST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something that came in, before it is known where it belongs.

    ``id`` is unique per channel: a second arrival with the same (channel, id) is the same thing delivered again.
    A post of a customer is routed by (channel, account, customer). Everything else names its ``conversation``, or the post
    ``about`` which it is (an edit, a deletion, a colleague's answer to a post).
    """

    channel: str
    account: str
    id: ExternalId
    event: Event
    at: datetime
    customer: Customer | None = None
    conversation: ConversationKey | None = None
    about: ExternalId | None = None
    aside: str | None = None  # the channel's own reason to set it aside (a retweet, another bot)


@dataclass(frozen=True, slots=True)
class Join:
    """The arrival belongs to this conversation, which is woken."""

    conversation: ConversationKey


@dataclass(frozen=True, slots=True)
class Open:
    """The arrival opens this conversation (version 0), which is woken."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class SetAside:
    """The arrival is kept, with the reason, and no conversation is opened."""

    reason: str


Route = Join | Open | SetAside


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an arrival. ``new`` False: it had come before and changed nothing. ``route`` None: it belongs nowhere."""

    new: bool
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """An event that waits to be decided. ``sequence`` is the order of arrival."""

    sequence: int
    event: Event


@dataclass(frozen=True, slots=True)
class Claimed:
    """A conversation that woke, with its unread events in order of arrival."""

    conversation: Conversation
    events: tuple[InboxEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One utterance as it is kept. ``text`` is None once deleted. ``key`` is the outbox row of our own words."""

    conversation: ConversationKey
    id: ExternalId
    author: Author
    place: Place
    text: str | None
    posted_at: datetime
    agent: str | None = None
    act: str | None = None
    template: str | None = None
    key: EffectKey | None = None
    url: str | None = None
    media: int = 0
    reading: Reading | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TurnEdit:
    """A turn has a new text and reading."""

    id: ExternalId
    text: str
    reading: Reading
    edited_at: datetime


@dataclass(frozen=True, slots=True)
class TurnDeletion:
    """A turn is gone: its text and reading are deleted, the fact stays. The inbox's copy of the text goes as well."""

    id: ExternalId
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A message that leaves through the outbox. ``key`` makes a repeat a no-op. ``sequence`` is the order of writing.

    ``lane`` is what is paced together. ``fence`` grows with each claim: a report of an older claim is void. ``not_before``
    holds a row back (quiet time, back-off, quarantine); ``sending_until`` ends a claim: past it the outcome is unknown.
    """

    key: EffectKey
    conversation: ConversationKey
    channel: str
    account: str
    lane: str
    place: Place
    kind: Kind
    rank: Rank
    body: Mapping[str, Any]
    created_at: datetime
    author: Author | None = None
    act: str | None = None
    template: str | None = None
    due_at: datetime | None = None
    not_before: datetime | None = None
    sequence: int = 0
    status: Status = Status.PENDING
    attempt: int = 0
    fence: int = 0
    sending_until: datetime | None = None
    unknown_since: datetime | None = None
    external_id: ExternalId | None = None
    url: str | None = None
    reason: str | None = None
    updated_at: datetime | None = None


CARD_META = "slack.desk:"
CASE_META = "slack.case:"
"""What the desk notes in the store's meta: of a case its card (by the case's key), and of a card its case (by ``channel:ts``).
The store forgets both with the customer."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """Hold the conversation's pending words of the bot until then, but no row beyond ``latest_at``."""

    until: datetime
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Label:
    """What an agent said of the triage, with the text it is about."""

    conversation: ConversationKey
    agent: str
    complaint: bool
    text: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Turns that go to another conversation of the same customer, with what is known of them; ``event`` tells it so.

    ``posts`` None: all turns, and words that are on their way. ``opens``: the other conversation, if it is made now. An event
    that names words on their way (``CaseMerged``) loses those that this very decision withdraws.
    """

    key: EffectKey
    to: ConversationKey
    event: Event
    posts: tuple[ExternalId, ...] | None
    opens: Conversation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All that one decision changes, committed at once or not at all.

    Order: withdraw, postpone, then insert ``outbox``. Words that were withdrawn are taken out of the conversation's
    ``words_out`` (``Conversation.without_words``) before it is written.
    """

    conversation: Conversation
    consumed: tuple[int, ...]
    turns: tuple[TurnRecord, ...] = ()
    edits: tuple[TurnEdit, ...] = ()
    deletions: tuple[TurnDeletion, ...] = ()
    withdraw: str | None = None
    postpone: Postpone | None = None
    outbox: tuple[OutboxRow, ...] = ()
    labels: tuple[Label, ...] = ()
    mute_customer: bool = False
    audit: tuple[str, ...] = ()
    moves: tuple[Moved, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a claimed row. ``event`` goes to the conversation's inbox in the same commit; ``turn`` is what was said."""

    key: EffectKey
    fence: int
    status: Status
    at: datetime
    external_id: ExternalId | None = None
    url: str | None = None
    reason: str | None = None
    not_before: datetime | None = None
    event: Event | None = None
    turn: TurnRecord | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """The pace of one lane: nothing leaves before ``next_at``; at most ``at_once`` rows are being sent at a time."""

    key: str
    next_at: datetime | None = None
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Hold:
    """A lease that is held. Its fence rises whenever it changes hands: who comes late with an old one is refused."""

    name: str
    fence: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds what, and until when unless it is renewed."""

    name: str
    holder: str
    fence: int
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A mention that triage set aside."""

    sequence: int
    channel: str
    account: str
    id: ExternalId
    customer: Customer | None
    event: Event
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The store at a glance: conversations by state, outbox rows by status, unread events, unknown rows' greatest age,
    mentions set aside and not opened, conversations that are poisoned."""

    by_state: Mapping[str, int] = field(default_factory=dict)
    outbox: Mapping[str, int] = field(default_factory=dict)
    unread: int = 0
    oldest_unknown_at: datetime | None = None
    set_aside: int = 0
    poisoned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned:
    """A conversation whose last decision raised: the error, how many times in a row, when, and when it is tried again."""

    conversation: ConversationKey
    error: str
    count: int
    at: datetime
    wake_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """One version of an admin's template. ``version`` counts from 1 per ``id``; ``status`` is draft, published or retired.

    At most one version per ``id`` is published. The rest says where it applies, in the words of ``wording.template.Template``.
    """

    id: str
    language: str
    act: str
    surface: str
    source: str
    author: str
    at: datetime
    topic: str | None = None
    situations: tuple[str, ...] = ()
    version: int = 0
    status: str = "draft"


@dataclass(frozen=True, slots=True)
class Used:
    """A turn of ours that was worded by a template, and which (``wording.request.TemplateUse``)."""

    conversation: ConversationKey
    template: str
    at: datetime
