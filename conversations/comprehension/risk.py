"""Dangers in a text, each with the customer's words for it. Misses cost more than false alarms.

A danger that is named is found by a phrase ("caught fire"), or by two words near each other
("charger … scorched"): which classes of words make a danger together is the same in all languages
(``conversations/languages/risk_pairs.toml``). Most dangers are told by their traces, and a linear model weighs those
(``traces.py``): it adds what phrases do not see, red where it is sure and amber where not, since a red calls everybody on
duty; and it takes back pairs in texts that look harmless ("nobody came" beside "street"), and phrases in texts that look very
harmless ("a table with a broken leg"). A red that is named where the model sees nothing red ("hacked", of a toy) is amber.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Risk, RiskLevel
from conversations.comprehension.signs import Signs
from conversations.comprehension.tokens import Tokens
from conversations.comprehension.traces import Traces

NEAR_WORDS = 12


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
    traces: Traces | None = None,
    parts: Sequence[Signs] = (),
) -> tuple[Risk, ...]:
    """One risk a kind, with its evidence; red before amber. ``parts`` are the signs of the text for ``traces``.

    ``traces.limits``: ``danger`` and ``red`` are the log-odds above which a danger, and a red one, is believed without a phrase;
    ``pair`` and ``phrase`` those below which two words near each other, or a phrase, are none; ``named_red`` that of a red danger
    below which a named one is amber. A kind may have a limit of its own, above ``danger``, where a false one would hurt.
    """
    danger = traces.weigh_one(parts) if traces else math.inf
    if traces is None or danger >= traces.limits["pair"]:
        named = _pairs(hits, pairs) | _phrases(hits)
    else:
        named = _phrases(hits) if danger >= traces.limits["phrase"] else {}
    found = {kind: Risk(kind, levels[kind], tokens.evidence(*span)) for kind, span in named.items()}
    if traces is None or not (found or danger >= traces.limits["danger"]):
        return _sorted(found.values())
    odds = traces.weigh(parts)
    if odds["red"] < traces.limits["named_red"]:
        found = {kind: Risk(kind, RiskLevel.AMBER, risk.evidence) for kind, risk in found.items()}
    if danger >= traces.limits["danger"]:
        sure = odds["red"] >= traces.limits["red"]
        likeliest = max(levels, key=lambda kind: odds.get(kind, -math.inf))
        for kind, level in levels.items():
            if kind in found or danger < traces.limits.get(kind, -math.inf):
                continue
            if odds.get(kind, -math.inf) >= 0 or (kind == likeliest and not found):
                span = traces.telling(kind, tokens)
                if span is not None:
                    found[kind] = Risk(kind, level if sure else RiskLevel.AMBER, tokens.evidence(*span))
    return _sorted(found.values())


def _sorted(risks: Iterable[Risk]) -> tuple[Risk, ...]:
    return tuple(sorted(risks, key=lambda risk: (risk.level is RiskLevel.AMBER, risk.kind)))


def _phrases(hits: Sequence[Hit]) -> dict[str, tuple[int, int]]:
    """The longest phrase of each kind of danger that is named."""
    best: dict[str, tuple[int, int]] = {}
    for hit in hits:
        if hit.mark.kind == "risk":
            first, last = best.get(hit.mark.name, (0, 0))
            if hit.last - hit.first > last - first:
                best[hit.mark.name] = hit.first, hit.last
    return best


def _pairs(hits: Sequence[Hit], pairs: Sequence[Pair]) -> dict[str, tuple[int, int]]:
    """Two words near each other for each kind of danger that has such."""
    best: dict[str, tuple[int, int]] = {}
    words: dict[str, list[Hit]] = {}
    for hit in hits:
        if hit.mark.kind == "part":
            words.setdefault(hit.mark.name, []).append(hit)
    for pair in pairs:
        if pair.kind not in best and pair.first in words and pair.second in words:
            found = _near(words[pair.first], words[pair.second])
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
