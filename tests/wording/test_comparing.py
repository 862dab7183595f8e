"""A change of wording on past conversations: exactly what changes, in words and in findings; and outcomes by variant."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.config import Config
from bot.recordings import Unreadable, read_files
from bot.rehearse import compare_on, file_rehearser
from bot.wordings import ENOUGH_MIN, Place, compare_own, outcomes
from bot.wordings.asked import asked_of, own_conversations
from bot.wordings.compare import EXAMPLES_MAX, compare
from bot.wordings.outcomes import Share, wilson
from conversations.conversation import Agent, Answer, Plan, Step
from conversations.ids import AgentId
from conversations.wording import Wording
from conversations.wording.request import Act, Request, Situation, Surface, TemplateUse
from tests.operations.scene import START, scene

pytestmark = pytest.mark.anyio
PLACE = Place.parse("en.acknowledge.public.a")
OPENINGS = "\n".join(
    f"We're {word}sorry about {{{{ topic_thing }}}}." for word in ("", "very ", "so ", "really ", "truly ")
)
ASKING = "\n".join(
    f"Tell us {word}." for word in ("all of it", "all", "what happened", "everything", "the whole story")
)
PLENTY = "\n".join(f"Write {word} you like." for word in ("all", "what", "whatever", "as much as", "as long as"))
NEW = f"{OPENINGS}\n\n{ASKING}\n\n{PLENTY}\n\nI'm an automated assistant.\n"
"""A draft with 125 texts: enough for the bot not to fall back on the default so as not to repeat itself."""
NOOR = Agent(AgentId("U1"), "Noor Haddad")


def with_draft(source: str = NEW, place: Place = PLACE) -> Wording:
    return Wording.default().with_published([place.template(source)])


def threads(count: int) -> str:
    def turn(n: int) -> dict[str, object]:
        text = f"@acme my parcel is {n} weeks late and nobody answers"
        return {"id": f"{n}", "role": "customer", "t": f"2026-11-20T10:{n:02}:00Z", "parent": None, "text": text}

    lines = ({"root": f"r{n}", "customer": f"c{n}", "brand": "acme", "turns": [turn(n)]} for n in range(count))
    return "\n".join(json.dumps(line) for line in lines) + "\n"


async def test_a_file_through_both_wordings_changes_what_the_draft_is_for_and_nothing_else(tmp_path):
    file = tmp_path / "threads.jsonl"
    file.write_text(threads(12))
    recorded, bad = read_files([file], "threads")
    found = await compare_on(recorded, Config(), "x", Wording.default(), with_draft(), assume_complaint=True)
    assert bad == []
    assert found.conversations == 12
    changed = [pair for pair in found.pairs if pair.changed]
    assert len(changed) == found.changed == found.conversations_changed == 12
    assert {pair.act for pair in changed} == {"acknowledge"}
    assert all(pair.after.text == pair.before.text for pair in found.pairs if not pair.changed)
    first = changed[0]
    assert "sorry about the parcel" in first.after.text
    assert TemplateUse.parse(first.after.template).version == "draft"
    assert first.before.length_max == 280 and 0 < first.before.length <= 280
    assert found.pairs[0].conversation == "r0"
    assert found.before.distinct == found.before.texts
    assert not found.worse
    document = json.loads(json.dumps(found.to_json()))
    assert document["pairs"][0]["changed"] is True and document["changed"] == 12


async def test_the_same_wording_changes_nothing(tmp_path):
    file = tmp_path / "threads.jsonl"
    file.write_text(threads(6))
    rehearse = file_rehearser(Config())
    found = await rehearse(file, "threads", Wording.default(), Wording.default())
    assert (found.asked, found.changed) == (6, 0)
    assert found.before == found.after
    with pytest.raises(Unreadable):
        await rehearse(tmp_path / "none.jsonl", "threads", Wording.default(), Wording.default())


async def test_findings_and_texts_that_fit_nowhere_are_counted(tmp_path):
    async with scene(tmp_path) as it:
        await it.post()
        await it.later(minutes=20)
        faulty = with_draft(NEW + "\nYour feedback is important to us.\n")
        found = await compare_own(it.app.store, Wording.default(), faulty)
        assert found.after.findings.get("stock_phrase") == 1
        assert found.before.findings == {}
        assert found.worse
        asked = [entry async for entry in own_conversations(it.app.store)]
        narrow = [replace(entry, request=replace(entry.request, weight_max=20)) for entry in asked]
        assert compare(narrow, Wording.default(), faulty).before.unsayable == len(narrow)


async def test_past_conversations_are_asked_again_word_for_word(tmp_path):
    async with scene(tmp_path) as it:
        for customer in ("ann", "bob", "cem"):
            await it.post(customer)
            await it.later(minutes=7)
        await it.later(hours=2)
        rows = [row for row in await it.app.store.outbox(limit=1000) if row.act]
        asked = {entry.request.seed: entry for row in rows if (entry := asked_of(row)) is not None}
        assert len(asked) == len(rows) > 3
        again = compare(asked.values(), Wording.default(), with_draft())
        said = {row.body["text"] for row in rows}
        assert {pair.before.text for pair in again.pairs} == said
        assert again.changed == 3


async def test_a_public_row_keeps_nothing_that_may_not_be_said_in_public(tmp_path):
    async with scene(tmp_path) as it:
        await it.post()
        await it.later(hours=2)
        public = [row for row in await it.app.store.outbox(limit=1000) if row.act and row.place.value == "public"]
        assert public
        for row in public:
            assert not {"quote", "wish", "since", "agent"} & set(row.body["asked"]["facts"])


async def test_thousands_of_pairs_are_counted_and_some_are_shown():
    asked = [
        replace(entry, at=START + timedelta(seconds=n))
        for n in range(EXAMPLES_MAX + 50)
        if (entry := an_asked(str(n))) is not None
    ]
    found = compare(asked, Wording.default(), with_draft())
    assert (found.asked, found.changed, len(found.pairs)) == (EXAMPLES_MAX + 50, EXAMPLES_MAX + 50, EXAMPLES_MAX)


async def test_neither_side_repeats_itself_on_an_account():
    single = with_draft("We're sorry about this. Tell us all.\n\nI'm an automated assistant.\n")
    asked = [replace(an_asked(str(n)), at=START + timedelta(minutes=n)) for n in range(3)]
    elsewhere = replace(asked[2], line="x:other:public")
    found = compare([*asked[:2], elsewhere], Wording.default(), single)
    assert [TemplateUse.parse(pair.after.template).version for pair in sorted(found.pairs, key=lambda p: p.at)] == [
        "draft", "default", "draft",
    ]  # fmt: skip
    assert found.after.texts == 3


def an_asked(seed: str):
    from bot.wordings.asked import Asked

    request = Request(
        Act.ACKNOWLEDGE, Surface.PUBLIC, "en", seed, "delivery", (Situation.FIRST_REPLY,), weight_max=280, assigned=seed
    )
    return Asked(seed, START, "x:acme:public", request)


# ---------------------------------------------------------------- variants


def test_a_conversation_keeps_its_variant_and_halves_get_each():
    variants = [replace(PLACE, variant=name).template(f"{NEW}\n{name.upper()} it is.\n", "1") for name in "ab"]
    wording = Wording.default().with_published(variants)

    def variant(conversation: str, seed: str) -> str:
        request = Request(
            Act.ACKNOWLEDGE, Surface.PUBLIC, "en", seed, "delivery", (Situation.FIRST_REPLY,), assigned=conversation
        )
        return TemplateUse.parse(wording.render(request).template).name.rpartition(".")[2]

    met = {f"x:acme:{n}": variant(f"x:acme:{n}", "1") for n in range(400)}
    assert all(variant(conversation, seed) == met[conversation] for conversation in met for seed in ("2", "3"))
    assert 160 < sum(name == "a" for name in met.values()) < 240


async def test_what_became_of_each_variant(tmp_path):
    async with scene(tmp_path) as it:
        for name in "ab":
            row = await it.app.wordings.draft(replace(PLACE, variant=name), f"{NEW}\nThis is {name}.\n", "Lena")
            await it.app.wordings.publish(row.id, row.version, "Lena")
        customers = [f"c{n}" for n in range(16)]
        for customer in customers:
            await it.post(customer)
        await it.later(minutes=16)
        for customer in customers[:5]:
            await it.post(customer, "and it was a present")
        await it.later(hours=3)
        found = await outcomes(it.app.store, PLACE.shared, 7200)
        assert [entry.name for entry in found] == [f"{PLACE.shared}.a", f"{PLACE.shared}.b"]
        assert {entry.version for entry in found} == {"1"}
        assert sum(entry.conversations for entry in found) == 16
        assert sum(entry.in_time.count for entry in found) == 16
        assert sum(entry.went_on.count for entry in found) == 5
        assert all(entry.agreed.of == entry.satisfied.of == 0 and entry.agreed.share is None for entry in found)
        assert not any(entry.enough for entry in found)
        assert await outcomes(it.app.store, PLACE.shared, 7200, since=it.clock.now()) == []
        assert await outcomes(it.app.store, "en.acknowledge", 7200) == []
        assert sum(e.in_time.count for e in await outcomes(it.app.store, PLACE.shared, 1)) == 0


def test_agreements_are_of_plans_and_satisfaction_is_of_answers():
    from bot.wordings.outcomes import _outcome
    from conversations.conversation import Conversation, Customer
    from conversations.ids import ConversationKey

    plan = Plan(1, (Step("send it"),), NOOR, START)
    plain = Conversation(ConversationKey("k"), "x", "acme", Customer("c"), START, START)
    cases = [
        plain,
        plain.evolve(plan=plan),
        plain.evolve(plan=replace(plan, agreed_at=START), answers=(Answer(1, False, "no", START), Answer(2, True, "yes", START))),
        plain.evolve(answers=(Answer(1, None, "", START),)),
    ]  # fmt: skip
    found = _outcome("n", "1", [(case, START) for case in cases], timedelta(hours=2))
    assert (found.agreed.count, found.agreed.of) == (1, 2)
    assert (found.satisfied.count, found.satisfied.of) == (1, 1)
    assert (found.in_time.count, found.in_time.of) == (0, 4)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_intervals_are_wilsons(count, of, low, high):
    """The last is the worked example of Newcombe, Statistics in Medicine 17 (1998), 857-872, method 3."""
    assert wilson(count, of) == pytest.approx((low, high), abs=1e-4)


def test_not_enough_is_said():
    assert not Share.over([True] * (ENOUGH_MIN - 1)).enough
    assert Share.over([True] * ENOUGH_MIN).enough
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)
