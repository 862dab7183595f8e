"""A conversation as a value: all turns of one customer about one complaint, and where it stands.

Everything here is frozen. ``advance`` makes a new Conversation from an old one; nothing else changes one. Timers are part of
the value, so that a conversation can be replayed, stored and woken from one document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from conversations.comprehension.reading import Decision, Reading, RiskLevel
from conversations.ids import AgentId, ConversationKey, EffectKey, ExternalId, PromiseId
from conversations.protocol import State
from conversations.wording.request import Act, Surface


class Author(StrEnum):
    """Who uttered a turn. AGENT is a human through the desk; BRAND is a colleague who typed on the platform itself."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    BRAND = "brand"


class Outcome(StrEnum):
    """How a conversation was closed."""

    SATISFIED = "satisfied"
    UNANSWERED = "unanswered"
    UNSATISFIED = "unsatisfied"
    DISMISSED = "dismissed"
    OPTED_OUT = "opted_out"
    UNREACHABLE = "unreachable"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


class TimerName(StrEnum):
    """What a conversation may be woken for. Each name is due at most once at a time (promises: once per promise)."""

    QUIET = "quiet"
    FIRST_REPLY_ALARM = "first_reply_alarm"
    FIRST_REPLY = "first_reply"
    SILENCE = "silence"
    UNCLAIMED = "unclaimed"
    OWNER_SILENT = "owner_silent"
    SNOOZE = "snooze"
    PROMISE_SOON = "promise_soon"
    PROMISE_OVERDUE = "promise_overdue"
    CHECK_BACK = "check_back"


class CheckBackBy(StrEnum):
    """Who asks whether it was the solution they wanted."""

    BOT = "bot"
    HAND = "hand"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Timer:
    """An instant at which the conversation wakes. ``promise`` says which promise, for the promise timers."""

    name: TimerName
    due_at: datetime
    promise: PromiseId | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who complains. ``id`` is the platform's; ``handle`` and ``name`` are for people at the desk and never echoed in public.

    ``team`` is the customer's Slack workspace. ``reach`` (followers) is kept for the fairness report only: no rule reads it.
    """

    id: str
    handle: str = ""
    name: str = ""
    time_zone: str | None = None
    team: str | None = None
    reach: int | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A human at the desk."""

    id: AgentId
    name: str


@dataclass(frozen=True, slots=True)
class StoryTurn:
    """One post of the customer while the story is told, as far as the guards need it. ``media``: pictures and the like."""

    id: ExternalId
    posted_at: datetime
    surface: Surface
    reading: Reading
    media: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan: what will be done, and by when (None: no date was promised)."""

    text: str
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an agent proposed. ``remedy`` is one of the admin's list, or empty. ``agreed_words`` is the customer's yes."""

    number: int
    steps: tuple[Step, ...]
    proposed_by: Agent
    proposed_at: datetime
    remedy: str = ""
    agreed_at: datetime | None = None
    agreed_words: str | None = None
    agreed_where: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A dated step that was agreed: a line of the ledger."""

    id: PromiseId
    text: str
    due_at: datetime | None
    kept_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CheckBack:
    """The question that follows a resolution. ``round`` counts from 1. ``asked_at`` is None until it was asked."""

    by: CheckBackBy
    due_at: datetime
    round: int
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a customer answered to a check-back, per round; ``words`` are the customer's, or the agent's note of them."""

    round: int
    satisfied: bool | None
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WordsOut:
    """Words of ours that are on their way: written to the outbox, and neither accepted nor given up yet.

    ``answers`` is the customer's post that they answer; ``heard_until`` is when the customer had last spoken when they were
    written.
    """

    key: EffectKey
    act: Act | None
    author: Author
    first_reply: bool = False
    answers: ExternalId | None = None
    heard_until: datetime | None = None


