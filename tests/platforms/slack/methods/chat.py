"""chat.*: posting, changing, deleting, ephemerals, permalinks (https://docs.slack.dev/reference/methods/chat.postMessage)."""

import json
import re
from dataclasses import replace
from typing import Any

from tests.platforms.slack import blocks as kit
from tests.platforms.slack import text as wording
from tests.platforms.slack.log import Did
from tests.platforms.slack.methods.base import Desk, Method, json_argument
from tests.platforms.slack.values import Call, Channel, Json, Message, SlackError

_TS = re.compile(r"\d{6,}\.\d{6}")
_JOINED = frozenset({"channel_join", "channel_leave", "channel_name", "channel_topic"})


def post_message(desk: Desk, call: Call) -> Json:
    """Post to a channel, a thread, or a person's direct messages (`channel` may be a user id)."""
    world = desk.world
    channel = _place(desk, call)
    content = _content(desk, call, text_max=None)
    metadata = read_metadata(desk, call)
    thread_ts = _thread(desk, call, channel)
    desk.limits.count_post(channel.id, world.now_s)
    broadcast = thread_ts is not None and call.flag("reply_broadcast")
    message = Message(
        channel=channel.id,
        ts=world.new_ts(),
        user=world.app.bot_user,
        team_id=world.team.id,
        thread_ts=thread_ts,
        subtype="thread_broadcast" if broadcast else None,
        bot_id=world.app.bot_id,
        app_id=world.app.id,
        metadata=metadata,
        unfurl_links=call.flag("unfurl_links", default=True),
        unfurl_media=call.flag("unfurl_media", default=True),
        **content,
    )
    desk.newsroom.publish(message)
    _record(desk, Did.POST, call, message)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": world.message_json(message, metadata=True),
    }


def update(desk: Desk, call: Call) -> Json:
    """Change one's own message. Blocks, attachments and metadata that are not given are kept."""
    world = desk.world
    channel = world.channel_for_app(call.text("channel"), member=False)
    old = world.find_message(channel.id, call.text("ts"))
    if old.bot_id != world.app.bot_id:
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    content = _content(desk, call, text_max=world.options.update_text_chars_max)
    for name in ("blocks", "attachments"):
        if call.params.get(name) is None:
            content[name] = getattr(old, name)
    if call.params.get("metadata") is not None:
        content["metadata"] = read_metadata(desk, call)
    new = replace(old, **content, edited_by=world.app.bot_user, edited_ts=world.new_ts())
    desk.newsroom.revise(old, new)
    _record(desk, Did.UPDATE, call, new)
    answer = {"channel": channel.id, "ts": new.ts, "text": new.text}
    return answer | {"message": world.message_json(new, metadata=True)}


def delete(desk: Desk, call: Call) -> Json:
    """Delete one's own message."""
    world = desk.world
    channel = world.channel_for_app(call.text("channel"), member=False)
    message = world.find_message(channel.id, call.text("ts"))
    if message.bot_id != world.app.bot_id:
        raise SlackError("cant_delete_message")
    desk.newsroom.remove(message)
    _record(desk, Did.DELETE, call, message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(desk: Desk, call: Call) -> Json:
    """Say something that one person sees, until they reload; it cannot be updated or read back."""
    world = desk.world
    channel = _place(desk, call)
    if call.text("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    message = Message(
        channel=channel.id,
        ts=world.new_ts(),
        user=world.app.bot_user,
        team_id=world.team.id,
        thread_ts=call.text("thread_ts") or None,
        bot_id=world.app.bot_id,
        app_id=world.app.id,
        **_content(desk, call, text_max=None),
    )
    world.ephemerals[message.ts] = message
    _record(desk, Did.EPHEMERAL, call, message, user=call.text("user"))
    return {"message_ts": message.ts}


def get_permalink(desk: Desk, call: Call) -> Json:
    """The web address of a message."""
    world = desk.world
    channel = world.channel_for_app(call.text("channel"), member=False)
    message = world.find_message(channel.id, call.text("message_ts"))
    link = f"https://{world.team.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def read_metadata(desk: Desk, call: Call) -> Json | None:
    """The `metadata` argument: {event_type, event_payload}, or {} to remove it."""
    value = json_argument(call, "metadata", "invalid_metadata_format")
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise SlackError("invalid_metadata_format")
    event_type, payload = value.get("event_type"), value.get("event_payload")
    if set(value) - {"event_type", "event_payload", "entities"} or not isinstance(event_type, str) or not event_type:
        raise SlackError("invalid_metadata_schema")
    if not isinstance(payload, dict) or any(isinstance(v, dict) for v in payload.values()):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(value).encode()) > desk.world.options.metadata_bytes_max:
        raise SlackError("metadata_too_large")
    return {"event_type": event_type, "event_payload": payload}


def _place(desk: Desk, call: Call) -> Channel:
    name = call.text("channel")
    if name in desk.world.users:
        user = desk.world.users[name]
        if user.deleted or user.is_bot:
            raise SlackError("channel_not_found")
        return desk.world.direct(user.id)
    channel = desk.world.channel_for_app(name)
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def _content(desk: Desk, call: Call, *, text_max: int | None) -> dict[str, Any]:
    options = desk.world.options
    text = call.text("text")
    if text_max is not None and len(text) > text_max:
        raise SlackError("msg_too_long")
    blocks = json_argument(call, "blocks", "invalid_blocks_format") or []
    attachments = json_argument(call, "attachments") or []
    problems = kit.message_problems(blocks)
    if problems:
        raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": problems})
    if kit.chars(blocks) > options.blocks_chars_max:
        raise SlackError("msg_blocks_too_long")
    if not text.strip() and not blocks and not attachments:
        raise SlackError("no_text")
    if call.text("parse") == "full":
        text = wording.typed(text, desk.world.resolve)
    return {
        "text": wording.stored(text[: options.text_chars_max]),
        "blocks": tuple(kit.named(blocks, desk.world.rng)),
        "attachments": tuple(attachments),
    }


def _thread(desk: Desk, call: Call, channel: Channel) -> str | None:
    ts = call.text("thread_ts")
    if not ts:
        return None
    if not _TS.fullmatch(ts):
        raise SlackError("invalid_thread_ts")
    parent = desk.world.messages[channel.id].get(ts)
    if parent is None:
        if desk.world.options.unthreads_replies:
            return None
        raise SlackError("thread_not_found")
    if parent.subtype in _JOINED:
        raise SlackError("cannot_reply_to_message")
    return parent.thread_ts or parent.ts


def _record(desk: Desk, did: Did, call: Call, message: Message, user: str | None = None) -> None:
    desk.world.log.append(
        desk.world.clock.now(),
        did,
        call.method,
        channel=message.channel,
        ts=message.ts,
        thread_ts=message.thread_ts,
        user=user,
        text=message.text,
        blocks=message.blocks,
        metadata=message.metadata,
    )


METHODS = {
    "chat.postMessage": Method(post_message, ("chat:write",)),
    "chat.update": Method(update, ("chat:write",)),
    "chat.delete": Method(delete, ("chat:write",)),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",)),
    "chat.getPermalink": Method(get_permalink),
}
