"""Texts of any script on the page: which way they run, how the triage's reasons and probabilities are said."""

from __future__ import annotations

import re
import unicodedata

_MENTION = re.compile(r"[@#]\w+|https?://\S+")
_RIGHT_TO_LEFT = frozenset(("R", "AL"))
_ISOLATE, _END = "\u2068", "\u2069"

REASONS: dict[str, str] = {
    "none complaint": "no word of complaint",
    "only good": "only kind words",
    "only question": "only a question",
    "good and bad": "kind and harsh words together",
    "length": "its length",
    "ellipsis": "trailing off…",
    "mentions": "several accounts are named",
    "#": "figures",
}
"""What the triage calls by a short name, as people say it (``conversations.comprehension.triage`` has words for the rest)."""


def direction(text: str | None) -> str:
    """``rtl`` or ``ltr``: which way the first letter runs that is not part of a mention, a tag or a link."""
    for letter in _MENTION.sub(" ", text or ""):
        kind = unicodedata.bidirectional(letter)
        if kind == "L" or kind in _RIGHT_TO_LEFT:
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def isolated(text: str) -> str:
    """A name or quotation within a sentence of ours: one that runs right to left does not turn the sentence around."""
    mixed = any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)
    return f"{_ISOLATE}{text}{_END}" if mixed else text


def percent(share: float) -> str:
    """A probability from 0 to 1 as people say it: never quite certain."""
    return "over 99%" if share > 0.99 else "under 1%" if share < 0.01 else f"{share * 100:.0f}%"


def reason(text: str) -> str:
    """A reason of the triage in words: ``− none complaint`` is ``against it: no word of complaint``."""
    sign, _, rest = text.partition(" ")
    if sign not in ("+", "−"):
        return text
    name, colon, evidence = rest.partition(": ")
    return f"{'for' if sign == '+' else 'against'} it: {REASONS.get(name, name)}{colon and ', '}{evidence}"
