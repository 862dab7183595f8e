"""Agents take a case in the strict local Slack from its card to a satisfied check-back."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversations.protocol import State
from tests.desk.scene import STORY, company

pytestmark = pytest.mark.anyio


async def test_a_case_comes_up_as_a_card_with_its_thread(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        card = desk.card()
        text = str(card.blocks)
        assert "missing for three weeks" in text
        assert "Sue" in text
        assert not card.unfurl_links
        assert any("missing for three weeks" in message.text for message in desk.thread())
        await desk.claim(desk.mia)
        case = await desk.case()
        assert case.state is State.WITH_AGENT
        assert case.owner is not None
        assert case.owner.id == desk.mia.id
        assert f"<@{desk.mia.id}>" in str(desk.card().blocks)
        await desk.say(desk.mia, "I found it: a courier brings your parcel tomorrow by 18:00.")
        assert desk.wire[-1] == "I found it: a courier brings your parcel tomorrow by 18:00."
        assert any("✅" in message.text and "courier brings" in message.text for message in desk.thread())
        assert STORY
