"""The admins' wording: drafts, what is published, who did it, and the way back.

A version never changes once it is kept; publishing and rolling back only say which one is in force. Every change and its line
in the audit log are one transaction. What is published is taken up by ``load``, which runs at start and every few seconds, so
that another process's publication is in force here without a restart. A version that cannot be read never replaces one that can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.clock import Clock
from bot.store.port import Store
from bot.store.records import TemplateVersion
from bot.wordings.checking import Refused, check, refused
from bot.wordings.compare import Comparison
from bot.wordings.places import NoSuchTemplate, Place, place_of, template_of
from conversations.errors import HearoutError
from conversations.wording.chooser import Wording
from conversations.wording.packs import load_packs
from conversations.wording.request import Surface
from conversations.wording.template import Template

DEFAULT = "default"
"""The version of a template that comes with Hearout."""
NONE = "none"
"""The version of a place in which nothing is in force: only drafts are there."""
DRAFTED, PUBLISHED, ROLLED_BACK = "template drafted", "template published", "template rolled back"
CHANGES_MAX = 1_000


class SecondAdminNeeded(HearoutError):
    """A public text that somebody else than its author has to publish (``wording.second_admin``)."""


FileRehearser = Callable[[Path, str, Wording, Wording], Awaitable[Comparison]]
"""Lives through a file's conversations; it needs the whole program, so it is put in from above."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One template as it is in force. ``version`` is the published number, with who wrote it and when; else ``default``.

    ``drafts`` are newer versions that wait to be published, newest first. A place that has nothing but drafts has the version
    ``none`` and no source.
    """

    place: Place
    source: str
    version: str
    author: str = ""
    at: datetime | None = None
    drafts: tuple[TemplateVersion, ...] = ()

    @property
    def name(self) -> str:
        """Its id."""
        return self.place.name

    @property
    def published(self) -> bool:
        """Whether an admin published it; else it comes with Hearout."""
        return self.version.isdecimal()


@dataclass(frozen=True, slots=True)
class Change:
    """A line of a template's history: ``what`` is drafted, published or rolled back.

    ``version`` is the one that was written, or that is in force from then on: a number, or ``default``.
    """

    name: str
    version: str
    what: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """A published version that cannot be used; ``instead`` is the version in force in its place."""

    name: str
    version: int
    message: str
    instead: str


class Wordings:
    """The wording in force, and what admins do to it. ``taken_up`` is told of every new wording."""

    def __init__(self, store: Store, clock: Clock, base: Wording, *, second_admin: bool = False) -> None:
        self.store = store
        self.clock = clock
        self.base = base
        self.second_admin = second_admin
        self.current = base
        self.problems: tuple[Problem, ...] = ()
        self.taken_up: Callable[[Wording], None] = lambda wording: None
        self.rehearser: FileRehearser | None = None
        self._loaded: tuple[tuple[str, int], ...] | None = ()

    # ---- what is in force

    async def load(self) -> bool:
        """Take up what is published now. Whether anything changed."""
        published = await self.store.templates(status="published")
        marks = tuple((row.id, row.version) for row in published)
        if marks == self._loaded:
            return False
        problems: list[Problem] = []
        good: list[Template] = []
        for row in published:
            template, problem = await self._usable(row)
            if template is not None:
                good.append(template)
            if problem is not None:
                problems.append(problem)
        self.current = self.base.with_published(good)
        self.problems = tuple(problems)
        self._loaded = marks
        self.taken_up(self.current)
        return True

    async def _usable(self, row: TemplateVersion) -> tuple[Template | None, Problem | None]:
        """A published row as a template; else the last version that was published before and can be read; else the default."""
        problem = _problem(row)
        if problem is None:
            return template_of(row), None
        for earlier in await self.store.templates(template=row.id):
            if earlier.status == "retired" and earlier.version < row.version and _problem(earlier) is None:
                return template_of(earlier), Problem(row.id, row.version, problem, str(earlier.version))
        return None, Problem(row.id, row.version, problem, DEFAULT)

    async def entries(self, language: str | None = None) -> list[Entry]:
        """Every template with what is in force: published, else what comes with Hearout; by name."""
        in_force = {template.name: template for pack in self.base.packs.values() for template in pack.templates}
        in_force |= {template.name: template for template in self.current.published}
        rows: dict[str, list[TemplateVersion]] = {}
        for row in await self.store.templates():  # newest first
            rows.setdefault(row.id, []).append(row)
        found = [_entry(Place.of(template), template, rows.pop(name, [])) for name, template in in_force.items()]
        found += [_entry(place_of(only[0]), None, only) for only in rows.values() if _problem(only[0]) is None]
        return sorted((entry for entry in found if language in (None, entry.place.language)), key=lambda e: e.name)

    async def entry(self, name: str) -> Entry:
        """One template as it is in force. Raises ``NoSuchTemplate``."""
        place = Place.parse(name)
        for entry in await self.entries(place.language):
            if entry.name == place.name:
                return entry
        raise NoSuchTemplate(f"{name}: no such template; see 'hearout templates list'")

    async def version(self, name: str, number: int) -> TemplateVersion:
        """One version that an admin wrote. Raises ``NoSuchTemplate``."""
        rows = await self.store.templates(template=name)
        for row in rows:
            if row.version == number:
                return row
        known = ", ".join(str(row.version) for row in rows) or "none"
        raise NoSuchTemplate(f"{name}@{number}: no such version; there is {known}")

    async def versions(self, name: str) -> list[TemplateVersion]:
        """All versions that admins wrote of a template, newest first."""
        return await self.store.templates(template=name)

    async def history(self, name: str = "") -> list[Change]:
        """Who did what to a template (or to all of them), newest first."""
        lines = await self.store.audits(CHANGES_MAX, action="template ", subject=f"{name}@" if name else "")
        changes = []
        for line in lines:
            subject, _, version = str(line["subject"]).rpartition("@")
            what = str(line["action"]).removeprefix("template ")
            changes.append(Change(subject, version, what, str(line["actor"]), line["at"]))
        return changes

    # ---- changing it

    async def draft(self, place: Place, source: str, by: str) -> TemplateVersion:
        """Keep a source as the next version of its template. Raises ``Refused`` where it cannot even be parsed."""
        broken = [finding for finding in check(source, place) if finding.rule == "syntax"]
        if broken:
            raise Refused(place.name, broken)
        return await self.store.add_template(place.row(source, by, self.clock.now()))

    async def publish(self, name: str, number: int, by: str) -> TemplateVersion:
        """Put a version in force, at once.

        Raises ``NoSuchTemplate``; ``Refused`` where lint or guard refuse it; ``SecondAdminNeeded`` where its author
        may not publish it alone. The version in force stays in force then.
        """
        row = await self.version(name, number)
        place = place_of(row)
        findings = refused(check(row.source, place))
        if findings:
            raise Refused(f"{name}@{number}", findings)
        if self.needs_second_admin(row, by):
            raise SecondAdminNeeded(
                f"{name}@{number} was written by {row.author} and is public: somebody else has to publish it"
            )
        return await self._put_in_force(row, by, PUBLISHED)

    def needs_second_admin(self, row: TemplateVersion, by: str) -> bool:
        """Whether ``by`` may not publish this version, being its author."""
        return self.second_admin and row.surface == Surface.PUBLIC.value and row.author.strip() == by.strip()

    async def rollback(self, name: str, by: str, to: str | None = None) -> TemplateVersion | None:
        """Go back to a version that was in force before; None says that it is the default again.

        ``to`` is a version's number or ``default``; without it, the version that was in force before this one.
        Raises ``NoSuchTemplate`` where there is nothing to go back to, and ``Refused`` as ``publish`` does.
        """
        rows = await self.versions(name)
        published = next((row for row in rows if row.status == "published"), None)
        if published is None and to in (None, DEFAULT):
            raise NoSuchTemplate(
                f"{name}: nothing is published, the default is in force: there is nothing to roll back"
            )
        if to is None:
            to = await self._before(name)
        if to == DEFAULT:
            assert published is not None
            now = self.clock.now()
            await self.store.set_template_status(name, published.version, "retired", by, ROLLED_BACK, now)
            await self.load()
            return None
        if not to.isdecimal():
            raise NoSuchTemplate(f"{name}: {to!r} is no version: give its number, or 'default'")
        row = await self.version(name, int(to))
        if row.status == "draft":
            raise NoSuchTemplate(f"{name}@{to} was never in force: publish it instead")
        findings = refused(check(row.source, place_of(row)))
        if findings:
            raise Refused(f"{name}@{to}", findings)
        return await self._put_in_force(row, by, ROLLED_BACK)

    async def _before(self, name: str) -> str:
        """The version that was in force before the one that is: publishing goes a step on, rolling back some steps back."""
        path = [DEFAULT]
        for change in reversed(await self.history(name)):
            if change.what != "drafted":
                path = path[: path.index(change.version)] if change.version in path else path
                path.append(change.version)
        return path[-2] if len(path) > 1 else DEFAULT

    async def _put_in_force(self, row: TemplateVersion, by: str, action: str) -> TemplateVersion:
        await self.store.set_template_status(row.id, row.version, "published", by, action, self.clock.now())
        await self.load()
        return await self.version(row.id, row.version)

    # ---- trying it

    async def rehearse_file(self, file: Path, file_format: str, drafts: Sequence[Template]) -> Comparison:
        """A file's conversations (``threads`` or ``slack``) through the wording in force and the same with drafts on top.

        Takes some seconds for a thousand conversations, in a thread of its own. Raises HearoutError where the file cannot be
        read, and RuntimeError where this program has nothing to rehearse with.
        """
        if self.rehearser is None:
            raise RuntimeError("no rehearser was put in: see bot.cli")
        return await self.rehearser(file, file_format, self.current, self.with_drafts(drafts))

    def with_drafts(self, drafts: Sequence[Template]) -> Wording:
        """The wording in force with drafts on top, each in the place of what is published under its name."""
        names = {draft.name for draft in drafts}
        kept = [template for template in self.current.published if template.name not in names]
        return self.base.with_published([*kept, *drafts])


def _entry(place: Place, template: Template | None, rows: Sequence[TemplateVersion]) -> Entry:
    version = template.version if template else NONE
    row = next((row for row in rows if str(row.version) == version), None)
    newer = tuple(r for r in rows if r.status == "draft" and (row is None or r.version > row.version))
    source = template.source if template else ""
    return Entry(place, source, version, row.author if row else "", row.at if row else None, newer)


def _problem(row: TemplateVersion) -> str | None:
    """Why a row cannot be used, or None."""
    if row.language not in load_packs():
        return f"there is no wording in {row.language!r}"
    try:
        _ = template_of(row).slots
    except HearoutError as error:
        return str(error)
    return None
