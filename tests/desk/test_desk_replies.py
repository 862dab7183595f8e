"""Replies: where they may start from, what is shown before they leave, and what needs another look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.config import Config
from conversations.conversation import Agent
from conversations.ids import AgentId
from conversations.policy import ChannelTraits
from tests.desk.scene import Desk, company

pytestmark = pytest.mark.anyio
LONG = "I have looked at everything you wrote about the parcel and asked the depot where it is. " * 5


def shown(desk: Desk) -> dict[str, Any]:
    """The modal that Mia sees."""
    top = desk.slack.views.top(desk.mia.id)
    assert top is not None
    return top.view


def offered(desk: Desk) -> list[str]:
    """The names of the texts a reply may start from."""
    block = next(block for block in shown(desk)["blocks"] if block.get("block_id") == "templates")
    return [option["text"]["text"] for option in block["elements"][0]["options"]]


async def taken(desk: Desk, **more: Any) -> None:
    """A case that Mia has."""
    await desk.handed_off(**more)
    await desk.claim(desk.mia)


async def start_from(desk: Desk, name: str) -> str:
    """Choose a text; the words that then stand in the field."""
    desk.slack.people.click_view(desk.mia, "hearout:template", str(offered(desk).index(name)))
    await desk.server.settled()
    await desk.link.settle()
    field = next(block for block in shown(desk)["blocks"] if block.get("block_id", "").startswith("text"))
    return str(field["element"]["initial_value"])


async def test_an_agents_own_words_stay_under_the_text_they_start_from(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        await desk.click(desk.mia, "reply")
        typed = {"text0": "I called the depot at 9."}
        desk.slack.people.click_view(desk.mia, "hearout:template", "0", inputs=typed)
        await desk.server.settled()
        await desk.link.settle()
        field = next(block for block in shown(desk)["blocks"] if block.get("block_id") == "text1")
        words = field["element"]["initial_value"]
        assert words == "We are on it: your parcel leaves today by courier.\n\nI called the depot at 9."


async def test_a_finding_is_said_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        await desk.click(desk.mia, "reply")
        await desk.submit(desk.mia, {"text0": "We will fix it soon. The parcel comes soon, and the refund soon."})
        said = [block["text"]["text"] for block in shown(desk)["blocks"] if block["type"] == "section"]
        assert sum("promises without a date" in text for text in said) == 1
        assert any("times)" in text for text in said)


async def test_a_reply_starts_from_the_desks_words_or_from_approved_wording(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        await desk.click(desk.mia, "reply")
        assert offered(desk)[0] == "Late parcel"
        assert "Nobody has forgotten you" in offered(desk)
        assert "News of a promise" not in offered(desk), "nothing is promised here"
        words = await start_from(desk, "Nobody has forgotten you")
        assert "parcel" in words
        assert await start_from(desk, "Late parcel") == "We are on it: your parcel leaves today by courier."
        before = list(desk.wire)
        words = await start_from(desk, "Say back what you understood")
        field = next(b["block_id"] for b in shown(desk)["blocks"] if b.get("block_id", "").startswith("text"))
        await desk.submit(desk.mia, {field: words})
        preview = str(shown(desk)["blocks"])
        assert "This will be sent" in preview
        await desk.submit(desk.mia)
        await desk.work()
        assert desk.wire == [*before, words], "exactly what was shown"
        for sentence in words.split("\n"):
            assert sentence in preview


async def test_words_too_long_for_one_message_ask_before_they_are_split(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        desk.phone.traits = ChannelTraits(public_chars_max=280)  # type: ignore[misc]
        await desk.click(desk.mia, "reply")
        await desk.submit(desk.mia, {"text0": LONG})
        view = shown(desk)
        assert "too long for one message" in str(view["blocks"])
        assert view["submit"]["text"] == "Send in 2 parts"
        assert f"{len(LONG.strip())} characters of 280" in str(view["blocks"])


@pytest.mark.parametrize(("language", "found"), [("en", False), ("de", True), ("und", False)])
async def test_the_review_knows_the_customers_language(tmp_path: Path, language: str, found: bool) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        case = (await desk.case()).evolve(language=language)
        text = "We have found your parcel, and the courier brings it to your door tomorrow before noon."
        review = await desk.parts.acts.review(case, text, None, "U1")
        assert any(finding.rule == "other_language" for finding in review.findings) is found


async def test_of_an_unknown_language_the_brands_own_is_expected(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        case = (await desk.case()).evolve(language="und")
        text = "Wir haben Ihr Paket gefunden, und der Bote bringt es Ihnen morgen noch vor dem Mittag an die Tür."
        review = await desk.parts.acts.review(case, text, None, Agent(AgentId("U1"), "Mia").id)
        assert [finding.rule for finding in review.findings] == ["other_language"]


def test_the_desks_words_come_from_the_configuration() -> None:
    from bot.live import desk_settings

    config = Config.model_validate({"slack": {"desk": {"replies": [{"name": "Late", "text": "It leaves by noon."}]}}})
    assert desk_settings(config).templates == (("Late", "It leaves by noon."),)


async def test_a_draft_that_is_too_long_is_shown_before_it_is_sent(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await taken(desk)
        await desk.click(desk.mia, "propose_plan")
        due = int(desk.clock.now().timestamp()) + 7_200
        plan = {"step1": "Send the parcel again by courier", "due1": due}
        await desk.submit(desk.mia, plan)
        await desk.submit(desk.mia, plan)
        await desk.work()
        await desk.complain("ok that works")
        await desk.later(7_300)
        overdue = next(m for m in desk.thread() if "overdue" in m.text)
        desk.phone.traits = ChannelTraits(public_chars_max=60)  # type: ignore[misc]
        sent = len(desk.wire)
        await desk.click(desk.mia, "send_draft", overdue)
        await desk.work()
        assert len(desk.wire) == sent
        assert "too long for one message" in str(shown(desk)["blocks"])
