"""The tone guard: what it finds, what it leaves alone, and how it fares on sentences that its author did not write."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.wording import guard
from conversations.wording.findings import Severity
from conversations.wording.guard import Author
from conversations.wording.packs import load_packs
from conversations.wording.request import Act, Surface
from conversations.wording.rules import RULES, Rule

SENTENCES = Path(__file__).with_name("guard_sentences.jsonl")
PLAIN = Path(__file__).with_name("guard_plain.jsonl")

FAULTY = {
    Rule.BLAME: {
        "en": "You should have checked the size before ordering.",
        "de": "Sie hätten das vor der Bestellung prüfen müssen.",
        "es": "Debería haber leído las condiciones.",
        "fr": "Vous auriez dû lire la notice.",
        "pt": "Devia ter lido as condições.",
    },
    Rule.EXCUSE: {
        "en": "Due to high demand your parcel is late.",
        "de": "Aufgrund der hohen Nachfrage kommt Ihr Paket später.",
        "es": "Debido al alto volumen de pedidos, su paquete va con retraso.",
        "fr": "En raison d'une forte affluence, votre colis a du retard.",
        "pt": "Devido ao grande volume de encomendas, há atrasos.",
    },
    Rule.DISBELIEF: {
        "en": "Are you sure you plugged it in?",
        "de": "Sind Sie sicher, dass Sie es eingesteckt haben?",
        "es": "¿Está seguro de que lo enchufó?",
        "fr": "Êtes-vous sûr de l'avoir branché ?",
        "pt": "Tem a certeza de que o ligou?",
    },
    Rule.MINIMISING: {
        "en": "It is only a minor delay.",
        "de": "Das ist doch nur eine kleine Verzögerung.",
        "es": "Es solo un pequeño retraso.",
        "fr": "Ce n'est qu'un petit retard.",
        "pt": "É só um pequeno atraso.",
    },
    Rule.DEFENSIVENESS: {
        "en": "No other customer has complained about this.",
        "de": "Kein anderer Kunde hat sich bisher beschwert.",
        "es": "Ningún otro cliente se ha quejado.",
        "fr": "Aucun autre client ne s'est plaint.",
        "pt": "Mais nenhum cliente se queixou.",
    },
    Rule.EMPTY_EMPATHY: {
        "en": "We are sorry if you feel that way.",
        "de": "Es tut uns leid, falls Sie das so empfinden.",
        "es": "Lamentamos si se ha sentido así.",
        "fr": "Nous sommes désolés si vous avez ressenti cela.",
        "pt": "Lamentamos se se sentiu assim.",
    },
    Rule.STOCK_PHRASE: {
        "en": "We apologise for any inconvenience caused.",
        "de": "Wir bitten die Unannehmlichkeiten zu entschuldigen.",
        "es": "Disculpe las molestias ocasionadas.",
        "fr": "Veuillez nous excuser pour la gêne occasionnée.",
        "pt": "Pedimos desculpa pelos transtornos causados.",
    },
    Rule.UNDATED_PROMISE: {
        "en": "We will get back to you soon.",
        "de": "Wir werden uns bald bei Ihnen melden.",
        "es": "Le responderemos lo antes posible.",
        "fr": "Nous vous répondrons dès que possible.",
        "pt": "Responderemos o mais rapidamente possível.",
    },
    Rule.LEGAL_ADMISSION: {
        "en": "We were negligent and accept liability.",
        "de": "Wir haben fahrlässig gehandelt und haften dafür.",
        "es": "Fue una negligencia y asumimos la responsabilidad legal.",
        "fr": "C'est une négligence et notre responsabilité juridique est engagée.",
        "pt": "Foi negligência e assumimos a responsabilidade legal.",
    },
}
SOUND = {
    "en": "We sent you the wrong lamp. The right one leaves today and is with you by Thursday noon.",
    "de": "Wir haben Ihnen die falsche Lampe geschickt. Die richtige geht heute raus und ist Donnerstagmittag bei Ihnen.",
    "es": "Le enviamos la lámpara equivocada. La correcta sale hoy y le llega el jueves antes de las 12.",
    "fr": "Nous vous avons envoyé la mauvaise lampe. La bonne part aujourd'hui et arrive jeudi avant midi.",
    "pt": "Enviámos o candeeiro errado. O certo sai hoje e chega quinta-feira até às 12h.",
}


def rules(text: str, language: str = "en", surface: Surface = Surface.DIRECT, **more: object) -> set[str]:
    return {finding.rule for finding in guard.findings(text, language, surface, **more)}  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "language"), [(rule, language) for rule in FAULTY for language in FAULTY[rule]])
def test_each_rule_in_each_language(rule: Rule, language: str) -> None:
    assert rule.value in rules(FAULTY[rule][language], language, admissions_forbidden=True)


@pytest.mark.parametrize("language", SOUND)
def test_a_plain_answer_is_left_alone(language: str) -> None:
    assert rules(SOUND[language], language, admissions_forbidden=True, customer_language=language) == set()


def test_a_finding_carries_what_an_agent_needs() -> None:
    text = "Thanks. You should have checked the size, it is on the page."
    (found,) = guard.findings(text, "en", Surface.DIRECT)
    assert text[found.start : found.end].startswith("You should have")
    assert found.severity is Severity.WARNING
    assert (found.message, found.reason, found.suggestion) == (
        RULES[Rule.BLAME].message, RULES[Rule.BLAME].reason, RULES[Rule.BLAME].suggestion,
    )  # fmt: skip
    assert guard.findings(text, "en", Surface.DIRECT, Author.BOT)[0].severity is Severity.REFUSED


def test_admissions_are_found_only_where_the_admin_forbids_them() -> None:
    assert rules("We were negligent.") == set()
    assert rules("We were negligent.", admissions_forbidden=True) == {"legal_admission"}


@pytest.mark.parametrize(
    "text", ["Write to jo@example.com.", "Call +49 30 901820.", "Order number 4471-22-9931 is on its way today."]
)
def test_personal_data_is_refused_in_public_only(text: str) -> None:
    public = guard.findings(text, "en", Surface.PUBLIC)
    assert [(finding.rule, finding.severity) for finding in public] == [("personal_data", Severity.REFUSED)]
    assert rules(text) == set()


def test_what_the_customer_said_may_be_repeated_in_quotation_marks() -> None:
    for quoted in (
        'You wrote "are you sure you called".',
        "Sie schreiben „sind Sie sicher“.",
        "«¿está seguro de eso?»",
    ):
        assert "disbelief" not in rules(quoted, "es" if "«" in quoted else "de" if "„" in quoted else "en")
    assert "disbelief" in rules('You wrote "no". Are you sure?')


def test_a_date_makes_a_promise_and_a_vague_time_does_not() -> None:
    assert rules("We will refund you by Friday.") == set()
    assert rules("We will refund you. It is on your account by Friday.") == set()
    assert rules("You ordered on Monday. We will refund you soon.") == {"undated_promise"}
    assert rules("So we will call you?") == set()
    assert rules("So we will call you.") == {"undated_promise"}


def test_feeling_alone_is_empty_and_feeling_with_something_in_it_is_not() -> None:
    assert rules("Oh no, we're so sorry. That must be frustrating.") == {"empty_empathy"}
    assert rules("We're so sorry. The replacement left today.") == set()
    assert rules("We're so sorry.", part=True) == set()


def test_the_bot_proposes_nothing_where_it_listens() -> None:
    assert "proposal" in rules("Would you like a refund?", author=Author.BOT, act=Act.REFLECT)
    assert "proposal" not in rules("You get a refund of €80, as agreed.", author=Author.BOT, act=Act.CONFIRM_PLAN)
    assert "proposal" not in rules("You get a refund of €80 on Friday.")


def test_another_language_than_the_customers() -> None:
    text = "We have sent the replacement today and it arrives on Thursday."
    assert rules(text, "es", customer_language="es") == {"other_language"}
    assert "other_language" not in rules(text, customer_language="en-GB")
    assert "other_language" not in rules("OK!", customer_language="es")


def test_length_is_judged_in_the_places_own_measure() -> None:
    assert rules("漢" * 141, weight_max=280) == {"over_length"}
    assert rules("漢" * 140, weight_max=280) == set()


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "😀😀", "‮abc", "ﷺ" * 200, "a" * 12_000, "\n" * 12_000])
def test_odd_texts_are_judged(text: str) -> None:
    for language in ("en", "xx"):
        found = guard.findings(text, language, Surface.PUBLIC, customer_language="en")
        assert all(0 <= finding.start <= finding.end <= len(text) for finding in found)


@given(st.text(max_size=300))
def test_places_are_inside_the_text(text: str) -> None:
    for finding in guard.findings("You should have known. " + text, "en", Surface.PUBLIC):
        assert 0 <= finding.start <= finding.end <= len(text) + 23


@pytest.mark.parametrize("language", sorted(load_packs()))
def test_no_text_makes_it_slow(language: str) -> None:
    guard.findings("warm", language, Surface.PUBLIC)
    began = time.process_time()
    assert rules("you should have " * 70_000, language) == {"over_length"}
    assert time.process_time() - began < 0.05
    for word in ("we will not be sorry if ", "due to our your the ", "a ", "wir sie haben nicht ", "de la que no se "):
        guard.findings((word * 12_000)[:12_000], language, Surface.PUBLIC)
    assert time.process_time() - began < 5.0


def test_every_pack_has_every_rule_and_no_other() -> None:
    by_engine = {Rule.PERSONAL_DATA, Rule.OVER_LENGTH, Rule.OTHER_LANGUAGE}
    for pack in load_packs().values():
        assert set(pack.guard) - {"classes"} == {rule.value for rule in Rule} - {rule.value for rule in by_engine}
        guard.build_patterns(pack)


def test_the_same_words_are_found_once() -> None:
    assert rules("We apologise for any inconvenience this may have caused.") == {"stock_phrase"}
    assert rules("Nobody else has complained about this.") == {"defensiveness"}
    found = guard.findings("We were negligent, and will pay you soon.", "en", Surface.DIRECT, admissions_forbidden=True)
    assert {finding.rule for finding in found} == {"legal_admission", "undated_promise"}


def test_a_long_sentence_is_more_than_its_feeling() -> None:
    assert rules("I understand that this is frustrating.") == {"empty_empathy"}
    flights = "the two of you were put on different flights without a word from anybody at the gate"
    long = f"I understand that this is frustrating, and {flights}."
    assert rules(long) == set()


@pytest.mark.parametrize("file", [SENTENCES, PLAIN], ids=["sentences", "plain"])
@pytest.mark.parametrize(("language", "recall_min"), [("en", 0.85), ("de", 0.8), ("es", 0.8), ("fr", 0.8), ("pt", 0.8)])
def test_on_sentences_by_somebody_who_had_not_read_its_rules(language: str, recall_min: float, file: Path) -> None:
    count: Counter[str] = Counter()
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["language"] != language:
            continue
        surface = Surface.PUBLIC if row.get("public") else Surface.DIRECT
        found = rules(row["text"], language, surface, admissions_forbidden=True)
        at_fault = {fault["rule"] for fault in row["faults"]}
        count["found"] += len(found)
        count["right"] += len(found & at_fault)
        count["faults"] += len(at_fault)
    assert count["right"] / count["found"] >= 0.9
    assert count["right"] / count["faults"] >= recall_min
