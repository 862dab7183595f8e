"""The databases that the contract tests run on. A test knows a backend only by what this says of all."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bot.store.port import Store
from bot.store.sqlite import SqliteStore


class Backend(Protocol):
    """One database of one kind, made for one test."""

    url: str
    """How ``open_url`` finds it from another process."""

    async def open(self) -> Store:
        """A store on this database; a second one is a second program beside the first."""

    async def everything(self) -> bytes:
        """All bytes in which the database keeps its rows, old versions of rows included."""


class SqliteBackend:
    """A SQLite file in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "hearout.db"
        self.url = f"sqlite:///{self.path}"

    async def open(self) -> Store:
        """See ``Backend.open``."""
        return await SqliteStore.open(self.path)

    async def everything(self) -> bytes:
        """See ``Backend.everything``: the database file and its log."""
        return b"".join(path.read_bytes() for path in sorted(self.path.parent.glob("hearout.db*")))


async def open_url(url: str) -> Store:
    """A store by its URL."""
    return await SqliteStore.open(url.removeprefix("sqlite:///"))
