"""The frame around every page: who is there, what time it is, the navigation; and the check in front of every page and act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bot.console.forms import BadInput, Form, read_form
from bot.console.pages import Pages
from bot.console.parts import Running
from bot.console.people import Gate, Page, Person, StaffUnknown
from bot.staff import Role
from conversations.deadlines import zone

HTMX = "hx-request"
SECTIONS = (("/", "Overview"), ("/conversations", "Conversations"), ("/templates", "Templates"))
ROLE_WORDS = {Role.NOBODY: "no access", Role.AGENT: "agent", Role.LEAD: "lead", Role.ADMIN: "admin"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the filters for times need to know."""

    now: datetime
    zone: ZoneInfo


def running(request: Request) -> Running:
    """The running program."""
    found: Running = request.app.state.parts
    return found


def person_of(request: Request) -> Person:
    """Who is there. Only behind ``admitted``."""
    found: Person = request.state.person
    return found


def admitted(asked: Page, gate: Gate) -> Callable[[Request], Awaitable[Response]]:
    """A page's or act's endpoint behind its check. Strangers are sent to the sign-in; the others are told that they may not."""

    async def checked(request: Request) -> Response:
        try:
            person = await gate.person(request)
        except StaffUnknown as error:
            return await no(request, 503, f"What you may do cannot be looked up for now: {error}")
        request.state.person = person
        if asked.needs > Role.NOBODY:
            if person is None:
                return stranger(request)
            if person.role < asked.needs:
                needed = ROLE_WORDS[asked.needs]
                return await no(request, 403, f"This is for {needed}s. You are signed in as {person.name}.")
        return await asked.endpoint(request)

    return checked


def stranger(request: Request) -> Response:
    """Off to the sign-in; a script or a form that lost its session is told so."""
    if request.method == "GET" and HTMX not in request.headers and accepts_html(request):
        there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(there, safe='')}", status_code=303)
    headers = {"hx-redirect": "/sign-in"} if HTMX in request.headers else None
    return PlainTextResponse("Sign in first: /sign-in\n", status_code=401, headers=headers)


def accepts_html(request: Request) -> bool:
    """Whether a person's browser asks."""
    return "text/html" in request.headers.get("accept", "")


async def no(request: Request, status: int, words: str) -> Response:
    """A refusal: a page for people, a line for programs."""
    if accepts_html(request):
        return await page(request, "message.html", "", {"words": words, "status": status}, status)
    return PlainTextResponse(f"{status}: {words}\n", status_code=status)


async def page(
    request: Request, template: str, section: str, values: Mapping[str, Any] | None = None, status: int = 200
) -> Response:
    """A page in its frame; for htmx its living part only."""
    app = running(request)
    policy = app.acts.policy()
    pages: Pages = request.app.state.pages
    frame = {
        "view": Frame(app.clock.now(), zone(policy.time_zone)),
        "policy": policy,
        "person": getattr(request.state, "person", None),
        "role_words": ROLE_WORDS,
        "section": section,
        "sections": SECTIONS,
        "has_playground": request.app.state.has_playground,
        "brand": app.speech.brand,
        "rings": app.worker.bell.rings,
        "paused": app.switches.now.paused,
        "shadow": app.switches.shadow,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "base": "bare.html" if HTMX in request.headers else "layout.html",
        "said": SAID.get(request.query_params.get("said", ""), ""),
        "trouble": "",
    }
    return pages.page(template, {**frame, **(values or {})}, status)


SAID: dict[str, str] = {}
"""What was done, shown on the page one comes back to; by the word in its address."""


async def audit(request: Request, actor: str, action: str, subject: str) -> None:
    """Write into the audit log who did what to what."""
    app = running(request)
    await app.store.audit(actor, action, subject, app.clock.now())


async def noted(request: Request, action: str, subject: str) -> None:
    """Write down that whoever is there did this."""
    await audit(request, person_of(request).actor, action, subject)


async def act(
    request: Request, do: Callable[[Form], Awaitable[str]], again: Callable[[str, Form], Awaitable[Response]]
) -> Response:
    """The way of every form: read it, do it, go on to where ``do`` says. A mistake is shown where it was made, with what was
    typed."""
    form = Form({})
    try:
        form = await read_form(request)
        there = await do(form)
    except BadInput as error:
        return await again(error.message, form)
    return RedirectResponse(there, status_code=303)
