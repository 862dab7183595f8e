"""Weights are learnt, judged on what was held back, and never changed silently."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from bot.evaluate import auc, evaluate, figures, read_rows
from bot.learn import Labelled, relearn
from conversations.comprehension import Reader
from conversations.comprehension.linear import Weights

READER = Reader.default()


def test_figures() -> None:
    found = figures([True, True, False, False], [0.9, 0.2, 0.6, 0.1])
    assert found["confusion"] == {"tp": 1, "fp": 1, "fn": 1, "tn": 1}
    assert (found["accuracy"], found["macro_f1"], found["auc"]) == (0.5, 0.5, 0.75)
    assert auc([True, False], [0.5, 0.5]) == 0.5


def test_evaluate_reads_csv_packed_or_not(tmp_path: Path) -> None:
    rows = [("my order never arrived, terrible service", "1"), ("love my new phone!", "0")]
    for name in ("a.csv", "a.csv.gz"):
        path = tmp_path / name
        with gzip.open(path, "wt", newline="") if name.endswith("gz") else path.open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        found = evaluate(read_rows(path), "text", "label")
        assert (found["n"], found["positives"], found["accuracy"]) == (2, 1, 1.0)
    with pytest.raises(KeyError, match="no column 'words'"):
        evaluate(read_rows(path), "words", "label")
    with pytest.raises(ValueError, match="no rows"):
        evaluate([], "text", "label")


def test_labels_bend_the_triage_and_change_nothing_by_themselves() -> None:
    before = READER.weights["en"].to_json()
    labels = [Labelled(f"the zorkel number {index} is wobbling", True, f"a{index}") for index in range(40)]
    labels += [Labelled(f"greetings from number {index}", False, f"b{index}") for index in range(40)]
    learnt = relearn(labels, READER, "en")
    assert learnt.after["auc"] > learnt.before["auc"] or learnt.after["macro_f1"] > learnt.before["macro_f1"]
    assert learnt.weights.weights["w:zorkel"] > 0
    assert READER.weights["en"].to_json() == before
    bent = Reader(list(READER.packs.values()), {"en": learnt.weights})
    text = "the zorkel is wobbling"
    assert bent.read(text).complaint.probability > READER.read(text).complaint.probability


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="relearning needs"):
        relearn([Labelled("a", True, "a")], READER, "en")
    with pytest.raises(ValueError, match="no triage for 'xx'"):
        relearn([], READER, "xx")


def test_weights_survive_their_json() -> None:
    weights = Weights(-0.5, {"w:late": 1.25}, (0.3, 0.7))
    assert Weights.from_json(weights.to_json()) == weights
