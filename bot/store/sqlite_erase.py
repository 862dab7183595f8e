"""Erasure on SQLite: all that is kept of a customer goes; a hash stays, so that nothing is taken in again."""

from __future__ import annotations

from bot.store.rows import REPORTS, dedupe_hash, marks, mute_hash
from bot.store.sqlite_intake import Execute
from bot.store.sqlite_look import keys_of

_OF_CONVERSATION = (
    "delete from inbox where conversation=?",
    "delete from turn where conversation=?",
    "delete from outbox where conversation=?",
    "delete from label where conversation=?",
    "update audit set action='', subject='erased' where subject=?",
    "delete from conversation where key=?",
)


def erase(x: Execute, customer: str, now: int) -> int:
    """See ``Store.erase_customer``. Whoever opted out stays opted out, known by a hash."""
    keys, ids = keys_of(x, customer)
    for key in keys:
        _remember(x, "conversation=?", (key,))
        for sql in _OF_CONVERSATION:
            x(sql, (key,))
    named = f"customer in ({marks(len(ids))})"
    _remember(x, f"conversation is null and {named}", tuple(ids))
    x(f"delete from inbox where conversation is null and {named}", tuple(ids))
    x(f"update audit set action='', subject='erased' where subject in ({marks(len(ids))})", tuple(ids))
    known = x(
        f"delete from customer where id in ({marks(len(ids))}) returning channel, id, muted", tuple(ids)
    ).fetchall()
    for channel, customer_id, muted in known:
        if muted:
            x(
                "insert or ignore into customer (channel, id, muted) values (?,?,1)",
                (channel, mute_hash(channel, customer_id)),
            )
    x(
        "insert into audit (at, actor, action, subject) values (?,'store',?,'erased')",
        (now, f"erased {len(keys)} conversations"),
    )
    return len(keys)


def _remember(x: Execute, where: str, params: tuple[str, ...]) -> None:
    """Keep the dedupe hashes of arrivals that are about to be deleted."""
    for channel, external_id in x(f"select channel, external_id from inbox where {where}", params).fetchall():
        if channel != REPORTS:
            x("insert or ignore into erased (hash) values (?)", (dedupe_hash(channel, external_id),))
