"""A SQLite whose disk fails on demand: apsw's own file layer, with every write, sync, truncation and deletion counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

NAME = "failing"
ERRORS = {"xWrite": apsw.IOError, "xSync": apsw.IOError, "xTruncate": apsw.IOError}


class Points:
    """Counts the points at which the disk is asked, and fails at one of them."""

    def __init__(self) -> None:
        self.count = 0
        self.fail_at = 0
        self.code = apsw.SQLITE_IOERR
        self.failed: list[str] = []
        self.seen: list[str] = []

    def reached(self, point: str) -> None:
        """One more. Raises what SQLite takes for the error of the disk."""
        self.count += 1
        self.seen.append(point)
        if self.count == self.fail_at:
            self.failed.append(point)
            raise apsw.exception_for(self.code)


class File(apsw.VFSFile):
    """A file on the failing disk."""

    def __init__(self, points: Points, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._points = points

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        """See SQLite's ``sqlite3_io_methods``."""
        self._points.reached("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        """See SQLite's ``sqlite3_io_methods``."""
        self._points.reached("sync")
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        """See SQLite's ``sqlite3_io_methods``."""
        self._points.reached("truncate")
        super().xTruncate(newsize)


class Layer(apsw.VFS):
    """The file layer."""

    def __init__(self, points: Points) -> None:
        self._points = points
        super().__init__(NAME, "")

    def xOpen(self, name: Any, flags: list[int]) -> File:  # noqa: N802 - SQLite's name
        """See SQLite's ``sqlite3_vfs``."""
        return File(self._points, name, flags)


class Cursor:
    """What the store takes from a cursor."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchall(self) -> list[Any]:
        """As of ``sqlite3``."""
        return self._rows

    def fetchone(self) -> Any:
        """As of ``sqlite3``."""
        return self._rows[0] if self._rows else None


class Connection:
    """What the store takes for a connection of ``sqlite3``; errors come as ``sqlite3`` raises them."""

    def __init__(self, path: Path) -> None:
        self._apsw = apsw.Connection(str(path), vfs=NAME)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Cursor:
        """Run a statement."""
        try:
            return Cursor([tuple(row) for row in self._apsw.execute(sql, tuple(params))])
        except apsw.ConstraintError as error:
            raise sqlite3.IntegrityError(str(error)) from error
        except apsw.Error as error:
            translated = sqlite3.OperationalError(str(error))
            translated.sqlite_errorcode = error.extendedresult
            raise translated from error

    @property
    def in_transaction(self) -> bool:
        """As of ``sqlite3``."""
        return bool(self._apsw.in_transaction)

    @property
    def total_changes(self) -> int:
        """As of ``sqlite3``."""
        return self._apsw.total_changes()

    def close(self) -> None:
        """As of ``sqlite3``. What the disk refuses now is refused to nobody."""
        self._apsw.close(True)
