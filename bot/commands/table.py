"""The commands as a table for the README, made from the command line itself, so that it cannot be out of date."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

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


def commands_help(cli: typer.Typer) -> str:
    """Every command with what it says of itself and its options, as Markdown."""
    parts: list[str] = []
    for name, command in commands_of(typer.main.get_command(cli)):
        parts += [f"## `hearout {name}`", "", plain(command.help or ""), ""]
        rows = [option(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            parts += ["| Argument or option | Meaning |", "|---|---|", *rows, ""]
    return "\n".join(parts).rstrip()


def commands_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The commands of a group and of the groups in it, by their whole names. The library that typer stands on is not named."""
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if hasattr(command, "commands"):
            yield from commands_of(command, f"{before}{name} ")


def plain(text: str) -> str:
    """A docstring for Markdown, without what only the code's readers need."""
    return inspect.cleandoc(text).replace("``", "`").replace("|", "\\|")


def option(parameter: Any) -> str:
    """A row of the options' table."""
    if parameter.param_type_name == "option":
        name = ", ".join((*parameter.opts, *parameter.secondary_opts))
    else:
        name = (parameter.metavar or parameter.name or "").upper() + ("…" if parameter.nargs == -1 else "")
    return f"| `{name}` | {plain(getattr(parameter, 'help', None) or '')} |"
