"""``hearout run`` as a company runs it: one process from a configuration file, X and Slack behind real sockets."""

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

import pytest

from tests.cli.kit import ROOT, document, hearout
from tests.platforms.slack.clock import RealClock
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.server import SlackServer
from tests.platforms.slack.values import App
from tests.platforms.x.platform import XPlatform
from tests.platforms.x.server import XServer

pytestmark = pytest.mark.anyio
PATIENCE_S = 60.0


async def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something is so; other processes work meanwhile."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := holds()):  # noqa: ASYNC110 - another process's progress can only be looked for
            await asyncio.sleep(0.05)
    assert found, what
    return found


class Company:
    """A brand on X, its desk in Slack, and the bot between them as a process."""

    def __init__(self, folder: Path, x: XPlatform, x_url: str, slack: SlackPlatform, server: SlackServer) -> None:
        self.folder, self.x, self.x_url, self.slack, self.server = folder, x, x_url, slack, server
        world = slack.world
        self.brand, self.ada = x.world.add_account("acme"), x.world.add_user("ada")
        self.mia, self.lena = (world.add_user(name, real_name=name.title()) for name in ("mia", "lena"))
        self.agents = world.add_group("agents", [self.mia, self.lena])
        self.channel = world.add_channel("desk", [self.mia, self.lena])
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder / "log"

    def configure(self) -> None:
        """Write the configuration."""
        (self.folder / "config.toml").write_text(
            f"""
[brand]
name = "Acme"
[brand.business_hours]
{chr(10).join(f'{day} = "00:00-24:00"' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
[[x.accounts]]
name = "acme"
api_url = "{self.x_url}"
poll_s = 0.2
[slack]
enabled = true
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
        }

    async def ask(self, *words: str) -> Any:
        """Another command, beside the bot."""
        return await asyncio.to_thread(hearout, *words, cwd=self.folder, **self.secrets)

    async def start(self) -> None:
        """Start the bot."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAROUT_")}
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                "--port",
                "0",
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env=clean | {"PYTHONPATH": str(ROOT)} | self.secrets,
            )

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop the bot, and wait until it has."""
        assert self.process is not None
        self.process.send_signal(how)
        async with asyncio.timeout(30):
            return await self.process.wait()

    def said(self) -> list[Any]:
        """What X accepted from us."""
        return list(self.x.accepted)

    def cards(self) -> list[Any]:
        """The cards at the desk."""
        world = self.slack.world
        return [m for m in world.history(self.channel) if not m.is_reply and m.user == world.app.bot_user and m.blocks]


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """A company whose bot runs."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Company]:
        x = XPlatform(lambda: datetime.now(UTC), random.Random(7))
        slack = SlackPlatform(RealClock(), random.Random(7), app=App())
        async with XServer(x) as x_url, SlackServer(slack) as server:
            company = Company(tmp_path, x, x_url, slack, server)
            company.configure()
            await company.start()
            try:
                yield company
            finally:
                if company.process is not None and company.process.returncode is None:
                    company.process.kill()
                    await company.process.wait()

    async with made() as ready:
        yield ready


async def test_a_complaint_on_x_reaches_the_desk_in_slack_and_is_answered(company: Company) -> None:
    company.x.world.post(company.ada, "@acme three weeks for a parcel and nobody answers. it hasn't moved since the 3rd")
    await until(company.said, "no first reply on X")
    assert len(company.said()) == 1
    await until(company.cards, "no card at the desk")
    (card,) = company.cards()
    done = company.slack.people.click(company.mia, card, "hearout:claim")
    await until(lambda: done.status.name == "ACKNOWLEDGED", "the claim was not acknowledged")
    await until(lambda: "with an agent" in company.cards()[0].text, "the card does not show that it is taken")
    assert len(company.said()) == 1
    status = document(await company.ask("status", "--json"))
    assert status["spend"]["acme"]["usd"] > 0
    assert await company.stop() == 0, company.log.read_text()
    assert "Traceback" not in company.log.read_text()


async def test_killed_and_started_again_it_answers_once(company: Company) -> None:
    company.x.world.post(company.ada, "@acme 40 minutes on hold AGAIN. joke of a company")
    await until(company.said, "no first reply on X")
    await company.stop(signal.SIGKILL)
    other = company.x.world.add_user("bob")
    company.x.world.post(other, "@acme my parcel is two weeks late, this is ridiculous")
    await company.start()
    await until(lambda: len(company.said()) >= 2, "no reply after the restart")
    await until(lambda: len(company.cards()) >= 2, "the desk lacks a card")
    assert len(company.said()) == 2
    assert await company.stop() == 0


async def test_a_wrong_key_stops_x_and_not_the_rest(company: Company) -> None:
    await company.stop()
    company.brand.revoked = True
    await company.start()
    world = company.slack.world
    await until(lambda: any(m.user == world.app.bot_user for m in world.history(company.channel)), "no alert")
    assert company.process is not None
    assert company.process.returncode is None
    words = " ".join(m.text for m in company.slack.world.history(company.channel))
    assert "acme" in words
    assert await company.stop() == 0


async def test_check_asks_the_platforms_when_told_to(company: Company) -> None:
    await company.stop()
    fine = await company.ask("check", "--online")
    assert fine.returncode == 0, fine.stdout
    company.brand.revoked = True
    wrong = await company.ask("check", "--online")
    assert wrong.returncode == 1
    assert b"FAIL online: x.accounts.acme" in wrong.stdout
    assert company.brand.credentials.access_token_secret.encode() not in wrong.stdout + wrong.stderr
