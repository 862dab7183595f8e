"""Dangers: what is named, what is told by its traces, what only sounds like one, and how sure a red must be."""

from __future__ import annotations

import pytest

from conversations.comprehension import Reader
from conversations.comprehension.danger import NONE, WINDOW_WORDS, Dangers, windows
from conversations.comprehension.reading import RiskLevel
from conversations.comprehension.risk import Pair, read_risk
from conversations.comprehension.tokens import tokenize

LEVELS = {"fire": RiskLevel.RED, "legal": RiskLevel.AMBER}


def model(**weights: tuple[tuple[int, float], ...]) -> Dangers:
    return Dangers((NONE, "fire", "legal"), (2.0, 0.0, 0.0), {f"w:{word}": w for word, w in weights.items()}, 0.0, 4.0)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("fire", "your charger caught fire on my bedside table last night, the carpet is scorched"),
        ("injury", "slipped on your wet floor and broke my wrist, six stitches in my chin as well"),
        ("self_harm", "I don't want to live any more"),
        ("minor", "our toddler swallowed a magnet that came off your toy"),
        ("fraud", "someone is emptying my account right now, I never made these transfers, block the card"),
        ("stranded", "ihr habt uns nachts am Bahnhof stehen lassen, kein Zug mehr, kein Hotel, minus fünf Grad"),
        ("safety", "el conductor iba borracho y se saltó el semáforo con cuarenta personas a bordo"),
        ("legal", "mon avocat vous enverra une mise en demeure, je saisis le tribunal"),
        ("press", "I have sent everything to a journalist at the local newspaper"),
        ("discrimination", "não nos deixaram entrar por sermos negros, os outros clientes passaram"),
        ("privacy", "I can see other customers' invoices and addresses in my account"),
        ("vulnerable", "my mother is 84, has dementia and cannot climb the stairs"),
        ("threat", "I know where your driver lives, you will regret this"),
    ],
)
def test_a_danger_is_found_with_the_customers_own_words(kind: str, text: str) -> None:
    risks = {risk.kind: risk for risk in Reader.default().read(text).risk}
    assert kind in risks
    assert risks[kind].evidence and risks[kind].evidence in text


@pytest.mark.parametrize(
    "text",
    [
        "late again, the street and nobody on it",
        "my power bank is great",
        "this album is fire",
        "@northair flight delayed two hours, no announcement, when do we leave?",
        "mein Paket ist seit Montag nicht da",
        "la atención al cliente es pésima, nunca más",
        "votre appli plante encore, je n'arrive pas à me connecter",
        "o ônibus atrasou outra vez, que vergonha",
    ],
)
def test_ordinary_complaints_and_jokes_alarm_nobody(text: str) -> None:
    assert Reader.default().read(text).risk == ()


def test_a_suspicion_is_amber_and_only_a_sure_one_red() -> None:
    dangers = model(singed=((1, 3.0),), ablaze=((1, 9.0),))
    seen = {
        text: [risk.level for risk in read_risk(tokenize(text), (), (), LEVELS, dangers)]
        for text in ("it is slow", "the plug is singed", "the plug is ablaze")
    }
    assert list(seen.values()) == [[], [RiskLevel.AMBER], [RiskLevel.RED]]


def test_a_danger_deep_in_a_long_story_is_found_where_it_stands() -> None:
    words = ["slow"] * 300 + ["ablaze"] + ["slow"] * 300
    found = read_risk(tokenize(" ".join(words)), (), (), LEVELS, model(ablaze=((1, 9.0),), slow=((0, 0.1),)))
    assert [(risk.kind, risk.evidence) for risk in found] == [("fire", "ablaze")]


def test_the_parts_of_a_long_text_overlap_and_reach_its_end() -> None:
    tokens = tokenize(" ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(100)))
    parts = list(windows(tokens, (), ()))
    assert len(parts) == 4
    assert max(span[1] for span in parts[-1].values()) == 100
    assert all(max(s[1] for s in part.values()) - min(s[0] for s in part.values()) <= WINDOW_WORDS for part in parts)


def test_a_language_without_weights_has_phrases_and_pairs() -> None:
    pack = Reader.default().packs["en"]
    tokens = pack.tokens("the charger left the pillow scorched")
    hits = [hit for hit in pack.phrases.find(tokens) if hit.mark.kind == "part"]
    found = read_risk(tokens, hits, (Pair("fire", "device", "heat"),), pack.risk_levels)
    assert [risk.kind for risk in found] == ["fire"]


def test_weights_survive_their_form_on_disk() -> None:
    dangers = model(singed=((1, 3.0), (2, -1.25)))
    assert Dangers.from_json(dangers.to_json()) == dangers
    with pytest.raises(ValueError, match="none"):
        Dangers.from_json({**dangers.to_json(), "kinds": ["fire", "legal", NONE]})
