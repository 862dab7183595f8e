"""What Slack shows of ours, by the opaque ids in the messages' metadata (``bot/audit``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from bot.audit import Finding, Kind
from bot.channels.slack.channel import SlackChannel
from bot.desk.slack.desk import SlackDesk
from bot.slack.app import Slack
from bot.slack.marks import ids_of, opaque
from bot.slack.trouble import Trouble, TroubleKind
from bot.store.port import Store
from bot.store.records import Kind as RowKind
from bot.store.records import OutboxRow, Place, Status
from conversations.conversation import Conversation
from conversations.errors import HearoutError

CASES_MAX = 30
"""Threads that one audit reads: Slack allows some 50 such calls a minute, and the sweep needs them too."""
PAGES_MAX = 20


class NotReadable(HearoutError):
    """Slack did not show a thread."""


class SlackAudit:
    """Looks at the threads of cases that we wrote to lately: the customers', and the agents' at the desk."""

    def __init__(self, slack: Slack, store: Store, desk: SlackDesk, customers: SlackChannel | None) -> None:
        self.slack = slack
        self.store = store
        self.desk = desk
        self.customers = customers

    async def __call__(self, since: datetime, until: datetime) -> Sequence[Finding]:
        """The threads of the latest cases. Raises ``NotReadable``."""
        findings: list[Finding] = []
        try:
            await self.slack.open()
            for case in await self.store.conversations(limit=CASES_MAX):
                rows = await self.store.outbox(conversation=case.key)
                sent = [row for row in rows if row.updated_at is not None and row.updated_at >= since]
                if not sent:
                    continue
                findings += await self.at_the_desk(case, rows, since)
                findings += await self.with_the_customer(case, rows, since, until)
        except Trouble as trouble:
            raise NotReadable(str(trouble)) from trouble
        return findings

    async def at_the_desk(self, case: Conversation, rows: Sequence[OutboxRow], since: datetime) -> list[Finding]:
        """Mirrored turns and alarms under the card: nothing twice, nothing strange."""
        record = await self.desk.board.records.get(case.key)
        if not record.up:
            return []
        marks = await self.marks(record.channel, record.ts, since)
        marks = {mark: [ts for ts in shown if ts != record.ts] for mark, shown in marks.items()}
        known = {opaque(row.key) for row in rows}
        where = "slack desk"
        return doubled(where, record.channel, marks) + [
            Finding(Kind.ORPHAN, where, f"{record.channel}:{shown[0]}")
            for mark, shown in marks.items()
            if shown and mark not in known
        ]

    async def with_the_customer(
        self, case: Conversation, rows: Sequence[OutboxRow], since: datetime, until: datetime
    ) -> list[Finding]:
        """Our words in the customer's thread."""
        if self.customers is None or case.channel != self.customers.name:
            return []
        findings = []
        threads: dict[tuple[str, str], list[OutboxRow]] = defaultdict(list)
        for row in rows:
            if row.kind is RowKind.WORDS and row.status is Status.SENT and row.place is not Place.DESK:
                channel, thread = await self.customers.place_of(row, case)
                if thread is not None:
                    threads[channel, thread].append(row)
        for (channel, thread), said in threads.items():
            marks = await self.marks(channel, thread, since)
            findings += doubled("slack", channel, marks)
            findings += [
                Finding(Kind.MISSING, "slack", f"{row.external_id} of {row.key}")
                for row in said
                if row.updated_at is not None and since <= row.updated_at <= until and opaque(row.key) not in marks
            ]
        return findings

    async def marks(self, channel: str, thread: str, since: datetime) -> dict[str, list[str]]:
        """The opaque ids in a thread since then, each with the messages that carry it."""
        found: dict[str, list[str]] = defaultdict(list)
        client, cursor = self.slack.client, ""
        for _ in range(PAGES_MAX):
            try:
                answer = await self.slack.ask(
                    "conversations.replies",
                    client.conversations_replies(
                        channel=channel,
                        ts=thread,
                        oldest=f"{since.timestamp():.6f}",
                        limit=200,
                        include_all_metadata=True,
                        cursor=cursor or None,
                    ),
                )
            except Trouble as trouble:
                if trouble.kind in (TroubleKind.PLACE, TroubleKind.REFUSED):  # archived, or the thread was deleted
                    return {}
                raise
            for message in answer.get("messages") or []:
                for mark in ids_of(message):
                    if str(message["ts"]) not in found[mark]:
                        found[mark].append(str(message["ts"]))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found


def doubled(where: str, channel: str, marks: dict[str, list[str]]) -> list[Finding]:
    """The same mark on more than one message. A message may carry several."""
    pairs = {(ts, shown[0]): None for shown in marks.values() for ts in shown[1:]}
    return [Finding(Kind.DUPLICATE, where, f"{channel}:{ts} repeats {channel}:{first}") for ts, first in pairs]
