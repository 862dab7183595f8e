"""Which template is chosen, and which of its phrasings: the most specific that fits, the same way every time."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.errors import TemplateError
from conversations.wording import NoTemplate, Request, Wording
from conversations.wording.facts import FACTS
from conversations.wording.packs import Noun, Pack, load_packs
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.template import Template

FULL = {
    "brand": "Acme",
    "team": "Deliveries",
    "answer_by": "4:30 PM today",
    "quote": "three weeks for a parcel",
    "wish": "here by Friday",
    "steps": "1. Courier, by Thursday",
    "done_text": "The parcel was delivered.",
    "dm_invite": True,
}


def template(source: str, **where: object) -> Template:
    values = {"language": "en", "act": Act.ACKNOWLEDGE, "surface": Surface.PUBLIC, "source": source} | where
    return Template(**values)  # type: ignore[arg-type]


def wording(*templates: Template, published: tuple[Template, ...] = ()) -> Wording:
    pack = Pack("en", templates, {}, {}, {}, {"delivery": Noun("the delivery", "about the delivery")})
    return Wording({"en": pack}, published)


def ask(seed: str = "s", act: Act = Act.ACKNOWLEDGE, **more: object) -> Request:
    return Request(**({"act": act, "surface": Surface.PUBLIC, "language": "en", "seed": seed} | more))  # type: ignore[arg-type]


def said(words: Wording, request: Request) -> str:
    return words.render(request).text


def test_situation_comes_before_topic_and_topic_before_general() -> None:
    words = wording(
        template("general"),
        template("topic", topic="delivery"),
        template("late", situations=frozenset({Situation.LATE})),
        template("both", topic="delivery", situations=frozenset({Situation.LATE})),
    )
    assert said(words, ask()) == "general"
    assert said(words, ask(topic="delivery")) == "topic"
    assert said(words, ask(situations=(Situation.LATE,))) == "late"
    assert said(words, ask(topic="delivery", situations=(Situation.LATE, Situation.RETURNING))) == "both"
    assert said(words, ask(topic="billing", situations=(Situation.LATE,))) == "late"


def test_a_published_template_comes_before_the_default_which_stays_as_the_last_resort() -> None:
    words = wording(template("default"), published=(template("published", version="7"),))
    rendered = words.render(ask())
    assert (rendered.text, rendered.template) == ("published", "en.acknowledge.public.a#1@7")
    assert said(words, ask(avoid=frozenset({"published"}))) == "default"


def test_a_broken_published_template_never_replaces_a_good_one() -> None:
    with pytest.raises(TemplateError, match="brnd"):
        wording(template("default"), published=(template("{{ brnd }}", version="8"),))


def test_a_template_that_needs_a_missing_value_is_not_chosen() -> None:
    words = wording(template("{{ team }} answers", topic="delivery"), template("we answer"))
    assert said(words, ask(topic="delivery")) == "we answer"
    assert said(words, ask(topic="delivery", facts={"team": None})) == "we answer"
    assert said(words, ask(topic="delivery", facts={"team": ""})) == "we answer"
    assert said(words, ask(topic="delivery", facts={"team": "Deliveries"})) == "Deliveries answers"


def test_phrasings_that_use_more_of_what_is_known_come_first() -> None:
    words = wording(template("sorry\nsorry about {{ topic_thing }}\nsorry about {{ topic_thing }} at {{ team }}"))
    assert {said(words, ask(str(n))) for n in range(30)} == {"sorry"}
    assert {said(words, ask(str(n), topic="delivery")) for n in range(30)} == {"sorry about the delivery"}
    facts = {"team": "Deliveries"}
    assert said(words, ask(topic="delivery", facts=facts)) == "sorry about the delivery at Deliveries"


def test_a_shorter_wording_is_chosen_and_nothing_is_cut() -> None:
    words = wording(template("sorry about {{ topic_thing }} and all that came with it\nsorry\n\n[optional]\nreally"))
    assert said(words, ask(topic="delivery")).endswith("really")
    assert said(words, ask(topic="delivery", weight_max=52)) == "sorry about the delivery and all that came with it"
    assert said(words, ask(topic="delivery", weight_max=12)) == "sorry really"
    assert said(words, ask(topic="delivery", weight_max=5)) == "sorry"
    with pytest.raises(NoTemplate, match="at most 4"):
        words.render(ask(topic="delivery", weight_max=4))


def test_what_was_said_lately_is_not_repeated() -> None:
    words = wording(template("a\nb\nc\n\nx\ny"))
    lately: set[str] = set()
    for _ in range(6):
        text = said(words, ask("same", avoid=frozenset(lately)))
        assert text not in lately
        lately.add(text)
    with pytest.raises(NoTemplate):
        words.render(ask("same", avoid=frozenset(lately)))


def test_slots_follow_their_conditions_and_joins() -> None:
    words = wording(template("one\n\n[if dm_invite]\ntwo\n\n[if not dm_invite and late]\nthree\n\n[paragraph]\nfour"))
    assert said(words, ask()) == "one\n\nfour"
    assert said(words, ask(facts={"dm_invite": True})) == "one two\n\nfour"
    assert said(words, ask(situations=(Situation.LATE,))) == "one three\n\nfour"


def test_private_facts_never_reach_a_public_text() -> None:
    source = "you said {{ quote }}\n{{ agent }} is here\nhello\n\n[if wish]\nyou want {{ wish }}"
    public, direct = wording(template(source)), wording(template(source, surface=Surface.DIRECT))
    facts = {"quote": "three weeks", "agent": "Noor", "wish": "my money"}
    assert {said(public, ask(str(n), facts=facts)) for n in range(30)} == {"hello"}
    assert "three weeks" in said(direct, ask(surface=Surface.DIRECT, facts=facts))


def test_in_public_the_safe_noun_stands_for_the_thing() -> None:
    words = wording(template("sorry about {{ topic_thing }}\nsorry"))
    facts = {"topic_thing": "the mattress of Mrs Miller", "topic_things_public": "the delivery"}
    assert said(words, ask(facts=facts)) == "sorry about the delivery"
    assert said(words, ask(facts={"topic_thing": "the mattress of Mrs Miller"})) == "sorry"


def test_variants_among_equals_are_drawn_evenly_and_always_alike() -> None:
    words = wording(*(template(name, variant=name) for name in "abcd"))
    drawn = [said(words, ask(f"conversation {n}")) for n in range(400)]
    assert drawn == [said(words, ask(f"conversation {n}")) for n in range(400)]
    assert all(70 < drawn.count(name) < 130 for name in "abcd")


def test_a_language_tag_finds_its_pack_and_an_unknown_one_says_what_there_is() -> None:
    words = Wording.default()
    assert words.render(ask(language="pt-BR")).language == "pt"
    assert words.render(ask(language="en_GB")).language == "en"
    with pytest.raises(NoTemplate, match="use the brand's first language"):
        words.render(ask(language="tlh"))


@pytest.mark.parametrize("language", sorted(load_packs()))
@pytest.mark.parametrize("surface", Surface)
@pytest.mark.parametrize("act", Act)
def test_there_is_always_something_to_say(act: Act, surface: Surface, language: str) -> None:
    for facts in ({}, FULL):
        for situations in ((), (Situation.FIRST_REPLY,), tuple(Situation)):
            for topic in (None, "delivery", "contact", "nobody knows this topic"):
                request = Request(act, surface, language, "x", topic, situations, facts, weight_max=280)
                if surface is Surface.DIRECT:
                    request = Request(act, surface, language, "x", topic, situations, facts)
                rendered = Wording.default().render(request)
                assert rendered.text.strip()
                assert "{{" not in rendered.text


def test_two_hundred_public_first_replies_differ() -> None:
    texts: set[str] = set()
    for number in range(200):
        request = ask(str(number), topic="delivery", facts={"brand": "Acme", "dm_invite": True}, weight_max=280,
                      avoid=frozenset(texts))  # fmt: skip
        text = said(Wording.default(), request)
        assert text not in texts
        texts.add(text)


@given(seed=st.text(), quote=st.text(max_size=300), team=st.text(max_size=60))
def test_any_values_are_rendered_as_they_are(seed: str, quote: str, team: str) -> None:
    request = Request(
        Act.HAND_OVER, Surface.DIRECT, "en", seed, facts={"quote": quote, "team": team, "brand": "{{ x }}"}
    )
    text = Wording.default().render(request).text
    assert not team or team in text


def test_every_fact_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "wording.md").read_text(encoding="utf-8")
    assert [name for name in FACTS if f"`{name}`" not in page] == []
