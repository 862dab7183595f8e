"""Lint: what is wrong with a template, before anybody reads it.

``check_template`` judges one source, as an admin edits it; ``lint`` judges all templates, with the proof that a public
act has enough different texts. Nothing is sampled where it can be counted: lengths, questions,
introductions and apologies add up over slots, so the least and the most of each are known for every combination.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, product

from conversations.errors import TemplateError
from conversations.wording import guard
from conversations.wording.chooser import Wording, combinations, stages
from conversations.wording.facts import FACTS, PUBLIC_THING, known
from conversations.wording.findings import Finding, Severity
from conversations.wording.length import X_POST_WEIGHT_MAX, urls, weighted_length
from conversations.wording.packs import Pack, load_packs
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.spoken import spoken_samples
from conversations.wording.template import Line, Slot, Template

SOURCE_CHARS_MAX = 30_000
_WORD = re.compile(r"\w+")
_QUESTION = re.compile(r"\?(?=[\s\"”»)]|$)")
TEXTS_MIN = 300
"""So many different texts a public act has at least: X suspends accounts for many near-identical replies."""
SLOTS_MIN, PHRASINGS_MIN = 4, 5
QUESTIONS_MAX: Mapping[Surface, int] = {Surface.PUBLIC: 1, Surface.DIRECT: 3}
SHARED_WORDS_MAX = 0.85
PLAN_CHARS_PUBLIC = 110
"""A plan's steps in a public post: longer ones go by direct message."""
INTRODUCES = frozenset({Act.RECEIVE, Act.ACKNOWLEDGE})
"""Always the first thing we say."""
MAY_INTRODUCE = frozenset({Act.REFLECT, Act.HAND_OVER} | {act for act in Act if act.value.startswith("risk_")})
"""The first thing we say in the situation ``first_reply``."""
NEVER_SORRY = frozenset({Act.RECEIVE} | {act for act in Act if act.value.startswith("risk_")})
ALWAYS_SORRY = frozenset({Act.ACKNOWLEDGE, Act.REFLECT, Act.CONFIRM_PLAN})
NO_QUESTION = frozenset(act for act in Act if act.value.startswith("risk_"))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A moment in which a template may be said: what is known then."""

    name: str
    values: Mapping[str, object]


def lint(wording: Wording | None = None, language: str | None = None) -> list[Finding]:
    """Everything that is wrong with all templates, of one language or of all; each message names its template."""
    wording = wording or Wording.default()
    found: list[Finding] = []
    for code, pack in wording.packs.items():
        if language not in (None, code):
            continue
        for act, surface in product(Act, Surface):
            templates = wording.templates(code, act, surface)
            if not any(not template.topic and not template.situations for template in templates):
                missing = (
                    f"{code}.{act.value}.{surface.value}: no general template: every act needs one on every surface"
                )
                found.append(Finding("missing", missing, 0, 0, Severity.REFUSED))
            for template in templates:
                found += [
                    replace(finding, message=f"{template.name} ({template.where}): {finding.message}")
                    for finding in _check(template, pack, strict=not template.published)
                ]
    return found


def check_template(
    source: str,
    act: Act,
    language: str,
    surface: Surface,
    situations: Iterable[Situation] = (),
    packs: Mapping[str, Pack] | None = None,
) -> list[Finding]:
    """What is wrong with one template's source (``hearout templates check``), in the order of the text.

    REFUSED findings stop it from being published. Too few different texts are a warning: a single text may be wanted.
    """
    packs = packs or load_packs()
    pack = packs.get(language.replace("_", "-").split("-")[0].lower()) or packs["en"]
    template = Template(pack.language, act, surface, source, situations=frozenset(situations), where="template")
    return sorted(_check(template, pack, strict=False), key=lambda finding: (finding.start, finding.end))


def _check(template: Template, pack: Pack, strict: bool) -> list[Finding]:
    source = template.source
    if len(source) > SOURCE_CHARS_MAX:
        message = f"{len(source)} characters of source, at most {SOURCE_CHARS_MAX}"
        return [
            Finding("syntax", message, 0, len(source), Severity.REFUSED, "Customers read short texts.", "Shorten it.")
        ]
    try:
        slots = template.slots
    except TemplateError as error:
        start, end = _line(source, error.line)
        return [Finding("syntax", f"line {error.line}: {error.message}", start, end, Severity.REFUSED)]
    found: list[Finding] = []
    for slot in slots:
        found += _siblings(slot, source)
        for line in slot.lines:
            found += _phrase(line, slot, template, pack, strict)
    whole = (0, len(source))
    seen: set[str] = set()
    for scenario in scenarios(template, pack):
        for rule, severity, message, suggestion in _scenario(template, slots, scenario, pack, strict):
            if rule not in seen:
                seen.add(rule)
                text = f"{message} ({scenario.name})"
                found.append(Finding(rule, text, *whole, severity, _REASONS.get(rule, ""), suggestion))
    return found


_REASONS = {
    "intro": "The bot is plainly a bot, and says so once.",
    "apologies": "At most one apology per message: more sound insincere.",
    "questions": "One question is answered; several are an interrogation in public.",
    "over_length": "The bot's texts are never split.",
    "too_uniform": "X suspends accounts for many near-identical replies, and customers compare.",
    "unsayable": "Somebody would be left without an answer.",
}


def scenarios(template: Template, pack: Pack) -> Iterator[Scenario]:
    """The moments to check: with nothing known and with everything known at its longest, each first reply or not."""
    longest: dict[str, object] = {name: fact.longest for name, fact in FACTS.items()}
    things = [noun.thing for noun in pack.nouns.values()] or [str(longest["topic_thing"])]
    abouts = [noun.about for noun in pack.nouns.values()] or [str(longest["topic_about"])]
    longest["topic_thing"] = longest[PUBLIC_THING] = max(things, key=weighted_length)
    longest["topic_about"] = max(abouts, key=weighted_length)
    if template.surface is Surface.PUBLIC:
        longest["steps"] = str(longest["steps"])[:PLAN_CHARS_PUBLIC]
    first_only = template.act in INTRODUCES or Situation.LATE in template.situations  # late is only ever a first reply
    firsts = [True] if first_only else [True, False] if template.act in MAY_INTRODUCE else [False]
    for first, rich, invite in product(firsts, (True, False), (True, False)):
        facts = dict(longest) if rich else {"brand": longest["brand"]}
        if rich and not invite:
            facts.pop("dm_link")
        facts["dm_invite"] = invite
        extra = {Situation.FIRST_REPLY} if first else set()
        values = known(facts, template.situations | extra, template.surface)
        name = f"{'first reply' if first else 'later'}, {'everything' if rich else 'nothing'} known"
        yield Scenario(f"{name}, {'direct messages' if invite else 'no direct messages'}", values)


def _line(source: str, number: int) -> tuple[int, int]:
    lines = source.splitlines(keepends=True)
    if not 1 <= number <= len(lines):
        return 0, len(source)
    start = sum(len(line) for line in lines[: number - 1])
    return start, start + len(lines[number - 1].rstrip())


def _siblings(slot: Slot, source: str) -> Iterator[Finding]:
    """Phrasings of a slot that are too close to each other to be worth having both."""
    for index, line in enumerate(slot.lines):
        words = _content(line)
        for other in slot.lines[:index]:
            if line.phrase.needs != other.phrase.needs:
                continue
            others = _content(other)
            shared = len(words & others) / max(1, len(words | others))
            if words and shared > SHARED_WORDS_MAX:
                message = f"line {line.number} says nearly the same as line {other.number}"
                yield Finding(
                    "too_close", message, *_line(source, line.number), Severity.WARNING,
                    "It adds no variety.", "Say it in other words, or take it out.",
                )  # fmt: skip


def _content(line: Line) -> frozenset[str]:
    return frozenset(_WORD.findall(line.phrase.source.casefold()))


def _phrase(line: Line, slot: Slot, template: Template, pack: Pack, strict: bool) -> Iterator[Finding]:
    """What is wrong with one phrasing."""
    start, end = _line(template.source, line.number)
    phrase = line.phrase
    if template.surface is Surface.PUBLIC:
        for name in sorted(phrase.names | slot.wanted):
            if name in FACTS and FACTS[name].direct_only and not strict:
                yield Finding(
                    "private_fact", f"line {line.number}: {name} is never said in public", start, end, Severity.WARNING,
                    "Public texts carry no names and no quotes: this line will not be used.", "Leave it out.",
                )  # fmt: skip
        for at, until in urls(phrase.source):
            message = f"line {line.number}: {phrase.source[at:until]} would become a link"
            yield Finding(
                "public_url", message, start + at, start + until, Severity.REFUSED,
                "A post with a link costs more and looks like spam.", "Use dm_link, or no link.",
            )  # fmt: skip
    sample = _samples(template.language) | {situation.value: True for situation in template.situations}
    said = phrase.render(sample)
    plain = said == phrase.source
    lower = said.casefold()
    if any(mark in lower for mark in pack.marks.get("apology", ())):
        words = lower.replace(",", " ").replace(";", " ").replace(".", " ").split()
        for word in set(words) & set(pack.marks.get("no_apology_with", ())):
            yield Finding(
                "apology_formula", f"line {line.number}: an apology with “{word}”", start, end, Severity.REFUSED,
                "An apology takes responsibility: no cause, no condition, no objection.", f"Take “{word}” out.",
            )  # fmt: skip
    for finding in _guarded(said, template.language, template.surface, template.act in guard.NO_PROPOSAL, True):
        if finding.rule == "undated_promise" and slot.unwanted & {"answer_by", "steps"}:
            continue
        place = (start + finding.start, start + finding.end) if plain else (start, end)
        message = f"line {line.number}: “{said[finding.start : finding.end]}” {finding.message}"
        yield replace(finding, message=message, start=place[0], end=place[1])


@lru_cache(maxsize=16)
def _samples(language: str) -> dict[str, object]:
    return spoken_samples(language)


@lru_cache(maxsize=20_000)
def _guarded(text: str, language: str, surface: Surface, listens: bool, part: bool) -> tuple[Finding, ...]:
    """The tone guard, asked once for a phrasing that many templates share."""
    act = Act.ACKNOWLEDGE if listens else None
    return tuple(
        guard.findings(text, language, surface, guard.Author.BOT, act=act, admissions_forbidden=True, part=part)
    )


def _scenario(
    template: Template, slots: tuple[Slot, ...], scenario: Scenario, pack: Pack, strict: bool
) -> Iterator[tuple[str, Severity, str, str]]:
    """What is wrong in one moment, as (rule, severity, message, suggestion)."""
    act, surface, values = template.act, template.surface, scenario.values
    pairs = [(slot, slot.sayable(values.keys())) for slot in slots if slot.applies(values.keys())]
    if not pairs or any(not lines and not slot.optional for slot, lines in pairs):
        if not template.topic and strict:
            yield "unsayable", Severity.REFUSED, "cannot be said", "Add phrasings that need no facts."
        return
    pairs = [(slot, lines) for slot, lines in pairs if lines]
    texts = [[line.phrase.render(values) for line in lines if line.concrete == lines[0].concrete] for _, lines in pairs]
    limit = X_POST_WEIGHT_MAX if surface is Surface.PUBLIC else None

    introductions = _range(texts, lambda text: _count(text, pack.marks.get("intro", ())))
    wanted = 1 if act in INTRODUCES or (act in MAY_INTRODUCE and "first_reply" in values) else 0
    if introductions != (wanted, wanted):
        yield (
            "intro", Severity.REFUSED, f"introduces the bot {_words(introductions)} times, should be {wanted}",
            f"Say “{next(iter(pack.marks.get('intro', ('automated assistant',))))}” once, in the first reply only.",
        )  # fmt: skip
    sorry = _range(texts, lambda text: min(1, _count(text, pack.marks.get("apology", ()))))
    if sorry[1] > 1 or (sorry[1] and act in NEVER_SORRY):
        yield "apologies", Severity.REFUSED, f"apologises {_words(sorry)} times", "Keep one apology, or none here."
    if not sorry[0] and act in ALWAYS_SORRY:
        yield (
            "apologies",
            Severity.REFUSED,
            "does not always apologise",
            "Say sorry once, in every phrasing of one slot.",
        )
    questions = _range(texts, lambda text: len(_QUESTION.findall(text)))
    if questions[1] > (0 if act in NO_QUESTION else QUESTIONS_MAX[surface]):
        yield "questions", Severity.REFUSED, f"asks {_words(questions)} questions", "Ask one thing."
    if limit is not None and not any(True for _ in combinations(template, values, "shortest", limit)):
        yield (
            "over_length",
            Severity.REFUSED,
            f"never fits into {limit}",
            "Add shorter phrasings, or mark a slot [optional].",
        )
    count, varied = distinct_texts(template, values, limit), sum(len(set(said)) >= PHRASINGS_MIN for said in texts)
    if surface is Surface.PUBLIC and (count < TEXTS_MIN or varied < SLOTS_MIN):
        message = f"{count} different texts of {varied} slots that vary, at least {TEXTS_MIN} of {SLOTS_MIN}"
        yield (
            "too_uniform", Severity.REFUSED if strict else Severity.WARNING, message,
            f"Write {SLOTS_MIN} slots of {PHRASINGS_MIN} phrasings or more, short enough to fit.",
        )  # fmt: skip
    for text, _ in islice(combinations(template, values, "lint", limit), 8):
        for finding in _guarded(text, template.language, surface, act in guard.NO_PROPOSAL, False):
            if finding.rule == "empty_empathy":
                yield finding.rule, Severity.REFUSED, finding.message, finding.suggestion


def distinct_texts(template: Template, values: Mapping[str, object], weight_max: int | None = X_POST_WEIGHT_MAX) -> int:
    """How many different texts of a template fit, of the richest stage that the chooser goes through.

    Counted by length, not by writing them out.
    """
    most = 0
    for stage in stages(template, values):
        texts = [[line.phrase.render(values) for line in lines] for _, lines in stage]
        most = max(most, _fitting(texts, [0, *(2 if slot.paragraph else 1 for slot, _ in stage[1:])], weight_max))
    return most


def _fitting(texts: list[list[str]], gaps: list[int], limit: int | None) -> int:
    """How many combinations fit, by how many there are of each length."""
    counts = {0: 1}
    for said, gap in zip(texts, gaps, strict=True):
        longer: dict[int, int] = {}
        for text in set(said):
            weight = weighted_length(text) + gap
            for length, count in counts.items():
                if limit is None or length + weight <= limit:
                    longer[length + weight] = longer.get(length + weight, 0) + count
        counts = longer
    return sum(counts.values())


def _range(texts: list[list[str]], count: Callable[[str], int]) -> tuple[int, int]:
    """The least and the most of something over all combinations."""
    counted = [[count(text) for text in said] for said in texts]
    return sum(min(numbers) for numbers in counted), sum(max(numbers) for numbers in counted)


def _count(text: str, marks: Iterable[str]) -> int:
    lower = text.casefold()
    return sum(lower.count(mark) for mark in marks)


def _words(found: tuple[int, int]) -> str:
    return str(found[0]) if found[0] == found[1] else f"{found[0]} to {found[1]}"
