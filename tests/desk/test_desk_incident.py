"""Incident mode from Slack: a storm's message with its buttons, the admins' part of the home, and one answer for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store.records import Kind
from conversations.conversation import Author, Customer
from conversations.wording.request import Surface
from tests.desk.scene import Desk, company
from tests.platforms.slack.values import Message, User

pytestmark = pytest.mark.anyio
UPDATE = "Deliveries have been late since Monday; the next news comes here at 1 PM."
ANSWER = "The depot works again since noon, and every parcel leaves by 8 PM tonight."


async def storm(desk: Desk, count: int = 10) -> None:
    """So many customers complain about the same, and the desk hears of it."""
    for n in range(count):
        customer = Customer(f"c{n}", f"c{n}", f"Customer {n}")
        text = f"my parcel is {n % 9 + 2} weeks late and it never arrived, order of day {n}"
        await desk.phone.post(customer, text, Surface.PUBLIC, f"s{n}")
    await desk.parts.engine.decide_due()
    await duties(desk)


async def duties(desk: Desk) -> None:
    """What comes round every minute."""
    housekeeping = desk.parts.worker.housekeeping
    assert housekeeping is not None
    await housekeeping.round()
    await desk.link.settle()


def message(desk: Desk, words: str) -> Message:
    """The desk's message that says so, as it is now."""
    found = [m for m in desk.slack.world.history(desk.fallback) if words in m.text]
    assert found, [m.text for m in desk.slack.world.history(desk.fallback)]
    return found[-1]


async def press(desk: Desk, user: User, action: str, on: Message) -> None:
    """Press a button of a message."""
    desk.slack.people.click(user, on, f"hearout:incident_{action}")
    await desk.server.settled()
    await desk.link.settle()


async def home(desk: Desk, user: User) -> str:
    """Somebody's App Home."""
    desk.slack.people.open_home(user)
    await desk.server.settled()
    await desk.link.settle()
    return str(desk.slack.views.homes[user.id].view)


async def test_a_storm_is_held_and_released_from_its_message(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await storm(desk)
        assert "10 in half an hour" in str(message(desk, "storm").blocks)
        await press(desk, desk.mia, "hold", message(desk, "storm"))
        assert "Only admins" in desk.told(desk.mia)[-1].text
        assert desk.parts.switches.now.held_topics == ()
        await press(desk, desk.lena, "hold", message(desk, "storm"))
        assert desk.parts.switches.now.held_topics == ("parcel",)
        assert "on hold" in str(message(desk, "storm").blocks)
        await desk.later(1_800)
        assert desk.wire == []
        assert any(entry["actor"] == f"slack:{desk.lena.id}" for entry in await desk.parts.store.audits())
        await press(desk, desk.lena, "release", message(desk, "storm"))
        await desk.later(310)
        assert len(desk.wire) == 10


async def test_held_first_replies_ring_once_for_all_before_their_window_ends(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await storm(desk)
        await press(desk, desk.lena, "hold", message(desk, "storm"))
        await desk.work(60)
        await desk.later(301)
        await desk.later(74 * 60)
        await duties(desk)
        called = message(desk, "held")
        assert "10 first replies wait" in called.text
        assert "Release the first replies" in str(called.blocks)
        alarms = [row for row in await desk.rows() if row.kind is Kind.ALARM]
        assert {"first_reply_held", "first_reply_endangered"} <= {row.body["alarm"] for row in alarms}
        in_channel = [m for m in desk.slack.world.history(desk.channel) if m.subtype == "thread_broadcast"]
        assert in_channel == [], "no case of a held topic rings on its own"
        assert all(desk.slack.world.pings(m) == () for card in desk.cards() for m in desk.thread(card))


async def test_an_update_is_shown_as_it_will_be_said_before_it_is_set(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await storm(desk)
        await press(desk, desk.lena, "hold", message(desk, "storm"))
        await press(desk, desk.lena, "update", message(desk, "storm"))
        refused = await desk.submit(desk.lena, {"text": "Write to anna.smith@example.org for news."})
        assert not refused.errors
        shown = str(desk.slack.views.top(desk.lena.id))
        assert "personal data" in shown
        refused = await desk.submit(desk.lena, {"text": "Write to anna.smith@example.org for news."})
        assert "personal data" in refused.errors["text"]
        assert desk.parts.switches.now.updates == {}
        await desk.submit(desk.lena, {"text": UPDATE})
        assert "First replies will read like this" in str(desk.slack.views.top(desk.lena.id))
        assert desk.parts.switches.now.updates == {}, "shown, not set"
        await desk.submit(desk.lena, {"text": UPDATE})
        assert desk.parts.switches.now.updates == {"parcel": UPDATE}
        await press(desk, desk.lena, "release", message(desk, "storm"))
        await desk.later(310)
        await desk.later(310)
        assert len(desk.wire) == 10
        assert all(UPDATE in words for words in desk.wire)


async def test_a_group_is_answered_with_each_customer_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await storm(desk)
        await desk.later(400)
        await desk.later(1_801)
        mine = next(card for card in desk.cards() if "Customer 3" in str(card.blocks))
        await desk.click(desk.tom, "claim", mine)
        await desk.work()
        before = len(desk.wire)
        await press(desk, desk.tom, "answer", message(desk, "storm"))
        assert "Only leads" in desk.told(desk.tom)[-1].text
        await press(desk, desk.lena, "answer", message(desk, "storm"))
        await desk.submit(desk.lena, {"text": ANSWER})
        shown = str(desk.slack.views.top(desk.lena.id))
        assert "This goes to 9 customers" in shown
        assert "1 of others is left to them" in shown
        await desk.submit(desk.lena, {"text": ANSWER})
        await desk.work(600)
        assert desk.wire[before:] == [ANSWER] * 9
        cases = await desk.parts.store.conversations(limit=20)
        assert sum(case.owner is not None and case.owner.id == desk.lena.id for case in cases) == 9
        said = [t for c in cases for t in await desk.parts.store.turns(c.key) if t.author is Author.AGENT]
        assert len(said) == 9
        await duties(desk)
        await desk.work(60)
        assert len(desk.wire) == before + 9


async def test_the_home_of_an_admin_shows_the_switches(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await storm(desk)
        shown = await home(desk, desk.lena)
        assert "Incidents" in shown
        assert "Pause check-backs" in shown
        assert "Incidents" not in await home(desk, desk.mia)
        desk.slack.people.click_view(desk.lena, "hearout:incident_stop_check_backs", home=True)
        await desk.server.settled()
        await desk.link.settle()
        assert desk.parts.policy.check_backs_paused
        assert "Resume check-backs" in await home(desk, desk.lena)
