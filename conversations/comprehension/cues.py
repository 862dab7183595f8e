"""What the customer does with the text: says yes, thanks, asks for a human, is ironic. One rule a cue, in any language.

Phrases of the language pack are the evidence. A cue that closes, thanks, agrees or opts out is *certain* only when nothing
speaks against it: no irony, no contrast ("but"), no condition, no complaint, no question, and few words that are not
understood. Everything else is *likely*, and a human judges: misreading an angry customer costs more than an agent's minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Certainty, Cue, CueName
from conversations.comprehension.tokens import Tokens

NEGATED_WORDS = 3
"""A negator turns a phrase that begins within this many words after it."""

_TURNS = {
    "satisfied": "unsatisfied", "agrees": "declines", "confirms": "adds", "thanks": "unsatisfied", "yes": "no",
}  # fmt: skip
_BAD = ("anger", "disappointment", "failure", "contact_fail", "sad_face", "irony")
_NUMBERED = re.compile(r"(?<![\w/.,])\(?(\d{1,2})\s?(?:/|of|de|von|sur)\s?(\d{1,2}|n|x|\?)?\)?(?![\w/]|[.,]\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the rules look at: phrases by section with their strength, and what the text is like as a whole."""

    pack: LanguagePack
    tokens: Tokens
    cues: dict[str, list[Hit]]
    lexicon: dict[str, int]
    unknown_words: int
    word_count: int
    risky: bool
    topical: bool

    def best(self, name: str) -> Hit | None:
        """The strongest, then longest phrase of a section."""
        return max(self.cues.get(name, ()), key=lambda hit: (hit.mark.weight, hit.last - hit.first), default=None)

    def sure(self, name: str) -> bool:
        """Whether a section has a phrase that counts as certain."""
        hit = self.best(name)
        return hit is not None and hit.mark.weight >= 1

    def any(self, *names: str) -> bool:
        """Whether one of the sections has a phrase that counts as certain."""
        return any(self.sure(name) for name in names)

    @property
    def complains(self) -> bool:
        """Whether any word complains."""
        return any(self.lexicon.get(name) for name in _BAD)


def gather(pack: LanguagePack, tokens: Tokens, hits: Sequence[Hit]) -> Evidence:
    """Sort the phrases found, turning those that are negated."""
    cues: dict[str, list[Hit]] = {}
    lexicon: dict[str, int] = {}
    covered: set[int] = set()
    words = tokens.words
    risky = topical = False
    understood = ("yes", "no", "confirms", "agrees", "thanks", "satisfied", "done", "filler", "opts_out", "asks_for_human")
    for hit in hits:
        mark = hit.mark
        if mark.kind == "cue":
            name = mark.name
            if name in _TURNS and _negated(pack, tokens, hit):
                name = _TURNS[name]
            elif mark.name in understood:
                covered.update(range(hit.first, hit.last))
            cues.setdefault(name, []).append(hit)
        elif mark.kind == "lexicon":
            lexicon[mark.name] = lexicon.get(mark.name, 0) + 1
        elif mark.kind == "risk":
            risky = True
        elif mark.weight >= 1:
            topical = True
    plain = [index for index, word in enumerate(words) if word[0].isalnum()]
    unknown = sum(index not in covered and words[index] not in pack.small for index in plain)
    return Evidence(pack, tokens, cues, lexicon, unknown, len(plain), risky, topical)


def _negated(pack: LanguagePack, tokens: Tokens, hit: Hit) -> bool:
    words, clause = tokens.words, tokens.clause
    here = clause[hit.first]
    if any(word in pack.negators for word in words[hit.first : hit.last]):
        return False
    for index in range(hit.first - 1, max(-1, hit.first - 1 - NEGATED_WORDS), -1):
        if clause[index] != here:
            break
        if words[index] in pack.negators:
            return True
    for index in range(hit.last, min(len(words), hit.last + pack.negation_after)):
        if clause[index] != here:
            break
        if words[index] in pack.negators:
            return True
    return False


def numbered(text: str) -> tuple[int, int | None] | None:
    """The (part, parts) that a thread announces with "1/3"; parts is None for "1/" and "1/n"."""
    for match in _NUMBERED.finditer(text[:60] + "\n" + text[-12:] if len(text) > 80 else text):
        if match[2] is None and "/" not in match[0]:
            continue
        part, parts = int(match[1]), int(match[2]) if match[2] and match[2].isdigit() else None
        if 1 <= part <= 30 and (parts is None or (part <= parts <= 30 and parts > 1)):
            at_edge = match.start() < 25 or match.end() > len(text[:60]) - 3
            if at_edge:
                return part, parts
    return None


