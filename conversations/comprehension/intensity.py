"""How heated a text is, in 0..1: angry words, capitals, exclamation marks, faces."""

from __future__ import annotations

import math

from conversations.comprehension.cues import Evidence


def read_intensity(seen: Evidence) -> float:
    """0 is calm, 0.5 is plainly annoyed, towards 1 is furious."""
    tokens, lexicon = seen.tokens, seen.lexicon
    heat = 0.5 * min(4, lexicon.get("anger", 0)) + 0.25 * min(4, lexicon.get("disappointment", 0))
    heat += 0.2 * min(4, lexicon.get("again", 0)) + 0.3 * min(3, lexicon.get("sad_face", 0))
    heat += 0.25 * min(4, sum(stop.count("!") for stop in tokens.stop.values()))
    if tokens.capitals >= 2:
        heat += 0.2 * min(5, tokens.capitals)
    return 1 - math.exp(-0.6 * heat)
