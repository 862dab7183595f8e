"""Faults as data: which endpoint, which calls, what happens. Every one that fires is counted."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase


class Kind(StrEnum):
    """What can go wrong. "Lands": the request is worked on all the same."""

    LOST_REPLY = "lost reply"
    """Lands; then the connection is cut."""
    RESET = "reset"
    """The connection is cut, nothing lands."""
    DELAY = "delay"
    """Lands at once; the answer comes `delay_s` later."""
    LATE = "late"
    """The request waits `delay_s` and lands then, even if the client has gone."""
    HANG = "hang"
    """Nothing lands, nothing is ever answered."""
    TOO_MANY = "429"
    """429 with headers; the limit is used up until the reset."""
    TOO_MANY_BARE = "429 without headers"
    """429 that does not say until when."""
    SERVER_ERROR = "5xx"
    """`status` with an HTML body; lands only with `lands=True`."""
    UNAUTHORIZED = "401"
    CREDITS_DEPLETED = "402"
    DUPLICATE = "403 duplicate"
    """The body of a duplicate although there is none; lands only with `lands=True`."""
    NOT_MENTIONED = "403 not mentioned"
    PERMANENT = "403 permanent"
    NOT_FOUND = "404"
    ERRORS_ONLY = "200 with errors only"
    """200 with `errors` and no `data`."""
    INVALID_JSON = "200 with invalid JSON"
    """Lands; the body is cut in its middle."""


LANDS = frozenset((Kind.LOST_REPLY, Kind.DELAY, Kind.LATE, Kind.INVALID_JSON))


@dataclass(frozen=True, slots=True)
class Fault:
    """Make calls of an endpoint fail.

    `endpoint` is a shell pattern over the route's name (`POST /2/tweets`, `GET /2/users/:id/mentions`, `* /2/dm_*`) or
    over method and real path. It fires on the calls `nth` to `nth + times - 1` that match (times=None: for ever), or,
    with `rate`, on each with that chance, at most `times` times. `lands`: overrides the kind's own answer to whether
    the work is done.
    """

    kind: Kind
    endpoint: str = "*"
    nth: int = 1
    times: int | None = 1
    rate: float | None = None
    status: int = 503
    delay_s: float = 60.0
    lands: bool | None = None

    @property
    def is_landing(self) -> bool:
        """Whether the request is worked on."""
        return self.kind in LANDS if self.lands is None else self.lands


@dataclass(frozen=True, slots=True)
class Fired:
    """A fault that happened."""

    at: datetime
    fault: Fault
    endpoint: str


class Faults:
    """The faults of one platform, asked at every call."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._planned: list[Fault] = []
        self._seen: Counter[int] = Counter()
        self._times: Counter[int] = Counter()
        self.fired: list[Fired] = []

    def add(self, *faults: Fault) -> None:
        """Plan faults; where several would fire at one call the first does."""
        self._planned += faults

    def clear(self) -> None:
        """Drop what is planned; what fired stays counted."""
        self._planned.clear()
        self._seen.clear()
        self._times.clear()

    @property
    def counts(self) -> Counter[Kind]:
        """How often each kind fired."""
        return Counter(entry.fault.kind for entry in self.fired)

    @property
    def unfired(self) -> list[Fault]:
        """What is planned and never happened: a test that relies on it proves nothing."""
        return [fault for index, fault in enumerate(self._planned) if not self._times[index]]

    def due(self, endpoint: str, path: str, now: datetime) -> Fault | None:
        """The fault of this call, counted; None for a call that goes well."""
        method = endpoint.partition(" ")[0]
        chosen: Fault | None = None
        for index, fault in enumerate(self._planned):
            if not self._matches(fault, (endpoint, f"{method} {path}")):
                continue
            self._seen[index] += 1
            if chosen is None and self._fires(index, fault):
                self._times[index] += 1
                chosen = fault
        if chosen:
            self.fired.append(Fired(now, chosen, endpoint))
        return chosen

    def _fires(self, index: int, fault: Fault) -> bool:
        if fault.times is not None and self._times[index] >= fault.times:
            return False
        if fault.rate is not None:
            return self._rng.random() < fault.rate
        return self._seen[index] >= fault.nth

    @staticmethod
    def _matches(fault: Fault, names: Iterable[str]) -> bool:
        return any(fnmatchcase(name, fault.endpoint) for name in names)
