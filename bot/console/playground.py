"""The playground's requests: the page, what customers and agents do on it, and the virtual clock.

A page posts a form and is sent back to itself (303); a program posts JSON and gets JSON. Both go through the same functions.
Every form carries an id made for it, so that a double click, or a second try after a crash, is one post or one act.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.console.acting import ACTS, PLAN_ROWS, SURFACES, Acting, surface_for
from bot.console.cast import AGENTS, agent_named, example_customer, invented
from bot.console.coming import coming
from bot.console.forms import BadInput, Form, next_working, read_form
from bot.console.frame import HTMX, ROLE_WORDS, SECTIONS, person_of
from bot.console.pages import Pages
from bot.console.parts import Parts
from bot.console.spot import Spot
from bot.console.state import state_of
from bot.console.travel import next_stop, settled, travel
from bot.console.view import view
from bot.desk.acts import ActError, Review
from bot.desk.card import CaseAct
from bot.store.port import StoreUnavailable
from conversations.conversation import Conversation, Customer
from conversations.deadlines import zone
from conversations.events import AgentMerged, AgentProposedPlan, AgentReplied
from conversations.ids import ConversationKey
from conversations.wording.findings import Severity

AHEAD_MAX = timedelta(days=366)
"""How far one jump of the clock may go."""
FORM_WRONG = 422


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a form, shown at the field, with what was typed."""

    action: str
    field: str
    message: str
    values: Mapping[str, str]
    review: Review | None = None


class NeedsSecondLook(Exception):
    """Words of an agent that need a change or a second click before they leave."""

    def __init__(self, review: Review, message: str) -> None:
        super().__init__(message)
        self.review = review
        self.message = message


def parts(request: Request) -> Parts:
    """The running program."""
    found: Parts = request.app.state.parts
    return found


def pages(request: Request) -> Pages:
    """The templates."""
    found: Pages = request.app.state.pages
    return found


async def page(
    request: Request, spot: Spot | None = None, trouble: Trouble | None = None, status: int = 200
) -> Response:
    """The page, or for htmx its living part only."""
    app = parts(request)
    shown = await view(app, spot or Spot.of(request.query_params))
    values = {
        "view": shown,
        "spot": shown.spot,
        "trouble": trouble,
        "brand": app.speech.brand,
        "queues": [queue.name for queue in app.acts.policy().queues],
        "policy": app.acts.policy(),
        "plan_rows": PLAN_ROWS,
        "plan_dates": [next_working(shown.now, days, 17, shown.zone) for days in (1, 3, 4, 7)],
        "snooze_until": next_working(shown.now, 1, 9, shown.zone),
        "rings": app.worker.bell.rings,
        "person": person_of(request),
        "role_words": ROLE_WORDS,
        "sections": SECTIONS,
        "section": "/playground",
        "has_playground": True,
    }
    live = HTMX in request.headers
    return pages(request).page("live.html" if live else "playground.html", values, status)


async def home(request: Request) -> Response:
    """``GET /playground``."""
    return await page(request)


# ---------------------------------------------------------------- the way of every form


async def handle(
    request: Request, action: str, do: Callable[[Parts, Form, Spot], Awaitable[tuple[Spot, Mapping[str, Any]]]]
) -> Response:
    """Read the form, do it, and go back to the page; mistakes are shown at their field."""
    app = parts(request)
    form = Form({}, is_json=request.headers.get("content-type", "").startswith("application/json"))
    spot = Spot.of(request.query_params)
    try:
        form = await read_form(request)
        there, answer = await do(app, form, spot)
    except (BadInput, ActError) as error:
        return await refused(request, form, spot, Trouble(action, error.field, error.message, form.fields))
    except NeedsSecondLook as error:
        return await refused(request, form, spot, Trouble(action, "text", error.message, form.fields, error.review))
    except StoreUnavailable as error:
        words = f"This could not be kept: {error}. Nothing was lost; try again in a moment."
        return await refused(request, form, spot, Trouble(action, "store", words, form.fields), status=503)
    if form.is_json:
        return JSONResponse(dict(answer))
    await settled(app)
    return RedirectResponse(there.url(), status_code=303)


