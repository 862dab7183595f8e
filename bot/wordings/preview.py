"""How a source would look: as a post on X with its real weight, as a direct message, and in Slack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.wordings.places import Place
from bot.wordings.samples import SAMPLES, Sample, facts_of
from conversations.errors import TemplateError
from conversations.wording.chooser import combinations
from conversations.wording.facts import known
from conversations.wording.length import SLACK_CHARS_MAX, X_DIRECT_CHARS_MAX, X_POST_WEIGHT_MAX, weighted_length
from conversations.wording.lint import INTRODUCES
from conversations.wording.packs import load_packs
from conversations.wording.request import Situation, Surface


class Screen(StrEnum):
    """Where a customer reads it."""

    X_POST = "x_post"
    DIRECT = "direct"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Look:
    """A text on a screen. ``length`` is in that screen's own measure (X posts: weighted characters), ``length_max`` its limit.

    ``text`` is None where the source cannot be said of this customer or is not for this screen; ``why_not`` says which.
    """

    screen: Screen
    text: str | None
    length: int
    length_max: int
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A source as one sample customer would read it. ``problem`` is set, and ``looks`` empty, while it cannot be parsed."""

    sample: Sample
    looks: tuple[Look, ...]
    problem: str = ""

    def look(self, screen: Screen) -> Look:
        """One screen. Raises KeyError while the source cannot be parsed."""
        return {look.screen: look for look in self.looks}[screen]


_LIMITS = {Screen.X_POST: X_POST_WEIGHT_MAX, Screen.DIRECT: X_DIRECT_CHARS_MAX, Screen.SLACK: SLACK_CHARS_MAX}


def preview(
    source: str, place: Place, sample: Sample, *, brand: Mapping[str, object] | None = None, number: int = 0
) -> Preview:
    """A source on all three screens, for one sample customer. ``number`` turns to other phrasings: 0, 1, 2 …

    ``brand`` are the brand's own facts (``brand``, ``signature``, ``privacy_url``); without them the samples' are used.
    """
    template = place.template(source)
    try:
        _ = template.slots
    except TemplateError as error:
        return Preview(sample, (), f"line {error.line}: {error.message}")
    situations = {*sample.situations, *place.situations}
    if place.act in INTRODUCES:
        situations.add(Situation.FIRST_REPLY)
    facts = facts_of(sample, place.language, brand or {})
    looks = []
    for screen in Screen:
        surface = Surface.PUBLIC if screen is Screen.X_POST else Surface.DIRECT
        if screen is Screen.SLACK:
            surface = place.surface
        if surface is not place.surface:
            why = "never said in public" if surface is Surface.PUBLIC else "only said in public"
            looks.append(Look(screen, None, 0, _LIMITS[screen], why))
            continue
        values = known(facts, situations, surface)
        topic = place.topic or sample.topic
        if topic and (noun := load_packs()[place.language].nouns.get(topic)):
            values.setdefault("topic_thing", noun.thing)
            values.setdefault("topic_about", noun.about)
        limit = X_POST_WEIGHT_MAX if screen is Screen.X_POST else None
        text = next((text for text, _ in combinations(template, values, f"preview {number}", limit)), None)
        if text is None:
            why = "needs a fact that is not known of this customer, or is too long: another template would be chosen"
            looks.append(Look(screen, None, 0, _LIMITS[screen], why))
        else:
            length = weighted_length(text) if screen is Screen.X_POST else len(text)
            looks.append(Look(screen, text, length, _LIMITS[screen]))
    return Preview(sample, tuple(looks))


def previews(source: str, place: Place, *, brand: Mapping[str, object] | None = None) -> list[Preview]:
    """A source as every sample customer would read it."""
    return [preview(source, place, sample, brand=brand) for sample in SAMPLES]
