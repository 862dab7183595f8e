"""A case as an agent sees it: one neutral value, which every desk lays out in its own way.

``card`` is pure. It takes what the store holds (the conversation, its turns, its rows of the outbox) and an instant, and
gives the facts in the order of an agent's questions: how urgent, who, what happened, what they want, what was said, what was
promised, and what I can do now. Texts of the customer are masked; the spans of personal data stay, so that a desk may reveal
them on a click.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.desk.calls import Call, call_of
from bot.store.records import Kind, OutboxRow, Place, Status, TurnRecord
from conversations.comprehension.reading import Decision, PrivateSpan, RiskLevel
from conversations.conversation import Answer, Author, CheckBack, Conversation, Customer, Outcome, Promise, StoryTurn
from conversations.ids import AgentId, ConversationKey, EffectKey, ExternalId, PromiseId
from conversations.policy import Policy
from conversations.protocol import State
from conversations.wording.request import Act, Surface


class CaseAct(StrEnum):
    """What an agent may do with a case. The names are those of the desks' buttons and of the playground's JSON door."""

    CLAIM = "claim"
    REPLY = "reply"
    PROPOSE_PLAN = "propose_plan"
    RECORD_AGREEMENT = "record_agreement"
    KEEP_PROMISE = "keep_promise"
    RESOLVE = "resolve"
    RECORD_ANSWER = "record_answer"
    TRANSFER = "transfer"
    SNOOZE = "snooze"
    RELEASE = "release"
    DISMISS = "dismiss"
    LABEL = "label"
    MUTE_BOT = "mute_bot"
    REOPEN = "reopen"
    SET_REFERENCE = "set_reference"
    ANSWERED_BY_HAND = "answered_by_hand"
    SPLIT = "split"
    MERGE = "merge"


C = CaseAct
_FRONT = (
    C.CLAIM, C.REPLY, C.LABEL, C.DISMISS, C.MUTE_BOT, C.ANSWERED_BY_HAND, C.SET_REFERENCE, C.SPLIT, C.MERGE,
)  # fmt: skip
ACTS: dict[State, tuple[CaseAct, ...]] = {
    State.LISTENING: _FRONT,
    State.REFLECTING: _FRONT,
    State.AWAITING_AGENT: (
        C.CLAIM, C.REPLY, C.RECORD_ANSWER, C.TRANSFER, C.SNOOZE, C.LABEL, C.DISMISS, C.MUTE_BOT, C.ANSWERED_BY_HAND,
        C.SET_REFERENCE, C.SPLIT, C.MERGE,
    ),
    State.WITH_AGENT: (
        C.CLAIM, C.REPLY, C.PROPOSE_PLAN, C.RECORD_AGREEMENT, C.KEEP_PROMISE, C.RESOLVE, C.RECORD_ANSWER, C.TRANSFER, C.SNOOZE,
        C.RELEASE, C.LABEL, C.DISMISS, C.MUTE_BOT, C.ANSWERED_BY_HAND, C.SET_REFERENCE,
        C.SPLIT, C.MERGE,
    ),
    State.AWAITING_AGREEMENT: (
        C.CLAIM, C.RECORD_AGREEMENT, C.REPLY, C.PROPOSE_PLAN, C.RESOLVE, C.TRANSFER, C.SNOOZE, C.RELEASE, C.MUTE_BOT,
        C.ANSWERED_BY_HAND, C.SET_REFERENCE, C.SPLIT,
    ),
    State.FULFILLING: (
        C.CLAIM, C.KEEP_PROMISE, C.RESOLVE, C.REPLY, C.PROPOSE_PLAN, C.TRANSFER, C.SNOOZE, C.RELEASE, C.MUTE_BOT,
        C.ANSWERED_BY_HAND, C.SET_REFERENCE, C.SPLIT, C.MERGE,
    ),
    State.RESOLVED: (
        C.RECORD_ANSWER, C.REOPEN, C.REPLY, C.CLAIM, C.RELEASE, C.MUTE_BOT, C.SET_REFERENCE, C.SPLIT, C.MERGE,
    ),
    State.CHECKING_BACK: (
        C.RECORD_ANSWER, C.REOPEN, C.REPLY, C.CLAIM, C.MUTE_BOT, C.SET_REFERENCE, C.SPLIT, C.MERGE,
    ),
    State.CLOSED: (C.REOPEN, C.SET_REFERENCE),
}  # fmt: skip
"""Which acts make sense in which state, the likeliest first. ``acts_for`` takes out what this very case has no use for."""


class Waiting(StrEnum):
    """Whose turn it is (protocol.md, "States")."""

    CUSTOMER = "customer"
    DESK = "desk"
    OWNER = "owner"
    CLOCK = "clock"
    NOBODY = "nobody"


WAITING: dict[State, Waiting] = {
    State.LISTENING: Waiting.CUSTOMER,
    State.REFLECTING: Waiting.CUSTOMER,
    State.AWAITING_AGENT: Waiting.DESK,
    State.WITH_AGENT: Waiting.OWNER,
    State.AWAITING_AGREEMENT: Waiting.CUSTOMER,
    State.FULFILLING: Waiting.OWNER,
    State.RESOLVED: Waiting.CLOCK,
    State.CHECKING_BACK: Waiting.CUSTOMER,
    State.CLOSED: Waiting.NOBODY,
}


class Heat(StrEnum):
    """How urgent a case is for the desk, the hottest first; lists are sorted by it."""

    DANGER = "danger"
    LATE = "late"
    SOON = "soon"
    NORMAL = "normal"
    WAITING = "waiting"
    DONE = "done"


SOON = timedelta(minutes=30)
"""A clock that ends within this time makes a case urgent."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """A turn of the customer. ``text`` is masked; ``private`` are the spans in the unmasked text. None: it was deleted."""

    id: ExternalId
    at: datetime
    place: Place
    text: str | None
    private: tuple[PrivateSpan, ...] = ()
    media: int = 0
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SaidLine:
    """Words of ours: said, on their way, or failed. ``leaves_at`` is the earliest instant at which waiting words may leave."""

    at: datetime
    author: Author
    agent: str | None
    act: str | None
    place: Place
    text: str | None
    status: Status
    key: EffectKey | None = None
    leaves_at: datetime | None = None
    reason: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RiskLine:
    """A danger, with the customer's own words for it (None: the post is gone)."""

    kind: str
    level: RiskLevel
    evidence: str | None


