"""What happens in the workspace, told to the app: Events API payloads, sent where the app is subscribed and present."""

from dataclasses import dataclass, replace

from tests.platforms.slack.courier import EVENTS, Courier
from tests.platforms.slack.values import Channel, Json, Kind, Message
from tests.platforms.slack.workspace import Workspace

_MESSAGE_EVENTS = {
    Kind.PUBLIC: "message.channels",
    Kind.PRIVATE: "message.groups",
    Kind.IM: "message.im",
    Kind.MPIM: "message.mpim",
}


@dataclass
class Newsroom:
    """Changes messages and tells the app, so that the store and the events never disagree."""

    world: Workspace
    courier: Courier

    # ---- messages

    def publish(self, message: Message) -> Message:
        """Store a new message and send its `message` event, and `app_mention` with the same ts."""
        self.world.messages[message.channel][message.ts] = message
        if message.is_reply:
            self.world.replies.setdefault((message.channel, message.thread_ts or ""), []).append(message.ts)
        channel = self.world.channels[message.channel]
        body = self.world.message_json(message, metadata=True)
        if channel.is_ext_shared:
            body |= {"user_team": message.team_id, "source_team": message.team_id}
        about = {"channel": channel.id, "event_ts": message.ts}
        self.emit(
            _MESSAGE_EVENTS[channel.kind],
            body | about | {"channel_type": channel.kind.value},
            channel,
        )
        mentions_app = f"<@{self.world.app.bot_user}>" in message.text
        if mentions_app and channel.kind is not Kind.IM and message.user != self.world.app.bot_user:
            self.emit("app_mention", body | about | {"type": "app_mention"}, channel)
        return message

    def revise(self, old: Message, new: Message) -> Message:
        """Store an edit and send `message_changed`."""
        self.world.messages[new.channel][new.ts] = new
        self._message_event(
            new.channel,
            "message_changed",
            message=self.world.message_json(new, metadata=True),
            previous_message=self.world.message_json(old, metadata=True),
        )
        return new

    def remove(self, message: Message) -> None:
        """Delete a message: `message_deleted`, or a tombstone (`message_changed`) when replies hang on it."""
        if not message.is_reply and len(self.world.thread(message.channel, message.ts)) > 1:
            tombstone = replace(
                message, subtype="tombstone", user="USLACKBOT", text="This message was deleted.", blocks=(),
                attachments=(), files=(), metadata=None, bot_id=None, app_id=None, reactions=(),
            )  # fmt: skip
            self.revise(message, tombstone)
            return
        before = self.world.message_json(message, metadata=True)
        del self.world.messages[message.channel][message.ts]
        self._message_event(
            message.channel,
            "message_deleted",
            deleted_ts=message.ts,
            previous_message=before,
        )

    def _message_event(self, channel_id: str, subtype: str, **more: object) -> None:
        channel = self.world.channels[channel_id]
        ts = self.world.new_ts()
        event = {
            "type": "message",
            "subtype": subtype,
            "hidden": True,
            "channel": channel.id,
            "channel_type": channel.kind.value,
            "ts": ts,
            "event_ts": ts,
            **more,
        }
        self.emit(_MESSAGE_EVENTS[channel.kind], event, channel)

    # ---- any event

    def emit(self, subscription: str, event: Json, channel: Channel | None = None) -> None:
        """Send an event if the app subscribed to it and, for one of a channel, is in that channel."""
        app, team = self.world.app, self.world.team
        if subscription not in app.subscriptions:
            return
        if channel is not None and app.bot_user not in channel.members:
            return
        event.setdefault("event_ts", self.world.new_ts())
        payload = {
            "token": app.verification_token,
            "team_id": team.id,
            "context_team_id": team.id,
            "context_enterprise_id": None,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": self.world.new_id("Ev"),
            "event_time": int(self.world.now_s),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team.id,
                    "user_id": app.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": channel is not None and channel.is_ext_shared,
            "event_context": self.world.new_id("4-"),
        }
        self.courier.enqueue(EVENTS, payload)
