"""Reading on SQLite: what people and the shell look at. Nothing here writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.store.codec import clean, instant, instant_or_none, load_conversation
from bot.store.records import (
    Aside,
    Counts,
    OutboxRow,
    Poisoned,
    TemplateVersion,
    TurnRecord,
)
from bot.store.rows import (
    ASIDE_COLUMNS,
    OUTBOX_COLUMNS,
    TEMPLATE_COLUMNS,
    TURN_COLUMNS,
    aside_of,
    marks,
    outbox_of,
    plain_handle,
    template_of,
    turn_of,
)
from bot.store.sqlite_intake import Execute
from conversations.conversation import Conversation
from conversations.ids import ConversationKey, EffectKey
from conversations.protocol import State

WAL_BYTES_MAX = 64 * 1024 * 1024
"""A write-ahead log that grew beyond this is pinned by a reader that does not finish."""

WORDS_WAIT_S_MAX = 86_400
"""How long words may wait between being written and being sent, for ``sent_words`` to find them."""

_WORDS = f"""select {OUTBOX_COLUMNS} from outbox where kind='words' and channel=? and account=? and place=? and
  created_at>=?
  and (status in ('pending', 'sending', 'unknown') or (status='sent' and updated_at>=?))
  order by created_at desc, sequence desc limit ?"""


def conversation(x: Execute, key: ConversationKey) -> Conversation | None:
    """See ``Store.conversation``."""
    row = x("select document from conversation where key=?", (key,)).fetchone()
    return load_conversation(row[0]) if row else None


def conversations(
    x: Execute, states: Sequence[str], search: str, customer: str, limit: int, offset: int
) -> list[Conversation]:
    """See ``Store.conversations``. Per state the index gives the latest; the newest of these are the answer."""
    where, params = _filter(search, customer)
    chosen = tuple(states) or tuple(state.value for state in State)
    part = (
        f"select * from (select id, updated_at from conversation where state=?{where} order by updated_at desc limit ?)"
    )
    latest = " union all ".join([part] * len(chosen))
    values = [value for state in chosen for value in (state, *params, limit + offset)]
    rows = x(
        f"""select document from conversation join ({latest}) as latest on latest.id = conversation.id
          order by latest.updated_at desc, latest.id desc limit ? offset ?""",
        (*values, limit, offset),
    )
    return [load_conversation(row[0]) for row in rows]


def _filter(search: str, customer: str) -> tuple[str, tuple[str, ...]]:
    where, params = "", ()
    if customer:
        where += " and (customer=? or handle=?)"
        params += (clean(customer), plain_handle(customer))  # type: ignore[assignment]
    if search:
        like = "%" + clean(search).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        where += r""" and (key like ? escape '\' or handle like ? escape '\'
          or document ->> '$.customer.name' like ? escape '\' or document ->> '$.reference' like ? escape '\'
          or exists (select 1 from turn where turn.conversation=conversation.key and turn.text like ? escape '\'))"""
        params += (like,) * 5  # type: ignore[assignment]
    return where, params


def turns(x: Execute, key: ConversationKey) -> list[TurnRecord]:
    """See ``Store.turns``."""
    return [
        turn_of(row)
        for row in x(f"select {TURN_COLUMNS} from turn where conversation=? order by posted_at, id", (key,))
    ]


def turn(x: Execute, key: ConversationKey, turn_id: str) -> TurnRecord | None:
    """See ``Store.turn``."""
    row = x(f"select {TURN_COLUMNS} from turn where conversation=? and turn_id=?", (key, clean(turn_id))).fetchone()
    return turn_of(row) if row else None


def outbox(x: Execute, key: ConversationKey | None, statuses: Sequence[str], limit: int) -> list[OutboxRow]:
    """See ``Store.outbox``."""
    where, params = ["true"], []
    if key is not None:
        where.append("conversation=?")
        params.append(key)
    if statuses:
        where.append(f"status in ({marks(len(statuses))})")
        params += list(statuses)  # type: ignore[arg-type]
    sql = f"select {OUTBOX_COLUMNS} from outbox where {' and '.join(where)} order by sequence limit ?"
    return [outbox_of(row) for row in x(sql, (*params, limit))]


def outbox_row(x: Execute, key: EffectKey) -> OutboxRow | None:
    """See ``Store.outbox_row``."""
    row = x(f"select {OUTBOX_COLUMNS} from outbox where key=?", (key,)).fetchone()
    return outbox_of(row) if row else None


def sent_words(x: Execute, channel: str, account: str, place: str, since: int, limit: int) -> list[OutboxRow]:
    """See ``Store.sent_words``."""
    earliest = since - WORDS_WAIT_S_MAX * 1_000_000
    return [outbox_of(row) for row in x(_WORDS, (channel, account, place, earliest, since, limit))]


def asides(x: Execute, limit: int) -> list[Aside]:
    """See ``Store.asides``."""
    sql = f"""select {ASIDE_COLUMNS} from inbox where conversation is null and reason is not null
      order by sequence desc limit ?"""
    return [aside_of(row) for row in x(sql, (limit,))]


def counts(x: Execute) -> Counts:
    """See ``Store.counts``."""

    def number(sql: str) -> int:
        value: int = x(sql).fetchone()[0]
        return value

    return Counts(
        by_state=dict(x("select state, count(*) from conversation group by state").fetchall()),
        outbox=dict(x("select status, count(*) from outbox group by status").fetchall()),
        unread=number("select count(*) from inbox where conversation is not null and read_at is null"),
        oldest_unknown_at=instant_or_none(
            x("select min(unknown_since) from outbox where status='unknown'").fetchone()[0]
        ),
        set_aside=number("select count(*) from inbox where conversation is null and reason is not null"),
        poisoned=number("select count(*) from conversation where poison_at is not null"),
    )


def poisoned(x: Execute, limit: int) -> list[Poisoned]:
    """See ``Store.poisoned``."""
    sql = """select key, poison_error, poison_count, poison_at, wake_at from conversation
      where poison_at is not null order by poison_at desc limit ?"""
    return [
        Poisoned(
            conversation=ConversationKey(key),
            error=error,
            count=count,
            at=instant(at),
            wake_at=instant_or_none(wake_at),
        )
        for key, error, count, at, wake_at in x(sql, (limit,))
    ]


def labels(x: Execute) -> list[Mapping[str, Any]]:
    """See ``Store.labels``."""
    rows = x("select conversation, agent, complaint, text, language, at from label order by id")
    return [
        {
            "conversation": key,
            "agent": agent,
            "complaint": bool(complaint),
            "text": text,
            "language": language,
            "at": instant(at),
        }
        for key, agent, complaint, text, language, at in rows
    ]


def audits(x: Execute, limit: int) -> list[Mapping[str, Any]]:
    """See ``Store.audits``."""
    rows = x("select at, actor, action, subject from audit order by id desc limit ?", (limit,))
    return [
        {"at": instant(at), "actor": actor, "action": action, "subject": subject} for at, actor, action, subject in rows
    ]


def templates(x: Execute, template: str | None, status: str | None) -> list[TemplateVersion]:
    """See ``Store.templates``."""
    sql = f"""select {TEMPLATE_COLUMNS} from template where (?1 is null or id=?1) and (?2 is null or status=?2)
      order by id, version desc"""
    return [template_of(row) for row in x(sql, (template, status))]


def check(x: Execute, path: Path | None) -> list[str]:
    """See ``Store.check``."""
    found = _damage(x)
    wal = path.with_name(path.name + "-wal") if path else None
    if wal and wal.exists() and wal.stat().st_size > WAL_BYTES_MAX:
        found.append(f"{wal.name} has grown to {wal.stat().st_size >> 20} MB: a reader of the database does not finish")
    return found


def _damage(x: Execute) -> list[str]:
    try:
        found = [f"damaged: {row[0]}" for row in x("pragma integrity_check(20)") if row[0] != "ok"]
        lost = [] if found else x("pragma foreign_key_check").fetchmany(20)
    except sqlite3.DatabaseError as error:
        return [f"damaged: {error}"]
    return found + [f"{table}: row {number} points to nothing in {parent}" for table, number, parent, _ in lost]


# ---------------------------------------------------------------- all that is kept of a customer


_MET = """select channel, id from customer where (id=?1 or (handle<>'' and handle=?2)) and (?3='' or channel=?3)
  union select channel, customer from inbox where conversation is null and customer=?1 and (?3='' or channel=?3)"""

Person = tuple[str, str]
"""A channel and the platform's id of somebody there."""


def people(x: Execute, customer: str) -> list[Person]:
    """Who is meant by a platform id or a handle, if need be with the channel in front (``slack:anna``)."""
    channel, _, name = customer.rpartition(":")
    return [(row[0], row[1]) for row in x(_MET, (clean(name), plain_handle(name), channel))]


def conversations_of(x: Execute, person: Person) -> list[ConversationKey]:
    """The conversations of one person."""
    rows = x("select key from conversation where channel=? and customer=? order by id", person)
    return [ConversationKey(row[0]) for row in rows]


def export(x: Execute, customer: str) -> Mapping[str, Any]:
    """See ``Store.export_customer``."""
    known = people(x, customer)
    keys = [key for person in known for key in conversations_of(x, person)]
    strays = "select * from inbox where conversation is null and channel=? and customer=? order by sequence"
    return {
        "customer": customer,
        "known_as": [row for one in known for row in _plain(x, "select * from customer where channel=? and id=?", one)],
        "conversations": [_export_conversation(x, key) for key in keys],
        "set_aside": [row for one in known for row in _plain(x, strays, one)],
    }


def _export_conversation(x: Execute, key: ConversationKey) -> dict[str, Any]:
    document = x("select document from conversation where key=?", (key,)).fetchone()[0]
    return {
        "conversation": json.loads(document),
        "turns": _plain(x, "select * from turn where conversation=? order by posted_at, id", (key,)),
        "events": _plain(x, "select * from inbox where conversation=? order by sequence", (key,)),
        "messages": _plain(x, "select * from outbox where conversation=? order by sequence", (key,)),
        "labels": _plain(x, "select * from label where conversation=? order by id", (key,)),
        "audit": _plain(x, "select * from audit where subject=? order by id", (key,)),
    }


def _plain(x: Execute, sql: str, params: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Rows as plain data: documents unpacked, instants in ISO 8601."""
    cursor = x(sql, params)
    names = [column[0] for column in cursor.description]
    return [{name: plain_value(name, value) for name, value in zip(names, row, strict=True)} for row in cursor]


_DOCUMENTS = frozenset({"document", "profile", "reading", "body"})
_NUMBERED_INSTANTS = frozenset({"at", "not_before", "sending_until", "unknown_since"})


def plain_value(name: str, value: Any) -> Any:
    """A column's value as plain data for an export."""
    if value is None or (isinstance(value, int) and name in ("due_at", "not_before") and value in (0, 1 << 62)):
        return None
    if name in _DOCUMENTS:
        return json.loads(value)
    if name in _NUMBERED_INSTANTS or name.endswith("_at"):
        return instant(value).isoformat()
    return value
