"""The SQLite file: whose it is, how old, and a connection to it. A newer version's file is refused unopened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from bot.store.database import Database
from bot.store.lock import FileLock
from bot.store.port import StoreError, StoreMissing, StoreTooNew
from bot.store.schema import APPLICATION_ID, MIGRATIONS, VERSION

OPENING_WAIT_MS = 10_000
PRAGMAS = (
    "foreign_keys=on",
    "synchronous=full",
    "secure_delete=on",  # what is deleted is overwritten: erasure means the bytes
    "temp_store=memory",
    "cache_size=-32768",  # 32 MB of pages
    "journal_size_limit=16777216",  # a log that had to grow shrinks back to 16 MB
)
WAL_BYTES_MAX = 64 * 1024 * 1024
"""A write-ahead log that grew beyond this is pinned by a reader that does not finish."""

_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\0"


def connect(path: Path, *, read_only: bool = False) -> Database:
    """A connection ready for work. It never waits for a lock by itself: the writer does that on the event loop."""
    if str(path) == ":memory:":
        uri = "file::memory:"
    else:
        uri = f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=0.0, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    db = Database(connection, execute_plugins=False, strict=True)
    for pragma in PRAGMAS:
        db.execute(f"pragma {pragma}")
    return db


def prepare(path: Path, holder: str | None, *, read_only: bool) -> tuple[Database, FileLock | None]:
    """Look at the file, take the lock, connect, migrate. See ``SqliteStore.open`` for what is raised."""
    version = version_on_disk(path)
    if version and path.with_name(path.name + "-wal").exists():
        with closing(
            connect(path, read_only=True).conn
        ) as looking:  # the log may know of a version that the header does not
            refuse_unknown(path, looking.execute("pragma user_version").fetchone()[0])
    if read_only and version == 0:
        raise StoreMissing(f"{path}: there is no database here: it is made at the first start")
    lock = FileLock.take(path, holder) if holder else None
    try:
        passing = lock
        if version < VERSION and lock is None and str(path) != ":memory:":
            passing = FileLock.take(path, "a migration")
        try:
            return _connected(path, version, read_only=read_only), lock
        finally:
            if passing is not None and passing is not lock:
                passing.release()
    except BaseException:
        if lock is not None:
            lock.release()
        raise


def _connected(path: Path, version: int, *, read_only: bool) -> Database:
    if version < VERSION and not read_only:
        _migrate(path)
    db = connect(path, read_only=read_only)
    try:
        db.execute(f"pragma busy_timeout={OPENING_WAIT_MS}")
        if not read_only:
            db.execute("pragma journal_mode=wal")
        if str(path) == ":memory:":
            MIGRATIONS.apply(db)
        refuse_unknown(path, user_version(db))
        if user_version(db) < VERSION:
            raise StoreError(f"{path}: written by an older version; run `hearout migrate` first")
        db.execute("pragma busy_timeout=0")
    except BaseException:
        db.conn.close()
        raise
    return db


def _migrate(path: Path) -> None:
    """Bring the schema up to date, and the header of the file with it, where older programs see it without opening."""
    if str(path) == ":memory:":
        return
    db = connect(path)
    try:
        refuse_unknown(path, user_version(db))
        db.execute(f"pragma busy_timeout={OPENING_WAIT_MS}")
        db.execute("pragma journal_mode=wal")
        MIGRATIONS.apply(db)
        db.execute("pragma wal_checkpoint(truncate)")
    finally:
        db.conn.close()


def user_version(db: Database) -> int:
    """The schema's version."""
    version: int = db.execute("pragma user_version").fetchone()[0]
    return version


def refuse_unknown(path: Path, version: int) -> None:
    """Raise ``StoreTooNew`` for a version this program does not know."""
    if version > VERSION:
        raise StoreTooNew(
            f"{path}: written by a newer version of Hearout (schema {version}, this program knows {VERSION}); "
            "it is left as it is. Install the newer version, or restore a backup of the older one"
        )


def version_on_disk(path: Path) -> int:
    """The schema's version read from the file's header, without opening it as a database; 0 when there is none yet.

    Raises ``StoreTooNew``, and ``StoreError`` when the file is not one of ours. The header's layout is SQLite's file
    format, "The Database Header": the user version at byte 60, the application id at byte 68, both big-endian.
    """
    if str(path) == ":memory:" or not path.exists() or path.stat().st_size == 0:
        return 0
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    version, application = int.from_bytes(header[60:64], "big"), int.from_bytes(header[68:72], "big")
    if not header.startswith(_MAGIC) or application not in (0, APPLICATION_ID) or (application == 0 and version):
        raise StoreError(f"{path}: not a database of Hearout; name another file")
    refuse_unknown(path, version)
    return version


def check(db: Database, path: Path | None) -> list[str]:
    """What is wrong with a file, in words; see ``Store.check``."""
    found = _damage(db)
    log = path.with_name(path.name + "-wal") if path else None
    if log and log.exists() and log.stat().st_size > WAL_BYTES_MAX:
        found.append(f"{log.name} has grown to {log.stat().st_size >> 20} MB: a reader of the database does not finish")
    return found


def _damage(db: Database) -> list[str]:
    try:
        found = [f"damaged: {row[0]}" for row in db.execute("pragma integrity_check(20)") if row[0] != "ok"]
        lost = [] if found else db.execute("pragma foreign_key_check").fetchmany(20)
    except sqlite3.DatabaseError as error:
        return [f"damaged: {error}"]
    return found + [f"{table}: row {number} points to nothing in {parent}" for table, number, parent, _ in lost]
