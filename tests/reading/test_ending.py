"""Are they done? The quiet time follows the signs in the text and the rhythm of the writer, within its bounds."""

from __future__ import annotations

import pytest

from conversations.comprehension import Reader
from conversations.comprehension.ending import DEFAULT_PATIENCE, quiet_s

READER = Reader.default()
PLAIN = "the parcel has been at the depot for a week"


def wait(*texts: str, gaps: tuple[float, ...] = (), base_s: float = 180.0) -> float:
    return quiet_s(base_s, [READER.read(text) for text in texts], gaps)


def test_a_plain_turn_waits_the_base() -> None:
    assert wait(PLAIN) == 180.0
    assert quiet_s(180.0, [], []) == 180.0


@pytest.mark.parametrize(
    "text", ["and another thing, wait", "so I called them and...", "it arrived broken and", "also the lid is missing"]
)
def test_signs_of_more_lengthen(text: str) -> None:
    assert wait(text) > 180.0


@pytest.mark.parametrize("text", ["I want a refund", "that's all", "thanks"])
def test_signs_of_an_end_shorten(text: str) -> None:
    assert wait(text) < 180.0


def test_a_slow_writer_gets_more_time() -> None:
    assert wait(PLAIN, PLAIN, gaps=(100.0,)) > wait(PLAIN, PLAIN, gaps=(10.0,))


def test_a_numbered_thread_is_waited_for_until_its_last_part() -> None:
    assert wait("1/3 so here's what happened", base_s=60.0) >= DEFAULT_PATIENCE.announced_s
    assert wait("1/3 so", "2/3 then it broke", gaps=(60.0,), base_s=60.0) >= DEFAULT_PATIENCE.announced_s
    assert wait("1/3 so", "2/3 then", "3/3 the end", gaps=(60.0, 120.0), base_s=60.0) < DEFAULT_PATIENCE.announced_s


def test_bounds() -> None:
    assert wait("wait, one more thing...", base_s=10_000.0) == DEFAULT_PATIENCE.quiet_s_max
    assert wait("thanks", base_s=1.0) == DEFAULT_PATIENCE.quiet_s_min
