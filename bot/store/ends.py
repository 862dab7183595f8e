"""The two ends of a move: a database as plain tables, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bot.store.lock import FileLock
from bot.store.opening import sqlite_file, without_secrets
from bot.store.port import StoreError, StoreUnavailable
from bot.store.sqlite_file import connect
from bot.store.steps import to_postgres

Row = Sequence[Any]


class End(Protocol):
    """One end. Statements have ``?`` for values."""

    name: str

    def rows(self, sql: str, params: Row) -> list[Any]:
        """All rows at once."""

    def batches(self, sql: str, params: Row, size: int) -> Iterator[list[Any]]:
        """Many rows, so many at a time, as they were when it began."""

    def write(self, sql: str, rows: Sequence[Row]) -> None:
        """One statement for each row, all in one transaction."""

    def columns(self, table: str) -> tuple[str, ...]:
        """The names of a table's columns, in order."""

    def renumber(self, tables: Mapping[str, str]) -> None:
        """Let numbers go on after the greatest of each table's column."""


class SqliteEnd:
    """See ``End``."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._connection: sqlite3.Connection = connect(path).conn

    def rows(self, sql: str, params: Row) -> list[Any]:
        """See ``End.rows``."""
        return self._connection.execute(sql, tuple(params)).fetchall()

    def batches(self, sql: str, params: Row, size: int) -> Iterator[list[Any]]:
        """See ``End.batches``."""
        cursor = self._connection.execute(sql, tuple(params))
        while found := cursor.fetchmany(size):
            yield found

    def write(self, sql: str, rows: Sequence[Row]) -> None:
        """See ``End.write``."""
        self._connection.execute("begin immediate")
        try:
            self._connection.executemany(sql, [tuple(row) for row in rows])
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def columns(self, table: str) -> tuple[str, ...]:
        """See ``End.columns``."""
        return tuple(row[1] for row in self.rows(f"pragma table_info({table})", ()))

    def renumber(self, tables: Mapping[str, str]) -> None:
        """See ``End.renumber``: SQLite does by itself."""

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


class PostgresEnd:
    """See ``End``."""

    def __init__(self, url: str) -> None:
        import psycopg

        from bot.store.postgres_signal import NETWORK

        self.name = without_secrets(url)
        self._connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True, **NETWORK)

    def rows(self, sql: str, params: Row) -> list[Any]:
        """See ``End.rows``."""
        return self._connection.execute(to_postgres(sql), tuple(params)).fetchall()

    def batches(self, sql: str, params: Row, size: int) -> Iterator[list[Any]]:
        """See ``End.batches``."""
        with self._connection.transaction(), self._connection.cursor("hearout_move") as cursor:
            cursor.execute(to_postgres(sql), tuple(params))
            while found := cursor.fetchmany(size):
                yield found

    def write(self, sql: str, rows: Sequence[Row]) -> None:
        """See ``End.write``."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(to_postgres(sql), [tuple(row) for row in rows])

    def columns(self, table: str) -> tuple[str, ...]:
        """See ``End.columns``."""
        asked = "select column_name from information_schema.columns where table_name=? order by ordinal_position"
        return tuple(row[0] for row in self.rows(asked, (table,)))

    def renumber(self, tables: Mapping[str, str]) -> None:
        """See ``End.renumber``."""
        for table, column in tables.items():
            greatest = f"(select coalesce(max({column}), 0) + 1 from {table})"
            self.rows(f"select setval(pg_get_serial_sequence('{table}', '{column}'), {greatest}, false)", ())

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


@contextmanager
def open_end(url: str, holder: str) -> Iterator[End]:
    """One end of a move; a SQLite file is locked meanwhile. Raises ``StoreInUse``, ``StoreUnavailable``."""
    path = sqlite_file(url)
    if path is not None:
        lock = FileLock.take(path, holder)
        end: SqliteEnd | PostgresEnd = SqliteEnd(path)
        try:
            yield end
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error
        finally:
            end.close()
            lock.release()
        return
    import psycopg

    try:
        end = PostgresEnd(url)
        try:
            yield end
        finally:
            end.close()
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"{without_secrets(url)}: {error}") from error
    except psycopg.Error as error:
        raise StoreError(f"{without_secrets(url)}: {error}") from error
