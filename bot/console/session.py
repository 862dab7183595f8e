"""Signed cookies: who signed in, and what a sign-in that is under way has to come back with.

A cookie is a JSON Web Token signed with a key made from ``HEAROUT_CONSOLE_SECRET``. Without that secret the key is made up at
start, so that a restart signs everybody out. It says who somebody is, never what they may do: that is asked at each request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import Response

from bot.clock import Clock

ALGORITHM = "HS256"
SESSION_LIFE = timedelta(hours=12)
"""A working day: then one signs in again."""
SIGN_IN_LIFE = timedelta(minutes=10)
"""How long a sign-in may take."""


class Cookies:
    """Writes and reads our cookies. ``secure``: people reach the console over https only."""

    def __init__(self, secret: str, clock: Clock, *, secure: bool = False) -> None:
        chosen = secret or secrets.token_urlsafe(32)
        self.key = hmac.new(chosen.encode(), b"hearout console", hashlib.sha256).digest()
        self.clock = clock
        self.secure = secure

    def name(self, purpose: str) -> str:
        """The cookie's name: with ``__Host-`` no other site of the same domain can set it."""
        return f"__Host-hearout_{purpose}" if self.secure else f"hearout_{purpose}"

    def give(self, response: Response, purpose: str, facts: Mapping[str, Any], life: timedelta) -> None:
        """Put a signed cookie on an answer."""
        ends_at = self.clock.now() + life
        token = jwt.encode({**facts, "aud": purpose, "exp": int(ends_at.timestamp())}, self.key, algorithm=ALGORITHM)
        response.set_cookie(
            self.name(purpose),
            token,
            max_age=int(life.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def take(self, response: Response, purpose: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(self.name(purpose), path="/", secure=self.secure, httponly=True, samesite="lax")

    def read(self, request: Request, purpose: str) -> Mapping[str, Any] | None:
        """What a cookie says, or None: not there, forged, for another purpose, or too old by our clock."""
        token = request.cookies.get(self.name(purpose), "")
        try:
            facts: dict[str, Any] = jwt.decode(
                token,
                self.key,
                algorithms=[ALGORITHM],
                audience=purpose,
                options={"verify_exp": False, "require": ["exp", "aud"]},
            )
        except jwt.InvalidTokenError:
            return None
        return facts if facts["exp"] > self.clock.now().timestamp() else None
