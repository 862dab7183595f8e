"""X's rate limits: counted by ourselves, corrected by both families of headers in every answer.

``x-rate-limit-{limit,remaining,reset}`` tells of the quarter of an hour, ``x-*-limit-24hour-{…}`` of the day. Where
headers are missing the documented limits are counted down instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.store.records import Rank

QUARTER_S = 900.0
DAY_S = 86_400.0
BARE_LIMIT_S = 60.0
"""How long to wait after a 429 that does not say until when: to ask once a minute is no hammering, and a first reply
may be due."""
MENTIONS = "GET /2/users/:id/mentions"
OWN_POSTS = "GET /2/users/:id/tweets"
POSTS = "GET /2/tweets"
SEARCH = "GET /2/tweets/search/recent"
MESSAGES = "GET /2/dm_events"
MESSAGES_WITH = "GET /2/dm_conversations/with/:id/dm_events"
SEND_POST = "POST /2/tweets"
SEND_MESSAGE = "POST /2/dm_conversations/with/:id/messages"
RATE = "rate"
DAILY = "user-limit-24hour"
DOCUMENTED: Mapping[str, tuple[tuple[str, int, float], ...]] = {
    MENTIONS: ((RATE, 300, QUARTER_S),),
    OWN_POSTS: ((RATE, 900, QUARTER_S),),
    POSTS: ((RATE, 900, QUARTER_S),),
    SEARCH: ((RATE, 300, QUARTER_S),),
    MESSAGES: ((RATE, 15, QUARTER_S),),
    MESSAGES_WITH: ((RATE, 15, QUARTER_S),),
    SEND_POST: ((RATE, 100, QUARTER_S),),
    SEND_MESSAGE: ((RATE, 15, QUARTER_S), (DAILY, 1440, DAY_S)),
}
"""Per endpoint: family, calls, window in seconds (X's table of limits per user, August 2026)."""
KEPT_FREE: Mapping[str, Mapping[Rank, float]] = {
    SEND_POST: {Rank.RISK: 0.0, Rank.FIRST_REPLY: 0.0, Rank.AGENT: 0.05, Rank.REST: 0.2},
    SEND_MESSAGE: {Rank.RISK: 0.0, Rank.AGENT: 0.0, Rank.FIRST_REPLY: 0.1, Rank.REST: 0.3},
}
"""The part of a limit that must be left before words of a rank may leave: the urgent ones have the reserve for
themselves. In public the first reply has a deadline; in direct messages, which are scarce, an agent's words come
first."""
_HEADER = re.compile(
    r"x-(?P<family>rate|[a-z]+-limit-24hour)(?:-limit)?-(?P<what>limit|remaining|reset)", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<=/)\d+(?:-\d+)?(?=/|$)")


def endpoint_of(method: str, path: str) -> str:
    """The name of an endpoint, e.g. ``GET /2/users/:id/mentions``, wherever the API's paths begin."""
    route = path.partition("/2/")[2]
    return f"{method.upper()} /2{_NUMBER.sub(':id', '/' + route)}"


@dataclass(slots=True)
class Window:
    """One limit: what is left of it until ``reset_at``. ``told``: by the server, not by X's documentation."""

    limit: int
    remaining: int
    window_s: float
    reset_at: datetime | None = None
    told: bool = False

    def turn(self, now: datetime) -> None:
        """A window that has ended begins anew with the next call."""
        if self.reset_at is not None and now >= self.reset_at:
            self.remaining, self.reset_at = self.limit, None


class Limits:
    """What one account may still do, by endpoint."""

    def __init__(self) -> None:
        self._windows: dict[str, dict[str, Window]] = {}
        self._under_way: Counter[str] = Counter()
        self._answered: set[str] = set()

    def windows(self, endpoint: str, now: datetime) -> Mapping[str, Window]:
        """The limits of an endpoint by family, as they stand."""
        known = self._windows.get(endpoint)
        if known is None:
            known = {family: Window(calls, calls, span) for family, calls, span in DOCUMENTED.get(endpoint, ())}
            self._windows[endpoint] = known
        for window in known.values():
            window.turn(now)
        return known

    def begin(self, endpoint: str, now: datetime) -> None:
        """A call leaves."""
        self._under_way[endpoint] += 1
        for window in self.windows(endpoint, now).values():
            window.remaining -= 1
            window.reset_at = window.reset_at or now + timedelta(seconds=window.window_s)

    def end(self, endpoint: str, headers: Mapping[str, str], now: datetime) -> None:
        """A call came back: what X says of its limits is true, less what is still under way."""
        self._under_way[endpoint] -= 1
        if headers:
            self._answered.add(endpoint)
        for family, (limit, remaining, reset_at) in told(headers).items():
            span = QUARTER_S if family == RATE else DAY_S
            windows = self._windows.setdefault(endpoint, {})
            window = windows.setdefault(family, Window(limit, remaining, span))
            window.limit, window.told = limit, True
            window.remaining = remaining - self._under_way[endpoint]
            window.reset_at = reset_at or window.reset_at
            window.turn(now)

    def refused(self, endpoint: str, headers: Mapping[str, str], now: datetime) -> datetime:
        """X answered 429: nothing is left. Returns until when."""
        spent = [reset for _, remaining, reset in told(headers).values() if remaining <= 0 and reset is not None]
        until = max(spent, default=None) or retry_at(headers, now)
        if until is None or until <= now:
            until = now + timedelta(seconds=BARE_LIMIT_S)
        window = self._windows.setdefault(endpoint, {}).setdefault(RATE, Window(1, 0, QUARTER_S))
        window.remaining, window.reset_at, window.told = 0, until, True
        return until

    def room(self, endpoint: str, now: datetime) -> int | None:
        """How many calls are left in the tightest window; None: no limit is known."""
        return min((window.remaining for window in self.windows(endpoint, now).values()), default=None)

    def left(self, endpoint: str, family: str, now: datetime) -> tuple[int, int]:
        """Calls left, and the limit, of one family; (0, 0) where there is none."""
        window = self.windows(endpoint, now).get(family)
        return (window.remaining, window.limit) if window else (0, 0)

    def closed_until(self, endpoint: str, rank: Rank | None, now: datetime) -> tuple[datetime, bool] | None:
        """Until when words of this rank must wait, and whether everybody must; None: they may leave now."""
        share = KEPT_FREE.get(endpoint, {}).get(rank, 0.0) if rank is not None else 0.0
        waits = [
            (window.reset_at or now + timedelta(seconds=window.window_s), window.remaining <= 0)
            for window in self.windows(endpoint, now).values()
            if window.remaining <= int(window.limit * share)
        ]
        return (max(at for at, _ in waits), any(empty for _, empty in waits)) if waits else None

    def pace_s(self, endpoint: str, now: datetime) -> float:
        """Seconds between calls that use the limits up evenly.

        A server that answers without headers is asked at any pace: it says 429 when it is too much.
        """
        paces = []
        for window in self.windows(endpoint, now).values():
            if not window.told and endpoint in self._answered:
                continue
            left_s = (window.reset_at - now).total_seconds() if window.reset_at else window.window_s
            even_s = window.window_s / max(1, window.limit)
            paces.append(left_s if window.remaining <= 0 else max(even_s, min(left_s, left_s / window.remaining)))
        return max(paces, default=0.0)


def told(headers: Mapping[str, str]) -> dict[str, tuple[int, int, datetime | None]]:
    """Limit, remaining and reset by family, from headers of either family; incomplete or malformed ones are left
    out."""
    found: dict[str, dict[str, int]] = {}
    for name, value in headers.items():
        if name[:2] in ("x-", "X-") and (match := _HEADER.fullmatch(name)):
            try:
                found.setdefault(match["family"].lower(), {})[match["what"].lower()] = int(float(value))
            except (ValueError, OverflowError):
                continue
    return {
        family: (values.get("limit", values["remaining"]), values["remaining"], epoch(values.get("reset")))
        for family, values in found.items()
        if "remaining" in values
    }


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """What a 429 that counts nothing says of when to come again: a reset alone, or ``Retry-After`` in seconds (RFC 9110)."""
    said = {name.lower(): value.strip() for name, value in headers.items()}
    reset, after = said.get("x-rate-limit-reset", ""), said.get("retry-after", "")
    if "x-rate-limit-remaining" not in said and reset.isdecimal() and (at := epoch(int(reset))) is not None:
        return at
    return now + timedelta(seconds=min(int(after), DAY_S)) if after.isdecimal() else None


def epoch(seconds: int | None) -> datetime | None:
    """An instant from seconds since 1970."""
    try:
        return None if not seconds else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
