"""From Slack's messages to arrivals: one message is one event, however often and however it is delivered.

A mention in a channel comes twice (``app_mention`` and ``message``) and any of it may come again: the key is
(channel, ts). The same
function reads events and what a sweep of the history finds, so that a message that was missed gives the same arrival.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channels.slack.settings import CustomerSettings
from bot.log import get_logger
from bot.slack.app import Slack
from bot.slack.people import People
from bot.slack.text import escape, plain
from bot.slack.trouble import Trouble
from bot.store.records import Arrival
from conversations.comprehension import Reader
from conversations.comprehension.reading import Reading, ReadingContext
from conversations.conversation import Customer
from conversations.events import BrandAnsweredElsewhere, CustomerPosted, PostDeleted, PostEdited
from conversations.ids import ExternalId
from conversations.wording.request import Surface

Message = Mapping[str, Any]
SAID = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes of messages in which a person says something."""
THREADS_MAX = 20_000
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What reading a message raises that is not as Slack describes messages."""

NAME = "slack"
log = get_logger("slack.customers")


class Events:
    """Reads messages. Asks Slack nothing that it has not been told already, as far as it can."""

    def __init__(self, slack: Slack, people: People, reader: Reader, settings: CustomerSettings) -> None:
        self.slack = slack
        self.people = people
        self.reader = reader
        self.settings = settings
        self._roots: OrderedDict[str, str] = OrderedDict()  # post → the thread it stands in
        self._threads: OrderedDict[str, ExternalId] = OrderedDict()  # thread → the customer's latest post in it

    async def arrival(self, event: Message) -> Arrival | None:
        """What a ``message`` or ``app_mention`` event means for us; None: nothing. Raises ``UNREADABLE``."""
        channel = str(event.get("channel", ""))
        if not self.heard(channel, str(event.get("channel_type", ""))):
            return None
        subtype = str(event.get("subtype") or "")
        if subtype == "message_changed":
            return await self.changed(channel, event.get("message") or {}, event.get("previous_message") or {})
        if subtype == "message_deleted":
            return self.deleted(channel, str(event.get("deleted_ts", "")), event.get("previous_message") or {}, event)
        return await self.said(channel, event) if subtype in SAID else None

    def heard(self, channel: str, kind: str = "") -> bool:
        """Whether customers are heard there. The desk is never a customers' channel."""
        if not channel or channel in self.settings.desk_channels:
            return False
        if kind == "im" or channel.startswith("D"):
            return True
        return not self.settings.channels or channel in self.settings.channels

    async def said(self, channel: str, message: Message) -> Arrival | None:
        """Somebody said something."""
        user, ts = str(message.get("user") or ""), str(message.get("ts") or "")
        if not user or not ts or message.get("bot_id") or user in (self.slack.bot_user, "USLACKBOT"):
            return None
        id_ = ExternalId(f"{channel}:{ts}")
        thread = str(message.get("thread_ts") or "")
        root = thread if thread and thread != ts else ""
        stored = str(message.get("text") or "")
        direct = channel.startswith("D") or message.get("channel_type") == "im"
        team = str(message.get("user_team") or message.get("source_team") or message.get("team") or self.slack.team)
        if await self.colleague(user, team, shared="user_team" in message):
            return self.answered(channel, id_, ts, root, user, stored) if root and not direct else None
        text = self.words(stored)
        self.remember(channel, id_, root or ts)
        known = self.people.known(user)  # only what we know already: nothing is asked before the acknowledgement
        event = CustomerPosted(
            id=id_,
            posted_at=at(ts),
            surface=Surface.DIRECT if direct else Surface.PUBLIC,
            text=text,
            reading=self.read(text),
            media=len(message.get("files") or ()),
            mentions_us=direct or f"<@{self.slack.bot_user}" in stored,
            in_reply_to=ExternalId(f"{channel}:{root}") if root else None,
        )
        customer = Customer(
            id=user,
            name=known.name if known else "",
            time_zone=known.time_zone if known else None,
            team=team,
        )
        return self.wrap(id_, event, customer=customer)

    def answered(self, channel: str, id_: ExternalId, ts: str, root: str, user: str, stored: str) -> Arrival:
        """A colleague wrote in a customer's thread: a human has answered."""
        place = f"{channel}:{root}"
        event = BrandAnsweredElsewhere(
            id=id_, answered_at=at(ts), surface=Surface.PUBLIC, text=self.words(stored) or "(a file)", agent=None
        )
        return self.wrap(id_, event, about=self._threads.get(place, ExternalId(place)))

    async def changed(self, channel: str, message: Message, before: Message) -> Arrival | None:
        """A message has new words, or only a tombstone is left of it. Previews of links change no word."""
        ts = str(message.get("ts") or "")
        if message.get("subtype") == "tombstone" or message.get("user") == "USLACKBOT":
            return self.deleted(channel, ts, before, message)
        edited = message.get("edited") or {}
        if message.get("bot_id") or not edited or str(message.get("text")) == str(before.get("text")):
            return None
        return self.edited(channel, message)

    def edited(self, channel: str, message: Message) -> Arrival:
        """A message with its new words."""
        ts, when = str(message["ts"]), str(message["edited"].get("ts") or message["ts"])
        text = self.words(str(message.get("text") or ""))
        id_ = ExternalId(f"{channel}:{ts}")
        event = PostEdited(id=id_, edited_at=at(when), text=text, reading=self.read(text))
        return self.wrap(ExternalId(f"{id_}:edit:{when}"), event, about=id_)

    def deleted(self, channel: str, ts: str, before: Message, event: Message) -> Arrival | None:
        """A message is gone."""
        if not ts or before.get("bot_id"):
            return None
        id_ = ExternalId(f"{channel}:{ts}")
        when = str(event.get("event_ts") or event.get("ts") or "")
        deleted_at = at(when) if when and when != ts else self.slack.clock.now()
        return self.wrap(ExternalId(f"{id_}:deleted"), PostDeleted(id=id_, deleted_at=deleted_at), about=id_)

    # ---------------------------------------------------------------- tools

    async def unreadable(self, message: Message, error: Exception) -> None:
        """A human has to look at what the bot cannot read."""
        where = f"{message.get('channel')} at {message.get('ts')}"
        log.error("a message could not be read", where=where, exc_info=error)
        words = f"A message in {where} could not be read ({error!r}): look at it."
        await self.slack.raise_alert("slack_message", escape(words))

    async def colleague(self, user: str, team: str, *, shared: bool) -> bool:
        """Whether somebody is one of us: an agent; in a channel shared with another company, anybody of our workspace."""
        if shared and team == self.slack.team:
            return True
        if team != self.slack.team:
            return False
        try:
            return await self.people.among(user, self.settings.colleagues)
        except Trouble:  # Slack cannot be asked: nobody's words are turned away for that
            return False

    def words(self, stored: str) -> str:
        """A message as people read it, without our own name."""
        return plain(stored, self.people.known_name, self.slack.bot_user).encode("utf-8", "replace").decode()

    def read(self, text: str) -> Reading:
        """What the bot understands in it."""
        return self.reader.read(text, ReadingContext(channel=NAME))

    def wrap(
        self, id_: ExternalId, event: Any, customer: Customer | None = None, about: ExternalId | None = None
    ) -> Arrival:
        """As intake takes it. Our account is the workspace."""
        now = self.slack.clock.now()
        return Arrival(
            channel=NAME, account=self.slack.team, id=id_, event=event, at=now, customer=customer, about=about
        )

    def remember(self, channel: str, id_: ExternalId, root: str) -> None:
        """Which thread a post stands in: an answer goes there."""
        place = f"{channel}:{root}"
        self._roots[id_] = root
        self._roots.move_to_end(id_)
        self._threads[place] = id_
        self._threads.move_to_end(place)
        for cache in (self._roots, self._threads):
            while len(cache) > THREADS_MAX:
                cache.popitem(last=False)

    def root(self, post: str) -> str | None:
        """The thread of a post, where it is remembered."""
        return self._roots.get(post)


def at(ts: str) -> datetime:
    """The instant of a Slack timestamp, exact to the microsecond. Raises: ValueError."""
    seconds, _, fraction = ts.partition(".")
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(fraction[:6].ljust(6, "0") or 0))
    except (OverflowError, OSError) as error:
        raise ValueError(f"{ts!r} is no time") from error
