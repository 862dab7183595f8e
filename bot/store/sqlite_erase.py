"""Erasure on SQLite: all that is kept of a customer goes; a hash stays, so that nothing is taken in again."""

from __future__ import annotations

from bot.store.rows import REPORTS, dedupe_hash, mute_hash
from bot.store.sqlite_intake import Execute
from bot.store.sqlite_look import Person, conversations_of, people

_OF_CONVERSATION = (
    "delete from inbox where conversation=?",
    "delete from turn where conversation=?",
    "delete from outbox where conversation=?",
    "delete from label where conversation=?",
    "update audit set action='', subject='erased' where subject=?",
    "delete from conversation where key=?",
)
_STRAYS = "conversation is null and channel=? and customer=?"
_MUTED = "insert or ignore into customer (channel, id, muted) values (?,?,1)"
_AUDIT = "insert into audit (at, actor, action, subject) values (?,'store',?,'erased')"


def erase(x: Execute, customer: str, now: int) -> int:
    """See ``Store.erase_customer``. Whoever opted out stays opted out, known by a hash."""
    erased = sum(_erase_person(x, person) for person in people(x, customer))
    x("update audit set action='', subject='erased' where subject=?", (customer,))
    x(_AUDIT, (now, f"erased {erased} conversations"))
    return erased


def forget(x: Execute, closed_before: int, aside_before: int, limit: int) -> int:
    """See ``Store.forget``."""
    closed = "select key from conversation where state='CLOSED' and closed_at < ? order by closed_at limit ?"
    keys = [key for (key,) in x(closed, (closed_before, limit)).fetchall()]
    for key in keys:
        _erase_conversation(x, key)
    aside = "select sequence from inbox where conversation is null and at < ? limit ?"
    sequences = [sequence for (sequence,) in x(aside, (aside_before, limit)).fetchall()]
    for sequence in sequences:
        _remember(x, "sequence=?", (sequence,))
        x("delete from inbox where sequence=?", (sequence,))
    return len(keys) + len(sequences)


def _erase_conversation(x: Execute, key: str) -> None:
    _remember(x, "conversation=?", (key,))
    for sql in _OF_CONVERSATION:
        x(sql, (key,))


def _erase_person(x: Execute, person: Person) -> int:
    channel, customer = person
    keys = conversations_of(x, person)
    for key in keys:
        _erase_conversation(x, key)
    _remember(x, _STRAYS, person)
    x(f"delete from inbox where {_STRAYS}", person)
    x("update audit set action='', subject='erased' where subject=?", (customer,))
    gone = x("delete from customer where channel=? and id=? returning muted", person).fetchall()
    if gone and gone[0][0]:
        x(_MUTED, (channel, mute_hash(channel, customer)))
    return len(keys)


def _remember(x: Execute, where: str, params: tuple[str, ...]) -> None:
    """Keep the dedupe hashes of arrivals that are about to be deleted."""
    for channel, external_id in x(f"select channel, external_id from inbox where {where}", params).fetchall():
        if channel != REPORTS:
            x("insert or ignore into erased (hash) values (?)", (dedupe_hash(channel, external_id),))
