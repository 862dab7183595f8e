"""A thread's tail need not name us: before the first reply the author's other posts of the thread are looked up."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.channels.x.intake.taking import take_posts
from bot.channels.x.line import Line
from bot.channels.x.parse import Post
from bot.channels.x.problems import Problem, XError
from bot.channels.x.spend import Purpose

LOOKS = ((0.2, 60.0), (0.6, 180.0))
"""A thread is posted in one go or typed within minutes: it is looked up twice before the quiet time ends, each time
after a share of it, and at most so many seconds after the beginning of the thread."""
PAGE = 20
WAITING_MAX = 5000
ROUND_MAX = 25
"""Threads looked up in one round: in a storm mentions and messages are still read in between."""


class Tails:
    """Threads whose rest is to be looked up."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.waiting: list[tuple[datetime, Post]] = []

    def note(self, post: Post) -> None:
        """A conversation began with this post."""
        if not self.line.account.thread_tails or post.author is None or not post.author.handle:
            return
        now, quiet_s = self.line.now(), self.line.doors.quiet_s()
        began = min(post.posted_at or now, now)
        looks = {max(now, began + timedelta(seconds=min(share * quiet_s, most_s))) for share, most_s in LOOKS}
        self.waiting += [(at, post) for at in sorted(looks)]
        del self.waiting[:-WAITING_MAX]

    def due_at(self) -> datetime | None:
        """When there is something to look up."""
        return min((at for at, _ in self.waiting), default=None)

    async def look(self) -> None:
        """Look up what is due, the longest due first. Raises ``XError``; without money or beyond limits the story goes
        on without tails."""
        now = self.line.now()
        due = sorted((entry for entry in self.waiting if entry[0] <= now), key=lambda entry: entry[0])
        for entry in due[:ROUND_MAX]:
            self.waiting.remove(entry)
            try:
                await self.look_up(entry[1])
            except XError as error:
                if error.problem in (Problem.CREDITS, Problem.LIMIT):
                    self.waiting.clear()
                raise

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
