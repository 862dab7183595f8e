"""A playground to test: in this process over a loopback socket, or as the program itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bot.app import Playground
from bot.app import playground as open_playground
from bot.console.serve import listen, running
from bot.rehearse import file_rehearser

ROOT = Path(__file__).parents[2]


def monday(days: int = 0, hour: int = 10) -> str:
    """An hour of the coming Monday, or so many days later: the same hours whenever the tests run."""
    today = datetime.now(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=7 - today.weekday() + days)).isoformat()


@dataclass
class Site:
    """A playground in this process, and a client that talks to it over a socket."""

    app: Playground
    client: httpx.AsyncClient
    url: str

    async def json(self, path: str, **body: Any) -> httpx.Response:
        """Send JSON to the playground's door."""
        headers = {"content-type": "application/json"}
        return await self.client.post(f"/playground/{path}", content=json.dumps(body), headers=headers)

    async def state(self) -> dict[str, Any]:
        """Everything the playground holds."""
        answer: dict[str, Any] = (await self.client.get("/playground/state?limit=5000")).json()
        return answer

    async def case(self, customer: str = "mara") -> dict[str, Any]:
        """The latest case of a customer."""
        return next(case for case in (await self.state())["conversations"] if case["customer"] == customer)


@asynccontextmanager
async def site(data: Path) -> AsyncIterator[Site]:
    """A running playground on its own data."""
    async with open_playground(data) as app:
        app.wordings.rehearser = file_rehearser(app.config)
        sock = listen(0)
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with running(app, sock), httpx.AsyncClient(base_url=url, timeout=30.0) as client:
            yield Site(app, client, url)


class Program:
    """The playground as users start it: ``python -m bot``."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self, port: str = "0") -> str:
        """Start it and wait until it says where it is."""
        env = os.environ | {"PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "bot", "--port", port, "--data", str(self.data), "--no-browser"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = next((word for word in line.split() if word.startswith("http://127.0.0.1")), None)
            if found:
                self.url = found.removesuffix("/playground")
                return self.url
        raise AssertionError(f"the playground ended with {self.process.wait()}")

    def kill(self) -> None:
        """kill -9."""
        self.end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self.end(signal.SIGTERM)

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code
