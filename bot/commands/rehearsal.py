"""``hearout rehearse``: files in, a summary and perhaps a file out, with a progress bar on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.commands.wording import both_wordings, compare_with_own, wording_in_force
from bot.config import Config, ConfigError
from bot.recordings import BadLine, Recorded, Unreadable, channel_of, read_files
from bot.rehearse import compare_on, rehearse, summary
from bot.store.port import StoreMissing
from bot.wordings import Comparison, Pair, Side
from conversations.wording import Wording

OWN_MAX = 1_000
"""How many of the brand's own latest conversations are asked again."""
SHOWN_MAX = 20
"""How many changed texts are printed; ``--json`` and ``--out`` have more."""


async def run_rehearsal(
    config: Config,
    files: Sequence[Path],
    file_format: str,
    assume_complaint: bool,
    against: str | None,
    out: Path | None,
) -> tuple[Comparison | None, dict[str, Any], list[BadLine]]:
    """The command: a rehearsal, or with ``against`` a comparison; without files one of the brand's own conversations.

    Returns the comparison, the document that ``--json`` prints, and the lines that could not be read. Raises ``ConfigError``
    for a file or a draft that cannot be used.
    """
    if against is None:
        summarised, bad = await rehearse_files(
            files, file_format, config, assume_complaint, out, await wording_in_force(config)
        )
        return None, summarised, bad
    if files:
        old, new = await both_wordings(config, against)
        compared, bad = await compare_files(files, file_format, config, assume_complaint, out, old, new)
    else:
        try:
            compared, bad = await compare_with_own(config, against, OWN_MAX), []
        except StoreMissing as error:
            raise ConfigError([f"{error}: name a file of recorded conversations instead"]) from None
    return compared, compared.to_json(), bad


async def rehearse_files(
    files: Sequence[Path], file_format: str, config: Config, assume_complaint: bool, out: Path | None, wording: Wording
) -> tuple[dict[str, Any], list[BadLine]]:
    """Rehearse files. Returns the summary and the lines that could not be read. Raises ``ConfigError`` for a missing file."""
    recorded, bad = recordings(files, file_format)
    with progress(recorded) as told:
        results = await rehearse(
            recorded, config, channel_of(file_format), wording=wording, assume_complaint=assume_complaint, progress=told
        )
    if out is not None:
        with out.open("w", encoding="utf-8") as lines:
            for result in results:
                lines.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
    return summary(results, config, bad), bad


async def compare_files(
    files: Sequence[Path], file_format: str, config: Config, assume_complaint: bool, out: Path | None,
    old: Wording, new: Wording,
) -> tuple[Comparison, list[BadLine]]:  # fmt: skip
    """Files through two wordings; ``out`` gets a line for each text that changes. Raises ``ConfigError`` for a missing file."""
    recorded, bad = recordings(files, file_format)
    with progress(recorded) as told:
        compared = await compare_on(
            recorded, config, channel_of(file_format), old, new, assume_complaint=assume_complaint, progress=told
        )
    if out is not None:
        with out.open("w", encoding="utf-8") as lines:
            for pair in compared.to_json()["pairs"]:
                if pair["changed"]:
                    lines.write(json.dumps(pair, ensure_ascii=False) + "\n")
    return compared, bad


def recordings(files: Sequence[Path], file_format: str) -> tuple[list[Recorded], list[BadLine]]:
    """The conversations of the files. Raises ``ConfigError`` for one that cannot be opened."""
    try:
        return read_files(files, file_format)
    except Unreadable as error:
        raise ConfigError([str(error)]) from None


@contextmanager
def progress(recorded: Sequence[Recorded]) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rehearsing", total=sum(len(entry.burst) for entry in recorded))
        yield lambda done: bar.update(task, completed=done)


def comparison_lines(compared: Comparison) -> Iterator[str]:
    """A comparison for people: what changes, side by side, and the figures of both wordings."""
    changed = [pair for pair in compared.pairs if pair.changed]
    for pair in changed[:SHOWN_MAX]:
        yield from pair_lines(pair)
    if compared.changed > SHOWN_MAX:
        yield f"… and {compared.changed - SHOWN_MAX} more"
    yield (
        f"{compared.changed} of {compared.asked} texts change, in {compared.conversations_changed} of "
        f"{compared.conversations} conversations"
    )
    for name, figures in (("before", compared.before), ("after", compared.after)):
        found = ", ".join(f"{rule} {count}" for rule, count in figures.findings.items()) or "none"
        yield (
            f"{name}: {figures.texts} texts, {figures.distinct} different; length {figures.length_mean:g} on average, "
            f"{figures.length_max} at most; findings: {found}; nothing fits: {figures.unsayable}"
        )


def pair_lines(pair: Pair) -> Iterator[str]:
    """One text before and after."""
    where = [pair.act, pair.surface, pair.language, *pair.situations, *([pair.topic] if pair.topic else [])]
    yield f"{pair.conversation}, {pair.at:%Y-%m-%d %H:%M}: {', '.join(where)}"
    yield f"  - {side_line(pair.before)}"
    yield f"  + {side_line(pair.after)}"
    for name, side in (("-", pair.before), ("+", pair.after)):
        for finding in side.findings:
            yield f"    {name} {finding.rule}: “{side.text[finding.start : finding.end]}” {finding.message}"


def side_line(side: Side) -> str:
    """A text with its length."""
    if not side.text:
        return f"nothing: {side.problem}"
    limit = f"/{side.length_max}" if side.length_max else ""
    return f"[{side.length}{limit}] {' ⏎ '.join(side.text.splitlines())}"