@dataclass(frozen=True, slots=True)
class FirstReplyClock:
    """From the customer's post to the platform's acceptance of our first reply: day and night."""

    posted_at: datetime
    due_at: datetime
    window_ends_at: datetime
    answered_at: datetime | None

    def late(self, now: datetime) -> bool:
        """Whether the window was, or is now, broken."""
        return (self.answered_at or now) > self.window_ends_at


@dataclass(frozen=True, slots=True)
class HumanAnswerClock:
    """From the handoff, or an unanswered turn of the customer, to an agent's words: working time."""

    since: datetime
    due_at: datetime | None

    def late(self, now: datetime) -> bool:
        """Whether somebody waits for too long."""
        return self.due_at is not None and now > self.due_at


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of the plan. ``promise`` is None until the plan was agreed."""

    text: str
    due_at: datetime | None
    promise: PromiseId | None = None
    kept_at: datetime | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether a promise is broken for now."""
        return self.promise is not None and self.kept_at is None and self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What was proposed, by whom, and the customer's yes."""

    number: int
    steps: tuple[StepLine, ...]
    remedy: str
    proposed_by: str
    proposed_at: datetime
    agreed_at: datetime | None
    agreed_words: str | None
    agreed_where: str | None


@dataclass(frozen=True)
class Card:
    """A case, ready to be laid out. ``now`` is the instant it was made for; everything relative refers to it."""

    key: ConversationKey
    now: datetime
    heat: Heat
    state: State
    waiting: Waiting
    outcome: Outcome | None
    customer: Customer
    channel: str
    account: str
    surface: Surface
    link: str | None
    language: str
    queue: str
    triage: Decision
    label: bool | None
    opened_at: datetime
    story: tuple[StoryLine, ...]
    mirror: str | None
    wish: str | None
    topics: tuple[str, ...]
    risks: tuple[RiskLine, ...]
    first_reply: FirstReplyClock
    human_answer: HumanAnswerClock | None
    owner: str | None
    owner_id: AgentId | None
    last_owner: str | None
    snoozed_until: datetime | None
    bot_muted: bool
    opted_out: bool
    plan: PlanLine | None
    kept: tuple[StepLine, ...]
    done_text: str
    check_back: CheckBack | None
    rounds: int
    answers: tuple[Answer, ...]
    said: tuple[SaidLine, ...]
    calls: tuple[Call, ...]
    earlier: ConversationKey | None
    split_from: ConversationKey | None
    splits: tuple[ConversationKey, ...]
    merged: tuple[ConversationKey, ...]
    merged_into: ConversationKey | None
    reference: str
    acts: tuple[CaseAct, ...]

    @property
    def promises_open(self) -> tuple[StepLine, ...]:
        """What was agreed and is not yet done."""
        steps = self.plan.steps if self.plan else ()
        return tuple(step for step in steps if step.promise is not None and step.kept_at is None)


