"""Business hours: when people work, and when a span of working time is over.

Two clocks run on a conversation (protocol.md, "Two clocks"). The first reply's runs day and night, so it needs nothing from
here. The human answer's runs in business hours with holidays, in the queue's own time zone, across DST changes.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_AHEAD_MAX = 400
"""How far a deadline may be searched for: beyond it, nobody ever works."""
DAYS_KNOWN_MAX = 1000
"""Days whose working time is remembered."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ``ZoneInfoNotFoundError`` for an unknown one."""
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Span:
    """Working time of one day, as wall-clock times. ``ends`` may be 24:00, written as ``time.max``."""

    starts: time
    ends: time


AROUND_THE_CLOCK = ((Span(time.min, time.max),),) * 7
"""Every hour of every day."""


@dataclass(frozen=True)
class BusinessHours:
    """A week of working time in one time zone, with days off. The default is every hour of every day.

    ``week`` has seven entries, Monday first, each the day's spans in order.
    """

    time_zone: str = "UTC"
    week: tuple[tuple[Span, ...], ...] = AROUND_THE_CLOCK
    holidays: Container[date] = field(default=frozenset(), compare=False)

    @cached_property
    def _always(self) -> bool:
        """Every hour of every day: nothing has to be looked up."""
        return self.week == AROUND_THE_CLOCK and self.holidays == frozenset()

    @cached_property
    def _known(self) -> dict[date, list[tuple[datetime, datetime]]]:
        """Days that were worked out before: deadlines ask for the same few again and again."""
        return {}

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """The working time of a day as aware UTC instants. A time that DST skips starts when the clocks have moved."""
        found = self._known.get(day)
        if found is None:
            if len(self._known) >= DAYS_KNOWN_MAX:
                self._known.clear()
            found = self._known[day] = self._work_out(day)
        return found

    def _work_out(self, day: date) -> list[tuple[datetime, datetime]]:
        if day in self.holidays:
            return []
        tz = zone(self.time_zone)
        utc = zone("UTC")
        found = []
        for span in self.week[day.weekday()]:
            starts = datetime.combine(day, span.starts, tz).astimezone(utc)
            if span.ends == time.max:
                ends = datetime.combine(day + timedelta(days=1), time.min, tz).astimezone(utc)
            else:
                ends = datetime.combine(day, span.ends, tz).astimezone(utc)
            if ends > starts:
                found.append((starts, ends))
        return found

    def is_open(self, at: datetime) -> bool:
        """Whether somebody works at that instant."""
        if self._always:
            return True
        day = at.astimezone(zone(self.time_zone)).date()
        return any(starts <= at < ends for starts, ends in self.spans(day))

    def next_open(self, at: datetime) -> datetime:
        """The instant itself when open, else when work next begins. Where nobody ever works: the instant itself."""
        return self.add(at, 0.0)

    def add(self, at: datetime, seconds: float) -> datetime:
        """The instant at which that much working time has passed since ``at``.

        With 0 seconds it is the next working instant. Where nobody ever works, plain time is used: a deadline that never
        comes would hide a case for good. Where too little is worked in ``DAYS_AHEAD_MAX``, it is the end of those days.
        """
        if self._always:
            return at + timedelta(seconds=seconds)
        left = timedelta(seconds=seconds)
        day = at.astimezone(zone(self.time_zone)).date()
        for offset in range(DAYS_AHEAD_MAX):
            for starts, ends in self.spans(day + timedelta(days=offset)):
                begin = max(starts, at)
                if begin >= ends:
                    continue
                if begin + left <= ends:
                    return begin + left
                left -= ends - begin
        worked = left < timedelta(seconds=seconds)
        return at + (timedelta(days=DAYS_AHEAD_MAX) if worked else timedelta(seconds=seconds))


def at_daytime(at: datetime, time_zone: str, first: time = time(9, 30), last: time = time(19, 0)) -> datetime:
    """The instant itself when it lies in that zone's daytime, else the next beginning of it (a check-back wakes nobody)."""
    tz = zone(time_zone)
    local = at.astimezone(tz)
    if local.time() < first:
        local = datetime.combine(local.date(), first, tz)
    elif local.time() > last:
        local = datetime.combine(local.date() + timedelta(days=1), first, tz)
    else:
        return at
    return local.astimezone(zone("UTC"))
