"""Whatever happens, in whatever order: the conversation stays one that can be gone on with, stored and replayed."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.store.codec import dump_conversation, dump_event, load_conversation, load_event
from conversations.comprehension.reading import CueName, Decision, Reading
from conversations.conversation import Author, CheckBackBy, Conversation, Customer, Outcome, Step, StoryTurn, TimerName
from conversations.effects import Effect, Move, Say, WithdrawWords
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
    CaseMerged,
    CustomerPosted,
    CustomerUnreachable,
    Event,
    FirstReplyForecast,
    PostDeleted,
    PostEdited,
    PromiseKept,
    SendFailed,
    TimerFired,
    WordsAccepted,
)
from conversations.guards import RISK_ACTS
from conversations.ids import ConversationKey, EffectKey, ExternalId, PromiseId
from conversations.machine import Opening, advance, due_timers, is_current, open_conversation
from conversations.policy import ChannelTraits, Policy
from conversations.protocol import OWNED, UNOWNED, State
from conversations.wording.request import Act, Surface
from tests.protocol.kit import BEN, NOOR, START, reading

CLOCKS: dict[State, frozenset[TimerName]] = {
    State.LISTENING: frozenset({TimerName.QUIET, TimerName.SILENCE, TimerName.FIRST_REPLY}),
    State.REFLECTING: frozenset({TimerName.SILENCE}),
    State.AWAITING_AGENT: frozenset({TimerName.UNCLAIMED, TimerName.SNOOZE}),
    State.WITH_AGENT: frozenset({TimerName.OWNER_SILENT, TimerName.SNOOZE}),
    State.AWAITING_AGREEMENT: frozenset({TimerName.OWNER_SILENT, TimerName.SNOOZE}),
    State.FULFILLING: frozenset({TimerName.OWNER_SILENT, TimerName.SNOOZE}),
    State.RESOLVED: frozenset({TimerName.CHECK_BACK}),
    State.CHECKING_BACK: frozenset({TimerName.SILENCE}),
}
"""What must be running in an open state, so that nothing is stuck (I9)."""
WAITING_FOR_THE_PLATFORM = {State.LISTENING, State.REFLECTING}
"""Where words on their way are a reason to wait as well: their report moves the conversation."""

READINGS = st.builds(
    lambda certain, likely, told, wish, topic, red, amber, decision: reading(
        *certain, likely=likely, told=told, wish=wish, topic=topic, red=red, amber=amber, decision=decision
    ),
    st.lists(st.sampled_from(CueName), max_size=2).map(tuple),
    st.lists(st.sampled_from(CueName), max_size=1).map(tuple),
    st.booleans(),
    st.sampled_from([None, None, "money back"]),
    st.sampled_from([None, "delivery", "billing"]),
    st.sampled_from([None, None, None, None, "fire", "self_harm", "poison"]),
    st.sampled_from([None, None, None, "legal", "fire"]),
    st.sampled_from(Decision),
)
SURFACES = st.sampled_from(Surface)
AGENTS = st.sampled_from([NOOR, BEN])
HOURS = st.integers(-2, 200).map(lambda hours: timedelta(hours=hours))
POLICIES = st.sampled_from(
    [
        Policy(channels={"x": ChannelTraits(unprompted_public=False)}),
        Policy(reflections_max=0, check_back_rounds_max=1, check_back_days=0.0),
        Policy(quiet_s_max=0.0, silence_s=0.0, unclaimed_s=0.0, owner_silent_s=0.0, follow_up_s=0.0),
        Policy(held_terms=("words",), check_backs_paused=True),
    ]
)
ACTS: st.SearchStrategy[AgentEvent] = st.one_of(
    st.builds(AgentClaimed, agent=AGENTS),
    st.builds(AgentReplied, agent=AGENTS, text=st.just("hello"), surface=st.none() | SURFACES),
    st.builds(AgentRecordedAgreement, agent=AGENTS, where=st.just("telephone"), words=st.just("yes")),
    st.builds(
        AgentResolved,
        agent=AGENTS,
        done_text=st.just("done"),
        check_back=st.sampled_from(CheckBackBy),
        check_back_days=st.sampled_from([None, 0.0, 5.0]),
        anyway=st.booleans(),
    ),
    st.builds(AgentRecordedAnswer, agent=AGENTS, satisfied=st.sampled_from([True, False, None])),
    st.builds(AgentTransferred, agent=AGENTS, to_agent=st.none() | AGENTS, to_queue=st.sampled_from([None, "billing"])),
    st.builds(AgentMutedBot, agent=AGENTS),
    st.builds(AgentReleased, agent=AGENTS),
    st.builds(AgentDismissed, agent=AGENTS, why=st.just("a joke")),
    st.builds(AgentLabelled, agent=AGENTS, complaint=st.booleans()),
    st.builds(AgentReopened, agent=AGENTS),
    st.builds(AgentSetReference, agent=AGENTS, reference=st.just("4471")),
    st.builds(
        PromiseKept, agent=AGENTS, promise=st.sampled_from([PromiseId("1.1"), PromiseId("1.2"), PromiseId("2.1")])
    ),
)


class AnyOrder(RuleBasedStateMachine):
    """One conversation, a clock, and a platform that is fast, slow, or refuses."""

    @initialize(policy=POLICIES, what=READINGS, late=st.integers(0, 400), surface=SURFACES)
    def open(self, policy: Policy, what: Reading, late: int, surface: Surface) -> None:
        """The first post, perhaps first seen late."""
        self.policy = policy
        self.now = START
        self.count = 0
        self.sending: set[EffectKey] = set()
        self.acts: list[Act] = []
        self.questions = 0
        first = self.posted(what, surface, late)
        self.case: Conversation = open_conversation(Opening("x", "brand", Customer("42")), first, self.now, policy)
        self.take(first)

    # ---------------------------------------------------------------- events

    @rule(what=READINGS, surface=SURFACES, late=st.sampled_from([0, 0, 0, 3, 300]), again=st.booleans())
    def post(self, what: Reading, surface: Surface, late: int, again: bool) -> None:
        """The customer writes, and the post may come late."""
        self.take(self.posted(what, surface, late))
        if again:
            self.take(self.posted(what, surface, 0))

    def posted(self, what: Reading, surface: Surface, late: int) -> CustomerPosted:
        """A new post."""
        self.count += 1
        at = self.now - timedelta(minutes=late)
        return CustomerPosted(
            id=ExternalId(f"p{self.count}"), posted_at=at, surface=surface, text="words", reading=what
        )

    @rule(number=st.integers(1, 8), what=READINGS)
    def edit(self, number: int, what: Reading) -> None:
        """An edit of some post, known or not."""
        self.take(PostEdited(id=ExternalId(f"p{number}"), edited_at=self.now, text="new", reading=what))

    @rule(number=st.integers(1, 8))
    def delete(self, number: int) -> None:
        """A deletion of some post, known or not, perhaps not for the first time."""
        self.take(PostDeleted(id=ExternalId(f"p{number}"), deleted_at=self.now))

    @rule(surface=SURFACES, agent=st.none() | AGENTS)
    def answered_elsewhere(self, surface: Surface, agent: object) -> None:
        """A colleague was faster."""
        self.count += 1
        event = BrandAnsweredElsewhere(
            id=ExternalId(f"b{self.count}"),
            answered_at=self.now,
            surface=surface,
            text="hi",
            agent=agent,  # type: ignore[arg-type]
        )
        self.take(event)

    @rule(act=ACTS)
    def agent_acts(self, act: AgentEvent) -> None:
        """An agent does something that may mean nothing here."""
        self.take(act)

    @rule(agent=AGENTS, ahead=HOURS)
    def snooze(self, agent: object, ahead: timedelta) -> None:
        """Aside until an instant, which may have passed."""
        self.take(AgentSnoozed(agent=agent, until=self.now + ahead))  # type: ignore[arg-type]

    @rule(agent=AGENTS, ahead=st.lists(st.none() | HOURS, min_size=1, max_size=2))
    def propose(self, agent: object, ahead: list[timedelta | None]) -> None:
        """A plan, with dates or without."""
        steps = tuple(Step("again", None if span is None else self.now + span) for span in ahead)
        self.take(AgentProposedPlan(agent=agent, steps=steps))  # type: ignore[arg-type]

    @rule(agent=AGENTS, numbers=st.lists(st.integers(1, 8), min_size=1, max_size=2))
    def split(self, agent: object, numbers: list[int]) -> None:
        """Posts leave for a conversation of their own, which can be gone on with as well."""
        before = self.case
        posts = tuple(ExternalId(f"p{number}") for number in numbers)
        for move in self.take(AgentSplit(agent=agent, posts=posts)):  # type: ignore[arg-type]
            assert move.opens is not None
            made = load_conversation(dump_conversation(move.opens))
            assert made.turns_count + self.case.turns_count == before.turns_count
            assert {turn.id for turn in (*made.story, *self.case.story)} == {turn.id for turn in before.story}
            told = advance(made, load_event(*dump_event(move.event)), self.now, self.policy).conversation
            assert told.state is State.AWAITING_AGENT
            assert told.timer(TimerName.UNCLAIMED) is not None

    @rule(agent=AGENTS, what=READINGS, owner=st.none() | AGENTS, late=st.integers(0, 400), waits=st.booleans())
    def another_comes(self, agent: object, what: Reading, owner: object, late: int, waits: bool) -> None:
        """Another conversation becomes part of this one."""
        self.count += 1
        at = self.now - timedelta(minutes=late)
        turn = StoryTurn(ExternalId(f"p{self.count}"), at, Surface.PUBLIC, what)
        event = CaseMerged(
            agent=agent,  # type: ignore[arg-type]
            source=ConversationKey(f"x:brand:{self.count}"),
            story=(turn,),
            turns_count=1,
            first_posted_at=at,
            owner=owner,  # type: ignore[arg-type]
            unanswered_since=at if waits else None,
        )
        self.take(event)

    @rule(agent=AGENTS, really=st.integers(0, 9))
    def merge(self, agent: object, really: int) -> None:
        """This conversation becomes part of another, now and then."""
        if really == 0:
            self.take(AgentMerged(agent=agent, into=ConversationKey("x:brand:0")))  # type: ignore[arg-type]

    @rule()
    def forecast(self) -> None:
        """Delivery sees trouble coming."""
        self.take(FirstReplyForecast(reason="limits"))

    @precondition(lambda self: self.case.words_out)
    @rule(which=st.integers(0, 5), fate=st.sampled_from(["sending", "accepted", "failed", "unreachable"]))
    def platform(self, which: int, fate: str) -> None:
        """Words leave, arrive, or do not."""
        words = self.case.words_out[which % len(self.case.words_out)]
        if fate == "sending":
            self.sending.add(words.key)
        elif fate == "accepted":
            self.count += 1
            said = ExternalId(f"o{self.count}")
            event = WordsAccepted(key=words.key, id=said, accepted_at=self.now, author=words.author, act=words.act)
            self.take(event)
        elif fate == "failed":
            self.take(SendFailed(key=words.key, author=words.author, act=words.act, reason="403", text="…"))
        else:
            self.take(CustomerUnreachable(reason="blocked", key=words.key))

    @rule(minutes=st.sampled_from([1, 6, 45, 130, 3000, 9000]))
    def time_passes(self, minutes: int) -> None:
        """Timers fire as they come due."""
        until = self.now + timedelta(minutes=minutes)
        for _ in range(12):
            wake_at = self.case.wake_at
            if wake_at is None or wake_at > until:
                break
            self.now = max(self.now, wake_at)
            for fired in due_timers(self.case, self.now):
                if is_current(self.case, fired):
                    self.take(fired)
        self.now = until

    @rule(name=st.sampled_from(TimerName), promise=st.sampled_from([None, PromiseId("1.1")]))
    def stray_timer(self, name: TimerName, promise: PromiseId | None) -> None:
        """A timer of a state that has passed is void."""
        if self.case.timer(name, promise) is None:
            before = self.case.state
            self.take(TimerFired(name, self.now, promise))
            if name in (TimerName.PROMISE_SOON, TimerName.PROMISE_OVERDUE, TimerName.FIRST_REPLY_ALARM):
                assert self.case.state is before

    # ---------------------------------------------------------------- one step, and what must hold of it

    def take(self, event: Event) -> list[Move]:
        """Advance, as the engine and the store do it. Returns what goes to another conversation."""
        before = self.case
        result = advance(before, event, self.now, self.policy)
        after = result.conversation
        assert after.version == before.version + 1
        assert advance(before, event, self.now, self.policy) == result, "the same again must be the same"
        replayed = advance(
            load_conversation(dump_conversation(before)), load_event(*dump_event(event)), self.now, self.policy
        )
        assert replayed == result, "what is stored and replayed must be the same"
        self.check_words(before, event, after, result.effects)
        self.case = self.withdrawn(after, result.effects)
        return [effect for effect in result.effects if isinstance(effect, Move)]

    def withdrawn(self, case: Conversation, effects: tuple[Effect, ...]) -> Conversation:
        """What is being sent cannot be taken back; what waits can."""
        if not any(isinstance(effect, WithdrawWords) for effect in effects):
            return case
        new = f"{case.key}:{case.version}:"
        gone = {
            words.key
            for words in case.words_out
            if words.author is Author.BOT and words.key not in self.sending and not words.key.startswith(new)
        }
        return case.without_words(frozenset(gone))

    def check_words(self, before: Conversation, event: Event, after: Conversation, effects: tuple[Effect, ...]) -> None:
        """What the bot may say, and when."""
        said = [effect for effect in effects if isinstance(effect, Say)]
        own = [effect.act for effect in said if effect.author is Author.BOT]
        self.acts += own
        if before.state in OWNED and after.state in OWNED:
            assert set(own) <= {Act.OPT_OUT_CONFIRMED}, "I5: the bot says nothing of its own while the case is owned"
        if before.bot_muted or before.opted_out:
            assert own == []
        assert len(own) <= 1, "one message at a time"
        first_due = after.first_posted_at + timedelta(seconds=self.policy.window_s - self.policy.reserve_s)
        for effect in said:
            assert effect.in_reply_to is None or effect.in_reply_to in {turn.id for turn in after.story}
            if effect.first_reply and effect.not_before is not None and effect.act is Act.HAND_OVER:
                assert effect.not_before <= max(first_due, self.now), "never past the window"
        if isinstance(event, CustomerPosted) and event.reading.risk_level == "red" and before.state in UNOWNED:
            assert after.state is State.AWAITING_AGENT
        if after.state is State.CLOSED and before.state is not State.CLOSED and isinstance(event, CustomerPosted):
            assert event.reading.certain(CueName.SATISFIED) or event.reading.certain(CueName.OPTS_OUT)
        if after.state is State.FULFILLING and before.state is not State.FULFILLING:
            assert isinstance(event, AgentRecordedAgreement) or event.reading.certain(CueName.AGREES)  # type: ignore[union-attr]

    # ---------------------------------------------------------------- what must hold at any time

    @invariant()
    def nothing_is_stuck(self) -> None:
        """I9: an open conversation has a clock of its state, or waits for the platform's word."""
        if self.case.state is State.CLOSED:
            assert self.case.timers == ()
            assert self.case.outcome is not None
            assert self.case.closed_at is not None
            return
        assert self.case.outcome is None
        running = {timer.name for timer in self.case.timers}
        waiting = self.case.state in WAITING_FOR_THE_PLATFORM and self.case.words_out
        assert running & CLOCKS[self.case.state] or waiting, f"{self.case.state} has only {running}"

    @invariant()
    def each_timer_runs_once(self) -> None:
        """I8: at most one timer of a name, and of a promise."""
        names = [(timer.name, timer.promise) for timer in self.case.timers]
        assert len(names) == len(set(names))

    @invariant()
    def who_owns_it(self) -> None:
        """Nobody owns what waits for an agent."""
        if self.case.state in UNOWNED:
            assert self.case.owner is None

    @invariant()
    def said_at_most_so_often(self) -> None:
        """One holding word, one confirmed opt-out, one question a round, so many mirrors."""
        assert self.acts.count(Act.HOLDING) <= 1
        assert self.acts.count(Act.OPT_OUT_CONFIRMED) <= 1
        assert self.case.reflections <= max(1, self.policy.reflections_max)
        risk = [words for words in self.case.words_out if words.act in RISK_ACTS.values()]
        assert len(risk) <= 1

    @invariant()
    def only_the_customers_own_turns_are_counted(self) -> None:
        """Turns are never counted below what is kept of them."""
        assert self.case.turns_count >= len(self.case.story)
        assert self.case.outcome is not Outcome.WITHDRAWN or self.case.turns_count == 0 or self.case.closed_at


AnyOrder.TestCase.settings = settings(
    max_examples=int(os.environ.get("HEAROUT_EXAMPLES", "40")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAnyOrder = AnyOrder.TestCase


def test_the_invariants_can_fail():
    """A conversation without its clock is found."""
    machine = AnyOrder()
    machine.open(Policy(), reading(), 0, Surface.PUBLIC)
    machine.case = machine.case.evolve(timers=())
    with pytest.raises(AssertionError, match="LISTENING has only"):
        machine.nothing_is_stuck()
