"""Decisions on SQLite: claim what woke, ask for a decision, write all of it behind a savepoint."""

from __future__ import annotations

from functools import partial

from bot.store.codec import (
    clean,
    dump_event,
    dump_reading,
    load_conversation,
    load_event,
    micros,
    scrub_event,
)
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
from bot.store.sqlite_intake import Execute
from bot.store.writer import Attempt, Entangled, is_outage
from conversations.conversation import Conversation
from conversations.ids import ConversationKey, EffectKey

POISON_S = (60, 3600)
"""How long a conversation rests whose decision raised: the first time, doubling, and at most."""

_DUE = "select key, version, document, poison_count from conversation where wake_at<=? order by wake_at limit ?"
_UNREAD = """select sequence, kind, document from inbox
  where conversation=? and conversation is not null and read_at is null order by sequence"""
_ANY_UNREAD = "select 1 from inbox where conversation=? and conversation is not null and read_at is null limit 1"
_READ = "update inbox set read_at=? where sequence=? and conversation=?"
_SAVE = f"update conversation set {CONVERSATION_SAVED} where key=? and version=?"
_MOVE = f"update conversation set {CONVERSATION_MOVED} where key=? and version=?"
_CURED = "update conversation set poison_count=0, poison_error=null, poison_at=null where key=?"
_POISON = """update conversation set poison_count=poison_count+1, poison_error=?, poison_at=?,
  wake_at=? + min(? << min(poison_count, 10), ?) where key=?"""
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
_PENDING_CARD = "select sequence from outbox where conversation=? and status='pending' and kind='card' limit 1"
_LABEL = "insert into label (conversation, agent, complaint, text, language, at) values (?,?,?,?,?,?)"
_MUTE = """insert into customer (channel, id, handle, muted) values (?,?,?,1)
  on conflict (channel, id) do update set muted=1"""
_AUDIT = "insert into audit (at, actor, action, subject) values (?,?,?,?)"


def decide_due(attempt: Attempt, now: int, limit: int, decide: Decider) -> int:
    """See ``Store.decide_due``."""
    x = attempt.x
    due = x(_DUE, (now, limit)).fetchall()
    for woken in due:
        try:
            attempt.alone(partial(_decide, x, woken, now, decide))
        except Exception as error:
            if is_outage(error) or isinstance(error, Entangled):
                raise
            _poison(x, woken[0], error, now)
    return len(due)


def _decide(x: Execute, woken: tuple[ConversationKey, int, str, int], now: int, decide: Decider) -> None:
    key, version, document, poisoned = woken
    unread = x(_UNREAD, (key,)).fetchall()
    events = tuple(InboxEvent(sequence, load_event(kind, event)) for sequence, kind, event in unread)
    claimed = Claimed(load_conversation(document), events)
    decision = decide(claimed)
    conversation = decision.conversation
    if conversation.key != key:
        raise StoreError(f"the decision for {key} is about {conversation.key}")
    consumed = set(decision.consumed)
    if not consumed <= {event.sequence for event in events}:
        raise StoreError(f"the decision for {key} consumed events that it was not given: {sorted(consumed)}")
    for sequence in decision.consumed:
        x(_READ, (now, sequence, key))
    conversation = _write_outbox(x, decision, conversation, now)
    _write_turns(x, decision, key)
    _write_rest(x, decision, now)
    wake_at = micros(conversation.wake_at) if conversation.wake_at else None
    if len(consumed) < len(events):
        wake_at = now if wake_at is None else min(wake_at, now)
    if wake_at is not None and wake_at <= now and not consumed and conversation == claimed.conversation:
        raise StoreError(f"the decision for {key} changed nothing, and it is still due: it would be claimed for ever")
    before = claimed.conversation
    if conversation.state is before.state and conversation.customer == before.customer:
        saved = x(_SAVE, (*saved_params(conversation, wake_at, now), key, version))
    else:
        saved = x(_MOVE, (*moved_params(conversation, wake_at, now), key, version))
    if saved.rowcount != 1:
        raise StoreError(f"{key} is no longer at version {version}")
    if poisoned:
        x(_CURED, (key,))


def _write_outbox(x: Execute, decision: Decision, conversation: Conversation, now: int) -> Conversation:
    """Withdraw, postpone, insert. Returns the conversation without the words that were withdrawn."""
    key = conversation.key
    if decision.withdraw is not None:
        withdrawn = x(
            f"update outbox set status='withdrawn', reason=?, updated_at=? where {_BOT_WORDS} returning key",
            (clean(decision.withdraw), now, key),
        ).fetchall()
        conversation = conversation.without_words(frozenset(EffectKey(row[0]) for row in withdrawn))
    if decision.postpone is not None:
        until = postponed(decision.postpone)
        x(f"update outbox set not_before=? where {_BOT_WORDS} and not_before<?", (until, key, until))
    for row in decision.outbox:
        if row.kind is Kind.CARD and _coalesced(x, row):
            continue
        x(_OUT, outbox_params(row, now))
    return conversation


def postponed(postpone: Postpone) -> int:
    """Until when: the customer's quiet, but no later than the window allows."""
    until = micros(postpone.until)
    return until if postpone.latest_at is None else min(until, micros(postpone.latest_at))


def _coalesced(x: Execute, row: OutboxRow) -> bool:
    """A card that waits shows the newest state when it leaves: it takes over where this one was to go, and how soon."""
    waiting = x(_PENDING_CARD, (row.conversation,)).fetchone()
    if waiting is None:
        return False
    x("update outbox set lane=?, rank=min(rank, ?) where sequence=?", (row.lane, int(row.rank), waiting[0]))
    return True


def _write_turns(x: Execute, decision: Decision, key: ConversationKey) -> None:
    for turn in decision.turns:
        x(_TURN, turn_params(turn))
    for edit in decision.edits:
        x(_EDIT, (clean(edit.text), dump_reading(edit.reading), micros(edit.edited_at), key, clean(edit.id)))
    for deletion in decision.deletions:
        x(_DELETE, (micros(deletion.deleted_at), key, clean(deletion.id)))
        for sequence, kind, document in x(_COPIES, (key, clean(deletion.id))).fetchall():
            _, scrubbed = dump_event(scrub_event(load_event(kind, document)))
            x("update inbox set document=? where sequence=?", (scrubbed, sequence))


def _write_rest(x: Execute, decision: Decision, now: int) -> None:
    for label in decision.labels:
        text, language = clean(label.text), label.language
        x(_LABEL, (label.conversation, label.agent, int(label.complaint), text, language, micros(label.at)))
    conversation = decision.conversation
    if decision.mute_customer:
        customer = conversation.customer
        x(_MUTE, (conversation.channel, clean(customer.id), plain_handle(customer.handle)))
    for action in decision.audit:
        x(_AUDIT, (now, "bot", clean(action), conversation.key))


def _poison(x: Execute, key: ConversationKey, error: Exception, now: int) -> None:
    text = clean(f"{type(error).__name__}: {error}")[:2000]
    first, most = (seconds * 1_000_000 for seconds in POISON_S)
    x(_POISON, (text, now, now, first, most, key))
