"""Bugs that the simulation found, each as the shortest story that shows it: they stay mended whatever seeds do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conversations.conversation import TimerName
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.protocol.kit import acknowledged_case
from tests.simulation.agents import Temper
from tests.simulation.people import Plan
from tests.simulation.run import run
from tests.simulation.scenario import Mishap, scenario


def test_a_post_from_before_our_words_that_is_indexed_after_them_leaves_the_case_awake() -> None:
    case = acknowledged_case()
    case.minutes(2).post(late_minutes=30)
    assert case.state is State.LISTENING
    assert case.runs(TimerName.SILENCE)
    assert not case.runs(TimerName.QUIET)


@pytest.mark.parametrize("trouble", ["reset", "lost reply", "late", "5xx"])
def test_words_that_are_unknown_when_the_customer_writes_on_wait_for_the_quiet(trouble: str) -> None:
    plain = scenario(3, 1)
    someone = tuple(Plan(f"c{n}", 600.0 * n, "talker", "en", Surface.PUBLIC) for n in range(1, 9))
    mishaps = tuple(Mishap(600.0 * n, "wire sim send", trouble) for n in range(1, 9))
    result = run(replace(plain, customers=someone, mishaps=mishaps, temper=Temper(slow_s=60.0, absent=0.0)))
    assert result.failure is None, result.failure
    assert result.faults[trouble] > 0
