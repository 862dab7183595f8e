"""What the customer does with the text: says yes, thanks, asks for a human, is ironic. One rule a cue, in any language.

Phrases of the language pack are the evidence. A cue that closes, thanks, agrees or opts out is *certain* only when nothing
speaks against it: no irony, no contrast ("but"), no condition, no complaint, no question, and few words that are not
understood. Everything else is *likely*, and a human judges: misreading an angry customer costs more than an agent's minute.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import Certainty, Cue, CueName
from conversations.comprehension.tokens import Tokens

LONG_OPT_OUT = 8
"""With more words than these that say something else, "stop …" may be about another thing than the messages."""
LONG_UNKNOWN = 4
"""An answer to "are you happy?" with so many words that say neither yes nor thanks is taken as a no, never as certain."""
NEGATED_WORDS = 3
"""A negator turns a phrase that begins within this many words after it."""

ECHO_WORDS = 3
"""A question of so few words without a question word, answered by its own writer, is an echo."""
TRAILING_WORDS = 4
"""A text shorter than this that ends in dots hesitates; a longer one goes on."""

_TURNS = {
    "satisfied": "unsatisfied", "agrees": "declines", "confirms": "adds", "thanks": "unsatisfied", "yes": "no",
}  # fmt: skip
_SHIELDS = {"satisfied", "agrees", "done", "vague"}
"""Phrases that take the sting out of the words in them: "no problem" is no "no", "nothing to complain about" no complaint."""
_SHIELDED = {
    "no",
    "declines",
    "unsatisfied",
    "needs_more",
    "more_to_come",
    "adds",
    "states_wish",
    "venting",
    "contrast",
}
_BAD = ("anger", "disappointment", "failure", "contact_fail", "sad_face", "irony")
_UNDERSTOOD = frozenset(
    {"yes", "no", "confirms", "agrees", "thanks", "satisfied", "done", "filler", "opts_out", "asks_for_human"}
)
_DATED = {"day", "month"}
_ALL_ANSWERS = frozenset(CueName)
_OUTCOME = {CueName.SATISFIED, CueName.UNSATISFIED, CueName.NEEDS_MORE, CueName.ONLY_THANKS, CueName.ADDS}
ANSWERS: dict[str, frozenset[CueName]] = {
    "story": frozenset({CueName.ONLY_THANKS}),
    "mirror": frozenset({CueName.CONFIRMS, CueName.ADDS, CueName.ONLY_THANKS}),
    "plan": frozenset({CueName.AGREES, CueName.DECLINES, CueName.ONLY_THANKS}),
    "check_back": frozenset(_OUTCOME),
    "resolved": frozenset(_OUTCOME),
}
"""What an answer can be, by what was asked; the other cues may stand in any text."""
_NUMBERED = re.compile(
    r"(?<![\w/.,])\(?(\d{1,2})\s?(?:/|of|de|von|sur)\s?(\d{1,2}|n|x|\?)?\)?(?![\w/]|[.,]\d)", re.IGNORECASE
)


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
    facts: bool
    negators: int
    classes: Sequence[AbstractSet[str]]
    """The classes of each word."""

    def best(self, name: str) -> Hit | None:
        """The strongest, then longest phrase of a section."""
        hits = self.cues.get(name)
        if not hits:
            return None
        if len(hits) == 1:
            return hits[0]
        return max(hits, key=lambda hit: (hit.mark.weight, hit.last - hit.first))

    def sure(self, name: str) -> bool:
        """Whether a section has a phrase that counts as certain."""
        hits = self.cues.get(name)
        return hits is not None and any(hit.mark.weight >= 1 for hit in hits)

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
    shielded = _shield(hits, len(words), _SHIELDS)
    denied = _shield(hits, len(words), {"unsatisfied", "states_wish"})
    sentence = tokens.sentence
    asking = {number for number, stop in tokens.stop.items() if "?" in stop}
    for hit in hits:
        mark = hit.mark
        if mark.kind == "cue" and mark.name == "satisfied" and denied(hit):
            continue  # "solved for you, perhaps"; "i want my money back"
        if shielded(hit) and (mark.kind == "lexicon" or (mark.kind == "cue" and mark.name in _SHIELDED)):
            continue
        if mark.kind == "cue":
            name = mark.name
            if name == "satisfied" and (_swallows(pack, words, hit) or tokens.sentence[hit.first] in asking):
                name = "unsatisfied" if hit.mark.weight >= 1 else "vague"  # "Solved?" doubts it
            elif (
                name == "no"
                and sentence[hit.first] in asking
                and hit.first
                and sentence[hit.first - 1] == sentence[hit.first]
            ):
                continue  # a tag: "…, ¿no?"
            elif name in _TURNS and not (name == "thanks" and shielded(hit)) and _negated(pack, tokens, hit):
                name = _TURNS[name]
            elif name == "condition" and tokens.clause[hit.first] != tokens.clause[hit.last - 1]:
                continue  # "sí, me parece" is no "si me parece"
            elif name == "satisfied" and _quoted(tokens, hit):
                name = "irony"
            elif mark.name in _UNDERSTOOD:
                covered.update(range(hit.first, hit.last))
            cues.setdefault(name, []).append(hit)
        elif mark.kind == "lexicon":
            lexicon[mark.name] = lexicon.get(mark.name, 0) + 1
        elif mark.kind == "risk":
            risky = True
        elif mark.kind == "topic" and mark.weight >= 1:
            topical = True
    plain = [index for index, word in enumerate(words) if word[0].isalnum()]
    classes = [pack.phrases.classes_of(word) for word in words]
    small, negating = pack.small, pack.negators
    unknown = len([index for index in plain if index not in covered and words[index] not in small])
    facts = any(names and not _DATED.isdisjoint(names) for names in classes) or any(
        words[i][0].isdigit() for i in plain
    )
    negators = len([index for index in plain if words[index] in negating])
    return Evidence(pack, tokens, cues, lexicon, unknown, len(plain), risky, topical, facts, negators, classes)


def _shield(hits: Sequence[Hit], count: int, names: Collection[str]) -> Callable[[Hit], bool]:
    """Whether a hit lies inside a longer phrase of the sections named; linear in the hits."""
    long = [hit for hit in hits if hit.mark.kind == "cue" and hit.mark.name in names and hit.mark.weight >= 1]
    if not long:
        return _never
    reach = [(0, 0)] * count
    for hit in long:
        reach[hit.first] = max(reach[hit.first], (hit.last, -hit.first))
    for index in range(1, count):
        reach[index] = max(reach[index], reach[index - 1])

    def shielded(hit: Hit) -> bool:
        last, first = reach[hit.first]
        return last > hit.last or (last == hit.last and -first < hit.first)

    return shielded


def _never(hit: Hit) -> bool:
    """Nothing is inside nothing."""
    return False


def _swallows(pack: LanguagePack, words: Sequence[str], hit: Hit) -> bool:
    """Whether the gap of a phrase has taken a negator: "the money is not there" is no "the money .. there"."""
    return any(word in pack.negators for word in words[hit.first + 2 : hit.last - 1])


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


def _quoted(tokens: Tokens, hit: Hit) -> bool:
    """Whether the last word of a phrase stands in scare quotes: is "resolved"."""
    before, after = tokens.start[hit.last - 1] - 1, tokens.end[hit.last - 1]
    return before >= 0 and tokens.text[before] in "\"'" and tokens.text[after : after + 1] in ('"', "'")


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


def read_cues(seen: Evidence, asked: str | None = None) -> tuple[Cue, ...]:
    """Every cue in the text. ``asked`` is what the customer is answering (``ReadingContext.asked``), if that is known."""
    found: dict[CueName, tuple[bool, Hit | None]] = {}
    moods = _Moods(seen)
    answering = ANSWERS.get(asked or "", _ALL_ANSWERS)
    _yes_and_no(seen, moods, asked, found)
    if CueName.SATISFIED in answering:
        _outcome(seen, moods, asked is not None, found)
    if CueName.ONLY_THANKS in answering:
        _thanks(seen, moods, found)
    _standing_alone(seen, moods, found)
    if CueName.ADDS in answering and (hit := seen.best("adds")) is not None:
        found[CueName.ADDS] = hit.mark.weight >= 1, hit
    elif CueName.ADDS in answering and moods.facts and seen.unknown_words >= 3 and CueName.STATES_WISH not in found:
        found[CueName.ADDS] = False, None
    good = seen.best("satisfied") or seen.best("thanks") or seen.best("yes") or seen.best("agrees")
    if good and (moods.contrast or moods.unhappy or seen.sure("needs_more")):
        found[CueName.MIXED] = (
            bool(moods.contrast),
            moods.contrast or seen.best("unsatisfied") or seen.best("needs_more"),
        )
    return tuple(_cues(seen.tokens, found))


class _Moods:
    """What speaks against a certain closing, looked at once."""

    def __init__(self, seen: Evidence) -> None:
        stops = seen.tokens.stop.values()
        self.question = any("?" in stop for stop in stops)
        self.ironic = seen.sure("irony")
        self.contrast = seen.best("contrast")
        self.condition = seen.sure("condition")
        self.denies = seen.any("no", "declines")
        self.unhappy = seen.any("unsatisfied") or seen.any("venting") or seen.complains
        self.facts = seen.facts
        self.vague = bool(seen.best("vague"))
        marks = "".join(stops)
        self.loud = (
            "!!" in marks or "??" in marks or "?!" in marks or seen.tokens.capitals > 2 or "sad_face" in seen.lexicon
        )
        self.trouble = self.ironic or self.unhappy or seen.risky
        self.clear = not (self.trouble or self.contrast or self.condition or self.question or seen.best("irony"))


def _yes_and_no(
    seen: Evidence, moods: _Moods, asked: str | None, found: dict[CueName, tuple[bool, Hit | None]]
) -> None:
    """Confirms what was mirrored; agrees to, or declines, what was proposed."""
    answering = ANSWERS.get(asked or "", _ALL_ANSWERS)
    yes = seen.best("yes")
    denies = seen.sure("declines") or (seen.sure("no") and not seen.sure("agrees"))
    for name, section in ((CueName.CONFIRMS, "confirms"), (CueName.AGREES, "agrees")):
        own = seen.best(section)
        hit = own if own and (not yes or own.mark.weight >= yes.mark.weight) else yes
        if name not in answering or hit is None or (hit.mark.weight < 1 and (moods.ironic or denies)):
            continue
        certain = hit.mark.weight >= 1
        if name is CueName.AGREES and asked and (not certain or moods.vague or (moods.question and moods.contrast)):
            continue  # "fine", "we'll see", "yes but not before Friday?": a human asks again
        if denies and not (own and own.mark.weight >= 1 and name is CueName.CONFIRMS):
            continue
        if name is CueName.CONFIRMS:
            found[name] = certain and not (moods.denies or moods.ironic or moods.contrast), hit
        elif not moods.ironic and not (moods.contrast and moods.condition):
            known = seen.unknown_words <= (5 if own and own.mark.weight >= 1 else 2)
            others = seen.any("needs_more", "opts_out", "asks_for_human", "states_wish")
            found[name] = certain and moods.clear and known and not others and not moods.denies, hit
    if CueName.DECLINES in answering:
        declines, no = seen.best("declines"), seen.best("no")
        agreed = CueName.AGREES in found
        if (denies and not agreed) or (declines and not yes):
            found[CueName.DECLINES] = bool(denies and not yes), declines or no
        elif moods.contrast and (agreed or yes) and seen.sure("states_wish"):
            found[CueName.DECLINES] = False, moods.contrast
            found.pop(CueName.AGREES, None)


def _outcome(seen: Evidence, moods: _Moods, asked: bool, found: dict[CueName, tuple[bool, Hit | None]]) -> None:
    """Satisfied, unsatisfied, or in need of something more."""
    tokens = seen.tokens
    satisfied, unsatisfied, more = seen.best("satisfied"), seen.best("unsatisfied"), seen.best("needs_more")
    happy = bool(satisfied and satisfied.mark.weight >= 1)
    short = seen.word_count <= 12
    if satisfied and not moods.ironic:
        spoken = [
            hit for hit in seen.cues["satisfied"] if tokens.words[hit.first][0].isalnum() and hit.mark.weight >= 1
        ]
        positives = len({hit.last for hit in spoken})
        others = seen.any("opts_out", "asks_for_human", "more_to_come", "needs_more")
        certain = happy and moods.clear and not moods.denies and not others
        plain = positives > 1 or any(hit.last - hit.first > 1 for hit in spoken)  # "fine" alone is lukewarm
        certain = certain and plain and seen.unknown_words <= 2 * positives - 1
        only_emoji = not spoken and seen.best("thanks") is not None  # "thanks 👍" says nothing about the outcome
        vague = moods.vague and not plain
        if (happy and not only_emoji and not vague) or (not asked and short and not moods.unhappy and not moods.denies):
            found[CueName.SATISFIED] = certain, satisfied
    wish = seen.best("states_wish")
    if more and (more.mark.weight >= 1 or short):
        found[CueName.NEEDS_MORE] = more.mark.weight >= 1, more
    elif asked and wish and wish.mark.weight >= 1:
        found[CueName.NEEDS_MORE] = False, wish
    closes = bool(seen.best("done")) and not moods.trouble  # "no, that's all": nothing else is wrong
    if unsatisfied and (unsatisfied.mark.weight >= 1 or moods.unhappy):
        found[CueName.UNSATISFIED] = unsatisfied.mark.weight >= 1 and not happy, unsatisfied
    elif (
        asked
        and not (happy or moods.vague or closes or CueName.NEEDS_MORE in found)
        and (moods.trouble or moods.denies or (seen.unknown_words >= LONG_UNKNOWN and not moods.question))
    ):
        found[CueName.UNSATISFIED] = False, seen.best("venting") or seen.best("no")
    if asked and closes and moods.denies and seen.best("thanks") and CueName.UNSATISFIED not in found:
        found.setdefault(CueName.SATISFIED, (False, seen.best("done")))


def _thanks(seen: Evidence, moods: _Moods, found: dict[CueName, tuple[bool, Hit | None]]) -> None:
    """Nothing but thanks."""
    thanks = seen.best("thanks")
    if not thanks or moods.trouble or moods.question or seen.best("needs_more") or seen.unknown_words > 3:
        return
    words = seen.tokens.words
    if any(words[hit.first][0].isalnum() for name in ("agrees", "confirms", "yes") for hit in seen.cues.get(name, ())):
        return  # a thumb beside the thanks is no yes
    others = seen.any("no", "declines", "opts_out", "asks_for_human", "states_wish", "adds")
    others = others or found.get(CueName.SATISFIED, (False, None))[0]
    found[CueName.ONLY_THANKS] = (
        moods.clear and not others and seen.unknown_words <= 1 and seen.word_count <= 25,
        thanks,
    )


def _standing_alone(seen: Evidence, moods: _Moods, found: dict[CueName, tuple[bool, Hit | None]]) -> None:
    """The cues that do not depend on what was asked."""
    sentence = seen.tokens.sentence
    told = {sentence[hit.first] for hit in seen.cues.get("spoke", ())}
    for name, section in ((CueName.ASKS_FOR_HUMAN, "asks_for_human"), (CueName.OPTS_OUT, "opts_out")):
        hit = seen.best(section)
        if name is CueName.ASKS_FOR_HUMAN and hit is not None and sentence[hit.first] in told:
            continue  # "I spoke to a human yesterday" tells of one
        if name is CueName.OPTS_OUT and hit is not None and hit.mark.weight < 1 and not _alone(seen, hit):
            continue  # "stop, I was not done" stops nobody's messages
        if hit is not None and (hit.mark.weight >= 1 or seen.word_count <= LONG_OPT_OUT):
            certain = hit.mark.weight >= 1 and not moods.ironic and not moods.condition
            certain = (
                certain and (hit.last - hit.first > 1 or seen.word_count <= 2) and seen.unknown_words <= LONG_OPT_OUT
            )
            found[name] = certain and not (moods.question and name is CueName.OPTS_OUT), hit
    for name, section in ((CueName.DONE, "done"), (CueName.STATES_WISH, "states_wish")):
        hit = seen.best(section)
        if name is CueName.STATES_WISH and hit is not None and _elsewhere(seen, found):
            continue  # "I want to talk to a person" is no remedy
        if name is CueName.DONE and seen.any("more_to_come", "opts_out"):
            continue  # "I am not done", "no more messages"
        if hit is not None and hit.mark.weight >= 1:
            found[name] = True, hit
    venting = seen.best("venting")
    if (
        (venting and venting.mark.weight >= 1)
        or seen.lexicon.get("anger")
        or (moods.loud and not seen.sure("satisfied"))
    ):
        found[CueName.VENTING] = bool(venting and venting.mark.weight >= 1), venting
    irony = seen.best("irony")
    if moods.ironic or (irony and (seen.lexicon.get("praise") or seen.best("thanks")) and moods.unhappy):
        found[CueName.IRONY] = moods.ironic, irony
    asked = _question(seen)
    if asked is not None:
        found[CueName.QUESTION] = asked
    coming = seen.best("more_to_come")
    number = numbered(seen.tokens.text)
    announced = number is not None and (number[1] is None or number[0] < number[1])
    certain = announced or bool(coming and coming.mark.weight >= 1)
    if certain or _trails_off(seen):
        found[CueName.MORE_TO_COME] = certain, coming
    if number and number[0] == number[1]:
        found[CueName.DONE] = True, seen.best("done")


def _alone(seen: Evidence, hit: Hit) -> bool:
    """Whether a phrase is nearly the whole text."""
    return seen.word_count <= hit.last - hit.first + 2


def _elsewhere(seen: Evidence, found: dict[CueName, tuple[bool, Hit | None]]) -> bool:
    """Whether every wish stands in a sentence that asks for a human or for silence."""
    sentence = seen.tokens.sentence
    taken = {
        sentence[hit.first]
        for name in (CueName.ASKS_FOR_HUMAN, CueName.OPTS_OUT)
        if name in found and (hit := found[name][1]) is not None and hit.mark.weight >= 1
    }
    wishes = seen.cues.get("states_wish", ())
    return all(sentence[hit.first] in taken and (hit.last - hit.first <= 3) for hit in wishes if hit.mark.weight >= 1)


def _question(seen: Evidence) -> tuple[bool, Hit | None] | None:
    """A question that wants an answer: not a request in the form of one, not a rhetorical one, not mockery."""
    tokens = seen.tokens
    other = {
        tokens.sentence[hit.first]
        for name in ("asks_for_human", "venting", "irony", "states_wish", "opts_out", "more_to_come")
        for hit in seen.cues.get(name, ())
        if hit.mark.weight >= 1 or name == "asks_for_human"
    }
    asking = {tokens.sentence[hit.first]: hit for hit in seen.cues.get("question", ())}
    marked = {number for number, stop in tokens.stop.items() if "?" in stop and "??" not in stop and "!" not in stop}
    last = tokens.sentence[-1] if tokens.words else 0
    size = Counter(tokens.sentence)
    for number in sorted(marked - other):
        if number in asking or number == last or size[number] > ECHO_WORDS:  # "Solved? I see nothing" asks nothing
            return number in asking, asking.get(number)
    for number in sorted(asking.keys() - other):
        if number not in tokens.stop and number == last and not (seen.sure("declines") or seen.sure("venting")):
            return False, asking[number]
    return None


def _trails_off(seen: Evidence) -> bool:
    if seen.word_count < TRAILING_WORDS:
        return False  # "fine..." hesitates
    tokens = seen.tokens
    text = tokens.text.rstrip()
    if text.endswith(("...", "…", "..", ",", ":", "-", "–")):
        return True
    plain = tokens.plain
    return len(plain) >= 3 and plain[-1] in seen.pack.open_ends and not text.endswith((".", "!", "?"))


def _cues(tokens: Tokens, found: dict[CueName, tuple[bool, Hit | None]]) -> Iterable[Cue]:
    for name in CueName:
        if name in found:
            certain, hit = found[name]
            certainty = Certainty.CERTAIN if certain else Certainty.LIKELY
            yield Cue(name, certainty, tokens.evidence(hit.first, hit.last) if hit else tokens.text.strip()[-40:])
