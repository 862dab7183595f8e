"""A store by its URL: which database it is, and a connection to it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from bot.store.port import Store, StoreError
from bot.store.sqlite import SqliteStore

SQLITE = "sqlite:///"
LEASE_S = 20.0
"""How long a process that fell silent keeps what it alone may do."""


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def without_secrets(url: str) -> str:
    """A URL as it may be shown: without user and password, and without parameters."""
    if sqlite_file(url) is not None:
        return url
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{where}{parts.path}"


async def open_url(url: str, *, holder: str | None = None, read_only: bool = False, lease_s: float = LEASE_S) -> Store:
    """The store behind a URL, its schema up to date.

    With a ``holder`` a SQLite file is locked: one such process at a time; PostgreSQL serves any number. ``read_only`` never
    writes and wants a database that is there. ``lease_s``: a transaction whose process fell silent is undone after so long.
    Raises ``StoreError`` and its kinds: the extra for PostgreSQL is not installed, nobody answers, nothing is there yet
    (``StoreMissing``), in use, too new.
    """
    file = sqlite_file(url)
    if file is not None:
        return await SqliteStore.open(file, holder=holder, read_only=read_only)
    try:
        from bot.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreError(
            f"{without_secrets(url)}: PostgreSQL needs a library that is not installed ({error.name}): "
            "uv tool install 'hearout[postgresql]'"
        ) from error
    return await PostgresStore.open(url, read_only=read_only, lease_s=lease_s)
