"""One bot per database file: a lock that the operating system gives back when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from bot.store.port import StoreInUse


def lock_path(database: Path) -> Path:
    """Where the lock of a database lives: beside it."""
    return database.with_name(database.name + "-lock")


class FileLock:
    """An exclusive lock on ``<database>-lock``, which says who holds it. The file stays; only the lock on it counts."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    def take(cls, database: Path, holder: str) -> FileLock:
        """Take the lock in the name of ``holder``. Raises ``StoreInUse``, which names the process that has it."""
        path = lock_path(database)
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            who = _describe(file.read())
            file.close()
            raise StoreInUse(
                f"{database}: in use by {who}. Stop it first, or give this one another database."
            ) from None
        file.seek(0)
        file.truncate()
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"holder": holder, "pid": os.getpid(), "host": platform.node(), "since": since}, file)
        file.flush()
        return cls(file)

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if not self._file.closed:
            self._file.close()


def _describe(text: str) -> str:
    try:
        held = json.loads(text)
        return f"{held['holder']} (process {held['pid']} on {held['host']}, since {held['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
