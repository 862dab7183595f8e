"""What customers read, in every language: each act holds to its rules in every moment it is said in."""

import pytest

from conversations.comprehension import Reader
from conversations.comprehension.reading import CueName, ReadingContext
from conversations.wording import Request, Wording, guard
from conversations.wording.findings import Severity
from conversations.wording.length import urls, weighted_length
from conversations.wording.lint import TEXTS_MIN, distinct_texts, lint, scenarios
from conversations.wording.packs import load_packs
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.spoken import spoken_samples

LANGUAGES = sorted(load_packs())
FIRST = (Act.RECEIVE, Act.ACKNOWLEDGE, Act.REFLECT, Act.HAND_OVER)
RISKS = tuple(act for act in Act if act.value.startswith("risk_"))


def texts(act: Act, surface: Surface, language: str, situations: tuple[Situation, ...], count: int = 25) -> list[str]:
    facts = spoken_samples(language) | {"topic_thing": None, "topic_about": None, "dm_link": None}
    found = []
    for number in range(count):
        for topic in (None, "delivery", "staff"):
            request = Request(
                act, surface, language, str(number), topic, situations, facts,
                weight_max=280 if surface is Surface.PUBLIC else None,
            )  # fmt: skip
            found.append(Wording.default().render(request).text)
    return found


def marks(language: str, name: str, text: str) -> int:
    return sum(text.casefold().count(mark) for mark in load_packs()[language].marks[name])


@pytest.mark.parametrize("language", LANGUAGES)
def test_lint_refuses_nothing_of_what_we_ship(language: str) -> None:
    assert [finding.message for finding in lint(language=language) if finding.severity is Severity.REFUSED] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", FIRST)
def test_a_public_first_reply(act: Act, language: str) -> None:
    for text in texts(act, Surface.PUBLIC, language, (Situation.FIRST_REPLY,)):
        assert weighted_length(text) <= 280
        assert marks(language, "intro", text) == 1
        assert text.count("?") <= 1
        assert marks(language, "apology", text) == (0 if act is Act.RECEIVE else 1)
        assert not urls(text)
        assert str(spoken_samples(language)["quote"]) not in text
        assert "Noor" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", Act)
def test_the_bot_introduces_itself_in_the_first_reply_only(act: Act, language: str) -> None:
    if act in (Act.RECEIVE, Act.ACKNOWLEDGE):
        return
    for surface in Surface:
        assert not any(marks(language, "intro", text) for text in texts(act, surface, language, (), 5))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", RISKS)
def test_danger_asks_nothing_and_admits_nothing(act: Act, language: str) -> None:
    for surface in Surface:
        for text in texts(act, surface, language, (Situation.FIRST_REPLY,), 10):
            assert "?" not in text
            assert marks(language, "apology", text) == 0
            assert str(spoken_samples(language)["helpline"]) in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", Act)
def test_nothing_that_we_say_fails_the_guard(act: Act, language: str) -> None:
    for surface in Surface:
        for text in texts(act, surface, language, (Situation.FIRST_REPLY,) if act in FIRST else (), 5):
            findings = guard.findings(text, language, surface, guard.Author.BOT, act=act, admissions_forbidden=True)
            assert [(finding.rule, text[finding.start : finding.end]) for finding in findings] == []
            assert marks(language, "apology", text) <= 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", Act)
def test_a_public_act_has_hundreds_of_texts_even_with_the_longest_values(act: Act, language: str) -> None:
    pack = load_packs()[language]
    template = Wording.default().templates(language, act, Surface.PUBLIC)[-1]
    assert template.topic is None
    assert not template.situations
    for scenario in scenarios(template, pack):
        assert distinct_texts(template, scenario.values) >= TEXTS_MIN, scenario.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_word_that_stops_the_bot_is_understood(language: str) -> None:
    reader = Reader.default()
    seen = set()
    for act in (Act.ACKNOWLEDGE, Act.RECEIVE):
        for text in texts(act, Surface.DIRECT, language, (), 20):
            opening, closing = {"en": ('"', '"'), "de": ("„", "“"), "pt": ("“", "”")}.get(language, ("«", "»"))
            if opening in text:
                seen.add(text.split(opening, 1)[1].split(closing, 1)[0].strip())
    assert seen
    for word in seen:
        reading = reader.read(word, ReadingContext(language=language))
        assert reading.certain(CueName.OPTS_OUT), word


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_direct_mirror_says_the_customers_own_words_and_asks_up_to_three_things(language: str) -> None:
    for text in texts(Act.REFLECT, Surface.DIRECT, language, (), 10):
        assert str(spoken_samples(language)["quote"]) in text
        assert 1 <= text.count("?") <= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_confirmation_holds_every_step(language: str) -> None:
    for text in texts(Act.CONFIRM_PLAN, Surface.DIRECT, language, (), 10):
        assert str(spoken_samples(language)["steps"]) in text
        assert str(spoken_samples(language)["remedy"]) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_handoff_names_the_team_and_the_hour(language: str) -> None:
    for surface in Surface:
        for text in texts(Act.HAND_OVER, surface, language, (), 10):
            assert str(spoken_samples(language)["team"]) in text
            assert str(spoken_samples(language)["answer_by"]) in text
