"""Backup and restore of the SQLite database: whole, checked, and put in place in one step.

A backup is taken beside a running bot, in one read transaction of SQLite's online backup: it holds what was committed
when it began, and writers go on meanwhile. A restore wants the bot stopped.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.store.lock import FileLock
from bot.store.port import StoreError, StoreUnavailable
from bot.store.sqlite_file import connect, version_on_disk

_SIDES = ("-wal", "-shm", "-journal")


def backup(source: Path, target: Path) -> None:
    """Copy the database at ``source`` to the single file ``target``, replacing a file of that name once the copy is
    sound.

    Raises ``StoreError`` when there is no database of ours, or the copy is not sound; ``StoreUnavailable`` when a disk
    fails.
    """
    _known(source)
    if _same(source, target):
        raise StoreError(f"{target}: is the database itself; name another file for the backup")
    _copy(source, target, "delete")


def restore(backup_file: Path, target: Path) -> None:
    """Put a backup in the place of the database at ``target``, once it was found to be sound.

    Raises ``StoreInUse`` while a bot runs on the database, ``StoreTooNew`` for a backup of a newer version,
    ``StoreError`` for a file that is damaged or not ours, ``StoreUnavailable`` when a disk fails. The database is as it
    was after any of these.
    """
    _known(backup_file)
    if _same(backup_file, target):
        raise StoreError(f"{target}: is the backup itself; name the database to restore into")
    lock = FileLock.take(target, "a restore")
    try:
        _copy(backup_file, target, "wal")
    finally:
        lock.release()


def _known(path: Path) -> None:
    if version_on_disk(path) == 0:
        raise StoreError(f"{path}: there is no database of Hearout here")


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _copy(source: Path, target: Path, journal: str) -> None:
    """Copy beside the target, check, and rename. ``journal`` is the mode in which the copy is left."""
    partial = target.with_name(target.name + ".partial")
    try:
        _remove(partial)
        with closing(connect(source, read_only=True).conn) as from_, closing(sqlite3.connect(partial)) as to:
            from_.backup(to)
            to.execute(f"pragma journal_mode={journal}")
            problems = [row[0] for row in to.execute("pragma integrity_check(5)") if row[0] != "ok"]
        if problems:
            raise StoreError(f"{source}: damaged: {'; '.join(problems)}")
        _settle(target)
        _sync(partial)
        os.replace(partial, target)
        _sync(target.parent)
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{source} to {target}: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"{source}: damaged: {error}") from error
    except OSError as error:
        raise StoreUnavailable(f"{source} to {target}: {error}") from error
    finally:
        _remove(partial)


def _settle(target: Path) -> None:
    """Leave nothing beside the old file that SQLite would take for the new one's: a stale log corrupts what it is
    replayed on.

    What the log holds is moved into the old file first, so that a crash before the rename loses nothing of it.
    """
    if target.exists() and target.with_name(target.name + "-wal").exists():
        try:
            with closing(connect(target).conn) as old:
                old.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.Error:
            pass  # too damaged to be opened: that may be why it is being replaced
    for side in _SIDES:
        target.with_name(target.name + side).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    for name in ("", *_SIDES):
        path.with_name(path.name + name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
