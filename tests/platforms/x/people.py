"""The routes of users and of direct messages."""

from collections.abc import Iterator
from datetime import timedelta

from tests.platforms.x import problems
from tests.platforms.x.call import Call, only, text_of
from tests.platforms.x.model import DirectMessage, Json, User, dm_conversation_id
from tests.platforms.x.params import check_id
from tests.platforms.x.problems import invalid

Answer = tuple[int, Json]
DM_CHARS_MAX = 10_000
_EVENT_TYPES = {"MessageCreate", "ParticipantsJoin", "ParticipantsLeave"}


def me(call: Call) -> Answer:
    """GET /2/users/me"""
    return 200, {"data": call.view.user(call.actor.user)}


def user_by_id(call: Call) -> Answer:
    """GET /2/users/:id"""
    return _one(call, call.world.users.get(check_id("id", call.args["id"])), "id", call.args["id"])


def user_by_name(call: Call) -> Answer:
    """GET /2/users/by/username/:username"""
    return _one(call, call.world.user_named(call.args["username"]), "username", call.args["username"])


def users(call: Call) -> Answer:
    """GET /2/users?ids="""
    found = [(id_, call.world.users.get(id_)) for id_ in call.params.ids]
    errors = [problems.missing("user", "ids", id_) for id_, user in found if user is None or user.deleted]
    return 200, call.view.user_page([user for _, user in found if user and not user.deleted], errors)


def dm_events(call: Call) -> Answer:
    """GET /2/dm_events: the messages of all conversations, 30 days back."""
    return _events(call, None)


def dm_events_with(call: Call) -> Answer:
    """GET /2/dm_conversations/with/:participant_id/dm_events"""
    other = check_id("participant_id", call.args["participant_id"])
    return _events(call, dm_conversation_id(call.actor.id, other))


def send_dm(call: Call) -> Answer:
    """POST /2/dm_conversations/with/:participant_id/messages, to those who wrote or take messages from everyone."""
    _dms_exist(call)
    only(call.body, ("text", "attachments"))
    words = text_of(call.body, "text")
    if call.body.get("attachments"):
        raise invalid("$.attachments: the local X does not have this", "attachments", str(call.body["attachments"]))
    if not words or len(words) > DM_CHARS_MAX:
        raise invalid(f"$.text: must be 1 to {DM_CHARS_MAX} characters long", "text", (words or "")[:100])
    recipient = call.world.users.get(check_id("participant_id", call.args["participant_id"]))
    sender = call.actor.user
    if recipient is None or recipient is sender or not call.world.may_dm(sender, recipient):
        raise problems.forbidden(problems.DM_REFUSED)
    message = call.world.dm(sender, recipient, words)
    call.world.accept(message, words)
    return 201, {"data": {"dm_conversation_id": message.conversation_id, "dm_event_id": message.id}}


def _one(call: Call, user: User | None, parameter: str, value: str) -> Answer:
    if user is None or user.deleted:
        return 200, {"errors": [problems.missing("user", parameter, value)]}
    return 200, {"data": call.view.user(user)}


def _events(call: Call, conversation_id: str | None) -> Answer:
    _dms_exist(call)
    kinds = set(filter(None, call.params.get("event_types").split(",")))
    if wrong := kinds - _EVENT_TYPES:
        message = f"The `event_types` query parameter value {sorted(wrong)} is not one of {sorted(_EVENT_TYPES)}"
        raise invalid(message, "event_types", call.params.get("event_types"))
    oldest = call.now - timedelta(seconds=call.world.settings.dm_history_s)

    def visible() -> Iterator[DirectMessage]:
        for id_ in call.world.dms_of[call.actor.id]:
            message = call.world.dms[id_]
            wanted = conversation_id in (None, message.conversation_id) and (not kinds or "MessageCreate" in kinds)
            if wanted and oldest <= message.created_at and message.indexed_at <= call.now:
                yield message

    rows, meta = call.page(visible(), lambda message: message.id)
    # Unlike timelines, this list tells only how many there are and how to go on.
    meta = {key: meta[key] for key in ("result_count", "next_token") if key in meta}
    return 200, call.view.dm_page(rows) | {"meta": meta}


def _dms_exist(call: Call) -> None:
    if not call.world.settings.dms_available:
        raise problems.forbidden(problems.NOT_PERMITTED)
