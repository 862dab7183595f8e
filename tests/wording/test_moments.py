"""Moments that deserve words of their own get them, in every language, the most telling first."""

from __future__ import annotations

import pytest

from bot.config import Config
from conversations.wording import Act, Request, Situation, Surface, Wording
from conversations.wording.packs import LANGUAGES, load_packs
from conversations.wording.request import TemplateUse
from conversations.wording.spoken import spoken_samples
from tests.operations.scene import scene

pytestmark = pytest.mark.anyio
S = Situation
BOTH = (Surface.PUBLIC, Surface.DIRECT)
OWN_WORDS = [
    (Act.RECEIVE, BOTH, S.MEDIA_ONLY),
    (Act.RECEIVE, BOTH, S.OUT_OF_HOURS),
    (Act.ACKNOWLEDGE, BOTH, S.LATE),
    (Act.ACKNOWLEDGE, BOTH, S.OUT_OF_HOURS),
    (Act.ACKNOWLEDGE, BOTH, S.MEDIA_ONLY),
    (Act.ACKNOWLEDGE, BOTH, S.RETURNING),
    (Act.ACKNOWLEDGE, BOTH, S.INCIDENT),
    (Act.REFLECT, BOTH, S.LATE),
    (Act.REFLECT, BOTH, S.RETURNING),
    (Act.REFLECT, BOTH, S.INCIDENT),
    (Act.HAND_OVER, BOTH, S.LATE),
    (Act.HAND_OVER, BOTH, S.INCIDENT),
    (Act.REOPEN, BOTH, S.SECOND_ROUND),
    (Act.CHECK_BACK, BOTH, S.SECOND_ROUND),
    (Act.FAREWELL, BOTH, S.SECOND_ROUND),
]


def render(act: Act, surface: Surface, language: str, *situations: Situation, **facts: object):
    known = {name: value for name, value in spoken_samples(language).items() if not name.startswith("topic_")}
    return Wording.default().render(
        Request(
            act, surface, language, "seed", "delivery", situations, known | {"dm_link": None} | facts,
            weight_max=280 if surface is Surface.PUBLIC else None,
        )
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("act", "surfaces", "situation"), OWN_WORDS, ids=lambda value: getattr(value, "value", None))
def test_a_moment_has_its_own_words(act, surfaces, situation, language):
    for surface in surfaces:
        use = TemplateUse.parse(render(act, surface, language, situation, S.FIRST_REPLY).template)
        assert situation.value in use.name.split("."), use


def test_the_most_telling_moment_comes_first():
    rendered = render(Act.ACKNOWLEDGE, Surface.PUBLIC, "en", S.INCIDENT, S.LATE, S.OUT_OF_HOURS, S.RETURNING)
    assert "incident" in rendered.template
    rendered = render(Act.ACKNOWLEDGE, Surface.PUBLIC, "en", S.LATE, S.OUT_OF_HOURS, S.RETURNING)
    assert "late" in rendered.template


@pytest.mark.parametrize("language", LANGUAGES)
def test_out_of_hours_the_hours_are_named(language):
    hours = str(spoken_samples(language)["hours"])
    for surface in BOTH:
        assert hours in render(Act.ACKNOWLEDGE, surface, language, S.OUT_OF_HOURS, S.FIRST_REPLY).text
        assert render(Act.ACKNOWLEDGE, surface, language, S.OUT_OF_HOURS, hours=None).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_update_is_never_left_out_to_save_room(language):
    update = "m" * 110
    for act in (Act.ACKNOWLEDGE, Act.REFLECT, Act.HAND_OVER):
        for surface in BOTH:
            rendered = render(act, surface, language, S.INCIDENT, S.FIRST_REPLY, incident_update=update)
            assert update in rendered.text, (act, surface)
            assert surface is Surface.DIRECT or len(rendered.text) <= 280


@pytest.mark.parametrize(
    ("language", "text", "carried"),
    [
        ("en", "my parcel is three weeks late, it never arrived", True),
        ("de", "mein Paket ist seit drei Wochen nicht da, niemand hilft", False),
    ],
)
async def test_a_shared_update_stands_in_the_first_reply_of_whoever_can_read_it(tmp_path, language, text, carried):
    config = Config.model_validate({"brand": {"languages": ["en", "de"]}})
    update = "Deliveries have been late since Monday; the next news comes here at 1 PM."
    async with scene(tmp_path, config) as it:
        await it.app.switches.turn("Lena", updates=dict.fromkeys(load_packs()[language].nouns, update))
        await it.post(text=text)
        await it.later(hours=1)
        (case,) = await it.cases()
        assert case.topics
        first = next(turn for turn in await it.app.store.turns(case.key) if turn.template)
        assert first.template.startswith(f"{language}.acknowledge.public.incident.")
        assert (update in first.text) is carried


def test_every_language_has_its_own_samples():
    for language, pack in load_packs().items():
        assert language == "en" or {"quote", "wish", "incident_update"} <= pack.samples.keys()
