"""What Slack shows of ours, by the opaque ids in the messages' metadata (``bot/audit``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.audit import Finding, Kind
from bot.channels.slack.channel import SlackChannel
from bot.desk.slack.desk import SlackDesk
from bot.slack.app import Slack
from bot.slack.marks import ids_of, opaque, status_mark
from bot.slack.trouble import Trouble, TroubleKind
from bot.store.port import Store
from bot.store.records import Kind as RowKind
from bot.store.records import OutboxRow, Place, Status
from conversations.conversation import Conversation
from conversations.errors import HearoutError

CASES_MAX = 30
"""Threads that one audit reads: Slack allows some 50 such calls a minute, and the sweep needs them too."""
PAGES_MAX = 20
ROWS_MAX = 20_000
"""Rows of one case that its messages may carry the marks of."""


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
                rows = await self.store.outbox(conversation=case.key, limit=ROWS_MAX)
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
        shown = await self.marks(record.channel, record.ts, since)
        if shown is None:
            return []
        marks = {mark: [ts for ts in stamps if ts != record.ts] for mark, stamps in shown.items()}
        known = {opaque(row.key) for row in rows} | {opaque(status_mark(row.key)) for row in rows}
        where = "slack desk"
        return doubled(where, record.channel, marks) + [
            Finding(Kind.ORPHAN, where, f"{record.channel}:{stamps[0]}")
            for mark, stamps in marks.items()
            if stamps and mark.partition(".")[0] not in known  # the parts of a long text are MARK.0, MARK.1
        ]

    async def with_the_customer(
        self, case: Conversation, rows: Sequence[OutboxRow], since: datetime, until: datetime
    ) -> list[Finding]:
        """Our words in the customer's thread."""
        if self.customers is None or case.channel != self.customers.name:
            return []
        findings = []
        threads: dict[tuple[str, str | None], list[OutboxRow]] = defaultdict(list)
        for row in rows:
            if row.kind is RowKind.WORDS and row.status is Status.SENT and row.place is not Place.DESK:
                threads[await self.customers.place_of(row, case)].append(row)
        for (channel, thread), said in threads.items():
            marks = await self.marks(channel, thread, since)
            if marks is None:
                continue
            findings += doubled("slack", channel, marks)
            findings += [
                Finding(Kind.MISSING, "slack", f"{row.external_id} of {row.key}")
                for row in said
                if since <= sent_at(row) <= until and opaque(row.key) not in marks
            ]
        return findings

    async def marks(self, channel: str, thread: str | None, since: datetime) -> dict[str, list[str]] | None:
        """The opaque ids in a thread, or beside all threads, since then, each with the messages that carry it. None: not to
        be seen any more."""
        found: dict[str, list[str]] = defaultdict(list)
        client, cursor = self.slack.client, ""
        look: tuple[str, Any, dict[str, str]] = ("conversations.history", client.conversations_history, {})
        if thread is not None:
            look = ("conversations.replies", client.conversations_replies, {"ts": thread})
        method, call, more = look
        for _ in range(PAGES_MAX):
            try:
                answer = await self.slack.ask(
                    method,
                    call(
                        channel=channel,
                        oldest=f"{since.timestamp():.6f}",
                        limit=200,
                        include_all_metadata=True,
                        cursor=cursor or None,
                        **more,
                    ),
                )
            except Trouble as trouble:
                if trouble.kind in (TroubleKind.PLACE, TroubleKind.REFUSED):  # archived, or the thread was deleted
                    return None
                raise
            for message in answer.get("messages") or []:
                for mark in ids_of(message):
                    if str(message["ts"]) not in found[mark]:
                        found[mark].append(str(message["ts"]))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found


def sent_at(row: OutboxRow) -> datetime:
    """When Slack took a message, by its own stamp (``channel:ts``): a row may be settled long after it was sent."""
    _, _, ts = str(row.external_id).partition(":")
    return datetime.fromtimestamp(float(ts.partition(":")[0]), UTC)


def doubled(where: str, channel: str, marks: dict[str, list[str]]) -> list[Finding]:
    """The same mark on more than one message. A message may carry several."""
    pairs = {(ts, shown[0]): None for shown in marks.values() for ts in shown[1:]}
    return [Finding(Kind.DUPLICATE, where, f"{channel}:{ts} repeats {channel}:{first}") for ts, first in pairs]
