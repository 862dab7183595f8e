"""Listening and reflecting, by the words of protocol.md."""

from dataclasses import replace
from datetime import timedelta

import pytest

from conversations.comprehension.reading import CueName, Decision, Topic
from conversations.conversation import TimerName
from conversations.effects import Alarm, MirrorTurn, ShowCard
from conversations.events import AgentLabelled, AgentMutedBot, FirstReplyForecast
from conversations.protocol import OPEN, State
from conversations.wording.request import Act, Situation
from tests.protocol.kit import (
    NOOR,
    POLICY,
    START,
    Case,
    acknowledged_case,
    case_in,
    listening_case,
    reading,
    told_case,
)

S = State


def test_each_post_of_the_burst_restarts_the_quiet_time_and_says_nothing():
    case = listening_case()
    first = case.due(TimerName.QUIET)
    case.minutes(2).post(reading())
    assert case.state is S.LISTENING
    assert case.due(TimerName.QUIET) > first
    assert case.said() == []


def test_a_queued_acknowledgement_is_taken_back_when_the_customer_goes_on():
    case = listening_case().fire(TimerName.QUIET)
    assert case.said() == [Act.ACKNOWLEDGE]
    case.post(reading())
    assert case.withdrew()
    assert case.it.words_out == ()
    assert case.fire(TimerName.QUIET).said() == [Act.ACKNOWLEDGE]


def test_quiet_and_nothing_told_acknowledges_and_listens_on():
    case = listening_case().fire(TimerName.QUIET)
    assert (case.state, case.said()) == (S.LISTENING, [Act.ACKNOWLEDGE])
    assert case.saying(Act.ACKNOWLEDGE).first_reply
    assert case.saying(Act.ACKNOWLEDGE).situations[0] is Situation.FIRST_REPLY


def test_quiet_and_a_story_reflects_and_shows_a_card():
    case = Case().post(reading(told=True)).fire(TimerName.QUIET)
    assert (case.state, case.said()) == (S.REFLECTING, [Act.REFLECT])
    assert case.it.on_desk
    assert case.of(MirrorTurn) == [MirrorTurn("p1")]
    assert case.of(ShowCard)


def test_quiet_and_a_story_with_a_wish_hands_over_in_one_message():
    case = Case().post(reading(told=True, wish="80 euros back")).fire(TimerName.QUIET)
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [Act.HAND_OVER])
    assert case.saying(Act.HAND_OVER).facts["wish"] == "80 euros back"
    assert case.runs(TimerName.UNCLAIMED)


@pytest.mark.parametrize(
    ("what", "state", "act"),
    [
        (reading(), S.LISTENING, Act.ACKNOWLEDGE),
        (reading(told=True), S.REFLECTING, Act.REFLECT),
        (reading(told=True, wish="my money"), S.AWAITING_AGENT, Act.HAND_OVER),
    ],
)
def test_the_window_demands_the_first_reply_even_in_the_middle_of_a_burst(what, state, act):
    case = Case().post(what)
    case.now = case.due(TimerName.FIRST_REPLY)
    case.post(what).fire(TimerName.FIRST_REPLY)
    assert case.now == START + timedelta(minutes=90)
    assert (case.state, case.said()) == (state, [act])


def test_unsure_is_received_neutrally_with_a_triage_card_at_once():
    case = listening_case(decision=Decision.UNSURE)
    assert case.it.on_desk
    assert case.of(ShowCard)
    assert case.fire(TimerName.QUIET).said() == [Act.RECEIVE]


def test_unsure_is_never_mirrored_as_a_complaint_before_somebody_says_so():
    case = Case().post(reading(told=True, wish="my money", decision=Decision.UNSURE))
    assert case.fire(TimerName.QUIET).said() == [Act.RECEIVE]


@pytest.mark.parametrize("how", ["label", "post"])
def test_unsure_becomes_a_complaint_by_a_label_or_by_what_follows(how):
    case = listening_case(decision=Decision.UNSURE)
    if how == "label":
        case.take(AgentLabelled(agent=NOOR, complaint=True))
    else:
        case.post(reading())
    assert case.fire(TimerName.QUIET).said() == [Act.ACKNOWLEDGE]


