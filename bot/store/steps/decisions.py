"""Decisions: claim what woke, ask for a decision, write all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.store.codec import clean, dump_event, dump_reading, load_conversation, load_event, micros, scrub_event
from bot.store.port import Decider, StoreError
from bot.store.records import Claimed, Decision, InboxEvent, Kind, OutboxRow, Postpone
from bot.store.rows import (
    CONVERSATION_MOVED,
    CONVERSATION_SAVED,
    OUTBOX_WRITTEN,
    TURN_COLUMNS,
    marks,
    moved_params,
    outbox_params,
    plain_handle,
    saved_params,
    turn_params,
)
from bot.store.steps import Batch, Statement, Steps
from bot.store.steps.moves import move_writes
from conversations.conversation import Conversation
from conversations.ids import ConversationKey, EffectKey

POISON_S = (60, 3600)
"""How long a conversation rests whose decision raised: the first time, doubling, and at most."""

Woken = tuple[ConversationKey, int, str, int]
"""Key, version, document, and how often in a row a decision about it raised."""

_DUE = """select key, version, document, poison_count from conversation
  where wake_at<=? order by wake_at limit ? for update skip locked"""
_UNREAD = """select sequence, kind, document from inbox
  where conversation=? and conversation is not null and read_at is null order by sequence"""
_READ = "update inbox set read_at=? where sequence=? and conversation=?"
_SAVE = f"update conversation set {CONVERSATION_SAVED} where key=? and version=? returning 1"
_MOVE = f"update conversation set {CONVERSATION_MOVED} where key=? and version=? returning 1"
_CURED = "update conversation set poison_count=0, poison_error=null, poison_at=null where key=?"
_POISON = "update conversation set poison_count=?, poison_error=?, poison_at=?, wake_at=? where key=?"
_TURN = f"""insert into turn ({TURN_COLUMNS}) values ({marks(15)}) on conflict (conversation, turn_id) do update set
  author=excluded.author, agent=excluded.agent, act=excluded.act, template=excluded.template, key=excluded.key,
  url=excluded.url where turn.key is null and excluded.key is not null"""
_EDIT = "update turn set text=?, reading=?, edited_at=? where conversation=? and turn_id=? and deleted_at is null"
_DELETE = (
    "update turn set text=null, reading=null, deleted_at=? where conversation=? and turn_id=? and deleted_at is null"
)
_COPIES = "select sequence, kind, document from inbox where conversation=? and post=?"
_OUT = f"insert into outbox ({OUTBOX_WRITTEN}) values ({marks(18)}) on conflict (key) do nothing"
_BOT_WORDS = "conversation=? and status='pending' and kind='words' and author='bot'"
_WITHDRAW = f"update outbox set status='withdrawn', reason=?, updated_at=? where {_BOT_WORDS} returning key"
_POSTPONE = f"update outbox set not_before=? where {_BOT_WORDS} and not_before<?"
_TAKE_OVER = """update outbox set lane=?, rank=least(rank, ?) where status='pending' and sequence=(
  select sequence from outbox where conversation=? and status='pending' and kind='card' limit 1) returning 1"""
_LABEL = "insert into label (conversation, agent, complaint, text, language, at) values (?,?,?,?,?,?)"
_MUTE = """insert into customer (channel, id, handle, muted) values (?,?,?,1)
  on conflict (channel, id) do update set muted=1"""
_AUDIT = "insert into audit (at, actor, action, subject) values (?,?,?,?)"


def due(now: int, limit: int) -> Steps[list[Woken]]:
    """Claim what woke, earliest first."""
    rows: list[Woken] = yield _DUE, (now, limit)
    return rows


def decide(woken: Woken, now: int, decider: Decider) -> Steps[None]:
    """Ask for one decision and write it. Raises what makes it poison."""
    key, version, document, poisoned = woken
    unread = yield _UNREAD, (key,)
    events = tuple(InboxEvent(sequence, load_event(kind, event)) for sequence, kind, event in unread)
    claimed = Claimed(load_conversation(document), events)
    decision = decider(claimed)
    conversation = decision.conversation
    if conversation.key != key:
        raise StoreError(f"the decision for {key} is about {conversation.key}")
    consumed = set(decision.consumed)
    if not consumed <= {event.sequence for event in events}:
        raise StoreError(f"the decision for {key} consumed events that it was not given: {sorted(consumed)}")
    writes: Batch = [(_READ, (now, sequence, key)) for sequence in decision.consumed]
    withdrawn: frozenset[EffectKey] = frozenset()
    if decision.withdraw is not None:
        rows = yield _WITHDRAW, (clean(decision.withdraw), now, key)
        withdrawn = frozenset(EffectKey(row[0]) for row in rows)
        conversation = conversation.without_words(withdrawn)
    yield from _outbox(decision, key, now, writes)
    yield from _turns(decision, key, writes)
    _rest(decision, now, writes)
    for move in decision.moves:
        writes += move_writes(move, key, withdrawn, now)
    wake_at = micros(conversation.wake_at) if conversation.wake_at else None
    if len(consumed) < len(events):
        wake_at = now if wake_at is None else min(wake_at, now)
    if wake_at is not None and wake_at <= now and not consumed and conversation == claimed.conversation:
        raise StoreError(f"the decision for {key} changed nothing, and it is still due: it would be claimed for ever")
    if poisoned:
        writes.append((_CURED, (key,)))
    writes.append(_saved(claimed.conversation, conversation, version, wake_at, now))
    if not (yield writes):
        raise StoreError(f"{key} is no longer at version {version}")


def _saved(before: Conversation, after: Conversation, version: int, wake_at: int | None, now: int) -> Statement:
    if after.state is before.state and after.customer == before.customer:
        return _SAVE, (*saved_params(after, wake_at, now), after.key, version)
    return _MOVE, (*moved_params(after, wake_at, now), after.key, version)


def _outbox(decision: Decision, key: ConversationKey, now: int, writes: Batch) -> Steps[None]:
    """Postpone, insert."""
    if decision.postpone is not None:
        until = _postponed(decision.postpone)
        writes.append((_POSTPONE, (until, key, until)))
    writes += [(_OUT, outbox_params(row, now)) for row in (yield from _with_one_card(decision.outbox))]


def _postponed(postpone: Postpone) -> int:
    """Until when: the customer's quiet, but no later than the window allows."""
    until = micros(postpone.until)
    return until if postpone.latest_at is None else min(until, micros(postpone.latest_at))


