"""What an admin does to templates: a draft, publishing it, going back, a new variant, and rehearsing a change beforehand.

The acts themselves, their checks and their lines in the audit log are ``bot.wordings``'.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console.forms import BadInput, Form, read_form
from bot.console.frame import SAID, noted, page, person_of, running
from bot.console.people import Page
from bot.console.wording import SOURCE_CHARS_MAX, editor, entry_of, place_from, source_wanted
from bot.staff import Role
from bot.wordings import Comparison, Entry, NoSuchTemplate, Refused, SecondAdminNeeded, compare_own
from conversations.errors import HearoutError
from conversations.wording.findings import Finding

OWN_MAX = 500
"""Conversations of the brand's own that a rehearsal goes through, the latest."""
FORMATS = ("threads", "slack")

SAID |= {
    "drafted": "The draft is kept. Nothing that customers read has changed.",
    "published": "Published: it is in force from now on.",
    "rolled-back": "Rolled back: what was in force before is in force again.",
}


def address(name: str, **query: str) -> str:
    """A template's page."""
    more = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
    return f"/templates/{quote(name, safe='')}" + (f"?{more}" if more else "")


async def changed(request: Request, do: Callable[[Entry, Form], Awaitable[str]]) -> Response:
    """The way of every change: what is refused is shown in the editor, with what was typed."""
    entry = await entry_of(request)
    form = Form({})
    trouble, findings = "", list[Finding]()
    try:
        form = await read_form(request)
        return RedirectResponse(await do(entry, form), status_code=303)
    except BadInput as error:
        trouble = error.message
    except Refused as error:
        trouble, findings = "This cannot be published as it is: see what was found.", list(error.findings)
        if any(finding.rule == "syntax" for finding in findings):
            trouble = "This cannot be kept: it cannot be read as a template."
    except (SecondAdminNeeded, NoSuchTemplate) as error:
        trouble = str(error)
    typed = form.fields.get("source", "").replace("\r\n", "\n")[:SOURCE_CHARS_MAX]
    source = typed or await source_wanted(request, entry)
    return await editor(request, entry, source, trouble, findings, 422)


async def draft(request: Request) -> Response:
    """``POST /templates/NAME/drafts``: keep a draft; with ``publish`` put it in force in the same click."""

    async def do(entry: Entry, form: Form) -> str:
        wordings, by = running(request).wordings, person_of(request).actor
        row = await wordings.draft(entry.place, form.words("source", SOURCE_CHARS_MAX), by)
        if not form.flag("publish"):
            return address(entry.name, said="drafted")
        await wordings.publish(entry.name, row.version, by)
        return address(entry.name, said="published")

    return await changed(request, do)


async def publish(request: Request) -> Response:
    """``POST /templates/NAME/publish``: put a draft in force."""

    async def do(entry: Entry, form: Form) -> str:
        number = int(form.number("version", 0, 1, 2**31))
        await running(request).wordings.publish(entry.name, number, person_of(request).actor)
        return address(entry.name, said="published")

    return await changed(request, do)


async def rollback(request: Request) -> Response:
    """``POST /templates/NAME/rollback``: to the version before, or to the one that is named."""

    async def do(entry: Entry, form: Form) -> str:
        to = form.text("to", 20).strip() or None
        await running(request).wordings.rollback(entry.name, person_of(request).actor, to)
        return address(entry.name, said="rolled-back", version="running")

    return await changed(request, do)


async def variant(request: Request) -> Response:
    """``POST /templates/NAME/variants``: go on in the editor of another variant, topic or situation. Nothing is kept yet."""

    async def do(entry: Entry, form: Form) -> str:
        place = place_from(form, entry.place)
        return address(place.name, **{"from": entry.name}) if place.name != entry.name else address(entry.name)

    return await changed(request, do)


# ---------------------------------------------------------------- rehearsing


async def rehearse(request: Request) -> Response:
    """``POST /templates/NAME/rehearse``: the brand's own latest conversations through the old and the new wording."""
    entry = await entry_of(request)
    try:
        source = (await read_form(request)).words("source", SOURCE_CHARS_MAX)
        app = running(request)
        new = app.wordings.with_drafts([entry.place.template(source)])
        result = await compare_own(app.store, app.wordings.current, new, OWN_MAX)
    except HearoutError as error:
        return await rehearsed(request, entry, None, str(error))
    return await rehearsed(request, entry, result, "")


async def rehearse_file(request: Request) -> Response:
    """``POST /templates/NAME/rehearse-file``: a file's conversations.

    The body is one line of JSON, ``{"source", "format", "file"}``, then the file as it is. It is deleted afterwards.
    """
    entry = await entry_of(request)
    head, _, body = (await request.body()).partition(b"\n")
    try:
        given = json.loads(head)
        source, kind = str(given["source"])[:SOURCE_CHARS_MAX], str(given["format"])
        ending = ".jsonl.gz" if str(given["file"]).endswith(".gz") else ".jsonl"
    except (ValueError, KeyError, TypeError):
        return await rehearsed(request, entry, None, "Choose a file to rehearse on.")
    if kind not in FORMATS:
        return await rehearsed(request, entry, None, f"Choose one of: {', '.join(FORMATS)}.")
    try:
        with tempfile.TemporaryDirectory(prefix="hearout-rehearsal-") as folder:
            path = Path(folder) / f"conversations{ending}"
            path.write_bytes(body)
            drafts = [entry.place.template(source)]
            result = await running(request).wordings.rehearse_file(path, kind, drafts)
    except HearoutError as error:
        return await rehearsed(request, entry, None, str(error))
    return await rehearsed(request, entry, result, "")


async def rehearsed(request: Request, entry: Entry, result: Comparison | None, trouble: str) -> Response:
    """What a rehearsal found."""
    if result is not None:
        await noted(request, "rehearse", f"{entry.name}: {result.conversations} conversations")
    values = {"result": result, "message": trouble, "place": entry.place}
    return await page(request, "template_rehearsal.html", "", values, 422 if trouble else 200)


PAGES: tuple[Page, ...] = (
    Page("/templates/{name}/drafts", "POST", draft, Role.ADMIN),
    Page("/templates/{name}/publish", "POST", publish, Role.ADMIN),
    Page("/templates/{name}/rollback", "POST", rollback, Role.ADMIN),
    Page("/templates/{name}/variants", "POST", variant, Role.ADMIN),
    Page("/templates/{name}/rehearse", "POST", rehearse, Role.ADMIN),
    Page("/templates/{name}/rehearse-file", "POST", rehearse_file, Role.ADMIN),
)
