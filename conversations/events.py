"""Past facts: what may happen to a conversation. Each names the trigger that the protocol's table is written in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from conversations.comprehension.reading import Reading, RiskLevel
from conversations.conversation import Agent, Author, CheckBackBy, Step, StoryTurn, TimerName, WordsOut
from conversations.ids import ConversationKey, EffectKey, ExternalId, PromiseId
from conversations.protocol import Trigger
from conversations.wording.request import Act, Surface

# ---------------------------------------------------------------- the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPosted:
    """The customer wrote to us. ``mentions_us``: an explicit mention or a direct message, which X lets us answer."""

    trigger: ClassVar[Trigger] = Trigger.CUSTOMER_POSTED
    id: ExternalId
    posted_at: datetime
    surface: Surface
    text: str
    reading: Reading
    media: int = 0
    mentions_us: bool = True
    in_reply_to: ExternalId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostEdited:
    """A post of the customer has a new text."""

    trigger: ClassVar[Trigger] = Trigger.POST_EDITED
    id: ExternalId
    edited_at: datetime
    text: str
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PostDeleted:
    """A post of the customer is gone from the platform."""

    trigger: ClassVar[Trigger] = Trigger.POST_DELETED
    id: ExternalId
    deleted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerUnreachable:
    """Nothing can be sent to the customer any more (blocked, gone, messages shut); ``key``: the words that showed it."""

    trigger: ClassVar[Trigger] = Trigger.CUSTOMER_UNREACHABLE
    reason: str
    key: EffectKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandAnsweredElsewhere:
    """A human answered without us: typed on the platform, or by hand after a failure (then ``agent`` says who)."""

    trigger: ClassVar[Trigger] = Trigger.BRAND_ANSWERED_ELSEWHERE
    id: ExternalId
    answered_at: datetime
    surface: Surface
    text: str
    agent: Agent | None = None


# ---------------------------------------------------------------- delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsAccepted:
    """The platform accepted words of ours."""

    trigger: ClassVar[Trigger] = Trigger.WORDS_ACCEPTED
    key: EffectKey
    id: ExternalId
    accepted_at: datetime
    author: Author
    act: Act | None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFailed:
    """Words of ours will not be delivered: rejected by the platform, refused by our rules, or given up as unknown."""

    trigger: ClassVar[Trigger] = Trigger.SEND_FAILED
    key: EffectKey
    author: Author
    act: Act | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstReplyForecast:
    """Delivery foresees that the window will not hold (limits, backlog, outage): said before it breaks."""

    trigger: ClassVar[Trigger] = Trigger.FIRST_REPLY_ENDANGERED
    reason: str


# ---------------------------------------------------------------- time


TIMER_TRIGGERS: dict[TimerName, Trigger] = {
    TimerName.QUIET: Trigger.QUIET_ELAPSED,
    TimerName.FIRST_REPLY_ALARM: Trigger.FIRST_REPLY_ENDANGERED,
    TimerName.FIRST_REPLY: Trigger.FIRST_REPLY_DUE,
    TimerName.SILENCE: Trigger.SILENCE_ELAPSED,
    TimerName.UNCLAIMED: Trigger.HANDOFF_UNCLAIMED,
    TimerName.OWNER_SILENT: Trigger.OWNER_SILENT,
    TimerName.SNOOZE: Trigger.SNOOZE_ELAPSED,
    TimerName.PROMISE_SOON: Trigger.PROMISE_DUE_SOON,
    TimerName.PROMISE_OVERDUE: Trigger.PROMISE_OVERDUE,
    TimerName.CHECK_BACK: Trigger.CHECK_BACK_DUE,
}


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer of the conversation came due."""

    name: TimerName
    due_at: datetime
    promise: PromiseId | None = None

    @property
    def trigger(self) -> Trigger:
        """The trigger this timer stands for."""
        return TIMER_TRIGGERS[self.name]


