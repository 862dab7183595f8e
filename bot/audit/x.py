"""Our own timeline, held against what we wrote down (``bot/audit``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.audit import Finding, Kind
from bot.channels.x.channel import XChannel
from bot.channels.x.intake.mentions import ends_before
from bot.channels.x.line import CHANNEL, Line
from bot.channels.x.parse import Post, snowflake_time
from bot.channels.x.problems import XError
from bot.channels.x.readback import said
from bot.store.records import OutboxRow, Place, Status
from conversations.errors import HearoutError

PAGES_MAX = 10
PAGE = 100
ROWS_MAX = 2000


class NotReadable(HearoutError):
    """X did not show our timeline, or the day's money does not allow it."""


class XAudit:
    """Looks at the timeline of every account."""

    def __init__(self, channel: XChannel) -> None:
        self.channel = channel

    async def __call__(self, since: datetime, until: datetime) -> Sequence[Finding]:
        """Public replies between the two instants. Raises ``NotReadable``."""
        findings: list[Finding] = []
        for line in self.channel.lines.values():
            try:
                posts, whole = await timeline(line, since)
            except XError as error:
                raise NotReadable(f"{line.name}: {error}") from error
            store = line.doors.store
            # a row is written before it is sent: those of a day before may stand on the timeline by now
            rows = await store.sent_words(CHANNEL, line.name, Place.PUBLIC.value, since - timedelta(days=1), ROWS_MAX)
            findings += doubled(line.name, posts)
            if whole:
                findings += missing(line.name, posts, rows, since, until)
        return findings


async def timeline(line: Line, since: datetime) -> tuple[list[Post], bool]:
    """Our posts since then, newest first, and whether they are all."""
    await line.load()
    own = await line.own_id()
    token: str | None = None
    posts: list[Post] = []
    for _ in range(PAGES_MAX):
        page = await line.client.own_posts(own, None, token, PAGE)
        posts += page.good
        token = page.next_token
        if token is None or ends_before(page, since):
            return [post for post in posts if post.posted_at is None or post.posted_at >= since], not page.failed
    return posts, False


def doubled(account: str, posts: Sequence[Post]) -> list[Finding]:
    """The same words to the same post, more than once."""
    seen: dict[tuple[str, str], str] = {}
    findings = []
    for post in reversed(posts):
        if post.reply_to is None:
            continue
        first = seen.setdefault((post.reply_to, said(post.text)), post.id)
        if first != post.id:
            findings.append(Finding(Kind.DUPLICATE, f"x {account}", f"{post.id} repeats {first}"))
    return findings


def missing(
    account: str, posts: Sequence[Post], rows: Sequence[OutboxRow], since: datetime, until: datetime
) -> list[Finding]:
    """Rows that were sent between the two instants and that the timeline does not show."""
    shown = {post.id for post in posts}
    findings = []
    for row in rows:
        if row.status is not Status.SENT or row.external_id is None or row.external_id in shown:
            continue
        sent_at = snowflake_time(row.external_id) or row.updated_at  # a row may be settled long after it was sent
        if sent_at is not None and since <= sent_at <= until:
            findings.append(Finding(Kind.MISSING, f"x {account}", f"{row.external_id} of {row.key}"))
    return findings
