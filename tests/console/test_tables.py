"""What the page says of the protocol, held against the protocol's own table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.console import words
from bot.console.cast import REPLIES
from bot.console.coming import spell
from bot.console.diagram import ARROWS, BOXES, HEIGHT, WIDTH
from bot.desk.calls import RISKS, WORDS
from bot.desk.card import ACTS, WAITING, CaseAct, Heat
from conversations.comprehension.reading import CueName
from conversations.conversation import Outcome, TimerName
from conversations.effects import Alarm
from conversations.protocol import TABLE, State, Trigger
from conversations.wording.request import Act

TRIGGERS = {
    CaseAct.CLAIM: Trigger.AGENT_CLAIMED,
    CaseAct.REPLY: Trigger.AGENT_REPLIED,
    CaseAct.PROPOSE_PLAN: Trigger.AGENT_PROPOSED_PLAN,
    CaseAct.RECORD_AGREEMENT: Trigger.AGENT_RECORDED_AGREEMENT,
    CaseAct.KEEP_PROMISE: Trigger.PROMISE_KEPT,
    CaseAct.RESOLVE: Trigger.AGENT_RESOLVED,
    CaseAct.RECORD_ANSWER: Trigger.AGENT_RECORDED_ANSWER,
    CaseAct.TRANSFER: Trigger.AGENT_TRANSFERRED,
    CaseAct.SNOOZE: Trigger.AGENT_SNOOZED,
    CaseAct.RELEASE: Trigger.AGENT_RELEASED,
    CaseAct.DISMISS: Trigger.AGENT_DISMISSED,
    CaseAct.LABEL: Trigger.AGENT_LABELLED,
    CaseAct.MUTE_BOT: Trigger.AGENT_MUTED_BOT,
    CaseAct.REOPEN: Trigger.AGENT_REOPENED,
    CaseAct.SET_REFERENCE: Trigger.AGENT_SET_REFERENCE,
    CaseAct.ANSWERED_BY_HAND: Trigger.BRAND_ANSWERED_ELSEWHERE,
    CaseAct.SPLIT: Trigger.AGENT_SPLIT,
    CaseAct.MERGE: Trigger.AGENT_MERGED,
}


def test_every_state_has_one_box_and_every_arrow_is_in_the_table() -> None:
    assert [box.state for box in BOXES] == list(State)
    for arrow in ARROWS:
        assert any(arrow.source in row.sources and row.dest is arrow.dest for row in TABLE), arrow
    assert all(0 <= box.x < WIDTH and 0 <= box.y < HEIGHT for box in BOXES)


@pytest.mark.parametrize("state", State)
def test_an_act_that_is_offered_does_something(state: State) -> None:
    for act in ACTS[state]:
        rows = [row for row in TABLE if state in row.sources and TRIGGERS[act] in row.triggers]
        assert any(not effect.startswith("tell_") for row in rows for effect in row.effects), (state, act)


def test_everything_has_words() -> None:
    assert set(words.STATES) == set(words.MEANINGS) == set(WAITING) == set(ACTS) == set(State)
    assert set(words.OUTCOMES) == set(Outcome)
    assert set(words.TIMERS) == set(TimerName)
    assert set(words.TRIGGERS) == set(Trigger)
    assert set(words.CUES) == set(CueName)
    assert set(words.ACTS) == set(CaseAct)
    assert set(words.HEATS) == set(Heat)
    assert set(WORDS) == set(Alarm)
    assert set(REPLIES) == {state.value for state in State}
    for act in Act:
        assert words.said(act.value)
    assert {act.value.removeprefix("risk_") for act in Act if act.value.startswith("risk_")} <= set(RISKS)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (5280, "1 h 28 min"),
        (86_400, "1 day"),
        (266_400, "3 days 2 h"),
    ],
)
def test_spans_in_words(seconds: int, said: str) -> None:
    assert spell(timedelta(seconds=seconds)) == said
