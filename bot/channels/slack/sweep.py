"""The sweep: what Slack did not deliver is found in the history.

Slack gives up on an event after three tries, and a socket that fell silent loses what was sent over it. So the
channels are read again
after every gap and every few minutes, from the last sweep on; what had come already is the same arrival and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.channels.slack.events import SAID, UNREADABLE, Events, Message
from bot.clock import Clock
from bot.log import get_logger
from bot.slack.app import Slack
from bot.slack.trouble import Trouble, TroubleKind
from bot.store.port import Store
from bot.store.records import Arrival, Taken
from conversations.protocol import State

CURSOR_META = "slack.customers.swept_at"
OVERLAP = timedelta(minutes=3)
"""Read twice, so that a message that was indexed late is not missed."""
THREADS_BACK = timedelta(days=2)
"""Threads that began within this time are looked at for new replies; older ones if their case is open."""
PAGES_MAX = 20
OPEN_THREADS_MAX = 40
"""Threads of open cases that are read in one sweep: Slack allows 50 such calls a minute."""

log = get_logger("slack.sweep")
Bring = Callable[[list[Arrival]], Awaitable[Sequence[Taken]]]


class Sweep:
    """Reads the history of the customers' channels."""

    def __init__(self, slack: Slack, store: Store, clock: Clock, events: Events, bring: Bring) -> None:
        self.slack = slack
        self.store = store
        self.clock = clock
        self.events = events
        self.bring = bring
        self._turn = 0

    async def run(self) -> int:
        """Sweep from the last sweep to now. Returns how many messages were looked at. Raises ``Trouble``; then
        nothing is skipped."""
        began = self.clock.now()
        text = await self.store.get_meta(CURSOR_META)
        if text is None:  # the first start: what was said before we were here is nobody's complaint to us
            await self.store.set_meta(CURSOR_META, began.isoformat())
            return 0
        since = datetime.fromisoformat(text) - OVERLAP
        seen = 0
        swept: set[str] = set()
        for channel in await self.channels():
            try:
                seen += await self.channel(channel, since, swept)
            except Trouble as trouble:
                if trouble.kind is not TroubleKind.PLACE:
                    raise
                log.warning("channel not swept", channel=channel, error=trouble.error)
        seen += await self.open_threads(since, swept)
        await self.store.set_meta(CURSOR_META, began.isoformat())
        return seen

    async def channels(self) -> list[str]:
        """Where customers are heard: as configured, or every channel we are in; and direct messages."""
        kinds = "im" if self.events.settings.channels else "public_channel,private_channel,im"
        found = list(self.events.settings.channels)
        client = self.slack.client
        cursor = ""
        for _ in range(PAGES_MAX):
            try:
                answer = await self.slack.ask(
                    "conversations.list",
                    client.conversations_list(types=kinds, exclude_archived=True, limit=200, cursor=cursor or None),
                )
            except Trouble as trouble:
                if trouble.kind in (TroubleKind.MISSING, TroubleKind.REFUSED):
                    break
                raise
            ours = [str(c["id"]) for c in answer.get("channels") or [] if c.get("is_im") or c.get("is_member")]
            found += filter(self.events.heard, ours)
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return list(dict.fromkeys(found))

    async def channel(self, channel: str, since: datetime, swept: set[str]) -> int:
        """One channel, with the threads in it that have new replies."""
        seen = 0
        direct = channel.startswith("D")
        oldest = since if direct else since - THREADS_BACK
        async for message in self.pages("conversations.history", channel, oldest):
            if stamp(message) >= since.timestamp() or edited_after(message, since):
                seen += await self.take(channel, message)
            if seconds(message.get("latest_reply")) >= since.timestamp():
                seen += await self.thread(channel, str(message["ts"]), since, swept)
        return seen

    async def thread(self, channel: str, ts: str, since: datetime, swept: set[str]) -> int:
        """The new replies of a thread."""
        place = f"{channel}:{ts}"
        if place in swept:
            return 0
        swept.add(place)
        seen = 0
        async for message in self.pages("conversations.replies", channel, since, ts):
            if str(message.get("ts")) != ts and (stamp(message) >= since.timestamp() or edited_after(message, since)):
                seen += await self.take(channel, message)
        return seen

    async def open_threads(self, since: datetime, swept: set[str]) -> int:
        """The threads of open cases that began too long ago to be on a page of the history, some in each sweep."""
        states = [state.value for state in State if state is not State.CLOSED]
        cases = await self.store.conversations(states=states, limit=2_000)
        roots = [str(case.public_root) for case in cases if case.channel == "slack" and case.public_root]
        old = [root for root in roots if float(root.split(":")[1]) < (since - THREADS_BACK).timestamp()]
        if not old:
            return 0
        start = self._turn % len(old)
        self._turn += OPEN_THREADS_MAX
        seen = 0
        for root in (old[start:] + old[:start])[:OPEN_THREADS_MAX]:
            channel, ts = root.split(":")[:2]
            try:
                seen += await self.thread(channel, self.events.root(root) or ts, since, swept)
            except Trouble as trouble:
                if trouble.kind not in (TroubleKind.PLACE, TroubleKind.REFUSED):
                    raise
        return seen

    async def take(self, channel: str, message: Message) -> int:
        """Bring one message in, and its edit if it has one. One that cannot be read stops nobody else's."""
        if str(message.get("subtype") or "") not in SAID:
            return 0
        try:
            said = await self.events.said(channel, message)
            changed = (
                self.events.edited(channel, message) if message.get("edited") and not message.get("bot_id") else None
            )
        except UNREADABLE as error:
            await self.events.unreadable({**message, "channel": channel}, error)
            return 0
        taken = await self.bring([said]) if said is not None else []
        seen_before = not any(entry.new for entry in taken)  # what is new came with its latest words
        if changed is not None and seen_before:
            await self.bring([changed])
        return 1

    async def pages(self, method: str, channel: str, oldest: datetime, ts: str = "") -> AsyncIterator[Message]:
        """Messages of a channel or thread, all pages, oldest page first where Slack gives it so."""
        client = self.slack.client
        call: Any = client.conversations_replies if ts else client.conversations_history
        more: dict[str, Any] = {"ts": ts} if ts else {}
        cursor = ""
        messages: list[Message] = []
        for _ in range(PAGES_MAX):
            answer = await self.slack.ask(
                method,
                call(channel=channel, oldest=f"{oldest.timestamp():.6f}", limit=200, cursor=cursor or None, **more),
            )
            messages += answer.get("messages") or []
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        for message in sorted(messages, key=stamp):
            yield message


def stamp(message: Message) -> float:
    """When a message was said, in Unix seconds."""
    return seconds(message.get("ts"))


def edited_after(message: Message, since: datetime) -> bool:
    """Whether it was changed since."""
    edited = message.get("edited")
    return seconds(edited.get("ts") if isinstance(edited, dict) else edited) >= since.timestamp()


def seconds(value: Any) -> float:
    """A time of Slack's, in Unix seconds; 0 for none. What is no time is later than all others, so that it is looked at."""
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        return math.inf
