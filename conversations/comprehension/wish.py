"""What would put it right, in the customer's own words: the sentence from the word that wishes to its end."""

from __future__ import annotations

from conversations.comprehension.cues import Evidence

WISH_CHARS_MAX = 200


def read_wish(seen: Evidence) -> str | None:
    """The wish, or None. It begins where the customer begins to ask for it, and stops with the sentence."""
    tokens = seen.tokens
    wishes = [hit for hit in seen.cues.get("states_wish", ()) if hit.mark.weight >= 1]
    if not wishes:
        return None
    first = min(hit.first for hit in wishes)
    sentence = tokens.sentence[first]
    last = max(index for index, number in enumerate(tokens.sentence) if number == sentence)
    clauses = tokens.clause
    for hit in seen.cues.get("done", ()):  # "I want the €80 back, that's all"
        if first < hit.first <= last and clauses[hit.first] != clauses[first] and hit.last > last - 1:
            last = hit.first - 1
            break
    start, end = tokens.start[first], tokens.end[last]
    while start and tokens.text[start - 1] in "€$£":
        start -= 1
    while end < len(tokens.text) and not tokens.text[end].isspace():
        end += 1
    return tokens.text[start:end].strip(" ,;:-–.!?")[:WISH_CHARS_MAX] or None
