"""Mentions are polled with an overlap, paged to the end before the cursor moves, and missed when they are gone."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.channels.x.client import PAGE_MAX, OverBudget
from bot.channels.x.intake.deletions import look_up
from bot.channels.x.intake.tails import Tails
from bot.channels.x.intake.taking import take_posts
from bot.channels.x.line import Line
from bot.channels.x.parse import Post, Posts, Unreadable, earlier, instant
from bot.channels.x.problems import Problem, XError
from bot.channels.x.settings import OVERLAP_S
from bot.channels.x.spend import Purpose

SWEEP_S = 900.0
"""How often mentions are read further back: what was indexed later than the overlap is found so, well within the
window."""
SWEEP_BACK_S = 7200.0
TIMELINE_MAX = 800
"""X shows no more of an account's mentions."""
BACKLOG_ALERT = 700
PAGES_MAX = 120
SEARCH_DAYS = 6.5
"""X searches seven days back, and refuses an id from before."""
SETTLED_S = 120.0
"""A mention may flicker while X indexes it: only later is its absence a sign of deletion."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far mentions were read: the newest one, and since when. Nothing older than ``since`` is taken in."""

    since: datetime
    newest_id: str | None = None
    newest_at: datetime | None = None

    def dump(self) -> str:
        """To be kept."""
        newest_at = self.newest_at.isoformat() if self.newest_at else None
        return json.dumps({"since": self.since.isoformat(), "newest_id": self.newest_id, "newest_at": newest_at})

    @staticmethod
    def load(text: str | None, first: datetime) -> Cursor:
        """As kept, or that of a first start."""
        kept = json.loads(text) if text else {}
        since = instant(kept.get("since"))
        return Cursor(since or first, kept.get("newest_id"), instant(kept.get("newest_at")))

    def past(self, posts: tuple[Post, ...]) -> Cursor:
        """Moved past posts that were taken in."""
        newest = max((post for post in posts if post.posted_at), key=lambda p: p.posted_at or self.since, default=None)
        if newest is None or newest.posted_at is None or (self.newest_at and newest.posted_at <= self.newest_at):
            return self
        return Cursor(self.since, newest.id, newest.posted_at)


