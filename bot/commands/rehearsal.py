"""``hearout rehearse``: files in, a summary and perhaps a file out, with a progress bar on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.config import Config, ConfigError
from bot.rehearse import BadLine, Recorded, read_slack, read_threads, rehearse, summary


async def rehearse_files(
    files: Sequence[Path], file_format: str, config: Config, assume_complaint: bool, out: Path | None
) -> tuple[dict[str, Any], list[BadLine]]:
    """Rehearse files. Returns the summary and the lines that could not be read. Raises ``ConfigError`` for a missing file."""
    bad: list[BadLine] = []
    recorded: list[Recorded] = []
    for file in files:
        try:
            recorded += read_threads(file, bad) if file_format == "threads" else read_slack(file, bad)
        except (OSError, EOFError) as error:
            raise ConfigError([f"{file}: cannot be read: {error}"]) from None
    seen: dict[str, Recorded] = {}
    for entry in recorded:
        if entry.id in seen:
            bad.append(BadLine("input", 0, f"conversation {entry.id!r} is there twice: the first one counts"))
        seen.setdefault(entry.id, entry)
    posts = sum(len(entry.burst) for entry in seen.values())
    channel = "x" if file_format == "threads" else "slack"
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("rehearsing", total=posts)
            results = await rehearse(
                list(seen.values()),
                config,
                channel,
                assume_complaint=assume_complaint,
                progress=lambda done: bar.update(task, completed=done),
            )
    else:
        results = await rehearse(list(seen.values()), config, channel, assume_complaint=assume_complaint)
    if out is not None:
        with out.open("w", encoding="utf-8") as lines:
            for result in results:
                lines.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
    return summary(results, config, bad), bad
