"""OAuth 1.0a for the URL that is really called (RFC 5849, HMAC-SHA1).

Tweepy signs for X's own address; a configured ``api_url`` or a proxy needs a signature that fits it. What does not
change from call to call is worked out once.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from bot.channels.x.settings import XKeys

DEFAULT_PORTS = {"http": 80, "https": 443}


class Signer:
    """Signs for one account."""

    def __init__(self, keys: XKeys) -> None:
        self._key = f"{escape(keys.consumer_secret)}&{escape(keys.access_token_secret)}".encode()
        self._consumer = escape(keys.consumer_key)
        self._token = escape(keys.access_token)

    def authorization(
        self, method: str, url: str, query: Iterable[tuple[str, str]], now: datetime, nonce: str | None = None
    ) -> str:
        """The ``Authorization`` header. ``url`` is without its query; ``query`` holds pairs as they are, not yet
        encoded."""
        oauth = [
            ("oauth_consumer_key", self._consumer),
            ("oauth_nonce", nonce or secrets.token_hex(16)),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", str(int(now.timestamp()))),
            ("oauth_token", self._token),
            ("oauth_version", "1.0"),
        ]
        pairs = sorted([*((escape(name), escape(value)) for name, value in query), *oauth])
        joined = "&".join([f"{name}={value}" for name, value in pairs])
        # The pairs are encoded already: encoding them once more changes these three characters only.
        again = joined.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
        base = f"{method.upper()}&{bare(url)}&{again}"
        signature = base64.b64encode(hmac.digest(self._key, base.encode(), "sha1")).decode()
        oauth.append(("oauth_signature", escape(signature)))
        return "OAuth " + ", ".join([f'{name}="{value}"' for name, value in oauth])


def escape(text: str) -> str:
    """Percent-encoding as the RFC wants it (section 3.6)."""
    return quote(text, safe="-._~")


@lru_cache(maxsize=1024)
def bare(url: str) -> str:
    """The address as it is signed: lower case, no query, no default port (section 3.4.1.2); encoded."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.port is not None and parts.port != DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{parts.port}"
    return escape(f"{parts.scheme.lower()}://{host}{parts.path or '/'}")
