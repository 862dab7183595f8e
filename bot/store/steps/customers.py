"""All that is kept of a customer: out as plain data, or gone. A hash stays, so that nothing is taken in again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.store.codec import clean, instant
from bot.store.records import CARD_META, CASE_META
from bot.store.rows import NEVER, REPORTS, dedupe_hash, mute_hash, plain_handle
from bot.store.steps import Steps
from conversations.ids import ConversationKey

Person = tuple[str, str]
"""A channel and the platform's id of somebody there."""

_MET = """select channel, id from customer where id=? and (?='' or channel=?)
  union select channel, id from customer where handle=? and handle<>'' and (?='' or channel=?)
  union select channel, customer from inbox where conversation is null and customer=? and (?='' or channel=?)"""
_STRAYS = "conversation is null and channel=? and customer=?"
_OF_CONVERSATION = (
    "delete from inbox where conversation=?",
    "delete from turn where conversation=?",
    "delete from outbox where conversation=?",
    "delete from label where conversation=?",
    "update audit set action='', subject='erased' where subject=?",
    "delete from conversation where key=?",
)
_SAID = (
    "select channel, external_id from outbox where conversation=? and kind='words' and external_id is not null",
    """select c.channel, t.turn_id from turn t join conversation c on c.key=t.conversation
  where t.conversation=? and t.author<>'customer'""",
)
"""What we said. Platforms keep it, and a bot that has forgotten its own words takes them for a colleague's."""
_CARD_OF = "select value from meta where key=?"
_PARTS_OF = """select m.key, m.value, c.channel from outbox o join conversation c on c.key=o.conversation
  join meta m on m.key=c.channel || ':' || c.account || ':parts:' || o.key where o.conversation=?"""
"""The ids of the posts that an agent's long words went out in (``bot/channels/x/send.py``)."""
_NO_META = "delete from meta where key=?"
_CLOSED = """select key, channel, customer from conversation
  where closed_at is not null and closed_at<? and not state<>'CLOSED' order by closed_at limit ? for update"""
_NOWHERE = """select sequence, channel, customer from inbox
  where conversation is null and at<? order by at limit ? for update"""
_ANYTHING_LEFT = f"""select 1 from conversation where channel=? and customer=?
  union all select 1 from inbox where {_STRAYS} limit 1"""
_FORGOTTEN = "update audit set action='', subject='erased' where subject=?"
_MUTED = "insert into customer (channel, id, muted) values (?,?,1) on conflict do nothing"
_AUDIT = "insert into audit (at, actor, action, subject) values (?,'store',?,'erased')"

_EXPORTED = {
    "turns": (
        "turn_id, author, place, text, posted_at, agent, act, template, url, media, reading, edited_at, deleted_at",
        "turn where conversation=? order by posted_at, id",
    ),
    "events": (
        "channel, external_id, kind, document, at, read_at",
        "inbox where conversation=? order by sequence",
    ),
    "messages": (
        (
            "key, channel, place, kind, body, created_at, author, act, template, due_at, not_before, status, external_id, "
            "url, reason, updated_at"
        ),
        "outbox where conversation=? order by sequence",
    ),
    "labels": ("agent, complaint, text, language, at", "label where conversation=? order by id"),
    "audit": ("at, actor, action", "audit where subject=? order by id"),
}
_KNOWN_AS = ("channel, id, handle, muted", "customer where channel=? and id=?")
_SET_ASIDE = ("channel, external_id, kind, document, profile, reason, at", f"inbox where {_STRAYS} order by sequence")
_DOCUMENTS = frozenset({"document", "profile", "reading", "body"})


def people(customer: str) -> Steps[list[Person]]:
    """Who is meant by a platform id or a handle, if need be with the channel in front (``slack:anna``)."""
    channel, _, name = customer.rpartition(":")
    id_ = clean(name)
    rows = yield _MET, (id_, channel, channel, plain_handle(name), channel, channel, id_, channel, channel)
    return [(row[0], row[1]) for row in rows]


def _conversations_of(person: Person) -> Steps[list[ConversationKey]]:
    rows = yield "select key from conversation where channel=? and customer=? order by id for update", person
    return [ConversationKey(row[0]) for row in rows]


# ---------------------------------------------------------------- out


