"""Intake: know what came before, find where the rest belongs, keep it, wake the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.codec import clean, dump_event, instant, load_conversation, load_customer, load_event, scrub_event
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
from bot.store.steps import Batch, Statement, Steps
from conversations.conversation import Customer
from conversations.events import PostDeleted
from conversations.ids import ConversationKey, ExternalId

_SEEN = "select 1 from inbox where channel=? and external_id=? union all select 1 from erased where hash=?"
_CURRENT = """select document from conversation where id = (
  select id from conversation where customer=? and account=? and channel=?
  order by state='CLOSED', closed_at desc, split_from is not null, opened_at desc, id desc limit 1)"""
_IN_THREAD = """select document from turn join conversation on conversation.key = turn.conversation
  where turn.turn_id=? and conversation.customer=? and conversation.account=? and conversation.channel=?
  and conversation.state<>'CLOSED' limit 1"""
_KEEP = f"insert into inbox ({INBOX_COLUMNS}) values ({marks(12)})"
_WAKE = "update conversation set wake_at=least(coalesce(wake_at, ?), ?) where key=?"
_OPEN = f"insert into conversation ({CONVERSATION_COLUMNS}) values ({marks(16)})"
_KNOWN = "select 1 from conversation where key=?"
_ABOUT_INBOX = "select conversation, sequence, reason from inbox where channel=? and external_id=?"
_ABOUT_TURN = """select turn.conversation from turn join conversation on conversation.key = turn.conversation
  where turn.turn_id=? and conversation.channel=? order by turn.id limit 1"""
_STRAYS = """select sequence from inbox
  where conversation is null and about is not null and channel=? and about=? order by sequence"""
_ADOPT = "update inbox set conversation=?, profile=null, sequence=next_sequence() where sequence=?"
_CUSTOMER = "select id, handle, muted from customer where channel=? and id in (?,?)"
_MEET = "insert into customer (channel, id, handle) values (?,?,?) on conflict do nothing"
_RENAME = "update customer set handle=? where channel=? and id=?"
_ASIDE = """select channel, account, external_id, kind, document, profile, at, conversation from inbox
  where sequence=? and (reason is not null or conversation is not null) for update"""
_FORGET = "update inbox set document=?, profile=null, reason=null where sequence=?"


def take_in(arrivals: Sequence[Arrival], route: Router, now: int) -> Steps[list[Taken]]:
    """See ``Store.take_in``."""
    taken = []
    for arrival in arrivals:
        taken.append((yield from _take_in(arrival, route, now)))  # noqa: PERF401 - a comprehension cannot yield
    return taken


def _take_in(arrival: Arrival, route: Router, now: int) -> Steps[Taken]:
    channel, external_id = arrival.channel, clean(arrival.id)
    if (yield _SEEN, (channel, external_id, dedupe_hash(channel, external_id))):
        return Taken(False)
    if arrival.conversation is not None or arrival.about is not None or arrival.customer is None:
        key = yield from _named(arrival)
        kept: Batch = [(_KEEP, arrival_params(arrival, key, None))]
        yield kept if key is None else [*kept, wake(key, now)]
        return Taken(True, None if key is None else Join(key))
    chosen, writes = yield from _route(arrival, arrival.customer, route, now)
    if isinstance(chosen, SetAside):
        yield [*writes, (_KEEP, arrival_params(arrival, None, chosen.reason))]
    else:
        key = _key(chosen)
        yield [*writes, (_KEEP, arrival_params(arrival, key, None))]
        yield from _adopt_strays(channel, external_id, key)
    return Taken(True, chosen)


def wake(key: str, now: int) -> Statement:
    """``wake_at = least(wake_at, now)``, and ``version`` stays.

    Without a condition on the present ``wake_at``: PostgreSQL would judge it before it waits for the decision that is being
    made, and the wake-up would be lost.
    """
    return _WAKE, (now, now, key)


def _key(chosen: Join | Open) -> ConversationKey:
    return chosen.conversation if isinstance(chosen, Join) else chosen.conversation.key


def _route(arrival: Arrival, customer: Customer, route: Router, now: int) -> Steps[tuple[Route, Batch]]:
    """Where a customer's post belongs, and what is to be written for it."""
    rows = yield _CURRENT, (clean(customer.id), arrival.account, arrival.channel)
    current = load_conversation(rows[0][0]) if rows else None
    answers: str | None = getattr(arrival.event, "in_reply_to", None)
    if current is not None and answers is not None and (current.splits or current.split_from):
        rows = yield _IN_THREAD, (clean(answers), clean(customer.id), arrival.account, arrival.channel)
        current = load_conversation(rows[0][0]) if rows else current
    chosen = route(arrival, current)
    writes: Batch = []
    muted = False
    if isinstance(chosen, Open) or current is None or current.customer.handle != customer.handle:
        muted = yield from _meet(arrival.channel, customer, writes)
    if isinstance(chosen, Open):
        if muted and not chosen.conversation.bot_muted:
            chosen = Open(chosen.conversation.evolve(bot_muted=True))
        writes.append((_OPEN, conversation_params(chosen.conversation, now, now)))
    elif isinstance(chosen, Join):
        key = chosen.conversation
        if (current is None or current.key != key) and not (yield _KNOWN, (key,)):
            raise StoreError(f"{arrival.channel} {arrival.id}: cannot join {key}: there is no such conversation")
        writes.append(wake(key, now))
    return chosen, writes


