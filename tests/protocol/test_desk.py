"""Colleagues, delivery, and the desk: by the words of protocol.md."""

from datetime import timedelta

import pytest

from conversations.comprehension.reading import CueName
from conversations.conversation import Author, CheckBackBy, Outcome, TimerName
from conversations.effects import Alarm, Audience, KeepLabel, MirrorTurn, SendWords, ShowCard, Urgency
from conversations.events import (
    AgentClaimed,
    AgentDismissed,
    AgentLabelled,
    AgentMutedBot,
    AgentReleased,
    AgentReplied,
    AgentSetReference,
    AgentSnoozed,
    AgentTransferred,
    BrandAnsweredElsewhere,
    CustomerUnreachable,
    SendFailed,
)
from conversations.ids import EffectKey, ExternalId
from conversations.policy import Policy, Queue
from conversations.protocol import ALL, DONE, OPEN, OWNED, UNOWNED, State
from conversations.wording.request import Act, Surface
from tests.protocol.kit import (
    BEN,
    NOOR,
    Case,
    acknowledged_case,
    awaiting_case,
    case_in,
    checking_case,
    claimed_case,
    listening_case,
    proposed_case,
    reading,
    resolved_case,
    told_case,
)

S = State


def elsewhere(case, agent=None):
    return case.take(
        BrandAnsweredElsewhere(
            id=ExternalId("b1"), answered_at=case.now, surface=Surface.PUBLIC, text="we are on it", agent=agent
        )
    )


# ---------------------------------------------------------------- delivery


@pytest.mark.parametrize("state", ALL)
def test_accepted_words_change_no_state_and_are_mirrored_once_on_the_desk(state):
    case = case_in(state)
    case.conversation = case.it.evolve(on_desk=True, words_out=())
    case.take(AgentReplied(agent=NOOR, text="hello")) if state in (*OWNED, *DONE) else case.take(
        SendFailed(key=EffectKey("k"), author=Author.BOT, act=Act.HOLDING, reason="x", text="y")
    ) if state is S.CLOSED else case.claim()
    before = case.state
    case.accept()
    assert case.state is before
    assert case.it.words_out == ()


@pytest.mark.parametrize("state", [S.LISTENING, S.REFLECTING])
def test_words_that_failed_while_listening_hand_over_and_the_alarm_stays(state):
    case = Case().post(reading(told=state is S.REFLECTING)).fire(TimerName.QUIET)
    assert case.state is state
    case.fail("403: where you are mentioned")
    assert case.state is S.AWAITING_AGENT
    call = case.call(Alarm.SEND_FAILED)
    assert call.facts["reason"] == "403: where you are mentioned"
    assert call.facts["text"] == "…"
    assert case.runs(TimerName.FIRST_REPLY_ALARM)
    assert not case.runs(TimerName.QUIET)
    assert not case.runs(TimerName.FIRST_REPLY)


@pytest.mark.parametrize("state", [S.AWAITING_AGENT, *OWNED, *DONE, S.CLOSED])
def test_other_words_that_failed_are_told_to_the_owner(state):
    case = case_in(state)
    case.take(SendFailed(key=EffectKey("k"), author=Author.BOT, act=Act.HOLDING, reason="gone", text="…"))
    assert case.state is state
    assert case.called() == [Alarm.SEND_FAILED]
    assert case.call(Alarm.SEND_FAILED).agent == (case.it.owner if case.it.owner else None)


def test_a_failed_plan_was_never_proposed_so_an_ok_is_no_agreement():
    case = claimed_case().propose().fail()
    assert case.state is S.WITH_AGENT
    assert case.called() == [Alarm.SEND_FAILED]
    case.post(reading(CueName.AGREES))
    assert case.state is S.WITH_AGENT
    assert case.it.promises == ()


def test_an_ok_before_the_plan_arrived_is_no_agreement():
    case = claimed_case().propose().minutes(1).post(reading(CueName.AGREES), text="ok")
    assert case.state is S.WITH_AGENT
    assert case.it.promises == ()


