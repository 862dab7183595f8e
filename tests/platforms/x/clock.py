"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Call it for the present instant (aware, UTC); it moves only when told to."""

    def __init__(self, now: datetime = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Move by `seconds` (negative: a step back) and return the new instant."""
        self.now += timedelta(seconds=seconds)
        return self.now
