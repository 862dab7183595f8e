"""Choosing and composing a text: the most specific template that fits, the same way every time.

Order: situation before topic before general, the most telling situation first; a published template before the default of
the same place; among variants a stable hash of the conversation decides, among phrasings one of the seed. No randomness, no
clock: the same request gives the same text on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from math import gcd

from conversations.errors import HearoutError
from conversations.wording.facts import known
from conversations.wording.length import weighted_length
from conversations.wording.packs import Pack, load_packs
from conversations.wording.request import Act, Rendered, Request, Surface, TemplateUse
from conversations.wording.template import Line, Slot, Template

TRIES_MAX = 128
"""How many combinations of phrasings are tried for one template before the next, less specific one is asked."""
MISSES_MAX = 12
"""How many combinations may be too long before shorter phrasings are asked."""
_STRIDE = 0x9E3779B97F4A7C15  # the golden ratio of 2^64 (Knuth): neighbours in the walk differ in most slots

Stage = list[tuple[Slot, list[Line]]]
_Said = dict[int, tuple[str, int]]


class NoTemplate(HearoutError):
    """Nothing fits a request: no template of its act, surface and language can be said with what is known."""


class Wording:
    """The texts of all languages, ready to be rendered. Immutable after construction; does no I/O."""

    def __init__(self, packs: Mapping[str, Pack], published: Iterable[Template] = ()) -> None:
        """``published`` are admins' versions on top of the defaults. Raises TemplateError if one does not parse."""
        self.packs = dict(packs)
        self.published = tuple(published)
        self._index: dict[tuple[str, Act, Surface], list[Template]] = {}
        for template in self.published:
            _ = template.slots  # a broken one must never replace a good one
            self._add(template)
        for pack in self.packs.values():
            for template in pack.templates:
                self._add(template)
        for templates in self._index.values():
            templates.sort(key=_general)  # stable: what was published stays first

    @staticmethod
    @cache
    def default() -> Wording:
        """The wording that comes with Hearout."""
        return Wording(load_packs())

    def with_published(self, published: Iterable[Template]) -> Wording:
        """The same packs with other published versions on top."""
        return Wording(self.packs, published)

    def _add(self, template: Template) -> None:
        self._index.setdefault((template.language, template.act, template.surface), []).append(template)

    def templates(self, language: str, act: Act, surface: Surface) -> tuple[Template, ...]:
        """All templates of an act, most specific first."""
        return tuple(self._index.get((language, act, surface), ()))

    def render(self, request: Request) -> Rendered:
        """The text for a request.

        Raises NoTemplate if nothing fits: an unknown language (the caller gives the brand's first one instead), a limit
        that even the shortest wording exceeds, or facts that an act cannot do without (``propose_plan`` without steps).
        """
        language = self.language(request.language)
        values = known(request.facts, request.situations, request.surface)
        if request.topic and (noun := self.packs[language].nouns.get(request.topic)):
            values.setdefault("topic_thing", noun.thing)
            values.setdefault("topic_about", noun.about)
        for template in self._candidates(language, request):
            for text, variant in combinations(template, values, request.seed, request.weight_max):
                if text not in request.avoid:
                    use = TemplateUse(template.name, variant, template.version)
                    return Rendered(text, str(use), language, request)
        situations = ", ".join(situation.value for situation in request.situations) or "none"
        raise NoTemplate(
            f"{request.act.value}, {request.surface.value}, {language}: no template fits (situations: {situations}; "
            f"facts: {', '.join(sorted(values)) or 'none'}; at most {request.weight_max}); "
            "add a general template or a shorter one"
        )

    def language(self, language: str) -> str:
        """The pack's code for a language tag ("pt-BR" is "pt"). Raises NoTemplate if there is none."""
        code = language.replace("_", "-").split("-")[0].lower()
        if code not in self.packs:
            raise NoTemplate(
                f"no wording in {language!r}: there is {', '.join(self.packs)}; use the brand's first language"
            )
        return code

    def _candidates(self, language: str, request: Request) -> Iterator[Template]:
        situations = frozenset(request.situations)
        fitting = [
            template
            for template in self._index.get((language, request.act, request.surface), ())
            if (template.topic is None or template.topic == request.topic) and template.situations <= situations
        ]
        order = {situation: number for number, situation in enumerate(request.situations)}
        fitting.sort(key=lambda template: (_general(template), sorted(order[s] for s in template.situations)))
        start = 0
        while start < len(fitting):
            first, end = fitting[start], start + 1
            while end < len(fitting) and fitting[end].key == first.key and fitting[end].published == first.published:
                end += 1
            if end - start > 1:  # variants; by place as well, so that experiments on two acts do not go together
                turn = start + _hash(request.assigned or request.seed, f"variant {first.place}") % (end - start)
                yield from fitting[turn:end]
                yield from fitting[start:turn]
            else:
                yield first
            start = end


