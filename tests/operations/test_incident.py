"""A storm of five hundred like complaints, from the first call to one answer for all; and what may not be said to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.desk.acts import ActError
from bot.incidents import refuse
from bot.store.records import Kind
from bot.storms import answer_group, group_of
from conversations.conversation import Agent, Author
from conversations.events import AgentClaimed, AgentReleased, AgentSplit
from conversations.ids import AgentId
from conversations.protocol import State
from tests.operations.scene import Scene, scene

pytestmark = pytest.mark.anyio
LENA = Agent(AgentId("U9"), "Lena Berg")
NOOR = Agent(AgentId("U1"), "Noor Haddad")
UPDATE = "Deliveries have been late since Monday; the next news comes here at 1 PM."
ANSWER = "The depot works again since noon. Every parcel leaves by tonight, and the tracking follows by 8 PM."


async def storm(it: Scene, count: int, first: int = 0) -> None:
    """So many customers complain about the same."""
    for n in range(first, first + count):
        await it.post(f"c{n}", f"my parcel is {n % 9 + 2} weeks late and it never arrived, order of day {n}")


async def duties(it: Scene) -> None:
    """What comes round every minute."""
    housekeeping = it.app.worker.housekeeping
    assert housekeeping is not None
    await housekeeping.round()


def kinds(it: Scene) -> Counter[str]:
    """What the desk was called for, as a whole."""
    return Counter(kind for _, kind, _ in it.desk.alerts)


async def test_five_hundred_like_complaints(tmp_path):
    async with scene(tmp_path) as it:
        room, switches = it.app.incidents, it.app.switches
        switches.base = replace(
            switches.base, hold_look_s=1200.0
        )  # five hundred are looked at again: less often is quicker
        await storm(it, 60)
        await duties(it)
        assert kinds(it) == {"storm:parcel": 1}, "noticed while it grows"
        await room.hold("parcel", True, "lena")
        await room.pause_check_backs(True, "lena")
        await storm(it, 440, first=60)
        held = await it.cases()
        assert len(held) == 500
        assert [case for case in held if case.topic == "parcel" and case.replied_at is not None] == []

        # nobody is forgotten: one call for all, 45 minutes before the first window ends
        await it.later(minutes=75)
        await duties(it)
        assert kinds(it)["held:parcel"] == 1
        words = next(words for _, kind, words in it.desk.alerts if kind == "held:parcel")
        assert words.startswith("500 first replies wait")
        endangered = [row for row in await rows(it, Kind.ALARM) if row.body["alarm"] == "first_reply_endangered"]
        first = min(case.first_posted_at for case in held)
        assert min(row.created_at for row in endangered) - first <= timedelta(minutes=75)

        # one update for everybody, in place of the bot's own words
        await room.set_update("parcel", "en", UPDATE, "lena")
        await room.hold("parcel", False, "lena")
        await it.later(minutes=20)
        assert len(it.phone.accepted) == 500
        assert all(UPDATE in words for words in texts(it))
        assert all(case.replied_at is not None for case in await it.cases())
        assert all(
            case.replied_at - case.first_posted_at < timedelta(hours=2) for case in await it.cases() if case.replied_at
        )

        # one case is Noor's: it is left to her
        mine = (await it.cases())[0]
        await it.app.acts.submit(mine.key, AgentClaimed(agent=NOOR), "claim")
        await it.run.settle()
        look = await room.look_at_answer("parcel", "en", ANSWER, LENA)
        assert (look.count, look.left) == (499, 1)
        assert await room.answer("parcel", "en", ANSWER, LENA, "depot") == 499
        assert await room.carry_on() == 499
        await room.carry_on()
        await room.answer("parcel", "en", ANSWER, LENA, "depot")  # the same group again: nothing more is sent
        await room.carry_on()
        await it.run.settle()
        assert Counter(texts(it))[ANSWER] == 499
        answered = [case for case in await it.cases() if case.owner is not None and case.owner.id == LENA.id]
        assert len(answered) == 499
        assert {case.state for case in answered} == {State.WITH_AGENT}


async def rows(it: Scene, kind: Kind):
    """Rows of a kind."""
    return [row for row in await it.app.store.outbox(limit=20_000) if row.kind is kind]


def texts(it: Scene) -> list[str]:
    """Everything that reached customers."""
    import json

    return [json.loads(line)["text"] for line in it.phone.path.read_text().splitlines()]


async def test_first_replies_that_wait_for_the_platforms_limit_are_held_as_well(tmp_path):
    async with scene(tmp_path) as it:
        it.phone.full_until = it.clock.now() + timedelta(minutes=15)
        await storm(it, 12)
        await it.later(minutes=10)
        assert [row.status.value for row in await it.rows("words")] == ["pending"] * 12, "written, and not sent"
        await it.app.incidents.hold("parcel", True, "lena")
        await it.later(minutes=67)
        await it.app.incidents.watch()
        assert texts(it) == []
        assert next(words for _, kind, words in it.desk.alerts if kind == "held:parcel").startswith("12 first replies")
        await it.app.incidents.hold("parcel", False, "lena")
        await it.later(minutes=6)
        assert len(texts(it)) == 12


async def test_an_answer_that_was_asked_for_survives_a_crash(tmp_path):
    async with scene(tmp_path) as it:
        await storm(it, 12)
        await it.later(minutes=40)
        await it.app.incidents.answer("parcel", "en", ANSWER, LENA, "depot")
    async with scene(tmp_path) as it:  # nothing had been sent
        assert await it.app.incidents.carry_on() == 12
        await it.run.settle()
        said = [t for case in await it.cases() for t in await it.app.store.turns(case.key) if t.author is Author.AGENT]
        assert len(said) == 12


async def test_a_customer_with_two_cases_hears_it_once(tmp_path):
    async with scene(tmp_path) as it:
        await it.post("ann", "my parcel is three weeks late, it never arrived")
        await it.post("ann", "and the other parcel is late as well, two weeks now, nobody answers")
        (case,) = await it.cases()
        await it.app.acts.submit(case.key, AgentSplit(agent=NOOR, posts=(case.story[-1].id,)), "s")
        await it.later(minutes=40)
        group = group_of(await it.cases(), "parcel", case.opened_at)
        assert len(group) == 2
        assert (
            await answer_group(it.app.acts, group, NOOR, "The depot works again, and news follows by 6 PM.", "one") == 1
        )
        await it.run.settle()
        assert texts(it).count("The depot works again, and news follows by 6 PM.") == 1
        await it.later(minutes=5)
        await it.app.acts.submit(group[0].key, AgentReleased(agent=NOOR), "back")
        await it.run.settle()
        await it.app.incidents.answer("parcel", "en", ANSWER, LENA, "depot")
        assert await it.app.incidents.carry_on() == 1
        await it.run.settle()
        assert texts(it).count(ANSWER) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write something"),
        ("m" * 111, "at most 110"),
        ("It is your own fault, you should have ordered earlier.", "fault|blame|customer"),
        ("Write to anna.smith@example.org for news.", "personal data"),
    ],
)
async def test_an_update_passes_the_guard_or_is_refused(tmp_path, text, why):
    async with scene(tmp_path) as it:
        room = it.app.incidents
        with pytest.raises(ActError, match=why):
            refuse(room.look_at_update("parcel", "en", text).findings)
        if text:
            with pytest.raises(ActError, match=why):
                await room.set_update("parcel", "en", text, "lena")
        assert it.app.switches.now.updates == {}


async def test_an_update_is_shown_as_it_will_be_said_and_taken_out_again(tmp_path):
    async with scene(tmp_path) as it:
        look = it.app.incidents.look_at_update("parcel", "en", UPDATE)
        assert look.texts
        assert look.findings == ()
        assert all(UPDATE in text and "parcel" in text for text in look.texts)
        await it.app.incidents.set_update("parcel", "en", UPDATE, "lena")
        assert (await it.app.incidents.topic("parcel")).updates == {"en": UPDATE}
        await it.app.incidents.set_update("parcel", "en", "", "lena")
        await it.post()
        await it.later(minutes=10)
        assert not any(UPDATE in words for words in texts(it))
        assert [entry["actor"] for entry in await it.app.store.audits() if entry["action"] == "switch"] == ["lena"] * 2
