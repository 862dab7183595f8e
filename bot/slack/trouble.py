"""What went wrong with a call to Slack, sorted by what it means for the message that was being sent."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from conversations.errors import HearoutError

UNKNOWN_ERRORS = frozenset(
    {"fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
"""Slack says of these that some of the work may have been done."""
SIGN_IN_ERRORS = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "no_permission", "org_login_required",
     "ekm_access_denied", "access_denied", "team_access_not_granted"}
)  # fmt: skip
PLACE_ERRORS = frozenset(
    {"is_archived", "channel_not_found", "not_in_channel", "is_inactive", "restricted_action", "channel_is_archived",
     "user_not_in_channel", "cannot_reply_to_message", "restricted_action_read_only_channel"}
)  # fmt: skip
RETRY_AFTER_S = 30.0
"""When a limit names no time of its own."""


class TroubleKind(StrEnum):
    """What a failed call means."""

    LATER = "later"  # certainly not done: again after ``retry_after_s``
    UNKNOWN = "unknown"  # it may have been done
    PLACE = "place"  # certainly not done: the channel is archived, gone or closed to us
    SIGN_IN = "sign_in"  # certainly not done: our token is no good
    MISSING = "missing"  # this Slack has no such method
    REFUSED = "refused"  # certainly not done: a bad request, for good


class Trouble(HearoutError):
    """A call to Slack failed. ``error`` is Slack's own word where it gave one."""

    def __init__(self, kind: TroubleKind, method: str, error: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{method}: {error}")
        self.kind = kind
        self.method = method
        self.error = error
        self.retry_after_s = retry_after_s


def trouble_of(method: str, error: BaseException) -> Trouble:
    """Sort an exception of the SDK, of HTTP or of the network. Nothing that may have left counts as not done."""
    match error:
        case SlackApiError():
            return _answered(method, error.response)
        case aiohttp.ClientConnectorError() | aiohttp.InvalidURL():
            return Trouble(
                TroubleKind.LATER, method, f"Slack cannot be reached ({type(error).__name__})", RETRY_AFTER_S
            )
        case asyncio.TimeoutError():
            return Trouble(TroubleKind.UNKNOWN, method, "no answer in time")
        case aiohttp.ClientError() | SlackClientError() | OSError():
            return Trouble(TroubleKind.UNKNOWN, method, f"the connection broke ({type(error).__name__})")
        case _:
            return Trouble(TroubleKind.UNKNOWN, method, repr(error))


def _answered(method: str, response: Any) -> Trouble:
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    error = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429 or error in ("ratelimited", "rate_limited", "message_limit_exceeded"):
        return Trouble(
            TroubleKind.LATER, method, "ratelimited", retry_after_s(getattr(response, "headers", None) or {})
        )
    if status >= 500 or error in UNKNOWN_ERRORS or not error:
        return Trouble(TroubleKind.UNKNOWN, method, error or f"HTTP {status}")
    if error in SIGN_IN_ERRORS:
        return Trouble(TroubleKind.SIGN_IN, method, error)
    if error in PLACE_ERRORS:
        return Trouble(TroubleKind.PLACE, method, error)
    if error in ("unknown_method", "method_deprecated", "not_implemented"):
        return Trouble(TroubleKind.MISSING, method, error)
    return Trouble(TroubleKind.REFUSED, method, error)


def retry_after_s(headers: Any) -> float:
    """Seconds that a 429 asks for, at least one."""
    for name in ("Retry-After", "retry-after"):
        value = headers.get(name)
        if value is not None:
            try:
                return max(1.0, float(value))
            except (TypeError, ValueError):
                break
    return RETRY_AFTER_S