def test_a_check_back_that_failed_was_never_asked():
    case = resolved_case().fire(TimerName.CHECK_BACK).fail()
    assert case.state is S.RESOLVED
    assert Alarm.CHECK_BACK_BY_HAND in case.called()
    assert not case.runs(TimerName.SILENCE)
    assert case.runs(TimerName.CHECK_BACK)


def test_an_agents_words_that_failed_leave_the_customer_unanswered():
    case = claimed_case().take(AgentReplied(agent=NOOR, text="hello"))
    assert case.it.unanswered_since is None
    assert case.fail().it.unanswered_since is not None


@pytest.mark.parametrize("state", UNOWNED)
def test_a_colleague_who_answered_takes_the_case_from_the_bot(state):
    case = case_in(state)
    if state is S.LISTENING:
        case.fire(TimerName.QUIET)
    elsewhere(case)
    assert case.state is S.WITH_AGENT
    assert case.called() == [Alarm.ANSWERED_ELSEWHERE]
    assert case.call(Alarm.ANSWERED_ELSEWHERE).facts["text"] == "we are on it"
    assert MirrorTurn(ExternalId("b1")) in case.effects or state in (S.LISTENING, S.REFLECTING)
    assert case.it.replied_at is not None
    assert case.it.words_out == ()
    for name in (
        TimerName.QUIET,
        TimerName.FIRST_REPLY,
        TimerName.FIRST_REPLY_ALARM,
        TimerName.SILENCE,
        TimerName.UNCLAIMED,
    ):
        assert not case.runs(name)
    assert case.it.unanswered_since is None


def test_a_colleague_known_at_the_desk_owns_the_case_then():
    assert elsewhere(listening_case(), NOOR).it.owner == NOOR


@pytest.mark.parametrize("state", [*OWNED, *DONE])
def test_a_colleague_who_answered_in_an_owned_case_changes_no_state(state):
    case = elsewhere(case_in(state))
    assert case.state is state
    assert case.called() == [Alarm.ANSWERED_ELSEWHERE]
    assert case.it.unanswered_since is None


@pytest.mark.parametrize("state", UNOWNED)
def test_a_customer_who_cannot_be_reached_closes_what_nobody_owns(state):
    case = case_in(state).take(CustomerUnreachable(reason="blocked us"))
    assert (case.state, case.it.outcome) == (S.CLOSED, Outcome.UNREACHABLE)
    assert case.call(Alarm.UNREACHABLE).facts["reason"] == "blocked us"
    assert case.it.timers == ()


@pytest.mark.parametrize("state", [*OWNED, *DONE, S.CLOSED])
def test_a_customer_who_cannot_be_reached_is_told_to_the_owner(state):
    case = case_in(state).take(CustomerUnreachable(reason="blocked us"))
    assert case.state is state
    assert case.called() == [Alarm.UNREACHABLE]


# ---------------------------------------------------------------- claimed, labelled, dismissed


@pytest.mark.parametrize("state", UNOWNED)
def test_a_claim_takes_back_the_bots_words_and_shows_the_owner(state):
    case = case_in(state)
    if state is S.LISTENING:
        case.fire(TimerName.QUIET)
    case.claim()
    assert case.state is S.WITH_AGENT
    assert case.it.owner == NOOR
    assert case.of(ShowCard)
    assert case.it.words_out == ()
    assert not case.runs(TimerName.QUIET)
    assert not case.runs(TimerName.UNCLAIMED)
    assert case.it.unanswered_since is not None


@pytest.mark.parametrize("state", [*OWNED, *DONE, S.CLOSED])
def test_a_second_claim_is_told_who_was_faster(state):
    case = case_in(state).take(AgentClaimed(agent=BEN))
    assert case.state is state
    assert case.told() == (["closed"] if state is S.CLOSED else ["taken"])
    assert case.it.owner == NOOR
    if state is not S.CLOSED:
        assert case.claim(NOOR).told() == ["already_yours"]


@pytest.mark.parametrize("state", [S.AWAITING_AGREEMENT, S.FULFILLING, S.RESOLVED])
def test_a_released_case_may_be_claimed_in_its_state(state):
    case = case_in(state).take(AgentReleased(agent=NOOR)).claim(BEN)
    assert case.state is state
    assert case.it.owner == BEN


