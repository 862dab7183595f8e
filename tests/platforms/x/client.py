"""A session wrapper that leads tweepy's AsyncClient to another server, and signs again for the URL really called."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
from oauthlib.oauth1 import Client as Signer  # type: ignore[import-untyped]
from yarl import URL

from tests.platforms.x.model import Account, Credentials


def signed_headers(
    method: str, url: str, keys: Credentials, now: datetime, headers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers with an OAuth 1.0a signature for this URL at this instant."""
    signer = Signer(
        keys.consumer_key,
        keys.consumer_secret,
        keys.access_token,
        keys.access_token_secret,
        timestamp=str(int(now.timestamp())),
    )
    others = {name: value for name, value in (headers or {}).items() if name.lower() != "authorization"}
    return dict(signer.sign(url, method, headers=others)[1])


class LocalSession:
    """What tweepy takes for an aiohttp session."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, account: Account, clock: Callable[[], datetime]
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._keys = account.credentials
        self._clock = clock

    @property
    def closed(self) -> bool:
        """As of the real session."""
        return self._session.closed

    @property
    def headers(self) -> Any:
        """As of the real session."""
        return self._session.headers

    async def close(self) -> None:
        """Close the real session."""
        await self._session.close()

    def request(
        self,
        method: str,
        url: str | URL,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **others: Any,
    ) -> Any:
        """Send a request to the local server in place of X's."""
        asked = URL(url) if isinstance(url, str) else url
        target = self._base_url + asked.extend_query(params or {}).raw_path_qs
        sent = dict(headers or {})
        if sent.get("Authorization", "").startswith("OAuth"):
            sent = signed_headers(method, target, self._keys, self._clock(), sent)
        return self._session.request(method, URL(target, encoded=True), headers=sent, **others)