def test_a_second_reply_is_not_written_while_the_first_is_on_its_way():
    case = listening_case().fire(TimerName.QUIET).fire(TimerName.FIRST_REPLY)
    assert case.said() == []
    assert len(case.it.words_out) == 1


def test_replied_and_spoken_since_reflects_after_quiet():
    case = acknowledged_case().minutes(3).post(reading()).fire(TimerName.QUIET)
    assert (case.state, case.said()) == (S.REFLECTING, [Act.REFLECT])
    assert case.it.on_desk


def test_replied_and_nothing_since_goes_to_the_desk_in_silence():
    case = acknowledged_case().fire(TimerName.SILENCE)
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [])
    assert case.it.on_desk


def test_words_that_answer_an_older_post_do_not_end_the_listening():
    case = listening_case().fire(TimerName.QUIET).minutes(1)
    words = case.it.words_out
    case.post(reading())
    case.conversation = case.it.evolve(words_out=words)  # they were being sent: the store could not take them back
    case.accept()
    assert not case.runs(TimerName.SILENCE)
    assert case.fire(TimerName.QUIET).said() == [Act.REFLECT]


def test_a_muted_bot_hands_over_silently():
    case = listening_case()
    case.conversation = case.it.evolve(bot_muted=True)
    case.fire(TimerName.QUIET)
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [])


@pytest.mark.parametrize("what", [reading(CueName.CONFIRMS), reading(wish="a new one")])
def test_the_mirror_confirmed_or_a_wish_hands_over_by_name_and_time(what):
    case = told_case().minutes(1).post(what)
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [Act.HAND_OVER])
    say = case.saying(Act.HAND_OVER)
    assert say.facts["team"] == "support"
    assert say.facts["answer_by"] == case.now + timedelta(hours=4)
    assert say.not_before > case.now
    assert case.it.wish == what.wish


def test_nothing_is_confirmed_that_was_not_yet_said():
    case = Case().post(reading(told=True)).fire(TimerName.QUIET).post(reading(CueName.CONFIRMS))
    assert case.state is S.LISTENING
    assert case.withdrew()


@pytest.mark.parametrize(
    "what", [reading(CueName.ADDS), reading(likely=(CueName.DECLINES,)), reading(told=True), reading(topic="billing")]
)
def test_more_or_a_correction_puts_the_bot_back_to_listening(what):
    case = told_case().post(what)
    assert case.state is S.LISTENING
    assert case.runs(TimerName.QUIET)
    assert case.fire(TimerName.QUIET).said() == [Act.REFLECT]


def test_the_bot_mirrors_so_often_and_no_more():
    case = told_case().post(reading(CueName.ADDS)).fire(TimerName.QUIET).accept().post(reading(CueName.ADDS))
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [])


@pytest.mark.parametrize("how", ["word", "silence"])
def test_an_unclear_word_or_silence_after_the_mirror_goes_to_the_desk(how):
    case = told_case()
    case = case.post(reading()) if how == "word" else case.fire(TimerName.SILENCE)
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [])
    assert case.runs(TimerName.UNCLAIMED)


@pytest.mark.parametrize("state", [S.LISTENING, S.REFLECTING])
def test_a_muted_bot_leaves_at_once(state):
    case = case_in(state).take(AgentMutedBot(agent=NOOR))
    assert case.state is S.AWAITING_AGENT
    assert case.it.bot_muted


# ---------------------------------------------------------------- the first reply's clock


def test_first_reply_due_keeps_the_reserve_and_the_alarm_comes_before_it():
    case = listening_case()
    assert case.due(TimerName.FIRST_REPLY) == START + timedelta(hours=2, minutes=-30)
    assert case.due(TimerName.FIRST_REPLY_ALARM) == START + timedelta(hours=2, minutes=-45)


