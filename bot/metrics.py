"""Figures for ``/metrics``: what passed through this process, and what stands in the store. One registry per app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.store.port import Store
from bot.store.records import Kind, OutboxRow, Status
from conversations.conversation import Conversation
from conversations.effects import Alarm
from conversations.protocol import State

MINUTES = tuple(60.0 * minutes for minutes in (1, 2, 3, 5, 8, 10, 15, 30, 45, 60, 90, 120, 240))


class Metrics:
    """Counts as things happen; asks the store when it is asked itself."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decided = Counter("hearout_decisions", "Events decided, by trigger", ["trigger"], registry=self.registry)
        self.delivered = Counter(
            "hearout_deliveries", "Messages by kind and what became of them", ["kind", "status"], registry=self.registry
        )
        self.first_reply = Histogram(
            "hearout_first_reply_seconds",
            "From the customer's post to the accepted first reply",
            ["channel"],
            buckets=MINUTES,
            registry=self.registry,
        )
        self.alarms = Counter("hearout_alarms", "Calls to people at the desk", ["alarm"], registry=self.registry)
        self.storms = Counter("hearout_storms", "Storms of like complaints", ["topic"], registry=self.registry)
        self.conversations = Gauge("hearout_conversations", "Conversations by state", ["state"], registry=self.registry)
        self.outbox = Gauge("hearout_outbox", "Messages in the outbox by status", ["status"], registry=self.registry)
        self.unread = Gauge("hearout_events_unread", "Events that wait to be decided", registry=self.registry)
        self.unknown_age = Gauge(
            "hearout_unknown_age_seconds", "Age of the oldest message whose outcome is unknown", registry=self.registry
        )
        self.spend = Gauge("hearout_spend_usd", "Spent today on a platform", ["account"], registry=self.registry)
        self.audit_findings = Gauge(
            "hearout_audit_findings", "What the hourly audit found", ["finding"], registry=self.registry
        )

        # A counter that begins with its first event shows no increase to Prometheus, and the first alarm would ring nobody.
        for alarm in Alarm:
            self.alarms.labels(alarm.value)
        for status in Status:
            self.delivered.labels(Kind.WORDS.value, status.value)

        self.spending: Callable[[], Mapping[str, Any]] = dict  # set by whoever pays: {account: {"usd": …}}

    def report(self, row: OutboxRow, status: Status, case: Conversation | None, at_s: float) -> None:
        """A message came to an end, or to a pause."""
        self.delivered.labels(row.kind.value, status.value).inc()
        if row.kind is Kind.WORDS and status is Status.SENT and case is not None and case.replied_at is None:
            self.first_reply.labels(row.channel).observe(max(0.0, at_s - case.first_posted_at.timestamp()))
        if row.kind is Kind.ALARM and status is Status.SENT:
            self.alarms.labels(str(row.body.get("alarm"))).inc()

    async def text(self, store: Store, now_s: float) -> bytes:
        """Everything, in Prometheus' text format."""
        counts = await store.counts()
        for state in State:
            self.conversations.labels(state.value).set(counts.by_state.get(state.value, 0))
        for status in Status:
            self.outbox.labels(status.value).set(counts.outbox.get(status.value, 0))
        self.unread.set(counts.unread)
        for account, spent in self.spending().items():
            self.spend.labels(account).set(spent["usd"])
        oldest = counts.oldest_unknown_at
        self.unknown_age.set(0.0 if oldest is None else max(0.0, now_s - oldest.timestamp()))
        return generate_latest(self.registry)
