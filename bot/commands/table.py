"""The commands as a table for the README, made from the command line itself, so that it cannot be out of date."""

from __future__ import annotations

import inspect

import typer


def commands_table(cli: typer.Typer) -> str:
    """Every command with its first sentence, as Markdown."""
    rows = ["| Command | Does |", "|---|---|", "| `hearout` | Start the playground, without configuration. |"]
    for command in cli.registered_commands:
        assert command.callback is not None
        sentence = (inspect.getdoc(command.callback) or "").split("\n")[0].replace("``", "`").replace("|", "\\|")
        rows.append(f"| `hearout {command.name or command.callback.__name__}` | {sentence} |")
    for group in cli.registered_groups:
        assert group.typer_instance is not None
        rows.append(f"| `hearout {group.typer_instance.info.name or group.name}` | {group.typer_instance.info.help} |")
    return "\n".join(rows)
