"""Wake-ups between processes: who wrote says so (NOTIFY), who waits hears it (LISTEN).

A signal is a hint and may be lost: whoever waits for it also waits for the clock. It is sent after the commit and by itself,
because a transaction that notifies holds a lock of the whole database while it is flushed to disk.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg

CHANNEL = "hearout"
RECONNECT_S = 1.0
NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""A server that vanished without a word is noticed within a quarter of a minute (libpq's connection parameters)."""


class Signal:
    """Signals by name, to and from the other processes on one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wanted: set[str] = set()
        self._send_soon = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def send(self, name: str) -> None:
        """Signal, soon; many at a time become one."""
        self._wanted.add(name)
        self._send_soon.set()
        if not any(task.get_name() == "notify" for task in self._tasks):
            self._start("notify", self._keep_sending())

    async def listen(self, events: Mapping[str, asyncio.Event]) -> None:
        """Set an event whenever its name is signalled; returns once nothing can be missed."""
        ready = asyncio.Event()
        self._start("listen", self._keep_listening(events, ready))
        await ready.wait()

    async def close(self) -> None:
        """Send nothing and hear nothing any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _start(self, name: str, coroutine: object) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(coroutine, name=name))  # type: ignore[arg-type]

    async def _keep_sending(self) -> None:
        async for connection in self._connections():
            with contextlib.suppress(psycopg.OperationalError):
                while True:
                    await self._send_soon.wait()
                    self._send_soon.clear()
                    for name in sorted(self._wanted):
                        await connection.execute("select pg_notify(%s, %s)", (CHANNEL, name))
                        self._wanted.discard(name)

    async def _keep_listening(self, events: Mapping[str, asyncio.Event], ready: asyncio.Event) -> None:
        async for connection in self._connections():
            with contextlib.suppress(psycopg.OperationalError):
                await connection.execute(f"listen {CHANNEL}")
                ready.set()
                for event in events.values():  # something may have been missed while there was no connection
                    event.set()
                async for notification in connection.notifies():
                    if notification.payload in events:
                        events[notification.payload].set()

    async def _connections(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection, and another one whenever it is lost."""
        connection: psycopg.AsyncConnection[Any]
        while True:
            try:
                connect = psycopg.AsyncConnection.connect(self._url, autocommit=True, **NETWORK)
                async with await connect as connection:
                    yield connection
            except psycopg.OperationalError:
                pass
            await asyncio.sleep(RECONNECT_S)
