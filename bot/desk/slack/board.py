"""The desk's channels: cards that are put up once and kept up to date, threads under them, and what to do when a
channel is gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.desk.card import card
from bot.desk.slack.cards import card_blocks, summary
from bot.desk.slack.kit import Block
from bot.desk.slack.record import Record, Records
from bot.desk.slack.settings import DeskSettings
from bot.log import get_logger
from bot.slack.app import Slack
from bot.slack.marks import ids_of, metadata, opaque
from bot.slack.people import People
from bot.slack.text import escape, link
from bot.slack.trouble import Trouble, TroubleKind
from bot.store.port import Store
from conversations.conversation import Conversation
from conversations.ids import ConversationKey
from conversations.policy import Policy

POST_PACE_S = 1.05
"""Between two messages in one channel: Slack takes one a second."""
PACE_WAIT_S_MAX = 10.0
"""However many messages wait for a channel: a clock that steps back must not silence it."""
UPDATE_PACE_S = 1.2
"""Between two updates: Slack takes 50 a minute."""
FAMILY_MAX = 20
"""Cases that are looked through for what was split and merged."""
PAGES_MAX = 10
"""Pages of a history or thread that are read back."""
SLACK_AT = timedelta(seconds=120)
"""How far our clock and Slack's may be apart when we look for a message."""

log = get_logger("desk.slack")


