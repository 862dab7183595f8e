"""From X's posts and messages to arrivals: who it is from, whether it is said to us, and what is set aside before
triage."""

from __future__ import annotations

from dataclasses import replace

from bot.channels.x.line import CHANNEL, Line
from bot.channels.x.parse import Message, Person, Post, Unreadable
from bot.store.records import Arrival
from conversations.comprehension.reading import CueName, Decision, Reading, ReadingContext
from conversations.conversation import Customer
from conversations.events import CustomerPosted, PostDeleted, PostEdited
from conversations.ids import ExternalId
from conversations.wording.request import Surface

DIRECT = "dm:"
"""What the ids of direct messages begin with here: X numbers posts and messages apart."""


GROUP_DIGITS = 15
"""Digits that a group's number has at least."""


def direct_id(id_: str) -> ExternalId:
    """A direct message's id among all that comes from X."""
    return ExternalId(DIRECT + id_)


def customer_of(person: Person | None, id_: str) -> Customer:
    """The customer. When X does not say who wrote, every message is a customer of its own: a human can still answer
    it."""
    if person is None:
        return Customer(id=f"unknown:{id_}")
    return Customer(id=person.id, handle=person.handle, name=person.name, reach=person.reach)


def read(line: Line, text: str) -> Reading:
    """What a text says; our own names are no content."""
    return line.doors.reader.read(text, ReadingContext(channel=CHANNEL, handles=line.doors.ours.handles()))


def read_post(line: Line, text: str) -> Reading:
    """What a post says. The first part of a thread cannot be judged alone: rather than set aside, it is looked at by a human."""
    reading = read(line, text)
    if reading.complaint.decision is Decision.NO and reading.certain(CueName.MORE_TO_COME):
        why = ("a part of a longer story", *reading.complaint.why)
        return replace(reading, complaint=replace(reading.complaint, decision=Decision.UNSURE, why=why))
    return reading


def summons(line: Line, post: Post) -> bool:
    """Whether the author mentioned or quoted us explicitly, so that X lets us answer."""
    names = line.doors.ours.by_handle
    if any(name in names for name in post.named):
        return True
    if line.account.names_by_x_count and any(name in names for name in post.named_by_x):
        return True
    return quotes_us(line, post)


def quotes_us(line: Line, post: Post) -> bool:
    """Whether the post quotes one of ours."""
    if post.quote_of is None:
        return False
    return post.quoted_name in line.doors.ours.by_handle or post.quote_of in line.known.ours


def addresses_us(line: Line, post: Post) -> bool:
    """Whether it names us at all, also where X put the name: it may not be answered by the bot, and a human must see
    it."""
    names = line.doors.ours.by_handle
    by_name = any(name in names for name in post.named_by_x)
    return summons(line, post) or by_name or post.reply_to_user in line.doors.ours.by_id


def aside(line: Line, post: Post) -> str | None:
    """Why a post is set aside whatever it says, or None."""
    blocked = {entry.lower().lstrip("@") for entry in line.account.blocked}
    if post.author is not None and ({post.author.id, post.author.handle.lower()} & blocked):
        return "its author is on the block list"
    if post.retweet_of is not None:
        return "a repost: nothing of its author's own"
    if post.author is not None and post.author.automated:
        return "another bot, by X's label"
    if quotes_us(line, post) and not post.named and not post.text:
        return "a quote without words: nothing is said to us"
    return None


def account_of(line: Line, post: Post) -> str:
    """Which account of ours a post is a case of: the first that it names, so that one that names two makes one case."""
    names = line.doors.ours.by_handle
    return next((names[name] for name in post.named if name in names), line.name)


def posted(line: Line, post: Post, *, mentions_us: bool | None = None, key: str | None = None) -> Arrival:
    """A customer's post."""
    now = line.now()
    addressed = addresses_us(line, post) if mentions_us is None else mentions_us
    id_ = ExternalId(key or post.first)
    event = CustomerPosted(
        id=id_,
        posted_at=min(post.posted_at or now, now),
        surface=Surface.PUBLIC,
        text=post.text,
        reading=read_post(line, post.text),
        media=post.media,
        mentions_us=addressed,
        in_reply_to=ExternalId(post.reply_to) if post.reply_to else None,
    )
    return Arrival(
        channel=CHANNEL,
        account=account_of(line, post),
        id=id_,
        event=event,
        at=now,
        customer=customer_of(post.author, post.id),
        aside=aside(line, post),
    )


def edited(line: Line, post: Post, turn: str) -> Arrival:
    """A newer version of a post that we have as ``turn``."""
    now = line.now()
    event = PostEdited(
        id=ExternalId(turn), edited_at=min(post.posted_at or now, now), text=post.text, reading=read(line, post.text)
    )
    return Arrival(
        channel=CHANNEL,
        account=line.name,
        id=ExternalId(f"{turn}:edit:{post.id}"),
        event=event,
        at=now,
        about=ExternalId(turn),
    )


def deleted(line: Line, first: str) -> Arrival:
    """A post is gone from X: our copy has to go as well."""
    now = line.now()
    return Arrival(
        channel=CHANNEL,
        account=line.name,
        id=ExternalId(f"{first}:deleted"),
        event=PostDeleted(id=ExternalId(first), deleted_at=now),
        at=now,
        about=ExternalId(first),
    )


def wrote(line: Line, message: Message) -> Arrival:
    """A customer's direct message."""
    now = line.now()
    id_ = direct_id(message.id)
    blocked = {entry.lower().lstrip("@") for entry in line.account.blocked}
    sender = message.sender
    reason = None
    if sender is not None and ({sender.id, sender.handle.lower()} & blocked):
        reason = "its author is on the block list"
    elif sender is not None and sender.automated:
        reason = "another bot, by X's label"
    elif len(message.people) > 2 or is_group(message.thread):
        reason = "a group of people: answer it on X"
    event = CustomerPosted(
        id=id_,
        posted_at=min(message.sent_at or now, now),
        surface=Surface.DIRECT,
        text=message.text,
        reading=read(line, message.text),
        media=message.media,
    )
    return Arrival(
        channel=CHANNEL,
        account=line.name,
        id=id_,
        event=event,
        at=now,
        customer=customer_of(sender, message.id),
        aside=reason,
    )


def is_group(thread: str) -> bool:
    """A conversation of two is called after both; a group has a number like a post's."""
    return thread.isdecimal() and len(thread) >= GROUP_DIGITS


def unreadable(line: Line, row: Unreadable, surface: Surface) -> Arrival:
    """A row that could not be understood: kept where a human sees it."""
    now = line.now()
    id_ = ExternalId(f"unreadable:{row.id}")
    event = CustomerPosted(id=id_, posted_at=now, surface=surface, text=row.raw, reading=read(line, ""))
    return Arrival(
        channel=CHANNEL,
        account=line.name,
        id=id_,
        event=event,
        at=now,
        customer=Customer(id=f"unknown:{row.id}"),
        aside=f"unreadable: {row.why}",
    )