@dataclass(frozen=True)
class Conversation:
    """Where one complaint stands. Field by field it is what the protocol needs to decide the next step, and no more.

    ``account`` is ours. ``version`` counts the decisions, from 0. ``first_posted_at`` starts the first-reply clock;
    ``replied_at`` says that the platform accepted our first reply (or that a colleague gave it). ``heard_until`` is when the
    customer had last spoken as the words that were last accepted were written: what follows is unheard. ``said_at`` is when
    words of ours were last accepted. ``direct`` says that the customer opened a direct line. ``splits`` are
    the conversations that turns of this one left for, ``merged`` those whose turns came here, ``merged_into`` the one that
    this one became part of.
    """

    key: ConversationKey
    channel: str
    account: str
    customer: Customer
    opened_at: datetime
    first_posted_at: datetime
    state: State = State.LISTENING
    outcome: Outcome | None = None
    version: int = 0
    queue: str = ""
    language: str = "und"
    triage: Decision = Decision.YES
    label: bool | None = None
    returning: bool = False
    previous: ConversationKey | None = None
    split_from: ConversationKey | None = None
    splits: tuple[ConversationKey, ...] = ()
    merged: tuple[ConversationKey, ...] = ()
    merged_into: ConversationKey | None = None
    # the story
    story: tuple[StoryTurn, ...] = ()
    turns_count: int = 0
    wish: str | None = None
    topics: tuple[str, ...] = ()
    named_topic: str | None = None
    """The topic that words to the customer may name: a wrong one would tell that nobody has listened."""
    risks: tuple[tuple[str, RiskLevel], ...] = ()
    risk_words_said: bool = False
    last_turn: ExternalId | None = None
    last_posted_at: datetime | None = None
    last_surface: Surface = Surface.PUBLIC
    direct: bool = False
    public_root: ExternalId | None = None
    # what we said
    replied_at: datetime | None = None
    introduced: bool = False
    words_out: tuple[WordsOut, ...] = ()
    heard_until: datetime | None = None
    said_at: datetime | None = None
    reflections: int = 0
    held: bool = False
    holding_said: bool = False
    bot_muted: bool = False
    opted_out: bool = False
    # the desk
    on_desk: bool = False
    unshown: tuple[ExternalId, ...] = ()
    owner: Agent | None = None
    last_owner: Agent | None = None
    handed_off_at: datetime | None = None
    unanswered_since: datetime | None = None
    answer_due_at: datetime | None = None
    nudged: bool = False
    escalations: int = 0
    snoozed_until: datetime | None = None
    priority: int = 0
    reference: str = ""
    # the plan, the promises, the check-back
    plan: Plan | None = None
    promises: tuple[Promise, ...] = ()
    done_text: str = ""
    check_back: CheckBack | None = None
    rounds: int = 0
    answers: tuple[Answer, ...] = ()
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    timers: tuple[Timer, ...] = field(default=())

    def evolve(self, **changes: Any) -> Self:
        """The same conversation with some fields changed. Faster than ``dataclasses.replace``: decisions are made often."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.__dict__.update(changes)
        return new

    @property
    def wake_at(self) -> datetime | None:
        """When the earliest timer is due, or None."""
        return min((timer.due_at for timer in self.timers), default=None)

    @property
    def risk_level(self) -> RiskLevel | None:
        """The worst risk seen so far."""
        levels = {level for _, level in self.risks}
        return RiskLevel.RED if RiskLevel.RED in levels else RiskLevel.AMBER if levels else None

    @property
    def topic(self) -> str | None:
        """What it is mostly about, or None."""
        return self.topics[0] if self.topics else None

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self.state is not State.CLOSED

    @property
    def first_reply_out(self) -> bool:
        """Whether a first reply is on its way and not yet accepted."""
        return any(words.first_reply for words in self.words_out)

    @property
    def relatives(self) -> tuple[ConversationKey, ...]:
        """The conversations that turns of this one came from or went to."""
        ends = [key for key in (self.split_from, self.merged_into) if key is not None]
        return tuple(dict.fromkeys((*ends, *self.splits, *self.merged)))

    @property
    def promises_open(self) -> tuple[Promise, ...]:
        """What was promised and not yet kept."""
        return tuple(promise for promise in self.promises if promise.kept_at is None)

    def timer(self, name: TimerName, promise: PromiseId | None = None) -> Timer | None:
        """The running timer of that name, or None."""
        return next((timer for timer in self.timers if timer.name is name and timer.promise == promise), None)

    def without_words(self, keys: frozenset[EffectKey]) -> Self:
        """The conversation once the store has withdrawn these words: they no longer count as on their way."""
        left = tuple(words for words in self.words_out if words.key not in keys)
        return self if len(left) == len(self.words_out) else self.evolve(words_out=left)
