"""The console's door: who may come in, and what every answer says to the browser. Pure ASGI, in front of every route.

* Host: only names of this machine (against DNS rebinding).
* Unsafe methods: only from our own pages (against cross-site requests). Programs send neither ``Origin`` nor ``Sec-Fetch-Site``.
* Bodies: at most ``BODY_BYTES_MAX``.
* A bug below ends as a plain 500; its details stay in the log.
* Answers: a content security policy without inline script or style, no framing, no sniffing, no referrer.
"""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.log import get_logger

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""The names under which this machine reaches itself."""
BODY_BYTES_MAX = 4 * 1024 * 1024
"""More than any form of ours can need: a text of 1 MB grows threefold in a form's encoding."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

log = get_logger("console")


class TooLarge(Exception):
    """The body is longer than ``BODY_BYTES_MAX``."""


class Door:
    """Checks each request before it reaches a page. ``hosts`` are the names it answers to, without ports."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = LOOPBACK) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if (refusal := self.refusal(scope["method"], headers)) is not None:
            status, words = refusal
            await PlainTextResponse(words + "\n", status_code=status)(scope, receive, dressed(send, scope))
            return
        taken = 0
        answering = False

        async def noticed(message: Message) -> None:
            nonlocal answering
            answering = True
            await dressed(send, scope)(message)

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > BODY_BYTES_MAX:
                raise TooLarge
            return message

        try:
            await self.app(scope, counted, noticed)
        except TooLarge:
            words = f"That is too long: at most {BODY_BYTES_MAX // 1024 // 1024} MB are taken.\n"
            await PlainTextResponse(words, status_code=413)(scope, receive, dressed(send, scope))
        except Exception as error:
            log.exception("console failed", path=scope["path"], error=repr(error))
            if not answering:
                words = "Something went wrong on our side; it is in the log.\n"
                await PlainTextResponse(words, status_code=500)(scope, receive, dressed(send, scope))

    def refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """The status and the words of a refusal, or None."""
        host = headers.get("host", "")
        if host_name(host) not in self.hosts:
            return 421, "This console answers only to names of this machine, such as localhost or 127.0.0.1."
        if method in SAFE_METHODS:
            return None
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if site not in (None, "same-origin") or (origin is not None and urlsplit(origin).netloc != host):
            return 403, "This request comes from another site: it was refused."
        return None


def host_name(host: str) -> str:
    """The name in a Host header, without its port; empty for one that makes no sense."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def dressed(send: Send, scope: MutableMapping[str, Any]) -> Send:
    """The same, with our headers on the answer. Pages are not kept by the browser; vendored files are."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return wrapped
