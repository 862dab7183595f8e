"""What several rows share, row by row: words taken back, clocks, owners, calls. Found by taking each effect out of each row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from conversations.comprehension.reading import CueName
from conversations.conversation import Author, CheckBackBy, TimerName, WordsOut
from conversations.effects import Alarm, DeleteCopy, MirrorTurn, MuteCustomer, PostponeWords
from conversations.events import (
    AgentClaimed,
    AgentDismissed,
    AgentLabelled,
    AgentMutedBot,
    AgentRecordedAnswer,
    AgentReleased,
    AgentReopened,
    AgentReplied,
    AgentResolved,
    AgentTransferred,
    CustomerUnreachable,
    Event,
    TimerFired,
)
from conversations.ids import EffectKey, ExternalId, PromiseId
from conversations.protocol import DONE, OWNED, UNOWNED, State
from conversations.wording.request import Act
from tests.protocol.kit import (
    BEN,
    NOOR,
    Case,
    acknowledged_case,
    awaiting_case,
    case_in,
    checking_case,
    claimed_case,
    fulfilling_case,
    listening_case,
    reading,
    resolved_case,
    told_case,
)

S, T = State, TimerName
Do = Callable[[Case], Case]


def act(event: Event) -> Do:
    """An event, as something done to a case."""
    return lambda case: case.take(event)


def post(*certain: CueName, **what: object) -> Do:
    """A post of the customer, as something done to a case."""
    return lambda case: case.post(reading(*certain, **what))  # type: ignore[arg-type]


def queued(case: Case) -> Case:
    """With words of the bot in the outbox that have not left."""
    words = WordsOut(EffectKey("queued"), Act.HOLDING, Author.BOT, answers=ExternalId("p1"))
    case.conversation = case.it.evolve(words_out=(*case.it.words_out, words), introduced=True)
    return case


TAKE_BACK: list[tuple[tuple[State, ...], Do]] = [
    (UNOWNED, post(red="fire")),
    (UNOWNED, act(AgentClaimed(agent=NOOR))),
    (UNOWNED, act(AgentDismissed(agent=NOOR, why="no"))),
    ((*UNOWNED, S.WITH_AGENT), act(AgentLabelled(agent=NOOR, complaint=False))),
    ((S.WITH_AGENT,), act(AgentDismissed(agent=NOOR, why="no"))),
    ((*UNOWNED, *OWNED, *DONE, S.CLOSED), post(CueName.OPTS_OUT)),
    ((S.LISTENING, S.REFLECTING), post(CueName.ASKS_FOR_HUMAN)),
    ((S.LISTENING,), post()),
    ((S.LISTENING,), post(amber="legal")),
    ((S.REFLECTING,), post(wish="my money")),
    ((S.REFLECTING,), post(CueName.ADDS)),
    ((S.REFLECTING,), post()),
    ((*UNOWNED, *OWNED, *DONE), act(AgentReplied(agent=NOOR, text="hello"))),
    ((S.AWAITING_AGENT,), act(AgentTransferred(agent=NOOR, to_agent=BEN))),
    ((*UNOWNED, *OWNED, *DONE), act(AgentMutedBot(agent=NOOR))),
    (OWNED, lambda case: case.propose()),
    (OWNED, act(AgentResolved(agent=NOOR, done_text="done", anyway=True))),
    ((S.RESOLVED, S.CHECKING_BACK), post()),
    ((S.CHECKING_BACK,), post(CueName.SATISFIED)),
    ((S.CLOSED,), post()),
    ((S.CLOSED,), post(red="fire")),
    (DONE, act(AgentRecordedAnswer(agent=NOOR, satisfied=True))),
    (DONE, act(AgentRecordedAnswer(agent=NOOR, satisfied=False))),
    (DONE, act(AgentRecordedAnswer(agent=NOOR, satisfied=None))),
    ((*DONE, S.CLOSED), act(AgentReopened(agent=BEN))),
    ((*UNOWNED, *OWNED, *DONE, S.CLOSED), act(CustomerUnreachable(reason="gone"))),
    (UNOWNED, lambda case: case.edit("p1", reading(red="fire"))),
    ((S.AWAITING_AGENT, *OWNED, S.RESOLVED), lambda case: case.post(reading()).delete("p1")),
]


@pytest.mark.parametrize(("states", "do"), TAKE_BACK)
def test_what_has_not_left_is_taken_back(states, do):
    for state in states:
        words = do(queued(case_in(state))).it.words_out
        assert EffectKey("queued") not in [item.key for item in words], state


def test_after_the_last_round_whatever_was_queued_is_taken_back_and_the_lead_decides():
    case = queued(checking_case(check_back_rounds_max=1)).post(reading(CueName.UNSATISFIED))
    assert case.it.words_out == ()
    assert (case.it.owner, case.it.check_back) == (None, None)
    assert not case.runs(T.SILENCE)
    assert case.runs(T.UNCLAIMED)
    assert Alarm.BACK_IN_QUEUE in case.called()
    case.answer(False, BEN)
    assert [answer.satisfied for answer in case.it.answers] == [False, False]
    happy = checking_case(check_back_rounds_max=1).post(reading(CueName.UNSATISFIED)).answer(True, BEN)
    assert [answer.satisfied for answer in happy.it.answers] == [False, True]


def test_a_lead_who_checks_back_by_hand_is_recorded():
    case = checking_case(check_back_rounds_max=1).post(reading(CueName.UNSATISFIED)).claim(BEN).resolve()
    words = queued(case).answer(False, BEN).it.words_out
    assert EffectKey("queued") not in [item.key for item in words]
    assert case.it.answers[-1].words == "on the telephone"


HAND_OFF: list[tuple[State, Do]] = [
    (S.LISTENING, lambda case: case.post(reading(red="fire")).post(reading(red="fire"))),
    (S.LISTENING, act(AgentMutedBot(agent=NOOR))),
    (S.REFLECTING, act(AgentMutedBot(agent=NOOR))),
    (S.WITH_AGENT, act(AgentReleased(agent=NOOR))),
    (S.RESOLVED, post(CueName.OPTS_OUT)),
    (S.CLOSED, post(red="fire")),
    (S.LISTENING, lambda case: case.edit("p1", reading(red="fire"))),
]


@pytest.mark.parametrize(("state", "do"), HAND_OFF)
def test_a_case_that_is_handed_off_has_the_queues_clock_and_no_other(state, do):
    case = do(case_in(state))
    assert case.state is S.AWAITING_AGENT
    assert {timer.name for timer in case.it.timers} - {T.FIRST_REPLY_ALARM} == {T.UNCLAIMED}
    assert case.it.handed_off_at == case.now
    assert case.it.owner is None
    assert case.it.on_desk
    assert case.it.answer_due_at == case.now + timedelta(hours=4)


def test_danger_seen_while_its_words_wait_is_handed_off_from_where_it_stands():
    case = listening_case(red="fire")
    case.conversation = case.it.evolve(state=S.LISTENING, timers=())
    assert case.post(reading(red="fire")).runs(T.UNCLAIMED)


def test_a_muted_bot_hands_off_with_the_queues_clock():
    case = listening_case()
    case.conversation = case.it.evolve(bot_muted=True)
    assert case.fire(T.QUIET).runs(T.UNCLAIMED)


@pytest.mark.parametrize("state", [*UNOWNED, *DONE, S.CLOSED])
def test_whoever_takes_a_case_owns_it_and_the_clocks_of_the_bot_stop(state):
    takes: list[Do] = [act(AgentReopened(agent=BEN))] if state is S.CLOSED or state in DONE else []
    takes += [act(AgentReplied(agent=BEN, text="hello")), act(AgentClaimed(agent=BEN))] if state in UNOWNED else []
    takes += [act(AgentRecordedAnswer(agent=BEN, satisfied=False))] if state in DONE else []
    takes += [act(AgentTransferred(agent=NOOR, to_agent=BEN))] if state is S.AWAITING_AGENT else []
    for take in takes:
        case = take(case_in(state))
        assert (case.state, case.it.owner, case.it.last_owner) == (S.WITH_AGENT, BEN, BEN)
        assert {timer.name for timer in case.it.timers} <= {T.OWNER_SILENT, T.FIRST_REPLY_ALARM}
        assert case.runs(T.OWNER_SILENT)


@pytest.mark.parametrize(
    "do",
    [
        lambda: resolved_case().post(reading(red="fire")),
        lambda: claimed_case().take(AgentReplied(agent=NOOR, text="hi")).post(reading(amber="legal")),
        lambda: claimed_case().take(AgentReplied(agent=NOOR, text="hi")).post(reading(CueName.OPTS_OUT)),
        lambda: awaiting_case().take(AgentTransferred(agent=NOOR, to_agent=BEN)),
        lambda: resolved_case().answer(False),
        lambda: checking_case().post(reading()),
        lambda: checking_case().post(reading(red="fire")),
    ],
)
def test_a_turn_that_waits_for_a_human_has_a_due_time(do):
    case = do()
    assert case.it.unanswered_since is not None
    assert case.it.answer_due_at is not None
    assert case.runs(T.OWNER_SILENT)


def test_a_reopened_case_is_no_longer_closed_or_resolved():
    for case in (
        case_in(S.CLOSED).post(reading(red="fire")),
        case_in(S.CLOSED).post(reading()),
        told_case().take(AgentDismissed(agent=NOOR, why="a joke")).post(reading()),
        case_in(S.CLOSED).take(AgentReopened(agent=BEN)),
    ):
        assert (case.it.outcome, case.it.closed_at, case.it.resolved_at) == (None, None, None)


def off_duty(case: Case) -> Case:
    """Nobody works now."""
    from tests.protocol.test_plans import NEVER_OPEN

    case.policy = NEVER_OPEN
    return case


def test_coming_back_out_of_hours_is_called_and_drops_the_check_back():
    case = off_duty(resolved_case()).post(reading())
    assert case.called() == [Alarm.REOPENED]
    assert case.it.check_back is None
    assert EffectKey("queued") not in [
        words.key for words in queued(off_duty(resolved_case())).post(reading()).it.words_out
    ]
    again = off_duty(case_in(S.CLOSED)).post(reading())
    assert (again.called(), again.it.outcome) == ([Alarm.REOPENED], None)
    assert resolved_case().post(reading()).called() == [Alarm.REOPENED]


def test_unhappy_out_of_hours_counts_the_round_and_keeps_the_answer():
    case = queued(off_duty(checking_case())).post(reading(CueName.UNSATISFIED))
    assert [words.act for words in case.it.words_out] == [Act.REOPEN]
    assert (case.it.rounds, case.it.answers[-1].satisfied, case.it.check_back) == (1, False, None)
    assert Alarm.NOT_HAPPY in case.called()
    assert resolved_case().answer(False).it.rounds == 1


def test_stop_is_told_to_the_desk_and_mutes_in_every_state():
    for state in (*UNOWNED, *OWNED, *DONE, S.CLOSED):
        case = queued(case_in(state)).post(reading(CueName.OPTS_OUT))
        assert Alarm.OPTED_OUT in case.called(), state
        assert case.of(MuteCustomer), state


def test_danger_makes_a_check_back_by_the_bot_one_by_hand():
    assert resolved_case().post(reading(red="fire")).it.check_back.by is CheckBackBy.HAND
    assert resolved_case().edit("p1", reading(red="fire")).it.check_back.by is CheckBackBy.HAND


WAITS: list[tuple[tuple[State, ...], Do]] = [
    ((S.AWAITING_AGENT, *OWNED), post()),
    ((S.AWAITING_AGREEMENT,), post(CueName.AGREES)),
    ((S.CLOSED,), post(CueName.ONLY_THANKS)),
    (OWNED, post(red="fire")),
    (OWNED, post(amber="legal")),
]


@pytest.mark.parametrize(("states", "do"), WAITS)
def test_waiting_words_of_the_bot_wait_for_the_end_of_the_burst(states, do):
    for state in states:
        case = do(queued(case_in(state)))
        assert [words.until > case.now for words in case.of(PostponeWords)] == [True], state
        assert EffectKey("queued") in [item.key for item in case.it.words_out], state


def test_every_edit_and_deletion_is_shown_at_the_desk():
    for state in (S.REFLECTING, S.AWAITING_AGENT, *OWNED, *DONE):
        for what in (reading(), reading(red="fire")):
            assert MirrorTurn(ExternalId("p1"), "edited") in case_in(state).edit("p1", what).effects, (state, what)
        deleted = queued(case_in(state).post(reading())).delete("p1")
        assert deleted.of(DeleteCopy), state
    mirrored = Case().post(reading(told=True)).fire(T.QUIET)
    assert MirrorTurn(ExternalId("p1"), "edited") in mirrored.edit("p1").effects
    again = Case().post(reading()).post(reading(told=True)).fire(T.QUIET).delete("p2")
    assert again.of(DeleteCopy)
    seen = listening_case(amber="legal").edit("p1", reading(told=True))
    assert MirrorTurn(ExternalId("p1"), "edited") in seen.effects
    asked = listening_case().post(reading(CueName.ASKS_FOR_HUMAN)).edit("p2")
    assert MirrorTurn(ExternalId("p2"), "edited") in asked.effects


def test_an_edit_of_a_stranger_to_the_story_takes_nothing_back():
    for case in (
        listening_case().fire(T.QUIET),
        Case().post(reading(told=True)).fire(T.QUIET),
        listening_case().post(reading(CueName.ASKS_FOR_HUMAN)),
    ):
        state = case.state
        assert not case.edit("unknown").withdrew()
        assert case.state is state


def test_words_that_answer_another_post_stay_when_one_is_deleted():
    case = awaiting_case().post(reading())
    words = WordsOut(EffectKey("k"), Act.HOLDING, Author.BOT, answers=case.it.last_turn)
    case.conversation = case.it.evolve(words_out=(words,))
    assert not case.delete("p1").withdrew()


def test_timers_that_have_become_pointless_do_nothing():
    case = acknowledged_case()
    case.take(TimerFired(T.QUIET, case.now))
    assert (case.state, case.said()) == (S.LISTENING, [])
    case.take(TimerFired(T.FIRST_REPLY, case.now))
    assert (case.state, case.said()) == (S.LISTENING, [])
    spoke = acknowledged_case().minutes(1).post(reading())
    spoke.take(TimerFired(T.SILENCE, spoke.now))
    assert spoke.state is S.LISTENING
    kept = fulfilling_case().keep()
    for name in (T.PROMISE_SOON, T.PROMISE_OVERDUE):
        assert kept.take(TimerFired(name, kept.now, PromiseId("1.1"))).called() == []


def test_first_reply_due_says_nothing_in_an_answered_story():
    for what in (reading(), reading(told=True), reading(told=True, wish="my money")):
        case = acknowledged_case().minutes(1).post(what)
        case.take(TimerFired(T.FIRST_REPLY, case.now))
        assert (case.state, case.said()) == (S.LISTENING, [])


def test_an_answered_story_of_an_incident_is_not_held():
    case = acknowledged_case().minutes(1).post(reading(topic="outage"))
    case.policy = case.policy.__class__(held_topics=("outage",))
    assert case.fire(T.QUIET).said() == [Act.REFLECT]


def test_check_backs_by_hand_are_not_paused():
    case = resolved_case(CheckBackBy.HAND)
    case.policy = case.policy.__class__(check_backs_paused=True)
    assert case.fire(T.CHECK_BACK).called() == [Alarm.CHECK_BACK_BY_HAND]


def test_an_owner_who_answered_and_was_never_nudged_is_not_said_to_be_silent_about_a_turn():
    case = claimed_case().take(AgentReplied(agent=NOOR, text="hi")).accept().fire(T.OWNER_SILENT)
    assert case.call(Alarm.OWNER_SILENT).facts == {"follow_up": True}
    assert not case.it.nudged


def test_the_reason_of_a_check_back_that_failed_is_told():
    case = resolved_case().fire(T.CHECK_BACK).fail()
    assert case.called() == [Alarm.SEND_FAILED, Alarm.CHECK_BACK_BY_HAND]
