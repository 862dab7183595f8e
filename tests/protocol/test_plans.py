"""The plan, the agreement, the promises, the check-back, and what is closed: by the words of protocol.md."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conversations.comprehension.reading import CueName
from conversations.conversation import CheckBackBy, Outcome, TimerName
from conversations.deadlines import BusinessHours
from conversations.effects import Alarm, Audience, PostponeWords
from conversations.events import (
    AgentDismissed,
    AgentMutedBot,
    AgentRecordedAgreement,
    AgentReleased,
    AgentReopened,
    AgentReplied,
)
from conversations.policy import ChannelTraits, Policy, Queue
from conversations.protocol import ALL, DONE, OPEN, OWNED, UNOWNED, State
from conversations.wording.request import Act, Surface
from tests.protocol.kit import (
    BEN,
    NOOR,
    POLICY,
    acknowledged_case,
    awaiting_case,
    case_in,
    checking_case,
    claimed_case,
    fulfilling_case,
    listening_case,
    proposed_case,
    reading,
    resolved_case,
    satisfied_case,
    told_case,
)

S = State
NEVER_OPEN = replace(POLICY, queues=(Queue(hours=BusinessHours(week=((),) * 7)),))
UNCLEAR = reading()
NOT_QUITE = reading(likely=(CueName.SATISFIED,))
IRONIC = reading(CueName.IRONY, likely=(CueName.AGREES, CueName.SATISFIED, CueName.ONLY_THANKS))


# ---------------------------------------------------------------- plan and agreement


@pytest.mark.parametrize("state", OWNED)
def test_a_plan_is_sent_with_its_steps_and_replaces_an_earlier_one(state):
    case = case_in(state)
    number = case.it.plan.number if case.it.plan else 0
    case.propose(case.step(24), remedy="voucher")
    assert case.state is S.AWAITING_AGREEMENT
    assert case.saying(Act.PROPOSE_PLAN).author == "agent"
    assert case.saying(Act.PROPOSE_PLAN).facts["remedy"] == "voucher"
    assert case.it.plan.number == number + 1
    assert case.it.unanswered_since is None


@pytest.mark.parametrize("state", [*UNOWNED, *DONE, S.CLOSED])
def test_no_plan_without_an_owner(state):
    case = case_in(state).propose()
    assert (case.state, case.told(), case.said()) == (state, ["not_now"], [])


def test_a_certain_yes_is_recorded_word_for_word_and_confirmed_in_writing():
    case = proposed_case().minutes(3).post(reading(CueName.AGREES), text="ok that works")
    assert case.state is S.FULFILLING
    assert (case.it.plan.agreed_words, case.it.plan.agreed_where) == ("ok that works", "public")
    assert case.said() == [Act.CONFIRM_PLAN]
    assert case.saying(Act.CONFIRM_PLAN).facts["steps"] == case.it.plan.steps
    assert case.runs(TimerName.PROMISE_SOON)
    assert case.runs(TimerName.PROMISE_OVERDUE)
    assert not case.runs(TimerName.SILENCE)


@pytest.mark.parametrize(
    "what",
    [
        reading(CueName.DECLINES),
        IRONIC,
        UNCLEAR,
        reading(likely=(CueName.AGREES,)),
        reading(CueName.AGREES, likely=(CueName.DECLINES,)),
    ],
)
def test_declined_ironic_or_unclear_is_a_humans_to_judge(what):
    case = proposed_case().minutes(3).post(what)
    assert case.state is S.WITH_AGENT
    assert case.called() == [Alarm.PLAN_NOT_AGREED]
    assert case.said() == []
    assert case.it.promises == ()
    assert case.it.unanswered_since == case.now


@pytest.mark.parametrize("state", [S.WITH_AGENT, S.AWAITING_AGREEMENT])
def test_an_agreement_made_elsewhere_is_recorded_with_where_and_what(state):
    case = proposed_case()
    if state is S.WITH_AGENT:
        case.post(UNCLEAR)
    case.take(AgentRecordedAgreement(agent=NOOR, where="telephone", words="fine by me"))
    assert case.state is S.FULFILLING
    assert (case.it.plan.agreed_words, case.it.plan.agreed_where) == ("fine by me", "telephone")
    assert case.said() == [Act.CONFIRM_PLAN]
    assert case.it.promises_open


@pytest.mark.parametrize("state", ALL)
def test_there_is_no_agreement_without_a_plan(state):
    case = case_in(state)
    if state is S.AWAITING_AGREEMENT:
        case.conversation = case.it.evolve(plan=None)
    case.take(AgentRecordedAgreement(agent=NOOR, where="telephone", words="fine"))
    assert (case.state, case.told()) == (state, ["not_now"])


def test_no_answer_to_a_plan_asks_the_owner_again_and_again():
    case = proposed_case()
    for _ in range(2):
        case.fire(TimerName.SILENCE)
        assert case.state is S.AWAITING_AGREEMENT
        assert case.called() == [Alarm.NO_AGREEMENT]
        assert case.said() == []
    assert case.runs(TimerName.SILENCE)


def test_a_snubbed_plan_leaves_the_old_promises_running():
    case = fulfilling_case().propose(case_step := fulfilling_case().step(90)).accept()
    assert case_step
    assert case.runs(TimerName.PROMISE_OVERDUE)
    assert case.fire(TimerName.PROMISE_OVERDUE).called() == [Alarm.PROMISE_OVERDUE]
    case.post(reading(CueName.AGREES))
    assert [promise.id for promise in case.it.promises] == ["2.1"]


# ---------------------------------------------------------------- promises


def test_a_promise_reminds_before_alarms_after_drafts_an_update_and_repeats():
    case = fulfilling_case()
    due = case.it.promises[0].due_at
    case.fire(TimerName.PROMISE_SOON)
    assert case.now == due - timedelta(hours=2)
    assert case.called() == [Alarm.PROMISE_DUE_SOON]
    case.fire(TimerName.PROMISE_OVERDUE)
    assert case.now == due
    assert case.call(Alarm.PROMISE_OVERDUE).draft is Act.PROMISE_UPDATE
    case.fire(TimerName.PROMISE_OVERDUE)
    assert case.now == due + timedelta(days=1)
    assert case.called() == [Alarm.PROMISE_OVERDUE]
    assert case.said() == []


@pytest.mark.parametrize("state", [S.AWAITING_AGENT, S.WITH_AGENT, S.AWAITING_AGREEMENT, S.FULFILLING])
def test_a_kept_promise_ends_its_clocks(state):
    case = fulfilling_case()
    if state is not S.FULFILLING:
        case.propose().accept()
    if state in (S.WITH_AGENT, S.AWAITING_AGENT):
        case.post(UNCLEAR)
    if state is S.AWAITING_AGENT:
        case.take(AgentReleased(agent=NOOR))
    assert case.state is state
    case.keep()
    assert case.state is state
    assert case.it.promises[0].kept_at == case.now
    assert not case.runs(TimerName.PROMISE_OVERDUE)
    assert case.keep().told() == ["not_now"]


@pytest.mark.parametrize("state", ALL)
def test_an_unknown_promise_cannot_be_kept(state):
    assert case_in(state).keep("9.9").told() == ["not_now"]


# ---------------------------------------------------------------- resolved


@pytest.mark.parametrize("state", [S.WITH_AGENT, S.AWAITING_AGREEMENT, S.FULFILLING])
def test_resolved_is_confirmed_in_writing_and_a_check_back_scheduled(state):
    case = case_in(state)
    if state is S.FULFILLING:
        case.keep()
    case.resolve()
    assert case.state is S.RESOLVED
    assert case.said() == [Act.CONFIRM_RESOLUTION]
    assert case.it.resolved_at == case.now
    assert {timer.name for timer in case.it.timers} == {TimerName.CHECK_BACK}
    assert case.it.check_back.round == 1


def test_resolved_without_a_word_that_arrived_still_alarms_before_the_window_ends():
    """Seeds 1088 and 1339 of the simulation: what confirms the resolution was to be the first reply, and failed."""
    case = listening_case().claim().resolve()
    assert {timer.name for timer in case.it.timers} == {TimerName.CHECK_BACK, TimerName.FIRST_REPLY_ALARM}
    assert case.fail().called() == [Alarm.SEND_FAILED]
    assert case.fire(TimerName.FIRST_REPLY_ALARM).called() == [Alarm.FIRST_REPLY_ENDANGERED]
    assert case.now < case.it.first_posted_at + timedelta(seconds=POLICY.window_s)
    assert not listening_case().claim().resolve().accept().runs(TimerName.FIRST_REPLY_ALARM)


def test_an_open_promise_is_not_resolved_unless_the_agent_says_so():
    assert fulfilling_case().resolve().told() == ["not_now"]
    assert fulfilling_case().resolve(anyway=True).state is S.RESOLVED


@pytest.mark.parametrize("state", [*UNOWNED, *DONE, S.CLOSED])
def test_nothing_is_resolved_that_nobody_owns(state):
    case = case_in(state).resolve()
    assert (case.state, case.told()) == (state, ["not_now"])


def test_the_check_back_is_due_after_the_delay_or_a_day_after_the_last_promise_in_the_daytime():
    case = claimed_case()
    case.resolve()
    assert case.due(TimerName.CHECK_BACK) == case.now + timedelta(days=3)
    late = claimed_case().propose(claimed_case().step(24 * 9)).accept().post(reading(CueName.AGREES)).keep().resolve()
    assert late.due(TimerName.CHECK_BACK) == late.it.promises[0].due_at + timedelta(days=1)
    night = claimed_case()
    night.now = datetime(2026, 11, 17, 23, 30, tzinfo=ZoneInfo("UTC"))
    assert night.resolve().due(TimerName.CHECK_BACK) == datetime(2026, 11, 21, 9, 30, tzinfo=ZoneInfo("UTC"))


def test_thanks_never_erases_the_check_back():
    for what in (reading(CueName.ONLY_THANKS), reading(CueName.SATISFIED)):
        case = resolved_case().post(what)
        assert (case.state, case.said()) == (S.RESOLVED, [])
        assert case.runs(TimerName.CHECK_BACK)


@pytest.mark.parametrize("what", [UNCLEAR, IRONIC, reading(CueName.UNSATISFIED)])
def test_thanks_for_nothing_reopens(what):
    case = resolved_case().post(what)
    assert (case.state, case.it.owner) == (S.WITH_AGENT, NOOR)
    assert case.said() == [Act.REOPEN]
    assert case.saying(Act.REOPEN).not_before > case.now
    assert not case.runs(TimerName.CHECK_BACK)
    assert case.it.check_back is None
    assert case.it.unanswered_since == case.now


@pytest.mark.parametrize("make", [resolved_case, checking_case, satisfied_case])
def test_an_owner_off_duty_is_not_waited_for(make):
    case = make()
    case.policy = NEVER_OPEN
    case.post(UNCLEAR)
    assert (case.state, case.it.owner, case.it.last_owner) == (S.AWAITING_AGENT, None, NOOR)
    assert case.said() == [Act.REOPEN]
    assert case.runs(TimerName.UNCLAIMED)


def test_hours_are_those_of_the_queue_with_holidays():
    berlin = BusinessHours("Europe/Berlin", ((*BusinessHours().week[0],),) * 7, frozenset([date(2026, 11, 20)]))
    case = resolved_case()
    case.policy = replace(POLICY, queues=(Queue(hours=berlin),))
    case.now = datetime(2026, 11, 19, 23, 30, tzinfo=ZoneInfo("UTC"))  # in Berlin the holiday has begun
    assert case.post(UNCLEAR).state is S.AWAITING_AGENT


# ---------------------------------------------------------------- checking back


def test_the_check_back_is_asked_when_due():
    case = resolved_case().fire(TimerName.CHECK_BACK)
    assert (case.state, case.said()) == (S.CHECKING_BACK, [Act.CHECK_BACK])
    assert case.it.check_back.asked_at == case.now
    assert case.runs(TimerName.SILENCE)


def test_the_check_back_is_by_hand_where_the_bot_may_not_write_and_says_why():
    muted = resolved_case().take(AgentMutedBot(agent=NOOR)).fire(TimerName.CHECK_BACK)
    assert (muted.state, muted.call(Alarm.CHECK_BACK_BY_HAND).facts["why"]) == (S.RESOLVED, "bot_muted")
    chosen = resolved_case(CheckBackBy.HAND).fire(TimerName.CHECK_BACK)
    assert chosen.call(Alarm.CHECK_BACK_BY_HAND).facts["why"] == "chosen"
    public = acknowledged_case(Policy(channels={"x": ChannelTraits(unprompted_public=False)}), "x").claim()
    public.resolve().accept().fire(TimerName.CHECK_BACK)
    assert public.call(Alarm.CHECK_BACK_BY_HAND).facts["why"] == "no_direct_messages"
    assert public.call(Alarm.CHECK_BACK_BY_HAND).draft is Act.CHECK_BACK
    for case in (muted, chosen, public):
        assert case.said() == []
        assert case.runs(TimerName.CHECK_BACK)


def test_the_check_back_on_x_goes_into_direct_messages_that_the_customer_opened():
    case = acknowledged_case(Policy(channels={"x": ChannelTraits(unprompted_public=False)}), "x").dm().claim()
    case.resolve().accept().fire(TimerName.CHECK_BACK)
    assert case.saying(Act.CHECK_BACK).surface is Surface.DIRECT


def test_nobody_checks_back_where_nobody_was_chosen():
    case = resolved_case(CheckBackBy.NOBODY).fire(TimerName.CHECK_BACK)
    assert (case.state, case.it.outcome, case.said()) == (S.CLOSED, Outcome.UNANSWERED, [])


@pytest.mark.parametrize("state", DONE)
@pytest.mark.parametrize(
    ("satisfied", "then", "outcome"),
    [(True, S.CLOSED, Outcome.SATISFIED), (None, S.CLOSED, Outcome.UNANSWERED), (False, S.WITH_AGENT, None)],
)
def test_an_answer_recorded_by_hand(state, satisfied, then, outcome):
    case = case_in(state).answer(satisfied)
    assert (case.state, case.it.outcome) == (then, outcome)
    assert case.it.answers[-1].satisfied is satisfied
    assert case.it.answers[-1].round == 1
    assert not case.runs(TimerName.CHECK_BACK)
    assert not case.runs(TimerName.SILENCE)


@pytest.mark.parametrize("state", [*UNOWNED, *OWNED, S.CLOSED])
def test_there_is_no_answer_to_what_was_not_asked(state):
    assert case_in(state).answer(True).told() == ["not_now"]


@pytest.mark.parametrize(
    "what",
    [
        UNCLEAR,
        NOT_QUITE,
        IRONIC,
        reading(CueName.NEEDS_MORE),
        reading(CueName.ONLY_THANKS),
        reading(CueName.SATISFIED, likely=(CueName.QUESTION,)),
    ],
)
def test_anything_but_a_certain_yes_reopens_with_the_same_owner(what):
    case = checking_case().minutes(5).post(what)
    assert (case.state, case.it.owner) == (S.WITH_AGENT, NOOR)
    assert case.said() == [Act.REOPEN]
    assert case.it.rounds == 1
    assert case.it.priority >= 1
    assert case.called()[-1] is Alarm.NOT_HAPPY
    assert not case.runs(TimerName.SILENCE)
    assert case.it.unanswered_since == case.now


def test_from_the_second_round_another_owner_is_offered_and_after_the_last_a_lead_takes_over():
    case = checking_case()
    for n in (1, 2):
        case.post(reading(CueName.UNSATISFIED)).accept()
        assert case.call(Alarm.NOT_HAPPY).facts["offer_another_owner"] is (n == 2)
        case.resolve().accept().fire(TimerName.CHECK_BACK).accept()
    case.post(reading(CueName.UNSATISFIED))
    assert (case.state, case.it.owner) == (S.AWAITING_AGENT, None)
    assert case.call(Alarm.LEAD_NEEDED).audience is Audience.LEADS
    assert case.said() == []
    assert [answer.round for answer in case.it.answers] == [1, 2, 3]


def used_up():
    case = checking_case(check_back_rounds_max=1).post(reading(CueName.UNSATISFIED))
    assert case.state is S.AWAITING_AGENT
    return case


@pytest.mark.parametrize("claimed", [False, True])
@pytest.mark.parametrize(
    ("satisfied", "outcome"), [(True, Outcome.SATISFIED), (False, Outcome.UNSATISFIED), (None, Outcome.UNSATISFIED)]
)
def test_whatever_the_lead_records_closes(claimed, satisfied, outcome):
    case = used_up().claim(BEN) if claimed else used_up()
    case.answer(satisfied, BEN)
    assert (case.state, case.it.outcome) == (S.CLOSED, outcome)


def test_there_is_no_questionnaire_after_the_last_round():
    case = used_up().claim(BEN).resolve().accept()
    assert case.it.check_back.by is CheckBackBy.HAND
    assert case.fire(TimerName.CHECK_BACK).said() == []
    assert case.answer(False, BEN).it.outcome is Outcome.UNSATISFIED


def test_a_certain_yes_closes_with_a_farewell_and_the_answer_on_record():
    case = checking_case().minutes(5).post(reading(CueName.SATISFIED), text="she loved it")
    assert (case.state, case.it.outcome, case.said()) == (S.CLOSED, Outcome.SATISFIED, [Act.FAREWELL])
    assert (case.it.answers[-1].words, case.it.answers[-1].satisfied) == ("she loved it", True)
    assert case.it.timers == ()


def test_no_answer_closes_silently():
    case = checking_case().fire(TimerName.SILENCE)
    assert (case.state, case.it.outcome, case.said()) == (S.CLOSED, Outcome.UNANSWERED, [])
    assert case.it.answers[-1].satisfied is None


@pytest.mark.parametrize("what", [UNCLEAR, reading(CueName.SATISFIED), reading(red="fire")])
def test_a_check_back_that_has_not_left_is_dropped_when_the_customer_writes(what):
    case = resolved_case().fire(TimerName.CHECK_BACK).post(what)
    assert case.withdrew()
    assert Act.CHECK_BACK not in [words.act for words in case.it.words_out]


# ---------------------------------------------------------------- reopened and closed


@pytest.mark.parametrize("state", [*DONE, S.CLOSED])
def test_an_agent_takes_it_up_again(state):
    case = case_in(state).take(AgentReopened(agent=BEN))
    assert (case.state, case.it.owner, case.it.outcome) == (S.WITH_AGENT, BEN, None)
    assert case.it.check_back is None
    assert [timer.name for timer in case.it.timers] == [TimerName.OWNER_SILENT]


@pytest.mark.parametrize("state", [*UNOWNED, *OWNED])
def test_nothing_is_reopened_that_is_open(state):
    case = case_in(state).take(AgentReopened(agent=BEN))
    assert (case.state, case.told()) == (state, ["not_now"])


def test_thanks_after_the_end_do_nothing():
    case = satisfied_case().post(reading(CueName.ONLY_THANKS))
    assert (case.state, case.said(), case.called()) == (S.CLOSED, [], [])


def test_a_customer_who_comes_back_gets_the_owner_who_is_on_duty():
    case = satisfied_case().minutes(600).post(UNCLEAR)
    assert (case.state, case.it.owner, case.said()) == (S.WITH_AGENT, NOOR, [Act.REOPEN])
    assert case.called() == [Alarm.REOPENED]
    assert (case.it.outcome, case.it.closed_at) == (None, None)
    assert case.it.unanswered_since == case.now


def test_what_was_dismissed_goes_to_a_human_silently():
    case = told_case().take(AgentDismissed(agent=NOOR, why="a joke")).post(UNCLEAR)
    assert (case.state, case.said()) == (S.AWAITING_AGENT, [])
    assert case.runs(TimerName.UNCLAIMED)


def test_who_opted_out_is_a_notice_at_the_desk_only():
    case = acknowledged_case().post(reading(CueName.OPTS_OUT)).accept().post(UNCLEAR)
    assert (case.state, case.said(), case.called()) == (S.CLOSED, [], [Alarm.OPTED_OUT])


def test_the_confirmation_of_an_opt_out_waits_while_the_customer_writes_on():
    case = acknowledged_case().post(reading(CueName.OPTS_OUT))
    (postponed,) = case.minutes(1).post(UNCLEAR).of(PostponeWords)
    assert postponed.until > case.now
    assert case.accept().post(UNCLEAR).of(PostponeWords) == []


def test_danger_is_danger_after_the_end_too():
    for case in (satisfied_case(), told_case().take(AgentDismissed(agent=NOOR, why="a joke"))):
        case.post(reading(red="fire"))
        assert (case.state, case.said()) == (S.AWAITING_AGENT, [Act.RISK_FIRE])
        assert Alarm.RED_RISK in case.called()


def test_stop_after_the_end_is_confirmed_once_and_reopens_nothing():
    case = satisfied_case().post(reading(CueName.OPTS_OUT))
    assert (case.state, case.said(), case.it.outcome) == (S.CLOSED, [Act.OPT_OUT_CONFIRMED], Outcome.SATISFIED)
    assert case.it.opted_out
    assert case.accept().post(reading(CueName.OPTS_OUT)).said() == []


def test_check_backs_wait_while_an_incident_lasts():
    case = resolved_case()
    case.policy = replace(POLICY, check_backs_paused=True)
    for _ in range(3):
        case.fire(TimerName.CHECK_BACK)
        assert (case.state, case.said(), case.called()) == (S.RESOLVED, [], [])
    case.policy = POLICY
    assert case.fire(TimerName.CHECK_BACK).said() == [Act.CHECK_BACK]


def test_the_customer_who_was_answered_needs_no_nudge():
    case = awaiting_case().take(AgentReplied(agent=NOOR, text="hello"))
    assert case.it.answer_due_at is None


@pytest.mark.parametrize("state", OPEN)
def test_open_states_have_a_clock(state):
    assert case_in(state).it.timers


def test_the_customer_says_yes_to_a_plan_that_holds_the_remedy():
    case = claimed_case()
    case.propose(case.step(24, "Send the missing part"), remedy="a full refund")
    assert [step.text for step in case.saying(Act.PROPOSE_PLAN).facts["steps"]] == ["Send the missing part", "a full refund"]
    assert len(case.it.plan.steps) == 1, "only what has a date is a promise"
    case.propose(case.step(24, "Pay a full refund"), remedy="a full refund")
    assert [step.text for step in case.saying(Act.PROPOSE_PLAN).facts["steps"]] == ["Pay a full refund"]
