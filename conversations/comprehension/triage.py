"""Is it a complaint? Features of a text, weighed by the linear model of its language, with reasons a person can read.

The features are deliberately few and general: which sections of the lexicon are present, the topics, the form of the text
(question, emphasis, length, links) and single words. So a model trained on a written corpus carries over to real posts.
Most complaints are told without an angry word, though, so one more feature is what a small network (``network.py``) makes of
everything that is told; where no word of complaint is found it has another name and weighs more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from conversations.comprehension.linear import Weights
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Complaint, Decision
from conversations.comprehension.signs import Signs
from conversations.comprehension.tokens import Tokens

COMPLAINT = "complaint"
"""The one label of a pack's network of complaints."""
SURE = 2.5
"""Log-odds of the network beyond this count as this: no single feature should outweigh all others."""
REASONS_MAX = 5
_AS_A_WHOLE = "what is told, as a whole"
_SAYS = {
    "anger": "angry words", "disappointment": "disappointed words", "failure": "something does not work",
    "late": "waiting or lateness", "again": "repeated or still going on", "contact_fail": "no answer from the brand",
    "money": "money at stake", "own_case": "the customer's own case", "ask_help": "asks for help", "praise": "praise",
    "thanks": "thanks", "inquiry": "a plain question", "chatter": "chatter", "promotion": "news or promotion",
    "wish": "a wish", "negation": "negation", "sad_face": "sad or angry faces", "irony": "irony",
    "question": "a question", "exclaim": "emphasis", "capitals": "capitals", "link": "a link", "tag": "hashtags",
    "reply": "a short answer", "risk": "a danger", "told": _AS_A_WHOLE, "told:alone": _AS_A_WHOLE,
}  # fmt: skip


def features(pack: LanguagePack, tokens: Tokens, hits: Sequence[Hit], parts: Sequence[Signs]) -> dict[str, float]:
    """The features of a text by name; the names are stable, since weights on disk and ``hearout learn`` use them."""
    found: dict[str, float] = {}
    counts: dict[str, int] = {}
    negated = pack.negators
    words = tokens.words
    for hit in hits:
        mark = hit.mark
        if mark.kind == "lexicon":
            name = mark.name
            if name in ("praise", "thanks") and any(
                word in negated for word in words[max(0, hit.first - 2) : hit.first]
            ):
                name = "disappointment"
            counts[name] = counts.get(name, 0) + 1
        elif mark.kind == "topic":
            if mark.weight >= 1 or f"topic:{mark.name}" not in found:
                found[f"topic:{mark.name}"] = max(found.get(f"topic:{mark.name}", 0.0), mark.weight)
        elif mark.kind == "risk":
            found["risk"] = 1.0
    for name, count in counts.items():
        found[f"lex:{name}"] = min(count, 4) ** 0.5
    complaint_words = sum(
        counts.get(name, 0) for name in ("anger", "disappointment", "failure", "late", "contact_fail")
    )
    good_words = counts.get("praise", 0) + counts.get("thanks", 0)
    if pack.complaints is not None:
        odds = max(-SURE, min(SURE, pack.complaints.weigh(parts)[COMPLAINT]))
        found["told" if complaint_words else "told:alone"] = odds
    if not complaint_words:
        found["none:complaint"] = 1.0
    if good_words and not complaint_words:
        found["only:good"] = 1.0
    if good_words and complaint_words:
        found["good and bad"] = 1.0
    stops = "".join(tokens.stop.values())
    length = len(words)
    if "?" in stops:
        found["question"] = 1.0
        if not complaint_words:
            found["only:question"] = 1.0
    if "!" in stops:
        found["exclaim"] = min(stops.count("!"), 4) ** 0.5
    if ".." in stops or "…" in stops:
        found["ellipsis"] = 1.0
    if tokens.capitals:
        found["capitals"] = min(tokens.capitals, 6) ** 0.5
    if tokens.links:
        found["link"] = 1.0
    if tokens.tags:
        found["tag"] = min(tokens.tags, 4) ** 0.5
    if tokens.mentions > 1:
        found["mentions"] = 1.0
    found["length"] = math.log1p(length) / 4
    if length < 6:
        found["reply"] = 1.0
    for word in dict.fromkeys(words):
        if word[0].isdigit():
            found["#"] = 1.0
        else:
            found[f"w:{word}"] = 1.0
    return found


def _size(share: tuple[str, float]) -> float:
    return abs(share[1])


def judge(weights: Weights, found: dict[str, float], tokens: Tokens, hits: Sequence[Hit]) -> Complaint:
    """The triage of a text from its features."""
    shares = weights.shares(found)
    probability = weights.sigmoid(sum(share for _, share in shares))
    low, high = weights.unsure
    decision = Decision.YES if probability >= high else Decision.NO if probability < low else Decision.UNSURE
    return Complaint(probability, decision, tuple(_reasons(shares, tokens, hits)))


def _reasons(shares: Sequence[tuple[str, float]], tokens: Tokens, hits: Sequence[Hit]) -> list[str]:
    reasons: list[str] = []
    largest = sorted(shares, key=_size, reverse=True)[:REASONS_MAX]
    for name, share in sorted(
        largest, key=lambda share: share[0].startswith("told")
    ):  # what can be pointed at comes first
        sign = "+" if share > 0 else "−"
        kind, _, rest = name.partition(":")
        if kind == "lex":
            words = {
                tokens.evidence(hit.first, hit.last)
                for hit in hits
                if hit.mark.kind == "lexicon" and hit.mark.name == rest
            }
            shown = ", ".join(f"“{word}”" for word in sorted(words)[:3])
            reasons.append(f"{sign} {_SAYS.get(rest, rest)}{': ' + shown if shown else ''}")
        elif kind == "topic":
            reasons.append(f"{sign} about {rest.replace('_', ' ')}")
        elif kind in ("only", "none", "good and bad"):
            reasons.append(f"{sign} {name.replace(':', ' ')}")
        elif kind == "w":
            reasons.append(f"{sign} the word “{rest}”")
        else:
            reasons.append(f"{sign} {_SAYS.get(name, name)}")
    return reasons
