"""Socket Mode: several connections, watched.

Slack sends any payload over any socket and closes a socket before its successor is open, so at least two are held.
The SDK's client
pings and reconnects by itself, with two gaps that this watch closes: after a refused ticket it retries the same dead
address for ever
(slackapi/python-slack-sdk#1701 and libraries.md), and nobody learns that words may have been missed in between.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import WSMessage
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.log import get_logger
from bot.slack.settings import SlackSettings

CLOSE_S = 2.0
"""A socket that does not answer is given so long to close."""
STUCK_CHECKS = 3
"""A connection that is down at so many checks in a row is started afresh."""

Lost = Callable[[str, bool], Awaitable[None]]
"""(why, whether people should know): a connection was lost, so payloads may be missing."""
log = get_logger("slack.sockets")


class Line:
    """One connection and what the watch knows of it."""

    def __init__(self, app: AsyncApp, client: AsyncWebClient, settings: SlackSettings) -> None:
        handler = cast(Any, AsyncSocketModeHandler)(
            app,
            app_token=settings.app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=client,
            ping_interval=settings.ping_s,
        )
        self.client: SocketModeClient = handler.client
        self.client.on_message_listeners.append(self.heard)
        self.connecting: asyncio.Task[None] | None = None
        self.session: object | None = None
        self.planned = False
        self.down = 0

    async def heard(self, message: WSMessage) -> None:
        """Slack says beforehand when it will close a socket: that is no failure."""
        text = message.data
        if isinstance(text, str) and '"disconnect"' in text:
            self.planned = self.planned or json.loads(text).get("type") == "disconnect"

    def connect(self) -> None:
        """Begin to connect; a dead ticket is never tried twice."""
        self.client.wss_uri = None
        if self.connecting is None or self.connecting.done():
            self.connecting = asyncio.create_task(self._connect(), name="slack socket connect")

    async def _connect(self) -> None:
        try:
            await self.client.connect_to_new_endpoint(force=True)
        except Exception as error:  # Slack cannot be reached, or refuses: the watch tries again
            log.warning("no connection", error=repr(error))

    async def check(self) -> tuple[str, bool] | None:
        """What has happened since the last check: (why, alarming) when a connection was lost and replaced."""
        if not await self.client.is_connected():
            self.down += 1
            self.client.wss_uri = None  # whoever is connecting asks for a fresh ticket on its next try
            if self.down >= STUCK_CHECKS:
                self.connect()
            return None
        session: object = self.client.current_session
        before, self.session = self.session, session
        down, self.down = self.down, 0
        if before is None or before is session:
            return None
        planned, self.planned = self.planned, False
        return ("Slack asked us to reconnect", False) if planned else (f"down at {down} checks, or silent", True)

    async def close(self) -> None:
        """Close for good."""
        if self.connecting is not None:
            self.connecting.cancel()
            await asyncio.gather(self.connecting, return_exceptions=True)
        try:
            await asyncio.wait_for(cast(Any, self.client).close(), CLOSE_S)
        except (TimeoutError, Exception) as error:
            log.debug("a socket did not close well", error=repr(error))
        for task in (self.client.message_processor, self.client.current_session_monitor, self.client.message_receiver):
            if task is not None:
                task.cancel()
        await self.client.aiohttp_client_session.close()


class Sockets:
    """Holds the connections open until cancelled."""

    def __init__(self, app: AsyncApp, client: AsyncWebClient, settings: SlackSettings, lost: Lost) -> None:
        self.settings = settings
        self.lost = lost
        self.app = app
        self.web = client

    async def run(self) -> None:
        """Connect and watch."""
        lines = [Line(self.app, self.web, self.settings) for _ in range(max(1, self.settings.sockets))]
        try:
            for line in lines:
                line.connect()
            while True:
                await asyncio.sleep(self.settings.ping_s)
                for line in lines:
                    if (event := await line.check()) is not None:
                        log.info("reconnected", why=event[0])
                        await self.lost(*event)
        finally:
            await asyncio.gather(*(line.close() for line in lines), return_exceptions=True)
