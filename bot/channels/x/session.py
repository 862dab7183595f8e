"""Below tweepy's client: one aiohttp session for all accounts, led to the configured address and signed for it, once.

Tweepy's own ``request`` signs for X's address, slowly, fails on a 5xx in HTML, and drops the type of a refusal. ``Client``
replaces that one method and keeps everything else of tweepy: endpoints, parameters, bodies. Here the limits are read from
every answer, and errors are told apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
from tweepy.asynchronous import AsyncClient
from yarl import URL

from bot.channels.x.limits import Limits, endpoint_of
from bot.channels.x.oauth import Signer, escape
from bot.channels.x.problems import NETWORK_ERRORS, Problem, XError, network_error, refusal
from bot.channels.x.settings import XAccount

BODY_BYTES_MAX = 32 * 1024 * 1024
"""No answer of X is larger; more is a fault, and not read into memory."""


class Answer:
    """A 2xx as tweepy reads it."""

    __slots__ = ("_body", "headers", "reason", "status")

    def __init__(self, status: int, reason: str | None, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self._body = body

    async def read(self) -> bytes:
        """The body."""
        return self._body

    async def json(self) -> Any:
        """The body's object, whatever its content type says. Raises ``XError``, unclear, when it is none."""
        try:
            found = json.loads(self._body)
        except (ValueError, RecursionError) as error:
            raise XError(Problem.UNCLEAR, f"status {self.status} with invalid JSON", status=self.status) from error
        if not isinstance(found, dict):
            raise XError(Problem.UNCLEAR, f"status {self.status} without a JSON object", status=self.status)
        return found


class SharedSession:
    """The one aiohttp session of the channel, opened at the first call."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def get(self) -> aiohttp.ClientSession:
        """The session."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=100, limit_per_host=64)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        return self._session

    async def close(self) -> None:
        """Close what was opened."""
        if self._session is not None:
            await self._session.close()


class Client(AsyncClient):  # type: ignore[misc]
    """Tweepy's client of one account, over the shared session. ``limits`` hears of every call."""

    def __init__(self, account: XAccount, shared: SharedSession, limits: Limits, now: Callable[[], datetime]) -> None:
        keys = account.keys
        super().__init__(
            bearer_token=keys.bearer or None,
            consumer_key=keys.consumer_key,
            consumer_secret=keys.consumer_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_token_secret,
            return_type=dict,
            wait_on_rate_limit=False,
        )
        self.account = account
        self.shared = shared
        self.limits = limits
        self.now = now
        self.signer = Signer(keys)
        self.timeout = aiohttp.ClientTimeout(total=account.timeout_s, connect=min(10.0, account.timeout_s))

    async def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        user_auth: bool = False,
    ) -> Answer:
        """One call. Raises ``XError`` for all that is not a 2xx."""
        pairs = [(name, str(value)) for name, value in sorted((params or {}).items())]
        target = self.account.base_url + route
        query = "&".join(f"{escape(name)}={escape(value)}" for name, value in pairs)
        if user_auth:
            proof = self.signer.authorization(method, target, pairs, self.now())
        else:
            proof = f"Bearer {self.account.keys.bearer}"
        headers = {"Authorization": proof, "User-Agent": self.user_agent}
        return await self.called(
            method, route, URL(f"{target}?{query}" if query else target, encoded=True), headers, json
        )

    async def called(self, method: str, route: str, address: URL, headers: Mapping[str, str], body: Any) -> Answer:
        """One exchange on the wire."""
        endpoint = endpoint_of(method, route)
        seen: Mapping[str, str] = {}
        self.limits.begin(endpoint, self.now())
        try:
            async with self.shared.get().request(
                method, address, headers=headers, json=body, timeout=self.timeout, allow_redirects=False
            ) as response:
                seen = response.headers
                if (response.content_length or 0) > BODY_BYTES_MAX:
                    raise XError(Problem.UNCLEAR, f"a body of {response.content_length} bytes", status=response.status)
                content = await response.read()
                status, reason = response.status, response.reason
        except NETWORK_ERRORS as error:
            raise network_error(error) from error
        finally:
            self.limits.end(endpoint, seen, self.now())
        if 200 <= status < 300:
            return Answer(status, reason, seen, content)
        until = self.limits.refused(endpoint, seen, self.now()) if status == 429 else None
        raise refusal(status, content, until)
