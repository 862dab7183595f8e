"""Signing in: a one-time link that was printed where the bot runs, or Sign in with Slack.

* The link proves that somebody can read the terminal (or the log) of this machine: on loopback they are its admin.
* Slack proves who somebody is; what they may do is asked of the desk's staff at every request, so that somebody who was taken
  out of the group is out within a minute.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.clock import Clock
from bot.console.frame import audit, page
from bot.console.people import Page, Person, Staff
from bot.console.session import SESSION_LIFE, SIGN_IN_LIFE, Cookies
from bot.log import get_logger
from bot.slack.sign_in import Identity, OtherTeam, SignInError, SlackSilent
from bot.staff import Role

LINK_LIFE = timedelta(minutes=30)
"""How long a printed link may be used."""
LINK_PAUSE = timedelta(seconds=10)
"""Links are printed no faster than this."""
SESSION, SIGN_IN = "session", "sign_in"

log = get_logger("console.sign_in")


class Identities(Protocol):
    """Sign in with Slack (``bot.slack.sign_in.SlackSignIn``)."""

    def address(self, state: str, nonce: str) -> str: ...
    async def identify(self, code: str, nonce: str) -> Identity: ...


class Links:
    """One-time links. ``tell`` shows a link where only the machine's admin reads it; only its hash is kept."""

    def __init__(self, clock: Clock, base: str, tell: Callable[[str], None]) -> None:
        self.clock = clock
        self.base = base.rstrip("/")
        self.tell = tell
        self._hash = b""
        self._made_at: datetime | None = None

    def make(self) -> bool:
        """A new link in place of the last one. False: one was made a moment ago."""
        now = self.clock.now()
        if self._made_at is not None and self._hash and now - self._made_at < LINK_PAUSE:
            return False
        token = secrets.token_urlsafe(24)
        self._hash, self._made_at = digest(token), now
        self.tell(f"{self.base}/sign-in/link?token={token}")
        return True

    def take(self, token: str) -> bool:
        """Use a link up. False: it is not the one, was used, or is too old."""
        fresh = self._made_at is not None and self.clock.now() - self._made_at < LINK_LIFE
        if not self._hash or not fresh or not hmac.compare_digest(digest(token), self._hash):
            return False
        self._hash = b""
        return True


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


class SignedGate:
    """Who has a session of ours. With ``links`` people come in by link, with ``slack`` and ``staff`` by Slack."""

    def __init__(
        self,
        cookies: Cookies,
        *,
        links: Links | None = None,
        slack: Identities | None = None,
        staff: Staff | None = None,
    ) -> None:
        self.cookies = cookies
        self.links = links
        self.slack = slack
        self.staff = staff

    @property
    def pages(self) -> tuple[Page, ...]:
        """See ``Gate``."""
        always = (
            Page("/sign-in", "GET", self.home, Role.NOBODY),
            Page("/sign-out", "POST", self.out, Role.NOBODY),
        )
        by_link = (
            Page("/sign-in/link", "GET", self.come_by_link, Role.NOBODY),
            Page("/sign-in/link", "POST", self.new_link, Role.NOBODY),
        )
        by_slack = (
            Page("/sign-in/slack", "GET", self.to_slack, Role.NOBODY),
            Page("/sign-in/slack/back", "GET", self.from_slack, Role.NOBODY),
        )
        return always + (by_link if self.links else ()) + (by_slack if self.slack else ())

    async def person(self, request: Request) -> Person | None:
        """See ``Gate``."""
        facts = self.cookies.read(request, SESSION)
        if facts is None:
            return None
        name, how = str(facts.get("name", "")), facts.get("how")
        if how == "link" and self.links is not None:
            return Person("admin", name, Role.ADMIN, "link")
        if how == "slack" and self.staff is not None:
            user = str(facts.get("sub", ""))
            role = await self.staff.role(user, str(facts.get("team", "")))
            return Person(user, name, role, "slack")
        return None

    # ---------------------------------------------------------------- pages

    async def home(self, request: Request) -> Response:
        """``GET /sign-in``."""
        return await self.shown(request)

    async def shown(self, request: Request, trouble: str = "", status: int = 200, printed: bool = False) -> Response:
        """The page of signing in."""
        there = inside(request.query_params.get("next", ""))
        values = {"links": self.links, "slack": self.slack, "next": there, "trouble": trouble, "printed": printed}
        return await page(request, "sign_in.html", "", values, status)

    async def new_link(self, request: Request) -> Response:
        """``POST /sign-in/link``: print another link."""
        assert self.links is not None
        self.links.make()
        return await self.shown(request, printed=True)

    async def come_by_link(self, request: Request) -> Response:
        """``GET /sign-in/link``: the link that was printed."""
        assert self.links is not None
        if request.method != "GET" or not self.links.take(request.query_params.get("token", "")):
            words = "This link was used already, or is too old. Print a new one below."
            return await self.shown(request, words, 403)
        response = RedirectResponse("/", status_code=303)
        self.cookies.give(response, SESSION, {"how": "link", "name": "Admin"}, SESSION_LIFE)
        await audit(request, "link:admin", "sign in", "by one-time link")
        return response

    async def to_slack(self, request: Request) -> Response:
        """``GET /sign-in/slack``: off to Slack, with a state and a nonce that have to come back."""
        assert self.slack is not None
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        response = RedirectResponse(self.slack.address(state, nonce), status_code=303)
        facts = {"state": state, "nonce": nonce, "next": inside(request.query_params.get("next", ""))}
        self.cookies.give(response, SIGN_IN, facts, SIGN_IN_LIFE)
        return response

    async def from_slack(self, request: Request) -> Response:
        """``GET /sign-in/slack/back``: back from Slack."""
        assert self.slack is not None
        begun = self.cookies.read(request, SIGN_IN)
        state = request.query_params.get("state", "")
        if begun is None or not hmac.compare_digest(state.encode(), str(begun["state"]).encode()):
            return await self.refused(
                request, "This sign-in is too old, or was begun somewhere else: begin again.", 403
            )
        if "code" not in request.query_params:
            return await self.refused(request, "Signing in was cancelled.", 403)
        try:
            who = await self.slack.identify(request.query_params["code"], str(begun["nonce"]))
        except OtherTeam as error:
            await audit(request, "slack:somebody", "sign in refused", "another workspace")
            return await self.refused(request, str(error), 403)
        except SlackSilent as error:
            return await self.refused(request, str(error), 503)
        except SignInError as error:
            return await self.refused(request, str(error), 403)
        response = RedirectResponse(inside(str(begun.get("next", ""))), status_code=303)
        self.cookies.take(response, SIGN_IN)
        facts = {"how": "slack", "sub": who.user, "team": who.team, "name": who.name}
        self.cookies.give(response, SESSION, facts, SESSION_LIFE)
        await audit(request, f"slack:{who.user}", "sign in", "with Slack")
        return response

    async def refused(self, request: Request, words: str, status: int) -> Response:
        """Signing in did not work; what was begun is over."""
        response = await self.shown(request, words, status)
        self.cookies.take(response, SIGN_IN)
        return response

    async def out(self, request: Request) -> Response:
        """``POST /sign-out``."""
        response = RedirectResponse("/sign-in", status_code=303)
        self.cookies.take(response, SESSION)
        return response


def inside(address: str) -> str:
    """An address of this console to go on to; anything else becomes its first page (no open redirect)."""
    safe = address.startswith("/") and address[1:2] not in ("/", "\\") and not set(address) & set("\\\r\n\t")
    return address if safe and not address.startswith("/sign-") else "/"
