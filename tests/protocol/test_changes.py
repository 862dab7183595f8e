"""Posts that are edited or deleted, by the words of protocol.md."""

from datetime import timedelta

import pytest

from conversations.comprehension.reading import CueName
from conversations.conversation import Outcome, TimerName
from conversations.effects import Alarm, DeleteCopy, MirrorTurn
from conversations.ids import ExternalId
from conversations.protocol import ALL, OPEN, OWNED, UNOWNED, State
from conversations.wording.request import Act
from tests.protocol.kit import (
    Case,
    acknowledged_case,
    awaiting_case,
    case_in,
    listening_case,
    reading,
    told_case,
)

S = State


def test_an_edit_is_read_again_and_what_was_queued_is_decided_again():
    case = Case().post(reading(told=True)).fire(TimerName.QUIET)
    assert case.said() == [Act.REFLECT]
    case.edit("p1", reading(wish="my money"))
    assert case.state is S.LISTENING
    assert case.withdrew()
    assert case.it.wish == "my money"
    assert case.fire(TimerName.QUIET).said() == [Act.ACKNOWLEDGE]


def test_an_edit_while_listening_restarts_the_quiet_time():
    case = listening_case().fire(TimerName.QUIET).edit("p1", reading(told=True))
    assert case.withdrew()
    assert case.fire(TimerName.QUIET).said() == [Act.REFLECT]


@pytest.mark.parametrize("state", ALL)
def test_an_edit_of_what_is_not_part_of_the_story_changes_nothing(state):
    case = case_in(state)
    words = case.it.words_out
    case.edit("unknown")
    assert (case.state, case.said(), case.it.words_out) == (state, [], words)


@pytest.mark.parametrize("state", [S.AWAITING_AGENT, *OWNED, S.RESOLVED, S.CHECKING_BACK, S.CLOSED])
def test_an_edit_at_the_desk_is_shown(state):
    case = case_in(state).edit("p1", reading(wish="my money"))
    assert case.state is state
    assert MirrorTurn(ExternalId("p1"), "edited") in case.effects


def test_an_edit_of_a_post_whose_handover_is_queued_words_it_again():
    case = listening_case().post(reading(CueName.ASKS_FOR_HUMAN)).edit("p2", reading(wish="a call"))
    assert case.state is S.AWAITING_AGENT
    assert case.withdrew()
    assert case.said() == [Act.HAND_OVER]
    assert case.saying(Act.HAND_OVER).facts["wish"] == "a call"
    assert awaiting_case().edit("p1").said() == []


@pytest.mark.parametrize("state", UNOWNED)
def test_danger_that_an_edit_adds_is_danger(state):
    case = case_in(state).edit("p1", reading(red="fire"))
    assert case.state is S.AWAITING_AGENT
    assert Alarm.RED_RISK in case.called()
    assert case.said() == [Act.RISK_FIRE]
    assert case.edit("p1", reading(red="fire")).called() == []


def test_danger_that_an_edit_adds_while_words_of_safety_are_on_their_way_says_them_once():
    case = Case().post(reading(red="fire"))
    assert any(words.act is Act.RISK_FIRE for words in case.it.words_out)
    case.edit("p1", reading(red="injury"))
    assert case.state is S.AWAITING_AGENT
    assert case.said() == []
    assert Alarm.RED_RISK in case.called()


@pytest.mark.parametrize("state", [*OWNED, S.RESOLVED, S.CHECKING_BACK])
def test_danger_that_an_edit_adds_calls_the_owner(state):
    case = case_in(state).edit("p1", reading(red="fire"))
    assert Alarm.RED_RISK in case.called()
    assert case.state is state


# ---------------------------------------------------------------- deleted


