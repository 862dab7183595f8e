"""The table itself: total, well-formed, and drawn as it is."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

from conversations.diagram import mermaid
from conversations.machine import MACHINE
from conversations.protocol import IGNORED, TABLE, State, Trigger
from conversations.step import Step
from tests.protocol import (
    kit,
    test_changes,
    test_customer_writes,
    test_desk,
    test_listening,
    test_plans,
    test_snooze,
    test_splits,
)


def test_every_pair_of_state_and_trigger_has_a_row_or_is_ignored_on_purpose():
    rows = {(source, trigger) for row in TABLE for source in row.sources for trigger in row.triggers}
    every = set(product(State, Trigger))
    assert every - rows - IGNORED == set()
    assert rows & IGNORED == set(), "a pair is both in the table and ignored"


def test_guards_and_effects_are_methods_of_the_step():
    for row in TABLE:
        for name in (*row.guards, *row.effects):
            assert callable(getattr(Step, name, None)), f"{row}: there is no {name}"


def test_no_row_is_hidden_behind_an_unguarded_one():
    seen: set[tuple[State, Trigger]] = set()
    for row in TABLE:
        for pair in product(row.sources, row.triggers):
            assert pair not in seen, f"{pair}: a row above it always applies, so {row} never does"
            if not row.guards:
                seen.add(pair)


HOLD_BACK = {"withdraw_words", "postpone_words", "restart_listening", "confirm_opt_out"}
NOTHING_TO_HOLD_BACK = {
    ("at_risk_red", "risk_words_on_their_way"): "words to somebody in danger never wait",
    ("certainly_content",): "what was queued was taken back as the case was resolved",
    ("was_dismissed",): "what was queued was taken back as the case was dismissed",
    ("was_merged",): "what was queued went along",
}
"""Rows, by their guards, in which a post of the customer neither takes back nor postpones words, and why."""


def test_whenever_the_customer_writes_what_the_bot_has_queued_is_taken_back_or_waits():
    """The bot does not interrupt, whatever the state: seeds 723 and 10710 of the simulation were rows that forgot it."""
    for row in TABLE:
        if Trigger.CUSTOMER_POSTED in row.triggers and row.guards not in NOTHING_TO_HOLD_BACK:
            assert HOLD_BACK & set(row.effects), row


def test_every_state_is_entered_and_the_open_ones_are_left():
    entered = {row.dest for row in TABLE if row.dest is not None} | {State.LISTENING}
    assert entered == set(State)
    left = {source for row in TABLE for source in row.sources if row.dest not in (None, source)}
    assert left == set(State)


def test_the_machine_holds_the_table_in_its_order():
    for row in TABLE:
        for trigger, source in product(row.triggers, row.sources):
            found = MACHINE.events[trigger.value].transitions[source.name]
            assert any(
                [condition.func for condition in entry.conditions] == list(row.guards)
                and entry.after == list(row.effects)
                for entry in found
            )


def test_the_diagram_names_every_change_of_state():
    drawn = mermaid()
    for row in TABLE:
        for source in row.sources:
            if row.dest is not None and row.dest is not source:
                assert f"{source.value} --> {row.dest.value}:" in drawn


def test_every_row_of_the_table_is_taken_by_a_test():
    """Runs the row tests beside this file and asks which rows they took: a row that no test takes may say anything."""
    for module in (test_changes, test_customer_writes, test_desk, test_listening, test_plans, test_snooze, test_splits):
        for name, function in vars(module).items():
            if name.startswith("test_"):
                for arguments in parametrized(function):
                    function(**arguments)
    never = [row for n, row in enumerate(TABLE) if n not in {number for number, _ in kit.TAKEN}]
    assert never == []


def parametrized(function: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The arguments that pytest gives to a parametrized test."""
    choices = []
    for mark in getattr(function, "pytestmark", []):
        names = [name.strip() for name in mark.args[0].split(",")] if isinstance(mark.args[0], str) else mark.args[0]
        choices.append([dict(zip(names, value if len(names) > 1 else [value], strict=True)) for value in mark.args[1]])
    for combination in product(*choices):
        yield {name: value for part in combination for name, value in part.items()}
