"""The one Slack app: client, session, identity, listeners, and the two ways in (sockets, signed HTTP).

Listeners run *before* Slack gets its answer (``process_before_response``): one that raises answers 500, or no
acknowledgement at all,
and Slack delivers again. So nothing is acknowledged that was not kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from bot.clock import Clock
from bot.log import get_logger
from bot.slack.settings import Mode, SlackSettings
from bot.slack.sockets import Sockets
from bot.slack.trouble import Trouble, TroubleKind, trouble_of

EVENTS_PATH = "/slack/events"
BODY_BYTES_MAX = 1_000_000
"""Slack's payloads are far smaller; more is not read."""
OPEN_SOCKET = "apps.connections.open"
ALERT_AGAIN_S = 900.0
"""Alerts of a kind are folded for so long."""

Alert = Callable[[str, str], Awaitable[None]]
log = get_logger("slack")


class Slack:
    """What the desk and the customers' channel share. ``open`` before use; both may call it."""

    def __init__(
        self, settings: SlackSettings, clock: Clock, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """``sleep`` is how pacing waits; a test gives one that moves its clock."""
        self.settings = settings
        self.clock = clock
        self.sleep = sleep
        self.client = AsyncWebClient(token=settings.bot_token, base_url=settings.api_url, retry_handlers=[])
        bolt_log = logging.getLogger("slack_bolt.hearout")
        bolt_log.setLevel(logging.ERROR)

        async def authorize() -> AuthorizeResult:  # Bolt looks at the names of the arguments: a method will not do
            return await self._identity()

        self.app = AsyncApp(
            name="hearout",  # without one, bolt reads every source file on the stack to find one: half a second
            client=self.client,
            signing_secret=settings.signing_secret,
            process_before_response=True,
            authorize=authorize,
            logger=bolt_log,
        )
        self.team = ""
        self.team_url = ""
        self.bot_user = ""
        self.bot_id = ""
        self.gap = asyncio.Event()
        """Set when a connection was lost: what was said meanwhile has to be swept up."""
        self.alert: Alert = self._log_alert
        self.token_error: str | None = None
        self._alerted: dict[str, Any] = {}
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
        self._caught = False
        self._listeners = 0
        self._sockets: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ---------------------------------------------------------------- opening and closing

    async def open(self) -> None:
        """Sign in. Raises ``Trouble`` when Slack cannot be reached or refuses the token."""
        async with self._opening:
            self._catch_the_rest()
            if self._session is None:
                timeout = aiohttp.ClientTimeout(total=self.settings.call_s)
                self._session = aiohttp.ClientSession(timeout=timeout)
                self.client.session = self._session
            if not self.team:
                who = await self.ask("auth.test", self.client.auth_test())
                self.bot_user, self.bot_id = str(who.get("user_id", "")), str(who.get("bot_id", ""))
                self.team_url = str(who.get("url", ""))
                self.team = str(who.get("team_id", ""))

    def _catch_the_rest(self) -> None:
        """Acknowledge what nobody listens to, once everybody has said what they listen to: otherwise Slack delivers it again."""
        if self._caught:
            return
        self._caught = True
        everything = re.compile(".*", re.DOTALL)
        for listen in (
            self.app.event,
            self.app.action,
            self.app.view,
            self.app.shortcut,
            self.app.command,
            self.app.options,
        ):
            listen(everything)(_ignore)

    async def close(self) -> None:
        """Let go of the connections; background answers that are under way are waited for."""
        if self._sockets is not None:
            await self._stop_sockets()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self.settings.call_s)
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Payloads come in while this is held. In Socket Mode the first holder opens the sockets, the last closes them."""
        await self.open()
        self._listeners += 1
        if self._listeners == 1 and self.settings.mode is Mode.SOCKET:
            line = Sockets(self.app, self.client, self.settings, self._lost)
            self._sockets = asyncio.create_task(line.run(), name="slack sockets")
        try:
            yield
        finally:
            self._listeners -= 1
            if self._listeners == 0:
                await self._stop_sockets()

    async def _stop_sockets(self) -> None:
        task, self._sockets = self._sockets, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _lost(self, why: str, alarming: bool) -> None:
        self.gap.set()
        if alarming:
            await self.raise_alert("slack_socket", f"A connection to Slack failed ({why}) and was replaced.")

    # ---------------------------------------------------------------- calling

    async def ask(self, method: str, call: Awaitable[Any]) -> Mapping[str, Any]:
        """The answer to one call. Raises ``Trouble``, nothing else; a token that is no good raises an alert as well."""
        try:
            answer = await call
        except asyncio.CancelledError:
            raise
        except Exception as error:
            trouble = trouble_of(method, error)
            if trouble.kind is TroubleKind.SIGN_IN and method != OPEN_SOCKET:  # that goes with another token
                await self.signed_out(trouble.error)
            raise trouble from error
        self.token_error = None
        data = answer.data if hasattr(answer, "data") else answer
        return data if isinstance(data, dict) else {}

    async def signed_out(self, error: str) -> None:
        """Slack refuses our token: nothing works until an admin acts."""
        self.token_error = error
        await self.raise_alert(
            "slack_down", f"Slack refuses our token ({error}): reinstall the app or renew the token."
        )

    async def raise_alert(self, kind: str, words: str) -> None:
        """Tell the desk, folding repeats of a kind."""
        now = self.clock.now()
        last = self._alerted.get(kind)
        if last is not None and now - last < timedelta(seconds=ALERT_AGAIN_S):
            return
        self._alerted[kind] = now
        await self.alert(kind, words)

    async def _log_alert(self, kind: str, words: str) -> None:
        log.error("alert", kind=kind, words=words)

    def later(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Do something after the acknowledgement. Best effort: what must not be lost is stored before it."""
        task = asyncio.create_task(self._quietly(work, name), name=f"slack {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        try:
            await work
        except Trouble as error:
            log.warning("not shown", what=name, error=str(error))
        except Exception as error:
            log.exception("background work failed", what=name, error=repr(error))

    async def settle(self) -> None:
        """Wait for background answers (tests, shutting down)."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def respond(self, url: str, body: Mapping[str, Any]) -> bool:
        """Answer at a payload's ``response_url``. False: it is used up or too old."""
        assert self._session is not None, "Slack is not open"
        try:
            async with self._session.post(url, json=dict(body)) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError) as error:
            raise trouble_of("response_url", error) from error

    async def put(self, url: str, content: bytes) -> None:
        """Upload a file to an address that Slack gave. Raises ``Trouble``."""
        assert self._session is not None, "Slack is not open"
        try:
            async with self._session.post(url, data=content) as answer:
                if answer.status >= 300:
                    raise Trouble(TroubleKind.REFUSED, "upload", f"HTTP {answer.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise trouble_of("upload", error) from error

    # ---------------------------------------------------------------- signed HTTP

    def routes(self) -> list[Route]:
        """The door for HTTP mode. Raises ValueError without a signing secret: unsigned requests are never taken."""
        if not self.settings.signing_secret:
            raise ValueError("HTTP mode needs HEAROUT_SLACK_SIGNING_SECRET: see docs/slack.md")
        handler = AsyncSlackRequestHandler(self.app)

        async def events(request: Request) -> Response:
            if int(request.headers.get("content-length") or 0) > BODY_BYTES_MAX:
                return PlainTextResponse("too large", 413)
            body = bytearray()
            async for part in request.stream():  # a proxy may pass it on in parts, without saying how long it is
                body += part
                if len(body) > BODY_BYTES_MAX:
                    return PlainTextResponse("too large", 413)
            return await handler.handle(Request(request.scope, given(bytes(body))))

        return [Route(EVENTS_PATH, events, methods=["POST"])]

    async def _identity(self) -> AuthorizeResult:
        """Who we are: asked once, not at every payload."""
        if not self.team:
            await self.open()
        return AuthorizeResult(
            enterprise_id=None,
            team_id=self.team,
            bot_user_id=self.bot_user,
            bot_id=self.bot_id,
            bot_token=self.settings.bot_token,
        )

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str | None:
        """The web address of a message, as Slack builds it; None before we signed in."""
        if not self.team_url:
            return None
        address = f"{self.team_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
        return f"{address}?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else address


def given(body: bytes) -> Receive:
    """A body that was read already, to be read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _ignore(ack: Any) -> None:
    """Nobody is interested."""
    await ack()
