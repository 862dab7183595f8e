"""``hearout templates``: the wording, listed, judged, previewed, published and rolled back."""

from __future__ import annotations

import asyncio
import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.terminal import EXIT_FOUND, ConfigOption, JsonOption, config_of, show

if TYPE_CHECKING:
    from bot.wordings import Preview

templates = typer.Typer(help="The wording: list, check, preview, history, publish, rollback.", no_args_is_help=True)

LanguageOption = Annotated[str, typer.Option(help="en, de, es, fr or pt.")]
SurfaceOption = Annotated[str, typer.Option(help="public or direct.")]
TopicOption = Annotated[str | None, typer.Option(help="Of one topic only.")]
SituationOption = Annotated[list[str] | None, typer.Option(help="late, out_of_hours, …; may be repeated.")]
ByOption = Annotated[str, typer.Option(help="Who does it, for the history.", show_default="your user name")]
NameArgument = Annotated[str, typer.Argument(help="The template's name, e.g. de.acknowledge.public.a.")]


def somebody(by: str) -> str:
    """Who acts: as given, else who is logged in on this machine."""
    try:
        return by.strip() or f"command line: {getpass.getuser()}"
    except (OSError, KeyError):
        return "command line"


def known(error: Exception) -> typer.BadParameter:
    """A name that is not known, as a mistake in the command line."""
    return typer.BadParameter(str(error))


