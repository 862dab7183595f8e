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
from conversations.conversation import Agent, Conversation, Customer, TimerName
from conversations.effects import Effect, Say
from conversations.events import CustomerPosted, Event, TimerFired, WordsAccepted
from conversations.ids import AgentId, ExternalId
from conversations.machine import Opening, advance, open_conversation
from conversations.policy import Policy
from conversations.protocol import State
from conversations.wording.request import Act, Surface

START = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)  # a Tuesday morning
NOOR = Agent(AgentId("U1"), "Noor Haddad")
BEN = Agent(AgentId("U2"), "Ben Okafor")
POLICY = Policy()


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

    def __init__(self, policy: Policy = POLICY, channel: str = "playground") -> None:
        self.policy = policy
        self.channel = channel
        self.now = START
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

    def post(self, what: Reading | None = None, *, surface: Surface = Surface.PUBLIC, text: str = "words") -> Case:
        """The customer posts."""
        self.count += 1
        event = CustomerPosted(
            id=ExternalId(f"p{self.count}"), posted_at=self.now, surface=surface, text=text, reading=what or reading()
        )
        if self.conversation is None:
            opening = Opening(self.channel, "brand", Customer("42"))
            self.conversation = open_conversation(opening, event, self.now, self.policy)
        return self.take(event)

    def take(self, event: Event) -> Case:
        """Any event."""
        result = advance(self.it, event, self.now, self.policy)
        self.conversation, self.effects = result.conversation, result.effects
        return self

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

    def said(self) -> list[Act]:
        """The acts that the last event said."""
        return [effect.act for effect in self.effects if isinstance(effect, Say)]

    def of(self, kind: type[Effect]) -> list[Effect]:
        """The last event's effects of a kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]


def told_case(**policy: float) -> Case:
    """A case that was reflected and accepted: the customer is asked."""
    case = Case(replace(POLICY, **policy) if policy else POLICY)
    case.post(reading(told=True, topic="delivery")).fire(TimerName.QUIET).accept()
    assert case.state is State.REFLECTING
    return case


def claimed_case() -> Case:
    """A case that Noor owns."""
    from conversations.events import AgentClaimed

    case = told_case().post(reading(CueName.CONFIRMS, wish="money back")).accept()
    return case.take(AgentClaimed(agent=NOOR))
