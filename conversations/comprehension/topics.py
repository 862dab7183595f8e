"""What a text is about: topics scored by their cues, best first."""

from __future__ import annotations

from collections.abc import Sequence

from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Topic

TOPICS_MAX = 3
CERTAIN_SCORE = 0.5
"""A topic with at least this score may be named to the customer; below it the words stay general."""


def read_topics(hits: Sequence[Hit]) -> tuple[Topic, ...]:
    """Up to three topics. A score is 1 − 1/(1 + evidence), so one sure cue gives 0.5 and two give 0.67."""
    evidence: dict[str, float] = {}
    seen: set[tuple[str, int]] = set()
    for hit in hits:
        mark = hit.mark
        if mark.kind == "topic" and (mark.name, hit.last) not in seen:
            seen.add((mark.name, hit.last))
            words = hit.last - hit.first
            evidence[mark.name] = evidence.get(mark.name, 0.0) + mark.weight * (1 + 0.25 * (words - 1))
    ranked = sorted(evidence.items(), key=lambda item: (-item[1], item[0]))[:TOPICS_MAX]
    return tuple(Topic(name, 1 - 1 / (1 + amount)) for name, amount in ranked)
