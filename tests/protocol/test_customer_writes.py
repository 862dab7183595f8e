"""The rows that come first: danger, "stop", and a person wanted. By the words of protocol.md."""

from dataclasses import replace
from datetime import timedelta

import pytest

from conversations.comprehension.reading import CueName
from conversations.conversation import Outcome, TimerName
from conversations.deadlines import BusinessHours
from conversations.effects import Alarm, Audience, MuteCustomer, PostponeWords
from conversations.events import AgentClaimed, AgentMutedBot, AgentReleased, AgentReplied, AgentTransferred
from conversations.policy import Queue
from conversations.protocol import DONE, OWNED, UNOWNED, State
from conversations.wording.request import Act
from tests.protocol.kit import (
    BEN,
    NOOR,
    POLICY,
    Case,
    acknowledged_case,
    awaiting_case,
    case_in,
    checking_case,
    fulfilling_case,
    listening_case,
    proposed_case,
    reading,
    resolved_case,
    told_case,
)

S = State


@pytest.mark.parametrize("state", UNOWNED)
def test_danger_unowned_calls_everyone_now_and_says_safety_words_after_a_minute(state):
    case = case_in(state).post(reading(red="fire"))
    assert case.state is S.AWAITING_AGENT
    assert case.call(Alarm.RED_RISK).audience is Audience.EVERYONE
    assert case.said() == [Act.RISK_FIRE]
    assert case.saying(Act.RISK_FIRE).not_before == case.now + timedelta(seconds=60)
    assert case.it.handed_off_at == case.now


def test_danger_of_a_kind_without_words_of_its_own_is_answered_as_safety():
    assert listening_case().post(reading(red="poison")).said() == [Act.RISK_SAFETY]


@pytest.mark.parametrize("state", UNOWNED)
def test_danger_again_while_its_words_are_on_their_way_calls_again_and_says_nothing_twice(state):
    case = case_in(state).post(reading(red="fire")).post(reading(red="fire"))
    assert case.state is S.AWAITING_AGENT
    assert case.said() == []
    assert not case.withdrew()
    assert Alarm.RED_RISK in case.called()


def test_danger_takes_back_what_was_queued():
    case = listening_case().fire(TimerName.QUIET).post(reading(red="injury"))
    assert case.withdrew()
    assert case.said() == [Act.RISK_INJURY]


def test_words_to_somebody_in_danger_are_said_once():
    case = listening_case(red="fire").accept().post(reading(red="fire"))
    assert case.said() == []
    assert Alarm.RED_RISK in case.called()


def test_words_to_somebody_in_danger_do_not_wait_for_the_end_of_a_burst():
    case = listening_case(red="fire").minutes(0.5).post(reading())
    assert case.of(PostponeWords) == []
    assert not case.withdrew()


def test_words_to_somebody_in_danger_that_failed_may_be_said_again():
    assert listening_case(red="fire").fail().post(reading(red="fire")).said() == [Act.RISK_FIRE]


def test_a_muted_bot_says_nothing_even_then_but_everybody_is_called():
    case = listening_case().take(AgentMutedBot(agent=NOOR)).post(reading(red="fire"))
    assert case.said() == []
    assert Alarm.RED_RISK in case.called()


def test_amber_while_listening_shows_a_claimable_card_and_listening_goes_on():
    case = listening_case().minutes(2).post(reading(amber="legal"))
    assert case.state is S.LISTENING
    assert case.called() == [Alarm.AMBER_RISK]
    assert case.it.on_desk
    assert case.runs(TimerName.QUIET)
    assert not case.said()


def test_amber_while_reflecting_leaves_the_question_standing():
    case = told_case().post(reading(amber="legal"))
    assert case.state is S.REFLECTING
    assert case.called() == [Alarm.AMBER_RISK]
    assert case.runs(TimerName.SILENCE)


def test_amber_that_was_known_is_a_post_as_any_other():
    case = listening_case(amber="legal").minutes(1).post(reading(amber="legal"))
    assert case.called() == []
    assert case.state is S.LISTENING


def test_amber_does_not_hide_a_wish_or_a_wanted_person():
    case = told_case().post(reading(amber="legal", wish="money back"))
    assert case.state is S.AWAITING_AGENT
    assert listening_case().post(reading(CueName.ASKS_FOR_HUMAN, amber="legal")).state is S.AWAITING_AGENT


@pytest.mark.parametrize("state", [*OWNED, S.RESOLVED])
@pytest.mark.parametrize("risk", ["red", "amber"])
def test_a_risk_in_a_case_with_an_owner_calls_owner_and_desk_and_changes_nothing_else(state, risk):
    case = case_in(state).post(reading(**{risk: "fire"}))
    assert case.state is state
    alarm = Alarm.RED_RISK if risk == "red" else Alarm.AMBER_RISK
    audiences = [effect.audience for effect in case.effects if getattr(effect, "alarm", None) is alarm]
    assert audiences == [Audience.OWNER, Audience.EVERYONE if risk == "red" else Audience.QUEUE]
    assert case.said() == []
    assert case.it.unanswered_since is not None


