"""The overview: how fast, how much waits, what breaches next, whether customers are happy, what leaves and what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from bot.console import charts, spending, words
from bot.console.figures import Figures, Looked, percentile
from bot.console.forms import Form
from bot.console.frame import page, running
from bot.console.fresh import Fresh
from bot.console.parts import Running
from bot.console.people import Page
from bot.console.view import Line, line_of
from bot.desk.acts import OPEN_STATES
from bot.desk.incident import UPDATE_CHARS_MAX, Incident
from bot.staff import Role
from conversations.deadlines import zone
from conversations.protocol import State

WAIT_S = 0.1
"""So long the page waits for its charts; else it comes without them and fetches them as soon as they are ready."""
OPEN_MAX = 5000
PAGE = 100
NEXT_MAX = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its name and a line of context. ``tone``: ``good``, ``late`` or nothing."""

    name: str
    value: str
    detail: str
    tone: str = ""


@dataclass(frozen=True)
class Glance:
    """What costs to work out: the charts' figures, what breaches next, and what an incident's panel shows."""

    figures: Figures
    lines: tuple[Line, ...]
    incident: Incident


def glances(app: Running) -> Fresh[Glance]:
    """The glance of a running program, kept while it is fresh."""
    looked = Looked()

    async def make() -> Glance:
        figures = await looked.look(app)
        return Glance(figures, await next_lines(app), await app.incidents.state())

    return Fresh(app.clock, make)


async def next_lines(app: Running) -> tuple[Line, ...]:
    """The cases whose clocks end next, danger that nobody has taken before all."""
    now, found, offset = app.clock.now(), list[Line](), 0
    while offset < OPEN_MAX and (cases := await app.store.conversations(states=OPEN_STATES, limit=PAGE, offset=offset)):
        offset += len(cases)
        lines = (line_of(app, case, now) for case in cases)
        found = sorted([*found, *(line for line in lines if line.due)], key=due)[:NEXT_MAX]
        await asyncio.sleep(0)
    return tuple(found)


async def home(request: Request) -> Response:
    """``GET /``."""
    return await home_with(request, "", Form({}), 200)


async def home_with(request: Request, trouble: str, form: Form, status: int) -> Response:
    """The page, with what is wrong with a form of it and what was typed."""
    app = running(request)
    fresh: Fresh[Glance] = request.app.state.glances
    acted = bool(trouble or request.query_params.get("said"))
    glance = await fresh.now() if acted else await fresh.within(WAIT_S)
    counts = await app.store.counts()
    backlog = [(state, counts.by_state.get(state.value, 0)) for state in State if state is not State.CLOSED]
    spent, kept = app.metrics.spending(), await spending.days(app.store)
    values: dict[str, Any] = {
        "tiles": tiles(glance.figures, counts.by_state) if glance else (),
        "charts": drawn(glance.figures, app.clock.now(), app.acts.policy().time_zone) if glance else None,
        "glance": glance,
        "backlog": backlog,
        "backlog_most": max([count for _, count in backlog], default=0) or 1,
        "outbox": counts.outbox,
        "set_aside": counts.set_aside,
        "poisoned": await app.store.poisoned(3),
        "spending": spent,
        "spent_days": {account: spending.bars(kept, account, today) for account, today in spent.items()},
        "spoken": [(code, words.LANGUAGES.get(code, code)) for code in app.acts.policy().languages],
        "new_id": uuid4().hex,
        "trouble": trouble,
        "typed": form.fields,
        "update_chars_max": UPDATE_CHARS_MAX,
    }
    return await page(request, "overview.html", "/", values, status)


def due(line: Line) -> tuple[int, float]:
    """Danger that nobody has taken first, then the soonest; what has no clock last."""
    if line.due_at is None:
        return (0 if line.due else 2, 0.0)
    return (1, line.due_at.timestamp())


def tiles(figures: Figures, by_state: Mapping[str, int]) -> tuple[Tile, ...]:
    """The figures of the month, and those of this moment."""
    first, human = figures.first, figures.human
    in_time = sum(1 for value in first if value <= figures.window_s)
    answered = sum(sum(answers.values()) for answers in figures.answers)
    happy = sum(answers["yes"] for answers in figures.answers)
    cut, spoke = figures.interrupted
    waiting = by_state.get(State.AWAITING_AGENT.value, 0)
    answers = f"{happy} of {answered} answers" if answered else "nobody has been asked yet"
    total = sum(count for state, count in by_state.items() if state != State.CLOSED.value)
    return (
        Tile(
            "First replies in time",
            share(in_time, len(first)),
            f"median {charts.spell(percentile(first, 0.5))} of {charts.spell(figures.window_s)}"
            if first
            else "none yet",
            "" if not first else "good" if in_time == len(first) else "late",
        ),
        Tile(
            "A person answers within",
            charts.spell(percentile(human, 0.5)),
            f"median; 95 % within {charts.spell(percentile(human, 0.95))}" if human else "nobody has answered yet",
        ),
        Tile("Open cases", f"{total:,}", f"{waiting:,} wait for an agent", "late" if waiting > 20 else ""),
        Tile("Happy at check-back", share(happy, answered), answers),
        Tile("Interruptions", share(cut, spoke), f"{cut} of {spoke} conversations", "late" if cut * 50 > spoke else ""),
    )


def share(part: int, whole: int) -> str:
    """A part of a whole, honestly: nothing of nothing, and never rounded up to all."""
    if not whole:
        return "–"
    value = 100 * part / whole
    if part < whole and value > 99.9:
        value = 99.9
    return f"{value:.1f} %" if 0 < value < 100 and (value > 99 or value < 10) else f"{value:.0f} %"


def drawn(figures: Figures, now: datetime, time_zone: str) -> dict[str, Any]:
    """The charts."""
    today = now.astimezone(zone(time_zone)).date()
    answers = [
        {"round": number, "yes": counts["yes"], "no": counts["no"], "none": counts["none"], "all": sum(counts.values())}
        for number, counts in enumerate(figures.answers, 1)
    ]
    return {
        "first": charts.histogram(figures.first, charts.FIRST_EDGES, figures.window_s, figures.target_s),
        "first_days": charts.trend(figures.rows, figures, "first_s", today),
        "human": charts.histogram(figures.human, charts.HUMAN_EDGES, figures.human_s),
        "human_days": charts.trend(figures.rows, figures, "human_s", today),
        "answers": answers,
        "answers_most": max([entry["all"] for entry in answers], default=0) or 1,
    }


PAGES: tuple[Page, ...] = (Page("/", "GET", home, Role.AGENT),)
