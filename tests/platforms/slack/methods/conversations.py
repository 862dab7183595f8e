"""conversations.*: which there are, who is in them, what was said."""

import re
from dataclasses import replace

from tests.platforms.slack.methods.base import Desk, Method, page
from tests.platforms.slack.values import (
    SCOPE_PREFIX,
    Call,
    Channel,
    Json,
    Kind,
    Message,
    SlackError,
)

_TYPES = {
    "public_channel": Kind.PUBLIC,
    "private_channel": Kind.PRIVATE,
    "im": Kind.IM,
    "mpim": Kind.MPIM,
}
PAGE_DEFAULT = 1000
_NUMBER = re.compile(r"\d+(\.\d+)?")


def list_(desk: Desk, call: Call) -> Json:
    """The conversations that the app may see, of the asked-for `types`."""
    types = call.listed("types") or ["public_channel"]
    if not set(types) <= set(_TYPES):
        raise SlackError("invalid_types")
    kinds = {_TYPES[name] for name in types}
    for kind in sorted(kinds):
        call.need_scope(f"{SCOPE_PREFIX[kind]}:read")
    seen = [
        channel
        for channel in desk.world.channels.values()
        if channel.kind in kinds
        and (channel.kind is Kind.PUBLIC or desk.world.app.bot_user in channel.members)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    channels, metadata = page(call, seen)
    return {
        "channels": [desk.world.channel_json(channel) for channel in channels],
        "response_metadata": metadata,
    }


def info(desk: Desk, call: Call) -> Json:
    """One conversation."""
    return {"channel": desk.world.channel_json(_readable(desk, call, "read", member=False))}


def members(desk: Desk, call: Call) -> Json:
    """Who is in a conversation."""
    names, metadata = page(call, sorted(_readable(desk, call, "read", member=False).members))
    return {"members": names, "response_metadata": metadata}


def history(desk: Desk, call: Call) -> Json:
    """What was said at top level, newest first; replies only when they were broadcast."""
    channel = _readable(desk, call, "history")
    said = [m for m in desk.world.history(channel) if not m.is_reply or m.subtype == "thread_broadcast"]
    found, metadata = page(call, list(reversed(_between(call, said))))
    return _messages(desk, call, found, metadata)


def replies(desk: Desk, call: Call) -> Json:
    """A thread, its first message first. `ts` may be that of any message in it."""
    channel = _readable(desk, call, "history")
    some = desk.world.messages[channel.id].get(call.text("ts"))
    if some is None:
        raise SlackError("thread_not_found")
    first, *rest = desk.world.thread(channel, some.thread_ts or some.ts) or (some,)
    found, metadata = page(call, [first, *_between(call, rest)], default=PAGE_DEFAULT)
    return _messages(desk, call, found, metadata)


def open_(desk: Desk, call: Call) -> Json:
    """The direct messages with a person."""
    if call.text("channel"):
        channel = desk.world.channel_for_app(call.text("channel"))
        return {"channel": desk.world.channel_json(channel)}
    names = call.listed("users")
    if not names:
        raise SlackError("users_list_not_supplied")
    people = [desk.world.user_for_app(name) for name in names]
    if any(user.deleted for user in people):
        raise SlackError("user_disabled")
    if any(user.is_bot for user in people):
        raise SlackError("cannot_dm_bot")
    if len(people) > 1:
        call.need_scope("mpim:write")
        everybody = frozenset({*names, desk.world.app.bot_user})
        known = (c for c in desk.world.channels.values() if c.kind is Kind.MPIM and c.members == everybody)
        fresh = Channel(
            desk.world.new_id("G"), "mpdm-" + "--".join(sorted(user.name for user in people)), Kind.MPIM,
            desk.world.team.id, int(desk.world.now_s), everybody,
        )  # fmt: skip
        return {"channel": {"id": desk.world.put_channel(next(known, fresh)).id}}
    channel = desk.world.direct(people[0].id)
    return {"channel": desk.world.channel_json(channel) if call.flag("return_im") else {"id": channel.id}}


def join(desk: Desk, call: Call) -> Json:
    """Join a public channel."""
    channel = desk.world.channel_for_app(call.text("channel"), member=False)
    if channel.kind is not Kind.PUBLIC:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    joined = replace(channel, members=channel.members | {desk.world.app.bot_user})
    return {"channel": desk.world.channel_json(desk.world.put_channel(joined))}


def _readable(desk: Desk, call: Call, what: str, *, member: bool = True) -> Channel:
    channel = desk.world.channel_for_app(call.text("channel"), member=member)
    call.need_scope(f"{SCOPE_PREFIX[channel.kind]}:{what}")
    return channel


def _between(call: Call, said: list[Message]) -> list[Message]:
    for name in ("oldest", "latest"):
        if call.text(name) and not _NUMBER.fullmatch(call.text(name)):
            raise SlackError(f"invalid_ts_{name}")
    oldest, latest = call.text("oldest"), call.text("latest")
    inclusive = call.flag("inclusive")
    low = _micros(oldest) if oldest else None
    high = _micros(latest) if latest else None
    return [
        message
        for message in said
        if (low is None or (at := _micros(message.ts)) > low or (inclusive and at == low))
        and (high is None or (at := _micros(message.ts)) < high or (inclusive and at == high))
    ]


def _micros(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _messages(desk: Desk, call: Call, found: list[Message], metadata: Json) -> Json:
    every = call.flag("include_all_metadata")
    return {
        "messages": [desk.world.message_json(message, metadata=every) for message in found],
        "has_more": bool(metadata["next_cursor"]),
        "response_metadata": metadata,
    }


METHODS = {
    "conversations.list": Method(list_),
    "conversations.info": Method(info),
    "conversations.members": Method(members),
    "conversations.history": Method(history),
    "conversations.replies": Method(replies),
    "conversations.open": Method(open_, ("im:write", "mpim:write")),
    "conversations.join": Method(join, ("channels:join",)),
}
