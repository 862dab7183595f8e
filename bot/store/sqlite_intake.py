"""Intake on SQLite: know what came before, find where the rest belongs, keep it, wake the conversation."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from bot.store.codec import (
    clean,
    dump_event,
    instant,
    load_conversation,
    load_customer,
    load_event,
    scrub_event,
)
from bot.store.port import Router, StoreError
from bot.store.records import Arrival, Join, Open, Route, SetAside, Taken
from bot.store.rows import (
    CONVERSATION_COLUMNS,
    INBOX_COLUMNS,
    arrival_params,
    conversation_params,
    dedupe_hash,
    marks,
    mute_hash,
    plain_handle,
)
from conversations.conversation import Customer
from conversations.events import PostDeleted
from conversations.ids import ConversationKey, ExternalId

Execute = Callable[..., sqlite3.Cursor]

_SEEN = "select 1 from inbox where channel=? and external_id=? union all select 1 from erased where hash=?"
_CURRENT = """select document from conversation where id = (
  select id from conversation where customer=? and account=? and channel=?
  order by state='CLOSED', split_from is not null, opened_at desc, id desc limit 1)"""
_KEEP = f"insert into inbox ({INBOX_COLUMNS}) values ({marks(12)})"
_WAKE = "update conversation set wake_at=? where key=? and (wake_at is null or wake_at>?)"
_OPEN = f"insert into conversation ({CONVERSATION_COLUMNS}) values ({marks(16)})"
_KNOWN = "select 1 from conversation where key=?"
_ABOUT_INBOX = "select conversation, sequence, reason, customer from inbox where channel=? and external_id=?"
_ABOUT_TURN = """select turn.conversation from turn join conversation on conversation.key = turn.conversation
  where turn.turn_id=? and conversation.channel=? order by turn.id limit 1"""
_STRAYS = """select sequence from inbox
  where conversation is null and about is not null and channel=? and about=? order by sequence"""
_ADOPT = (
    "update inbox set conversation=?, profile=null, sequence=(select max(sequence) + 1 from inbox) where sequence=?"
)
_CUSTOMER = "select id, handle, muted from customer where channel=? and id in (?,?)"
_MEET = "insert into customer (channel, id, handle) values (?,?,?)"
_RENAME = "update customer set handle=? where channel=? and id=?"
_ASIDE = """select channel, account, external_id, kind, document, profile, at, conversation from inbox
  where sequence=? and (reason is not null or conversation is not null)"""


def take_in(x: Execute, arrivals: Sequence[Arrival], route: Router, now: int) -> list[Taken]:
    """See ``Store.take_in``."""
    return [_take_in(x, arrival, route, now) for arrival in arrivals]


def _take_in(x: Execute, arrival: Arrival, route: Router, now: int) -> Taken:
    channel, external_id = arrival.channel, clean(arrival.id)
    if x(_SEEN, (channel, external_id, dedupe_hash(channel, external_id))).fetchone():
        return Taken(False)
    if arrival.conversation is not None or arrival.about is not None or arrival.customer is None:
        key = _named(x, arrival)
        x(_KEEP, arrival_params(arrival, key, None))
        if key is None:
            return Taken(True)
        wake(x, key, now)
        return Taken(True, Join(key))
    chosen = _route(x, arrival, arrival.customer, route, now)
    if isinstance(chosen, SetAside):
        x(_KEEP, arrival_params(arrival, None, chosen.reason))
        return Taken(True, chosen)
    key = _key(chosen)
    x(_KEEP, arrival_params(arrival, key, None))
    _adopt_strays(x, channel, external_id, key)
    return Taken(True, chosen)


def wake(x: Execute, key: ConversationKey, now: int) -> None:
    """``wake_at = least(wake_at, now)``, and ``version`` stays."""
    x(_WAKE, (now, key, now))


def _key(chosen: Join | Open) -> ConversationKey:
    return chosen.conversation if isinstance(chosen, Join) else chosen.conversation.key


def _route(x: Execute, arrival: Arrival, customer: Customer, route: Router, now: int) -> Route:
    customer_id = clean(customer.id)
    row = x(_CURRENT, (customer_id, arrival.account, arrival.channel)).fetchone()
    current = load_conversation(row[0]) if row else None
    chosen = route(arrival, current)
    renamed = current is None or current.customer.handle != customer.handle
    muted = (renamed or isinstance(chosen, Open)) and _meet(x, arrival.channel, customer)
    if isinstance(chosen, Open):
        if muted and not chosen.conversation.bot_muted:
            chosen = Open(chosen.conversation.evolve(bot_muted=True))
        x(_OPEN, conversation_params(chosen.conversation, now, now))
    elif isinstance(chosen, Join):
        if (current is None or current.key != chosen.conversation) and not x(_KNOWN, (chosen.conversation,)).fetchone():
            raise StoreError(
                f"{arrival.channel} {arrival.id}: cannot join {chosen.conversation}: there is no such conversation"
            )
        wake(x, chosen.conversation, now)
    return chosen


def _meet(x: Execute, channel: str, customer: Customer) -> bool:
    """Know the customer by the present handle. Returns whether the customer opted out, be it before an erasure."""
    id_, handle = clean(customer.id), plain_handle(customer.handle)
    known = {row[0]: row for row in x(_CUSTOMER, (channel, id_, mute_hash(channel, id_)))}
    if id_ not in known:
        x(_MEET, (channel, id_, handle))
    elif known[id_][1] != handle:
        x(_RENAME, (handle, channel, id_))
    return any(muted for _, _, muted in known.values())


def _named(x: Execute, arrival: Arrival) -> ConversationKey | None:
    """The conversation that an arrival names, itself or by the post it is about."""
    if arrival.conversation is not None:
        return arrival.conversation if x(_KNOWN, (arrival.conversation,)).fetchone() else None
    if arrival.about is None:
        return None
    about = clean(arrival.about)
    row = x(_ABOUT_INBOX, (arrival.channel, about)).fetchone()
    if row and row[0] is None and row[2] is not None and isinstance(arrival.event, PostDeleted):
        _forget_aside(x, row[1])
    if row is None or row[0] is None:
        row = x(_ABOUT_TURN, (about, arrival.channel)).fetchone()
    return ConversationKey(row[0]) if row else None


def _forget_aside(x: Execute, sequence: int) -> None:
    """A mention that was set aside is gone from the platform: so is our copy of it."""
    kind, document = x("select kind, document from inbox where sequence=?", (sequence,)).fetchone()
    _, scrubbed = dump_event(scrub_event(load_event(kind, document)))
    x("update inbox set document=?, profile=null, reason=null where sequence=?", (scrubbed, sequence))


def _adopt_strays(x: Execute, channel: str, post: str, key: ConversationKey) -> None:
    """An edit or a deletion that overtook its post follows it into the conversation, behind it."""
    for (sequence,) in x(_STRAYS, (channel, post)).fetchall():
        x(_ADOPT, (key, sequence))


def open_aside(x: Execute, sequence: int, route: Router, now: int) -> Taken:
    """See ``Store.open_aside``."""
    row: Any = x(_ASIDE, (sequence,)).fetchone()
    if row is None:
        raise StoreError(f"nothing was set aside under {sequence}: it may have been deleted or erased")
    channel, account, external_id, kind, document, profile, at, conversation = row
    customer = load_customer(profile)
    if conversation is not None or customer is None:
        return Taken(False)
    arrival = Arrival(
        channel=channel,
        account=account,
        id=ExternalId(external_id),
        event=load_event(kind, document),
        at=instant(at),
        customer=customer,
    )
    chosen = _route(x, arrival, customer, route, now)
    if isinstance(chosen, SetAside):
        x("update inbox set reason=? where sequence=?", (clean(chosen.reason), sequence))
        return Taken(True, chosen)
    key = _key(chosen)
    x("update inbox set conversation=?, profile=null where sequence=?", (key, sequence))
    _adopt_strays(x, channel, external_id, key)
    return Taken(True, chosen)
