"""Running the playground: the worker and the web server in one loop, one port on loopback, and a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.console.app import PLAYGROUND, web
from bot.console.parts import Parts
from bot.console.people import PlaygroundGate
from bot.worker import Worker
from conversations.errors import HearoutError

HOST = "127.0.0.1"
DRAIN_S = 5
"""How long open requests may take to finish when the program is told to stop."""


class PortTaken(HearoutError):
    """The port cannot be had; the message says what to do."""


class Server(uvicorn.Server):
    """uvicorn without its own signal handlers. ``stop`` stops the worker and the server together."""

    stop: Callable[[], None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are handled by ``serve``."""
        yield


def listen(port: int, host: str = HOST) -> socket.socket:
    """The one socket, on loopback unless said otherwise. Port 0 takes a free one. Raises ``PortTaken``."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        why = error.strerror
        raise PortTaken(
            f"port {port} cannot be used ({why}): choose another with --port, or 0 for any free one"
        ) from error
    sock.listen(128)
    return sock


@asynccontextmanager
async def at_work(worker: Worker, asgi: ASGIApp, sock: socket.socket) -> AsyncIterator[Server]:
    """The worker and a web server on a socket, together: when one ends so does the other, and leaving waits until both have
    finished what was under way."""
    config = uvicorn.Config(
        asgi,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = Server(config)
    working = asyncio.create_task(worker.run(), name="worker")
    serving = asyncio.create_task(server.serve(sockets=[sock]), name="server")

    def stop() -> None:
        worker.stop()
        worker.bell.ring()  # live streams end now
        server.should_exit = True

    server.stop = stop
    for task in (working, serving):
        task.add_done_callback(lambda _done: stop())
    try:
        yield server
    finally:
        stop()
        await serving
        await working


@contextlib.contextmanager
def stopped_by_signals(server: Server) -> Iterator[None]:
    """SIGTERM and Ctrl-C stop it gracefully."""
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.stop)
    try:
        yield
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


@asynccontextmanager
async def running(app: Parts, sock: socket.socket) -> AsyncIterator[Server]:
    """The playground at work on a socket."""
    async with at_work(app.worker, web(app, PlaygroundGate(), PLAYGROUND), sock) as server:
        yield server


async def serve(app: Parts, port: int, open_browser: bool) -> None:
    """Run the playground until SIGTERM or Ctrl-C, then finish what is under way. Raises ``PortTaken`` before anything runs."""
    sock = listen(port)
    url = f"http://{HOST}:{sock.getsockname()[1]}/playground"
    async with running(app, sock) as server:
        with stopped_by_signals(server):
            gc.freeze()  # see bot/live.py
            print(f"Hearout's playground: {url}  (stop it with Ctrl-C)", flush=True)
            if open_browser:
                asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
            await app.worker.stopping.wait()
