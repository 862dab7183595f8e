"""Recorded conversations in files: threads and Slack exports, line by line, of each the customer's opening burst."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from conversations.errors import HearoutError

FORMATS = ("threads", "slack")


class Unreadable(HearoutError):
    """A file cannot be opened or unpacked; the message names it."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a recorded burst."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded conversation: its opening burst."""

    id: str
    customer: str
    brand: str
    burst: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of the input that could not be read."""

    file: str
    number: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}: {self.problem}"


def read_files(files: Iterable[Path], file_format: str) -> tuple[list[Recorded], list[BadLine]]:
    """The conversations of several files, each once, and the lines that could not be read. Raises ``Unreadable``."""
    bad: list[BadLine] = []
    recorded: list[Recorded] = []
    for file in files:
        try:
            recorded += read_threads(file, bad) if file_format == "threads" else read_slack(file, bad)
        except (OSError, EOFError) as error:
            raise Unreadable(f"{file}: cannot be read: {error}") from None
    seen: dict[str, Recorded] = {}
    for entry in recorded:
        if entry.id in seen:
            bad.append(BadLine("input", 0, f"conversation {entry.id!r} is there twice: the first one counts"))
        seen.setdefault(entry.id, entry)
    return list(seen.values()), bad


def channel_of(file_format: str) -> str:
    """The channel in which a format's conversations took place."""
    return "x" if file_format == "threads" else "slack"


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers; ``.gz`` is read as it is. Raises ``OSError`` if it cannot be opened."""
    with text_of(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line


def text_of(path: Path) -> TextIO:
    """A file's text, unpacked where its name ends in ``.gz``."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def read_threads(path: Path, bad: list[BadLine]) -> list[Recorded]:
    """Threads, one per line: ``{"root", "customer", "brand", "turns": [{"role", "t", "text", …}]}``."""
    found = []
    for number, line in lines_of(path):
        try:
            thread = json.loads(line)
            burst = []
            for turn in thread["turns"]:
                if turn["role"] not in ("customer", "client"):
                    break
                burst.append(Post(instant(turn["t"]), str(turn["text"])))
            if not burst:
                raise ValueError("no turn of the customer at its beginning")
            root = str(thread.get("root") or thread["id"])
            customer = str(thread.get("customer") or thread["turns"][0].get("user") or root)
            brand = str(thread.get("brand") or thread.get("company") or "brand")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            bad.append(BadLine(str(path), number, problem_of(error)))
        else:
            found.append(Recorded(root, customer, brand, tuple(sorted(burst, key=lambda post: post.at))))
    return found


def read_slack(path: Path, bad: list[BadLine]) -> list[Recorded]:
    """Messages, one per line: ``{"channel", "conversation_id", "ts", "user", "text"}``; the first author is the customer."""
    bursts: dict[str, list[Post]] = {}
    askers: dict[str, str] = {}
    channels: dict[str, str] = {}
    ended: set[str] = set()
    for number, line in lines_of(path):
        try:
            message = json.loads(line)
            key = f"{message['channel']}/{message['conversation_id']}"
            user, post = str(message["user"]), Post(instant(message["ts"]), str(message["text"]))
            channels.setdefault(key, str(message["channel"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            bad.append(BadLine(str(path), number, problem_of(error)))
            continue
        asker = askers.setdefault(key, user)
        if user != asker:
            ended.add(key)
        elif key not in ended:
            bursts.setdefault(key, []).append(post)
    return [
        Recorded(key, askers[key], channels[key], tuple(sorted(burst, key=lambda post: post.at)))
        for key, burst in bursts.items()
    ]


def instant(text: str) -> datetime:
    """An ISO 8601 time; one without a zone is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def problem_of(error: Exception) -> str:
    """What is wrong with a line, in words."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error)
