"""The whole playground as plain data: the JSON door for tests and tools."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.console.coming import coming
from bot.console.parts import Parts
from bot.desk.calls import call_of
from bot.store.records import Kind
from conversations.conversation import Conversation


async def state_of(app: Parts, limit: int) -> dict[str, Any]:
    """Conversations with their turns, words on the way, calls and timers; what was set aside; the clock."""
    counts = await app.store.counts()
    return {
        "now": app.local_clock.now().isoformat(),
        "ready": app.worker.ready,
        "conversations": [await case_of(app, case) for case in await app.store.conversations(limit=limit)],
        "asides": [
            {
                "sequence": aside.sequence,
                "id": aside.id,
                "customer": aside.customer.id if aside.customer else None,
                "reason": aside.reason,
            }
            for aside in await app.store.asides(limit)
        ],
        "counts": {
            "by_state": dict(counts.by_state),
            "outbox": dict(counts.outbox),
            "unread": counts.unread,
            "poisoned": counts.poisoned,
        },
    }


async def case_of(app: Parts, case: Conversation) -> dict[str, Any]:
    """One conversation."""
    rows = await app.store.outbox(conversation=case.key, limit=500)
    return {
        "key": case.key,
        "customer": case.customer.id,
        "state": case.state.value,
        "outcome": case.outcome.value if case.outcome else None,
        "version": case.version,
        "owner": case.owner.id if case.owner else None,
        "rounds": case.rounds,
        "wish": case.wish,
        "replied_at": iso(case.replied_at),
        "promises": [
            {"id": p.id, "text": p.text, "due_at": iso(p.due_at), "kept_at": iso(p.kept_at)} for p in case.promises
        ],
        "turns": [
            {
                "id": turn.id,
                "author": turn.author.value,
                "place": turn.place.value,
                "text": turn.text,
                "at": iso(turn.posted_at),
                "act": turn.act,
                "agent": turn.agent,
                "key": turn.key,
            }
            for turn in await app.store.turns(case.key)
        ],
        "words": [
            {
                "key": row.key,
                "act": row.act,
                "status": row.status.value,
                "not_before": iso(row.not_before),
                "text": row.body["text"],
            }
            for row in rows
            if row.kind is Kind.WORDS
        ],
        "calls": [
            {
                "alarm": call.alarm.value if call.alarm else None,
                "at": iso(call.at),
                "title": call.title,
                "detail": call.detail,
            }
            for call in (call_of(row) for row in rows if row.kind in (Kind.ALARM, Kind.TELL))
        ],
        "coming": [{"name": entry.name, "at": iso(entry.at), "title": entry.title} for entry in coming(case, rows)],
    }


def iso(at: datetime | None) -> str | None:
    """An instant as text."""
    return at.isoformat() if at else None