class Board:
    """Puts things up in Slack. Everything here raises ``Trouble`` and nothing else."""

    def __init__(
        self,
        slack: Slack,
        store: Store,
        clock: Clock,
        settings: DeskSettings,
        policy: Callable[[], Policy],
        people: People,
    ) -> None:
        self.slack = slack
        self.store = store
        self.clock = clock
        self.settings = settings
        self.policy = policy
        self.people = people
        self.records = Records(store)
        self.gone: set[str] = set()
        """Channels that are archived or closed to us, until Slack says otherwise."""
        self.touched: set[str] = set()
        """Cases whose card was changed by a click since it was last shown: to be shown anew whatever it showed."""
        self.free_at: dict[str, datetime] = {}
        """When each channel may be written to again, and when a message may be changed again."""
        self.posts = 0
        """Messages that Slack took from us; it tells whether a delivery has posted anything."""

    # ---------------------------------------------------------------- cards

    async def ensure(self, case: Conversation) -> Record:
        """The case's card, put up if it is not there."""
        record = await self.records.get(case.key)
        home = self.settings.place(case.queue).channel or self.settings.fallback_channel
        if record.up and record.home == home:
            return record
        blocks, text, shown = await self.render(case)
        channel, ts = await self.post(home, text, blocks, ids=(self.card_id(case),))
        old = record
        record = replace(Record(channel=channel, ts=ts, home=home, shown=shown), covered=old.covered, status={})
        await self.records.up(case.key, record)
        if old.up:
            await self.moved(old, record)
        elif case.relatives:
            self.slack.later(self.relink(case), "related cards")
        return record

    async def refresh(self, case: Conversation) -> tuple[Record, bool]:
        """The card as the case is now. True: Slack was asked to change something."""
        before = await self.records.get(case.key)
        record = await self.ensure(case)
        if record.ts != before.ts:
            self.touched.discard(case.key)
            return record, True
        blocks, text, shown = await self.render(case)
        if shown == record.shown and case.key not in self.touched:
            return record, False
        self.touched.discard(case.key)
        try:
            await self.update(record.channel, record.ts, text, blocks)
        except Trouble as trouble:
            self.touched.add(case.key)
            if trouble.error in ("message_not_found", "cant_update_message") or trouble.kind is TroubleKind.PLACE:
                await self.lose(case, record, trouble)
                return await self.ensure(case), True
            raise
        return await self.records.put(case.key, replace(record, shown=shown)), True

    async def lose(self, case: Conversation, record: Record, trouble: Trouble) -> None:
        """The card, or its channel, is not there any more: a new one will be put up."""
        if trouble.kind is TroubleKind.PLACE:
            await self.channel_gone(record.channel, trouble.error)
        await self.records.put(case.key, replace(record, ts="", shown=""))

    async def moved(self, old: Record, new: Record) -> None:
        """Tell the old card's readers where the case went. Best effort."""
        where = self.slack.permalink(new.channel, new.ts)
        text = f"➡️ This case has moved{f': <{where}|see it there>' if where else ''}."
        try:
            await self.update(old.channel, old.ts, text, [])
        except Trouble as trouble:
            log.info("old card left as it was", error=str(trouble))

    async def render(self, case: Conversation, closing: str = "") -> tuple[list[Block], str, str]:
        """Blocks, notification text, and a digest of both."""
        turns = await self.store.turns(case.key)
        rows = await self.store.outbox(conversation=case.key, limit=200)
        value = card(
            case,
            turns,
            rows,
            self.policy(),
            self.clock.now(),
            link=self.post_link(case, case.public_root or case.last_turn),
        )
        who, place = await self.who(case), await self.place_name(case)
        blocks = card_blocks(
            value,
            case.version,
            who=who,
            place=place,
            crm_url=self.settings.crm_url,
            earlier=await self.earlier(case),
            related=await self.related(case),
            closing=closing,
        )
        text = summary(value, who)
        return blocks, text, hashlib.sha256(json.dumps([blocks, text]).encode()).hexdigest()[:24]

    async def who(self, case: Conversation) -> str:
        """The customer's name for agents."""
        customer = case.customer
        if case.channel == "slack" and not customer.name:
            return await self.people.name(customer.id)
        handle = f"@{customer.handle}" if customer.handle else ""
        return f"{customer.name} ({handle})" if customer.name and handle else customer.name or handle or "a customer"

    async def place_name(self, case: Conversation) -> str:
        """Where the customer wrote, in words."""
        kind = "direct message" if case.last_surface.value == "direct" else "public"
        return f"{case.channel} · {case.account} · {kind}" if case.channel != "slack" else f"Slack · {kind}"

    async def earlier(self, case: Conversation) -> str:
        """Former cases of this customer and how they ended."""
        if not case.returning and case.previous is None:
            return ""
        others = await self.store.conversations(customer=case.customer.id, limit=6)
        ended = [
            f"{c.opened_at:%d %b %Y} {c.outcome.value if c.outcome else 'open'}" for c in others if c.key != case.key
        ]
        return f"earlier cases: {', '.join(ended)}" if ended else ""

    async def related(self, case: Conversation) -> list[str]:
        """The cases that turns of this one came from or went to, with links to their cards."""
        if not case.relatives:
            return []
        found = []
        if case.merged_into is not None:
            found.append(f"➡️ *This case goes on in {await self.card_link(case.merged_into)}*: its posts are there now.")
        if case.split_from is not None:
            found.append(f"✂️ split off from {await self.card_link(case.split_from)}")
        found += [f"✂️ posts were split off to {await self.card_link(key)}" for key in case.splits]
        return found + [f"🔗 {await self.card_link(key)} was merged into this one" for key in case.merged]

    async def card_link(self, key: ConversationKey) -> str:
        """A link to another case's card; words alone while it has none."""
        record = await self.records.get(key)
        url = self.slack.permalink(record.channel, record.ts) if record.up else None
        return link(url, "another case") if url else "another case"

    async def family(self, case: Conversation) -> dict[ConversationKey, Conversation]:
        """A case and all that turns of it may have come from or gone to."""
        found, waiting = {case.key: case}, list(case.relatives)
        while waiting and len(found) < FAMILY_MAX:
            key = waiting.pop()
            other = await self.store.conversation(key) if key not in found else None
            if other is not None:
                found[key] = other
                waiting += other.relatives
        return found

    async def relink(self, case: Conversation) -> None:
        """A new card is up: the cards that speak of it link to it. Best effort."""
        for key in case.relatives:
            other = await self.store.conversation(key)
            if other is not None and (await self.records.get(key)).up:
                await self.refresh(other)

    def post_link(self, case: Conversation, post: str | None) -> str | None:
        """The web address of a post of the customer, where the platform has one."""
        if post is None:
            return None
        if case.channel == "slack":
            channel, _, ts = post.partition(":")
            return self.slack.permalink(channel, ts.partition(":")[0])
        return f"https://x.com/i/web/status/{post}" if case.channel == "x" and post.isdigit() else None

    @staticmethod
    def card_id(case: Conversation) -> str:
        """The opaque id of a case's card."""
        return opaque(f"card:{case.key}")

    # ---------------------------------------------------------------- posting

    async def post(
        self,
        channel: str,
        text: str,
        blocks: list[Block] | None = None,
        *,
        ids: tuple[str, ...],
        thread_ts: str | None = None,
        broadcast: bool = False,
    ) -> tuple[str, str]:
        """Post once; a channel that is gone gives way to the fallback. Returns where it stands."""
        target = await self.standing(channel)
        if not target:
            raise Trouble(TroubleKind.PLACE, "chat.postMessage", "no desk channel is configured")
        await self.pace(target, POST_PACE_S)
        more: dict[str, Any] = {"thread_ts": thread_ts, "reply_broadcast": broadcast or None} if thread_ts else {}
        if blocks:
            more["blocks"] = blocks
        client = self.slack.client
        try:
            answer = await self.slack.ask(
                "chat.postMessage",
                client.chat_postMessage(
                    channel=target, text=text, metadata=metadata(*ids), unfurl_links=False, unfurl_media=False, **more
                ),
            )
        except Trouble as trouble:
            if trouble.kind is not TroubleKind.PLACE or thread_ts is not None:
                raise
            await self.channel_gone(target, trouble.error)
            if await self.standing(channel) == target:
                raise
            return await self.post(channel, text, blocks, ids=ids)
        ts, where = str(answer.get("ts", "")), str(answer.get("channel") or target)
        self.posts += 1
        message = answer.get("message")
        if (
            thread_ts
            and isinstance(message, Mapping)
            and not message.get("thread_ts")
            and not await self.is_up(where, thread_ts)
        ):
            await self.slack.ask("chat.delete", client.chat_delete(channel=where, ts=ts))
            raise Trouble(TroubleKind.REFUSED, "chat.postMessage", "thread_not_found")
        return where, ts

    async def is_up(self, channel: str, ts: str) -> bool:
        """Whether a message still stands: Slack posts a reply to a deleted one into the channel (slack-go/slack#1571)."""
        client = self.slack.client
        try:
            answer = await self.slack.ask(
                "conversations.replies", client.conversations_replies(channel=channel, ts=ts, limit=1)
            )
        except Trouble as trouble:
            if trouble.kind is TroubleKind.REFUSED:
                return False
            raise
        return any(str(message.get("ts")) == ts for message in answer.get("messages") or [])

    async def reply(
        self,
        case: Conversation,
        text: str,
        blocks: list[Block] | None = None,
        *,
        ids: tuple[str, ...],
        broadcast: bool = False,
    ) -> str:
        """Post into the case's thread; a card that somebody deleted, or whose channel was archived, is put up anew first."""
        record = await self.ensure(case)
        try:
            return (await self.post(record.channel, text, blocks, ids=ids, thread_ts=record.ts, broadcast=broadcast))[1]
        except Trouble as trouble:
            if trouble.kind is not TroubleKind.PLACE and trouble.error != "thread_not_found":
                raise
            await self.lose(case, record, trouble)
        record = await self.ensure(case)
        return (await self.post(record.channel, text, blocks, ids=ids, thread_ts=record.ts, broadcast=broadcast))[1]

    async def pace(self, place: str, seconds: float) -> None:
        """Wait for the next free moment of a channel, or of a method. Lanes keep it between deliveries; this is for several
        messages in one delivery, for several lanes at once, and for the workspace's budget of updates."""
        now = self.clock.now()
        slot = max(now, min(self.free_at.get(place, now), now + timedelta(seconds=PACE_WAIT_S_MAX)))
        self.free_at[place] = slot + timedelta(seconds=seconds)
        if slot > now:
            await self.slack.sleep((slot - now).total_seconds())

    async def update(self, channel: str, ts: str, text: str, blocks: list[Block] | None = None) -> None:
        """Change a message of ours. Raises ``Trouble``."""
        await self.pace("chat.update", UPDATE_PACE_S)
        client = self.slack.client
        await self.slack.ask("chat.update", client.chat_update(channel=channel, ts=ts, text=text, blocks=blocks))

    # ---------------------------------------------------------------- channels

    async def standing(self, channel: str) -> str:
        """The channel itself, its new id, or the fallback while it is gone."""
        moved = await self.store.get_meta(f"slack.moved:{channel}")
        channel = moved or channel
        if not channel or channel in self.gone:
            return self.settings.fallback_channel or channel
        return channel

    async def channel_gone(self, channel: str, why: str) -> None:
        """A channel cannot be written to any more: the fallback takes over, and people are told."""
        self.gone.add(channel)
        fallback = self.settings.fallback_channel
        instead = (
            f"Cases go to <#{fallback}> meanwhile."
            if fallback and fallback not in self.gone
            else "There is no other channel: cases wait."
        )
        self.slack.later(
            self.slack.raise_alert(
                "slack_channel", f"The desk channel <#{channel}> cannot be used ({escape(why)}). {instead}"
            ),
            "alert",
        )

    def channel_back(self, channel: str) -> None:
        """It can be written to again."""
        self.gone.discard(channel)

    async def channel_renumbered(self, old: str, new: str) -> None:
        """Slack gave a channel another id."""
        await self.store.set_meta(f"slack.moved:{old}", new)

    # ---------------------------------------------------------------- reading back

    async def find_card(self, case: Conversation) -> Record:
        """Look for a card that may be up without our knowing."""
        record = await self.records.get(case.key)
        if record.up:
            return record
        home = self.settings.place(case.queue).channel or self.settings.fallback_channel
        channel = await self.standing(home)
        wanted = self.card_id(case)
        client = self.slack.client
        oldest = f"{(case.opened_at - SLACK_AT).timestamp():.6f}"
        cursor = ""
        for _ in range(PAGES_MAX):
            answer = await self.slack.ask(
                "conversations.history",
                client.conversations_history(
                    channel=channel, oldest=oldest, limit=200, include_all_metadata=True, cursor=cursor or None
                ),
            )
            for message in answer.get("messages") or []:
                if wanted in ids_of(message):
                    found = Record(channel=channel, ts=str(message["ts"]), home=home, covered=record.covered)
                    return await self.records.up(case.key, found)
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return record

    async def shown_in_thread(self, record: Record, since: datetime) -> dict[str, str]:
        """The opaque ids that the thread shows since then, with their messages."""
        found: dict[str, str] = {}
        client = self.slack.client
        oldest = f"{(since - SLACK_AT).timestamp():.6f}"
        cursor = ""
        for _ in range(PAGES_MAX):
            answer = await self.slack.ask(
                "conversations.replies",
                client.conversations_replies(
                    channel=record.channel, ts=record.ts, oldest=oldest, limit=200, include_all_metadata=True,
                    cursor=cursor or None,
                ),
            )  # fmt: skip
            for message in answer.get("messages") or []:
                found |= dict.fromkeys(ids_of(message), str(message["ts"]))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found
