"""What tweepy takes for an aiohttp session: one for all accounts, led to the configured address and signed for it.

It also reads the limits from every answer, and tells errors apart before tweepy does (tweepy fails on a 5xx in HTML,
and drops the type of a refusal).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from yarl import URL

from bot.channels.x.limits import Limits, endpoint_of
from bot.channels.x.oauth import authorization
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


class SignedSession:
    """One account's view of the shared session."""

    def __init__(self, shared: SharedSession, account: XAccount, limits: Limits, now: Callable[[], datetime]) -> None:
        self.shared = shared
        self.account = account
        self.limits = limits
        self.now = now
        self.timeout = aiohttp.ClientTimeout(total=account.timeout_s, connect=min(10.0, account.timeout_s))

    @property
    def closed(self) -> bool:
        """As of aiohttp's: the shared session opens itself."""
        return False

    @property
    def headers(self) -> Mapping[str, str]:
        """As of aiohttp's."""
        return self.shared.get().headers

    async def close(self) -> None:
        """The shared session outlives its users."""

    def request(
        self,
        method: str,
        url: str | URL,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout: aiohttp.ClientTimeout | None = None,
        **_: Any,
    ) -> Exchange:
        """One call, for ``async with``; it raises ``XError`` for all that is not a 2xx."""
        asked = URL(url) if isinstance(url, str) else url
        if params:
            asked = asked.extend_query(params)
        target = self.account.base_url + asked.raw_path
        query = asked.raw_query_string
        sent = dict(headers or {})
        if sent.get("Authorization", "").startswith("OAuth"):
            pairs = parse_qsl(query, keep_blank_values=True)
            sent["Authorization"] = authorization(method, target, pairs, self.account.keys, self.now())
        address = URL(f"{target}?{query}" if query else target, encoded=True)
        return Exchange(self, endpoint_of(method, asked.path), method, address, sent, json, timeout or self.timeout)


class Exchange:
    """One request and its answer."""

    __slots__ = ("address", "body", "endpoint", "headers", "method", "session", "timeout")

    def __init__(
        self,
        session: SignedSession,
        endpoint: str,
        method: str,
        address: URL,
        headers: Mapping[str, str],
        body: Any,
        timeout: aiohttp.ClientTimeout,
    ) -> None:
        self.session = session
        self.endpoint = endpoint
        self.method = method
        self.address = address
        self.headers = headers
        self.body = body
        self.timeout = timeout

    async def __aenter__(self) -> Answer:
        limits, now = self.session.limits, self.session.now
        limits.begin(self.endpoint, now())
        seen: Mapping[str, str] = {}
        try:
            async with self.session.shared.get().request(
                self.method,
                self.address,
                headers=self.headers,
                json=self.body,
                timeout=self.timeout,
                allow_redirects=False,
            ) as response:
                seen = response.headers
                if (response.content_length or 0) > BODY_BYTES_MAX:
                    raise XError(Problem.UNCLEAR, f"a body of {response.content_length} bytes", status=response.status)
                body = await response.read()
                status, reason = response.status, response.reason
        except NETWORK_ERRORS as error:
            raise network_error(error) from error
        finally:
            limits.end(self.endpoint, seen, now())
        if 200 <= status < 300:
            return Answer(status, reason, seen, body)
        until = limits.refused(self.endpoint, seen, now()) if status == 429 else None
        raise refusal(status, body, until)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open: the body was read."""
