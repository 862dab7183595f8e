"""Turns that go from one conversation to another of the same customer, as part of a decision about the first."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from bot.store.codec import clean, dump_event
from bot.store.records import Moved
from bot.store.rows import CONVERSATION_COLUMNS, INBOX_COLUMNS, REPORTS, conversation_params, marks, post_of
from bot.store.steps import Batch
from conversations.events import CaseMerged
from conversations.ids import ConversationKey, EffectKey

_OPEN = f"insert into conversation ({CONVERSATION_COLUMNS}) values ({marks(16)})"
_TELL = f"insert into inbox ({INBOX_COLUMNS}) values ({marks(12)}) on conflict (channel, external_id) do nothing"
_WAKE = "update conversation set wake_at=least(coalesce(wake_at, ?), ?) where key=?"
_WORDS = """update outbox set conversation=? where conversation=? and kind='words'
  and status in ('pending', 'sending', 'unknown')"""


def move_writes(move: Moved, source: ConversationKey, withdrawn: AbstractSet[EffectKey], now: int) -> Batch:
    """Open the other conversation if need be, carry the turns over, tell it, and wake it.

    What arrived about the turns goes along, so that a later edit, deletion or answer finds them; what is still unread stays
    where it is, and is passed on when it is decided about.
    """
    writes: Batch = []
    if move.opens is not None:
        writes.append((_OPEN, conversation_params(move.opens, now, now)))
    of_turns, of_inbox, ids = "", " and post is not null", tuple[str, ...]()
    if move.posts is not None:
        ids = tuple(clean(post) for post in move.posts)
        of_turns, of_inbox = f" and turn_id in ({marks(len(ids))})", f" and post in ({marks(len(ids))})"
    if move.posts is None or ids:
        writes.append((f"update turn set conversation=? where conversation=?{of_turns}", (move.to, source, *ids)))
        arrived = f"update inbox set conversation=? where conversation=? and read_at is not null{of_inbox}"
        writes.append((arrived, (move.to, source, *ids)))
    event = move.event
    if move.posts is None:
        writes.append((_WORDS, (move.to, source)))
    if isinstance(event, CaseMerged):
        event = event.without_words(frozenset(withdrawn))
    kind, document = dump_event(event)
    told: tuple[Any, ...] = (REPORTS, f"{move.key}#moved", "", None, None, move.to, kind, post_of(event), document)
    writes += [(_TELL, (*told, None, None, now)), (_WAKE, (now, now, move.to))]
    return writes
