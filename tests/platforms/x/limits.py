"""X's rate limits, and both families of headers that tell of them.

The numbers of mentions, posting and direct messages are those of the X channel's fact sheet; the others are X's table
of rate limits. Tests may change them: `platform.limits.quotas["POST /2/tweets"] = (Quota(3),)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

QUARTER_S = 900
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Quota:
    """`calls` in each window of `window_s` seconds, per account or for the whole app."""

    calls: int
    window_s: int = QUARTER_S
    scope: Literal["user", "app"] = "user"

    @property
    def header(self) -> str:
        """The family of headers that reports it."""
        return "x-rate-limit" if self.window_s < DAY_S else f"x-{self.scope}-limit-24hour"


def x_quotas() -> dict[str, tuple[Quota, ...]]:
    """X's limits by endpoint."""
    return {
        "GET /2/users/me": (Quota(75),),
        "GET /2/users": (Quota(900),),
        "GET /2/users/:id": (Quota(900),),
        "GET /2/users/by/username/:username": (Quota(900),),
        "GET /2/users/:id/mentions": (Quota(300),),
        "GET /2/users/:id/tweets": (Quota(900),),
        "GET /2/tweets": (Quota(5000),),
        "GET /2/tweets/:id": (Quota(900),),
        "GET /2/tweets/search/recent": (Quota(300),),
        "POST /2/tweets": (Quota(100), Quota(2400, DAY_S), Quota(10_000, DAY_S, "app")),
        "DELETE /2/tweets/:id": (Quota(50),),
        "GET /2/dm_events": (Quota(15),),
        "GET /2/dm_conversations/with/:participant_id/dm_events": (Quota(15),),
        "POST /2/dm_conversations/with/:participant_id/messages": (
            Quota(15),
            Quota(1440, DAY_S),
            Quota(1440, DAY_S, "app"),
        ),
        "GET /2/tweets/search/stream": (Quota(50, scope="app"),),
        "GET /2/tweets/search/stream/rules": (Quota(450, scope="app"),),
        "POST /2/tweets/search/stream/rules": (Quota(100, scope="app"),),
    }


@dataclass(slots=True)
class _Window:
    used: int = 0
    reset: int = 0


@dataclass(slots=True)
class Limits:
    """Fixed windows that begin with the first call after the last one's end."""

    quotas: dict[str, tuple[Quota, ...]] = field(default_factory=x_quotas)
    _windows: dict[tuple[str, str, int, str], _Window] = field(default_factory=dict)

    def charge(self, endpoint: str, account_id: str | None, now: datetime) -> tuple[bool, Mapping[str, str]]:
        """Count a call: whether it is within every limit, and the headers. A refused call counts nothing."""
        open_windows = [(quota, self._window(endpoint, account_id, quota, now)) for quota in self.quotas[endpoint]]
        allowed = all(window.used < quota.calls for quota, window in open_windows)
        headers: dict[str, str] = {}
        for quota, window in open_windows:
            window.used += allowed
            headers[f"{quota.header}-limit"] = str(quota.calls)
            headers[f"{quota.header}-remaining"] = str(quota.calls - window.used)
            headers[f"{quota.header}-reset"] = str(window.reset)
        return allowed, headers

    def exhaust(self, endpoint: str, account_id: str | None, now: datetime) -> Mapping[str, str]:
        """Use up the endpoint's first quota, as an injected 429 does; the headers."""
        quota = self.quotas[endpoint][0]
        self._window(endpoint, account_id, quota, now).used = quota.calls
        return self.charge(endpoint, account_id, now)[1]

    def _window(self, endpoint: str, account_id: str | None, quota: Quota, now: datetime) -> _Window:
        who = "app" if quota.scope == "app" or account_id is None else account_id
        window = self._windows.setdefault((endpoint, quota.header, quota.window_s, who), _Window())
        if now.timestamp() >= window.reset or window.reset - now.timestamp() > quota.window_s:
            window.used, window.reset = 0, int(now.timestamp()) + quota.window_s
        return window