def test_a_risk_at_the_check_back_brings_the_owner_back():
    case = checking_case().post(reading(red="injury"))
    assert case.state is S.WITH_AGENT
    assert Alarm.RED_RISK in case.called()
    assert case.said() == []
    assert not case.runs(TimerName.SILENCE)
    assert case.it.answers[-1].satisfied is None


def test_after_danger_the_bot_does_not_check_back():
    case = fulfilling_case().post(reading(red="injury")).keep().resolve().accept().fire(TimerName.CHECK_BACK)
    assert case.state is S.RESOLVED
    assert case.call(Alarm.CHECK_BACK_BY_HAND).facts["why"] == "danger"
    assert case.said() == []
    later = resolved_case().post(reading(red="injury")).fire(TimerName.CHECK_BACK)
    assert later.call(Alarm.CHECK_BACK_BY_HAND).facts["why"] == "danger"


# ---------------------------------------------------------------- stop


@pytest.mark.parametrize("state", [S.LISTENING, S.REFLECTING, S.AWAITING_AGENT])
def test_stop_with_nothing_promised_closes_confirms_once_and_mutes_for_good(state):
    case = (acknowledged_case() if state is S.LISTENING else case_in(state)).post(reading(CueName.OPTS_OUT))
    assert case.state is S.CLOSED
    assert case.it.outcome is Outcome.OPTED_OUT
    assert case.said() == [Act.OPT_OUT_CONFIRMED]
    assert case.of(MuteCustomer)
    assert case.it.opted_out
    assert case.it.timers == ()


@pytest.mark.parametrize("state", UNOWNED)
@pytest.mark.parametrize(
    "what", [reading(CueName.OPTS_OUT, CueName.ASKS_FOR_HUMAN), reading(CueName.OPTS_OUT, wish="a refund")]
)
def test_stop_with_a_wish_or_for_a_person_is_muted_and_goes_to_a_human(state, what):
    case = (acknowledged_case() if state is S.LISTENING else case_in(state)).post(what)
    assert case.state is S.AWAITING_AGENT
    assert case.said() == [Act.OPT_OUT_CONFIRMED]
    assert case.it.opted_out
    assert case.runs(TimerName.UNCLAIMED)


def test_stop_that_is_not_certain_closes_nothing():
    case = acknowledged_case().post(reading(likely=(CueName.OPTS_OUT,)))
    assert case.state is S.LISTENING
    assert not case.of(MuteCustomer)


def test_stop_before_the_bot_has_written_is_part_of_the_story():
    case = listening_case().minutes(1).post(reading(CueName.OPTS_OUT))
    assert case.state is S.LISTENING
    assert not case.it.opted_out


@pytest.mark.parametrize("state", OWNED)
def test_stop_in_a_case_with_an_owner_keeps_its_state_and_its_promises(state):
    case = case_in(state)
    promised = case.it.promises
    case.post(reading(CueName.OPTS_OUT))
    assert case.state is state
    assert case.it.promises == promised
    assert case.said() == [Act.OPT_OUT_CONFIRMED]
    assert Alarm.OPTED_OUT in case.called()
    assert case.of(MuteCustomer)


def test_stop_again_is_confirmed_once():
    case = fulfilling_case().post(reading(CueName.OPTS_OUT)).accept().post(reading(CueName.OPTS_OUT))
    assert case.said() == []
    assert case.runs(TimerName.PROMISE_OVERDUE)


@pytest.mark.parametrize("state", [S.AWAITING_AGENT, *OWNED])
def test_stop_again_before_it_was_confirmed_does_not_take_the_confirmation_back(state):
    case = case_in(state).post(reading(CueName.OPTS_OUT, wish="my money"))
    assert case.said() == [Act.OPT_OUT_CONFIRMED]
    case.minutes(1).post(reading(CueName.OPTS_OUT))
    assert [words.until > case.now for words in case.of(PostponeWords)] == [True]
    assert [words.act for words in case.it.words_out] == [Act.OPT_OUT_CONFIRMED]
    assert not case.withdrew()


@pytest.mark.parametrize("state", DONE)
def test_stop_when_it_is_done_is_for_a_human_to_decide(state):
    case = case_in(state).post(reading(CueName.OPTS_OUT))
    assert case.state is S.AWAITING_AGENT
    assert case.said() == [Act.OPT_OUT_CONFIRMED]
    assert not case.runs(TimerName.CHECK_BACK)
    assert not case.runs(TimerName.SILENCE)
    assert case.it.check_back is None


def test_stop_with_a_promise_in_the_queue_waits_for_a_human():
    case = proposed_case().post(reading(CueName.AGREES)).accept().propose().accept().post(reading())
    case.take(AgentReleased(agent=NOOR))
    assert case.state is S.AWAITING_AGENT
    assert case.it.promises_open
    case.post(reading(CueName.OPTS_OUT))
    assert case.state is S.AWAITING_AGENT
    assert case.said() == [Act.OPT_OUT_CONFIRMED]
    assert case.runs(TimerName.PROMISE_OVERDUE)


