"""A thread's tail need not name us: before the first reply the author's other posts of the thread are looked up."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.channels.x.intake.taking import take_posts
from bot.channels.x.line import Line
from bot.channels.x.parse import Post
from bot.channels.x.problems import Problem, XError
from bot.channels.x.spend import Purpose

AFTER_S = 60.0
"""A thread is posted in one go or typed within minutes: it is looked up this long after we saw its beginning, and
once more before the quiet time ends."""
AGAIN_S = 180.0
PAGE = 20
WAITING_MAX = 5000


class Tails:
    """Threads whose rest is to be looked up."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.waiting: list[tuple[datetime, Post, bool]] = []

    def note(self, post: Post) -> None:
        """A conversation began with this post."""
        if self.line.account.thread_tails and post.author is not None and post.author.handle:
            self.waiting.append((self.line.now() + timedelta(seconds=AFTER_S), post, True))
            del self.waiting[:-WAITING_MAX]

    def due_at(self) -> datetime | None:
        """When there is something to look up."""
        return min((at for at, _, _ in self.waiting), default=None)

    async def look(self) -> None:
        """Look up what is due. Raises ``XError``; without money or beyond limits the story goes on without tails."""
        now = self.line.now()
        due = [entry for entry in self.waiting if entry[0] <= now]
        self.waiting = [entry for entry in self.waiting if entry[0] > now]
        for at, post, again in due:
            try:
                await self.look_up(post)
            except XError as error:
                if error.problem in (Problem.CREDITS, Problem.LIMIT):
                    self.waiting.clear()
                raise
            if again:
                self.waiting.append((at + timedelta(seconds=AGAIN_S - AFTER_S), post, False))

    async def look_up(self, post: Post) -> None:
        """The author's own posts of one thread."""
        line, author = self.line, post.author
        assert author is not None
        query = f"conversation_id:{post.thread} from:{author.handle}"
        page = await line.client.search(query, None, None, None, PAGE, Purpose.EXTRAS)
        tail = [
            row
            for row in page.good
            if row.author is not None
            and row.author.id == author.id
            and row.first != post.first
            and row.reply_to_user in (None, author.id)
            and row.retweet_of is None
        ]
        await take_posts(line, tail, in_mentions=False)
