"""The dialogues of the design, read line by line: what each guard of the protocol gets to see."""

from __future__ import annotations

import pytest

from conversations.comprehension import Reader
from conversations.comprehension.reading import CueName, Decision, ReadingContext, RiskLevel

READER = Reader.default()


@pytest.mark.parametrize(
    ("text", "asked", "certain"),
    [
        ("yes. get it here by friday or give me my money back", "mirror", {CueName.CONFIRMS, CueName.STATES_WISH}),
        ("yes", "mirror", {CueName.CONFIRMS}),
        ("ok that works", "plan", {CueName.AGREES}),
        ("👍", "plan", {CueName.AGREES}),
        ("it came. she loved it. thanks", "check_back", {CueName.SATISFIED}),
        ("stop these bot messages and just refund me", None, {CueName.OPTS_OUT}),
        ("can I talk to a human please", None, {CueName.ASKS_FOR_HUMAN}),
        ("@brand 1/3 so here's what happened", None, {CueName.MORE_TO_COME}),
        ("@brand 3/3 I want the €80 back, that's all", None, {CueName.DONE, CueName.STATES_WISH}),
        ("no. still not fixed.", "check_back", {CueName.UNSATISFIED}),
        ("thanks!", "resolved", {CueName.ONLY_THANKS}),
        ("sí, de acuerdo", "plan", {CueName.AGREES}),
        ("einverstanden, so machen wir das", "plan", {CueName.AGREES}),
        ("oui, ça me va", "plan", {CueName.AGREES}),
        ("sim, combinado", "plan", {CueName.AGREES}),
        ("muchas gracias", "resolved", {CueName.ONLY_THANKS}),
        ("vielen dank", "resolved", {CueName.ONLY_THANKS}),
        ("merci beaucoup", "resolved", {CueName.ONLY_THANKS}),
        ("muito obrigada", "resolved", {CueName.ONLY_THANKS}),
    ],
)
def test_what_is_certain(text: str, asked: str | None, certain: set[CueName]) -> None:
    reading = READER.read(text, ReadingContext(asked=asked))
    assert {name for name in certain if reading.certain(name)} == certain


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("yes but the date was wrong", {CueName.CONFIRMS, CueName.AGREES, CueName.SATISFIED}),
        ("oh fantastic, another voucher I can't use, thanks for nothing", {CueName.SATISFIED, CueName.ONLY_THANKS}),
        ("sure, why not, what's another week", {CueName.AGREES, CueName.CONFIRMS}),
        ("happy, but no voucher yet", {CueName.SATISFIED, CueName.AGREES}),
        ("not happy at all", {CueName.SATISFIED}),
        ("no thanks", {CueName.AGREES, CueName.ONLY_THANKS}),
        ('so it is "resolved" then', {CueName.SATISFIED}),
        ("great, another delay", {CueName.SATISFIED, CueName.AGREES}),
        ("gracias por nada", {CueName.ONLY_THANKS, CueName.SATISFIED}),
        ("danke für nichts", {CueName.ONLY_THANKS, CueName.SATISFIED}),
        ("merci pour rien", {CueName.ONLY_THANKS, CueName.SATISFIED}),
        ("obrigado por nada", {CueName.ONLY_THANKS, CueName.SATISFIED}),
    ],
)
@pytest.mark.parametrize("asked", [None, "mirror", "plan", "check_back", "resolved"])
def test_what_is_never_certain(text: str, never: set[CueName], asked: str | None) -> None:
    reading = READER.read(text, ReadingContext(asked=asked))
    assert not {name for name in never if reading.certain(name)}


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("yes. get it here by friday or give me my money back", "get it here by friday or give me my money back"),
        ("@brand 3/3 I want the €80 back, that's all", "I want the €80 back"),
        ("@brand three weeks for a parcel", None),
        ("it broke. I want a refund to bob@example.com, now!", "I want a refund to [e-mail], now"),
    ],
)
def test_the_wish_in_the_customers_words(text: str, wish: str | None) -> None:
    assert READER.read(text).wish == wish


def test_a_story_is_told_by_its_facts() -> None:
    told = "order 4471-22. it was a birthday present. for my daughter. the birthday was saturday."
    assert READER.read(told).story_told
    assert not READER.read("@brand three weeks for a parcel and your chat just hangs up on me. unbelievable").story_told
    assert not READER.read("@brand 40 minutes on hold AGAIN. joke of a company").story_told


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("@brand three weeks for a parcel and your chat just hangs up on me. unbelievable", Decision.YES),
        ("@brand 40 minutes on hold AGAIN. joke of a company", Decision.YES),
        ("hey @Hearout our export has been failing since the update", Decision.YES),
        ("@brand llevo 3 semanas esperando y nadie contesta, qué vergüenza", Decision.YES),
        ("@brand seit drei wochen warte ich, niemand antwortet, eine frechheit", Decision.YES),
        ("@brand loving the new app icon 😍", Decision.NO),
        ("@brand do you ship to Malta?", Decision.NO),
    ],
)
def test_triage(text: str, decision: Decision) -> None:
    assert READER.read(text).complaint.decision is decision


def test_danger_is_red_with_its_evidence_and_never_set_aside() -> None:
    reading = READER.read("@brand your power bank started smoking next to my kid's bed tonight")
    assert reading.risk_level is RiskLevel.RED
    assert "smoking" in {risk.evidence for risk in reading.risk}
    assert reading.complaint.decision is not Decision.NO


@pytest.mark.parametrize(
    "text", ["I will sue you, see you in court", "you are all racist", "meine Oma ist 86 und lebt allein"]
)
def test_a_rhetorical_threat_is_amber(text: str) -> None:
    assert READER.read(text).risk_level is RiskLevel.AMBER


def test_the_language_of_a_short_answer_is_the_conversations() -> None:
    assert READER.read("ok", ReadingContext(language="de")).language == "de"
    assert READER.read("👍", ReadingContext(language="pt")).language == "pt"
    assert READER.read("@brand llevo 3 semanas esperando y nadie contesta").language == "es"


def test_an_unknown_language_goes_to_a_human() -> None:
    reading = READER.read("Dzień dobry, moja paczka nie dotarła od trzech tygodni i nikt nie odpowiada")
    assert reading.language == "pl"
    assert reading.complaint.decision is Decision.UNSURE
    assert not reading.cues


def test_a_reading_survives_its_json() -> None:
    reading = READER.read("1/2 my order 4471-22 is late AGAIN 😡 I want a refund")
    assert type(reading).from_json(reading.to_json()).to_json() == reading.to_json()