def read_cues(seen: Evidence) -> tuple[Cue, ...]:
    """Every cue in the text."""
    found: dict[CueName, tuple[Certainty, Hit | None]] = {}
    tokens = seen.tokens

    def add(name: CueName, certain: bool, hit: Hit | None) -> None:
        found[name] = (Certainty.CERTAIN if certain else Certainty.LIKELY, hit)

    question = any("?" in stop for stop in tokens.stop.values())
    ironic = seen.sure("irony")
    contrast = seen.best("contrast")
    condition = seen.sure("condition")
    denies = seen.any("no", "declines")
    unhappy = seen.any("unsatisfied") or seen.any("venting") or seen.complains
    clear = not (ironic or contrast or condition or question or unhappy or seen.risky or seen.best("irony"))
    short = seen.word_count <= 12

    # yes: confirms what was mirrored, agrees to what was proposed
    yes = seen.best("yes")
    for name, section, room in ((CueName.CONFIRMS, "confirms", 99), (CueName.AGREES, "agrees", 2)):
        own = seen.best(section)
        hit = own if own and (not yes or own.mark.weight >= yes.mark.weight) else yes
        if hit is None or (denies and not (own and own.mark.weight >= 1 and section == "confirms")):
            continue
        sure = hit.mark.weight >= 1 and not denies and not ironic and not contrast
        if name is CueName.AGREES:
            sure = sure and clear and seen.unknown_words <= room + (3 if own and own.mark.weight >= 1 else 0)
            sure = sure and not seen.any("needs_more", "opts_out", "asks_for_human", "states_wish")
        add(name, sure, hit)
    if denies or (seen.best("declines") and not yes):
        hit = seen.best("declines") or seen.best("no")
        add(CueName.DECLINES, bool(hit and hit.mark.weight >= 1 and not yes), hit)

    # closing: thanks, satisfied, unsatisfied, needs more
    thanks, satisfied, unsatisfied, more = (seen.best(name) for name in ("thanks", "satisfied", "unsatisfied", "needs_more"))
    trouble = ironic or unhappy or seen.risky
    if thanks and thanks.mark.weight >= 1 and not trouble and not question and not more and seen.unknown_words <= 3:
        others = seen.any("no", "declines", "opts_out", "asks_for_human", "states_wish", "adds")
        add(CueName.ONLY_THANKS, clear and not others and seen.unknown_words <= 1 and seen.word_count <= 25, thanks)
    if satisfied and not ironic:
        positives = len({hit.last for hit in seen.cues["satisfied"]})
        sure = satisfied.mark.weight >= 1 and clear and not (more and more.mark.weight >= 1) and not denies
        sure = sure and seen.unknown_words <= 3 + 2 * positives and not seen.any("opts_out", "asks_for_human", "more_to_come")
        if satisfied.mark.weight >= 1 or (short and not unhappy):
            add(CueName.SATISFIED, sure, satisfied)
    if unsatisfied and (unsatisfied.mark.weight >= 1 or unhappy):
        add(CueName.UNSATISFIED, unsatisfied.mark.weight >= 1 and not (satisfied and satisfied.mark.weight >= 1), unsatisfied)
    if more and (more.mark.weight >= 1 or short):
        add(CueName.NEEDS_MORE, more.mark.weight >= 1, more)

    # the rest stand on their own
    for name, section in (
        (CueName.ASKS_FOR_HUMAN, "asks_for_human"), (CueName.OPTS_OUT, "opts_out"), (CueName.DONE, "done"),
        (CueName.VENTING, "venting"), (CueName.ADDS, "adds"), (CueName.STATES_WISH, "states_wish"),
    ):  # fmt: skip
        hit = seen.best(section)
        if hit is not None:
            sure = hit.mark.weight >= 1
            if name in (CueName.OPTS_OUT, CueName.ASKS_FOR_HUMAN):
                sure = sure and not (question and name is CueName.OPTS_OUT) and not ironic and not condition
            add(name, sure, hit)
    if ironic or (seen.best("irony") and (seen.lexicon.get("praise") or thanks) and unhappy):
        add(CueName.IRONY, ironic, seen.best("irony"))
    asked = seen.best("question")
    if question or (asked and asked.mark.weight >= 1):
        add(CueName.QUESTION, question, asked)
    coming = seen.best("more_to_come")
    number = numbered(tokens.text)
    announced = number is not None and (number[1] is None or number[0] < number[1])
    trailing = _trails_off(seen)
    if announced or (coming and coming.mark.weight >= 1) or trailing:
        add(CueName.MORE_TO_COME, announced or bool(coming and coming.mark.weight >= 1), coming)
    if number and number[0] == number[1]:
        add(CueName.DONE, True, seen.best("done"))
    good = bool(satisfied or thanks or yes or seen.best("agrees"))
    if good and (contrast or unhappy or (more and more.mark.weight >= 1)):
        add(CueName.MIXED, bool(contrast), contrast or unsatisfied or more)
    return tuple(_cues(tokens, found))


def _trails_off(seen: Evidence) -> bool:
    tokens = seen.tokens
    text = tokens.text.rstrip()
    if text.endswith(("...", "…", "..", ",", ":", "-", "–")):
        return True
    plain = tokens.plain
    return len(plain) >= 3 and plain[-1] in seen.pack.open_ends and not text.endswith((".", "!", "?"))


def _cues(tokens: Tokens, found: dict[CueName, tuple[Certainty, Hit | None]]) -> Iterable[Cue]:
    for name in CueName:
        if name in found:
            certainty, hit = found[name]
            yield Cue(name, certainty, tokens.evidence(hit.first, hit.last) if hit else tokens.text.strip()[-40:])