@templates.command("list")
def list_templates(
    language: Annotated[str | None, typer.Option()] = None,
    act: Annotated[str | None, typer.Option()] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every template with the version in force, and the drafts that wait."""
    from bot.commands.wording import wordings_of
    from bot.store.port import StoreMissing
    from bot.wordings import Entry, Place
    from conversations.wording import Wording

    async def collect() -> list[Entry]:
        try:
            async with wordings_of(config_of(config), read_only=True) as wordings:
                return await wordings.entries(language)
        except StoreMissing:
            packs = Wording.default().packs
            found = [template for pack in packs.values() for template in pack.templates]
            defaults = (Entry(Place.of(template), template.source, "default") for template in found)
            return sorted((e for e in defaults if language in (None, e.place.language)), key=lambda e: e.name)

    entries = [entry for entry in asyncio.run(collect()) if act is None or entry.place.act.value == act]
    if as_json:
        show([{"name": e.name, "version": e.version, "drafts": [row.version for row in e.drafts]} for e in entries])
        return
    for entry in entries:
        waiting = f"  drafts: {', '.join(str(row.version) for row in entry.drafts)}" if entry.drafts else ""
        print(f"{entry.name}  {entry.version}{waiting}")


@templates.command("check")
def check_templates(
    text: Annotated[str | None, typer.Option(help="Judge this text instead of all templates.")] = None,
    act: Annotated[str | None, typer.Option()] = None,
    language: LanguageOption = "en",
    surface: SurfaceOption = "direct",
    situation: SituationOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Judge one text, or all templates, the published ones too."""
    from bot.wordings import NoSuchTemplate, Place, check
    from conversations.wording.lint import lint

    if text is not None:
        try:
            findings = check(text, Place.make(language, act or "", surface, None, set(situation or ())))
        except NoSuchTemplate as error:
            raise known(error) from None
    else:
        from bot.commands.wording import wording_in_force

        findings = lint(asyncio.run(wording_in_force(config_of(config))))
    if as_json:
        show({"findings": [finding.to_json() for finding in findings]})
    else:
        for finding in findings:
            print(f"{finding.severity.value}: {finding.rule}: {finding.message}")
        print(f"{len(findings)} findings")
    return EXIT_FOUND if any(finding.severity.value == "refused" for finding in findings) else 0


@templates.command("preview")
def preview_template(
    act: Annotated[str, typer.Argument(help="The act, e.g. acknowledge.")],
    language: LanguageOption = "en",
    surface: SurfaceOption = "public",
    topic: TopicOption = None,
    situation: SituationOption = None,
    variant: Annotated[str, typer.Option()] = "a",
    file: Annotated[Path | None, typer.Option(help="Preview this source instead of the one in force.")] = None,
    sample: Annotated[str | None, typer.Option(help="One sample customer only, e.g. late.")] = None,
    count: Annotated[int, typer.Option(min=1, max=50, help="Texts for each sample customer.")] = 1,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """How a template reads to each sample customer: as a post on X, a direct message, and in Slack."""
    from bot.commands.wording import wording_in_force
    from bot.wordings import SAMPLES, NoSuchTemplate, Place, preview

    settings = config_of(config)
    try:
        place = Place.make(language, act, surface, topic, set(situation or ()), variant)
    except NoSuchTemplate as error:
        raise known(error) from None
    if file is not None:
        try:
            source = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{file}: {error}", param_hint="--file") from None
    else:
        wording = asyncio.run(wording_in_force(settings))
        named = {
            template.name: template for template in reversed(wording.templates(language, place.act, place.surface))
        }
        if place.name not in named:
            raise typer.BadParameter(f"{place.name}: no such template; there is {', '.join(sorted(named))}")
        source = named[place.name].source
    chosen = [entry for entry in SAMPLES if sample in (None, entry.key)]
    if not chosen:
        raise typer.BadParameter(
            f"{sample!r}: choose {', '.join(entry.key for entry in SAMPLES)}", param_hint="--sample"
        )
    brand = settings.brand_facts().facts()
    found = [preview(source, place, entry, brand=brand, number=n) for entry in chosen for n in range(count)]
    if as_json:
        show([preview_json(entry) for entry in found])
    else:
        for entry in found:
            print(preview_words(entry))
    return EXIT_FOUND if any(entry.problem for entry in found) else 0


def preview_json(preview: Preview) -> dict[str, Any]:
    """A preview as plain data."""
    looks = {look.screen.value: asdict(look) | {"screen": look.screen.value} for look in preview.looks}
    return {"sample": preview.sample.key, "problem": preview.problem, "looks": looks}


def preview_words(preview: Preview) -> str:
    """A preview for people."""
    if preview.problem:
        return f"{preview.sample.key}: {preview.problem}"
    lines = [f"{preview.sample.key}: {preview.sample.name}"]
    for look in preview.looks:
        said = f" [{look.length}/{look.length_max}] {look.text}" if look.text else f": {look.why_not}"
        lines.append(f"  {look.screen.value}{said}")
    return "\n".join(lines) + "\n"


@templates.command("history")
def history(
    name: Annotated[str | None, typer.Argument(help="A template's name; without it, of all.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who wrote, published and rolled back what, newest first."""
    from bot.commands.wording import wordings_of
    from bot.store.port import StoreMissing
    from bot.wordings import Change

    async def collect() -> list[Change]:
        try:
            async with wordings_of(config_of(config), read_only=True) as wordings:
                return await wordings.history(name or "")
        except StoreMissing:
            return []

    changes = asyncio.run(collect())
    if as_json:
        show([asdict(change) | {"at": change.at.isoformat()} for change in changes])
        return
    for change in changes:
        print(f"{change.at:%Y-%m-%d %H:%M} UTC  {change.name}@{change.version}  {change.what} by {change.by}")
    if not changes:
        print("nothing was changed: the defaults are in force")


@templates.command("publish")
def publish_templates(
    draft: Annotated[str, typer.Argument(help="A draft file (TOML), or NAME@VERSION.")],
    by: ByOption = "",
    only_draft: Annotated[bool, typer.Option("--draft", help="Keep it as a draft; do not publish it.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> int:
    """Put a draft in force, at once and without a restart. Whatever lint or guard refuse stays out."""
    from bot.commands.wording import Published, publish, wordings_of

    settings = config_of(config)

    async def put() -> list[Published]:
        async with wordings_of(settings) as wordings:
            return await publish(wordings, draft, somebody(by), only_draft=only_draft)

    done = asyncio.run(put())
    if as_json:
        show([
            {"name": entry.name, "version": entry.row.version if entry.row else None,
             "status": entry.row.status if entry.row else None, "problem": entry.problem}
            for entry in done
        ])  # fmt: skip
    else:
        for entry in done:
            kept = f"@{entry.row.version} ({entry.row.status})" if entry.row else ""
            print(f"{entry.name}{kept}{': ' + entry.problem if entry.problem else ''}")
    return EXIT_FOUND if any(entry.problem for entry in done) else 0


@templates.command("rollback")
def rollback(
    name: NameArgument,
    to: Annotated[
        str | None, typer.Option(help="A version's number, or default.", show_default="the one before")
    ] = None,
    by: ByOption = "",
    config: ConfigOption = None,
) -> int:
    """Go back to the version that was in force before."""
    from bot.commands.wording import wordings_of
    from bot.wordings import NoSuchTemplate, Refused

    async def back() -> str:
        async with wordings_of(config_of(config)) as wordings:
            row = await wordings.rollback(name, somebody(by), to)
            return f"{name}: version {row.version} is in force" if row else f"{name}: the default is in force"

    try:
        print(asyncio.run(back()))
    except NoSuchTemplate as error:
        raise known(error) from None
    except Refused as error:
        print(error)
        return EXIT_FOUND
    return 0
