"""Learning the triage: from the written corpus when a language is made, from agents' labels when a brand relearns.

Needs scikit-learn (``pip install hearout[learn]``), here and nowhere else; what is learnt is plain weights (JSON).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.evaluate import figures
from conversations.comprehension import Reader
from conversations.comprehension.linear import Weights
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.signs import signs
from conversations.comprehension.tokens import bounded, clean
from conversations.comprehension.triage import features

SOURCES_MIN = 3
"""A word counts when it occurs in texts of at least so many sources: one pattern, or one text, teaches no word alone."""
LABELS_MIN = 30
HELD_BACK = 0.25
BEND = 0.05
"""How far labels may bend a weight (scikit-learn's C): a few hardly do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and whether it is a complaint; ``source`` groups texts that must not be split (a pattern, a conversation)."""

    text: str
    complaint: bool
    source: str


@dataclass(frozen=True, slots=True)
class Relearned:
    """New weights for a language, and the figures on the held-back labels before and after. Nothing is changed by it."""

    language: str
    weights: Weights
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def text_features(pack: LanguagePack, text: str) -> dict[str, float]:
    """The triage features of a raw text."""
    tokens = pack.tokens(clean(bounded(text)[0]))
    hits = pack.phrases.find(tokens)
    return features(pack, tokens, hits, signs(tokens, hits))


def is_word(name: str) -> bool:
    """Whether a feature is a single word, and not one of the general ones."""
    return name.startswith("w:")


Sample = tuple[Mapping[str, float], bool, str]
"""The features of a text, whether it is a complaint, and its source."""


def fit(rows: Sequence[Sample], base: Weights, base_share: float, strength: float = 0.1, tiny: float = 0.02) -> Weights:
    """Weights from rows, added to ``base_share`` of the base.

    ``strength`` is scikit-learn's C. Weights below ``tiny`` are dropped. Raises: ImportError without scikit-learn,
    ValueError when all rows are of one kind.
    """
    from sklearn.linear_model import LogisticRegression

    names, matrix = _table(rows)
    model = LogisticRegression(C=strength, max_iter=1_000).fit(matrix, [complaint for _, complaint, _ in rows])
    weights = {name: base_share * weight for name, weight in base.weights.items()}
    for name, weight in zip(names, model.coef_[0], strict=True):
        weights[name] = weights.get(name, 0.0) + float(weight)
    kept = {name: weight for name, weight in weights.items() if abs(weight) >= tiny}
    return Weights(base_share * base.bias + float(model.intercept_[0]), kept, base.unsure)


def _table(rows: Sequence[Sample]) -> tuple[Sequence[str], Any]:
    """The features as a matrix, with their names; words of few sources are left out."""
    from sklearn.feature_extraction import DictVectorizer

    sources: dict[str, set[str]] = {}
    for found, _, source in rows:
        for name in found:
            sources.setdefault(name, set()).add(source)
    kept = {name for name, known in sources.items() if len(known) >= SOURCES_MIN or not is_word(name)}
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform(
        [{name: value for name, value in found.items() if name in kept} for found, _, _ in rows]
    )
    return vectorizer.feature_names_, matrix


def relearn(labels: Sequence[Labelled], reader: Reader, language: str, seed: int = 1) -> Relearned:
    """New weights for one language from agents' labels, judged on a part of them that was held back.

    Raises: ValueError for too few labels, labels of one kind only, or a language that is not there.
    """
    if language not in reader.packs or language not in reader.weights:
        raise ValueError(f"no triage for {language!r}; the languages are {', '.join(reader.weights)}")
    kinds = {label.complaint for label in labels}
    if len(labels) < LABELS_MIN or len(kinds) < 2:
        raise ValueError(
            f"{len(labels)} labels of {len(kinds)} kind(s); relearning needs {LABELS_MIN}, complaints and others"
        )
    pack, known = reader.packs[language], reader.weights[language]
    sources = sorted({label.source for label in labels})
    random.Random(seed).shuffle(sources)
    held = set(sources[: max(1, round(len(sources) * HELD_BACK))])
    rows = [(text_features(pack, label.text), label.complaint, label.source) for label in labels]
    after = _bend([row for row in rows if row[2] not in held], known)
    test = [row for row in rows if row[2] in held]
    return Relearned(language, _bend(rows, known), _judge(known, test), _judge(after, test))


def _bend(rows: Sequence[Sample], known: Weights) -> Weights:
    """The known weights, bent towards the rows: what they say already is kept, and only what is missing is learnt."""
    import numpy
    from scipy.optimize import minimize

    names, matrix = _table(rows)
    truth = numpy.array([complaint for _, complaint, _ in rows], dtype=float)
    said = numpy.array([known.score(found) for found, _, _ in rows])

    def loss(change: Any) -> tuple[float, Any]:
        odds = said + matrix @ change[1:] + change[0]
        wrong = 1 / (1 + numpy.exp(-odds)) - truth
        slope = numpy.concatenate([[wrong.sum()], matrix.T @ wrong + change[1:] / BEND])
        return float((numpy.logaddexp(0, odds) - truth * odds).sum() + (change[1:] ** 2).sum() / 2 / BEND), slope

    change = minimize(loss, numpy.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    weights = dict(known.weights)
    for name, more in zip(names, change[1:], strict=True):
        weights[name] = weights.get(name, 0.0) + float(more)
    kept = {name: weight for name, weight in weights.items() if abs(weight) >= 0.005}
    return Weights(known.bias + float(change[0]), kept, known.unsure)


def _judge(weights: Weights, rows: Sequence[Sample]) -> dict[str, Any]:
    return figures([complaint for _, complaint, _ in rows], [weights.probability(found) for found, _, _ in rows])
