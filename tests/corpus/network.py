"""Learns the weights of ``conversations/comprehension/network.py``: one network for all languages and labels at once.

Plain gradient descent with each weight's own pace (AdaGrad). While it learns, half of the signs and a fifth of the hidden
numbers are left out at random each time, so that no text is learnt by heart. scikit-learn's networks can do neither that nor
learn from rows of which some labels are not known. Needs numpy and scipy (development only).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.comprehension.network import Head, Network
from conversations.comprehension.rows import HIGHEST, ZERO, Rows
from conversations.comprehension.senses import Senses
from tests.corpus.traces import SHARED, Row, Table

HIDDEN, ROUNDS, BATCH = 64, 12, 128
PACE, SLOWER = 0.05, 0.7
"""How far a step goes at first, and by what share less at the end."""
SIGNS_LEFT_OUT, HIDDEN_LEFT_OUT = 0.5, 0.2
SEED = 0
TINY = 0.12
"""Rows all below this are left out: a sign's row begins at about 0.05 by chance."""


@dataclass
class Learnt:
    """A network in numbers: a row for each sign, and for each label a column of ``out``."""

    rows: Any
    bias: Any
    out: Any
    out_bias: Any


class Pace:
    """AdaGrad: the more a number has been moved, the less it moves."""

    def __init__(self, numbers: Any) -> None:
        self.moved = numbers * 0 + 1e-6

    def step(self, numbers: Any, slope: Any, pace: float, at: Any = ...) -> None:
        """Move the numbers at some places against their slope, in place."""
        moved = self.moved[at] + slope * slope
        self.moved[at] = moved
        numbers[at] = numbers[at] - pace * slope / moved**0.5


def learn(matrix: Any, truth: Any, weights: Any, hidden: int = HIDDEN) -> Learnt:
    """Rows × signs, rows × labels, how much each label of each row counts (0: not known), and the hidden numbers."""
    import numpy
    from scipy.sparse import csr_matrix

    chance, single = numpy.random.default_rng(SEED), numpy.float32
    matrix, truth, weights = matrix.astype(single).tocsr(), truth.astype(single), weights.astype(single)
    made = Learnt(
        chance.normal(0, 0.05, (matrix.shape[1], hidden)).astype(single), numpy.zeros(hidden, single),
        chance.normal(0, 0.1, (hidden, truth.shape[1])).astype(single), numpy.full(truth.shape[1], -2, single),
    )  # fmt: skip
    paces = {name: Pace(numbers) for name, numbers in vars(made).items()}
    for turn in range(ROUNDS):
        pace = PACE * (1 - SLOWER * turn / ROUNDS)
        order = chance.permutation(matrix.shape[0])
        for first in range(0, len(order), BATCH):
            some = order[first : first + BATCH]
            batch = matrix[some]
            signs, place = numpy.unique(batch.indices, return_inverse=True)
            kept = batch.data * (chance.random(len(batch.data)) > SIGNS_LEFT_OUT) / (1 - SIGNS_LEFT_OUT)
            seen = csr_matrix((kept.astype(single), place, batch.indptr), shape=(len(some), len(signs)))
            before = seen @ made.rows[signs] + made.bias
            mask = (chance.random(before.shape) > HIDDEN_LEFT_OUT) * (before > 0) / (1 - HIDDEN_LEFT_OUT)
            shown = (before * mask).astype(single)
            said = 1 / (1 + numpy.exp(-(shown @ made.out + made.out_bias)))
            wrong = ((said - truth[some]) * weights[some]).astype(single)
            back = ((wrong @ made.out.T) * mask).astype(single)
            paces["out"].step(made.out, shown.T @ wrong, pace)
            paces["out_bias"].step(made.out_bias, wrong.sum(0), pace)
            paces["bias"].step(made.bias, back.sum(0), pace)
            paces["rows"].step(made.rows, seen.T @ back, pace, signs)
    return made


def fit(
    senses: Mapping[str, Senses], rows: Sequence[Row], found: Sequence[Iterable[str]], labels: Sequence[str],
    limits: Mapping[str, float], shared: tuple[str, ...] = SHARED, hidden: int = HIDDEN, texts_min: int = 2,
) -> dict[str, Network]:  # fmt: skip
    """The weights by language. ``found`` are the signs of each row; those that begin with ``shared`` belong to all languages;
    a sign must stand in ``texts_min`` of them.
    """
    import numpy

    table = Table(found, texts_min)
    truth = numpy.array([[label in row.labels for label in labels] for row in rows])
    counts = [[row.weight * (row.judged is None or label in row.judged) for label in labels] for row in rows]
    made = learn(table.matrix, truth, numpy.array(counts), hidden)
    steps = round((HIGHEST - ZERO) / float(numpy.quantile(abs(made.rows).max(1), 0.999)), 3)
    heads = {
        label: Head(float(own), tuple(map(float, column)))
        for label, own, column in zip(labels, made.out_bias, made.out.T, strict=True)
    }
    bias = tuple(map(float, made.bias))
    return {
        code: Network(heads, bias, Rows(table.of(code, made.rows, steps, TINY, shared), hidden, own), steps, dict(limits))
        for code, own in senses.items()
    }
