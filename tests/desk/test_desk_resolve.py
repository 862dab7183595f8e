"""Resolve…: what stands in its form, what it asks first, and that nothing an agent wrote is lost on the way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conversations.protocol import State
from tests.desk.scene import Desk, company

pytestmark = pytest.mark.anyio
DONE = "The export works again, and the refund of 90 euro is on the card."


def form(desk: Desk) -> dict[str, Any]:
    """The modal that Mia sees."""
    top = desk.slack.views.top(desk.mia.id)
    assert top is not None
    return top.view


def block(desk: Desk, name: str) -> dict[str, Any]:
    """One block of it."""
    return next(block for block in form(desk)["blocks"] if block.get("block_id") == name)


async def mine(desk: Desk, **more: Any) -> None:
    """A case that Mia has."""
    await desk.handed_off(**more)
    await desk.claim(desk.mia)


async def test_with_a_promise_open_the_form_asks_and_keeps_what_was_written(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await mine(desk)
        plan = {"step1": "Send it by courier", "due1": int((desk.clock.now() + timedelta(hours=5)).timestamp())}
        await desk.click(desk.mia, "propose_plan")
        await desk.submit(desk.mia, plan)
        await desk.submit(desk.mia, plan)
        await desk.work()
        await desk.complain("ok that works")
        assert (await desk.case()).promises_open

        await desk.click(desk.mia, "resolve")
        refused = await desk.submit(desk.mia, {"done_text": DONE})
        assert "Promises are still open" in refused.errors["anyway"]
        assert (await desk.case()).state is State.FULFILLING
        await desk.submit(desk.mia, {"done_text": DONE, "anyway": ["anyway"]})
        await desk.work()
        assert (await desk.case()).state is State.RESOLVED


async def test_in_public_the_form_says_that_the_words_are_for_the_case(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await mine(desk)
        await desk.click(desk.mia, "resolve")
        assert "customer reads this" not in block(desk, "done_text")["label"]["text"]
        assert "Reply" in block(desk, "done_text")["hint"]["text"]
        await desk.submit(desk.mia, {"done_text": DONE})
        await desk.work()
        assert not any("90 euro" in text for text in desk.wire), "in public nobody reads it"


async def test_what_a_customer_will_read_is_looked_at_before_it_leaves(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await mine(desk, direct=True)
        await desk.click(desk.mia, "resolve")
        assert "customer reads this" in block(desk, "done_text")["label"]["text"]
        words = {"done_text": "You should have read the terms. We will look into it soon."}
        await desk.submit(desk.mia, words)
        assert form(desk)["submit"]["text"] == "Resolve anyway"
        assert "promises without a date" in str(form(desk)["blocks"])
        assert (await desk.case()).state is State.WITH_AGENT
        await desk.submit(desk.mia, {"done_text": DONE})
        await desk.work()
        assert (await desk.case()).state is State.RESOLVED
        assert any("90 euro" in text for text in desk.wire)
