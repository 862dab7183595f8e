"""What a mirror may repeat of the customer's words: concrete, and clean of names, links, insults and personal data.

Never echo what could make our account say a stranger's sentence: quotes are short, from one sentence, and only for direct
messages. Invisible characters and look-alikes are gone before (comprehension/tokens.py); what is left must be plain words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from conversations.comprehension.cues import Evidence
from conversations.wording.privacy import private_spans

QUOTE_CHARS_MAX = 110
QUOTE_WORDS_MIN = 3
_FORBIDDEN = re.compile(r"[@#<>{}\[\]|\\`*_~^=]|https?:|www\.|\w\.(?:com|net|org|io|ly|co)\b", re.IGNORECASE)
_NOT_TEXT = re.compile(r"[^\w\s'’.,;:!?()/%&€$£+\"-]")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")
_FACTS = {"time", "day", "month", "kin", "past", "number"}


def quotable(seen: Evidence) -> str | None:
    """The most concrete sentence that may be repeated, or None when there is no clean one."""
    tokens = seen.tokens
    best: tuple[float, str] | None = None
    bad = _bad_words(seen)
    for first, last in _sentences(tokens.sentence):
        if any(index in bad for index in range(first, last)):
            continue
        text = tokens.text[tokens.start[first] : tokens.end[last - 1]].strip()
        if last - first < QUOTE_WORDS_MIN or len(text) > QUOTE_CHARS_MAX:
            continue
        facts = sum(len(_FACTS & names) for names in seen.classes[first:last] if names)
        asks = any(first <= hit.first < last for hit in seen.cues.get("question", ()))
        score = facts + 0.1 * min(last - first, 12) - asks
        if facts and (best is None or score > best[0]) and is_clean(text):
            best = (score, text)
    return best[1] if best else None


def is_clean(text: str) -> bool:
    """Whether words may be repeated to the customer: no names, handles, links, markup, odd characters or personal data."""
    return not (_FORBIDDEN.search(text) or _NOT_TEXT.search(text) or _NAME.search(text) or private_spans(text))


def _bad_words(seen: Evidence) -> set[int]:
    hits = [hit for name in ("venting", "irony") for hit in seen.cues.get(name, ()) if hit.mark.weight >= 1]
    return {index for hit in hits for index in range(hit.first, hit.last)}


def _sentences(numbers: Sequence[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(numbers) + 1):
        if index == len(numbers) or numbers[index] != numbers[first]:
            spans.append((first, index))
            first = index
    return spans