@pytest.mark.parametrize("state", [*UNOWNED, S.WITH_AGENT, S.AWAITING_AGREEMENT])
def test_no_complaint_says_an_agent_and_the_label_is_kept(state):
    case = case_in(state).take(AgentLabelled(agent=NOOR, complaint=False))
    assert (case.state, case.it.outcome) == (S.CLOSED, Outcome.DISMISSED)
    assert case.of(KeepLabel)
    assert case.it.label is False
    assert case.it.timers == ()


@pytest.mark.parametrize("state", [S.FULFILLING, *DONE, S.CLOSED])
def test_a_label_is_kept_where_it_can_close_nothing(state):
    case = case_in(state).take(AgentLabelled(agent=NOOR, complaint=False))
    assert case.state is state
    assert case.of(KeepLabel)


@pytest.mark.parametrize("state", ALL)
def test_a_complaint_says_an_agent_and_nothing_closes(state):
    assert case_in(state).take(AgentLabelled(agent=NOOR, complaint=True)).state is state


@pytest.mark.parametrize("state", [*UNOWNED, S.WITH_AGENT, S.AWAITING_AGREEMENT])
def test_dismissed_keeps_why_and_takes_the_words_back(state):
    case = case_in(state)
    if state is S.LISTENING:
        case.fire(TimerName.QUIET)
    case.take(AgentDismissed(agent=NOOR, why="a joke"))
    assert (case.state, case.it.outcome, case.it.done_text) == (S.CLOSED, Outcome.DISMISSED, "a joke")
    assert case.it.words_out == ()


@pytest.mark.parametrize("state", [S.FULFILLING, *DONE, S.CLOSED])
def test_what_was_promised_is_not_dismissed(state):
    case = case_in(state).take(AgentDismissed(agent=NOOR, why="enough"))
    assert case.state is state
    assert case.told() == ["not_now"]


# ---------------------------------------------------------------- waiting for an agent


def test_a_customer_who_waits_and_writes_is_mirrored():
    case = awaiting_case().minutes(2).post(reading())
    assert case.state is S.AWAITING_AGENT
    assert MirrorTurn(case.it.last_turn) in case.effects


def test_an_unclaimed_handoff_escalates_again_and_again_ever_less_often():
    case = awaiting_case().fire(TimerName.UNCLAIMED)
    assert case.call(Alarm.UNCLAIMED).audience is Audience.QUEUE
    gaps = []
    for _ in range(4):
        before = case.now
        case.accept().fire(TimerName.UNCLAIMED)
        gaps.append(case.now - before)
        assert case.call(Alarm.UNCLAIMED).audience is Audience.LEADS
    assert gaps == sorted(gaps)
    assert case.state is S.AWAITING_AGENT


def test_holding_is_said_once_and_not_right_after_other_words():
    case = awaiting_case()
    said = []
    for _ in range(5):
        said.append(case.fire(TimerName.UNCLAIMED).said())
        case.accept()
    assert said == [[], [Act.HOLDING], [], [], []]
    silent = acknowledged_case().fire(TimerName.SILENCE).fire(TimerName.UNCLAIMED)
    assert silent.said() == [Act.HOLDING]
    unsent = told_case().post(reading(CueName.CONFIRMS)).fire(TimerName.UNCLAIMED)
    unsent.now += timedelta(hours=9)
    assert unsent.fire(TimerName.UNCLAIMED).said() == [], "the handover has not left yet"


def test_holding_goes_only_where_it_may_be_said():
    x = Policy(channels={"x": Policy().traits("x").__class__(unprompted_public=False)})
    public = acknowledged_case(x, "x").fire(TimerName.SILENCE).fire(TimerName.UNCLAIMED)
    assert public.said() == []
    direct = (
        acknowledged_case(x, "x").dm().fire(TimerName.QUIET).accept().fire(TimerName.SILENCE).fire(TimerName.UNCLAIMED)
    )
    assert direct.said() == [Act.HOLDING]
    assert direct.saying(Act.HOLDING).surface is Surface.DIRECT


