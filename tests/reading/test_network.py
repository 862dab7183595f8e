"""The small network and the senses that it weighs, with weights made by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from conversations.comprehension.network import Network
from conversations.comprehension.senses import Senses
from conversations.comprehension.signs import Signs
from conversations.comprehension.tokens import tokenize

STEPS = 16
ZERO, ONE = "P", "`"
"""No step, and ``STEPS`` of them."""


def network(**senses: list[str]) -> Network:
    """Unsatisfied is who says "not" and "works" together; satisfied who says "works" alone; "sense:fine" counts as "works"."""
    form: dict[str, Any] = {
        "bias": [-1.0, 0.0], "heads": {"unsatisfied": [-2.0, 4.0, 0.0], "satisfied": [-1.0, -4.0, 3.0]},
        "rows": {"not": ONE + ZERO, "works": ONE + ONE, "sense:fine": ONE + ONE, "so so": ONE + ZERO},
        "limits": {}, "steps": STEPS,
    }  # fmt: skip
    return Network.from_json(form, Senses(senses))


def said(*parts: str) -> list[Signs]:
    """Parts of a text by their words."""
    return [Signs(part.split(), []) for part in parts]


@pytest.mark.parametrize(
    ("parts", "unsatisfied", "satisfied"),
    [
        (("it works",), -2.0, 2.0),
        (("not today",), -2.0, -1.0),
        (("it works not",), 2.0, -2.0),
        (("it works not not not",), 2.0, -2.0),
        (("it works", "not today"), -2.0, 2.0),
        (("not so so works",), 6.0, -6.0),
        (("it runs not",), 2.0, -2.0),
        ((), -math.inf, -math.inf),
    ],
)
def test_what_signs_say_together(parts: tuple[str, ...], unsatisfied: float, satisfied: float) -> None:
    weighed = network(fine=["runs"]).weigh(said(*parts))
    assert weighed == {"unsatisfied": unsatisfied, "satisfied": satisfied}


def test_the_words_that_speak_most_for_a_label() -> None:
    tokens = tokenize("today it works again but not well")
    made = network()
    assert made.telling("unsatisfied", tokens, [Signs(tokens.words, [])]) == (2, 6)
    assert made.telling("satisfied", tokenize("hello there"), said("hello there")) is None


@pytest.mark.parametrize(
    ("heads", "rows", "match"),
    [
        ({"satisfied": [0.0, 1.0]}, {}, "one weight for each hidden number"),
        ({"satisfied": [0.0, 1.0, 1.0]}, {"works": "P"}, "must have 2 numbers"),
    ],
)
def test_a_network_of_another_form_is_refused(heads: dict[str, list[float]], rows: dict[str, str], match: str) -> None:
    form = {"bias": [0.0, 0.0], "heads": heads, "limits": {}, "rows": rows, "steps": STEPS}
    with pytest.raises(ValueError, match=match):
        Network.from_json(form, Senses({}))


def test_a_sense_is_of_single_words_or_their_beginnings() -> None:
    senses = Senses({"fine": ["Runs", "work*"], "money": ["works"]})
    assert senses.of("runs") == {"sense:fine"}
    assert senses.of("works") == {"sense:fine", "sense:money"}
    assert not senses.of("run")


@pytest.mark.parametrize("entry", ["at all", "", "*", "!"])
def test_a_sense_refuses_what_is_not_one_word(entry: str) -> None:
    with pytest.raises(ValueError, match=r"'fine' holds .* not one word"):
        Senses({"fine": ["runs", entry]})
