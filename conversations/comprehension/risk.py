"""Dangers in a text, each with the customer's words for it. Misses cost more than false alarms.

Most dangers are told by their traces, not by name: a linear model (``danger.py``) weighs words and classes of words. What it
suspects is given as red when it is sure and as amber when it is not, since a red calls everybody on duty. Some kinds have phrases
that count by themselves. A language without weights has phrases ("caught fire") and pairs of word classes near each other
("charger … scorched"): which classes make a danger together is the same in all languages (``languages/risk_pairs.toml``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from conversations.comprehension.danger import NEAR_WORDS, Dangers
from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Risk, RiskLevel
from conversations.comprehension.tokens import Tokens

SHARE_MIN = 0.3
"""A kind is named when it has at least this share of the suspicion; the likeliest is always named."""
ALONE = frozenset({"self_harm", "discrimination"})
"""Kinds whose phrases count whatever stands around them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two classes of words that make a danger when they stand near each other."""

    kind: str
    first: str
    second: str


def read_risk(
    tokens: Tokens,
    hits: Sequence[Hit],
    pairs: Sequence[Pair],
    levels: Mapping[str, RiskLevel],
    dangers: Dangers | None = None,
    small: Collection[str] = frozenset(),
) -> tuple[Risk, ...]:
    """One risk a kind, with its evidence; red before amber. ``small`` are the words that mean nothing alone."""
    if dangers is None:
        spans = {kind: (levels[kind], span) for kind, span in _named(hits, pairs).items()}
    else:
        spans = _suspected(tokens, hits, levels, dangers, small)
    risks = [Risk(kind, level, tokens.evidence(*span)) for kind, (level, span) in spans.items()]
    return tuple(sorted(risks, key=lambda risk: (risk.level is RiskLevel.AMBER, risk.kind)))


def _suspected(
    tokens: Tokens, hits: Sequence[Hit], levels: Mapping[str, RiskLevel], dangers: Dangers, small: Collection[str]
) -> dict[str, tuple[RiskLevel, tuple[int, int]]]:
    """What the model suspects, and the phrases that count alone; a phrase is better evidence than telling words."""
    named = _named(hits, ())
    found = {kind: (levels[kind], span) for kind, span in named.items() if kind in ALONE}
    seen = dangers.suspect(tokens, hits, small)
    if seen.odds < dangers.amber:
        return found
    likeliest = max(seen.shares, key=lambda kind: seen.shares[kind])
    red = sum(share for kind, share in seen.shares.items() if levels.get(kind) is RiskLevel.RED)
    sure = seen.odds >= dangers.red and red >= 0.5
    for kind, share in seen.shares.items():
        if kind in levels and kind not in found and (kind == likeliest or share >= SHARE_MIN):
            span = named.get(kind) or dangers.telling(kind, seen)
            if span is not None:
                found[kind] = (levels[kind] if sure else RiskLevel.AMBER), span
    return found


def _named(hits: Sequence[Hit], pairs: Sequence[Pair]) -> dict[str, tuple[int, int]]:
    """The longest phrase of each kind, or else the nearest pair."""
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
    return best


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
