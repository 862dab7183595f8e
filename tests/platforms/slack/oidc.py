"""Sign in with Slack: the authorize redirect, the code's exchange, the signed id_token, userInfo.

https://docs.slack.dev/authentication/sign-in-with-slack
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

from tests.platforms.slack.signing import TokenSigner
from tests.platforms.slack.values import Json, Response, SlackError, User
from tests.platforms.slack.workspace import Workspace

ISSUER = "https://slack.com"
CODE_LIFE_S = 600.0
TOKEN_LIFE_S = 300


@dataclass(frozen=True)
class _Grant:
    user: User
    redirect_uri: str
    nonce: str | None
    issued_s: float


@dataclass
class SignIn:
    """The identity provider. `browser_user` is who sits at the browser; None presses "Cancel".

    `tamper` overrides claims of the id_token (aud, exp, nonce, …), to see that they are checked.
    """

    world: Workspace
    browser_user: User | None = None
    tamper: dict[str, Any] = field(default_factory=dict)
    signer: TokenSigner = field(init=False)
    _codes: dict[str, _Grant] = field(default_factory=dict)
    _tokens: dict[str, User] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signer = TokenSigner(Random(self.world.rng.getrandbits(64)))

    def configuration(self) -> Json:
        """The discovery document."""
        base = self.world.base_url
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{base}openid/connect/authorize",
            "token_endpoint": f"{base}api/openid.connect.token",
            "userinfo_endpoint": f"{base}api/openid.connect.userInfo",
            "jwks_uri": f"{base}openid/connect/keys",
            "scopes_supported": ["openid", "profile", "email"],
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, query: Mapping[str, str]) -> Response:
        """The page that sends the browser back with a code and the state, or an error page."""
        app = self.world.app
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != app.client_id:
            return Response(400, {}, "invalid_client_id")
        if redirect_uri not in app.redirect_uris:
            return Response(400, {}, "bad_redirect_uri")
        if query.get("response_type") != "code" or "openid" not in query.get("scope", "").replace(",", " ").split():
            return Response(400, {}, "invalid_scope_requested")
        answer = {"state": query["state"]} if "state" in query else {}
        if self.browser_user is None:
            answer["error"] = "access_denied"
        else:
            code = f"{self.world.rng.getrandbits(128):032x}"
            self._codes[code] = _Grant(self.browser_user, redirect_uri, query.get("nonce"), self.world.now_s)
            answer["code"] = code
        joint = "&" if "?" in redirect_uri else "?"
        return Response(302, {"Location": f"{redirect_uri}{joint}{urlencode(answer)}"}, "")

    def token(self, headers: Mapping[str, str], params: Mapping[str, Any]) -> Json:
        """openid.connect.token: a code, once, for an access token and an id_token."""
        app = self.world.app
        client_id, secret = _basic(headers) or (
            params.get("client_id"),
            params.get("client_secret"),
        )
        if client_id != app.client_id:
            raise SlackError("invalid_client_id")
        if secret != app.client_secret:
            raise SlackError("bad_client_secret")
        if params.get("grant_type", "authorization_code") != "authorization_code":
            raise SlackError("invalid_grant_type")
        grant = self._codes.pop(str(params.get("code")), None)
        if grant is None or self.world.now_s - grant.issued_s > CODE_LIFE_S:
            raise SlackError("invalid_code")
        if params.get("redirect_uri", grant.redirect_uri) != grant.redirect_uri:
            raise SlackError("bad_redirect_uri")
        access_token = f"xoxp-local-{self.world.rng.getrandbits(64):x}"
        self._tokens[access_token] = grant.user
        now_s = int(self.world.now_s)
        claims = self._identity(grant.user) | {
            "iss": ISSUER,
            "aud": app.client_id,
            "iat": now_s,
            "auth_time": now_s,
            "exp": now_s + TOKEN_LIFE_S,
            "nonce": grant.nonce,
        }
        kept = {name: value for name, value in (claims | self.tamper).items() if value is not None}
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "id_token": self.signer.sign(kept),
        }

    def user_info(self, token: str) -> Json:
        """openid.connect.userInfo: who signed in."""
        user = self._tokens.get(token)
        if user is None:
            raise SlackError("invalid_auth")
        return self._identity(user)

    def _identity(self, user: User) -> Json:
        team = self.world.teams[user.team_id]
        return {
            "sub": user.id,
            "https://slack.com/user_id": user.id,
            "https://slack.com/team_id": team.id,
            "https://slack.com/team_name": team.name,
            "https://slack.com/team_domain": team.domain,
            "email": user.email,
            "email_verified": True,
            "name": user.real_name,
            "locale": "en-US",
        }


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return name, secret