def _with_one_card(rows: Sequence[OutboxRow]) -> Steps[list[OutboxRow]]:
    """The rows, at most one card among them, and none if one waits.

    A card that waits shows the newest state when it leaves: it takes over where this one was to go, and how soon.
    """
    kept: list[OutboxRow] = []
    card: int | None = None
    for row in rows:
        if row.kind is not Kind.CARD:
            kept.append(row)
        elif card is not None:
            kept[card] = replace(kept[card], lane=row.lane, rank=min(kept[card].rank, row.rank))
        elif not (yield _TAKE_OVER, (row.lane, int(row.rank), row.conversation)):
            card = len(kept)
            kept.append(row)
    return kept


def _turns(decision: Decision, key: ConversationKey, writes: Batch) -> Steps[None]:
    writes += [(_TURN, turn_params(turn)) for turn in decision.turns]
    for edit in decision.edits:
        reading = dump_reading(edit.reading)
        writes.append((_EDIT, (clean(edit.text), reading, micros(edit.edited_at), key, clean(edit.id))))
    for deletion in decision.deletions:
        writes.append((_DELETE, (micros(deletion.deleted_at), key, clean(deletion.id))))
        for sequence, kind, document in (yield _COPIES, (key, clean(deletion.id))):
            _, scrubbed = dump_event(scrub_event(load_event(kind, document)))
            writes.append(("update inbox set document=? where sequence=?", (scrubbed, sequence)))


def _rest(decision: Decision, now: int, writes: Batch) -> None:
    conversation = decision.conversation
    for label in decision.labels:
        said = (label.agent, int(label.complaint), clean(label.text), label.language, micros(label.at))
        writes.append((_LABEL, (label.conversation, *said)))
    if decision.mute_customer:
        customer = conversation.customer
        writes.append((_MUTE, (conversation.channel, clean(customer.id), plain_handle(customer.handle))))
    writes += [(_AUDIT, (now, "bot", clean(action), conversation.key)) for action in decision.audit]


def poison(woken: Woken, error: Exception, now: int) -> Steps[None]:
    """Let a conversation rest whose decision raised, longer each time."""
    key, _, _, count = woken
    text = clean(f"{type(error).__name__}: {error}")[:2000]
    first, most = POISON_S
    rest_s = min(first << min(count, 10), most)
    yield _POISON, (count + 1, text, now, now + rest_s * 1_000_000, key)


def turn_written(params: tuple[object, ...]) -> Statement:
    """A turn that delivery reports, from ``turn_params``."""
    return _TURN, params
