"""The commands. Each imports what it needs when it runs, so that asking for help or the version is quick."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.templates import templates
from bot.commands.terminal import (
    DEFAULT_CONFIG,
    EXIT_FOUND,
    EXIT_OUTSIDE,
    EXIT_USAGE,
    ConfigOption,
    JsonOption,
    config_of,
    show,
)

if TYPE_CHECKING:
    from bot.config import Config

DEFAULT_DATA = Path(".hearout")

CustomerArgument = Annotated[str, typer.Argument(help="The customer's id or handle; slack:NAME on one platform only.")]

USAGE_ERRORS: Any = typer.BadParameter.__mro__[2]
"""The root of the errors that typer raises for a command line that it cannot take."""

cli = typer.Typer(
    name="hearout",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Hears complaints out on X and in Slack, and hands them to people who put them right. "
    "Without a command it starts the playground.",
)
cli.add_typer(templates, name="templates")


def run_cli() -> int:
    """Run a command line; errors become words on standard error and an exit code."""
    from bot import log
    from conversations.errors import HearoutError

    log.configure("warning")
    os.umask(0o077)  # databases, backups and exports hold what customers wrote: they are the owner's alone
    try:
        result = cli(standalone_mode=False)
        return result if isinstance(result, int) else 0
    except USAGE_ERRORS as error:
        error.show()
        return EXIT_USAGE
    except (KeyboardInterrupt, typer.Abort):
        print("stopped", file=sys.stderr)
        return EXIT_OUTSIDE
    except BrokenPipeError:
        return 0
    except HearoutError as error:
        return report(error)


def report(error: Exception) -> int:
    """An error as words and its exit code."""
    from bot.config import ConfigError
    from bot.store.port import StoreInUse, StoreTooNew

    print(f"hearout: {error}" if not isinstance(error, ConfigError) else str(error), file=sys.stderr)
    return EXIT_USAGE if isinstance(error, ConfigError | StoreInUse | StoreTooNew) else EXIT_OUTSIDE


def sqlite_path(config: Config) -> Path:
    """The database's file. Raises ``ConfigError`` where the store is not SQLite."""
    from bot.app import store_path

    return store_path(config)


