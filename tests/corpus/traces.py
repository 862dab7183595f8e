"""Learns the weights of ``conversations/comprehension/traces.py``: one linear model a label, for all languages at once.

What the phrases found means the same in every language and is learnt together; words are a language's own.
Needs scikit-learn (development only).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.tokens import bounded, clean
from conversations.comprehension.traces import HIGHEST, LOWEST, STEPS, ZERO, Traces, signs

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


def owned(code: str, sign: str) -> str:
    """The name of a sign among all languages."""
    return sign if sign.startswith(SHARED) else f"{code}|{sign}"


def found_in(packs: Mapping[str, LanguagePack], rows: Sequence[Row], drop: Sequence[str] = ()) -> list[list[str]]:
    """The signs of each row, by their names among all languages."""
    return [[owned(row.language, sign) for sign in seen(packs[row.language], row.text, drop)] for row in rows]


def fit(
    packs: Mapping[str, LanguagePack], rows: Sequence[Row], found: Sequence[Sequence[str]], labels: Sequence[str],
    limits: Mapping[str, float], strength: float = 0.1, texts_min: int = 2, tiny: float = 0.06,
) -> dict[str, Traces]:  # fmt: skip
    """The weights by language. ``found`` are the signs of each row; ``strength`` is scikit-learn's C; a sign must stand in
    ``texts_min`` rows; weights all below ``tiny`` are left out.
    """
    import numpy
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counts = Counter(sign for signs_ in found for sign in set(signs_))
    names = sorted(sign for sign, count in counts.items() if count >= texts_min)
    place = {sign: number for number, sign in enumerate(names)}
    columns = [[place[sign] for sign in signs_ if sign in place] for signs_ in found]
    starts = numpy.cumsum([0, *map(len, columns)]).astype(numpy.int32)
    flat = numpy.fromiter((column for row in columns for column in row), dtype=numpy.int32, count=int(starts[-1]))
    matrix = csr_matrix((numpy.ones(len(flat)), flat, starts), shape=(len(rows), len(names)))
    matrix.sum_duplicates()
    weights = numpy.zeros((len(labels), len(names)))
    bias = []
    for number, label in enumerate(labels):
        some = numpy.array([i for i, row in enumerate(rows) if row.judged is None or label in row.judged])
        truth = numpy.array([label in rows[i].labels for i in some])
        model = LogisticRegression(C=strength, solver="liblinear", tol=1e-2, max_iter=100, intercept_scaling=5.0)
        model.fit(matrix[some], truth, sample_weight=numpy.array([rows[i].weight for i in some]))
        weights[number] = model.coef_[0]
        bias.append(float(model.intercept_[0]))
    made = {}
    for code in packs:
        table = {}
        for number, name in enumerate(names):
            owner, _, own = name.partition("|") if not name.startswith(SHARED) else ("", "", name)
            column = weights[:, number]
            if owner in ("", code) and max(abs(column)) >= tiny:
                table[own] = bytes(min(HIGHEST, max(LOWEST, round(value * STEPS) + ZERO)) for value in column)
        made[code] = Traces(tuple(labels), tuple(bias), table, dict(limits), packs[code].senses)
    return made


def write(made: Mapping[str, Traces], file: str) -> None:
    """Put the weights where the packs look for them."""
    for code, traces in made.items():
        text = json.dumps(traces.to_json(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        (LANGUAGES / code / file).write_text(text + "\n", encoding="utf-8")


def written(name: str) -> list[dict[str, Any]]:
    """A set of ``tests/reading``, or one by several authors, ``people/...``."""
    here = Path(__file__).parent
    path = here / name if name.startswith("people/") else here.parent / "reading" / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
