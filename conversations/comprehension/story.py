"""Whether the story is told: whether a text holds enough facts to be mirrored in the customer's own terms."""

from __future__ import annotations

import re

from conversations.comprehension.cues import Evidence
from conversations.comprehension.reading import PrivateSpan

_AMOUNT = re.compile(r"[€$£]\s?\d|\d\s?(?:€|\$|£|eur|usd|gbp|reais|pesos)\b", re.IGNORECASE)


_TELLING = frozenset({"day", "month", "time", "kin", "past"})


def facts(seen: Evidence, private: tuple[PrivateSpan, ...]) -> int:
    """How many facts a text tells: numbers of orders, amounts, times, people, things that happened, the topic."""
    flat = [name for names in seen.classes if names for name in names if name in _TELLING]
    count = 2 * any(span.kind in ("order", "ticket") for span in private)
    count += bool(_AMOUNT.search(seen.tokens.text))
    count += min(2, flat.count("day") + flat.count("month") + flat.count("time"))
    count += min(2, flat.count("kin"))
    count += min(3, flat.count("past"))
    count += seen.topical
    return count


def story_told(seen: Evidence, private: tuple[PrivateSpan, ...]) -> bool:
    """Whether what happened is told well enough to mirror it: a dozen words with five facts, or a long text with three."""
    told = facts(seen, private)
    return (seen.word_count >= 12 and told >= 5) or (seen.word_count >= 35 and told >= 3)