def card(
    case: Conversation,
    turns: Sequence[TurnRecord],
    rows: Sequence[OutboxRow],
    policy: Policy,
    now: datetime,
    *,
    agent: AgentId | None = None,
    link: str | None = None,
) -> Card:
    """The card of a case for one agent (None: for nobody in particular). ``link`` leads to the post, if there is one."""
    window_s = timedelta(seconds=policy.window_s)
    return Card(
        key=case.key,
        now=now,
        heat=heat_of(case, policy, now),
        state=case.state,
        waiting=WAITING[case.state],
        outcome=case.outcome,
        customer=case.customer,
        channel=case.channel,
        account=case.account,
        surface=case.last_surface,
        link=link,
        language=case.language,
        queue=case.queue,
        triage=case.triage,
        label=case.label,
        opened_at=case.opened_at,
        story=tuple(story_line(turn) for turn in turns if turn.author is Author.CUSTOMER),
        mirror=mirror_of(case, turns, rows),
        wish=case.wish,
        topics=case.topics,
        risks=tuple(RiskLine(kind, level, evidence(case.story, kind)) for kind, level in case.risks),
        first_reply=FirstReplyClock(
            case.first_posted_at,
            case.first_posted_at + window_s - timedelta(seconds=policy.reserve_s),
            case.first_posted_at + window_s,
            case.replied_at,
        ),
        human_answer=HumanAnswerClock(case.unanswered_since, case.answer_due_at) if case.unanswered_since else None,
        owner=case.owner.name if case.owner else None,
        owner_id=case.owner.id if case.owner else None,
        last_owner=case.last_owner.name if case.last_owner else None,
        snoozed_until=case.snoozed_until,
        bot_muted=case.bot_muted,
        opted_out=case.opted_out,
        plan=plan_line(case),
        kept=tuple(StepLine(p.text, p.due_at, p.id, p.kept_at) for p in earlier_promises(case)),
        done_text=case.done_text,
        check_back=case.check_back,
        rounds=case.rounds,
        answers=case.answers,
        said=said_lines(turns, rows),
        calls=tuple(call_of(row) for row in rows if row.kind in (Kind.ALARM, Kind.TELL)),
        earlier=case.previous,
        split_from=case.split_from,
        splits=case.splits,
        merged=case.merged,
        merged_into=case.merged_into,
        reference=case.reference,
        acts=acts_for(case, agent, policy),
    )


def acts_for(case: Conversation, agent: AgentId | None, policy: Policy) -> tuple[CaseAct, ...]:
    """The acts that make sense now for this agent, the likeliest first."""
    rounds_used_up = case.rounds >= policy.check_back_rounds_max
    owner = case.owner.id if case.owner else None
    plan_open = case.plan is not None and case.plan.agreed_at is None
    pointless = {
        C.CLAIM: owner is not None or (case.state is State.CLOSED),
        C.RELEASE: owner is None or (agent is not None and owner != agent),
        C.RECORD_AGREEMENT: not plan_open,
        C.KEEP_PROMISE: not case.promises_open,
        C.DISMISS: bool(case.promises_open),
        C.LABEL: case.label is not None,
        C.MUTE_BOT: case.bot_muted or case.opted_out,
        C.ANSWERED_BY_HAND: case.replied_at is not None,
        C.RECORD_ANSWER: case.state in (State.AWAITING_AGENT, State.WITH_AGENT) and not rounds_used_up,
        C.REOPEN: case.merged_into is not None,
        C.SPLIT: case.turns_count < 2 or not case.story,
        C.MERGE: not case.relatives or bool(case.promises_open),
    }
    return tuple(act for act in ACTS[case.state] if not pointless.get(act, False))


