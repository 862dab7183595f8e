"""A brand moves to another database: every table, row by row, and checked by counts and checksums before it may be used.

The bot is stopped meanwhile: what is due fires when it starts on the new database, for timers are rows like all others. A move
that broke off goes on where it was; if the old database was written to in between, it begins anew. A target that holds
anything else is refused. Afterwards the old database says that it was moved, and no bot starts on it any more.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.store.codec import micros
from bot.store.ends import End, open_end
from bot.store.opening import SQLITE, open_url, without_secrets
from bot.store.port import Store, StoreError, StoreInUse

MOVED_TO = "moved.to"
"""In the old database: where everything went."""
MOVED_FROM = "moved.from"
"""In the new one: which database it came from, and how far the move is."""
IDENTITY = "moved.identity"
BATCH = 2_000

COUNTED: dict[str, str] = {
    "conversation": "id", "inbox": "sequence", "turn": "id", "outbox": "sequence", "label": "id", "audit": "id",
}  # fmt: skip
"""Tables whose rows are numbered, in an order that respects what points to what, and the column with the number."""
NAMED: dict[str, tuple[str, ...]] = {
    "customer": ("id", "channel"), "erased": ("hash",), "lane": ("key",), "template": ("id", "version"), "meta": ("key",),
}  # fmt: skip
"""Tables whose rows have names, and their primary keys. Leases stay behind: they are the old processes'."""
TABLES = (*COUNTED, *NAMED)
_OWN_META = f"key not in ('{MOVED_TO}', '{MOVED_FROM}', '{IDENTITY}')"

Told = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """A table after the move: rows, and the sum of their hashes, the same on both sides."""

    rows: int
    checksum: str


async def move(source: str, target: str, told: Told = lambda _table, _rows: None) -> dict[str, Verified]:
    """Move all that is kept behind one URL to another. ``told`` hears of each batch: the table, and its rows so far.

    Raises ``StoreInUse`` while a bot runs on either, ``StoreError`` when the target holds something else, or what arrived is
    not what left; nothing is lost then: the source stays what it was.
    """
    if source == target:
        raise StoreError("--from and --to are the same database")
    await (await open_url(source, read_only=True)).close()  # it is there, and its schema is up to date
    await (await open_url(target, holder="migrate")).close()  # so it is there
    with open_end(source, "migrate") as old, open_end(target, "migrate") as new:
        for end in (old, new):
            refuse_running(end)
        verified: dict[str, Verified] = {}
        if begin(old, new):
            for table in TABLES:
                copy(old, new, table, told)
            new.renumber(COUNTED)
            verified = {table: compare(old, new, table) for table in TABLES}
            put(new, MOVED_FROM, json.dumps({"identity": get(old, IDENTITY), "done": True}))
        put(old, MOVED_TO, new.name)
        return verified


def refuse_running(end: End) -> None:
    """Raise ``StoreInUse`` when some process still holds a lease: it runs, or died a moment ago."""
    rows = end.rows("select holder from lease where ends_at>? and name not like 'duty:%'", (micros(datetime.now(UTC)),))
    for (holder,) in rows:
        raise StoreInUse(f"{end.name}: in use by {holder}. Stop it first; if it died, wait until its lease has ended")


def begin(old: End, new: End) -> bool:
    """Make sure that the target is empty, or this very move's. False: everything was moved already."""
    identity, now = get(old, IDENTITY) or secrets.token_hex(16), fingerprint(old)
    known: dict[str, Any] = json.loads(get(new, MOVED_FROM) or "{}")
    if not known and any(new.rows(f"select 1 from {table} limit 1", ()) for table in TABLES):
        raise StoreError(f"{new.name}: holds another brand's data already: name an empty database")
    if known and known["identity"] != identity:
        raise StoreError(f"{new.name}: another database was moved there: name an empty database")
    if known.get("done"):
        return False
    if (moved_to := get(old, MOVED_TO)) is not None:
        raise StoreError(f"{old.name}: was moved to {moved_to} already")
    put(old, IDENTITY, identity)
    if known and known["fingerprint"] != now:
        for table in reversed(TABLES):
            new.write(f"delete from {table}", [()])
    put(new, MOVED_FROM, json.dumps({"identity": identity, "fingerprint": now}))
    return True


