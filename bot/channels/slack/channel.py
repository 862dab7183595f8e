"""The Channel port for customers in Slack."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.channels.port import Accepted, DeliveryError, Rejected, TakeIn, Transient, Unknown, Unreachable
from bot.channels.slack import questions
from bot.channels.slack.events import NAME, UNREADABLE, Events
from bot.channels.slack.settings import CustomerSettings
from bot.channels.slack.sweep import Sweep
from bot.clock import Clock
from bot.log import get_logger
from bot.slack.app import Slack
from bot.slack.marks import ids_of, metadata, opaque
from bot.slack.people import People, Staff
from bot.slack.text import escape
from bot.slack.trouble import Trouble, TroubleKind
from bot.store.port import Store, StoreError
from bot.store.records import Arrival, Lane, Open, OutboxRow, Place, Taken
from conversations.comprehension import Reader
from conversations.conversation import Conversation, Customer
from conversations.events import CustomerPosted
from conversations.ids import ConversationKey, ExternalId
from conversations.policy import ChannelTraits
from conversations.wording.request import Surface

PACE_S = 1.05
"""Slack takes one message a second in each channel."""
SAME_THREAD = timedelta(days=1)
"""A customer who goes on at top level within this time is answered in the thread of the first post."""
WAIT_S = 60.0
PAGES_MAX = 10
SLACK_AT = timedelta(seconds=120)
"""How far our clock and Slack's may be apart when we look for a message."""
ASIDES_MAX = 200
"""What was set aside lately, as far as a new case looks for what came before its first post."""
GONE = frozenset({"user_disabled", "user_not_found", "cannot_dm_bot", "user_not_visible", "cannot_dm_user"})

log = get_logger("channel.slack")