async def refused(request: Request, form: Form, spot: Spot, trouble: Trouble, status: int = FORM_WRONG) -> Response:
    """Say what is wrong: to a program as JSON, on the page at the field."""
    if form.is_json:
        findings = [finding.to_json() for finding in trouble.review.findings] if trouble.review else []
        error = {"field": trouble.field, "message": trouble.message, "findings": findings}
        return JSONResponse({"error": error}, status_code=status)
    return await page(request, spot, trouble, wrong(request) if status == FORM_WRONG else status)


def wrong(request: Request) -> int:
    """The status of a form with mistakes. To htmx it is an answer like any other: a browser would log it as an error."""
    return 200 if HTMX in request.headers else FORM_WRONG


# ---------------------------------------------------------------- customers


async def post(request: Request) -> Response:
    """``POST /playground/posts``: a customer writes."""

    async def do(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
        surface = form.choice("surface", SURFACES, "public")
        media = int(form.number("media", 0, 0, 4))
        text = form.text("text") if media else form.words("text")
        customer = poster(form)
        await app.phone.post(customer, text, surface, form.id("id"), media)
        there = replace(spot, customer=customer.id, name="", tab=surface.value, case="", edit="", shelf="")
        return there, {"kept": True, "id": form.id("id"), "customer": customer.id}

    return await handle(request, "post", do)


def poster(form: Form) -> Customer:
    """The customer who writes: by id, with a name when it is somebody new."""
    customer_id = form.id("customer")
    name = form.text("name", 60).strip()
    made = invented(name) if name else None
    if made is not None and made.id == customer_id:
        return made
    return example_customer(customer_id) or Customer(id=customer_id, handle=customer_id, name=name or customer_id)


async def edit(request: Request) -> Response:
    """``POST /playground/edits``: a customer changes a post."""

    async def do(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
        await app.phone.edit(form.id("post"), form.words("text"), form.id("id"))
        return replace(spot, edit=""), {"kept": True}

    return await handle(request, "edit", do)


async def delete(request: Request) -> Response:
    """``POST /playground/deletions``: a customer takes a post back."""

    async def do(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
        await app.phone.delete(form.id("post"))
        return replace(spot, edit=""), {"kept": True}

    return await handle(request, "delete", do)


async def invent(request: Request) -> Response:
    """``POST /playground/customers``: somebody new takes the phone. Nothing is kept until they write."""

    async def do(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
        customer = invented(form.words("name", 60))
        there = Spot(customer="", name=customer.name, agent=spot.agent, pane="phone")
        return there, {"id": customer.id, "name": customer.name}

    return await handle(request, "invent", do)


# ---------------------------------------------------------------- agents


async def act(request: Request) -> Response:
    """``POST /playground/acts``: an agent acts on a case."""
    return await handle(request, "act", do_act)


async def do_act(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
    """One act: read, checked, looked over, and put into the case's inbox."""
    name: CaseAct = form.choice("act", {entry.value: entry for entry in CaseAct})
    case = await case_named(app, form.fields.get("case", ""))
    agent = form.choice("agent", {entry.id: entry for entry in AGENTS}, agent_named(spot.agent).id)
    now = app.local_clock.now()
    acting = Acting(form, agent, case, now, zone(app.acts.policy().time_zone), tuple(app.speech.brand.remedies))
    event = ACTS[name](acting)
    if isinstance(event, AgentMerged):
        goes_on = await app.acts.merge(case, event.into, agent, form.id("id"))
        return replace(spot, act="", case=goes_on), {"kept": True, "case": goes_on}
    app.acts.check(event, now)
    if isinstance(event, AgentReplied | AgentProposedPlan):
        text = event.text if isinstance(event, AgentReplied) else "\n".join(step.text for step in event.steps)
        surface = event.surface if isinstance(event, AgentReplied) else None
        review = await app.acts.review(case, text, surface or surface_for(case), agent.id)
        look_over(review, form.flag("anyway"))
        event = replace(event, overridden=tuple(sorted({finding.rule for finding in review.findings})))
    await app.acts.submit(case.key, event, form.id("id"))
    return replace(spot, act="", case=case.key), {"kept": True, "case": case.key}


def look_over(review: Review, anyway: bool) -> None:
    """Stop words that may not leave, and words that need a second click. Raises ``NeedsSecondLook``."""
    if any(finding.severity is Severity.REFUSED for finding in review.findings):
        raise NeedsSecondLook(review, "This may not leave as it is: see below.")
    if len(review.parts) > 1 and not anyway:
        length = f"{review.weight} of {review.weight_max} characters"
        parts = f"in {len(review.parts)} parts"
        raise NeedsSecondLook(review, f"Too long: {length}. Shorten it, or send it {parts}, one after another.")
    if not review.clean and not anyway:
        raise NeedsSecondLook(review, "Have another look. You can send it anyway.")


async def case_named(app: Parts, key: str) -> Conversation:
    """The case of that key. Raises ``BadInput``."""
    case = await app.store.conversation(ConversationKey(key)) if key else None
    if case is None:
        raise BadInput("case", "There is no such case.")
    return case


async def review(request: Request) -> Response:
    """``POST /playground/review``: what the guard says of words that are being written."""
    app = parts(request)
    try:
        form = await read_form(request)
        case = await case_named(app, form.fields.get("case", ""))
        text = "\n".join(form.text(name) for name in ("text", *(f"step{n}" for n in range(1, PLAN_ROWS + 1)))).strip()
        surface = form.choice("surface", SURFACES, surface_for(case).value)
        found = (
            await app.acts.review(case, text, surface, agent_named(form.fields.get("agent", "")).id) if text else None
        )
    except BadInput as error:
        return pages(request).page("review.html", {"review": None, "message": error.message}, wrong(request))
    return pages(request).page("review.html", {"review": found, "message": "", "text": text})


async def open_aside(request: Request) -> Response:
    """``POST /playground/asides``: open a case from what triage set aside."""

    async def do(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
        sequence = int(form.number("sequence", -1, 0, 2**53))
        customer = next((a.customer for a in await app.store.asides(1000) if a.sequence == sequence), None)
        taken = await app.intake.open_aside(sequence)
        there = replace(spot, customer=customer.id, name="", case="", shelf="") if customer else spot
        return there, {"opened": taken.new}

    return await handle(request, "aside", do)


# ---------------------------------------------------------------- the clock, and the whole as JSON


async def clock(request: Request) -> Response:
    """``POST /playground/clock``: forward by minutes, to an instant, or to a timer (``next``, ``case``, or its name)."""
    return await handle(request, "clock", do_clock)


async def do_clock(app: Parts, form: Form, spot: Spot) -> tuple[Spot, Mapping[str, Any]]:
    """Move the clock, stopping at everything on the way."""
    now = app.local_clock.now()
    to = form.instant("to", zone(app.acts.policy().time_zone))
    timer = form.fields.get("timer", "")
    if to is None and timer == "next":
        to = await next_stop(app)
    elif to is None and timer:
        case = await case_named(app, form.fields.get("case", spot.case))
        ahead = coming(case, await app.store.outbox(conversation=case.key))
        to = next((entry.at for entry in ahead if timer in ("case", entry.name)), None)
    elif to is None:
        to = now + timedelta(minutes=form.number("minutes", 0, 0, 60 * 24 * 366))
    if to is None:
        raise BadInput("timer", "Nothing is waiting for the clock: there is no such timer.")
    if to > now + AHEAD_MAX:
        raise BadInput("to", "More than a year ahead: choose an earlier time.")
    await travel(app, to)
    return spot, {"now": app.local_clock.now().isoformat()}


async def state(request: Request) -> Response:
    """``GET /playground/state``: everything, for tests and tools."""
    limit = min(5000, max(1, int(request.query_params.get("limit", "500")))) if valid(request) else 0
    if not limit:
        raise HTTPException(422, "limit: give a number from 1 to 5000")
    return JSONResponse(await state_of(parts(request), limit))


def valid(request: Request) -> bool:
    """Whether the limit of a listing is a number."""
    return request.query_params.get("limit", "500").isascii() and request.query_params.get("limit", "500").isdigit()


ROUTES: Sequence[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = (
    ("/playground", "GET", home),
    ("/playground/posts", "POST", post),
    ("/playground/edits", "POST", edit),
    ("/playground/deletions", "POST", delete),
    ("/playground/customers", "POST", invent),
    ("/playground/acts", "POST", act),
    ("/playground/review", "POST", review),
    ("/playground/asides", "POST", open_aside),
    ("/playground/clock", "POST", clock),
    ("/playground/state", "GET", state),
)
