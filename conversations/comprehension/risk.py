"""Dangers in a text, each with the customer's words for it. Misses cost more than false alarms.

A danger is told in a phrase ("caught fire") or in two words near each other ("charger … scorched"): which classes of words
make a danger together is the same in all languages (``conversations/languages/risk_pairs.toml``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Risk, RiskLevel
from conversations.comprehension.tokens import Tokens

NEAR_WORDS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes of words that make a danger when they stand near each other."""

    kind: str
    first: str
    second: str


def read_risk(
    tokens: Tokens, hits: Sequence[Hit], pairs: Sequence[Pair], levels: dict[str, RiskLevel]
) -> tuple[Risk, ...]:
    """One risk a kind, with its longest evidence; red before amber."""
    best: dict[str, tuple[int, int]] = {}
    parts: dict[str, list[Hit]] = {}
    for hit in hits:
        mark = hit.mark
        if mark.kind == "risk":
            first, last = best.get(mark.name, (0, 0))
            if hit.last - hit.first > last - first:
                best[mark.name] = hit.first, hit.last
        elif mark.kind == "part":
            parts.setdefault(mark.name, []).append(hit)
    for pair in pairs:
        if pair.kind not in best and pair.first in parts and pair.second in parts:
            found = _near(parts[pair.first], parts[pair.second])
            if found:
                best[pair.kind] = found
    risks = [Risk(kind, levels[kind], tokens.evidence(first, last)) for kind, (first, last) in best.items()]
    return tuple(sorted(risks, key=lambda risk: (risk.level is RiskLevel.AMBER, risk.kind)))


def _near(firsts: Sequence[Hit], seconds: Sequence[Hit]) -> tuple[int, int] | None:
    """The span of two parts that do not overlap and are near; both lists are in the order of the text."""
    position = 0
    for one in firsts:
        while position < len(seconds) and seconds[position].last < one.first - NEAR_WORDS:
            position += 1
        for other in seconds[position : position + 8]:
            if other.first > one.last + NEAR_WORDS:
                break
            if other.last <= one.first or other.first >= one.last:
                return min(one.first, other.first), max(one.last, other.last)
    return None
