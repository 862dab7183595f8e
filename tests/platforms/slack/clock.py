"""What the stand-in needs of a clock, and two clocks to give it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time as an aware UTC instant."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class ManualClock:
    """A clock that moves only when a test says so."""

    def __init__(self, at: datetime | None = None) -> None:
        self._now = at or datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The instant that was last set."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move by `seconds` (negative steps back) and answer the new instant."""
        self._now += timedelta(seconds=seconds)
        return self._now


class RealClock:
    """The machine's clock, for a server that is used by hand or by another process."""

    def now(self) -> datetime:
        """The machine's present instant."""
        return datetime.now(UTC)
