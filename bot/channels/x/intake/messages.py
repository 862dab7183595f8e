"""Direct messages are read at the pace that X allows (15 calls in 15 minutes), newest first, back to the cursor."""

from __future__ import annotations

from datetime import timedelta

from bot.channels.x import arrivals
from bot.channels.x.intake.mentions import Cursor
from bot.channels.x.intake.own import ROWS_MAX, elsewhere, row_of
from bot.channels.x.intake.taking import take_unreadable
from bot.channels.x.line import CHANNEL, Line
from bot.channels.x.parse import Message, Messages, Unreadable
from bot.channels.x.problems import Problem, XError
from bot.channels.x.settings import OVERLAP_S
from bot.store.records import Arrival, Place
from conversations.ids import ConversationKey, ExternalId
from conversations.wording.request import Surface

PAGE = 20
"""Messages read at a time: each costs ten times as much as a mention."""
PAGE_FULL = 100
PAGES_MAX = 15
SHUT = (Problem.PERMISSION, Problem.OTHER, Problem.NO_SUCH_ROUTE, Problem.MESSAGES_SHUT)


class DirectMessages:
    """The job that reads direct messages."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.taken: dict[str, None] = {}

    async def poll(self) -> None:
        """Read what is new. Raises ``XError``: without direct messages everything works in public."""
        line, now = self.line, self.line.now()
        first = now - timedelta(seconds=line.account.cold_start_s)
        cursor = Cursor.load(await line.get("messages"), first)
        begin = cursor.newest_at - timedelta(seconds=OVERLAP_S) if cursor.newest_at else cursor.since
        moved, token, size = cursor, None, PAGE
        rows: list[Message | Unreadable] = []
        failed: XError | None = None
        for _ in range(PAGES_MAX):
            try:
                page = await line.client.messages(token, size)
            except XError as error:
                if error.problem in SHUT and error.status != 401:
                    line.messages_open = False
                failed = error
                break
            recent = [
                row for row in page.rows if isinstance(row, Unreadable) or row.sent_at is None or row.sent_at >= begin
            ]
            rows += recent
            moved, token, size = past(moved, page), page.next_token, PAGE_FULL
            if token is None or len(recent) < len(page.rows):
                break
        await self.take(rows)
        if failed is not None:
            raise failed
        line.messages_open = True
        if moved != cursor or cursor.newest_at is None:
            await line.set("messages", moved.dump())

    async def take(self, rows: list[Message | Unreadable]) -> None:
        """Take in what customers wrote, and what a colleague typed, in one go: an answer that is there already is seen
        before the bot speaks. ``rows``: newest first."""
        line = self.line
        fresh = [row for row in reversed(rows) if isinstance(row, Message) and row.id not in self.taken]
        await take_unreadable(
            line, [row for row in rows if isinstance(row, Unreadable) and row.id not in self.taken], Surface.DIRECT
        )
        ours = [row for row in fresh if row.sender is not None and row.sender.id in line.doors.ours.by_id]
        theirs = [row for row in fresh if row not in ours]
        arrived: list[Arrival] = [arrivals.wrote(line, row) for row in theirs]
        arrived += await self.typed(ours, theirs)
        if arrived:
            await line.doors.take_in(arrived)
        for row in rows:
            self.taken[row.id] = None
        for old in list(self.taken)[: max(0, len(self.taken) - 10_000)]:
            del self.taken[old]

    async def typed(self, ours: list[Message], theirs: list[Message]) -> list[Arrival]:
        """Messages from our account that we did not send, with the conversation that they belong to, or the message of
        ``theirs`` that they answer. Both oldest first."""
        line = self.line
        unknown = [row for row in ours if arrivals.direct_id(row.id) not in line.known.ours]
        if not unknown:
            return []
        rows = await line.doors.store.sent_words(
            CHANNEL, line.name, Place.DIRECT.value, line.now() - timedelta(days=2), ROWS_MAX
        )
        found: list[Arrival] = []
        for row in unknown:
            id_ = arrivals.direct_id(row.id)
            sent = row_of(rows, row)
            if sent is None:
                case = await self.conversation_with(row)
                about = answered(row, theirs) if case is None else None
                if case is not None or about is not None:
                    found.append(
                        elsewhere(line, id_, row.text, row.sent_at, Surface.DIRECT, about=about, conversation=case)
                    )
            if sent is None or sent.external_id == id_:  # of words still under way the read-back decides
                line.known.sent(id_)
        return found

    async def conversation_with(self, message: Message) -> ConversationKey | None:
        """The open conversation with the person whom a message of ours went to."""
        line = self.line
        for person in people_of(message):
            if person in line.doors.ours.by_id:
                continue
            for case in await line.doors.store.conversations(customer=person, limit=5):
                if case.channel == CHANNEL and case.account == line.name and case.is_open:
                    return case.key
        return None


def people_of(message: Message) -> list[str]:
    """Who takes part, as far as X says."""
    return list(dict.fromkeys(id_ for id_ in (*message.people, *message.thread.split("-")) if id_))


def answered(ours: Message, theirs: list[Message]) -> ExternalId | None:
    """The latest message of the other side before one of ours. ``theirs``: oldest first."""
    people = people_of(ours)
    for row in reversed(theirs):
        earlier = row.sent_at is None or ours.sent_at is None or row.sent_at <= ours.sent_at
        if earlier and row.sender is not None and row.sender.id in people:
            return arrivals.direct_id(row.id)
    return None


def past(cursor: Cursor, page: Messages) -> Cursor:
    """The cursor moved past messages."""
    rows = [row for row in page.rows if isinstance(row, Message) and row.sent_at is not None]
    newest = max(rows, key=lambda row: row.sent_at or cursor.since, default=None)
    if newest is None or (cursor.newest_at and newest.sent_at and newest.sent_at <= cursor.newest_at):
        return cursor
    return Cursor(cursor.since, newest.id, newest.sent_at)