# ---------------------------------------------------------------- owned


@pytest.mark.parametrize("state", [S.WITH_AGENT, S.FULFILLING])
def test_a_customer_who_writes_to_an_owner_starts_the_answer_clock(state):
    case = case_in(state).take(AgentReplied(agent=NOOR, text="hello")).accept().minutes(9).post(reading())
    assert case.state is state
    assert case.call(Alarm.CUSTOMER_WROTE).agent == NOOR
    assert case.of(MirrorTurn)
    assert case.it.unanswered_since == case.now
    assert case.it.answer_due_at == case.now + timedelta(hours=4)
    assert case.said() == []


def test_further_turns_do_not_move_the_answer_clock():
    case = claimed_case().take(AgentReplied(agent=NOOR, text="hello")).accept().minutes(9).post(reading())
    since, due = case.it.unanswered_since, case.it.answer_due_at
    case.minutes(50).post(reading())
    assert (case.it.unanswered_since, case.it.answer_due_at) == (since, due)


@pytest.mark.parametrize("state", UNOWNED)
def test_an_agent_who_replies_owns_the_case(state):
    case = case_in(state)
    if state is S.LISTENING:
        case.fire(TimerName.QUIET)
    case.take(AgentReplied(agent=NOOR, text="I am on it"))
    assert case.state is S.WITH_AGENT
    assert case.it.owner == NOOR
    assert [words.author for words in case.it.words_out] == [Author.AGENT]
    assert case.it.unanswered_since is None


@pytest.mark.parametrize("state", [*OWNED, *DONE])
def test_an_agents_words_are_sent_as_they_are(state):
    case = case_in(state).take(
        AgentReplied(agent=NOOR, text="I am on it", surface=Surface.DIRECT, overridden=("blame",))
    )
    (words,) = case.of(SendWords)
    assert (words.text, words.surface, words.overridden) == ("I am on it", Surface.DIRECT, ("blame",))
    assert case.state is state


def test_a_queued_word_of_the_bot_is_withdrawn_when_the_agent_replies():
    case = resolved_case().fire(TimerName.CHECK_BACK).take(AgentReplied(agent=NOOR, text="hello"))
    assert case.withdrew()


def test_nothing_is_sent_from_a_closed_case():
    case = case_in(S.CLOSED).take(AgentReplied(agent=NOOR, text="hello"))
    assert case.told() == ["not_now"]
    assert not case.of(SendWords)


def test_transferred_to_a_person_or_a_queue():
    case = awaiting_case().take(AgentTransferred(agent=NOOR, to_agent=BEN, note="yours"))
    assert (case.state, case.it.owner) == (S.WITH_AGENT, BEN)
    for state in OWNED:
        case = case_in(state).take(AgentTransferred(agent=NOOR, to_agent=BEN))
        assert (case.state, case.it.owner) == (state, BEN)
        assert case.call(Alarm.TRANSFERRED).agent == BEN
    for state in (*OWNED, S.AWAITING_AGENT):
        case = case_in(state).take(AgentTransferred(agent=NOOR, to_queue="billing"))
        assert (case.state, case.it.owner, case.it.queue) == (state, None, "billing")
        assert case.call(Alarm.TRANSFERRED).audience is Audience.QUEUE
        assert case.it.timers


@pytest.mark.parametrize("state", [S.LISTENING, S.REFLECTING, *DONE, S.CLOSED])
def test_transfers_and_snoozes_where_they_mean_nothing(state):
    case = case_in(state)
    assert case.take(AgentTransferred(agent=NOOR, to_agent=BEN)).told() == ["not_now"]
    assert case.take(AgentSnoozed(agent=NOOR, until=case.now + timedelta(hours=1))).told() == ["not_now"]
    assert case.state is state


@pytest.mark.parametrize("state", [S.AWAITING_AGENT, *OWNED, *DONE, S.CLOSED])
def test_a_bot_muted_by_an_agent_changes_no_state_and_the_check_back_is_by_hand(state):
    case = case_in(state).take(AgentMutedBot(agent=NOOR))
    assert case.state is state
    assert case.it.bot_muted
    if state is S.RESOLVED:
        assert case.it.check_back.by is CheckBackBy.HAND


