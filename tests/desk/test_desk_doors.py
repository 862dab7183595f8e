"""The two ways in: sockets that fail in every way, and signed HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.desk.slack import SlackDesk
from bot.slack import Slack, SlackSettings
from conversations.protocol import State
from tests.desk.scene import Desk, StepClock, company
from tests.platforms.slack.signing import signature_headers

pytestmark = pytest.mark.anyio
ANGRY = "@hearout our export has been failing since the update and nobody answers, this is unacceptable"


async def gaps(desk: Desk) -> list[tuple[str, str]]:
    """Alerts from now on."""
    heard: list[tuple[str, str]] = []

    async def hear(kind: str, words: str) -> None:
        heard.append((kind, words))

    desk.link.alert = hear
    return heard


async def test_7_a_half_open_socket_is_replaced_and_people_are_told(tmp_path: Path) -> None:
    async with company(tmp_path, ping_s=0.1) as desk:
        heard = await gaps(desk)
        await asyncio.wait_for(settled(desk), 10)
        socket = next(iter(desk.slack.sockets.open.values()))
        before = desk.slack.sockets.handshakes
        socket.half_open = True
        await desk.server.until(
            lambda: desk.slack.sockets.handshakes > before and socket.id not in desk.slack.sockets.open
        )
        await asyncio.wait_for(desk.link.gap.wait(), 10)
        assert [kind for kind, _ in heard] == ["slack_socket"]
        assert await sweeps_up(desk)


async def test_dead_tickets_are_not_tried_for_ever(tmp_path: Path) -> None:
    async with company(tmp_path, ping_s=0.05) as desk:
        desk.slack.sockets.kill_tickets(coming=3)
        for socket in list(desk.slack.sockets.open.values()):
            await desk.server.hang_up(socket, abort=True)
        await desk.server.until(lambda: desk.slack.sockets.refused >= 3, 20)
        await desk.server.sockets_open(2)
        assert (await desk.writes(ANGRY)).ts


async def test_9_a_hundred_disconnects_leave_nothing_behind(tmp_path: Path) -> None:
    async with company(tmp_path, ping_s=5.0) as desk:
        await desk.writes(ANGRY)
        tasks, threads = len(asyncio.all_tasks()), threading.active_count()
        for _ in range(100):
            desk.clock.advance(36)  # an hour in all: Slack gives 20 tickets a minute
            socket = next(iter(desk.slack.sockets.open.values()))
            before = desk.slack.sockets.handshakes
            await desk.server.warn(socket)
            await desk.server.until(lambda before=before: desk.slack.sockets.handshakes > before)  # type: ignore[misc]
        await desk.server.sockets_open(2)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= tasks + 2
        assert threading.active_count() <= threads + 1


async def test_what_was_said_during_a_gap_is_swept_up_by_the_running_channel(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        running = asyncio.create_task(desk.outside.run())
        try:
            while await desk.parts.store.get_meta("slack.customers.swept_at") is None:  # noqa: ASYNC110
                await asyncio.sleep(0)
            desk.slack.courier.lose_next(10)
            desk.clock.advance(30)
            desk.slack.people.post(desk.sue, desk.help, ANGRY)
            desk.link.gap.set()
            while not await desk.parts.store.conversations():  # noqa: ASYNC110
                await asyncio.sleep(0)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert len(await desk.parts.store.conversations()) == 1


async def test_forged_old_and_replayed_requests_have_no_effect(tmp_path: Path) -> None:
    async with company(tmp_path, http=True) as desk:
        assert await desk.server.verify_url()
        await desk.handed_off()
        body = json.dumps(
            {"type": "event_callback", "team_id": "T0HOME", "event_id": "Ev1", "event": message(desk)}
        ).encode()
        url = str(desk.server.events_url)
        forged = [
            {"X-Slack-Signature": "v0=" + "0" * 64},
            {"X-Slack-Request-Timestamp": "1600000000"},
            {"X-Slack-Signature": ""},
        ]
        for headers in forged:
            status, _, _ = await desk.server.post_signed(url, body, "application/json", headers)
            assert status in (401, 403)
        assert await desk.parts.store.conversations(customer=desk.sue.id) == []
        for _ in range(3):  # a replay within Slack's five minutes is the same message
            status, _, _ = await desk.server.post_signed(url, body, "application/json")
            assert status == 200
        assert (await desk.slack_case()).turns_count == 0
        await desk.work()
        assert (await desk.slack_case()).turns_count == 1


async def test_a_body_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    async with company(tmp_path, http=True) as desk:
        status, _, _ = await desk.server.post_signed(str(desk.server.events_url), b"x" * 1_000_001, "application/json")
        assert status == 413


@pytest.mark.parametrize(("size", "status"), [(0, 200), (1_000_000, 413)])
async def test_a_proxy_may_pass_a_body_on_in_parts(tmp_path: Path, size: int, status: int) -> None:
    async with company(tmp_path, http=True) as desk:
        event = {**message(desk), "padding": "x" * size}
        body = json.dumps({"type": "event_callback", "team_id": "T0HOME", "event_id": "Ev1", "event": event}).encode()
        signed = signature_headers(desk.link.settings.signing_secret, body, desk.clock.now().timestamp())

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 10_000):
                yield body[start : start + 10_000]

        headers = {**signed, "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as client,
            client.post(str(desk.server.events_url), data=parts(), headers=headers) as answer,
        ):
            assert answer.status == status
        assert len(await desk.parts.store.conversations(customer=desk.sue.id)) == (status == 200)


def test_http_without_a_signing_secret_is_refused() -> None:
    link = Slack(SlackSettings("xoxb-x"), StepClock())
    with pytest.raises(ValueError, match="SIGNING_SECRET"):
        link.routes()


def test_secrets_do_not_show() -> None:
    settings = SlackSettings("xoxb-canary", "xapp-canary", "canary-secret")
    assert "canary" not in repr(settings)


async def test_the_desk_runs_until_it_is_stopped(tmp_path: Path) -> None:
    async with company(tmp_path, listening=False) as desk:
        running = asyncio.create_task(desk.desk.run())
        await desk.server.sockets_open(2)
        await desk.handed_off()
        await desk.claim(desk.mia)
        assert (await desk.case()).state is State.WITH_AGENT
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await desk.server.sockets_open(0)
        assert isinstance(desk.desk, SlackDesk)


async def settled(desk: Desk) -> None:
    """Both sockets are known to the watch."""
    await desk.server.sockets_open(2)
    for _ in range(4):
        before = sum(socket.pings for socket in desk.slack.sockets.open.values())
        await desk.server.until(
            lambda before=before: sum(s.pings for s in desk.slack.sockets.open.values()) > before + 2
        )  # type: ignore[misc]


async def sweeps_up(desk: Desk) -> bool:
    """Whether a sweep works after the gap."""
    return await desk.outside.sweep.run() == 0


def message(desk: Desk) -> dict[str, Any]:
    """A message event as Slack sends it."""
    ts = f"{int(desk.clock.now().timestamp())}.000100"
    return {
        "type": "message", "channel": desk.help.id, "channel_type": "channel", "user": desk.sue.id, "ts": ts, "team": "T0HOME",
        "text": "<@U0HEAROUT> our export has been failing and nobody answers, this is unacceptable",
    }  # fmt: skip
