"""Templates: the list, and the editor with what a text would look like, what is wrong with it, and what it would change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.console import words
from bot.console.forms import BadInput, Form, read_form
from bot.console.frame import page, person_of, running
from bot.console.parts import Running
from bot.console.people import Page, Person
from bot.staff import Role
from bot.store.records import TemplateVersion
from bot.wordings import (
    SAMPLES,
    DiffLine,
    Entry,
    NoSuchTemplate,
    Place,
    Preview,
    check,
    difference,
    outcomes,
    preview,
    refused,
    sample,
)
from conversations.wording.facts import FACTS
from conversations.wording.findings import Finding
from conversations.wording.request import Act, Situation, Surface

SOURCE_CHARS_MAX = 20_000
"""Longer than any message could need: every phrasing of every part."""
VERSIONS_MAX = 30
WAIT_S = 0.15
"""So long a page waits for what was found in its source."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding, with where it is: its line, and its span as browsers count characters."""

    finding: Finding
    line: int
    start: int
    end: int
    excerpt: str


@dataclass(frozen=True)
class Look:
    """A source as it is being edited: what is wrong with it, how it reads, what differs from what is in force."""

    marks: tuple[Mark, ...]
    preview: Preview
    number: int
    changes: tuple[DiffLine, ...]
    changed: bool
    may_publish: bool


async def look_at(app: Running, source: str, entry: Entry, key: str, number: int) -> Look:
    """Check and preview a source; what takes long runs beside the loop."""
    findings = await asyncio.to_thread(check, source, entry.place)
    shown = preview(source, entry.place, sample(key), brand=app.speech.brand.facts(), number=number)
    lines = difference(entry.source, source)
    return Look(
        marks=tuple(mark(source, finding) for finding in findings),
        preview=shown,
        number=number,
        changes=tuple(lines),
        changed=any(line.kind.value != "same" for line in lines),
        may_publish=not refused(findings),
    )


async def soon(looking: Awaitable[Look]) -> Look | None:
    """A look that is quick; one that has to load a language's rules first is fetched by the page when it stands."""
    task = asyncio.ensure_future(looking)
    done, _ = await asyncio.wait([task], timeout=WAIT_S)
    if not done:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return None
    return task.result()


def mark(source: str, finding: Finding) -> Mark:
    """Where a finding is."""
    line = source.count("\n", 0, finding.start) + 1
    whole = finding.start == 0 and finding.end >= len(source)
    excerpt = "" if whole else source[finding.start : finding.end]
    finding = replace(finding, message=finding.message.removeprefix(f"line {line}: "))
    return Mark(finding, line, utf16(source[: finding.start]), utf16(source[: finding.end]), excerpt)


def utf16(text: str) -> int:
    """A length as browsers count it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# ---------------------------------------------------------------- the list


@dataclass(frozen=True, slots=True)
class Group:
    """The templates of one act."""

    act: Act
    name: str
    about: str
    entries: tuple[Entry, ...]


def first_line(source: str) -> str:
    """The first phrasing of a template, without the lines that say when a part is used."""
    lines = [line for line in source.splitlines() if line.strip() and not line.startswith("[")]
    return lines[0] if lines else "nothing in force"


async def listed(request: Request) -> Response:
    """``GET /templates``."""
    app = running(request)
    codes = list(app.wordings.base.packs)
    first = next((code for code in app.acts.policy().languages if code in codes), codes[0])
    language = request.query_params.get("language", first)
    language = language if language in codes else first
    entries = await app.wordings.entries(language)
    groups = [
        Group(act, *words.act_words(act), tuple(entry for entry in entries if entry.place.act is act)) for act in Act
    ]
    values = {
        "languages": codes,
        "language": language,
        "groups": [group for group in groups if group.entries],
        "problems": app.wordings.problems,
        "changes": (await app.wordings.history())[:8],
        "called": called(request),
        "first_line": first_line,
    }
    return await page(request, "templates.html", "/templates", values)


# ---------------------------------------------------------------- the editor


async def entry_of(request: Request) -> Entry:
    """The template that the address names; one that is not there yet is an empty place. Raises 404."""
    wordings = running(request).wordings
    name = request.path_params["name"]
    try:
        place = Place.parse(name)
    except NoSuchTemplate as error:
        raise HTTPException(404, str(error)) from None
    for entry in await wordings.entries(place.language):
        if entry.name == place.name:
            return entry
    return Entry(place, "", "none")


async def edit(request: Request) -> Response:
    """``GET /templates/NAME``: with ``?version=N`` a version of it, with ``?from=NAME`` another template's source."""
    entry = await entry_of(request)
    source = await source_wanted(request, entry)
    return await editor(request, entry, source)