def test_the_clock_starts_when_the_customer_posted_not_when_it_was_seen():
    case = Case().post(reading(), late_minutes=40)
    assert case.due(TimerName.FIRST_REPLY) == START + timedelta(minutes=50)


def test_a_post_first_seen_after_its_window_alarms_and_is_answered_once():
    case = Case().post(reading(), late_minutes=180)
    assert case.due(TimerName.FIRST_REPLY_ALARM) < case.now
    case.fire(TimerName.FIRST_REPLY_ALARM)
    assert case.called() == [Alarm.FIRST_REPLY_ENDANGERED]
    case.fire(TimerName.FIRST_REPLY)
    assert case.said() == [Act.ACKNOWLEDGE]
    assert Situation.LATE in case.saying(Act.ACKNOWLEDGE).situations
    assert case.fire(TimerName.QUIET).said() == []
    assert case.accept().it.timer(TimerName.FIRST_REPLY) is None


def test_the_alarm_stays_until_somebody_replied_and_then_it_is_void():
    case = listening_case().claim()
    assert case.runs(TimerName.FIRST_REPLY_ALARM)
    assert not case.runs(TimerName.FIRST_REPLY)
    assert case.fire(TimerName.FIRST_REPLY_ALARM).called() == [Alarm.FIRST_REPLY_ENDANGERED]
    assert not acknowledged_case().runs(TimerName.FIRST_REPLY_ALARM)


@pytest.mark.parametrize("state", OPEN)
def test_a_forecast_alarms_only_while_nothing_was_replied(state):
    case = case_in(state)
    unanswered = case.it.replied_at is None
    case.take(FirstReplyForecast(reason="limits until 13:00"))
    assert case.state is state
    assert case.called() == ([Alarm.FIRST_REPLY_ENDANGERED] if unanswered else [])
    case.conversation = case.it.evolve(replied_at=None)
    assert case.take(FirstReplyForecast(reason="outage")).call(Alarm.FIRST_REPLY_ENDANGERED).facts["reason"] == "outage"


def test_replied_means_that_the_platform_accepted_it():
    case = listening_case().fire(TimerName.QUIET)
    assert case.it.replied_at is None
    assert not case.it.introduced
    case.minutes(1).accept()
    assert case.it.replied_at == case.now
    assert case.it.introduced


def test_a_failed_mirror_never_counts_as_said():
    case = Case().post(reading(told=True)).fire(TimerName.QUIET).fail()
    assert case.state is S.AWAITING_AGENT
    assert case.it.reflections == 0
    assert case.it.replied_at is None
    assert case.runs(TimerName.FIRST_REPLY_ALARM)


@pytest.mark.parametrize("policy", [replace(POLICY, held_topics=("outage",)), replace(POLICY, held_terms=("Crash",))])
def test_first_replies_of_an_incident_wait_for_a_human_and_the_alarm_runs_on(policy):
    case = Case(policy).post(reading(told=True, topic="outage", words="the crash killed two"))
    for n in range(4):
        case.fire(TimerName.QUIET)
        assert (case.state, case.said()) == (S.LISTENING, [])
        assert case.called() == ([] if n else [Alarm.FIRST_REPLY_HELD])
    case.fire(TimerName.FIRST_REPLY_ALARM)
    assert case.called() == [Alarm.FIRST_REPLY_ENDANGERED]
    assert case.fire(TimerName.FIRST_REPLY).said() == []
    case.policy = POLICY
    assert case.fire(TimerName.QUIET).said() == [Act.REFLECT]


@pytest.mark.parametrize("score", [0.9, 0.2])
def test_an_update_on_an_incident_is_said_only_where_the_topic_is_sure(score):
    policy = replace(POLICY, incident_updates={"outage": "The mast in Hill Street is down until 6 PM."})
    told = replace(reading(told=True), topics=(Topic("outage", score),))
    say = Case(policy).post(told).fire(TimerName.QUIET).saying(Act.REFLECT)
    sure = score > 0.5
    assert (Situation.INCIDENT in say.situations) is sure
    assert (say.facts["incident_update"] is not None) is sure
