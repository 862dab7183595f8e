"""An agent puts a case aside for a while."""

from datetime import timedelta

import pytest

from conversations.conversation import TimerName
from conversations.effects import Alarm
from conversations.events import AgentSnoozed, AgentTransferred
from conversations.protocol import OWNED, State
from tests.protocol.kit import BEN, NOOR, awaiting_case, case_in, claimed_case, fulfilling_case, reading

S = State


@pytest.mark.parametrize("state", [*OWNED, S.AWAITING_AGENT])
def test_a_snooze_ends_by_itself(state):
    case = case_in(state)
    case.take(AgentSnoozed(agent=NOOR, until=case.now + timedelta(hours=3)))
    assert not case.runs(TimerName.OWNER_SILENT)
    assert not case.runs(TimerName.UNCLAIMED)
    case.fire(TimerName.SNOOZE)
    assert case.state is state
    assert case.called() == [Alarm.SNOOZE_ENDED]
    assert case.it.snoozed_until is None
    assert case.runs(TimerName.UNCLAIMED if state is S.AWAITING_AGENT else TimerName.OWNER_SILENT)


@pytest.mark.parametrize("state", [*OWNED, S.AWAITING_AGENT])
def test_a_snooze_ends_at_the_customers_next_word(state):
    case = case_in(state)
    case.take(AgentSnoozed(agent=NOOR, until=case.now + timedelta(hours=30))).minutes(10).post(reading())
    assert case.it.snoozed_until is None
    assert not case.runs(TimerName.SNOOZE)
    assert case.runs(TimerName.UNCLAIMED if state is S.AWAITING_AGENT else TimerName.OWNER_SILENT)


def test_a_snooze_is_over_when_the_case_is():
    case = fulfilling_case().keep()
    case.take(AgentSnoozed(agent=NOOR, until=case.now + timedelta(hours=30)))
    assert case.resolve().it.snoozed_until is None


@pytest.mark.parametrize("case", [claimed_case, awaiting_case])
def test_a_snooze_ends_when_the_case_goes_to_somebody_else(case):
    snoozed = case().take(AgentSnoozed(agent=NOOR, until=case().now + timedelta(days=3)))
    assert snoozed.it.snoozed_until is not None
    for target in ({"to_agent": BEN}, {"to_queue": "support"}):
        moved = case().take(AgentSnoozed(agent=NOOR, until=case().now + timedelta(days=3)))
        moved.take(AgentTransferred(agent=NOOR, **target))
        assert moved.it.snoozed_until is None
        assert not moved.runs(TimerName.SNOOZE)
        assert moved.runs(TimerName.OWNER_SILENT) or moved.runs(TimerName.UNCLAIMED)


def test_a_plan_ends_the_snooze():
    case = claimed_case()
    case.take(AgentSnoozed(agent=NOOR, until=case.now + timedelta(days=3))).propose()
    assert case.it.snoozed_until is None
    assert not case.runs(TimerName.SNOOZE)