class SlackChannel:
    """Customers in Slack. Set ``take_in`` and ``open_aside`` before it runs."""

    name = NAME
    traits = ChannelTraits(unprompted_public=True, public_chars_max=40_000, direct_chars_max=40_000)
    lanes: Sequence[Lane] = ()

    def __init__(
        self,
        slack: Slack,
        store: Store,
        clock: Clock,
        reader: Reader,
        settings: CustomerSettings,
        people: People | None = None,
    ) -> None:
        """``people``: the desk's, so that both share what they know."""
        self.slack = slack
        self.store = store
        self.clock = clock
        self.settings = settings
        self.quarantine_s = settings.quarantine_s
        self.sending_s = settings.sending_s
        self.people = people or People(slack, Staff(agents=settings.colleagues))
        self.take_in: TakeIn | None = None
        self.open_aside: Callable[[int], Awaitable[Taken]] | None = None
        self.events = Events(slack, self.people, reader, settings)
        self.sweep = Sweep(slack, store, clock, self.events, self.bring)
        self._direct: dict[str, str] = {}
        slack.app.event("message")(self.on_message)
        slack.app.event("app_mention")(self.on_message)
        slack.app.action(re.compile(f"^{questions.ACTION}"))(self.on_answer)

    # ---------------------------------------------------------------- what customers write

    async def on_message(self, event: dict[str, Any]) -> None:
        """A message or a mention: kept before Slack is told that we have it. Raises ``StoreUnavailable``: Slack comes again."""
        try:
            arrival = await self.events.arrival(event)
        except UNREADABLE as error:  # delivering it again would not make it readable
            await self.events.unreadable(event, error)
            return
        if arrival is not None:
            await self.bring([arrival])

    async def bring(self, arrivals: list[Arrival]) -> list[Taken]:
        """Through the door of intake."""
        assert self.take_in is not None, "the Slack channel is not wired"
        taken = await self.take_in(arrivals)
        for arrival, kept in zip(arrivals, taken, strict=True):
            if kept.new and isinstance(kept.route, Open):
                await self.gather(arrival)
        return taken

    async def gather(self, first: Arrival) -> None:
        """Slack promises no order, and a mention may come a minute late: what its author said after it, before we knew of it,
        mentioned nobody and was set aside. It belongs to the case."""
        assert isinstance(first.event, CustomerPosted)
        if self.open_aside is None or first.customer is None:
            return
        asides = await self.store.asides(ASIDES_MAX)
        for aside in sorted(asides, key=lambda aside: aside.sequence):
            said, by = aside.event, aside.customer
            ours = aside.channel == NAME and by is not None and by.id == first.customer.id
            if ours and isinstance(said, CustomerPosted) and said.posted_at > first.event.posted_at:
                await self.open_aside(aside.sequence)

    async def on_answer(self, ack: Any, body: dict[str, Any]) -> None:
        """A click under a question. It is the customer's word only if it is the customer's click, on the latest question."""
        action = body["actions"][0]
        yes = str(action["action_id"]).endswith(":yes")
        try:
            asked = json.loads(str(action.get("value") or "{}"))
            key, act, language = ConversationKey(asked["case"]), str(asked["act"]), str(asked["language"])
            text = questions.words(act, language, yes)
        except (KeyError, ValueError):
            await ack()
            return
        case = await self.store.conversation(key)
        user = str(body["user"]["id"])
        if case is None or user != case.customer.id:
            self.slack.later(self.whisper(body, "Only the person who asked can answer this."), "not the customer")
        elif not await self.is_latest(case, act, str(asked["key"])):
            self.slack.later(
                self.whisper(body, "This question is out of date: please answer the latest one."), "old question"
            )
        elif yes and questions.settled(case, act):
            self.slack.later(self.show_answer(body, text), "answered before")
        else:
            await self.bring([self.clicked(body, case.customer, act, text, yes)])
            self.slack.later(self.show_answer(body, text), "answered")
        await ack()

    def clicked(self, body: dict[str, Any], customer: Customer, act: str, text: str, yes: bool) -> Arrival:
        """The click as a post."""
        channel, message = str(body["channel"]["id"]), body["message"]
        ts, root = str(message["ts"]), str(message.get("thread_ts") or message["ts"])
        id_ = ExternalId(f"{channel}:{ts}:{'yes' if yes else 'no'}")
        self.events.remember(channel, id_, root)
        event = CustomerPosted(
            id=id_,
            posted_at=self.clock.now(),
            surface=Surface.DIRECT if channel.startswith("D") else Surface.PUBLIC,
            text=text,
            reading=questions.read(self.events.read(text), act, text, yes),
            in_reply_to=ExternalId(f"{channel}:{root}"),
        )
        return self.events.wrap(id_, event, customer=customer)

    async def is_latest(self, case: Conversation, act: str, key: str) -> bool:
        """Whether a question is the last one of its kind that was asked."""
        asked = [turn.key for turn in await self.store.turns(case.key) if turn.act == act]
        return bool(asked) and asked[-1] == key

    async def show_answer(self, body: dict[str, Any], text: str) -> None:
        """The buttons give way to the answer."""
        message = body["message"]
        blocks = [block for block in message.get("blocks") or [] if block.get("type") != "actions"]
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"✓ {escape(text)}"}]})
        answer = {"replace_original": True, "text": message.get("text") or escape(text), "blocks": blocks}
        await self.slack.respond(str(body["response_url"]), answer)

    async def whisper(self, body: dict[str, Any], text: str) -> None:
        """Tell one person."""
        answer = {"response_type": "ephemeral", "replace_original": False, "text": text}
        await self.slack.respond(str(body["response_url"]), answer)

    # ---------------------------------------------------------------- the Channel port

    def lane(self, conversation: Conversation, place: str) -> str:
        """One lane per Slack channel; direct messages have one per customer."""
        if place == Place.DIRECT.value or conversation.public_root is None:
            return f"slack:dm:{conversation.customer.id}"
        return f"slack:{conversation.public_root.partition(':')[0]}"

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """People of our own workspace can write to the app directly; those of other companies often cannot."""
        return conversation.customer.team in (None, "", self.slack.team)

    def direct_link(self, conversation: Conversation) -> str | None:
        """Slack has the app in its sidebar: no link is needed."""
        return None

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """See ``Channel.send``."""
        try:
            await self.slack.open()
            channel, thread_ts = await self.place_of(row, conversation)
            text = as_sent(row)
            more: dict[str, Any] = {}
            if thread_ts:
                more["thread_ts"] = thread_ts
            if blocks := questions.buttons(row, text):
                more["blocks"] = blocks
            client = self.slack.client
            answer = await self.slack.ask(
                "chat.postMessage",
                client.chat_postMessage(
                    channel=channel,
                    text=text,
                    metadata=metadata(opaque(row.key)),
                    unfurl_links=False,
                    unfurl_media=False,
                    **more,
                ),
            )
        except Trouble as trouble:
            raise outcome(trouble) from trouble
        return self.accepted(str(answer.get("channel") or channel), str(answer["ts"]), thread_ts)

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """See ``Channel.find_sent``: our messages carry an opaque id, which is read back from the thread and the channel."""
        try:
            await self.slack.open()
            channel, thread_ts = await self.place_of(row, conversation)
            wanted = opaque(row.key)
            oldest = f"{(row.created_at - SLACK_AT).timestamp():.6f}"
            client = self.slack.client
            looks: list[tuple[str, Any, dict[str, str]]] = [("conversations.history", client.conversations_history, {})]
            if thread_ts:
                looks.insert(0, ("conversations.replies", client.conversations_replies, {"ts": thread_ts}))
            for method, call, more in looks:
                cursor = ""
                for _ in range(PAGES_MAX):
                    answer = await self.slack.ask(
                        method,
                        call(
                            channel=channel,
                            oldest=oldest,
                            limit=200,
                            include_all_metadata=True,
                            cursor=cursor or None,
                            **more,
                        ),
                    )
                    for message in answer.get("messages") or []:
                        if wanted in ids_of(message):
                            return self.accepted(channel, str(message["ts"]), message.get("thread_ts"))
                    cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
                    if not cursor:
                        break
        except Trouble as trouble:
            if trouble.error == "thread_not_found":
                return None
            raise outcome(trouble) from trouble
        return None

    def accepted(self, channel: str, ts: str, thread_ts: str | None) -> Accepted:
        """Slack has it."""
        now = self.clock.now()
        url = self.slack.permalink(channel, ts, thread_ts)
        return Accepted(ExternalId(f"{channel}:{ts}"), now, url, now + timedelta(seconds=PACE_S))

    async def place_of(self, row: OutboxRow, case: Conversation) -> tuple[str, str | None]:
        """Where words go: the thread of what they answer; direct messages for direct words. Raises ``Trouble``."""
        answered = str(row.body.get("in_reply_to") or "")
        if row.place is Place.DIRECT:
            if answered.startswith("D"):
                channel, _, ts = answered.partition(":")
                root = await self.root_of(answered)
                return channel, root if root != ts.partition(":")[0] else None
            return await self.direct(case.customer.id), None
        if not answered or answered.startswith("D"):
            answered = str(case.public_root or "")
        if not answered:
            return await self.direct(case.customer.id), None
        channel, _, ts = answered.partition(":")
        ts = ts.partition(":")[0]
        root = await self.root_of(answered)
        first = str(case.public_root or "")
        if root == ts and first.partition(":")[0] == channel and first != answered:
            began = await self.root_of(first)
            if float(ts) - float(began) <= SAME_THREAD.total_seconds():
                return channel, began
        return channel, root

    async def root_of(self, post: str) -> str:
        """The thread that a post stands in; its own ts if in none. Asked of Slack when it is not remembered."""
        known = self.events.root(post)
        if known is not None:
            return known
        channel, _, ts = post.partition(":")
        ts = ts.partition(":")[0]
        client = self.slack.client
        try:
            answer = await self.slack.ask(
                "conversations.replies", client.conversations_replies(channel=channel, ts=ts, limit=1)
            )
        except Trouble as trouble:
            if trouble.kind in (
                TroubleKind.REFUSED,
                TroubleKind.MISSING,
            ):  # it was deleted: what answers it stands by itself
                return ts
            raise
        messages = answer.get("messages") or [{}]
        own = next((m for m in messages if str(m.get("ts")) == ts), messages[0])
        root = str(own.get("thread_ts") or ts)
        self.events.remember(channel, ExternalId(post), root)
        return root

    async def direct(self, user: str) -> str:
        """The direct messages with a customer. Raises ``Trouble``."""
        if user not in self._direct:
            client = self.slack.client
            answer = await self.slack.ask("conversations.open", client.conversations_open(users=user))
            self._direct[user] = str((answer.get("channel") or {}).get("id") or user)
        return self._direct[user]

    async def run(self) -> None:
        """Listen, and sweep up after gaps and every few minutes. Survives every error of Slack."""
        async with self.slack.listening():
            wait_s = 0.0
            while True:
                until = self.clock.now() + timedelta(seconds=wait_s)
                if wait_s:
                    await self.clock.wait(self.slack.gap, until)
                self.slack.gap.clear()
                wait_s = await self.sweep_once()

    async def sweep_once(self) -> float:
        """One sweep; returns after how many seconds the next one is due."""
        try:
            for entry in self.settings.colleagues:
                await self.people.members(entry)
            seen = await self.sweep.run()
        except Trouble as trouble:
            log.warning("sweep broke off", error=str(trouble))
            return max(5.0, min(trouble.retry_after_s or WAIT_S, self.settings.sweep_s))
        except StoreError as error:
            log.error("sweep broke off", error=str(error))
            return WAIT_S
        log.debug("swept", messages=seen)
        return self.settings.sweep_s

    async def close(self) -> None:
        """See ``Channel.close``."""
        await self.slack.close()


def as_sent(row: OutboxRow) -> str:
    """A row's words as Slack gets them: inert, under the agent's name where a person speaks."""
    text = escape(str(row.body["text"]))
    agent = str(row.body.get("agent") or "")
    return f"*{escape(agent).replace('*', '')}*\n{text}" if agent else text


def outcome(trouble: Trouble) -> DeliveryError:
    """What a failed call means for words to a customer."""
    match trouble.kind:
        case TroubleKind.LATER:
            return Transient(str(trouble), trouble.retry_after_s, pause_lane=True)
        case TroubleKind.UNKNOWN:
            return Unknown(str(trouble))
        case TroubleKind.SIGN_IN:
            return Transient(str(trouble), WAIT_S, pause_lane=True)
        case _:
            return Unreachable(trouble.error) if trouble.error in GONE else Rejected(trouble.error)
