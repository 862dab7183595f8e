"""How Slack is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """Socket Mode needs no public address; HTTP lets several workers stand behind a balancer."""

    SOCKET = "socket"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Where Slack is and how we sign in. Secrets never show in ``repr``.

    ``sockets``: Slack closes a socket before its successor is open, so one is not enough. ``call_s``: how long one call may
    take before its outcome counts as unknown. ``ping_s``: how often a socket is pinged and watched.
    """

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    mode: Mode = Mode.SOCKET
    api_url: str = "https://slack.com/api/"
    sockets: int = 2
    call_s: float = 10.0
    ping_s: float = 10.0
