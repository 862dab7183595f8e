"""Dangers: a phrase is never overlooked, traces are added, and everyday words that look dangerous call nobody."""

from __future__ import annotations

import pytest

from conversations.comprehension import Reader
from conversations.comprehension.phrases import Hit
from conversations.comprehension.reading import ReadingContext, RiskLevel
from conversations.comprehension.senses import Senses
from conversations.comprehension.signs import signs
from conversations.comprehension.traces import Traces

NAMED = [
    ("en", "the charger caught fire", "fire"),
    ("en", "I want to kill myself", "self_harm"),
    ("en", "we are stranded at the airport", "stranded"),
    ("de", "das Ladegerät hat Feuer gefangen", "fire"),
    ("es", "quiero morirme", "self_harm"),
    ("fr", "ça sent le gaz", "fire"),
    ("pt", "minha conta foi hackeada", "fraud"),
]
TRACES = [
    ("en", "the socket has gone brown and buzzes when the kettle is on"),
    ("en", "your fitter keeps texting me at night and asks if I live alone"),
    ("de", "seit der Spritze spüre ich mein halbes Gesicht nicht mehr"),
    ("es", "desde la inyección no siento media cara"),
    ("fr", "il reste une dose d'insuline et la valise est à Rome"),
    ("pt", "a tomada ficou castanha e estala quando ligo a chaleira"),
]
HARMLESS = [
    "my washing machine was delivered broken and nobody picks it up",
    "the table I ordered arrived with a broken leg",
    "we waited in the street and nobody came",
    "My wife called you on Tuesday and your chat closed on us twice",
]


@pytest.mark.parametrize(("language", "text", "kind"), NAMED)
def test_a_danger_that_is_named_is_red(language: str, text: str, kind: str) -> None:
    reading = Reader.default().read(text, ReadingContext(language=language))
    assert (kind, RiskLevel.RED) in [(risk.kind, risk.level) for risk in reading.risk]


@pytest.mark.parametrize(("language", "text"), TRACES)
def test_a_danger_told_by_its_traces_is_seen_with_the_words_for_it(language: str, text: str) -> None:
    risks = Reader.default().read(text, ReadingContext(language=language)).risk
    assert risks
    assert all(risk.evidence in text for risk in risks)


@pytest.mark.parametrize("text", HARMLESS)
def test_everyday_trouble_calls_nobody(text: str) -> None:
    assert not Reader.default().read(text).risk


def test_every_language_has_weights_for_every_kind() -> None:
    for pack in Reader.default().packs.values():
        assert pack.dangers is not None
        assert set(pack.dangers.labels) == {"danger", "red", *pack.risk_levels}
        assert Traces.from_json(pack.dangers.to_json(), pack.senses).to_json() == pack.dangers.to_json()


def test_weights_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="must have 1 numbers"):
        Traces.from_json({"labels": ["danger"], "bias": [0.0], "limits": {}, "weights": {"smoke": "PP"}}, Senses({}))


def test_a_long_story_is_weighed_in_parts() -> None:
    tokens = Reader.default().packs["en"].tokens("one two three four five " * 40)
    none: list[Hit] = []
    assert len(signs(tokens, none)) == 6
    assert "one two" in signs(tokens, none)[-1].names(Senses({}))


IMPATIENT = [
    "the package was supposed to be here last week, I am tired of this",
    "I want to have it tomorrow or my money back",
    "my order won't be here on Monday, I am so angry",
    "I can't sleep because of the noise and I hate this hotel, no point in staying",
    "I am done with this company, won't order anymore",
    "das Paket sollte morgen da sein, ich kann nicht mehr warten",
    "ya no puedo más con esta empresa, quiero cancelar mañana",
    "je n'en peux plus d'attendre, le colis devait être là hier",
    "não aguento mais esperar, quero cancelar amanhã",
]


@pytest.mark.parametrize("text", IMPATIENT)
def test_impatience_is_no_wish_to_die(text: str) -> None:
    assert "self_harm" not in {risk.kind for risk in Reader.default().read(text).risk}


DESPAIRING = [
    "I don't want to be here anymore, this debt is killing me",
    "everyone would be better off if I wasn't here",
    "I just want it all to stop, I won't be here tomorrow",
    "ich möchte morgen nicht mehr aufwachen",
    "ya no quiero estar aquí, no le veo sentido a la vida",
    "je ne veux plus être là, à quoi bon",
    "não quero mais estar aqui, acabou tudo pra mim",
]


@pytest.mark.parametrize("text", DESPAIRING)
def test_despair_calls_somebody_at_once(text: str) -> None:
    risks = Reader.default().read(text).risk
    assert [risk.level.value for risk in risks if risk.kind == "self_harm"] == ["red"]