@pytest.mark.parametrize("state", UNOWNED)
def test_when_all_is_deleted_and_nobody_owns_it_the_case_is_withdrawn(state):
    case = case_in(state)
    if state is S.LISTENING:
        case.fire(TimerName.QUIET)
    for turn in case.it.story:
        case.delete(turn.id)
    assert (case.state, case.it.outcome) == (S.CLOSED, Outcome.WITHDRAWN)
    assert case.it.words_out == ()
    assert case.of(DeleteCopy)
    assert case.it.timers == ()


@pytest.mark.parametrize("state", OPEN)
def test_a_deleted_post_is_deleted_here_too_and_the_owner_is_told(state):
    case = case_in(state).post(reading())
    here = case.state
    case.delete("p1")
    assert case.state is here
    assert case.of(DeleteCopy) == [DeleteCopy(ExternalId("p1"))]
    assert case.called() == ([Alarm.POST_DELETED] if case.it.owner else [])


def test_in_a_closed_case_our_copy_goes_too():
    assert case_in(S.CLOSED).delete("p1").of(DeleteCopy)


def test_a_deletion_delivered_twice_counts_once():
    case = listening_case().post(reading()).delete("p1").delete("p1")
    assert case.state is S.LISTENING
    assert case.it.turns_count == 1


def test_words_answer_what_is_still_there():
    case = listening_case().minutes(1).post(reading()).fire(TimerName.QUIET).delete("p2")
    assert case.withdrew()
    assert case.it.last_turn == "p1"
    assert case.fire(TimerName.QUIET).saying(Act.ACKNOWLEDGE).in_reply_to == "p1"


def test_who_deletes_a_post_is_still_writing():
    case = listening_case().minutes(4).post(reading()).minutes(1).delete("p2")
    assert case.due(TimerName.QUIET) >= case.now + timedelta(minutes=2)


def test_a_mirror_of_what_is_deleted_is_taken_back_and_decided_again():
    case = Case().post(reading()).minutes(1).post(reading(told=True)).fire(TimerName.QUIET)
    assert case.said() == [Act.REFLECT]
    case.delete("p2")
    assert case.withdrew()
    assert case.state is S.LISTENING
    assert case.fire(TimerName.QUIET).said() == [Act.ACKNOWLEDGE]


def test_a_handover_that_answers_what_is_deleted_is_taken_back():
    case = listening_case().minutes(1).post(reading(CueName.ASKS_FOR_HUMAN)).delete("p2")
    assert case.state is S.AWAITING_AGENT
    assert case.withdrew()
    assert case.it.words_out == ()


def test_a_deletion_of_what_was_not_answered_yet_waits_in_silence_again():
    case = acknowledged_case().minutes(2).post(reading())
    case.delete(case.it.last_turn)
    assert case.state is S.LISTENING
    assert not case.runs(TimerName.QUIET)
    assert case.fire(TimerName.SILENCE).state is S.AWAITING_AGENT


def test_a_deletion_or_an_edit_of_what_was_answered_long_ago_asks_for_no_second_answer():
    assert told_case().delete("p1").state is S.CLOSED
    for change in ("edit", "delete"):
        case = acknowledged_case().minutes(2).post(reading()).fire(TimerName.QUIET).accept().post(reading(CueName.ADDS))
        case.fire(TimerName.QUIET).accept()
        assert case.state is S.REFLECTING
        case.edit("p1") if change == "edit" else case.delete("p1")
        assert (case.state, case.said()) == (S.REFLECTING, [])
        assert case.runs(TimerName.SILENCE)


def test_an_edit_of_an_acknowledged_post_still_ends_at_the_desk():
    case = acknowledged_case().edit("p1", reading(told=True))
    assert case.said() == []
    assert case.fire(TimerName.SILENCE).state is S.AWAITING_AGENT


def test_an_edit_that_takes_back_a_second_mirror_has_it_written_again():
    case = acknowledged_case().minutes(2).post(reading()).fire(TimerName.QUIET)
    assert case.said() == [Act.REFLECT]
    case.edit(case.it.last_turn)
    assert case.state is S.LISTENING
    assert case.fire(TimerName.QUIET).said() == [Act.REFLECT]
