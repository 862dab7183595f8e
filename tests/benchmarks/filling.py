"""A database with as many conversations as one wants, in seconds: one that was made by the store, copied in SQL.

Of every ten copies one is open with a timer in the year 2030; the others are closed. The statements are the same for SQLite and
PostgreSQL.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.store.opening import open_url, sqlite_file
from bot.store.records import Report, Status
from bot.store.steps import to_postgres
from conversations.conversation import Author
from conversations.events import WordsAccepted
from conversations.ids import ExternalId
from tests.benchmarks.store import decide
from tests.contracts.examples import NOW, open_or_join, post

FIRST = "0"
KEY = f"x:acme:{FIRST}"
BATCH = 50_000
COLUMNS = {
    "conversation": "key, channel, account, customer, handle, state, version, wake_at, owner, queue, language, split_from,"
    " opened_at, closed_at, updated_at, document, poison_count, poison_error, poison_at",
    "inbox": "channel, external_id, account, customer, about, conversation, kind, post, document, profile, reason, at, read_at",
    "turn": "conversation, turn_id, author, place, text, posted_at, agent, act, template, key, url, media, reading, edited_at,"
    " deleted_at",
    "outbox": "key, conversation, channel, account, lane, place, kind, rank, body, created_at, author, act, template, due_at,"
    " not_before, status, attempt, fence, sending_until, unknown_since, external_id, url, reason, updated_at",
    "customer": "channel, id, handle, muted",
}
OWN = {
    "key": f"replace(key, '{KEY}', '{KEY}-' || n)",
    "conversation": f"'{KEY}-' || n",
    "document": f"replace(document, '{KEY}\"', '{KEY}-' || n || '\"')",
    "external_id": "external_id || '-' || n",
    "turn_id": "turn_id || '-' || n",
    "customer": "customer || '-' || n",
    "id": "id || '-' || n",
    "state": "case when n % 10 = 0 then state else 'CLOSED' end",
    "wake_at": "case when n % 10 = 0 then wake_at end",
    "closed_at": "case when n % 10 = 0 then null else updated_at end",
}
OF_FIRST = {"conversation": f"key='{KEY}'", "customer": "id='c0'"}


async def first_conversation(url: str) -> None:
    """One conversation: a post, a reply that was sent, a timer."""
    store = await open_url(url)
    await store.take_in([post(FIRST, "c0", text="my parcel is late and nobody answers my mails")], open_or_join, NOW)
    await store.decide_due(NOW, 1, decide)
    [item] = await store.claim_deliveries(NOW, 30, 1)
    event = WordsAccepted(key=item.key, id=ExternalId("s0"), accepted_at=NOW, author=Author.BOT, act=None)
    sent = Report(key=item.key, fence=item.fence, status=Status.SENT, at=NOW, external_id=ExternalId("s0"), event=event)
    await store.report_deliveries([sent])
    await store.decide_due(NOW, 1, decide)
    await store.close()


def copying(table: str) -> str:
    """The statement that copies one conversation's rows of a table for the numbers from ? to ?."""
    columns = COLUMNS[table]
    own = dict(OWN) if table != "conversation" else {**OWN, "conversation": "conversation"}
    values = ", ".join(own.get(name.strip(), f"{name.strip()}") for name in columns.split(","))
    where = OF_FIRST.get(table, f"conversation='{KEY}'")
    numbers = "with recursive c(n) as (select ? union all select n + 1 from c where n < ?)"
    return f"insert into {table} ({columns}) {numbers} select {values} from {table}, c where {where}"


def fill(url: str, size: int) -> None:
    """Make a database of so many conversations."""
    asyncio.run(first_conversation(url))
    path = sqlite_file(url)
    if path is not None:
        _fill_sqlite(path, size)
    else:
        _fill_postgres(url, size)


def _fill_sqlite(path: Path, size: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma synchronous=off")
        for begin in range(1, size, BATCH):
            for table in COLUMNS:
                connection.execute(copying(table), (begin, min(begin + BATCH, size) - 1))
        connection.execute("analyze")
        connection.execute("pragma wal_checkpoint(truncate)")


def _fill_postgres(url: str, size: int) -> None:
    import psycopg

    connection: psycopg.Connection[Any]
    with psycopg.connect(url, autocommit=True) as connection:
        for begin in range(1, size, BATCH):
            for table in COLUMNS:
                sql = to_postgres(copying(table)).replace("select %s union", "select %s::bigint union")
                connection.execute(sql.encode(), (begin, min(begin + BATCH, size) - 1))
        connection.execute("vacuum analyze")
