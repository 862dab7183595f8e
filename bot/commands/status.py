"""``hearout status``: the bot at a glance, read beside a running one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.app import open_store
from bot.audit import last_audit
from bot.config import Config
from bot.store.port import StoreMissing
from conversations.conversation import Conversation, TimerName
from conversations.protocol import State

NEXT_MAX = 10


async def status_of(config: Config) -> dict[str, Any]:
    """Counts by state and status, and what breaches next. A database that is not there yet counts as empty."""
    try:
        store = await open_store(config, read_only=True)
    except StoreMissing:
        return {
            "conversations": {},
            "outbox": {},
            "unread": 0,
            "set_aside": 0,
            "oldest_unknown_at": None,
            "breaches_next": [],
            "spend": {},
            "audit": None,
            "leases": {},
        }
    try:
        counts = await store.counts()
        spent = {
            account.name: json.loads(kept)
            for account in config.x.accounts
            if (kept := await store.get_meta(f"x:{account.name}:spend"))
        }
        audit = await last_audit(store)
        leases = {lease.name: lease.holder for lease in await store.leases(datetime.now(UTC))}
        waiting = await store.conversations(states=[s.value for s in State if s is not State.CLOSED], limit=1000)
    finally:
        await store.close()
    breaches = sorted(filter(None, (breach(case, config) for case in waiting)), key=lambda entry: str(entry["at"]))
    return {
        "conversations": dict(counts.by_state),
        "outbox": dict(counts.outbox),
        "unread": counts.unread,
        "set_aside": counts.set_aside,
        "oldest_unknown_at": counts.oldest_unknown_at.isoformat() if counts.oldest_unknown_at else None,
        "breaches_next": breaches[:NEXT_MAX],
        "spend": spent,
        "audit": audit,
        "leases": leases,
    }


def breach(case: Conversation, config: Config) -> dict[str, Any] | None:
    """The next deadline of a conversation that somebody would miss."""
    if case.replied_at is None:
        ends_at = case.first_posted_at + timedelta(seconds=config.policy.window_s)
        return {"conversation": case.key, "what": "first reply", "at": ends_at.isoformat(), "state": case.state.value}
    overdue = case.timer(TimerName.PROMISE_OVERDUE)
    candidates = [(at, what) for at, what in ((case.answer_due_at, "human answer"),) if at is not None]
    candidates += [
        (timer.due_at, "promise") for timer in case.timers if timer.name is TimerName.PROMISE_OVERDUE and overdue
    ]
    if not candidates:
        return None
    at, what = min(candidates)
    return {"conversation": case.key, "what": what, "at": at.isoformat(), "state": case.state.value}


def words_of(document: dict[str, Any]) -> str:
    """The status for people."""
    lines = ["conversations:"]
    lines += [f"  {state}: {count}" for state, count in sorted(document["conversations"].items())] or ["  none"]
    lines.append("outbox:")
    lines += [f"  {status}: {count}" for status, count in sorted(document["outbox"].items())] or ["  empty"]
    lines.append(f"set aside: {document['set_aside']}; events not decided yet: {document['unread']}")
    if document["oldest_unknown_at"]:
        lines.append(f"oldest message with an unknown outcome: since {document['oldest_unknown_at']}")
    lines += [
        f"spent on X today ({spent['day']}) by {name}: ${spent['usd']:.2f}" for name, spent in document["spend"].items()
    ]
    if document["audit"]:
        lines.append(audit_line(document["audit"]))
    lines += [f"leased: {name} to {holder}" for name, holder in document["leases"].items()]
    now = datetime.now(UTC)
    for entry in document["breaches_next"]:
        left = datetime.fromisoformat(entry["at"]) - now
        when = f"in {left}" if left > timedelta() else f"{-left} ago"
        lines.append(f"  {entry['what']} of {entry['conversation']} due {when.split('.')[0]} ({entry['state']})")
    return "\n".join(lines)


def audit_line(audit: Mapping[str, Any]) -> str:
    """The last audit in a line."""
    counts = Counter(finding["kind"] for finding in audit["findings"])
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing amiss"
    return f"audit of {audit['at'][:16].replace('T', ' ')} UTC: {found}"
