"""Snowflake ids: milliseconds since X's epoch, then 22 bits that say nothing of order.

Ids of one millisecond are in no order, and with `jitter_ms` neighbours in time may be swapped: "roughly ordered",
as X warns, so that a client which trusts the order loses posts in the tests and not in production.
"""

import random
from datetime import UTC, datetime, timedelta

EPOCH_MS = 1_288_834_974_657
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ms(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def snowflake_floor(instant: datetime) -> int:
    """The smallest id that a post of this instant can have."""
    return max(0, _ms(instant) - EPOCH_MS) << 22


class Snowflakes:
    """Hands out unique ids for instants; the same seed gives the same ids."""

    def __init__(self, rng: random.Random, jitter_ms: int = 0) -> None:
        self._rng = rng
        self._jitter_ms = jitter_ms
        self._issued: set[int] = set()

    def at(self, instant: datetime, *, above: str | None = None) -> str:
        """A fresh id for `instant`; `above` asks for one larger than a given id (an edit of it)."""
        base = snowflake_floor(instant) - (self._rng.randint(0, self._jitter_ms) << 22 if self._jitter_ms else 0)
        number = base + self._rng.getrandbits(22)
        if above is not None:
            number = max(number, int(above) + 1)
        while number in self._issued:
            number += 1
        self._issued.add(number)
        return str(number)
