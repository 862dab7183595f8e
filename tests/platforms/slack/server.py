"""The strict local Slack behind real HTTP and WebSockets on loopback: Web API, Socket Mode, Events API.

    async with SlackServer(platform) as server:
        client = AsyncWebClient(token=platform.world.app.bot_token, base_url=server.api_url, retry_handlers=[])

Payloads go over any open socket, or, with `events_url`, as signed POSTs. They leave as soon as they are queued; what
depends on time (retries, time-outs, delayed answers) moves when the platform's clock did and `pump` is called, which
a real clock does by itself.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from tests.platforms.slack.courier import COMMANDS, EVENTS, Attempt
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.signing import signature_headers
from tests.platforms.slack.sockets import DeadTicket, Socket
from tests.platforms.slack.values import Json, Response, Wire

UPLOAD_BYTES_MAX = 50 * 1024 * 1024
_RETRY_REASONS = {"timeout": "http_timeout"}


@dataclass
class _Held:
    """An answer that waits: until an instant, or (None) for ever."""

    until: datetime | None
    gate: asyncio.Event


@dataclass(frozen=True)
class _Line:
    """One open WebSocket and the request that it grew from."""

    wire: web.WebSocketResponse
    request: web.Request


class SlackServer:
    """A real server on loopback, as an async context manager.

    `events_url`: POST events there instead of using sockets; `actions_url` and `commands_url` are the same unless
    given. `signed_at` answers the Unix time for signatures: the machine's by default, since slack_bolt compares with
    the machine's clock. `port`: of the loopback; 0 is a free one.
    """

    def __init__(
        self,
        platform: SlackPlatform,
        *,
        events_url: str | None = None,
        actions_url: str | None = None,
        commands_url: str | None = None,
        signed_at: Callable[[], float] = time.time,
        port: int = 0,
    ) -> None:
        self.platform = platform
        self.events_url = events_url
        self.actions_url = actions_url
        self.commands_url = commands_url
        self.signed_at = signed_at
        self._port = port
        self._lines: dict[int, _Line] = {}
        self._sent_over: dict[str, int] = {}
        self._held: list[_Held] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._changed = asyncio.Condition()
        self._closing = False

    @property
    def url(self) -> str:
        """The root, with a trailing slash."""
        return self.platform.world.base_url

    @property
    def api_url(self) -> str:
        """The Web API, with a trailing slash: the SDK's `base_url`."""
        return f"{self.url}api/"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=UPLOAD_BYTES_MAX)
        app.router.add_get("/link/", self._link)
        app.router.add_route("*", "/{path:.*}", self._http)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.platform.world.base_url = f"http://127.0.0.1:{port}/"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        self.platform.courier.on_change = self._wake.set
        self._wake.set()
        self._loop = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        self.platform.courier.on_change = lambda: None
        self._loop.cancel()
        for held in self._held:
            held.gate.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(self._loop, *self._tasks, return_exceptions=True)
        for line in list(self._lines.values()):
            await line.wire.close()
        await self._session.close()
        await self._runner.cleanup()

    # ---- for tests

    @property
    def answers_held(self) -> int:
        """How many answers are delayed or hanging now."""
        return len(self._held)

    async def pump(self) -> None:
        """Do what is due now by the platform's clock: call it after advancing the clock."""
        now = self.platform.clock.now()
        for held in [held for held in self._held if held.until is not None and held.until <= now]:
            held.gate.set()
        for attempt in self.platform.courier.take_due():
            self._spawn(self._carry(attempt))
        await asyncio.sleep(0)

    async def settled(self, give_up_s: float = 10.0) -> None:
        """Wait until the app has answered everything that was sent. Raises TimeoutError (real seconds)."""
        async with asyncio.timeout(give_up_s), self._changed:
            await self.pump()
            while not self.platform.courier.idle or self._wake.is_set():
                await self._changed.wait()

    async def until(self, condition: Callable[[], bool], give_up_s: float = 10.0) -> None:
        """Wait until something is true of the platform. Raises TimeoutError (real seconds)."""
        async with asyncio.timeout(give_up_s), self._changed:
            while not condition():
                await self._changed.wait()

    async def sockets_open(self, count: int) -> None:
        """Wait until exactly `count` Socket Mode connections are open."""
        await self.until(lambda: len(self.platform.sockets.open) == count)

    async def warn(self, socket: Socket, reason: str = "warning") -> None:
        """Tell a socket to reconnect: a `disconnect` frame; Slack closes about 10 s later (see `hang_up`)."""
        frame = {
            "type": "disconnect",
            "reason": reason,
            "debug_info": {"host": "applink-local"},
        }
        await self._lines[socket.id].wire.send_str(json.dumps(frame))

    async def hang_up(self, socket: Socket, *, abort: bool = False) -> None:
        """Close a socket from Slack's side; `abort` drops the connection without a closing frame."""
        line = self._lines[socket.id]
        if abort and line.request.transport is not None:
            line.request.transport.abort()
        else:
            await line.wire.close(code=1000)

    async def ping(self) -> None:
        """Ping every socket that works, as Slack does now and then: a client that hears nothing is on a dead one."""
        for socket in list(self.platform.sockets.open.values()):
            if not socket.half_open:
                await self._lines[socket.id].wire.ping(b"Ping from applink-local")

    async def push_raw(self, socket: Socket, frame: str) -> None:
        """Send any text frame over a socket."""
        await self._lines[socket.id].wire.send_str(frame)

    async def verify_url(self) -> bool:
        """Slack's handshake when an events URL is configured: the challenge must come back."""
        challenge = "local-challenge"
        payload = {
            "token": self.platform.world.app.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        status, text, _ = await self.post_signed(str(self.events_url), json.dumps(payload).encode(), "application/json")
        return status == 200 and challenge in text

    async def post_signed(
        self,
        url: str,
        body: bytes,
        content_type: str,
        extra: dict[str, str] | None = None,
    ) -> tuple[int, str, dict[str, str]]:
        """POST as Slack does, and answer status, text and headers. `extra` headers override, to forge a signature."""
        headers = signature_headers(self.platform.world.app.signing_secret, body, self.signed_at())
        headers |= {"Content-Type": content_type, **(extra or {})}
        async with self._session.post(url, data=body, headers=headers) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    # ---- the Web API

    async def _http(self, request: web.Request) -> web.StreamResponse:
        params: dict[str, Any] = dict(request.query)
        content = b""
        if request.path.startswith("/upload/"):
            content = await _uploaded(request)
        elif request.content_type == "application/json":
            try:
                decoded = json.loads(await request.read() or b"{}")
            except ValueError:
                return web.json_response({"ok": False, "error": "invalid_json"})
            if not isinstance(decoded, dict):
                return web.json_response({"ok": False, "error": "json_not_object"})
            params |= decoded
        elif request.method == "POST":
            params |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        answer = self.platform.route(request.path, request.headers, params, content)
        await self._notify()
        return await self._answer(request, answer)

    async def _answer(self, request: web.Request, answer: Response) -> web.StreamResponse:
        if answer.delay_s or answer.wire is Wire.HANG:
            until = None if answer.wire is Wire.HANG else self.platform.clock.now() + timedelta(seconds=answer.delay_s)
            held = _Held(until, asyncio.Event())
            self._held.append(held)
            self._wake.set()
            await self._notify()
            try:
                await held.gate.wait()
            finally:
                if held in self._held:
                    self._held.remove(held)
        if answer.wire is not Wire.REPLY and request.transport is not None:
            request.transport.abort()
        headers = dict(answer.headers)
        if isinstance(answer.body, dict):
            return web.json_response(answer.body, status=answer.status, headers=headers)
        kind = headers.pop("Content-Type", "text/plain")
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        return web.Response(status=answer.status, headers=headers, body=body, content_type=kind)

    # ---- Socket Mode

    async def _link(self, request: web.Request) -> web.StreamResponse:
        hub = self.platform.sockets
        try:
            socket = hub.redeem(request.query.get("ticket", ""))
        except DeadTicket:
            await self._notify()
            return web.Response(status=408, text="Request Timeout")
        wire = web.WebSocketResponse(autoping=False, timeout=0.2)
        await wire.prepare(request)
        self._lines[socket.id] = _Line(wire, request)
        try:
            if len(hub.open) > self.platform.world.options.sockets_max:
                await self.warn(socket, "too_many_websockets")
                return wire
            await wire.send_str(json.dumps(hub.hello(self.platform.world.app.id)))
            self._wake.set()
            await self._notify()
            async for message in wire:
                if socket.half_open:
                    continue
                if message.type is WSMsgType.PING:
                    socket.pings += 1
                    await wire.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
                await self._notify()
        finally:
            hub.close(socket)
            self._lines.pop(socket.id, None)
            await self._notify()
        return wire

    def _acknowledged(self, frame: Json) -> None:
        envelope_id = str(frame.get("envelope_id", ""))
        if self._sent_over.pop(envelope_id, None) is not None:
            self.platform.courier.answered(envelope_id, ok=True, payload=frame.get("payload") or {})

    # ---- carrying payloads

    async def _run(self) -> None:
        while not self._closing:
            due_at = self.platform.courier.next_due_at()
            waits = [at for at in (due_at, *(held.until for held in self._held)) if at is not None]
            now = self.platform.clock.now()
            wait_s = max(0.05, (min(waits) - now).total_seconds() + 0.01) if waits else None
            with suppress(TimeoutError):  # asyncio.wait_for can swallow a cancellation in 3.11
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            self._wake.clear()
            await self.pump()
            await self._notify()

    async def _carry(self, attempt: Attempt) -> None:
        if self.events_url is not None:
            await self._post(attempt)
        else:
            await self._send(attempt)
        await self._notify()

    async def _send(self, attempt: Attempt) -> None:
        socket = self.platform.sockets.route()
        if socket is None:
            self.platform.courier.answered(attempt.envelope_id, ok=False, reason="connection_failed")
            return
        self._sent_over[attempt.envelope_id] = socket.id
        line = self._lines.get(socket.id)
        if socket.deaf or socket.half_open or line is None:
            return  # the platform believes that it was sent: three seconds without an acknowledgement tell
        with suppress(ConnectionError):
            await line.wire.send_str(json.dumps(attempt.envelope()))

    async def _post(self, attempt: Attempt) -> None:
        payload, kind = attempt.delivery.payload, attempt.delivery.kind
        extra: dict[str, str] = {}
        if attempt.retry_num:
            reason = str(attempt.retry_reason)
            extra = {
                "X-Slack-Retry-Num": str(attempt.retry_num),
                "X-Slack-Retry-Reason": _RETRY_REASONS.get(reason, reason),
            }
        if kind == EVENTS:
            url, body, content_type = (
                self.events_url,
                json.dumps(payload),
                "application/json",
            )
        elif kind == COMMANDS:
            url, body, content_type = (
                self.commands_url,
                urlencode(payload),
                "application/x-www-form-urlencoded",
            )
        else:
            form = urlencode({"payload": json.dumps(payload)})
            url, body, content_type = (
                self.actions_url,
                form,
                "application/x-www-form-urlencoded",
            )
        answered = self.platform.courier.answered
        try:
            status, text, headers = await self.post_signed(
                str(url or self.events_url), body.encode(), content_type, extra
            )
        except aiohttp.ClientError:
            answered(attempt.envelope_id, ok=False, reason="connection_failed")
            return
        retry = headers.get("X-Slack-No-Retry") != "1"
        answered(
            attempt.envelope_id,
            ok=200 <= status < 300,
            payload=_answer_payload(text),
            retry=retry,
        )

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _answer_payload(text: str) -> Json:
    if not text.strip():
        return {}
    try:
        decoded = json.loads(text)
    except ValueError:
        return {"text": text}
    return decoded if isinstance(decoded, dict) else {"text": text}


async def _uploaded(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for value in (await request.post()).values():
        return value.file.read() if isinstance(value, web.FileField) else str(value).encode()
    return b""
