"""Instants, hours and plans in words, as a person would say them in the customer's language and time zone.

The words come from ``languages/<lang>/templates/words.toml``, times and weekdays from babel's CLDR. The forms are made
to follow the words that templates put before them: "by 4:30 PM today", "bis heute um 16:30 Uhr".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol

from babel import Locale
from babel.dates import format_skeleton, format_time, get_day_names

from conversations.deadlines import BusinessHours, Span, zone
from conversations.wording.facts import FACTS
from conversations.wording.packs import load_packs

_NO_TIME = time(23, 59)
"""A promise for 23:59 was made for the day: no hour is said."""
_SPACES = str.maketrans({"\u202f": " ", "\u00a0": " "})


class PlanStep(Protocol):
    """A step of a plan: what will be done, and by when (None: no date was promised)."""

    @property
    def text(self) -> str: ...

    @property
    def due_at(self) -> datetime | None: ...


def spoken_time(instant: datetime, now: datetime, language: str, time_zone: str) -> str:
    """An instant in words, e.g. ``4:30 PM today``, ``9:00 AM tomorrow``, ``6:00 PM on Thursday``.

    ``language`` may be a tag with a region: "en-GB" says 16:30. The time zone is the customer's where it is known, else
    the brand's. Raises ZoneInfoNotFoundError for an unknown one.
    """
    tz = zone(time_zone)
    local, today = instant.astimezone(tz), now.astimezone(tz).date()
    minute = local.time().replace(second=0, microsecond=0)
    words = _words(language)
    values = {"day": _day(local.date(), today, language), "time": _time(minute, language)}
    days = (local.date() - today).days
    kind = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days, "weekday" if 1 < days < 7 else "date")
    if minute == _NO_TIME:
        return words[f"{kind}_all_day"].format(**values)
    return words[kind].format(**values)


def plan_text(steps: Iterable[PlanStep], now: datetime, language: str, time_zone: str) -> str:
    """A plan as numbered lines, each with its date: the fact ``steps``."""
    words = _words(language)
    lines = []
    for number, step in enumerate(steps, start=1):
        text = " ".join(step.text.split()).rstrip(" .;,")
        if step.due_at is None:
            lines.append(f"{number}. {text}")
        else:
            when = spoken_time(step.due_at, now, language, time_zone)
            lines.append(words["step"].format(number=number, text=text, when=when))
    return "\n".join(lines)


@lru_cache(maxsize=256)
def spoken_hours(hours: BusinessHours, language: str) -> str | None:
    """Business hours in words, e.g. ``Monday to Friday, 9:00 AM to 6:00 PM``; None when they are around the clock."""
    if all(len(day) == 1 and day[0] == Span(time.min, time.max) for day in hours.week) or not any(hours.week):
        return None
    words = _words(language)
    names = get_day_names("wide", "stand-alone", _locale(language))
    groups: list[tuple[int, int]] = []
    for day in range(7):
        if not hours.week[day]:
            continue
        if groups and groups[-1][1] == day - 1 and hours.week[groups[-1][0]] == hours.week[day]:
            groups[-1] = (groups[-1][0], day)
        else:
            groups.append((day, day))
    parts = []
    for first, last in groups:
        days = names[first] if first == last else words["days"].format(first=names[first], last=names[last])
        spans = [
            words["span"].format(start=_time(span.starts, language), end=_time(_closing(span), language))
            for span in hours.week[first]
        ]
        parts.append(words["hours"].format(days=days, spans=words["and"].join(spans)))
    return "; ".join(parts)


def spoken_samples(language: str) -> dict[str, object]:
    """A sample of every fact, with times as the language says them: for previews and for lint."""
    values: dict[str, object] = {name: fact.sample for name, fact in FACTS.items()}
    pack = load_packs().get(language)
    values |= pack.samples if pack else {}
    now = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
    for name, hours in (("answer_by", 4.5), ("promise_due", 30.0)):
        values[name] = spoken_time(now + timedelta(hours=hours), now, language, "UTC")
    values["steps"] = plan_text([_Sample(str(values["promise_text"]), now + timedelta(hours=30))], now, language, "UTC")
    values["hours"] = spoken_hours(BusinessHours("UTC", ((Span(time(9), time(18)),),) * 5 + ((), ())), language)
    return values


@dataclass(frozen=True, slots=True)
class _Sample:
    text: str
    due_at: datetime | None


def _closing(span: Span) -> time:
    return time.min if span.ends == time.max else span.ends


@lru_cache(maxsize=1024)
def _day(day: date, today: date, language: str) -> str:
    locale = _locale(language)
    if 1 < (day - today).days < 7:
        return str(get_day_names("wide", "format", locale)[day.weekday()])
    skeleton = "MMMMd" if day.year == today.year else "yMMMMd"
    return format_skeleton(skeleton, day, locale=locale).translate(_SPACES)


@lru_cache(maxsize=4096)
def _time(value: time, language: str) -> str:
    return format_time(value, "short", locale=_locale(language)).translate(_SPACES)


@lru_cache(maxsize=32)
def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("_", "-"), sep="-")


def _words(language: str) -> dict[str, str]:
    packs = load_packs()
    pack = packs.get(language.replace("_", "-").split("-")[0].lower())
    return dict((pack or packs["en"]).words)
