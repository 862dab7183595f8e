"""Deletions: a stored post that is gone from X has to go here within 24 hours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.channels.x import arrivals
from bot.channels.x.client import LOOKUP_MAX, OverBudget
from bot.channels.x.intake.taking import ASIDES_MAX, take_posts
from bot.channels.x.line import CHANNEL, Line
from bot.channels.x.parse import instant
from bot.channels.x.spend import Purpose
from bot.store.records import Place
from conversations.conversation import Author

SWEEP_S = 12 * 3600.0
"""Every stored post is looked at twice a day: a deletion is noticed within 24 hours, an outage between two sweeps
included."""
FRESH_S = 6 * 3600.0
"""A post that the polls have shown since then need not be asked for."""
CASES_PAGE = 200


async def look_up(line: Line, ids: Sequence[str], purpose: Purpose = Purpose.EXTRAS) -> set[str]:
    """Ask X for posts; our copies of those that are gone are deleted, edits are taken over. Returns the gone. Raises
    ``XError``."""
    gone: set[str] = set()
    for at in range(0, len(ids), LOOKUP_MAX):
        page = await line.client.lookup(ids[at : at + LOOKUP_MAX], purpose)
        posts = {post.first: post for post in page.good}
        newer = [post.versions[-1] for post in posts.values() if post.versions[-1] != post.id]
        if newer:  # asked for by an old version's id, X shows that version
            latest = await line.client.lookup(newer, purpose)
            posts |= {post.first: post for post in latest.good}
        await take_posts(line, list(posts.values()), in_mentions=False)
        for id_ in page.gone:
            first = line.known.first(id_)
            if (seen := line.known.get(first)) is not None:
                seen.gone = True
            gone.add(first)
    if gone:
        await line.doors.take_in([arrivals.deleted(line, first) for first in sorted(gone)])
    return gone


async def sweep(line: Line, show_all: Callable[[], Awaitable[None]]) -> None:
    """Look at every stored post that was not seen lately. ``show_all`` reads what the mentions still show, which is cheaper.

    Where the day's money does not reach, the next sweep goes on there, and the desk is told. Raises ``XError``.
    """
    now = line.now()
    kept = json.loads(await line.get("swept") or "{}")
    last, after = instant(kept.get("at")), str(kept.get("after") or "")
    if last is not None and now - last < timedelta(seconds=SWEEP_S):
        return
    ids = await held(line, now - timedelta(days=line.account.held_days))
    if ids:
        await show_all()
    fresh = now - timedelta(seconds=FRESH_S)
    stale = sorted(id_ for id_ in ids if (seen := line.known.get(id_)) is None or seen.seen_at < fresh)
    order = [id_ for id_ in stale if id_ > after] + [id_ for id_ in stale if id_ <= after]
    for at in range(0, len(order), LOOKUP_MAX):
        batch = order[at : at + LOOKUP_MAX]
        try:
            await look_up(line, [seen.id if (seen := line.known.get(id_)) else id_ for id_ in batch], Purpose.CHECKS)
        except OverBudget:
            await line.alert(
                "deletions", f"no money to look for deletions: {len(order) - at} stored posts were not checked"
            )
            await line.set("swept", json.dumps({"at": now.isoformat(), "after": after}))
            return
        after = batch[-1]
        await asyncio.sleep(0)
    await line.set("swept", json.dumps({"at": now.isoformat(), "after": ""}))


async def held(line: Line, since: datetime) -> list[str]:
    """The ids of all posts of customers of which we keep a copy."""
    store = line.doors.store
    ids: dict[str, None] = {}
    for entry in await store.asides(ASIDES_MAX):
        if entry.channel == CHANNEL and entry.account == line.name and entry.at >= since and entry.id.isdecimal():
            ids[entry.id] = None
    offset = 0
    while cases := await store.conversations(limit=CASES_PAGE, offset=offset):
        offset += len(cases)
        lately = [case for case in cases if (case.last_posted_at or case.opened_at) >= since]
        for case in lately:
            if case.channel != CHANNEL or case.account != line.name:
                continue
            for turn in await store.turns(case.key):
                if turn.author is Author.CUSTOMER and turn.place is Place.PUBLIC and turn.text is not None:
                    ids[turn.id] = None
        await asyncio.sleep(0)
        if not lately:
            break
    return list(ids)
