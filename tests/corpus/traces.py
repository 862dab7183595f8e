"""Learns the weights of ``conversations/comprehension/traces.py``: one linear model a label, for all languages at once;
and what all learning of weights by sign shares: rows of text, their signs, the table of both.

What the phrases found means the same in every language and is learnt together; words are a language's own.
Needs scikit-learn (development only).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.comprehension.network import Network
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.rows import Rows, encoded
from conversations.comprehension.signs import signs
from conversations.comprehension.tokens import bounded, clean
from conversations.comprehension.traces import STEPS, Traces

LANGUAGES = Path(__file__).parents[2] / "conversations" / "languages"
SHARED = ("sense:", "cue:", "part:", "risk:", "topic:", "lexicon:", "read:", "asked:", ":")


@dataclass(frozen=True, slots=True)
class Row:
    """A text with the labels that are true of it, those that were judged at all, and how much it counts."""

    language: str
    text: str
    labels: frozenset[str]
    judged: frozenset[str] | None = None
    weight: float = 1.0
    source: str = ""


def seen(pack: LanguagePack, text: str, drop: Sequence[str]) -> list[str]:
    """The signs of a text as the reader counts them, without what ``drop`` names (kinds of signs, ``small`` words)."""
    tokens = pack.tokens(clean(bounded(text)[0]))
    found: Counter[str] = Counter()
    for part in signs(tokens, pack.phrases.find(tokens)):
        found |= Counter(part.names(pack.senses))
    small = pack.small if "small" in drop else frozenset()
    return sorted(sign for sign in found.elements() if not sign.startswith(tuple(drop)) and sign not in small)


def owned(code: str, sign: str, shared: tuple[str, ...] = SHARED) -> str:
    """The name of a sign among all languages."""
    return sign if sign.startswith(shared) else f"{code}|{sign}"


def found_in(packs: Mapping[str, LanguagePack], rows: Sequence[Row], drop: Sequence[str] = ()) -> list[list[str]]:
    """The signs of each row, by their names among all languages."""
    return [[owned(row.language, sign) for sign in seen(packs[row.language], row.text, drop)] for row in rows]


class Table:
    """Which signs stand in which rows, as numbers: ``matrix`` (rows × ``names``). A sign must stand in ``texts_min`` rows."""

    def __init__(self, found: Sequence[Iterable[str]], texts_min: int = 2) -> None:
        import numpy
        from scipy.sparse import csr_matrix

        counts = Counter(sign for signs_ in found for sign in set(signs_))
        self.names = sorted(sign for sign, count in counts.items() if count >= texts_min)
        place = {sign: number for number, sign in enumerate(self.names)}
        columns = [[place[sign] for sign in signs_ if sign in place] for signs_ in found]
        starts = numpy.cumsum([0, *map(len, columns)]).astype(numpy.int32)
        flat = numpy.fromiter((column for row in columns for column in row), dtype=numpy.int32, count=int(starts[-1]))
        self.matrix = csr_matrix((numpy.ones(len(flat)), flat, starts), shape=(len(columns), len(self.names)))
        self.matrix.sum_duplicates()

    def of(self, code: str, weights: Any, steps: float, tiny: float, shared: tuple[str, ...] = SHARED) -> dict[str, bytes]:
        """The rows of a language on disk, from ``weights`` (``names`` × columns); those all below ``tiny`` are left out."""
        table = {}
        for name, row in zip(self.names, weights, strict=True):
            owner, _, own = ("", "", name) if name.startswith(shared) else name.partition("|")
            if owner in ("", code) and max(abs(row)) >= tiny:
                table[own] = encoded(row, steps)
        return table


def logistic(matrix: Any, truth: Any, strength: float, weights: Any = None) -> tuple[Any, float]:
    """The weights and the bias of one label. ``strength`` is scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, solver="liblinear", tol=1e-2, max_iter=100, intercept_scaling=5.0)
    model.fit(matrix, truth, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def fit(
    packs: Mapping[str, LanguagePack], rows: Sequence[Row], found: Sequence[Sequence[str]], labels: Sequence[str],
    limits: Mapping[str, float], strength: float = 0.1, tiny: float = 0.06,
) -> dict[str, Traces]:  # fmt: skip
    """The weights by language. ``found`` are the signs of each row."""
    import numpy

    table = Table(found)
    learnt, bias = [], []
    for label in labels:
        some = numpy.array([i for i, row in enumerate(rows) if row.judged is None or label in row.judged])
        truth = numpy.array([label in rows[i].labels for i in some])
        weights, own = logistic(table.matrix[some], truth, strength, numpy.array([rows[i].weight for i in some]))
        learnt.append(weights)
        bias.append(own)
    columns = numpy.array(learnt).T
    return {
        code: Traces(labels, bias, Rows(table.of(code, columns, STEPS, tiny), len(labels), pack.senses), limits)
        for code, pack in packs.items()
    }


def write(made: Mapping[str, Traces | Network], file: str) -> None:
    """Put the weights where the packs look for them."""
    for code, weights in made.items():
        text = json.dumps(weights.to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        (LANGUAGES / code / file).write_text(text + "\n", encoding="utf-8")


def written(name: str) -> list[dict[str, Any]]:
    """A set of ``tests/reading``, or one by several authors, ``people/...``."""
    here = Path(__file__).parent
    path = here / name if name.startswith("people/") else here.parent / "reading" / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
