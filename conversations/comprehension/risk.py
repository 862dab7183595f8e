"""Dangers in a text, each with the customer's words for it. Misses cost more than false alarms."""

from __future__ import annotations

from collections.abc import Sequence

from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Risk, RiskLevel
from conversations.comprehension.tokens import Tokens


def read_risk(tokens: Tokens, hits: Sequence[Hit]) -> tuple[Risk, ...]:
    """One risk a kind, with its longest evidence; red before amber."""
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.mark.kind == "risk":
            known = best.get(hit.mark.name)
            if known is None or hit.last - hit.first > known.last - known.first:
                best[hit.mark.name] = hit
    risks = [
        Risk(name, hit.mark.level or RiskLevel.AMBER, tokens.evidence(hit.first, hit.last)) for name, hit in best.items()
    ]
    return tuple(sorted(risks, key=lambda risk: (risk.level is RiskLevel.AMBER, risk.kind)))
