"""What a colleague typed on our own account counts as an answer: the bot steps back (``brand_answered_elsewhere``)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.channels.x.arrivals import direct_id
from bot.channels.x.intake.mentions import Cursor, ends_before
from bot.channels.x.line import CHANNEL, Line
from bot.channels.x.parse import Message, Post, earlier
from bot.channels.x.readback import said, same
from bot.channels.x.settings import OVERLAP_S
from bot.store.records import Arrival, OutboxRow, Place
from conversations.conversation import Author
from conversations.events import BrandAnsweredElsewhere
from conversations.ids import ConversationKey, ExternalId
from conversations.wording.request import Surface

PAGE = 20
PAGES_MAX = 40
ROWS_MAX = 1000
PART_CHARS_MIN = 20
"""A part of an agent's long words is known by so many characters of it."""


class OwnPosts:
    """The job that reads our own timeline."""

    def __init__(self, line: Line) -> None:
        self.line = line

    async def poll(self) -> None:
        """Read what is new on it. Raises ``XError``."""
        line, now = self.line, self.line.now()
        first = now - timedelta(seconds=line.account.cold_start_s)
        cursor = Cursor.load(await line.get("own"), first)
        begin = cursor.newest_at - timedelta(seconds=OVERLAP_S) if cursor.newest_at else cursor.since
        since_id = earlier(cursor.newest_id, OVERLAP_S) if cursor.newest_id else None
        moved, token = cursor, None
        for _ in range(PAGES_MAX):
            page = await line.client.own_posts(line.user_id, since_id, token, PAGE)
            recent = [post for post in page.good if post.posted_at is None or post.posted_at >= begin]
            await self.take(recent, begin)
            moved, token = moved.past(page.good), page.next_token
            if token is None or ends_before(page, begin):
                break
        if moved != cursor or cursor.newest_at is None:
            await line.set("own", moved.dump())

    async def take(self, posts: list[Post], begin: datetime) -> None:
        """Tell apart what we sent and what somebody typed."""
        line = self.line
        unknown = [post for post in posts if not line.known.ours.get(post.id)]
        if not unknown:
            return
        rows = await line.doors.store.sent_words(
            CHANNEL, line.name, Place.PUBLIC.value, begin - timedelta(days=1), ROWS_MAX
        )
        typed: list[Post] = []
        for post in unknown:
            row = row_of(rows, post)
            if row is None and post.id not in line.known.ours:
                typed.append(post)
                continue
            if row is None or row.external_id == post.id:  # of words still under way the read-back decides
                line.known.sent(post.id, post.thread)
            if row is not None and row.author is Author.BOT and post.posted_at is not None:
                line.ledger.replied_in(post.thread, post.posted_at)
        answers = [arrival for post in typed if (arrival := self.answer(post)) is not None]
        if answers:
            await line.doors.take_in(answers)
        for post in typed:
            line.known.sent(post.id, post.thread)

    def answer(self, post: Post) -> Arrival | None:
        """A reply that somebody typed; other posts of ours answer nobody."""
        if post.reply_to is None or post.retweet_of is not None:
            return None
        return elsewhere(
            self.line,
            ExternalId(post.id),
            post.text,
            post.posted_at,
            Surface.PUBLIC,
            about=self.line.known.first(post.reply_to),
        )


def elsewhere(
    line: Line,
    id_: ExternalId,
    text: str,
    at: datetime | None,
    surface: Surface,
    *,
    about: str | None = None,
    conversation: ConversationKey | None = None,
) -> Arrival:
    """An answer that was given without us."""
    now = line.now()
    event = BrandAnsweredElsewhere(id=id_, answered_at=min(at or now, now), surface=surface, text=text)
    return Arrival(
        channel=CHANNEL,
        account=line.name,
        id=id_,
        event=event,
        at=now,
        conversation=conversation,
        about=ExternalId(about) if about else None,
    )


def row_of(rows: Iterable[OutboxRow], post: Post | Message) -> OutboxRow | None:
    """The row of ours that a post or message came from: by its id, else by its words, in either wording (a send may still
    be under way)."""
    id_ = ExternalId(post.id) if isinstance(post, Post) else direct_id(post.id)
    words = said(post.text)
    for row in rows:
        wordings = filter(None, (row.body["text"], row.body.get("other")))
        if row.external_id == id_ or any(same(text, post.text) for text in wordings):
            return row
        if row.author is Author.AGENT and len(words) >= PART_CHARS_MIN and words in said(row.body["text"]):
            return row
    return None