def test_what_an_agent_triggers_goes_out_for_a_muted_customer_too():
    case = fulfilling_case().post(reading(CueName.OPTS_OUT)).accept().keep().resolve()
    assert case.said() == [Act.CONFIRM_RESOLUTION]
    assert case.it.check_back.by == "hand"


# ---------------------------------------------------------------- a person is wanted


@pytest.mark.parametrize("state", [S.LISTENING, S.REFLECTING])
def test_a_wanted_person_is_handed_over_to_after_the_burst(state):
    case = case_in(state).minutes(1).post(reading(CueName.ASKS_FOR_HUMAN))
    assert case.state is S.AWAITING_AGENT
    assert case.said() == [Act.HAND_OVER]
    assert case.saying(Act.HAND_OVER).not_before > case.now
    assert case.it.handed_off_at == case.now
    assert case.runs(TimerName.UNCLAIMED)


def test_a_wanted_person_that_is_not_certain_is_part_of_the_story():
    assert listening_case().post(reading(likely=(CueName.ASKS_FOR_HUMAN,))).state is S.LISTENING


def test_waiting_customers_who_write_on_hold_up_the_words_but_not_past_the_window():
    case = listening_case().post(reading(CueName.ASKS_FOR_HUMAN)).minutes(1).post(reading())
    assert case.state is S.AWAITING_AGENT
    (postponed,) = case.of(PostponeWords)
    assert postponed.until > case.now
    assert postponed.latest_at == case.it.first_posted_at + timedelta(minutes=90)
    assert awaiting_case().post(reading()).of(PostponeWords) == []


# ---------------------------------------------------------------- danger knows no hours, and no silence


@pytest.mark.parametrize("take", [AgentClaimed(agent=NOOR), AgentTransferred(agent=BEN, to_agent=NOOR)])
def test_words_to_somebody_in_danger_leave_though_the_case_was_taken(take):
    case = listening_case(red="fire").take(take)
    assert not case.withdrew()
    assert (case.state, case.it.owner) == (S.WITH_AGENT, NOOR)
    assert [words.act for words in case.it.words_out] == [Act.RISK_FIRE]
    replied = case.take(AgentReplied(agent=NOOR, text="call 112 now"))
    assert replied.withdrew(), "the owner's own words take their place"


def test_somebody_in_danger_does_not_wait_for_monday():
    night = replace(POLICY, queues=(Queue("support", hours=BusinessHours("UTC", ((),) * 7)),))
    case = Case(night).post(reading(red="fire")).accept()
    assert case.due(TimerName.UNCLAIMED) == case.now + timedelta(seconds=POLICY.unclaimed_s)
    case.fire(TimerName.UNCLAIMED)
    assert case.call(Alarm.UNCLAIMED).audience is Audience.EVERYONE
    assert case.due(TimerName.UNCLAIMED) - case.now <= timedelta(hours=1)
    case.claim().post(reading())
    assert case.due(TimerName.OWNER_SILENT) == case.now + timedelta(seconds=POLICY.owner_silent_s)


@pytest.mark.parametrize("first", [reading(red="fire"), reading(CueName.ASKS_FOR_HUMAN)])
def test_stop_from_somebody_in_danger_or_waiting_for_a_person_closes_nothing(first):
    case = Case().post(first).accept().post(reading(CueName.OPTS_OUT))
    assert case.state is S.AWAITING_AGENT
    assert case.it.opted_out
    assert Alarm.OPTED_OUT in case.called()


def test_somebody_in_danger_is_not_told_by_the_bot_that_we_go_on_with_the_parcel():
    """Seed 723 of the simulation: the words left in the middle of the burst."""
    case = resolved_case().post(reading(CueName.UNSATISFIED))
    assert [words.act for words in case.it.words_out] == [Act.REOPEN]
    case.post(reading(red="fire"))
    assert case.withdrew()
    assert (case.state, case.said(), case.called()) == (S.WITH_AGENT, [], [Alarm.RED_RISK, Alarm.RED_RISK])
    assert case.it.unanswered_since is not None


@pytest.mark.parametrize("on_duty", [True, False])
def test_who_turns_out_happy_before_our_words_leave_is_not_told_that_we_go_on(on_duty):
    case = resolved_case()
    if not on_duty:
        case.policy = replace(POLICY, queues=(Queue("support", hours=BusinessHours("UTC", ((),) * 7)),))
    case.post(reading(CueName.UNSATISFIED)).post(reading(CueName.SATISFIED))
    assert case.withdrew()
    assert not case.it.words_out
    assert case.called() == [Alarm.CUSTOMER_WROTE]
    assert case.state is (S.WITH_AGENT if on_duty else S.AWAITING_AGENT)