def _meet(channel: str, customer: Customer, writes: Batch) -> Steps[bool]:
    """Know the customer by the present handle. Returns whether the customer opted out, be it before an erasure."""
    id_, handle = clean(customer.id), plain_handle(customer.handle)
    rows = yield _CUSTOMER, (channel, id_, mute_hash(channel, id_))
    handles = {row[0]: row[1] for row in rows}
    if id_ not in handles:
        writes.append((_MEET, (channel, id_, handle)))
    elif handles[id_] != handle:
        writes.append((_RENAME, (handle, channel, id_)))
    return any(row[2] for row in rows)


def _named(arrival: Arrival) -> Steps[ConversationKey | None]:
    """The conversation that an arrival names, itself or by the post it is about."""
    if arrival.conversation is not None:
        return arrival.conversation if (yield _KNOWN, (arrival.conversation,)) else None
    if arrival.about is None:
        return None
    about = clean(arrival.about)
    rows = yield _ABOUT_INBOX, (arrival.channel, about)
    if rows and rows[0][0] is None and rows[0][2] is not None and isinstance(arrival.event, PostDeleted):
        yield from _forget_aside(rows[0][1])
    if not rows or rows[0][0] is None:
        rows = yield _ABOUT_TURN, (about, arrival.channel)
    return ConversationKey(rows[0][0]) if rows else None


def _forget_aside(sequence: int) -> Steps[None]:
    """A mention that was set aside is gone from the platform: so is our copy of it."""
    [(kind, document)] = yield "select kind, document from inbox where sequence=?", (sequence,)
    _, scrubbed = dump_event(scrub_event(load_event(kind, document)))
    yield _FORGET, (scrubbed, sequence)


def _adopt_strays(channel: str, post: str, key: ConversationKey) -> Steps[None]:
    """An edit or a deletion that overtook its post follows it into the conversation, behind it."""
    for (sequence,) in (yield _STRAYS, (channel, post)):
        yield _ADOPT, (key, sequence)


def open_aside(sequence: int, route: Router, now: int) -> Steps[Taken]:
    """See ``Store.open_aside``."""
    rows = yield _ASIDE, (sequence,)
    if not rows:
        raise StoreError(f"nothing was set aside under {sequence}: it may have been deleted or erased")
    channel, account, external_id, kind, document, profile, at, conversation = rows[0]
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
    chosen, writes = yield from _route(arrival, customer, route, now)
    if isinstance(chosen, SetAside):
        yield [*writes, ("update inbox set reason=? where sequence=?", (clean(chosen.reason), sequence))]
        return Taken(True, chosen)
    key = _key(chosen)
    yield [*writes, ("update inbox set conversation=?, profile=null where sequence=?", (key, sequence))]
    yield from _adopt_strays(channel, external_id, key)
    return Taken(True, chosen)