async def source_wanted(request: Request, entry: Entry) -> str:
    """What the editor begins with: the version that is asked for, else the newest draft, else what is in force."""
    wordings = running(request).wordings
    number, other = request.query_params.get("version", ""), request.query_params.get("from", "")
    try:
        if number.isascii() and number.isdigit():
            return (await wordings.version(entry.name, int(number))).source
        if number == "default":
            return default_source(running(request), entry.place)
        if other:
            return (await wordings.entry(other)).source
    except NoSuchTemplate as error:
        raise HTTPException(404, str(error)) from None
    if number != "running" and entry.drafts:
        return entry.drafts[0].source
    return entry.source


def default_source(app: Running, place: Place) -> str:
    """What comes with Hearout, empty where nothing does."""
    pack = app.wordings.base.packs[place.language]
    return next((template.source for template in pack.templates if template.name == place.name), "")


async def editor(
    request: Request, entry: Entry, source: str, trouble: str = "", findings: Sequence[Finding] = (), status: int = 200
) -> Response:
    """The editor's page."""
    app, person = running(request), person_of(request)
    key = sample_key(request.query_params)
    versions = await app.wordings.versions(entry.name)
    used = {name for name in FACTS if not (FACTS[name].direct_only and entry.place.surface is Surface.PUBLIC)}
    values = {
        "entry": entry,
        "place": entry.place,
        "source": source,
        "look": await soon(look_at(app, source, entry, key, 0)),
        "message": "",
        "samples": SAMPLES,
        "sample_key": key,
        "drafts": [draft_line(request, row, person) for row in entry.drafts],
        "versions": versions[:VERSIONS_MAX],
        "history": (await app.wordings.history(entry.name))[:VERSIONS_MAX],
        "has_default": bool(default_source(app, entry.place)),
        "facts": [FACTS[name] for name in FACTS if name in used],
        "siblings": await siblings(app, entry),
        "called": called(request),
        "trouble": trouble,
        "refusals": findings,
        "Situation": Situation,
        "topics": sorted(app.wordings.base.packs[entry.place.language].nouns),
        "can_rehearse_files": app.wordings.rehearser is not None,
    }
    return await page(request, "template.html", "/templates", values, status)


def draft_line(request: Request, row: TemplateVersion, person: Person) -> Mapping[str, Any]:
    """A draft, and whether this person may publish it."""
    return {"row": row, "needs_other": running(request).wordings.needs_second_admin(row, person.actor)}


async def siblings(app: Running, entry: Entry) -> list[Entry]:
    """The other variants of the same place."""
    found = await app.wordings.entries(entry.place.language)
    return [other for other in found if other.place.shared == entry.place.shared and other.name != entry.name]


def sample_key(given: Mapping[str, str]) -> str:
    """The sample customer that was chosen."""
    key = given.get("sample", "")
    return key if key in {entry.key for entry in SAMPLES} else SAMPLES[0].key


def called(request: Request) -> Mapping[str, str]:
    """People by how the history names them, as far as this program has met them."""
    names: dict[str, str] = request.app.state.names
    person = person_of(request)
    names[person.actor] = person.name
    return names


async def look(request: Request) -> Response:
    """``POST /templates/NAME/look``: what a source looks like as it is typed."""
    entry = await entry_of(request)
    try:
        form = await read_form(request)
        source = form.text("source", SOURCE_CHARS_MAX)
        number = int(form.number("number", 0, 0, 10_000))
    except BadInput as error:
        return await page(request, "template_look.html", "", {"look": None, "message": error.message}, 422)
    key = sample_key(form.fields)
    values = {"look": await look_at(running(request), source, entry, key, number), "place": entry.place}
    return await page(request, "template_look.html", "", values)


async def variants(request: Request) -> Response:
    """``GET /templates/NAME/outcomes``: what became of the conversations in which each variant was said."""
    app, entry = running(request), await entry_of(request)
    found = await outcomes(app.store, entry.place.shared, app.acts.policy().window_s)
    return await page(request, "template_outcomes.html", "", {"outcomes": found, "place": entry.place})


def place_from(form: Form, place: Place) -> Place:
    """Another place beside this one: its topic, situations and variant from a form. Raises ``BadInput``."""
    situations = {situation.value for situation in Situation if form.flag(f"situation-{situation.value}")}
    variant = form.text("variant", 40).strip() or "a"
    topic = form.text("topic", 80).strip() or None
    try:
        return Place.make(place.language, place.act.value, place.surface.value, topic, situations, variant)
    except NoSuchTemplate as error:
        raise BadInput("variant", str(error)) from None


PAGES: tuple[Page, ...] = (
    Page("/templates", "GET", listed, Role.AGENT),
    Page("/templates/{name}", "GET", edit, Role.AGENT),
    Page("/templates/{name}/look", "POST", look, Role.AGENT),
    Page("/templates/{name}/outcomes", "GET", variants, Role.AGENT),
)
