"""Triage against labels: the figures of ``hearout evaluate``, from the standard library alone."""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from conversations.comprehension import Reader
from conversations.comprehension.reading import Decision, ReadingContext

YES_AT = 0.5
"""A probability from here on counts as "complaint" in accuracy, F1 and the confusion."""


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, ``.gz`` too. Raises: OSError, UnicodeDecodeError, csv.Error."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as packed:
            yield from csv.DictReader(packed)
    else:
        with path.open(encoding="utf-8", newline="") as plain:
            yield from csv.DictReader(plain)


def evaluate(
    rows: Iterable[dict[str, str]], text: str, label: str, positive: str = "1", reader: Reader | None = None
) -> dict[str, Any]:
    """Read each row's ``text`` and compare with its ``label`` (``positive`` is a complaint, all else is not).

    Returns the JSON of interfaces.md, and the share of ``unsure``. Raises: KeyError for a column that is not there,
    ValueError when there are no rows.
    """
    reader = reader or Reader.default()
    context = ReadingContext()
    truths: list[bool] = []
    probabilities: list[float] = []
    unsure = 0
    spent = 0.0
    for row in rows:
        for column in (text, label):
            if column not in row:
                raise KeyError(f"no column {column!r}; the columns are {', '.join(map(str, row))}")
        began = time.perf_counter()
        complaint = reader.read(row[text], context).complaint
        spent += time.perf_counter() - began
        truths.append(row[label] == positive)
        probabilities.append(complaint.probability)
        unsure += complaint.decision is Decision.UNSURE
    if not truths:
        raise ValueError("no rows to evaluate")
    return figures(truths, probabilities) | {
        "unsure": round(unsure / len(truths), 4),
        "ms_per_message": round(1000 * spent / len(truths), 4),
    }


def figures(truths: Sequence[bool], probabilities: Sequence[float]) -> dict[str, Any]:
    """Accuracy, macro-F1, AUC and the confusion of probabilities against truths of the same length."""
    said = [probability >= YES_AT for probability in probabilities]
    pairs = list(zip(truths, said, strict=True))
    tp, fp = pairs.count((True, True)), pairs.count((False, True))
    fn, tn = pairs.count((True, False)), pairs.count((False, False))
    return {
        "n": len(pairs),
        "positives": tp + fn,
        "accuracy": round((tp + tn) / len(pairs), 4),
        "macro_f1": round((f1(tp, fp, fn) + f1(tn, fn, fp)) / 2, 4),
        "auc": round(auc(truths, probabilities), 4),
        "precision": round(tp / (tp + fp), 4) if tp + fp else 0.0,
        "recall": round(tp / (tp + fn), 4) if tp + fn else 0.0,
        "confusion": {"tp": tp, "fp": fp, "fn": fn, "tn": tn},
    }


def f1(true_positives: int, false_positives: int, false_negatives: int) -> float:
    """The harmonic mean of precision and recall; 0 when there is nothing to find and nothing was found."""
    total = 2 * true_positives + false_positives + false_negatives
    return 2 * true_positives / total if total else 0.0


def auc(truths: Sequence[bool], probabilities: Sequence[float]) -> float:
    """The chance that a complaint has a higher probability than another text; ties count half. 0.5 without both kinds."""
    positives = sum(truths)
    negatives = len(truths) - positives
    if not positives or not negatives:
        return 0.5
    order = sorted(range(len(truths)), key=lambda index: probabilities[index])
    ranks = 0.0
    index = 0
    while index < len(order):
        last = index
        while last + 1 < len(order) and probabilities[order[last + 1]] == probabilities[order[index]]:
            last += 1
        rank = (index + last) / 2 + 1
        ranks += rank * sum(truths[order[place]] for place in range(index, last + 1))
        index = last + 1
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
