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
from bot.console.parts import Running
from bot.console.people import Page, Role
from bot.console.view import Line, line_of
from bot.desk.acts import OPEN_STATES
from bot.desk.incident import UPDATE_CHARS_MAX
from bot.store.records import Status
from conversations.deadlines import zone
from conversations.protocol import State

WAIT_S = 0.15
"""So long the page waits for its charts; else it comes without them and fetches them as soon as they are ready."""
OPEN_MAX = 1000
NEXT_MAX = 8
TROUBLE = (Status.UNKNOWN, Status.REJECTED, Status.REFUSED, Status.FAILED)
"""Messages that did not simply arrive."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its name and a line of context. ``tone``: ``good``, ``late`` or nothing."""

    name: str
    value: str
    detail: str
    tone: str = ""


async def home(request: Request) -> Response:
    """``GET /``."""
    return await home_with(request, "", Form({}), 200)


async def home_with(request: Request, trouble: str, form: Form, status: int) -> Response:
    """The page, with what is wrong with a form of it and what was typed."""
    app = running(request)
    now = app.clock.now()
    cases = await app.store.conversations(states=OPEN_STATES, limit=OPEN_MAX)
    counts = await app.store.counts()
    figures = await shortly(request, app)
    lines = sorted((line_of(app, case, now) for case in cases), key=due)
    backlog = [(state, counts.by_state.get(state.value, 0)) for state in State if state is not State.CLOSED]
    incident = await app.incidents.state()
    spent, kept = app.metrics.spending(), await spending.days(app.store)
    values: dict[str, Any] = {
        "tiles": tiles(figures, counts.by_state) if figures else (),
        "charts": drawn(figures, now, app.acts.policy().time_zone) if figures else None,
        "figures": figures,
        "backlog": backlog,
        "backlog_most": max([count for _, count in backlog], default=0) or 1,
        "lines": [line for line in lines if line.due][:NEXT_MAX],
        "outbox": counts.outbox,
        "in_trouble": sum(counts.outbox.get(status.value, 0) for status in TROUBLE),
        "set_aside": counts.set_aside,
        "poisoned": await app.store.poisoned(3),
        "spending": spent,
        "spent_days": {account: spending.bars(kept, account, today) for account, today in spent.items()},
        "incident": incident,
        "spoken": [(code, words.LANGUAGES.get(code, code)) for code in incident.languages],
        "new_id": uuid4().hex,
        "trouble": trouble,
        "typed": form.fields,
        "update_chars_max": UPDATE_CHARS_MAX,
    }
    return await page(request, "overview.html", "/", values, status)


async def shortly(request: Request, app: Running) -> Figures | None:
    """The figures, unless working them out takes longer than a page may."""
    state = request.app.state
    looked: Looked = state.looked
    task = getattr(state, "looking", None)
    if task is None or task.done():
        task = state.looking = asyncio.create_task(looked.look(app), name="figures")
    try:
        found: Figures = await asyncio.wait_for(asyncio.shield(task), WAIT_S)
    except TimeoutError:
        return looked.last
    return found


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
