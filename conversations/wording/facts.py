"""The facts that a template may name: what each is, where it may stand, and its longest real value.

A fact is *known* when its value is there and is neither None, False nor empty. ``longest`` is the longest value that is
real for the fact, so that lint can prove lengths; ``sample`` is what a preview shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conversations.wording.request import Situation, Surface


@dataclass(frozen=True, slots=True)
class Fact:
    """One name that templates may use."""

    name: str
    about: str
    sample: str | bool
    longest: str | bool
    direct_only: bool = False


def _fact(name: str, about: str, sample: str | bool, chars_max: int = 0, direct_only: bool = False) -> Fact:
    longest = sample if isinstance(sample, bool) else (sample + " " + "m" * chars_max)[: max(chars_max, len(sample))]
    return Fact(name, about, sample, longest, direct_only)


FACTS: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        _fact("brand", "the brand's name, as configured", "Acme", 20),
        _fact("signature", "how the brand signs, as configured", "– Acme Care", 24),
        _fact("topic_thing", "the thing it is about, as a noun phrase; in public the safe noun", "the parcel", 32),
        _fact("topic_about", "the same after a preposition, filled in from the topic", "about the parcel", 40),
        _fact(
            "quote", "the customer's own concrete words, cleaned by the mirror", "three weeks for a parcel", 160, True
        ),
        _fact("wish", "what would put it right, in the customer's words", "here by Friday or money back", 120, True),
        _fact("since", "how long it has gone on, in the customer's words", "three weeks", 40, True),
        _fact("team", "the name of the queue's team", "the delivery team", 28),
        _fact("answer_by", "when a person will answer, as spoken time", "4:30 PM today", 30),
        _fact("hours", "when people are there, in honest words", "Monday to Friday, 9 AM to 6 PM", 48),
        _fact("dm_invite", "direct messages are possible and not running short", True),
        _fact("dm_link", "a link that opens a direct message to us", "https://x.com/messages/compose?recipient_id=1"),
        _fact(
            "steps",
            "the plan, one numbered step with its date per line (plan_text)",
            "1. Courier, by 6:00 PM on Thursday",
            600,
        ),
        _fact("remedy", "the remedy that an agent chose", "a refund of €80", 48),
        _fact("done_text", "what was done, in the agent's words", "your parcel was delivered on Friday", 200, True),
        _fact("helpline", "where to get help now, from the admin", "Samaritans, 116 123", 40),
        _fact("promise_text", "what was promised, in the plan's words", "the courier delivery", 120, True),
        _fact("promise_due", "when it was promised for, as spoken time", "6:00 PM on Thursday", 30, True),
        _fact("customer_question", "what the customer asked last, cleaned", "Will it be here by Friday?", 160, True),
        _fact("agent", "the first name of the agent who owns the case", "Noor", 24, True),
        _fact("privacy_url", "the brand's privacy policy", "https://acme.example/privacy", 60, True),
        _fact("updates_paused", "the customer muted the bot, and a promise is still running", True),
        _fact(
            "incident_update",
            "what is known of an incident, written by an admin for everybody it affects",
            "This has gone on since 9:40 AM; the next news comes here at 1 PM.",
            110,
        ),
        _fact("round", "which round of check-back this is: 1, 2, 3", "2", 1),
    )
}

SITUATIONS: frozenset[str] = frozenset(situation.value for situation in Situation)
NAMES: frozenset[str] = frozenset(FACTS) | SITUATIONS
"""Every name that a template or a slot's condition may use; a situation is true when the request has it."""

NEUTRAL: frozenset[str] = frozenset({"brand", "signature"}) | SITUATIONS
"""Facts that do not make a phrasing more concrete: using them gives no precedence."""


def concreteness(name: str) -> int:
    """How much naming a fact shows that we listened: the customer's own words most of all."""
    return 0 if name in NEUTRAL else 2 if name in ("quote", "done_text") else 1


PUBLIC_THING = "topic_things_public"
"""The caller's name for the safe noun; in public it takes the place of ``topic_thing``."""


def known(facts: Mapping[str, object], situations: Iterable[Situation], surface: Surface) -> dict[str, object]:
    """The facts and situations that a template of this surface may rely on, without what is unknown or not for it."""
    public = surface is Surface.PUBLIC
    values: dict[str, object] = {situation.value: True for situation in situations}
    for name, value in facts.items():
        if value is None or value is False or value == "":
            continue
        fact = FACTS.get(name)
        if fact is None or (public and (fact.direct_only or name == "topic_thing")):
            continue
        values[name] = value
    if public and (thing := facts.get(PUBLIC_THING)):
        values["topic_thing"] = thing
    return values
