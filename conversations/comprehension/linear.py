"""A linear model as data: names of features, their weights, a bias. The standard library at run time, JSON on disk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Weights:
    """The triage of a language. ``unsure`` is the band of probabilities (low, high) in which a human decides."""

    bias: float
    weights: Mapping[str, float]
    unsure: tuple[float, float] = (0.2, 0.6)

    def shares(self, features: Mapping[str, float]) -> list[tuple[str, float]]:
        """What each feature that has a weight adds to the log-odds of a complaint."""
        get = self.weights.get
        return [(name, weight * value) for name, value in features.items() if (weight := get(name)) is not None]

    def sigmoid(self, total: float) -> float:
        """The probability of a complaint, in 0..1, from the sum of the shares."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.bias + total))))

    def score(self, features: Mapping[str, float]) -> float:
        """The log-odds of a complaint."""
        return self.bias + sum(share for _, share in self.shares(features))

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability of a complaint, in 0..1."""
        return self.sigmoid(sum(share for _, share in self.shares(features)))

    def to_json(self) -> dict[str, Any]:
        """The form on disk, three digits a weight."""
        return {
            "bias": round(self.bias, 3),
            "unsure": list(self.unsure),
            "weights": {name: round(weight, 3) for name, weight in sorted(self.weights.items())},
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Weights:
        """The reverse of ``to_json``. Raises: KeyError, ValueError for another form."""
        low, high = data["unsure"]
        return Weights(float(data["bias"]), dict(data["weights"]), (float(low), float(high)))
