"""Structured logs: one line per step, no customer text at INFO, never a secret.

JSON lines in production, readable lines on a terminal. CR, LF and escape sequences in values cannot break a line: JSON escapes
them, and the terminal renderer shows their repr.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog


def configure(level: str = "info", as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set up logging for the process. ``as_json`` None: JSON unless the stream is a terminal."""
    out = stream or sys.stderr
    json_lines = not out.isatty() if as_json is None else as_json
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    # The clients' own debug logs hold tokens (tweepy) and whole payloads (slack_sdk): warnings only, at any level of ours.
    logging.basicConfig(stream=out, level=logging.WARNING, format="%(name)s %(levelname)s %(message)s")
    for name in ("tweepy", "slack_sdk", "slack_bolt", "aiohttp", "asyncio", "transitions"):
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(name: str) -> Any:
    """A logger that names its part of the program."""
    return structlog.get_logger(part=name)
