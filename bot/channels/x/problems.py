"""What can go wrong between us and X, told apart once, below the client library.

A refusal is judged by its status and type first, then by X's words (in public threads and X's documentation), else it
is ``OTHER``: a human looks. Whatever leaves open if a post landed is ``UNCLEAR``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import aiohttp

from conversations.errors import HearoutError


class Problem(StrEnum):
    """Kinds of failure. Only ``UNCLEAR`` may have had an effect."""

    NOT_SENT = "not sent"  # no connection: certainly nothing happened
    UNCLEAR = "unclear"  # timeout, cut connection, 5xx, a body that is no JSON
    LIMIT = "limit"  # 429
    CREDENTIALS = "credentials"  # 401
    CREDITS = "credits"  # 402
    PERMISSION = "permission"  # 403: the app or token may not use this endpoint
    DUPLICATE = "duplicate"  # 403: the same words, it says
    NOT_MENTIONED = "not mentioned"  # 403: the author did not summon us
    GONE = "gone"  # the post is deleted or not visible to us
    BLOCKED = "blocked"  # the customer blocked us
    MESSAGES_SHUT = "messages shut"  # the customer takes no direct messages from us
    INVALID = "invalid"  # 400: we asked for something that this server does not know
    NO_SUCH_ROUTE = "no such route"  # 404, 405, 410, 501 of a list
    OTHER = "other"  # any other refusal


class XError(HearoutError):
    """A call that did not go well. ``until``: when X says that it may be tried again."""

    def __init__(self, problem: Problem, detail: str, *, status: int = 0, until: datetime | None = None) -> None:
        super().__init__(f"{problem.value}: {detail}" if detail else problem.value)
        self.problem = problem
        self.detail = detail
        self.status = status
        self.until = until


FORBIDDEN = (
    ("duplicate content", Problem.DUPLICATE),
    ("where you are mentioned", Problem.NOT_MENTIONED),
    ("deleted or not visible", Problem.GONE),
    ("not visible to you", Problem.GONE),
    ("blocked", Problem.BLOCKED),
    ("permission to dm", Problem.MESSAGES_SHUT),
    ("cannot send messages", Problem.MESSAGES_SHUT),
    ("not following you", Problem.MESSAGES_SHUT),
    ("app permissions", Problem.PERMISSION),
    ("is forbidden for this endpoint", Problem.PERMISSION),
    ("client-not-enrolled", Problem.PERMISSION),
)
"""Words in the detail of a 403, the first that is found decides."""
STATUSES = {
    400: Problem.INVALID,
    401: Problem.CREDENTIALS,
    402: Problem.CREDITS,
    404: Problem.NO_SUCH_ROUTE,
    405: Problem.NO_SUCH_ROUTE,
    408: Problem.UNCLEAR,
    410: Problem.NO_SUCH_ROUTE,
    429: Problem.LIMIT,
    501: Problem.NO_SUCH_ROUTE,
}


def refusal(status: int, body: bytes, until: datetime | None = None) -> XError:
    """The error for a status other than 2xx. ``until`` is the end of the limit, where X said it."""
    known = document(body)
    words = " ".join(detail_of(known).split())[:300]
    kind = f"{known.get('type', '')} {known.get('title', '')} {words}".lower()
    if status in STATUSES:
        problem = STATUSES[status]
    elif status >= 500 or status < 400:
        problem = Problem.UNCLEAR
    elif status == 403:
        problem = next((problem for words_in, problem in FORBIDDEN if words_in in kind), Problem.OTHER)
    else:
        problem = Problem.OTHER
    if problem is Problem.OTHER and "creditsdepleted" in kind:
        problem = Problem.CREDITS
    return XError(
        problem, words or f"status {status}", status=status, until=until if problem is Problem.LIMIT else None
    )


def document(body: bytes) -> Mapping[str, Any]:
    """A JSON object, or an empty one when the body is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def detail_of(body: Mapping[str, Any]) -> str:
    """What X says about it."""
    parts = [body.get("detail"), body.get("title"), body.get("error")]
    errors = body.get("errors")
    for entry in errors if isinstance(errors, list) else ():
        if isinstance(entry, dict):
            parts += [entry.get("message"), entry.get("detail")]
    return " / ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))


def network_error(error: BaseException) -> XError:
    """What the sockets said: only a connection that never stood up certainly carried nothing."""
    words = f"{type(error).__name__}: {error}".rstrip(": ")[:200]
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return XError(Problem.NOT_SENT, words)
    return XError(Problem.UNCLEAR, words)


NETWORK_ERRORS = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