def fingerprint(end: End) -> str:
    """Changes with whatever the bot writes: counts, versions, fences, and the latest changes."""
    facts = (
        "select count(*), coalesce(sum(version), 0), max(updated_at), sum(wake_at % 1000003) from conversation",
        "select count(*), max(sequence), sum(case when read_at is null then 1 else 0 end) from inbox",
        "select count(*), max(sequence), sum(fence), max(updated_at) from outbox",
        "select count(*), max(id), count(edited_at), count(deleted_at) from turn",
        "select count(*), max(id) from audit",
        f"select count(*), sum(length(value)) from meta where {_OWN_META}",
        "select count(*), sum(muted) from customer",
        "select count(*), max(at) from template",
    )
    return hashlib.sha256(repr([[int(v or 0) for v in end.rows(sql, ())[0]] for sql in facts]).encode()).hexdigest()


def copy(old: End, new: End, table: str, told: Told) -> None:
    """Bring the rows of a table over that are not there yet."""
    columns = old.columns(table)
    listed = ", ".join(columns)
    marks = ", ".join("?" * len(columns))
    insert = f"insert into {table} ({listed}) values ({marks}) on conflict do nothing"
    if table in COUNTED:
        number = COUNTED[table]
        params: tuple[Any, ...] = (new.rows(f"select coalesce(max({number}), 0) from {table}", ())[0][0],)
        query = f"select {listed} from {table} where {number}>? order by {number}"
    else:
        where = f" where {_OWN_META}" if table == "meta" else ""
        params = ()
        query = f"select {listed} from {table}{where} order by {', '.join(NAMED[table])}"
    done = 0
    for batch in old.batches(query, params, BATCH):
        new.write(insert, batch)
        done += len(batch)
        told(table, done)


def compare(old: End, new: End, table: str) -> Verified:
    """Count and hash a table on both sides. Raises ``StoreError`` where they differ."""
    columns = old.columns(table)
    here, there = (checksum(end, table, columns) for end in (old, new))
    if here != there:
        raise StoreError(
            f"{table}: {here.rows} rows left {old.name}, and {there.rows} arrived in {new.name} "
            f"(checksums {here.checksum} and {there.checksum}): nothing was switched over; empty the target and try again"
        )
    return here


def checksum(end: End, table: str, columns: tuple[str, ...]) -> Verified:
    """Rows, and the sum of their hashes: whatever the order."""
    where = f" where {_OWN_META}" if table == "meta" else ""
    rows = total = 0
    for batch in end.batches(f"select {', '.join(columns)} from {table}{where}", (), BATCH):
        for row in batch:
            digest = hashlib.sha256(repr(tuple(row)).encode("utf-8", "surrogatepass")).digest()
            total = (total + int.from_bytes(digest[:16], "big")) % (1 << 128)
            rows += 1
    return Verified(rows, f"{total:032x}")


def get(end: End, key: str) -> str | None:
    """A small value."""
    rows = end.rows("select value from meta where key=?", (key,))
    return rows[0][0] if rows else None


def put(end: End, key: str, value: str) -> None:
    """Keep a small value."""
    end.write(
        "insert into meta (key, value) values (?,?) on conflict (key) do update set value=excluded.value",
        [(key, value)],
    )


async def refuse_moved(store: Store, url: str) -> None:
    """Raise ``StoreError`` when a bot must not run on a database: it was moved elsewhere (everything would be said twice), or
    a move to it is not finished."""
    name = without_secrets(url).removeprefix(SQLITE)
    if (moved_to := await store.get_meta(MOVED_TO)) is not None:
        raise StoreError(f"{name}: was moved to {moved_to}: set store.url, or HEAROUT_STORE_URL, to that")
    if not json.loads(await store.get_meta(MOVED_FROM) or '{"done": true}').get("done"):
        raise StoreError(f"{name}: a move to it is not finished: run hearout migrate --from … --to … again")