def export(customer: str) -> Steps[Mapping[str, Any]]:
    """See ``Store.export_customer``."""
    found: dict[str, Any] = {"customer": customer, "known_as": [], "conversations": [], "set_aside": []}
    for channel, id_ in (yield from people(customer)):
        found["known_as"] += yield from _plain(_KNOWN_AS, (channel, id_))
        found["set_aside"] += yield from _plain(_SET_ASIDE, (channel, id_))
        sql = "select key, document from conversation where channel=? and customer=? order by id"
        for key, document in (yield sql, (channel, id_)):
            parts: dict[str, Any] = {"conversation": json.loads(document)}
            for name, source in _EXPORTED.items():
                parts[name] = yield from _plain(source, (key,))
            found["conversations"].append(parts)
    return found


def _plain(source: tuple[str, str], params: tuple[str, ...]) -> Steps[list[dict[str, Any]]]:
    """Rows as plain data: documents unpacked, instants in ISO 8601."""
    columns, rest = source
    rows = yield f"select {columns} from {rest}", params
    names = columns.split(", ")
    return [{name: _plain_value(name, value) for name, value in zip(names, row, strict=True)} for row in rows]


def _plain_value(name: str, value: Any) -> Any:
    if value is None or (name in ("due_at", "not_before") and value in (0, NEVER)):
        return None
    if name in _DOCUMENTS:
        return json.loads(value)
    if name in ("at", "not_before") or name.endswith("_at"):
        return instant(value).isoformat()
    return value


# ---------------------------------------------------------------- gone


def erase(customer: str, now: int) -> Steps[int]:
    """See ``Store.erase_customer``."""
    erased = 0
    for person in (yield from people(customer)):
        erased += yield from _erase_person(person)
    yield _FORGOTTEN, (customer,)
    yield _AUDIT, (now, f"erased {erased} conversations")
    return erased


def forget(closed_before: int, aside_before: int, limit: int) -> Steps[int]:
    """See ``Store.forget``."""
    closed = yield _CLOSED, (closed_before, limit)
    for key, channel, customer in closed:
        yield from _erase_conversation(key)
        yield from _leave((channel, customer))
    nowhere = yield _NOWHERE, (aside_before, limit)
    for sequence, channel, customer in nowhere:
        yield from _remember("sequence=?", (sequence,))
        yield "delete from inbox where sequence=?", (sequence,)
        if customer is not None:
            yield from _leave((channel, customer))
    return len(closed) + len(nowhere)


def _erase_person(person: Person) -> Steps[int]:
    keys = yield from _conversations_of(person)
    for key in keys:
        yield from _erase_conversation(key)
    yield from _remember(_STRAYS, person)
    yield f"delete from inbox where {_STRAYS}", person
    yield _FORGOTTEN, (person[1],)
    yield from _leave(person)
    return len(keys)


def _erase_conversation(key: str) -> Steps[None]:
    yield from _remember("conversation=?", (key,))
    for said in _SAID:
        yield from _keep_hashes((yield said, (key,)))
    yield from _erase_parts(key)
    yield from _erase_card(key)
    yield [(sql, (key,)) for sql in _OF_CONVERSATION]


def _erase_parts(key: str) -> Steps[None]:
    for name, ids, channel in (yield _PARTS_OF, (key,)):
        yield from _keep_hashes([(channel, id_) for id_ in json.loads(ids)])
        yield _NO_META, (name,)


def _erase_card(key: str) -> Steps[None]:
    """Where the case's card stands at the desk: both names hold the id of a customer's post."""
    found = yield _CARD_OF, (f"{CARD_META}{key}",)
    for (text,) in found:
        card = json.loads(text)
        yield _NO_META, (f"{CASE_META}{card.get('channel')}:{card.get('ts')}",)
        yield _NO_META, (f"{CARD_META}{key}",)


def _leave(person: Person) -> Steps[None]:
    """Forget a name that nothing is left of. Whoever opted out stays opted out, known by a hash."""
    if (yield _ANYTHING_LEFT, (*person, *person)):
        return
    gone = yield "delete from customer where channel=? and id=? returning muted", person
    if gone and gone[0][0]:
        channel, customer = person
        yield _MUTED, (channel, mute_hash(channel, customer))


def _remember(where: str, params: tuple[Any, ...]) -> Steps[None]:
    """Keep the dedupe hashes of arrivals that are about to be deleted."""
    yield from _keep_hashes((yield f"select channel, external_id from inbox where {where}", params))


def _keep_hashes(rows: list[Any]) -> Steps[None]:
    """Nothing of this channel and id is taken in again."""
    for channel, external_id in rows:
        if channel != REPORTS:
            yield "insert into erased (hash) values (?) on conflict do nothing", (dedupe_hash(channel, external_id),)
