"""A loopback HTTP server around the platform: adds sockets, and the faults that need one."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.platforms.x.model import Response
from tests.platforms.x.platform import XPlatform
from tests.platforms.x.streaming import StreamConnection


class XServer:
    """`async with XServer(platform) as base_url:` serves on `port` of the loopback, by default on a free one.

    `sleep` waits out injected delays and the stream's keep-alives (real seconds by default; tests pass their own).
    """

    def __init__(
        self, platform: XPlatform, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, *, port: int = 0
    ) -> None:
        self.platform = platform
        self._sleep = sleep
        self._port = port
        self._closing = asyncio.Event()
        self._landings: set[asyncio.Task[Response]] = set()
        # The stream notices by the cancellation that its reader has gone.
        self._runner = web.ServerRunner(web.Server(self._handle, handler_cancellation=True), shutdown_timeout=1.0)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.platform.base_url = f"http://{host}:{port}"
        return self.platform.base_url

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self.platform.streams.cut()
        for landing in self._landings:
            landing.cancel()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        body = await request.read()
        answer = self.platform.handle(request.method, path, query, dict(request.headers), body)
        if answer.resume:
            landing = asyncio.create_task(self._land(answer.delay_s, answer.resume))
            self._landings.add(landing)
            landing.add_done_callback(self._landings.discard)
            answer = await asyncio.shield(landing)
        elif answer.delay_s:
            await self._wait(answer.delay_s)
        if answer.cut:
            _reset(request)
            return web.Response(status=500)
        if answer.stream:
            return await self._stream(request, answer, answer.stream)
        return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)

    async def _land(self, delay_s: float, resume: Callable[[], Response]) -> Response:
        await self._wait(delay_s)
        return resume()

    async def _wait(self, seconds: float) -> None:
        """Until the time is up or the server closes."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._closing.wait())]
        if seconds != float("inf"):
            waits.append(asyncio.ensure_future(self._sleep(seconds)))
        await _first_of(waits)

    async def _stream(
        self, request: web.BaseRequest, answer: Response, connection: StreamConnection
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=dict(answer.headers))
        woken = asyncio.Event()
        connection.wake = woken.set
        streams = self.platform.streams
        try:
            await response.prepare(request)
            while not connection.closed:
                woken.clear()
                lines = connection.take()
                if not lines:
                    pause = asyncio.ensure_future(self._sleep(self.platform.settings.keep_alive_s))
                    await _first_of([asyncio.ensure_future(woken.wait()), pause])
                    lines = connection.take() or streams.keep_alive()
                if lines and not connection.closed:
                    await response.write(lines)
        except ConnectionError:
            pass  # The reader has gone: nothing is owed to it.
        finally:
            streams.close(connection)
        return response


async def _first_of(waits: list[asyncio.Future[Any]]) -> None:
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _reset(request: web.BaseRequest) -> None:
    """End the connection with a reset instead of an answer."""
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
