"""Small charts, worked out here and drawn by a template as SVG: no script, no library, and a table's worth of words beside them.

Coordinates are in a box of ``WIDTH`` x ``HEIGHT`` units; the page scales it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.console.figures import Figures, Row, percentile

WIDTH, HEIGHT = 560.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 20.0, 16.0, 26.0
MINUTE, HOUR = 60.0, 3600.0
FIRST_EDGES = (1 * MINUTE, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 1 * HOUR, 2 * HOUR)
HUMAN_EDGES = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 1 * HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR)
DAYS = 14
"""Days in the charts over time."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its words. ``tone``: ``good`` within the target, ``late`` beyond the limit, ``fair`` between."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a chart: a target or a limit."""

    at: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """How times are spread."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day: the median and the 95th percentile as points, the count as words."""

    x: float
    label: str
    count: int
    p50: float | None
    p95: float | None
    words: str


@dataclass(frozen=True)
class Trend:
    """Times day by day."""

    days: tuple[Day, ...]
    p50: str
    p95: str
    marks: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    words: str


def spell(seconds: float | None) -> str:
    """A span for people: two figures at most."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 36 * HOUR:
        return f"{seconds / HOUR:.1f}".removesuffix(".0") + " h"
    return f"{seconds / HOUR / 24:.1f}".removesuffix(".0") + " days"


def edge(seconds: float) -> str:
    """A class's limit."""
    return f"{seconds / HOUR:g} h" if seconds >= HOUR else f"{seconds / MINUTE:g} min"


def histogram(
    values: Sequence[float], edges: Sequence[float], limit_s: float, target_s: float | None = None
) -> Histogram:
    """How ``values`` (seconds, ordered) are spread over classes, against a limit and, where there is one, a target."""
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[next((n for n, end in enumerate(edges) if value <= end), len(edges))] += 1
    most = max(counts) or 1
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    room = HEIGHT - TOP - BOTTOM
    bars = []
    for n, count in enumerate(counts):
        ends = edges[n] if n < len(edges) else float("inf")
        tone = "good" if ends <= (target_s or limit_s) else "fair" if ends <= limit_s else "late"
        label = f"≤ {edge(edges[n])}" if n < len(edges) else f"> {edge(edges[-1])}"
        height = room * count / most
        bars.append(Bar(LEFT + n * step + 3, TOP + room - height, step - 6, height, tone, label, count))
    named = ((target_s, f"target {spell(target_s)}"), (limit_s, f"limit {spell(limit_s)}"))
    marks = tuple(Mark(position(at, edges, step), label) for at, label in named if at is not None)
    words = ", ".join(f"{bar.label}: {bar.count}" for bar in bars)
    return Histogram(tuple(bars), marks, words, len(values))


def position(at: float, edges: Sequence[float], step: float) -> float:
    """Where an instant lies among the classes."""
    low = 0.0
    for n, end in enumerate(edges):
        if at <= end:
            return LEFT + (n + (at - low) / (end - low)) * step
        low = end
    return LEFT + (len(edges) + 0.5) * step


def trend(rows: Sequence[Row], figures: Figures, name: str, today: date) -> Trend:
    """Times day by day; ``name`` is ``first_s`` or ``human_s``."""
    by_day: dict[date, list[float]] = defaultdict(list)
    for row in rows:
        value = getattr(row, name)
        if value is not None:
            by_day[row.posted_at.date()].append(value)
    dates = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    limit, target = (figures.window_s, figures.target_s) if name == "first_s" else (figures.human_s, None)
    spread = {day: sorted(by_day.get(day, ())) for day in dates}
    tops = [percentile(values, 0.95) or 0.0 for values in spread.values()]
    top = max([limit * 1.15, *tops])
    room = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / (DAYS - 1)

    def height(value: float | None) -> float | None:
        return None if value is None else round(TOP + room * (1 - value / top), 1)

    days = []
    for n, day in enumerate(dates):
        values = spread[day]
        p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
        words = f"{day:%a} {day.day} {day:%b}: {len(values)} answered, median {spell(p50)}, 95 % within {spell(p95)}"
        x = round(LEFT + n * step, 1)
        days.append(Day(x, f"{day.day} {day:%b}", len(values), height(p50), height(p95), words))
    marks = [Mark(height(limit) or 0.0, f"limit {spell(limit)}")]
    if target is not None:
        marks.append(Mark(height(target) or 0.0, f"target {spell(target)}"))
    ticks = tuple(Mark(height(limit * part) or 0.0, spell(limit * part)) for part in (0.0, 0.25, 0.5, 0.75))
    told = "; ".join(day.words for day in days if day.count)
    return Trend(tuple(days), path(days, "p50"), path(days, "p95"), tuple(marks), ticks, told or "nothing yet")


def path(days: Sequence[Day], name: str) -> str:
    """A line through the days that have a value; a day without one breaks it."""
    parts, pen = [], False
    for day in days:
        y = getattr(day, name)
        if y is None:
            pen = False
            continue
        parts.append(f"{'L' if pen else 'M'}{day.x:g} {y:g}")
        pen = True
    return " ".join(parts)