def heat_of(case: Conversation, policy: Policy, now: datetime) -> Heat:
    """How urgent it is. Never by reach: only danger and waiting time count."""
    if case.state is State.CLOSED:
        return Heat.DONE
    ends = [case.answer_due_at] if case.answer_due_at else []
    if case.replied_at is None:
        ends.append(case.first_posted_at + timedelta(seconds=policy.window_s))
    ends += [promise.due_at for promise in case.promises_open if promise.due_at]
    mine = WAITING[case.state] in (Waiting.DESK, Waiting.OWNER)
    if case.risk_level is RiskLevel.RED and (mine or case.owner is None):
        return Heat.DANGER
    if any(end < now for end in ends):
        return Heat.LATE
    if any(end < now + SOON for end in ends) or (mine and case.risk_level is not None):
        return Heat.SOON
    return Heat.NORMAL if mine and case.snoozed_until is None else Heat.WAITING


def story_line(turn: TurnRecord) -> StoryLine:
    """A turn of the customer, masked."""
    text = None if turn.text is None else turn.reading.masked if turn.reading else turn.text
    private = turn.reading.private if turn.reading else ()
    return StoryLine(turn.id, turn.posted_at, turn.place, text, private, turn.media, turn.edited_at)


def mirror_of(case: Conversation, turns: Sequence[TurnRecord], rows: Sequence[OutboxRow]) -> str | None:
    """What the bot said it understood; before it said anything, the words it would repeat."""
    said = [turn.text for turn in turns if turn.act == Act.REFLECT.value and turn.text]
    said += [str(row.body["text"]) for row in rows if row.act == Act.REFLECT.value and row.status is Status.PENDING]
    if said:
        return said[-1]
    parts = [turn.reading.quotable for turn in case.story if turn.reading.quotable]
    return "; ".join(dict.fromkeys(parts)) or None


def evidence(story: Sequence[StoryTurn], kind: str) -> str | None:
    """The customer's words that show a risk."""
    found = (risk.evidence for turn in reversed(story) for risk in turn.reading.risk if risk.kind == kind)
    return next(found, None)


def plan_line(case: Conversation) -> PlanLine | None:
    """The plan with what became of its steps."""
    plan = case.plan
    if plan is None:
        return None
    promises = {promise.id: promise for promise in case.promises}
    steps = []
    for number, step in enumerate(plan.steps, 1):
        promise = promises.get(PromiseId(f"{plan.number}.{number}"))
        steps.append(
            StepLine(step.text, step.due_at, promise.id if promise else None, promise.kept_at if promise else None)
        )
    return PlanLine(
        plan.number,
        tuple(steps),
        plan.remedy,
        plan.proposed_by.name,
        plan.proposed_at,
        plan.agreed_at,
        plan.agreed_words,
        plan.agreed_where,
    )


def earlier_promises(case: Conversation) -> list[Promise]:
    """Kept promises of plans that came before the present one."""
    number = f"{case.plan.number}." if case.plan else ""
    return [promise for promise in case.promises if not number or not promise.id.startswith(number)]


def said_lines(turns: Sequence[TurnRecord], rows: Sequence[OutboxRow]) -> tuple[SaidLine, ...]:
    """Words of ours in the order they were said, then what is on its way or failed."""
    lines = [
        SaidLine(t.posted_at, t.author, t.agent, t.act, t.place, t.text, Status.SENT, t.key, url=t.url)
        for t in turns
        if t.author is not Author.CUSTOMER
    ]
    said = {line.key for line in lines}
    left = (row for row in rows if row.kind is Kind.WORDS and row.key not in said and row.status is not Status.SENT)
    return (*lines, *map(unsaid_line, left))


def unsaid_line(row: OutboxRow) -> SaidLine:
    """Words that are on their way, or that will never be said."""
    return SaidLine(
        row.created_at,
        row.author or Author.BOT,
        row.body.get("agent"),
        row.act,
        row.place,
        row.body.get("text"),
        row.status,
        row.key,
        row.not_before,
        row.reason,
    )
