"""What the protocol's tests are written with: readings by hand, posts, and a conversation that is taken through events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from conversations.comprehension.reading import (
    Certainty,
    Complaint,
    Cue,
    CueName,
    Decision,
    Reading,
    Risk,
    RiskLevel,
    Topic,
)
from conversations.conversation import Agent, Author, CheckBackBy, Conversation, Customer, Step, TimerName
from conversations.effects import Alarm, CallDesk, Effect, Say, TellAgent, WithdrawWords
from conversations.events import (
    AgentClaimed,
    AgentProposedPlan,
    AgentRecordedAnswer,
    AgentResolved,
    CustomerPosted,
    Event,
    PostDeleted,
    PostEdited,
    PromiseKept,
    SendFailed,
    TimerFired,
    WordsAccepted,
)
from conversations.ids import AgentId, ExternalId, PromiseId
from conversations.machine import Opening, advance, open_conversation
from conversations.policy import Policy
from conversations.protocol import IGNORED, TABLE, Row, State
from conversations.step import Step as OneStep
from conversations.wording.request import Act, Surface

START = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)  # a Tuesday morning
NOOR = Agent(AgentId("U1"), "Noor Haddad")
BEN = Agent(AgentId("U2"), "Ben Okafor")
POLICY = Policy()
TAKEN: set[tuple[int, State]] = set()
"""Which rows of the table, by their number, were taken from which state: the tests together must take them all."""


def row_for(conversation: Conversation, event: Event, now: datetime, policy: Policy) -> Row | None:
    """The row that protocol.md means: the first, in the order written, whose guards all hold. None: nothing happens."""
    step = OneStep(conversation, event, now, policy)
    for row in TABLE:
        here = conversation.state in row.sources and event.trigger in row.triggers
        if here and all(getattr(step, guard)() for guard in row.guards):
            return row
    return None


def reading(
    *certain: CueName,
    likely: tuple[CueName, ...] = (),
    told: bool = False,
    wish: str | None = None,
    topic: str | None = None,
    red: str | None = None,
    amber: str | None = None,
    decision: Decision = Decision.YES,
    words: str = "words",
) -> Reading:
    """A reading with these cues."""
    cues = tuple(Cue(name, Certainty.CERTAIN, "…") for name in certain)
    cues += tuple(Cue(name, Certainty.LIKELY, "…") for name in likely)
    risks = tuple(Risk(kind, RiskLevel.RED, "…") for kind in [red] if kind)
    risks += tuple(Risk(kind, RiskLevel.AMBER, "…") for kind in [amber] if kind)
    return Reading(
        language="en",
        complaint=Complaint(0.9, decision),
        topics=(Topic(topic, 0.9),) if topic else (),
        risk=risks,
        cues=cues,
        wish=wish,
        story_told=told,
        masked=words,
    )


class Case:
    """One conversation, its clock, and what the last event led to."""

    def __init__(self, policy: Policy = POLICY, channel: str = "playground", at: datetime = START) -> None:
        self.policy = policy
        self.channel = channel
        self.now = at
        self.count = 0
        self.conversation: Conversation | None = None
        self.effects: tuple[Effect, ...] = ()

    @property
    def it(self) -> Conversation:
        """The conversation, which exists once something was posted."""
        assert self.conversation is not None
        return self.conversation

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.it.state

    def minutes(self, minutes: float) -> Case:
        """Let time pass; timers do not fire by themselves."""
        self.now += timedelta(minutes=minutes)
        return self

    # ---------------------------------------------------------------- the customer

    def post(
        self,
        what: Reading | None = None,
        *,
        surface: Surface = Surface.PUBLIC,
        text: str = "words",
        late_minutes: float = 0.0,
    ) -> Case:
        """The customer posts; ``late_minutes`` before we see it."""
        self.count += 1
        event = CustomerPosted(
            id=ExternalId(f"p{self.count}"),
            posted_at=self.now - timedelta(minutes=late_minutes),
            surface=surface,
            text=text,
            reading=what or reading(),
        )
        if self.conversation is None:
            opening = Opening(self.channel, "brand", Customer("42"))
            self.conversation = open_conversation(opening, event, self.now, self.policy)
        return self.take(event)

    def dm(self, what: Reading | None = None, text: str = "words") -> Case:
        """The customer writes a direct message."""
        return self.post(what, surface=Surface.DIRECT, text=text)

    def edit(self, post: str, what: Reading | None = None) -> Case:
        """The customer changes a post."""
        return self.take(
            PostEdited(id=ExternalId(post), edited_at=self.now, text="new words", reading=what or reading())
        )

    def delete(self, post: str) -> Case:
        """The customer takes a post back."""
        return self.take(PostDeleted(id=ExternalId(post), deleted_at=self.now))

    # ---------------------------------------------------------------- what happens

    def take(self, event: Event) -> Case:
        """Any event. The row that is taken must be the one that the table means."""
        before = self.it
        row = row_for(before, event, self.now, self.policy)
        if row is not None:
            TAKEN.add((TABLE.index(row), before.state))
        result = advance(before, event, self.now, self.policy)
        expected = before.state if row is None or row.dest is None else row.dest
        assert result.conversation.state is expected, f"{before.state} {event.trigger}: not what the table says"
        assert row is None or (before.state, event.trigger) not in IGNORED
        self.conversation, self.effects = self.withdrawn(result.conversation, result.effects), result.effects
        return self

    @staticmethod
    def withdrawn(conversation: Conversation, effects: tuple[Effect, ...]) -> Conversation:
        """As the store does it: the bot's words from before that are withdrawn no longer count as on their way."""
        if not any(isinstance(effect, WithdrawWords) for effect in effects):
            return conversation
        mine = f"{conversation.key}:{conversation.version}:"
        gone = {w.key for w in conversation.words_out if w.author is Author.BOT and not w.key.startswith(mine)}
        return conversation.without_words(frozenset(gone))

    def fire(self, name: TimerName) -> Case:
        """A timer comes due: time moves to it."""
        timer = next(timer for timer in self.it.timers if timer.name is name)
        self.now = max(self.now, timer.due_at)
        return self.take(TimerFired(timer.name, timer.due_at, timer.promise))

    def accept(self) -> Case:
        """The platform accepts all words that are on their way."""
        effects = self.effects
        for words in self.it.words_out:
            self.count += 1
            said = ExternalId(f"o{self.count}")
            self.take(WordsAccepted(key=words.key, id=said, accepted_at=self.now, author=words.author, act=words.act))
        self.effects = effects
        return self

    def fail(self, reason: str = "rejected: 403") -> Case:
        """The platform refuses the words written last."""
        words = self.it.words_out[-1]
        return self.take(SendFailed(key=words.key, author=words.author, act=words.act, reason=reason, text="…"))

    # ---------------------------------------------------------------- agents

    def claim(self, agent: Agent = NOOR) -> Case:
        """An agent takes it."""
        return self.take(AgentClaimed(agent=agent))

    def propose(self, *steps: Step, agent: Agent = NOOR, remedy: str = "") -> Case:
        """An agent proposes a plan, by default one step due in two days."""
        return self.take(AgentProposedPlan(agent=agent, steps=steps or (self.step(48),), remedy=remedy))

    def step(self, hours: float, text: str = "send it again") -> Step:
        """A step of a plan that is due in so many hours."""
        return Step(text, self.now + timedelta(hours=hours))

    def keep(self, promise: str = "1.1", agent: Agent = NOOR) -> Case:
        """An agent ticks a promise."""
        return self.take(PromiseKept(agent=agent, promise=PromiseId(promise)))

    def resolve(self, by: CheckBackBy = CheckBackBy.BOT, *, anyway: bool = False, days: float | None = None) -> Case:
        """An agent says that it is done."""
        event = AgentResolved(agent=NOOR, done_text="sent again", check_back=by, anyway=anyway, check_back_days=days)
        return self.take(event)

    def answer(self, satisfied: bool | None, agent: Agent = NOOR) -> Case:
        """An agent records the answer to the check-back."""
        return self.take(AgentRecordedAnswer(agent=agent, satisfied=satisfied, words="on the telephone"))

    # ---------------------------------------------------------------- what it led to

    def said(self) -> list[Act]:
        """The acts that the last event said."""
        return [effect.act for effect in self.effects if isinstance(effect, Say)]

    def saying(self, act: Act) -> Say:
        """How the last event said it."""
        return next(effect for effect in self.effects if isinstance(effect, Say) and effect.act is act)

    def called(self) -> list[Alarm]:
        """What the last event called the desk for."""
        return [effect.alarm for effect in self.effects if isinstance(effect, CallDesk)]

    def call(self, alarm: Alarm) -> CallDesk:
        """How the last event called the desk for it."""
        return next(effect for effect in self.effects if isinstance(effect, CallDesk) and effect.alarm is alarm)

    def told(self) -> list[str]:
        """What the last event told the agent who acted."""
        return [effect.reason for effect in self.effects if isinstance(effect, TellAgent)]

    def withdrew(self) -> bool:
        """Whether the last event took the bot's words back."""
        return any(isinstance(effect, WithdrawWords) for effect in self.effects)

    def of(self, kind: type[Effect]) -> list[Effect]:
        """The last event's effects of a kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def runs(self, name: TimerName) -> bool:
        """Whether a timer of that name runs."""
        return any(timer.name is name for timer in self.it.timers)

    def due(self, name: TimerName) -> datetime:
        """When the timer of that name is due."""
        return next(timer.due_at for timer in self.it.timers if timer.name is name)


# ---------------------------------------------------------------- cases that have come so far


def listening_case(policy: Policy = POLICY, channel: str = "playground", **what: str) -> Case:
    """The customer has begun; nothing was said yet."""
    return Case(policy, channel).post(reading(**what))  # type: ignore[arg-type]


def acknowledged_case(policy: Policy = POLICY, channel: str = "playground") -> Case:
    """The first reply was accepted; listening goes on."""
    case = listening_case(policy, channel).fire(TimerName.QUIET).accept()
    assert case.state is State.LISTENING
    assert case.it.replied_at is not None
    return case


def told_case(**policy: float) -> Case:
    """A case that was reflected and accepted: the customer is asked."""
    case = Case(replace(POLICY, **policy) if policy else POLICY)
    case.post(reading(told=True, topic="delivery")).fire(TimerName.QUIET).accept()
    assert case.state is State.REFLECTING
    return case


def awaiting_case(**policy: float) -> Case:
    """A case that was handed over, and that nobody took yet."""
    case = told_case(**policy).minutes(3).post(reading(CueName.CONFIRMS, wish="money back")).accept()
    assert case.state is State.AWAITING_AGENT
    return case


def claimed_case(**policy: float) -> Case:
    """A case that Noor owns."""
    return awaiting_case(**policy).claim()


def proposed_case(**policy: float) -> Case:
    """A plan was proposed and has reached the customer."""
    return claimed_case(**policy).minutes(5).propose().accept()


def fulfilling_case(**policy: float) -> Case:
    """The plan was agreed."""
    case = proposed_case(**policy).minutes(5).post(reading(CueName.AGREES), text="ok that works").accept()
    assert case.state is State.FULFILLING
    return case


def resolved_case(by: CheckBackBy = CheckBackBy.BOT, **policy: float) -> Case:
    """It is done, and a check-back is to come."""
    case = fulfilling_case(**policy).minutes(60).keep().resolve(by).accept()
    assert case.state is State.RESOLVED
    return case


def checking_case(**policy: float) -> Case:
    """The check-back was asked."""
    case = resolved_case(**policy).fire(TimerName.CHECK_BACK).accept()
    assert case.state is State.CHECKING_BACK
    return case


def satisfied_case() -> Case:
    """Closed with a happy customer."""
    case = checking_case().minutes(30).post(reading(CueName.SATISFIED)).accept()
    assert case.state is State.CLOSED
    return case


def case_in(state: State) -> Case:
    """A case that stands in that state."""
    makers = {
        State.LISTENING: listening_case,
        State.REFLECTING: told_case,
        State.AWAITING_AGENT: awaiting_case,
        State.WITH_AGENT: claimed_case,
        State.AWAITING_AGREEMENT: proposed_case,
        State.FULFILLING: fulfilling_case,
        State.RESOLVED: resolved_case,
        State.CHECKING_BACK: checking_case,
        State.CLOSED: satisfied_case,
    }
    return makers[state]()  # type: ignore[operator]
