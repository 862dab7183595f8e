"""OAuth 1.0a for the URL that is really called (RFC 5849, HMAC-SHA1).

Tweepy signs for X's own address; a configured ``api_url`` or a proxy needs a signature that fits it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlsplit

from bot.channels.x.settings import XKeys

DEFAULT_PORTS = {"http": 80, "https": 443}


def authorization(
    method: str, url: str, query: Iterable[tuple[str, str]], keys: XKeys, now: datetime, nonce: str | None = None
) -> str:
    """The ``Authorization`` header. ``url`` is without its query; ``query`` holds decoded pairs."""
    oauth = {
        "oauth_consumer_key": keys.consumer_key,
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(now.timestamp())),
        "oauth_token": keys.access_token,
        "oauth_version": "1.0",
    }
    pairs = sorted((escape(name), escape(value)) for name, value in (*query, *oauth.items()))
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method.upper(), escape(bare(url)), escape(joined)))
    key = f"{escape(keys.consumer_secret)}&{escape(keys.access_token_secret)}"
    oauth["oauth_signature"] = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
    return "OAuth " + ", ".join(f'{name}="{escape(value)}"' for name, value in oauth.items())


def escape(text: str) -> str:
    """Percent-encoding as the RFC wants it (section 3.6)."""
    return quote(text, safe="-._~")


def bare(url: str) -> str:
    """The address as it is signed: lower case, no query, no default port (section 3.4.1.2)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.port is not None and parts.port != DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{parts.port}"
    return f"{parts.scheme.lower()}://{host}{parts.path or '/'}"
