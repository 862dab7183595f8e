"""The webhook: signed, once per occasion, without the customer's words, and tried again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bot.clock import VirtualClock
from bot.webhook import Webhook, signature
from conversations.conversation import Agent
from conversations.events import AgentClaimed, AgentResolved
from conversations.ids import AgentId
from tests.operations.scene import START, scene

pytestmark = pytest.mark.anyio
SECRET = "shared"
NOOR = Agent(AgentId("U1"), "Noor Haddad")


class Receiver:
    """A real server that keeps what it is told; ``answers`` are the statuses it gives, then 204."""

    def __init__(self) -> None:
        self.told: list[dict[str, object]] = []
        self.ids: list[str] = []
        self.answers: list[int] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers["X-Hearout-Timestamp"]
        assert request.headers["X-Hearout-Signature"] == signature(SECRET.encode(), stamp, body)
        status = self.answers.pop(0) if self.answers else 204
        self.ids.append(request.headers["X-Hearout-Id"])
        if status == 204:
            self.told.append(json.loads(body))
        return web.Response(status=status)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, Webhook]]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        yield receiver, Webhook(f"http://127.0.0.1:{port}/hook", SECRET, session, VirtualClock(START))  # type: ignore[arg-type]
    await runner.cleanup()


async def test_what_becomes_of_a_case_is_told(tmp_path):
    async with receiving() as (receiver, webhook), scene(tmp_path, webhook=webhook) as it:
        await it.post()
        await it.later(hours=1)
        (case,) = await it.cases()
        await it.app.acts.submit(case.key, AgentClaimed(agent=NOOR), "a1")
        await it.app.acts.submit(case.key, AgentResolved(agent=NOOR, done_text="delivered", anyway=True), "a2")
        await it.later(minutes=1)
        assert [told["event"] for told in receiver.told] == ["opened", "handed_off", "resolved"]
        assert len(set(receiver.ids)) == 3
        assert "three weeks" not in json.dumps(receiver.told)


async def test_a_receiver_that_fails_is_tried_again_with_the_same_id(tmp_path):
    async with receiving() as (receiver, webhook), scene(tmp_path, webhook=webhook) as it:
        receiver.answers = [500, 429]
        await it.post()
        await it.later(minutes=4)
        assert [told["event"] for told in receiver.told] == ["opened"]
        assert len(receiver.ids) == 3
        assert len(set(receiver.ids)) == 1


async def test_a_plain_refusal_is_not_repeated_and_said(tmp_path):
    async with receiving() as (receiver, webhook), scene(tmp_path, webhook=webhook) as it:
        receiver.answers = [410] * 99
        await it.post()
        await it.later(minutes=4)
        assert len(receiver.ids) == 1
        assert any("410" in words for _, _, words in it.desk.alerts)