@pytest.mark.parametrize("state", OWNED)
def test_an_owner_who_is_silent_is_nudged_then_the_case_is_anybodys(state):
    case = case_in(state)
    plan, promises = case.it.plan, case.it.promises
    case.conversation = case.it.evolve(unanswered_since=case.now, nudged=False)
    case.fire(TimerName.OWNER_SILENT)
    assert case.called() == [Alarm.OWNER_SILENT]
    assert case.it.owner == NOOR
    case.fire(TimerName.OWNER_SILENT)
    assert case.called() == [Alarm.BACK_IN_QUEUE]
    assert (case.state, case.it.owner, case.it.last_owner) == (state, None, NOOR)
    assert (case.it.plan, case.it.promises) == (plan, promises)
    assert case.fire(TimerName.OWNER_SILENT).called() == [Alarm.BACK_IN_QUEUE]


@pytest.mark.parametrize("state", OWNED)
def test_an_owner_who_answered_is_only_reminded(state):
    case = case_in(state).take(AgentReplied(agent=NOOR, text="hello")).accept().fire(TimerName.OWNER_SILENT)
    assert case.called() == [Alarm.OWNER_SILENT]
    assert case.it.owner == NOOR
    assert case.runs(TimerName.OWNER_SILENT)


@pytest.mark.parametrize(
    ("state", "then"),
    [
        (S.WITH_AGENT, S.AWAITING_AGENT),
        (S.AWAITING_AGREEMENT, S.AWAITING_AGREEMENT),
        (S.FULFILLING, S.FULFILLING),
        (S.RESOLVED, S.RESOLVED),
    ],
)
def test_released_goes_to_the_queue_and_promises_stay(state, then):
    case = case_in(state)
    promises = case.it.promises
    case.take(AgentReleased(agent=NOOR, note="holiday"))
    assert (case.state, case.it.owner, case.it.promises) == (then, None, promises)
    assert case.call(Alarm.BACK_IN_QUEUE).facts["note"] == "holiday"


@pytest.mark.parametrize("state", [*UNOWNED, S.CHECKING_BACK, S.CLOSED])
def test_nothing_is_released_that_is_not_held(state):
    case = case_in(state).take(AgentReleased(agent=NOOR))
    assert (case.state, case.told()) == (state, ["not_now"])


@pytest.mark.parametrize("state", ALL)
def test_a_reference_is_noted_in_every_state(state):
    case = case_in(state).take(AgentSetReference(agent=NOOR, reference=" 4471-22 "))
    assert (case.state, case.it.reference) == (state, "4471-22")
    assert case.of(ShowCard)


@pytest.mark.parametrize("state", OPEN)
def test_the_bot_says_nothing_of_its_own_to_what_agents_do(state):
    for event in (
        AgentClaimed(agent=BEN),
        AgentReleased(agent=NOOR),
        AgentMutedBot(agent=NOOR),
        AgentTransferred(agent=NOOR, to_agent=BEN),
    ):
        assert case_in(state).take(event).said() == []


def test_agents_words_go_before_the_bots_but_after_the_first_reply_of_others():
    assert proposed_case().post(reading(CueName.AGREES)).saying(Act.CONFIRM_PLAN).urgency is Urgency.AGENT
    assert checking_case().post(reading(CueName.SATISFIED)).saying(Act.FAREWELL).urgency is Urgency.REST
    assert listening_case().fire(TimerName.QUIET).saying(Act.ACKNOWLEDGE).urgency is Urgency.FIRST_REPLY


def test_a_case_goes_to_the_first_queue_that_takes_it():
    queues = (Queue("billing", topics=("billing",)), Queue("rest"))
    assert awaiting_in(queues, "billing") == "billing"
    assert awaiting_in(queues, "delivery") == "rest"


def awaiting_in(queues, topic):
    case = Case(Policy(queues=queues)).post(reading(told=True, topic=topic)).fire(TimerName.QUIET)
    return case.it.queue
