"""Sign in with Slack: OpenID Connect's code flow, and every claim of the token checked.

https://docs.slack.dev/authentication/sign-in-with-slack: the browser is sent to ``openid/connect/authorize`` and comes back
with a code; the code is exchanged at ``openid.connect.token`` for an id_token, an RS256 JSON Web Token whose keys stand at
``openid/connect/keys``. It counts only for our app (``aud``), from Slack (``iss``), not too old (``exp``), for the sign-in that
we began (``nonce``), and for a member of our own workspace (``https://slack.com/team_id``).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt

from bot.clock import Clock
from bot.log import get_logger
from conversations.errors import HearoutError

ISSUER = "https://slack.com"
TIMEOUT_S = 10.0
LEEWAY_S = 30.0
"""How far Slack's clock and ours may differ."""
TEAM = "https://slack.com/team_id"
USER = "https://slack.com/user_id"

log = get_logger("slack.sign_in")


class SignInError(HearoutError):
    """Somebody could not be signed in; the message may be shown to them."""


class OtherTeam(SignInError):
    """They belong to another workspace."""


class SlackSilent(SignInError):
    """Slack cannot be reached for now."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who Slack says they are."""

    user: str
    team: str
    name: str


class SlackSignIn:
    """Sends people to Slack, and reads what they come back with. ``team`` is our own workspace's id."""

    def __init__(
        self,
        *,
        api_url: str,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        team: Callable[[], str],
        clock: Clock,
        session: aiohttp.ClientSession,
    ) -> None:
        self.api_url = api_url.rstrip("/") + "/"
        self.root = self.api_url.removesuffix("api/")
        self.client_id = client_id
        self.client_secret = client_secret
        self.redirect_uri = redirect_uri
        self.team = team
        self.clock = clock
        self.session = session

    def address(self, state: str, nonce: str) -> str:
        """Where the browser goes."""
        query = {
            "response_type": "code",
            "scope": "openid profile",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": state,
            "nonce": nonce,
            "team": self.team(),
        }
        return f"{self.root}openid/connect/authorize?{urlencode(query)}"

    async def identify(self, code: str, nonce: str) -> Identity:
        """Who came back with this code. Raises ``SignInError``, ``OtherTeam`` or ``SlackSilent``."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "redirect_uri": self.redirect_uri,
        }
        answer = await self.ask("POST", f"{self.api_url}openid.connect.token", form)
        if not answer.get("ok", True) or "id_token" not in answer:
            log.warning("no token", error=str(answer.get("error")))
            raise SignInError("Slack did not accept this sign-in: begin again.")
        claims = self.checked(str(answer["id_token"]), await self.ask("GET", f"{self.root}openid/connect/keys"))
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise SignInError("This sign-in was begun somewhere else: begin again.")
        if not self.team() or claims.get(TEAM) != self.team():
            raise OtherTeam("You are signed in to another Slack workspace: choose ours.")
        user = str(claims.get(USER) or claims["sub"])
        return Identity(user, str(claims[TEAM]), str(claims.get("name") or "somebody"))

    def checked(self, token: str, keys: dict[str, Any]) -> dict[str, Any]:
        """The claims of a token that is Slack's, for us, and not too old. Raises ``SignInError``."""
        try:
            wanted = jwt.get_unverified_header(token).get("kid")
            key = next(key for key in jwt.PyJWKSet.from_dict(keys).keys if key.key_id == wanted)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self.client_id,
                issuer=ISSUER,
                options={"require": ["exp", "aud", "iss", "sub"], "verify_exp": False, "verify_iat": False},
            )
            if float(claims["exp"]) + LEEWAY_S < self.clock.now().timestamp():
                raise jwt.ExpiredSignatureError("expired")
        except (jwt.PyJWTError, StopIteration, ValueError) as error:
            log.warning("bad id_token", error=repr(error))
            raise SignInError("Slack's answer could not be trusted: begin again.") from None
        return claims

    async def ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        """One request to Slack. Raises ``SlackSilent``."""
        try:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            async with self.session.request(method, url, data=form, timeout=timeout, allow_redirects=False) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SlackSilent(f"Slack does not answer for now ({type(error).__name__}): try again.") from None
        return answer if isinstance(answer, dict) else {}
