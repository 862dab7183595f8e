"""The rules of the tone guard: what each finds, why it matters to an angry customer, and what to write instead.

The patterns are data, one file per language: ``languages/<lang>/templates/guard.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from conversations.wording.findings import Severity


class Rule(StrEnum):
    """What can be wrong with a text's tone or content."""

    BLAME = "blame"
    EXCUSE = "excuse"
    DISBELIEF = "disbelief"
    MINIMISING = "minimising"
    DEFENSIVENESS = "defensiveness"
    EMPTY_EMPATHY = "empty_empathy"
    STOCK_PHRASE = "stock_phrase"
    UNDATED_PROMISE = "undated_promise"
    LEGAL_ADMISSION = "legal_admission"
    PERSONAL_DATA = "personal_data"
    OVER_LENGTH = "over_length"
    OTHER_LANGUAGE = "other_language"
    PROPOSAL = "proposal"


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A rule in words for people. ``agent`` is its severity in an agent's reply: a warning can be overridden."""

    message: str
    reason: str
    suggestion: str
    agent: Severity = Severity.WARNING


RULES: Mapping[Rule, RuleWords] = {
    Rule.BLAME: RuleWords(
        "puts the fault on the customer",
        "Somebody who is told that it is their own doing stops listening and goes on complaining elsewhere.",
        "Say what happened without saying who did it, or what we should have made clearer.",
    ),
    Rule.EXCUSE: RuleWords(
        "names a cause to be excused by",
        "Causes sound like excuses: to the customer it is one company, whoever in it failed.",
        "Leave the cause out. Say that the service broke down, and what happens now.",
    ),
    Rule.DISBELIEF: RuleWords(
        "doubts what the customer says",
        "Doubt makes the customer the accused; the story has to be told again, louder.",
        "Take the story as told. Ask only what you need in order to act, and say what for.",
    ),
    Rule.MINIMISING: RuleWords(
        "makes the problem smaller than it is to the customer",
        "How large it is, the customer decides; being told to calm down does the opposite.",
        "Name what it cost the customer, in the customer's measure.",
    ),
    Rule.DEFENSIVENESS: RuleWords(
        "defends the company",
        "Praise of ourselves, or of how happy others are, says that the complaint is not welcome.",
        "Take no offence: say what you heard, and what you do now.",
    ),
    Rule.EMPTY_EMPATHY: RuleWords(
        "shows feeling without anything in it",
        "“Sorry if” and “sorry you feel” apologise for the customer's reaction, and feeling alone changes nothing.",
        "Apologise for what happened, name the thing, and say what you do about it.",
    ),
    Rule.STOCK_PHRASE: RuleWords(
        "is a form letter's phrase",
        "Everybody has read it a hundred times: it says that nobody has read the complaint.",
        "Say it in your own words, with the customer's concrete thing in it.",
    ),
    Rule.UNDATED_PROMISE: RuleWords(
        "promises without a date",
        "“Soon” starts a wait without an end; the next post of the customer asks when.",
        "Name the day and the hour, even if all you can promise for then is news.",
    ),
    Rule.LEGAL_ADMISSION: RuleWords(
        "admits something in legal terms",
        "Your admin wants liability, negligence and damages left to people who may decide on them.",
        "Take responsibility for the service in plain words: “this broke down, and that is on us”.",
    ),
    Rule.PERSONAL_DATA: RuleWords(
        "shows personal data to everybody",
        "Anybody can read it, copy it, and use it against the customer.",
        "Take it out, or write it in a direct message.",
        Severity.REFUSED,
    ),
    Rule.OVER_LENGTH: RuleWords(
        "is longer than the place allows",
        "It would be cut, or refused by the platform.",
        "Shorten it.",
        Severity.REFUSED,
    ),
    Rule.OTHER_LANGUAGE: RuleWords(
        "is in another language than the customer's",
        "An answer that cannot be read is no answer.",
        "Write in the customer's language, or send it knowingly as it is.",
    ),
    Rule.PROPOSAL: RuleWords(
        "proposes or names a remedy",
        "The bot listens; what is offered, an agent decides, and the customer agrees to it first.",
        "Ask what would put it right instead.",
    ),
}
