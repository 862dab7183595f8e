"""Posts that were read are taken in: each once, edits as edits, ours never, and none dropped because it makes no
sense."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.channels.x import arrivals
from bot.channels.x.client import LOOKUP_MAX
from bot.channels.x.known import Seen
from bot.channels.x.line import CHANNEL, Line, log
from bot.channels.x.parse import Post, Unreadable
from bot.channels.x.problems import XError
from bot.channels.x.spend import Purpose
from bot.store.records import Arrival, Open
from conversations.wording.request import Surface

EPOCH = datetime(2006, 1, 1, tzinfo=UTC)
ASIDES_MAX = 1000
CASES_MAX = 5
"""How many conversations of a customer are looked through for an edited post: the latest."""


async def take_posts(line: Line, rows: Sequence[Post | Unreadable], *, in_mentions: bool = True) -> list[Post]:
    """Take in posts of customers, oldest first. Returns those that opened a conversation.

    ``in_mentions``: X itself says that they mention us. Raises ``StoreUnavailable``: nothing was kept.
    """
    learn_handle(line, rows)
    posts = await with_authors(line, [row for row in rows if isinstance(row, Post) and not is_ours(line, row)])
    posts.sort(key=lambda post: (post.posted_at or EPOCH, len(post.id), post.id))
    fresh: list[Post] = []
    for post in posts:
        seen = line.known.get(post.first)
        if seen is None:
            fresh.append(post)
            continue
        seen.seen_at = line.now()
        seen.in_mentions = seen.in_mentions or in_mentions
        if is_newer(post, seen):
            await take_edit(line, post)
            remember(line, post, in_mentions=seen.in_mentions)
    strange = [row for row in rows if isinstance(row, Unreadable) and line.known.get(f"unreadable:{row.id}") is None]
    await take_unreadable(line, strange, Surface.PUBLIC)
    unique = list({post.first: post for post in fresh}.values())
    arrived = [arrivals.posted(line, post, mentions_us=True if in_mentions else None) for post in unique]
    if not arrived:
        return []
    taken = await line.doors.take_in(arrived)
    opened: list[Post] = []
    for post, entry in zip(unique, taken, strict=True):
        if not entry.new and post.id != post.first:
            await take_edit(line, post)
        remember(line, post, in_mentions=in_mentions)
        if entry.new and isinstance(entry.route, Open):
            opened.append(post)
    return opened


async def take_unreadable(line: Line, rows: Sequence[Unreadable], surface: Surface) -> None:
    """Keep what could not be understood, and tell the desk."""
    if not rows:
        return
    taken = await line.doors.take_in([arrivals.unreadable(line, row, surface) for row in rows])
    for row in rows:
        now = line.now()
        line.known.put(Seen(row.id, f"unreadable:{row.id}", "", "", False, now, now), ())
    if any(entry.new for entry in taken):
        log.warning("unreadable rows", account=line.name, count=len(rows), why=rows[0].why)
        await line.alert("unreadable", f"{len(rows)} entries could not be read and were set aside: {rows[0].why}")


async def take_edit(line: Line, post: Post) -> None:
    """A post that we have has a newer version. One that was set aside is triaged again under the new version's id."""
    turn = await held_turn(line, post)
    if turn is not None and turn[1] == post.text:
        return
    arrival: Arrival
    if turn is not None:
        arrival = arrivals.edited(line, post, turn[0])
    elif await is_aside(line, post):
        arrival = arrivals.posted(line, post, key=post.id)
    else:
        arrival = arrivals.edited(line, post, post.first)
    await line.doors.take_in([arrival])


async def held_turn(line: Line, post: Post) -> tuple[str, str | None] | None:
    """Our copy of a post: the id that it has in its conversation, and its text there."""
    store = line.doors.store
    customer = arrivals.customer_of(post.author, post.id)
    for case in await store.conversations(customer=customer.id, limit=CASES_MAX):
        for version in dict.fromkeys((post.first, *reversed(post.versions))):
            if case.channel == CHANNEL and (turn := await store.turn(case.key, version)) is not None:
                return turn.id, turn.text
    return None


async def is_aside(line: Line, post: Post) -> bool:
    """Whether triage set it aside and nobody opened it."""
    ids = {post.first, *post.versions}
    return any(entry.channel == CHANNEL and entry.id in ids for entry in await line.doors.store.asides(ASIDES_MAX))


async def with_authors(line: Line, posts: list[Post]) -> list[Post]:
    """Posts whose author X left out are asked for again by id; those that stay without are handled all the same."""
    lacking = [post for post in posts if post.author is None and line.known.get(post.first) is None]
    if not lacking:
        return posts
    found: dict[str, Post] = {}
    for at in range(0, len(lacking), LOOKUP_MAX):
        ids = [post.id for post in lacking[at : at + LOOKUP_MAX]]
        try:
            found |= {post.id: post for post in (await line.client.lookup(ids, Purpose.READING)).good if post.author}
        except XError as error:
            log.warning("authors not found", account=line.name, error=str(error))
            break
    whole = [found.get(post.id, post) for post in posts]
    return [post for post in whole if not is_ours(line, post)]


def learn_handle(line: Line, rows: Sequence[Post | Unreadable]) -> None:
    """Our own name, from a mention that names our id, while X has not told it otherwise."""
    if line.handle:
        return
    for row in rows:
        if isinstance(row, Post) and line.user_id in row.names_by_id:
            line.learn(line.user_id, row.names_by_id[line.user_id])
            return


def is_ours(line: Line, post: Post) -> bool:
    """Our own posts, and those of our other accounts, are no customer's."""
    return (post.author is not None and post.author.id in line.doors.ours.by_id) or post.id in line.known.ours


def is_newer(post: Post, seen: Seen) -> bool:
    """Whether it is a later version than the one that we know."""
    return post.id != seen.id and post.id == post.versions[-1] and seen.id in post.versions


def remember(line: Line, post: Post, *, in_mentions: bool) -> None:
    """Note what is needed to answer it, to see it edited, and to miss it."""
    now = line.now()
    seen = Seen(
        id=post.id,
        first=post.first,
        author_id=post.author.id if post.author else f"unknown:{post.id}",
        thread=post.thread,
        summons=arrivals.summons(line, post),
        posted_at=post.posted_at or now,
        seen_at=now,
        in_mentions=in_mentions,
    )
    line.known.put(seen, post.versions)
