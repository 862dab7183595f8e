"""The console of a company whose desk is in the strict local Slack: people sign in, and ask for pages and acts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
from starlette.applications import Starlette

from bot.console.app import web
from bot.console.session import Cookies
from bot.console.sign_in import Links, SignedGate
from bot.live import DeskStaff
from bot.slack.sign_in import SlackSignIn
from tests.desk.scene import Desk, company
from tests.platforms.slack.values import User

URL = "https://hearout.example"
BACK = f"{URL}/sign-in/slack/back"
HTML = {"accept": "text/html"}
SECRET = "a secret of at least thirty-two characters"


@dataclass
class Office:
    """The console, and the company behind it. ``printed`` are the one-time links."""

    desk: Desk
    web: Starlette
    gate: SignedGate
    signing: SlackSignIn
    printed: list[str] = field(default_factory=list)

    def browser(self) -> httpx.AsyncClient:
        """A browser of its own, with its own cookies."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.web), base_url=URL, headers=HTML)

    async def to_slack(self, browser: httpx.AsyncClient, user: User | None, **query: Any) -> str:
        """Begin to sign in: where Slack sends the browser back to."""
        begun = await browser.get("/sign-in/slack", params=query)
        assert begun.status_code == 303
        self.desk.slack.sign_in.browser_user = user
        async with httpx.AsyncClient() as outside:
            there = await outside.get(begun.headers["location"])
        assert there.status_code == 302, there.text
        assert there.headers["location"].startswith(BACK)
        return str(there.headers["location"]).removeprefix(URL)

    async def sign_in(self, user: User) -> httpx.AsyncClient:
        """A browser in which somebody has signed in with Slack."""
        browser = self.browser()
        back = await browser.get(await self.to_slack(browser, user))
        assert back.status_code == 303, back.text
        return browser

    async def by_link(self) -> httpx.AsyncClient:
        """A browser in which somebody has opened the printed link."""
        browser = self.browser()
        address = urlsplit(self.printed[-1])
        assert (await browser.get(f"{address.path}?{address.query}")).status_code == 303
        return browser

    async def audits(self) -> list[tuple[str, str]]:
        """Who did what, newest first."""
        return [(line["actor"], line["action"]) for line in await self.desk.parts.store.audits()]


@asynccontextmanager
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A company at work, with both ways of signing in."""
    async with company(tmp_path, listening=False) as desk, aiohttp.ClientSession() as session:
        world = desk.slack.world
        world.app = replace(world.app, redirect_uris=(BACK,))
        signing = SlackSignIn(
            api_url=desk.server.api_url,
            client_id=world.app.client_id,
            client_secret=world.app.client_secret,
            redirect_uri=BACK,
            team=lambda: desk.link.team,
            clock=desk.clock,
            session=session,
        )
        printed: list[str] = []
        links = Links(desk.clock, URL, printed.append)
        links.make()
        cookies = Cookies(SECRET, desk.clock, secure=True)
        gate = SignedGate(cookies, links=links, slack=signing, staff=DeskStaff(desk.desk.people))
        hosts = {"hearout.example", "127.0.0.1"}
        yield Office(desk, web(desk.parts, gate, hosts=hosts), gate, signing, printed)
