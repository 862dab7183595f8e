"""reactions.*, files.info, and the two calls around an upload (https://docs.slack.dev/messaging/working-with-files)."""

import mimetypes
from dataclasses import replace

from tests.platforms.slack import text as wording
from tests.platforms.slack.log import Did
from tests.platforms.slack.methods.base import Desk, Method, json_argument
from tests.platforms.slack.values import Call, File, Json, Message, SlackError


def reactions_add(desk: Desk, call: Call) -> Json:
    """React to a message."""
    message = _message(desk, call)
    pair = (call.text("name"), desk.world.app.bot_user)
    if not call.text("name"):
        raise SlackError("invalid_name")
    if pair in message.reactions:
        raise SlackError("already_reacted")
    return _reacted(desk, call, message, (*message.reactions, pair))


def reactions_remove(desk: Desk, call: Call) -> Json:
    """Take one's reaction back."""
    message = _message(desk, call)
    pair = (call.text("name"), desk.world.app.bot_user)
    if pair not in message.reactions:
        raise SlackError("no_reaction")
    return _reacted(
        desk,
        call,
        message,
        tuple(other for other in message.reactions if other != pair),
    )


def files_info(desk: Desk, call: Call) -> Json:
    """One file, those of strangers included."""
    file = desk.world.files.get(call.text("file"))
    if file is None or not file.shared:
        raise SlackError("file_not_found")
    return {"file": desk.world.file_json(file), "comments": []}


def get_upload_url(desk: Desk, call: Call) -> Json:
    """Where to send a file's bytes."""
    name, length = call.text("filename"), call.text("length")
    if not name:
        raise SlackError("invalid_arguments")
    if not length.isdigit() or int(length) == 0:
        raise SlackError("invalid_arguments")
    file_id = desk.world.new_id("F")
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    desk.world.files[file_id] = File(
        file_id,
        name,
        name,
        mimetype,
        desk.world.app.bot_user,
        b"",
        int(desk.world.now_s),
    )
    desk.world.uploads[file_id] = int(length)
    return {"upload_url": f"{desk.world.base_url}upload/{file_id}", "file_id": file_id}


def complete_upload(desk: Desk, call: Call) -> Json:
    """Finish uploads and, with `channel_id`, show them in a message."""
    world = desk.world
    wanted = json_argument(call, "files")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments")
    done: list[File] = []
    for item in wanted:
        file = world.files.get(str(item.get("id")))
        if file is None or file.id in world.uploads:
            raise SlackError("file_not_found")
        done.append(replace(file, title=item.get("title") or file.name))
    channels = [name for name in (call.text("channel_id"), *call.listed("channels")) if name]
    for name in channels:
        channel = world.channel_for_app(name)
        if channel.is_archived:
            raise SlackError("is_archived")
        ts = world.new_ts()
        done = [replace(file, shared=(*file.shared, (channel.id, ts))) for file in done]
        world.files.update({file.id: file for file in done})
        message = Message(
            channel=channel.id,
            ts=ts,
            user=world.app.bot_user,
            team_id=world.team.id,
            text=wording.stored(call.text("initial_comment")),
            thread_ts=call.text("thread_ts") or None,
            subtype="file_share",
            bot_id=world.app.bot_id,
            app_id=world.app.id,
            files=tuple(file.id for file in done),
        )
        desk.newsroom.publish(message)
        world.log.append(
            world.clock.now(), Did.UPLOAD, call.method, channel=channel.id, ts=ts, thread_ts=message.thread_ts,
            text=message.text,
        )  # fmt: skip
    world.files.update({file.id: file for file in done})
    return {"files": [world.file_json(file) for file in done]}


def _message(desk: Desk, call: Call) -> Message:
    channel = desk.world.channel_for_app(call.text("channel"))
    if channel.is_archived:
        raise SlackError("is_archived")
    return desk.world.find_message(channel.id, call.text("timestamp"))


def _reacted(desk: Desk, call: Call, message: Message, reactions: tuple[tuple[str, str], ...]) -> Json:
    desk.world.messages[message.channel][message.ts] = replace(message, reactions=reactions)
    desk.world.log.append(
        desk.world.clock.now(),
        Did.REACTION,
        call.method,
        channel=message.channel,
        ts=message.ts,
        text=call.text("name"),
    )
    return {}


METHODS = {
    "reactions.add": Method(reactions_add, ("reactions:write",)),
    "reactions.remove": Method(reactions_remove, ("reactions:write",)),
    "files.info": Method(files_info, ("files:read",)),
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",)),
}