class Mentions:
    """The job that reads mentions of one account."""

    def __init__(self, line: Line, tails: Tails, read_own: Callable[[], Awaitable[object]]) -> None:
        """``read_own`` reads our own timeline."""
        self.line = line
        self.tails = tails
        self.read_own = read_own
        self.swept_at: datetime | None = None

    async def poll(self) -> None:
        """Read what is new, with the overlap; every quarter of an hour further back. Raises ``XError``."""
        line, now = self.line, self.line.now()
        first = now - timedelta(seconds=line.account.cold_start_s)
        cursor = Cursor.load(await line.get("mentions"), first)
        sweeping = self.swept_at is None or now - self.swept_at >= timedelta(seconds=SWEEP_S)
        back_s = SWEEP_BACK_S if sweeping else OVERLAP_S
        moved, complete, began = await self.read(cursor, back_s)
        if complete:
            await self.miss(began, now)
        if sweeping:
            self.swept_at = now
        if moved != cursor or cursor.newest_at is None:
            await line.set("mentions", moved.dump())
        line.polled_at = line.now()

    async def read(self, cursor: Cursor, back_s: float, *, looking: bool = False) -> tuple[Cursor, bool, datetime]:
        """All pages from the newest back to the cursor less ``back_s``.

        Returns the moved cursor, whether nothing can have been left out, and from when on. ``looking``: a full timeline is
        no news.
        """
        line = self.line
        begin = max(cursor.since, cursor.newest_at - timedelta(seconds=back_s)) if cursor.newest_at else cursor.since
        since_id = earlier(cursor.newest_id, back_s) if cursor.newest_id else None
        moved, token, count, reached = cursor, None, 0, False
        used: set[str] = set()
        oldest: Post | None = None
        for _ in range(PAGES_MAX):
            page = await line.client.mentions(line.user_id, since_id, token)
            wanted = tuple(row for row in page.rows if not isinstance(row, Post) or is_wanted(row, cursor.since))
            await self.heed_answers(wanted)
            for post in await take_posts(line, wanted):
                self.tails.note(post)
            moved = moved.past(page.good)
            count += len(page.rows)
            oldest = min(
                (post for post in (*page.good, oldest) if post), key=lambda p: p.posted_at or begin, default=None
            )
            reached = ends_before(page, begin)
            token = page.next_token
            if token is None or token in used or reached:
                break
            used.add(token)
        if not looking and count >= BACKLOG_ALERT and not reached:
            await self.backlog(cursor, oldest, count)
        return moved, token is None or reached, begin

    async def heed_answers(self, rows: Sequence[Post | Unreadable]) -> None:
        """Posts that are seen late are answered at once: what colleagues answered in the meantime must be known before.
        Where our timeline cannot be read, a first reply matters more."""
        line = self.line
        quiet = line.now() - timedelta(seconds=line.doors.quiet_s())
        late = (
            row.posted_at is not None and row.posted_at <= quiet and line.known.get(row.first) is None
            for row in rows
            if isinstance(row, Post)
        )
        if any(late):
            with suppress(XError):
                await self.read_own()

    async def show_all(self) -> None:
        """Read all that X shows, so that these posts are known to be there. Raises ``XError``; without money nothing is read."""
        cursor = Cursor.load(await self.line.get("mentions"), self.line.now())
        try:
            await self.read(replace(cursor, newest_id=None, newest_at=None), 0.0, looking=True)
        except OverBudget:
            return

    async def backlog(self, cursor: Cursor, oldest: Post | None, count: int) -> None:
        """X shows 800 mentions at most: what lies behind them is searched for, and the desk is told either way."""
        line = self.line
        words = f"{count} mentions at once; X shows only the last {TIMELINE_MAX}"
        if count >= TIMELINE_MAX - PAGE_MAX // 10 and oldest is not None and line.handle:
            try:
                found = await self.search_behind(cursor, oldest)
                words += f". {found} older ones were found by search"
            except XError as error:
                words += f". Older ones could not be searched for ({error}): look on X"
        await line.alert("backlog", words)

    async def search_behind(self, cursor: Cursor, oldest: Post) -> int:
        """Mentions that are older than what the timeline shows, back to the cursor. Returns how many were read."""
        line, token, count = self.line, None, 0
        recent = cursor.newest_at is not None and line.now() - cursor.newest_at < timedelta(days=SEARCH_DAYS)
        since_id = earlier(cursor.newest_id, OVERLAP_S) if cursor.newest_id and recent else None
        for _ in range(PAGES_MAX):
            page = await line.client.search(
                f"@{line.handle} -is:retweet", since_id, oldest.id, token, PAGE_MAX, Purpose.READING
            )
            for post in await take_posts(
                line, [row for row in page.rows if not isinstance(row, Post) or is_wanted(row, cursor.since)]
            ):
                self.tails.note(post)
            count += len(page.rows)
            token = page.next_token
            if token is None or ends_before(page, cursor.newest_at or cursor.since):
                break
        return count

    async def miss(self, begin: datetime, started: datetime) -> None:
        """Mentions that should have been on the pages and were not: X is asked whether they are deleted."""
        line = self.line
        settled = started - timedelta(seconds=SETTLED_S)
        lost = [
            seen
            for seen in line.known.latest(begin)
            if seen.in_mentions and not seen.gone and seen.seen_at < started and seen.posted_at < settled
        ]
        for seen in lost:
            seen.in_mentions = False  # asked once: a mention that only left the timeline is not asked for at every poll
        try:
            await look_up(line, [seen.id for seen in lost])
        except XError as error:
            for seen in lost:
                seen.in_mentions = True
            if error.problem not in (Problem.CREDITS, Problem.LIMIT):
                raise


def is_wanted(post: Post, since: datetime) -> bool:
    """Whether it is not from before the cold start's cutoff. A post without an instant is."""
    return post.posted_at is None or post.posted_at >= since


def ends_before(page: Posts, begin: datetime) -> bool:
    """Whether a whole page is older than what is wanted: ids and rows are only roughly in order."""
    return bool(page.good) and all(post.posted_at is not None and post.posted_at < begin for post in page.good)
