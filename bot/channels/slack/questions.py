"""Buttons under the two questions that a yes or no answers: the plan, and the check-back. Typing works as well.

A click is a post of the customer; what it means is certain in every language. It counts only from the customer, and
only on the question
that was asked last: a yes to an older plan is no yes to the new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.store.records import OutboxRow
from conversations.comprehension.reading import Certainty, Cue, CueName, Reading
from conversations.conversation import Conversation, Outcome
from conversations.wording.request import Act

ACTION = "hearout-answer:"
SECTION_CHARS_MAX = 2_900
ASKING = frozenset({Act.PROPOSE_PLAN.value, Act.CHECK_BACK.value})

LABELS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    Act.PROPOSE_PLAN.value: {
        "en": ("Yes, I agree", "No"),
        "de": ("Ja, einverstanden", "Nein"),
        "es": ("Sí, de acuerdo", "No"),
        "fr": ("Oui, d'accord", "Non"),
        "pt": ("Sim, concordo", "Não"),
    },
    Act.CHECK_BACK.value: {
        "en": ("Yes, I'm happy with it", "No, not yet"),
        "de": ("Ja, ich bin zufrieden", "Nein, noch nicht"),
        "es": ("Sí, estoy satisfecho", "No, todavía no"),
        "fr": ("Oui, je suis satisfait", "Non, pas encore"),
        "pt": ("Sim, estou satisfeito", "Não, ainda não"),
    },
}
"""What the buttons say, by act and language."""

WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    Act.PROPOSE_PLAN.value: {
        "en": ("Yes, I agree.", "No, I don't agree."),
        "de": ("Ja, einverstanden.", "Nein, damit bin ich nicht einverstanden."),
        "es": ("Sí, de acuerdo.", "No, no estoy de acuerdo."),
        "fr": ("Oui, d'accord.", "Non, je ne suis pas d'accord."),
        "pt": ("Sim, concordo.", "Não, não concordo."),
    },
    Act.CHECK_BACK.value: {
        "en": ("Yes, I'm happy with it.", "No, I'm not happy with it."),
        "de": ("Ja, ich bin zufrieden.", "Nein, ich bin nicht zufrieden."),
        "es": ("Sí, estoy satisfecho.", "No, no estoy satisfecho."),
        "fr": ("Oui, je suis satisfait.", "Non, je ne suis pas satisfait."),
        "pt": ("Sim, estou satisfeito.", "Não, não estou satisfeito."),
    },
}
"""What a click says in the customer's name, kept word for word."""


def buttons(row: OutboxRow, text: str) -> list[dict[str, Any]] | None:
    """The message as blocks with its two buttons; None for words that ask nothing, or are too long for blocks.
    ``text`` is safe already."""
    act = row.act or ""
    if act not in ASKING or len(text) > SECTION_CHARS_MAX:
        return None
    language = str(row.body.get("language") or "en")
    yes, no = LABELS[act].get(language) or LABELS[act]["en"]
    value = json.dumps(
        {"case": row.conversation, "key": row.key, "act": act, "language": language}, separators=(",", ":")
    )
    if len(value) > 1_900:
        return None
    elements = [
        {
            "type": "button",
            "action_id": f"{ACTION}yes",
            "text": {"type": "plain_text", "text": yes},
            "value": value,
            "style": "primary",
        },
        {"type": "button", "action_id": f"{ACTION}no", "text": {"type": "plain_text", "text": no}, "value": value},
    ]
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}, {"type": "actions", "elements": elements}]


def settled(case: Conversation, act: str) -> bool:
    """Whether the customer has said yes to the latest question already, in their own words or by an earlier click: another
    yes tells nothing, and would open a case again that is done."""
    if act == Act.PROPOSE_PLAN.value:
        return case.plan is not None and case.plan.agreed_at is not None
    return case.outcome is Outcome.SATISFIED


CUES: Mapping[str, tuple[CueName, CueName]] = {
    Act.PROPOSE_PLAN.value: (CueName.AGREES, CueName.DECLINES),
    Act.CHECK_BACK.value: (CueName.SATISFIED, CueName.UNSATISFIED),
}
"""What a yes and a no mean."""


def read(reading: Reading, act: str, text: str, yes: bool) -> Reading:
    """The reading of a click: no irony hides in a button."""
    return replace(reading, cues=(Cue(CUES[act][0 if yes else 1], Certainty.CERTAIN, text),))


def words(act: str, language: str, yes: bool) -> str:
    """What a click says."""
    said = WORDS[act].get(language) or WORDS[act]["en"]
    return said[0] if yes else said[1]