# ---------------------------------------------------------------- agents


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentClaimed:
    """An agent takes the case."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_CLAIMED
    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReplied:
    """An agent sends words to the customer. ``overridden`` lists guard findings that the agent chose to send anyway."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_REPLIED
    agent: Agent
    text: str
    surface: Surface | None = None
    overridden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProposedPlan:
    """An agent proposes a plan of dated steps."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_PROPOSED_PLAN
    agent: Agent
    steps: tuple[Step, ...]
    remedy: str = ""
    overridden: tuple[str, ...] = ()

    @property
    def shown_steps(self) -> tuple[Step, ...]:
        """The steps as the customer reads them: with the remedy, so that their yes holds all that they get."""
        if not self.remedy or any(self.remedy.casefold() in step.text.casefold() for step in self.steps):
            return self.steps
        return (*self.steps, Step(self.remedy))


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecordedAgreement:
    """The customer agreed elsewhere, e.g. on the telephone: where, and in which words."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_RECORDED_AGREEMENT
    agent: Agent
    where: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKept:
    """An agent ticks a promised step."""

    trigger: ClassVar[Trigger] = Trigger.PROMISE_KEPT
    agent: Agent
    promise: PromiseId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResolved:
    """An agent says that it is done. ``anyway``: although a promise is still open. ``check_back_days`` None: the policy's."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_RESOLVED
    agent: Agent
    done_text: str
    check_back: CheckBackBy = CheckBackBy.BOT
    check_back_days: float | None = None
    anyway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecordedAnswer:
    """An agent writes down the customer's answer to the check-back; ``satisfied`` None: there was none."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_RECORDED_ANSWER
    agent: Agent
    satisfied: bool | None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTransferred:
    """An agent hands the case to somebody else or to another queue, with a note."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_TRANSFERRED
    agent: Agent
    to_agent: Agent | None = None
    to_queue: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSnoozed:
    """An agent puts the case aside until an instant; the customer's next word ends it earlier."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_SNOOZED
    agent: Agent
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMutedBot:
    """An agent stops the bot in this conversation."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_MUTED_BOT
    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReleased:
    """The owner gives the case back to the queue."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_RELEASED
    agent: Agent
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDismissed:
    """An agent closes what needs no answer, with the reason."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_DISMISSED
    agent: Agent
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLabelled:
    """An agent says whether it is a complaint: the label teaches the triage."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_LABELLED
    agent: Agent
    complaint: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReopened:
    """An agent takes a resolved or closed case up again."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_REOPENED
    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSetReference:
    """An agent notes an order or ticket number by hand."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_SET_REFERENCE
    agent: Agent
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSplit:
    """An agent says that these posts are about another matter: they become a conversation of their own."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_SPLIT
    agent: Agent
    posts: tuple[ExternalId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMerged:
    """An agent says that this conversation is about the same as an older one of this customer: it becomes part of that."""

    trigger: ClassVar[Trigger] = Trigger.AGENT_MERGED
    agent: Agent
    into: ConversationKey


# ---------------------------------------------------------------- other conversations


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """This conversation was just made, of posts that were another's (``source``)."""

    trigger: ClassVar[Trigger] = Trigger.SPLIT_OFF
    agent: Agent
    source: ConversationKey


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMerged:
    """Another conversation (``source``) became part of this one: what it knew, by the names of ``Conversation``."""

    trigger: ClassVar[Trigger] = Trigger.CASE_MERGED
    agent: Agent
    source: ConversationKey
    story: tuple[StoryTurn, ...]
    turns_count: int
    first_posted_at: datetime
    risks: tuple[tuple[str, RiskLevel], ...] = ()
    risk_words_said: bool = False
    replied_at: datetime | None = None
    heard_until: datetime | None = None
    said_at: datetime | None = None
    introduced: bool = False
    words_out: tuple[WordsOut, ...] = ()
    direct: bool = False
    bot_muted: bool = False
    opted_out: bool = False
    owner: Agent | None = None
    unanswered_since: datetime | None = None
    reference: str = ""

    def without_words(self, keys: frozenset[EffectKey]) -> CaseMerged:
        """The same once the store has withdrawn these words: they no longer count as on their way."""
        return replace(self, words_out=tuple(words for words in self.words_out if words.key not in keys))


AgentEvent = (
    AgentClaimed
    | AgentReplied
    | AgentProposedPlan
    | AgentRecordedAgreement
    | PromiseKept
    | AgentResolved
    | AgentRecordedAnswer
    | AgentTransferred
    | AgentSnoozed
    | AgentMutedBot
    | AgentReleased
    | AgentDismissed
    | AgentLabelled
    | AgentReopened
    | AgentSetReference
    | AgentSplit
    | AgentMerged
)
Event = (
    CustomerPosted
    | PostEdited
    | PostDeleted
    | CustomerUnreachable
    | BrandAnsweredElsewhere
    | WordsAccepted
    | SendFailed
    | FirstReplyForecast
    | TimerFired
    | AgentEvent
    | SplitOff
    | CaseMerged
)
