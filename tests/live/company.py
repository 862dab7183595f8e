"""A company that runs the bot: X and Slack behind real sockets, the bot as processes started from a configuration file."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cli.kit import ROOT, hearout
from tests.platforms.slack.clock import RealClock
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.server import SlackServer
from tests.platforms.slack.values import App
from tests.platforms.x.platform import XPlatform
from tests.platforms.x.server import XServer

PATIENCE_S = 240.0
"""A killed process leaves its claims for 85 s at the most, and the desk's quarantine after them is two minutes."""


async def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something is so; other processes work meanwhile."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := holds()):  # noqa: ASYNC110 - another process's progress can only be looked for
            await asyncio.sleep(0.05)
    assert found, what
    return found


Process = asyncio.subprocess.Process


class Company:
    """A brand on X, its desk in Slack, and the bot between them: one process, or several of them."""

    def __init__(
        self, folder: Path, x: XPlatform, x_url: str, slack: SlackPlatform, server: SlackServer, url: str, **how: Any
    ) -> None:
        """``how``: ``lease_s``, Slack's ``mode``, ``quarantine_s``, and more keys of X's ``account`` as they stand in a file."""
        self.folder, self.x, self.x_url, self.slack, self.server = folder, x, x_url, slack, server
        self.url, self.lease_s, self.mode = url, how.get("lease_s", 20.0), how.get("mode", "socket")
        self.quarantine_s, self.account = how.get("quarantine_s", 600.0), how.get("account", "")
        self.processes: list[Process] = []
        world = slack.world
        self.brand, self.ada = x.world.add_account("acme"), x.world.add_user("ada")
        self.mia, self.lena = (world.add_user(name, real_name=name.title()) for name in ("mia", "lena"))
        self.agents = world.add_group("agents", [self.mia, self.lena])
        self.channel = world.add_channel("desk", [self.mia, self.lena])
        self.log = folder / "log"

    def configure(self) -> None:
        """Write the configuration."""
        (self.folder / "config.toml").write_text(
            f"""
[brand]
name = "Acme"
[brand.business_hours]
{chr(10).join(f'{day} = "00:00-24:00"' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
[store]
url = "{self.url}"
lease_s = {self.lease_s}
[[x.accounts]]
name = "acme"
api_url = "{self.x_url}"
poll_s = 0.2
{self.account}
[slack]
enabled = true
mode = "{self.mode}"
api_url = "{self.server.api_url}"
[slack.desk]
fallback_channel = "{self.channel.id}"
admins = ["{self.lena.id}"]
[[slack.desk.queues]]
name = "our support team"
channel = "{self.channel.id}"
agents = ["{self.agents.id}"]
leads = ["{self.lena.id}"]
on_call = ["{self.lena.id}"]
[policy]
quiet_s = {{ public = 1.0, direct = 1.0, slack = 1.0, risk = 0.5 }}
quiet_s_max = 2.0
silence_s = 2.0
quarantine_s = {self.quarantine_s}
"""
        )

    @property
    def secrets(self) -> dict[str, str]:
        """What the environment holds."""
        keys, app = self.brand.credentials, self.slack.world.app
        return {
            "HEAROUT_X_CONSUMER_KEY": keys.consumer_key,
            "HEAROUT_X_CONSUMER_SECRET": keys.consumer_secret,
            "HEAROUT_X_ACCESS_TOKEN": keys.access_token,
            "HEAROUT_X_ACCESS_TOKEN_SECRET": keys.access_token_secret,
            "HEAROUT_SLACK_BOT_TOKEN": app.bot_token,
            "HEAROUT_SLACK_APP_TOKEN": app.app_token,
            "HEAROUT_SLACK_SIGNING_SECRET": app.signing_secret,
        }

    async def ask(self, *words: str) -> Any:
        """Another command, beside the bot."""
        return await asyncio.to_thread(hearout, *words, cwd=self.folder, **self.secrets)

    @property
    def process(self) -> Process:
        """The process that was started last."""
        return self.processes[-1]

    async def start(self, *words: str, port: int = 0) -> Process:
        """Start a process of the bot; ``words`` go to the command line."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAROUT_")}
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run", "--port", str(port), *words),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=clean | {"PYTHONPATH": str(ROOT)} | self.secrets,
            )
        self.processes.append(process)
        return process

    async def stop(self, how: signal.Signals = signal.SIGTERM, process: Process | None = None) -> int:
        """Stop a process, the last by default, and wait until it has."""
        process = process or self.process
        process.send_signal(how)
        async with asyncio.timeout(30):
            return await process.wait()

    def said(self) -> list[Any]:
        """What X accepted from us."""
        return list(self.x.accepted)

    def cards(self) -> list[Any]:
        """The cards at the desk."""
        world = self.slack.world
        return [m for m in world.history(self.channel) if not m.is_reply and m.user == world.app.bot_user and m.blocks]


@asynccontextmanager
async def company_of(
    folder: Path, url: str = "sqlite:///hearout.db", *, events_url: str | None = None, **how: Any
) -> AsyncIterator[Company]:
    """A company whose bot is not started yet; every process of it is gone afterwards. ``events_url``: Slack calls there."""
    x = XPlatform(lambda: datetime.now(UTC), random.Random(7))
    slack = SlackPlatform(RealClock(), random.Random(7), app=App())
    async with XServer(x) as x_url, SlackServer(slack, events_url=events_url) as server:
        company = Company(folder, x, x_url, slack, server, url, **how)
        company.configure()
        try:
            yield company
        except BaseException as error:
            error.add_note(company.log.read_text(errors="replace")[-4000:] if company.log.exists() else "no log")
            raise
        finally:
            for process in company.processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
