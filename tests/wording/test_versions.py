"""The admins' wording: what is drafted, published and rolled back, by whom; and that a broken version replaces nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import VirtualClock
from bot.commands.checks import check_wording
from bot.config import Config
from bot.store.sqlite import SqliteStore
from bot.wordings import BadDraft, NoSuchTemplate, Place, Refused, SecondAdminNeeded, Wordings, read_drafts
from conversations.wording import Wording
from conversations.wording.request import Act, Request, Surface, TemplateUse
from tests.operations.scene import scene

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
NAME = "de.acknowledge.public.a"
PLACE = Place.parse(NAME)
SORRY = "Das tut uns leid. Schreiben Sie uns alles.\n\nIch bin ein automatischer Assistent.\n"
AGAIN = "Das tut uns sehr leid. Wir hören zu.\n\nIch bin ein automatischer Assistent.\n"
ASKED = Request(Act.ACKNOWLEDGE, Surface.PUBLIC, "de", "seed", weight_max=280)


@pytest.fixture
async def wordings() -> AsyncIterator[Wordings]:
    store = await SqliteStore.open(":memory:")
    yield Wordings(store, VirtualClock(NOW), Wording.default())
    await store.close()


async def published(wordings: Wordings, source: str, by: str = "Lena") -> int:
    row = await wordings.draft(PLACE, source, by)
    await wordings.publish(row.id, row.version, by)
    return row.version


def said(wordings: Wordings) -> tuple[str, str]:
    rendered = wordings.current.render(ASKED)
    return rendered.text, TemplateUse.parse(rendered.template).version


async def test_a_draft_says_nothing_until_it_is_published(wordings):
    row = await wordings.draft(PLACE, SORRY, "Lena")
    assert (row.version, row.status) == (1, "draft")
    assert said(wordings)[1] == "default"
    await wordings.publish(NAME, 1, "Omar")
    assert said(wordings) == ("Das tut uns leid. Schreiben Sie uns alles. Ich bin ein automatischer Assistent.", "1")


async def test_each_change_is_written_down_with_who_and_when(wordings):
    await published(wordings, SORRY)
    wordings.clock.set(NOW + timedelta(hours=1))
    await published(wordings, AGAIN, "Omar")
    await wordings.rollback(NAME, "Noor")
    history = await wordings.history(NAME)
    assert [(change.what, change.version, change.by, change.at) for change in history] == [
        ("rolled back", "1", "Noor", NOW + timedelta(hours=1)),
        ("published", "2", "Omar", NOW + timedelta(hours=1)),
        ("drafted", "2", "Omar", NOW + timedelta(hours=1)),
        ("published", "1", "Lena", NOW),
        ("drafted", "1", "Lena", NOW),
    ]
    assert await wordings.history("de.acknowledge.public.b") == []
    assert len(await wordings.history()) == 5


async def test_going_back_again_and_again_ends_at_the_default(wordings):
    await published(wordings, SORRY)
    await published(wordings, AGAIN)
    assert (await wordings.rollback(NAME, "Lena")).version == 1
    assert said(wordings)[1] == "1"
    assert await wordings.rollback(NAME, "Lena") is None
    assert said(wordings)[1] == "default"
    with pytest.raises(NoSuchTemplate, match="nothing to roll back"):
        await wordings.rollback(NAME, "Lena")
    assert [change.version for change in await wordings.history(NAME)][:2] == ["default", "1"]


async def test_what_was_rolled_back_is_not_gone_back_to(wordings):
    await published(wordings, SORRY)
    await published(wordings, AGAIN)
    await wordings.rollback(NAME, "Lena")
    await published(wordings, SORRY.replace("alles", "in Ruhe"))
    assert (await wordings.rollback(NAME, "Lena")).version == 1


async def test_one_may_go_back_to_any_version_that_was_in_force(wordings):
    for source in (SORRY, AGAIN, SORRY.replace("alles", "in Ruhe")):
        await published(wordings, source)
    assert (await wordings.rollback(NAME, "Lena", "1")).version == 1
    assert await wordings.rollback(NAME, "Lena", "default") is None
    assert (await wordings.rollback(NAME, "Lena", "3")).version == 3
    await wordings.draft(PLACE, AGAIN, "Lena")
    for to, why in (("4", "never in force"), ("9", "there is 4, 3, 2, 1"), ("x", "is no version")):
        with pytest.raises(NoSuchTemplate, match=why):
            await wordings.rollback(NAME, "Lena", to)
    assert said(wordings)[1] == "3"


@pytest.mark.parametrize("broken", ["{{ nonsense }}", "{% for i in range(9) %}x{% endfor %}", "", "[if\nx"])
async def test_44_what_cannot_be_parsed_is_not_even_kept(wordings, broken):
    with pytest.raises(Refused) as refused:
        await wordings.draft(PLACE, broken, "Lena")
    assert {finding.rule for finding in refused.value.findings} == {"syntax"}
    assert await wordings.versions(NAME) == []


@pytest.mark.parametrize(
    "faulty",
    [
        SORRY + "\nSie hätten das prüfen müssen.\n",
        SORRY.replace("Assistent", "Mensch"),
        SORRY + "\nSie bekommen eine Erstattung.\n",
        SORRY + "\n" + "Wir lesen alles, was Sie uns hier schreiben wollen. " * 6 + "\n",
    ],
    ids=["blame", "no introduction", "proposal", "too long"],
)
async def test_what_lint_or_guard_refuse_is_not_published_and_replaces_nothing(wordings, faulty):
    await published(wordings, SORRY)
    row = await wordings.draft(PLACE, faulty, "Lena")
    with pytest.raises(Refused):
        await wordings.publish(NAME, row.version, "Omar")
    assert said(wordings)[1] == "1"
    assert (await wordings.version(NAME, row.version)).status == "draft"


async def test_a_public_text_needs_a_second_admin_where_that_is_configured(wordings):
    wordings.second_admin = True
    row = await wordings.draft(PLACE, SORRY, "Lena")
    with pytest.raises(SecondAdminNeeded, match="Lena"):
        await wordings.publish(NAME, row.version, "Lena")
    assert said(wordings)[1] == "default"
    await wordings.publish(NAME, row.version, "Omar")
    assert said(wordings)[1] == "1"
    direct = Place.parse("de.acknowledge.direct.a")
    row = await wordings.draft(direct, SORRY, "Lena")
    assert (await wordings.publish(direct.name, row.version, "Lena")).status == "published"


async def test_44_a_published_version_that_cannot_be_read_gives_way_to_the_last_good_one(wordings):
    await published(wordings, SORRY)
    await wordings.draft(PLACE, AGAIN, "Lena")
    broken = await wordings.store.add_template(PLACE.row("{{ gone }}", "Lena", NOW))
    await wordings.store.set_template_status(NAME, broken.version, "published", "Lena", "template published", NOW)
    assert await wordings.load()
    assert said(wordings)[1] == "1"
    (problem,) = wordings.problems
    assert (problem.name, problem.version, problem.instead) == (NAME, 3, "1")
    assert "gone" in problem.message


async def test_the_check_before_a_start_names_what_cannot_be_used(tmp_path):
    config = Config.model_validate({"store": {"url": f"sqlite:///{tmp_path}/hearout.db"}})
    store = await SqliteStore.open(tmp_path / "hearout.db")
    await store.add_template(PLACE.row("{{ gone }}", "Lena", NOW))
    await store.set_template_status(NAME, 1, "published", "Lena", "template published", NOW)
    await store.close()
    (found,) = await check_wording(config)
    assert not found.ok
    assert found.words.startswith(f"{NAME}@1: ") and found.words.endswith("in force instead: default")


async def test_without_a_good_one_the_default_stays(wordings):
    for row in (
        PLACE.row("{{ gone }}", "Lena", NOW),
        replace(PLACE.row(SORRY, "Lena", NOW), id="xx.acknowledge.public.a", language="xx"),
        replace(PLACE.row(SORRY, "Lena", NOW), id="de.sing.public.a", act="sing"),
    ):
        kept = await wordings.store.add_template(row)
        await wordings.store.set_template_status(kept.id, 1, "published", "Lena", "template published", NOW)
    assert await wordings.load()
    assert said(wordings)[1] == "default"
    assert {problem.instead for problem in wordings.problems} == {"default"}
    assert len(wordings.problems) == 3
    await wordings.entries()


async def test_another_process_takes_it_up_by_itself(wordings):
    other = Wordings(wordings.store, wordings.clock, Wording.default())
    heard = []
    other.taken_up = heard.append
    assert not await other.load()
    await published(wordings, SORRY)
    assert await other.load()
    assert said(other)[1] == "1"
    assert not await other.load()
    assert len(heard) == 1


async def test_the_list_shows_what_is_in_force_and_what_waits(wordings):
    await published(wordings, SORRY)
    await wordings.draft(PLACE, AGAIN, "Omar")
    await wordings.draft(Place.parse("de.acknowledge.public.delivery.b"), SORRY, "Omar")
    entry = await wordings.entry(NAME)
    assert (entry.version, entry.source, entry.author, entry.published) == ("1", SORRY, "Lena", True)
    assert [row.version for row in entry.drafts] == [2]
    new = await wordings.entry("de.acknowledge.public.delivery.b")
    assert (new.version, new.published, [row.version for row in new.drafts]) == ("none", False, [1])
    german = await wordings.entries("de")
    defaults = wordings.base.packs["de"].templates
    assert len(german) == len(defaults) + 1
    assert sorted(entry.name for entry in german) == [entry.name for entry in german]
    with pytest.raises(NoSuchTemplate):
        await wordings.entry("de.acknowledge.public.zzz")


async def test_drafts_are_tried_on_top_of_what_is_published(wordings):
    await published(wordings, SORRY)
    tried = wordings.with_drafts([PLACE.template(AGAIN)])
    rendered = tried.render(ASKED)
    assert TemplateUse.parse(rendered.template).version == "draft"
    assert said(wordings)[1] == "1"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("de", "names no template"), ("xx.acknowledge.public.a", "no language"), ("de.sing.public.a", "no act"),
        ("de.acknowledge.air.a", "no surface"), ("de.acknowledge.public.soup.a", "no topic"),
        ("de.acknowledge.public.delivery.billing.a", "at most one topic"), ("de.acknowledge.public.late", "variant"),
        ("de.acknowledge.public.a-b", "variant"), ("de.acknowledge.public.", "variant"),
    ],
)  # fmt: skip
async def test_a_name_that_is_none_says_what_is_wrong(name, why):
    with pytest.raises(NoSuchTemplate, match=why):
        Place.parse(name)


async def test_every_default_has_a_name_that_leads_back_to_it():
    for pack in Wording.default().packs.values():
        for template in pack.templates:
            assert Place.parse(template.name) == Place.of(template)


async def test_the_running_bot_says_what_was_published_and_each_turn_names_its_version(tmp_path):
    async with scene(tmp_path) as it:
        place = Place.parse("en.acknowledge.public.a")
        source = "We're sorry about this. Tell us all of it.\n\nI'm an automated assistant.\n"
        row = await it.app.wordings.draft(place, source, "Lena")
        await it.app.wordings.publish(row.id, row.version, "Omar")
        await it.post()
        await it.later(minutes=10)
        (case,) = await it.cases()
        turns = [turn for turn in await it.app.store.turns(case.key) if turn.template]
        assert turns[0].text == "We're sorry about this. Tell us all of it. I'm an automated assistant."
        use = TemplateUse.parse(turns[0].template)
        assert (use.name, use.version) == (place.name, "1")
        await it.app.wordings.rollback(place.name, "Noor")
        await it.post()
        await it.later(minutes=40)
        others = [turn for turn in await it.app.store.turns(case.key) if turn.template]
        assert {TemplateUse.parse(turn.template).version for turn in others[1:]} <= {"default"}


async def test_a_bot_that_starts_takes_up_what_was_published(tmp_path):
    async with scene(tmp_path) as it:
        row = await it.app.wordings.draft(
            Place.parse("en.acknowledge.public.a"), "We're sorry. An automated assistant.", "L"
        )
        await it.app.wordings.publish(row.id, row.version, "L")
    async with scene(tmp_path) as it:
        assert it.app.speech.wording.published == ()
        await it.app.worker.housekeeping.round()
        assert [template.version for template in it.app.speech.wording.published] == ["1"]


DRAFT = """
[[templates]]
language = "de"
act = "acknowledge"
surface = "public"
situations = ["late"]
source = '''
Das tut uns leid.
'''
"""


def test_a_draft_file_holds_sources_and_where_they_apply(tmp_path):
    file = tmp_path / "draft.toml"
    file.write_text(DRAFT + DRAFT.replace('["late"]', "[]") + "variant = 'short'\n", encoding="utf-8")
    drafts = read_drafts(file)
    assert [draft.place.name for draft in drafts] == ["de.acknowledge.public.late.a", "de.acknowledge.public.short"]
    assert drafts[0].source == "Das tut uns leid.\n"
    assert drafts[0].template().version == "draft"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[templates]]\nact = 3\n", "language: give it as a text"),
        ("x = ", "not TOML"),
        ("x = 1", "holds no"),
        ("templates = [1]", "write it as a table"),
        ("templates = []", "holds no"),
        ("\udcff", "not TOML"),
        (DRAFT.replace("acknowledge", "sing"), "'sing' is no act"),
        (DRAFT.replace('["late"]', '"late"'), "give a list of names"),
        (DRAFT.replace('["late"]', '["soon"]'), "'soon' is no situation"),
        (DRAFT.replace("Das tut uns leid.", ""), "source: give it as a text"),
        (DRAFT + "topic = 3", "topic: give it as a text"),
        (DRAFT + "colour = 1", "colour: no such key"),
        (DRAFT + DRAFT, "is there twice"),
    ],
)
def test_a_draft_file_that_is_none_says_why(tmp_path, text, why):
    file = tmp_path / "draft.toml"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(BadDraft, match=why):
        read_drafts(file)
    with pytest.raises(BadDraft, match="cannot be read"):
        read_drafts(tmp_path)
