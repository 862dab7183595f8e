"""Templates and the little words in them: times, spans, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse

from bot.console import diagram, texts, words
from bot.console.coming import spell
from bot.desk.calls import risk_words

HERE = Path(__file__).parent
DAY = timedelta(days=1)


@pass_context
def clock_time(context: Context, at: datetime) -> str:
    """An instant as people near it say it: the hour today, with the weekday this week, else with the date."""
    return local_time(at, context["view"].now, context["view"].zone)


def local_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """See ``clock_time``."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    if there.date() == here.date():
        return f"{there:%H:%M}"
    if abs(at - now) < 6 * DAY:
        return f"{there:%a %H:%M}"
    return f"{there:%a} {there.day} {there:%b %H:%M}"


@pass_context
def until(context: Context, at: datetime) -> str:
    """How long from now until an instant, or since it."""
    span = at - context["view"].now
    return spell(span) if span >= timedelta() else f"{spell(-span)} ago"


def initials(name: str) -> str:
    """Up to two letters for a face."""
    parts = [part for part in name.split() if part[:1].isalnum()]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


def hue(name: str) -> int:
    """One of eight colours for a face, always the same for a name."""
    return sum(name.encode("utf-8", "replace")) % 8


def lower_first(text: str) -> str:
    """A title within a sentence."""
    return text[:1].lower() + text[1:]


def field_time(at: datetime) -> str:
    """A local instant as a ``datetime-local`` field holds it."""
    return f"{at:%Y-%m-%dT%H:%M}"


def zip_with(values: Iterable[Any], others: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Pairs of two lists, for the options of a choice."""
    return list(zip(values, others, strict=True))


def act_id(about: str, act: str) -> str:
    """The id of an act that is offered once for what it is about: sent from any page, it is the same act."""
    return f"{act}-{sha256(about.encode()).hexdigest()[:32]}"


def environment() -> Environment:
    """The templates: autoescaped, and strict about names."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "lower_first": lower_first,
        "clock": clock_time,
        "until": until,
        "initials": initials,
        "hue": hue,
        "spell": spell,
        "field_time": field_time,
        "zip_with": zip_with,
        "act_id": act_id,
        "direction": texts.direction,
        "percent": texts.percent,
        "reason": texts.reason,
    }
    env.globals |= {"risk_words": risk_words, "words": words, "diagram": diagram}
    return env


class Pages:
    """Renders pages."""

    def __init__(self) -> None:
        self.env = environment()

    def page(
        self, template: str, values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A rendered page. A lone surrogate that slipped through does not break it."""
        text = self.env.get_template(template).render(**values)
        return HTMLResponse(text.encode("utf-8", "replace"), status_code=status, headers=dict(headers or {}))
