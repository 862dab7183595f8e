"""The wording for commands: with the store where there is one, else the defaults; drafts from files or from the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.app import open_store
from bot.clock import SystemClock
from bot.config import Config, ConfigError
from bot.store.port import StoreMissing
from bot.store.records import TemplateVersion
from bot.wordings import (
    BadDraft,
    Comparison,
    Draft,
    NoSuchTemplate,
    Place,
    Refused,
    SecondAdminNeeded,
    Wordings,
    check,
    compare_own,
    read_drafts,
    refused,
)
from conversations.wording import Wording
from conversations.wording.template import Template


@asynccontextmanager
async def wordings_of(config: Config, *, read_only: bool = False) -> AsyncIterator[Wordings]:
    """The admins' wording, loaded. Raises ``StoreMissing`` where ``read_only`` finds no database."""
    store = await open_store(config, read_only=read_only)
    try:
        wordings = Wordings(store, SystemClock(), Wording.default(), second_admin=config.wording.second_admin)
        await wordings.load()
        yield wordings
    finally:
        await store.close()


async def wording_in_force(config: Config) -> Wording:
    """What the bot says today: what admins published on top of the defaults; a database that is not there yet adds nothing."""
    try:
        async with wordings_of(config, read_only=True) as wordings:
            return wordings.current
    except StoreMissing:
        return Wording.default()


def version_of(words: str) -> tuple[str, int] | None:
    """``NAME@VERSION`` as its parts, or None where it is not one."""
    name, at, version = words.rpartition("@")
    return (name, int(version)) if at and version.isdecimal() else None


async def drafts_of(wordings: Wordings | None, words: str) -> list[Template]:
    """A draft as templates: a file, or ``NAME@VERSION`` in the store. Raises ``ConfigError`` with what is wrong."""
    version = version_of(words)
    try:
        if version is None or Path(words).exists():
            drafts = [draft.template() for draft in read_drafts(Path(words))]
        elif wordings is None:
            raise NoSuchTemplate(f"{words}: there is no database yet, so there is no such version")
        else:
            row = await wordings.version(*version)
            drafts = [Place.parse(row.id).template(row.source)]
    except (BadDraft, NoSuchTemplate) as error:
        raise ConfigError([str(error)]) from None
    for draft in drafts:
        broken = [finding for finding in check(draft.source, Place.of(draft)) if finding.rule == "syntax"]
        if broken:
            raise ConfigError([f"{draft.name}: {finding.message}" for finding in broken])
    return drafts


async def both_wordings(config: Config, against: str) -> tuple[Wording, Wording]:
    """Today's wording, and the same with a draft on top."""
    try:
        async with wordings_of(config, read_only=True) as wordings:
            return wordings.current, wordings.with_drafts(await drafts_of(wordings, against))
    except StoreMissing:
        return Wording.default(), Wording.default().with_published(await drafts_of(None, against))


async def compare_with_own(config: Config, against: str, limit: int) -> Comparison:
    """The brand's own latest conversations through today's wording and a draft. Raises ``StoreMissing``."""
    async with wordings_of(config, read_only=True) as wordings:
        new = wordings.with_drafts(await drafts_of(wordings, against))
        return await compare_own(wordings.store, wordings.current, new, limit)


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one template. ``problem`` is empty where it is in force."""

    row: TemplateVersion | None
    name: str
    problem: str = ""


async def publish(wordings: Wordings, words: str, by: str, *, only_draft: bool = False) -> list[Published]:
    """Publish a file's templates, all or (where one is refused) none, or one version of the store.

    With ``only_draft`` they are kept and not published. Raises ``ConfigError`` where there is no such draft.
    """
    version = version_of(words)
    if version is not None and not Path(words).exists():
        try:
            return [await publish_version(wordings, *version, by)]
        except NoSuchTemplate as error:
            raise ConfigError([str(error)]) from None
    try:
        drafts = read_drafts(Path(words))
    except BadDraft as error:
        raise ConfigError([str(error)]) from None
    found = refusals(drafts, syntax_only=only_draft)
    if found:
        return found
    rows = [await wordings.draft(draft.place, draft.source, by) for draft in drafts]
    if only_draft:
        return [Published(row, row.id) for row in rows]
    return [await publish_version(wordings, row.id, row.version, by) for row in rows]


def refusals(drafts: Sequence[Draft], *, syntax_only: bool) -> list[Published]:
    """The drafts that lint or guard refuse, with why."""
    found = []
    for draft in drafts:
        findings = refused(check(draft.source, draft.place))
        wrong = [finding for finding in findings if not syntax_only or finding.rule == "syntax"]
        found += [Published(None, draft.place.name, f"{finding.rule}: {finding.message}") for finding in wrong]
    return found


async def publish_version(wordings: Wordings, name: str, number: int, by: str) -> Published:
    """Publish one version that is in the store."""
    try:
        return Published(await wordings.publish(name, number, by), name)
    except (Refused, SecondAdminNeeded) as error:
        row = await wordings.version(name, number)
        return Published(row, name, str(error))