def _general(template: Template) -> tuple[int, bool]:
    """What sorts the most specific first: situations count more than the topic."""
    return -len(template.situations), template.topic is None


def _hash(seed: str, purpose: str) -> int:
    digest = blake2b(f"{purpose}\0{seed}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def combinations(
    template: Template, values: Mapping[str, object], seed: str, weight_max: int | None = None
) -> Iterator[tuple[str, str]]:
    """Texts of a template that can be said and fit, as (text, variant), the seed's own choice first.

    Where the most concrete phrasings are too long, shorter ones follow, at last without the optional slots.
    """
    number = _hash(seed, template.name)
    said: _Said = {}
    for stage in stages(template, values):
        yield from _combined(stage, values, said, number, weight_max)


def stages(template: Template, values: Mapping[str, object]) -> Iterator[Stage]:
    """The slots with what can be said in each, best first; nothing if the template cannot be said at all.

    First the most concrete phrasings, with the optional slots dropped one by one from the last; then all phrasings,
    likewise; at last the shortest of each slot alone.
    """
    sayable, prepared = _prepared(template, frozenset(values))
    yield from prepared
    if sayable:
        yield [
            (slot, [min(lines, key=lambda line: len(line.phrase.render(values)))])
            for slot, lines in sayable
            if not slot.optional
        ]


@lru_cache(maxsize=8_192)
def _prepared(template: Template, names: frozenset[str]) -> tuple[Stage, tuple[Stage, ...]]:
    """What can be said when these names are known, and its stages: the values do not matter yet."""
    said = [(slot, slot.sayable(names)) for slot in template.slots if slot.applies(names)]
    if any(not lines and not slot.optional for slot, lines in said):
        return [], ()
    said = [(slot, lines) for slot, lines in said if lines]
    concrete = [(slot, [line for line in lines if line.concrete == lines[0].concrete]) for slot, lines in said]
    if any(lines[0].concrete != lines[-1].concrete for _, lines in said):
        return said, (*_dropping(concrete), *_dropping(said))
    return said, tuple(_dropping(concrete))


def _dropping(stage: Stage) -> Iterator[Stage]:
    yield stage
    for index in range(len(stage) - 1, -1, -1):
        if stage[index][0].optional:
            stage = stage[:index] + stage[index + 1 :]
            yield stage


def _combined(
    stage: Stage, values: Mapping[str, object], said: _Said, number: int, weight_max: int | None
) -> Iterator[tuple[str, str]]:
    """Combinations of a stage that fit, the seed's own first. ``said`` keeps what was rendered for this request."""
    count = 1
    for _, lines in stage:
        count *= len(lines)
    stride = _STRIDE % count or 1
    while gcd(stride, count) != 1:  # so that every combination comes once
        stride += 1
    misses = 0
    for attempt in range(min(count, TRIES_MAX)):
        rest = (number + attempt * stride) % count
        parts: list[str] = []
        variant: list[str] = []
        weight = 0
        for slot, lines in stage:
            rest, index = divmod(rest, len(lines))
            words, weighs = _words(lines[index], values, said)
            if words:
                if parts:
                    parts.append("\n\n" if slot.paragraph else " ")
                    weight += len(parts[-1])
                parts.append(words)
                weight += weighs
                variant.append(str(lines[index].number))
        if parts and (weight_max is None or weight <= weight_max):
            yield "".join(parts), "-".join(variant)
        else:
            misses += 1
            if misses > MISSES_MAX or (misses == 1 and _least(stage, values, said) > (weight_max or 0)):
                return


def _words(line: Line, values: Mapping[str, object], said: _Said) -> tuple[str, int]:
    """A phrasing with its values in place, and its weight. Weights add up, since slots are joined by spaces."""
    found = said.get(id(line))
    if found is None:
        words = line.phrase.render(values)
        found = said[id(line)] = (words, _weight(words))
    return found


def _least(stage: Stage, values: Mapping[str, object], said: _Said) -> int:
    """The weight of a stage's shortest combination."""
    least = [min(_words(line, values, said)[1] for line in lines) for _, lines in stage]
    return sum(least) + sum(2 if slot.paragraph else 1 for slot, _ in stage[1:])


@lru_cache(maxsize=16_384)
def _weight(words: str) -> int:
    return weighted_length(words)
