"""The guard's second reading: what it adds to the phrases, what it takes back, what it leaves alone."""

import json
from pathlib import Path

import pytest

from conversations.comprehension.tokens import clean, tokenize
from conversations.wording import guard
from conversations.wording.guard import Author
from conversations.wording.packs import load_packs
from conversations.wording.request import Surface
from conversations.wording.rules import RULES, Rule
from conversations.wording.weighing import SENTENCES_MAX, parts, senses_of, weigher
from tests.benchmarks.wording import FRESH, judged
from tests.corpus.guard import AUTHORS, SENTENCES
from tests.corpus.guard import RULES as LEARNT

TOLD = {
    "en": ("Anybody who reads the label knows that it shrinks.", "The form was sent again today."),
    "de": ("Die Uhrzeit stand eigentlich gut lesbar auf dem Zettel.", "Das Formular ging heute noch einmal an Sie raus."),
    "es": ("Quien llega tarde ya sabe a lo que se expone.", "El formulario se le ha enviado otra vez hoy."),
    "fr": ("Quand on ne lit pas son contrat, cela finit forcément ainsi.", "Le formulaire est reparti aujourd'hui."),
    "pt": ("O aviso ficou um mês na porta, à vista de todos.", "O formulário seguiu hoje outra vez."),
}


def found(text: str, language: str, author: Author = Author.AGENT) -> list[tuple[str, str]]:
    return [
        (finding.rule, text[finding.start : finding.end])
        for finding in guard.findings(text, language, Surface.DIRECT, author, admissions_forbidden=True)
    ]


@pytest.mark.parametrize("language", sorted(TOLD))
def test_a_reproach_told_as_a_fact_is_found_and_the_finding_is_the_sentence(language: str) -> None:
    reproach, act = TOLD[language]
    assert found(act, language) == []
    assert found(f"{act} {reproach}", language) == [("blame", reproach.rstrip("."))]


def test_templates_are_judged_by_the_phrases_alone() -> None:
    reproach, act = TOLD["en"]
    assert found(f"{act} {reproach}", "en", Author.BOT) == []


def test_a_finding_of_the_second_reading_carries_what_an_agent_needs() -> None:
    reproach, _ = TOLD["de"]
    (finding,) = guard.findings(reproach, "de", Surface.DIRECT)
    words = RULES[Rule.BLAME]
    assert (finding.message, finding.reason, finding.suggestion) == (words.message, words.reason, words.suggestion)
    assert finding.severity == words.agent


def test_steps_questions_and_requests_are_left_alone() -> None:
    for text in ("send it again by courier", "Which of the two boxes was open?", "Please send me a photo of the plug."):
        assert found(text, "en") == []


def test_what_other_sentences_hold_is_a_sign() -> None:
    tokens = tokenize(clean("We feel for you. It was refunded today."))
    feeling, act = parts(tokens, senses_of("en"))
    assert {"~feel", "~feel/with-done", "~~done", ":first"} <= {*feeling.signs.more}
    assert {"~done", "~date", ":last"} <= {*act.signs.more}
    assert "~feel/no-done" in parts(tokenize("We feel for you."), senses_of("en"))[0].signs.more


def test_only_the_beginning_of_a_long_text_is_weighed() -> None:
    assert len(parts(tokenize("A word. " * 1_000), senses_of("en"))) == SENTENCES_MAX


@pytest.mark.parametrize("language", sorted(load_packs()))
def test_every_language_has_senses_of_the_same_names_and_weights_for_the_rules(language: str) -> None:
    packs = load_packs()
    assert set(packs[language].senses) == set(packs["en"].senses)
    second = weigher(language)
    assert second is not None
    assert set(second.network.heads) == set(LEARNT)
    assert {name.rstrip("-") for name in second.network.limits} <= set(LEARNT)


def test_what_is_learnt_from_and_what_is_measured_with_do_not_meet() -> None:
    def texts(file: Path) -> set[str]:
        return {json.loads(line)["text"] for line in file.read_text(encoding="utf-8").splitlines()}

    fresh = set().union(*map(texts, FRESH))
    assert not {*FRESH} & {*AUTHORS.values()}
    assert not fresh & set().union(*map(texts, AUTHORS.values()))
    assert not fresh & {line for file in SENTENCES.glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines()}


@pytest.mark.parametrize(("file", "precision", "recall", "alarms"), [
    (FRESH[0], 0.9, 0.84, 0.08), (FRESH[1], 0.86, 0.8, 0.06), (FRESH[2], 0.84, 0.78, 0.11),
], ids=lambda value: getattr(value, "stem", None))  # fmt: skip
def test_on_messages_that_nothing_was_learnt_from(file: Path, precision: float, recall: float, alarms: float) -> None:
    count = judged(file)["all"]
    assert count["right"] / count["found"] >= precision
    assert count["right"] / count["faults"] >= recall
    assert count["alarms"] / count["sound"] <= alarms