@cli.callback(invoke_without_command=True)
def playground(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The playground's port; 0 takes a free one.")] = 8330,
    data: Annotated[Path, typer.Option(help="Where the playground keeps its conversations.")] = DEFAULT_DATA,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Start the playground: customers, agents and a clock on this machine, without configuration."""
    if version:
        from bot import __version__

        print(f"hearout {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return
    from bot.app import playground as open_playground
    from bot.console.serve import serve
    from bot.rehearse import file_rehearser

    async def run() -> None:
        async with open_playground(data) as app:
            app.wordings.rehearser = file_rehearser(app.config)
            await serve(app, port=port, open_browser=not no_browser and sys.stdout.isatty())

    asyncio.run(run())


@cli.command()
def init(
    path: Annotated[Path, typer.Option("--config", help="Where to write it.")] = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Take the defaults, ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Ask a few questions and write a configuration that ``check`` accepts."""
    from bot.commands.init import ask, write_config

    if path.exists() and not force:
        raise typer.BadParameter(f"{path} is there already: give --force to replace it", param_hint="--config")
    answers = ask(yes)
    write_config(path, answers)
    print(f"wrote {path}; next: hearout check --config {path}")


@cli.command()
def check(
    config: ConfigOption = None,
    online: Annotated[bool, typer.Option("--online", help="Also credentials, scopes and the account's label.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Check configuration, templates, guard and database."""
    from bot.commands.checks import check_all

    results = asyncio.run(check_all(config_of(config), online=online))
    if as_json:
        show([asdict(result) for result in results])
    else:
        for result in results:
            print(f"{'ok  ' if result.ok else 'FAIL'} {result.name}: {result.words}")
    return 0 if all(result.ok for result in results) else EXIT_FOUND


@cli.command()
def run(
    config: ConfigOption = None,
    role: Annotated[str, typer.Option(help="all, worker, intake or console; a part needs PostgreSQL.")] = "all",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The console's port instead of the configured one.")
    ] = None,
) -> None:
    """Run the bot: channels, desk, engine, delivery, console."""
    if role not in ("all", "worker", "intake", "console"):
        raise typer.BadParameter(f"{role!r}: choose all, worker, intake or console", param_hint="--role")
    settings = config_of(config)
    from bot import log
    from bot.app import playground as open_playground
    from bot.app import store_path, store_url
    from bot.config import ConfigError
    from bot.store.opening import sqlite_file

    log.configure(settings.log.level, {"auto": None, "json": True, "text": False}[settings.log.format])
    if role != "all" and sqlite_file(store_url(settings)) is not None:
        raise ConfigError([f"--role {role}: several processes need PostgreSQL: store.url (docs/scaling.md)"])
    if config is None and not DEFAULT_CONFIG.exists():
        raise ConfigError(
            [f"no {DEFAULT_CONFIG} in {Path.cwd()}: make one with `hearout init`, or name it with --config"]
        )
    if settings.x.accounts or settings.slack.enabled or sqlite_file(store_url(settings)) is None:
        from bot.live import run as run_live
        from bot.roles import ProcessRole

        asyncio.run(run_live(settings, port, ProcessRole(role)))
        return
    print("neither X nor Slack is configured: this is the playground, and nobody outside hears it", file=sys.stderr)
    from bot.console.serve import serve
    from bot.rehearse import file_rehearser

    async def run_playground() -> None:
        path = store_path(settings)
        async with open_playground(path.parent, settings, database=path.name) as app:
            app.wordings.rehearser = file_rehearser(settings)
            await serve(app, port=settings.console.port if port is None else port, open_browser=False)

    asyncio.run(run_playground())


@cli.command()
def migrate(
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option("--from", help="The URL of the database to move from.")] = None,
    target: Annotated[str | None, typer.Option("--to", help="The URL of the database to move to.")] = None,
) -> None:
    """Bring the schema up to date; with --from and --to, move a brand to another database."""
    if (source is None) != (target is None):
        raise typer.BadParameter("give both --from and --to, or neither", param_hint="--from/--to")
    if source is not None and target is not None:
        from bot.store.moving import move

        moved = asyncio.run(move(source, target))
        for table, found in moved.items():
            print(f"{table}: {found.rows} rows, checksum {found.checksum[:16]} on both sides")
        print("moved" if moved else "everything was moved already", "; next: set store.url to the new database", sep="")
        return
    from bot.app import open_store

    async def up_to_date() -> None:
        store = await open_store(config_of(config), holder="migrate")
        await store.close()

    asyncio.run(up_to_date())
    print("the schema is up to date")


@cli.command()
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Open conversations by state, what breaches next, the outbox by status."""
    from bot.commands.status import status_of, words_of

    document = asyncio.run(status_of(config_of(config)))
    if as_json:
        show(document)
    else:
        print(words_of(document))


@cli.command("report")
def report_command(
    since: Annotated[str, typer.Option("--from", help="The first day, e.g. 2026-11-01.")],
    until: Annotated[str, typer.Option("--to", help="The last day.")],
    config: ConfigOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row per case, as CSV.")] = False,
) -> None:
    """Cases by topic, wish, remedy, both clocks, outcome per round, and the fairness of the first reply."""
    from datetime import UTC, date, datetime, time, timedelta

    from bot.app import open_store
    from bot.commands.report import as_csv as table
    from bot.commands.report import report as make

    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError as error:
        raise typer.BadParameter(f"{error}: give days like 2026-11-01", param_hint="--from/--to") from None
    if last < first:
        raise typer.BadParameter("--to is before --from", param_hint="--from/--to")
    settings = config_of(config)

    async def collect() -> Any:
        store = await open_store(settings, read_only=True)
        try:
            begin = datetime.combine(first, time.min, UTC)
            end = datetime.combine(last + timedelta(days=1), time.min, UTC)
            return await make(store, begin, end, settings.policy.window_s)
        finally:
            await store.close()

    document = asyncio.run(collect())
    print(table(document), end="") if as_csv else show(document)


@cli.command()
def rehearse(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recorded conversations, JSON lines; .gz is read as it is. With --against none are needed."
        ),
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="threads or slack.")] = "threads",
    config: ConfigOption = None,
    assume_complaint: Annotated[bool, typer.Option(help="Take every conversation for a complaint.")] = False,
    against: Annotated[
        str | None, typer.Option(help="A draft to compare with today's wording: a TOML file, or NAME@VERSION.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a line per conversation to this file.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Recorded conversations through the real engine on a virtual clock."""
    if file_format not in ("threads", "slack"):
        raise typer.BadParameter(f"{file_format!r}: choose threads or slack", param_hint="--format")
    if not files and against is None:
        raise typer.BadParameter("name at least one file", param_hint="FILES")
    from bot import log
    from bot.commands.rehearsal import comparison_lines, run_rehearsal

    log.configure("error")
    compared, document, bad = asyncio.run(
        run_rehearsal(config_of(config), files or [], file_format, assume_complaint, against, out)
    )
    for line in bad:
        print(line, file=sys.stderr)
    if as_json:
        show(document)
    elif compared is not None:
        for words in comparison_lines(compared):
            print(words)
    else:
        for name, value in document.items():
            print(f"{name}: {value}")
    return EXIT_FOUND if bad or (compared is not None and compared.worse) else 0


@cli.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="Labelled texts: CSV, .gz too.")],
    text: Annotated[str, typer.Option(help="The column with the text.")],
    label: Annotated[str, typer.Option(help="The column with the label.")],
    positive: Annotated[str, typer.Option(help="The label that means complaint.")] = "1",
    as_json: JsonOption = False,
) -> None:
    """Measure the triage against labels."""
    from bot.evaluate import evaluate as measure
    from bot.evaluate import read_rows

    try:
        document = measure(read_rows(file), text, label, positive)
    except (OSError, ValueError, KeyError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None
    if as_json:
        show(document)
    else:
        for name, value in document.items():
            print(f"{name}: {value}")


@cli.command()
def read(
    text: Annotated[str, typer.Argument(help="A customer's text; - reads it from standard input.")],
    channel: Annotated[str, typer.Option(help="x, slack or playground.")] = "x",
    as_json: JsonOption = False,
) -> None:
    """What the bot understands in a text, and why."""
    from conversations.comprehension import Reader
    from conversations.comprehension.reading import ReadingContext

    words = (
        sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text.encode("utf-8", "replace").decode()
    )
    reading = Reader.default().read(words, ReadingContext(channel=channel))
    if as_json:
        show(reading.to_json())
        return
    complaint = reading.complaint
    print(
        f"complaint: {complaint.decision.value} ({complaint.probability:.2f}): {'; '.join(complaint.why) or 'nothing tells'}"
    )
    print(f"language: {reading.language}; intensity: {reading.intensity:.2f}; story told: {reading.story_told}")
    for topic in reading.topics:
        print(f"topic: {topic.name} ({topic.score:.2f})")
    for risk in reading.risk:
        print(f"risk: {risk.kind}, {risk.level.value}: {risk.evidence!r}")
    for cue in reading.cues:
        print(f"cue: {cue.name.value}, {cue.certainty.value}: {cue.evidence!r}")
    print(f"wish: {reading.wish!r}\nmay be quoted: {reading.quotable!r}\nmasked: {reading.masked!r}")


@cli.command()
def learn(config: ConfigOption = None, yes: Annotated[bool, typer.Option("--yes")] = False) -> int:
    """Retrain the triage on the agents' labels; shows before and after, changes nothing without --yes."""
    from bot.commands.learning import learn_from_labels

    return asyncio.run(learn_from_labels(config_of(config), apply=yes))


@cli.command()
def simulate(
    seeds: Annotated[int, typer.Option(min=1)] = 10,
    days: Annotated[int, typer.Option(min=1)] = 14,
    first: Annotated[int, typer.Option(help="The first seed.")] = 1,
    as_json: JsonOption = False,
) -> int:
    """The simulation with faults; it lives in tests/ and runs from a checkout."""
    try:
        from tests.simulation.command import simulate as run_simulation
    except ImportError:
        print("hearout: the simulation is not here: it runs from a checkout, in tests/simulation", file=sys.stderr)
        return EXIT_USAGE
    document = run_simulation(seeds=seeds, days=days, first=first)
    show(document) if as_json else print(document)
    return EXIT_FOUND if document["failures"] else 0


@cli.command()
def export(
    customer: CustomerArgument,
    config: ConfigOption = None,
) -> int:
    """All that is kept of a customer, as JSON."""
    from bot.app import open_store

    async def data() -> Any:
        store = await open_store(config_of(config))
        try:
            return await store.export_customer(customer)
        finally:
            await store.close()

    document = asyncio.run(data())
    show(document)
    return 0 if any(document[part] for part in ("known_as", "conversations", "set_aside")) else nobody(customer)


@cli.command()
def erase(customer: CustomerArgument, config: ConfigOption = None) -> int:
    """Delete all that is kept of a customer."""
    from bot.app import open_store
    from bot.clock import SystemClock

    async def gone() -> tuple[int, bool]:
        store = await open_store(config_of(config))
        try:
            now = SystemClock().now()
            known = await store.export_customer(customer)
            count = await store.erase_customer(customer, now)
            await store.audit("command line", "erase", f"{count} conversations", now)
            return count, any(known[part] for part in ("known_as", "conversations", "set_aside"))
        finally:
            await store.close()

    count, known = asyncio.run(gone())
    if not known:
        return nobody(customer)
    print(f"erased {count} conversations")
    return 0


def nobody(customer: str) -> int:
    """Say that a name is not known. Nothing was done."""
    print(f"hearout: nothing is kept of {customer!r}; give the handle, or the id on the platform", file=sys.stderr)
    return EXIT_FOUND


@cli.command()
def backup(target: Annotated[Path, typer.Argument(help="The file to write.")], config: ConfigOption = None) -> None:
    """Copy the SQLite database beside a running bot."""
    from bot.store.backup import backup as copy

    copy(sqlite_path(config_of(config)), target)
    print(f"wrote {target}")


@cli.command()
def restore(source: Annotated[Path, typer.Argument(help="The backup.")], config: ConfigOption = None) -> None:
    """Put a backup in the place of the SQLite database, after an integrity check."""
    from bot.store.backup import restore as put

    path = sqlite_path(config_of(config))
    put(source, path)
    print(f"restored {path}")


@cli.command()
def doctor(config: ConfigOption = None, as_json: JsonOption = False) -> int:
    """Machine, versions, clock, disk, connectivity."""
    from bot.commands.doctor import examine

    results = examine(config_of(config))
    if as_json:
        show([asdict(result) for result in results])
    else:
        for result in results:
            print(f"{'ok  ' if result.ok else 'FAIL'} {result.name}: {result.words}")
    return 0 if all(result.ok for result in results) else EXIT_FOUND
