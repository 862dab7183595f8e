"""App Home, the slash command, shifts and the digest."""

from __future__ import annotations

import zlib
from datetime import timedelta
from pathlib import Path

import pytest

from bot.desk.slack.digest import Week, draw, words
from bot.live import Controls
from conversations.conversation import Customer
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.desk.scene import STORY, Desk, company
from tests.platforms.slack.log import Did
from tests.platforms.slack.values import User

pytestmark = pytest.mark.anyio


async def home(desk: Desk, user: User) -> str:
    """What somebody's App Home shows."""
    desk.slack.people.open_home(user)
    await desk.server.settled()
    await desk.link.settle()
    return str(desk.slack.views.homes[user.id].view)


async def several(desk: Desk, count: int = 3) -> None:
    """Cases of different customers, all in the queue."""
    for n in range(count):
        await desk.phone.post(Customer(f"m{n}", f"m{n}", f"Customer {n}"), STORY, Surface.PUBLIC, f"m{n}")
        await desk.work(1)
        desk.clock.advance(60)
    await desk.later(901)
    await desk.later(1_801)


async def test_the_home_shows_my_cases_the_queue_and_what_breaches_next(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await several(desk)
        assert "0 with you, 3 in the queue" in await home(desk, desk.mia)
        desk.slack.people.click_view(desk.mia, "hearout:take_next", home=True)
        await desk.work()
        await desk.work()
        shown = str(desk.slack.views.homes[desk.mia.id].view)  # without opening it again
        assert "1 with you, 2 in the queue" in shown
        assert "Breaches next" in shown
        assert "archives" in shown
        case = await desk.case("m0")
        assert case.owner is not None
        assert case.owner.id == desk.mia.id
        desk.slack.people.click_view(desk.tom, "hearout:claim", home=True) if await home(desk, desk.tom) else None
        await desk.work()
        assert (await desk.case("m1")).owner is not None


async def test_the_empty_queue_says_so(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await home(desk, desk.mia)
        desk.slack.people.click_view(desk.mia, "hearout:take_next", home=True)
        await desk.server.settled()
        await desk.link.settle()
        assert any("The queue is empty" in entry.text for entry in desk.slack.log.posts())


async def test_end_of_shift_hands_everything_over_with_a_note(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await several(desk, 2)
        for card in desk.cards():
            await desk.click(desk.mia, "claim", card)
        await desk.work()
        await home(desk, desk.mia)
        desk.slack.people.click_view(desk.mia, "hearout:end_shift", home=True)
        await desk.server.settled()
        assert "2" in str(desk.slack.views.top(desk.mia.id))
        mine = await desk.submit(desk.mia, {"to_agent": desk.mia.id, "note": "bye"})
        assert "that is you" in mine.errors["to_agent"]
        await desk.submit(desk.mia, {"to_agent": desk.tom.id, "note": "call them before noon"})
        await desk.work()
        for post in ("m0", "m1"):
            owner = (await desk.case(post)).owner
            assert owner is not None
            assert owner.id == desk.tom.id
        assert "0 with you" in str(desk.slack.views.homes[desk.mia.id].view), "without opening it again"
        assert all(any("before noon" in m.text for m in desk.thread(card)) for card in desk.cards())


async def test_unsure_ones_and_what_was_set_aside_take_one_click(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.complain("do you ship to Malta?", customer=Customer("q1", "q", "Quin"))
        asides = await desk.parts.store.asides()
        shown = await home(desk, desk.mia)
        assert len(asides) == shown.count("Open a case") == 1
        desk.slack.people.click_view(desk.mia, "hearout:open_aside", home=True)
        await desk.work()
        assert len(await desk.parts.store.conversations()) == 1
        assert "Open a case" not in await home(desk, desk.mia)


async def test_the_command(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await several(desk, 2)

        async def typed(user: User, text: str) -> str:
            desk.slack.people.command(user, desk.channel, "/hearout", text)
            await desk.server.settled()
            await desk.link.settle()
            return desk.told(user)[-1].text

        assert "2 open cases" in await typed(desk.mia, "status")
        assert "Customer 0" in await typed(desk.mia, "")
        assert "Customer 1" in await typed(desk.mia, "search parcel")
        assert "No case has" in await typed(desk.mia, "search <!here>")
        assert "<!here>" not in await typed(desk.mia, "search <!here>")
        assert "Write what to look for" in await typed(desk.mia, "search")
        assert "There is no “dance”" in await typed(desk.mia, "dance")
        assert "You take the case" in await typed(desk.mia, "next")
        assert "Only admins" in await typed(desk.mia, "pause")
        assert "not set up" in await typed(desk.lena, "pause")
        desk.desk.actions.controls = Controls(desk.parts.switches, desk.parts.store)
        assert "is paused" in await typed(desk.lena, "pause")
        assert desk.lena.id in desk.parts.switches.now.paused
        assert "speaks again" in await typed(desk.lena, "resume")
        assert not desk.parts.switches.now.paused
        assert "running; " in await typed(desk.lena, "status")
        done = {line["action"] for line in await desk.parts.store.audits() if line["actor"] == f"slack:{desk.lena.id}"}
        assert {"pause", "resume", "switch"} <= done


async def test_the_digest_comes_once_a_week_with_its_picture(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await several(desk, 2)
        await desk.click(desk.mia, "claim", desk.cards()[0])
        await desk.work()
        while desk.clock.now().weekday() != 0 or desk.clock.now().hour < 8:
            desk.clock.advance(1_800)
        for _ in range(3):
            await desk.desk.digest.publish_if_due()
            desk.clock.advance(3_600)
        posts = [entry for entry in desk.slack.log.posts(desk.fallback.id) if "The week" in entry.text]
        assert len(posts) == 1
        assert "2 cases" in posts[0].text
        (upload,) = desk.slack.log.of(Did.UPLOAD)
        assert upload.thread_ts == posts[0].ts
        (file,) = [f for f in desk.slack.world.files.values() if f.name == "hearout-week.png"]
        assert file.content.startswith(b"\x89PNG\r\n\x1a\n")


def test_the_picture_is_a_sound_png() -> None:
    week = Week(9, (5, 12, 7, 0, 140, 20, 3), (30, 60, 10, 0, 5, 90, 12), 7, 30, 8, 9, 4, 1, 2, (("delivery", 5),))
    png = draw(week, 120)
    assert png[12:16] == b"IHDR"
    at = png.index(b"IDAT")
    size = int.from_bytes(png[at - 4 : at], "big")
    assert len(zlib.decompress(png[at + 4 : at + 4 + size])) == (900 * 3 + 1) * 260
    text = words(week, 7_200)
    assert "7 min at the median, 8 of 9 within 2 h" in text
    assert "4 happy, 1 not happy, 2 without a clear answer" in text


async def test_the_round_survives_a_slack_that_does_not_answer(tmp_path: Path) -> None:
    from tests.platforms.slack.faults import Fault, Trouble

    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.slack.faults.add(Fault("*", Trouble.SERVER_ERROR))
        desk.clock.advance(60)
        await desk.desk.round()
        desk.slack.faults.clear()
        await desk.desk.round()
        assert (await desk.case()).state is State.AWAITING_AGENT
        assert desk.clock.now() + timedelta()
