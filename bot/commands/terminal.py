"""What the commands share: options, exit codes, the configuration, printing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.config import Config

EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_OUTSIDE = 3
DEFAULT_CONFIG = Path("config.toml")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="The configuration file.", show_default="config.toml, if there is one")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def config_of(path: Path | None) -> Config:
    """The configuration named on the command line, else ``config.toml`` here, else the defaults."""
    from bot.config import load_config

    return load_config(path or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None))


def show(document: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str))
