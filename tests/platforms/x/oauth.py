"""OAuth 1.0a as the server sees it: HMAC-SHA1 over the URL really called, fresh timestamps, nonces used once.

Written from RFC 5849 without the library that the client signs with, so that one checks the other.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from tests.platforms.x.model import Credentials

_PAIR = re.compile(r'\s*([A-Za-z_]+)="([^"]*)"\s*')
_REQUIRED = (
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_token",
)


class BadSignature(Exception):
    """The request is not authorised, and why."""


def _encode(text: str) -> str:
    return quote(text, safe="-._~")


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if parts.port is not None and parts.port != default:
        host = f"{host}:{parts.port}"
    return f"{parts.scheme.lower()}://{host}{parts.path}"


def signature(method: str, url: str, pairs: Iterable[tuple[str, str]], keys: Credentials) -> str:
    """The HMAC-SHA1 signature of a request; `pairs` are query and OAuth parameters without the signature."""
    listed = sorted((_encode(name), _encode(value)) for name, value in pairs)
    joined = "&".join(f"{name}={value}" for name, value in listed)
    base = "&".join((method.upper(), _encode(_base_url(url)), _encode(joined)))
    key = f"{_encode(keys.consumer_secret)}&{_encode(keys.access_token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def parse_header(header: str) -> dict[str, str]:
    """The decoded parameters of an `Authorization: OAuth …` header.

    Raises:
        BadSignature: it is malformed or lacks a parameter.
    """
    fields: dict[str, str] = {}
    for part in header.removeprefix("OAuth").split(","):
        match = _PAIR.fullmatch(part)
        if match is None or match[1] in fields:
            raise BadSignature(f"malformed or repeated parameter in the header: {part.strip()!r}")
        fields[match[1]] = unquote(match[2])
    if lacking := [name for name in _REQUIRED if name not in fields]:
        raise BadSignature(f"the header lacks {', '.join(lacking)}")
    return fields


class SignatureCheck:
    """Checks requests, and remembers the nonces of the last `skew_s` seconds."""

    def __init__(self) -> None:
        self._nonces: dict[int, set[tuple[str, str]]] = {}

    def verify(
        self,
        method: str,
        url: str,
        query: Sequence[tuple[str, str]],
        header: str,
        known: dict[str, Credentials],
        now: datetime,
        skew_s: float,
    ) -> Credentials:
        """Return the keys that signed the request; `known` is by access token.

        Raises:
            BadSignature: unknown keys, stale timestamp, used nonce or wrong signature.
        """
        fields = parse_header(header)
        keys = known.get(fields["oauth_token"])
        if keys is None or keys.consumer_key != fields["oauth_consumer_key"]:
            raise BadSignature("unknown consumer key or access token")
        if fields["oauth_signature_method"] != "HMAC-SHA1":
            raise BadSignature(f"signature method {fields['oauth_signature_method']} is not HMAC-SHA1")
        if fields.get("oauth_version", "1.0") != "1.0":
            raise BadSignature(f"OAuth version {fields['oauth_version']} is not 1.0")
        if not fields["oauth_timestamp"].isdecimal():
            raise BadSignature("the timestamp is not a number of seconds")
        stamp = int(fields["oauth_timestamp"])
        if abs(now.timestamp() - stamp) > skew_s:
            raise BadSignature(f"the timestamp is {now.timestamp() - stamp:.0f} s off")
        signed = [*query, *((k, v) for k, v in fields.items() if k not in ("oauth_signature", "realm"))]
        expected = signature(method, url, signed, keys)
        if not hmac.compare_digest(expected, fields["oauth_signature"]):
            raise BadSignature(f"the signature does not fit {method} {_base_url(url)}")
        self._use_nonce(stamp, (fields["oauth_token"], fields["oauth_nonce"]), now, skew_s)
        return keys

    def _use_nonce(self, stamp: int, nonce: tuple[str, str], now: datetime, skew_s: float) -> None:
        for old in [at for at in self._nonces if at < now.timestamp() - skew_s]:
            del self._nonces[old]
        used = self._nonces.setdefault(stamp, set())
        if nonce in used:
            raise BadSignature("the nonce was used before")
        used.add(nonce)
