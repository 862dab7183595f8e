"""The auditor: every hour the platforms are asked what they show of ours, and that is held against what we wrote down.

It changes nothing. What it finds is on ``/metrics`` and ``hearout status``, and the desk is told of what is new:

    duplicate        the same words of ours stand there twice
    missing          we say that it was sent, and the platform does not show it (a colleague may have deleted it)
    orphan           it carries our mark, and nothing of ours knows of it (after a restore from an old backup)
    overdue unknown  nobody knows whether it was sent, and the time to find out has passed
    unread           the platform could not be read back: this part was not audited
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.clock import Clock
from bot.desk.port import Desk
from bot.log import get_logger
from bot.metrics import Metrics
from bot.store.port import Store
from bot.store.records import Status
from conversations.errors import HearoutError

EVERY_S = 3600.0
WINDOW = timedelta(hours=2)
"""How far back is looked: every message is seen by two audits."""
SETTLED = timedelta(minutes=10)
"""What is younger may not be indexed yet (the quarantine of reliability.md)."""
OVERDUE = timedelta(minutes=30)
"""An unknown older than this should have gone to a human: a quarantine of ten minutes, 15 minutes, and some."""
UNKNOWN_MAX = 1000
META = "audit"

log = get_logger("auditor")


class Kind(StrEnum):
    """What an audit may find."""

    DUPLICATE = "duplicate"
    MISSING = "missing"
    ORPHAN = "orphan"
    OVERDUE_UNKNOWN = "overdue unknown"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree. ``what`` names ids, and no customer's words."""

    kind: Kind
    where: str
    what: str


Look = Callable[[datetime, datetime], Awaitable[Sequence[Finding]]]
"""Reads a platform back between two instants. Raises ``HearoutError`` when it cannot."""


class Auditor:
    """Asks each platform in turn."""

    def __init__(
        self, store: Store, clock: Clock, desk: Desk, metrics: Metrics, looks: Mapping[str, Look] | None = None
    ) -> None:
        """``looks``: by name, the platforms that can be read back."""
        self.store = store
        self.clock = clock
        self.desk = desk
        self.metrics = metrics
        self.looks = dict(looks or {})
        self.told: set[Finding] = set()

    async def audit(self) -> list[Finding]:
        """One audit. Returns what it found, kept in the store as well for ``hearout status``."""
        now = self.clock.now()
        findings = await self.overdue(now)
        for name, look in self.looks.items():
            try:
                findings += await look(now - WINDOW, now - SETTLED)
            except HearoutError as error:
                findings.append(Finding(Kind.UNREAD, name, str(error)))
        counts = Counter(finding.kind for finding in findings)
        for kind in Kind:
            self.metrics.audit_findings.labels(kind.value).set(counts[kind])
        kept = {"at": now.isoformat(), "findings": [asdict(finding) for finding in findings]}
        await self.store.set_meta(META, json.dumps(kept))
        await self.tell(findings)
        return findings

    async def overdue(self, now: datetime) -> list[Finding]:
        """Unknown outcomes that nobody has settled in time."""
        rows = await self.store.outbox(statuses=(Status.UNKNOWN.value,), limit=UNKNOWN_MAX)
        return [
            Finding(Kind.OVERDUE_UNKNOWN, row.channel, f"{row.key} since {row.unknown_since:%d %B %H:%M} UTC")
            for row in rows
            if row.unknown_since is not None and now - row.unknown_since > OVERDUE
        ]

    async def tell(self, findings: Sequence[Finding]) -> None:
        """The desk hears of each finding once."""
        new = [finding for finding in findings if finding not in self.told and finding.kind is not Kind.UNREAD]
        self.told = set(findings)
        if not new:
            return
        for finding in new:
            log.error("audit", finding=finding.kind.value, where=finding.where, what=finding.what)
        lines = "\n".join(f"{finding.kind.value} ({finding.where}): {finding.what}" for finding in new[:10])
        more = f"\n… and {len(new) - 10} more" if len(new) > 10 else ""
        await self.desk.alert("audit", f"What the platforms show is not what we wrote down:\n{lines}{more}")


async def last_audit(store: Store) -> Mapping[str, Any] | None:
    """When the last audit was, and what it found: ``{"at", "findings": [{"kind", "where", "what"}]}``; None: none yet."""
    kept = await store.get_meta(META)
    found: Mapping[str, Any] | None = json.loads(kept) if kept else None
    return found
