"""When people work, as an admin writes it: spans of a day, and the days off."""

from __future__ import annotations

from datetime import date, time
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator

from conversations.deadlines import Span


def hours_text(text: str) -> str:
    """Working time of a day: '09:00-17:30', several with commas, or '' for a day off."""
    day_spans(text)
    return text


def day_spans(text: str) -> tuple[Span, ...]:
    """The spans of a day's working time. Raises ValueError with what to write."""
    spans: list[Span] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        starts, _, ends = (piece.strip() for piece in part.partition("-"))
        try:
            last = time.max if ends == "24:00" else time.fromisoformat(ends)
            span = Span(time.fromisoformat(starts), last)
        except ValueError:
            raise ValueError(f"{part!r} is no working time: write it like '09:00-17:30'") from None
        if span.ends <= span.starts:
            raise ValueError(f"{part!r} ends before it starts")
        if spans and span.starts < spans[-1].ends:
            raise ValueError(f"{part!r} overlaps the one before")
        spans.append(span)
    return tuple(spans)


DayHours = Annotated[str, AfterValidator(hours_text)]


class DaysOff:
    """Public holidays by country ("DE") or region ("DE-BE"), and single days ("2026-12-24"), as a container of dates."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        self.days = frozenset(date.fromisoformat(entry) for entry in entries if entry[:1].isdigit())
        self.calendars = [calendar(entry) for entry in entries if not entry[:1].isdigit()]

    def __contains__(self, day: object) -> bool:
        return day in self.days or any(day in entry for entry in self.calendars)


@lru_cache(maxsize=64)
def calendar(code: str) -> Any:
    """The public holidays of a country or region. Raises ValueError for one that is not known."""
    import holidays as public_holidays  # 0.2 s that only a configuration with holidays needs

    country, _, region = code.partition("-")
    try:
        return public_holidays.country_holidays(country, subdiv=region or None)
    except NotImplementedError:  # so the library says that it knows none
        raise ValueError(f"no holidays are known for {code!r}: give a country ('DE') or a region ('DE-BE')") from None


def known_days_off(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Days off that can be looked up."""
    DaysOff(entries)
    return entries
