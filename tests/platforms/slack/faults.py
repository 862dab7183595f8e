"""Faults on purpose: which call of which method goes wrong, and how. Data, counted when it fires.

`Fault("chat.postMessage", Trouble.LOST_REPLY, nth=2)` does the work of the second post and drops the connection.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Trouble(StrEnum):
    """The ways in which a call goes wrong. *Done* says whether the work happens before it does."""

    LOST_REPLY = "lost_reply"  # done; the connection is cut instead of an answer
    RESET = "reset"  # not done; the connection is cut
    DELAY = "delay"  # done; answered after delay_s of the platform's clock
    HANG = "hang"  # done or not (`done`); never answered
    RATE_LIMITED = "rate_limited"  # not done; 429, Retry-After
    RATELIMITED_BODY = "ratelimited_body"  # not done; 200 with {"error": "ratelimited"} and Retry-After
    SERVER_ERROR = "server_error"  # done or not (`done`); `status`, an HTML body
    FATAL_ERROR = "fatal_error"  # done or not (`done`): Slack says some of it may have happened
    INTERNAL_ERROR = "internal_error"  # done or not (`done`)
    API_ERROR = "api_error"  # not done; {"error": error}: token_revoked, invalid_auth, account_inactive, …


@dataclass(frozen=True)
class Fault:
    """One rule. It fires on call number `nth` (from 1, since it was added) of `method`, or at `rate` (0 to 1).

    `method` "*" is every method; `times` bounds how often it fires (None: no bound). With neither nth nor rate it
    fires on every call.
    """

    method: str
    trouble: Trouble
    nth: int | None = None
    rate: float | None = None
    times: int | None = None
    done: bool = False
    delay_s: float = 5.0
    retry_after_s: int = 30
    status: int = 503
    error: str = "token_revoked"


@dataclass
class Faults:
    """The rules in force, and how often each kind fired on each method."""

    rng: Random
    fired: Counter[tuple[str, Trouble]] = field(default_factory=Counter)
    _rules: list[Fault] = field(default_factory=list)
    _seen: dict[int, int] = field(default_factory=dict)
    _spent: dict[int, int] = field(default_factory=dict)

    def add(self, *rules: Fault) -> None:
        """Put rules in force, in order: the first that fires on a call wins."""
        self._rules.extend(rules)

    def clear(self) -> None:
        """Lift every rule; the counts stay."""
        self._rules, self._seen, self._spent = [], {}, {}

    def unfired(self) -> tuple[Fault, ...]:
        """Rules that never fired: a test that names a fault should see none here."""
        return tuple(rule for index, rule in enumerate(self._rules) if not self._spent.get(index))

    def strike(self, method: str) -> Fault | None:
        """The rule that fires on this call, if one does."""
        struck: Fault | None = None
        for index, rule in enumerate(self._rules):
            if rule.method not in (method, "*"):
                continue
            self._seen[index] = seen = self._seen.get(index, 0) + 1
            if struck is None and self._hits(index, rule, seen):
                self._spent[index] = self._spent.get(index, 0) + 1
                self.fired[method, rule.trouble] += 1
                struck = rule
        return struck

    def _hits(self, index: int, rule: Fault, seen: int) -> bool:
        if rule.times is not None and self._spent.get(index, 0) >= rule.times:
            return False
        if rule.nth is not None:
            return seen == rule.nth
        return rule.rate is None or self.rng.random() < rule.rate
