"""Sample customers for previews: one for each kind of moment, with what would be known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from conversations.wording.facts import FACTS, PUBLIC_THING
from conversations.wording.packs import load_packs
from conversations.wording.request import Situation
from conversations.wording.spoken import spoken_samples


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up customer. ``situations`` hold beside those of the template; ``without`` are facts that are not known.

    ``longest`` takes each fact at its longest real value.
    """

    key: str
    name: str
    topic: str | None = "delivery"
    situations: tuple[Situation, ...] = ()
    without: frozenset[str] = frozenset()
    longest: bool = False


_UNTOLD = frozenset({"quote", "wish", "since", "customer_question", "topic_thing", "topic_about"})
_NEVER = frozenset({"updates_paused"})

SAMPLES: tuple[Sample, ...] = (
    Sample("usual", "A late parcel, told in full"),
    Sample("little", "A complaint of few words, about nothing we know", topic=None, without=_UNTOLD),
    Sample("late", "The answer comes after the two hours", situations=(Situation.LATE,)),
    Sample("out_of_hours", "Written at night, when nobody works", situations=(Situation.OUT_OF_HOURS,)),
    Sample("media_only", "A picture without a word", None, (Situation.MEDIA_ONLY,), _UNTOLD),
    Sample("returning", "Had a case with us before", situations=(Situation.RETURNING,)),
    Sample("second_round", "Was not happy with the solution", situations=(Situation.SECOND_ROUND,)),
    Sample("incident", "One of many in a known incident", situations=(Situation.INCIDENT,)),
    Sample("no_direct", "Cannot write us direct messages", without=frozenset({"dm_invite", "dm_link"})),
    Sample("longest", "Everything at its longest", longest=True),
)
"""In the order in which a page offers them."""


def sample(key: str) -> Sample:
    """A sample by its key. Raises KeyError."""
    return {entry.key: entry for entry in SAMPLES}[key]


def facts_of(chosen: Sample, language: str, brand: Mapping[str, object]) -> dict[str, object]:
    """What is known of a sample customer, in a language; ``brand`` are the brand's own facts and come first."""
    facts: dict[str, object] = {}
    nouns = load_packs()[language].nouns
    for name, value in _spoken(language).items():
        if name in chosen.without or name in _NEVER or name in ("topic_thing", "topic_about"):
            continue
        facts[name] = FACTS[name].longest if chosen.longest and name not in ("dm_invite", "dm_link") else value
    facts.pop("dm_link", None)  # what is usual: X shows its own button, and a link costs more
    if chosen.longest and nouns:
        facts["topic_thing"] = facts[PUBLIC_THING] = max((noun.thing for noun in nouns.values()), key=len)
        facts["topic_about"] = max((noun.about for noun in nouns.values()), key=len)
    return facts | {name: value for name, value in brand.items() if not (chosen.longest and name == "brand")}


@cache
def _spoken(language: str) -> Mapping[str, object]:
    return spoken_samples(language)
