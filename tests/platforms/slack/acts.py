"""What people do in the local Slack: post, edit, delete, click, submit, command, and what admins do to channels.

Nothing here is an API call of the app: every act happens, and the app hears of it.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.platforms.slack import blocks as kit
from tests.platforms.slack import text as wording
from tests.platforms.slack.events import Newsroom
from tests.platforms.slack.interactions import Interaction, Interactions
from tests.platforms.slack.values import (
    SCOPE_PREFIX,
    ActRefused,
    Channel,
    File,
    Json,
    Message,
    User,
)
from tests.platforms.slack.views import Shown, Views, state_values
from tests.platforms.slack.workspace import Workspace

_RESPONDS = (
    "static_select",
    "radio_buttons",
    "overflow",
    "checkboxes",
    "datepicker",
    "users_select",
)


@dataclass
class Acts:
    """The people's side of the platform."""

    world: Workspace
    newsroom: Newsroom
    interactions: Interactions
    views: Views

    # ---- messages

    def post(
        self,
        user: User,
        channel: Channel | User | None,
        text: str = "",
        *,
        thread: Message | str | None = None,
        files: Iterable[File] = (),
        raw: bool = False,
        broadcast: bool = False,
    ) -> Message:
        """Post as a person, or as another app's bot, to a channel; None is a direct message to the app.

        `text` is what the person types: `@name` becomes a mention, everything else is escaped. `raw` takes the text
        as Slack stores it. A mention of the app makes both `app_mention` and `message`, with the same ts.
        """
        place = self.world.direct(user.id) if channel is None or isinstance(channel, User) else channel
        place = self.world.channels[place.id]
        if user.id not in place.members:
            raise ActRefused(f"{user.name} is not in {place.name or place.id}: add them to its members")
        if place.is_archived:
            raise ActRefused(f"{place.name} is archived: nobody can post there")
        stored = text if raw else wording.typed(text, self.world.resolve)
        kept = [self._share(file) for file in files]
        message = Message(
            channel=place.id,
            ts=self.world.new_ts(),
            user=user.id,
            team_id=user.team_id,
            text=stored,
            blocks=() if user.is_bot or not stored else (self._rich(stored),),
            thread_ts=thread.thread_ts or thread.ts if isinstance(thread, Message) else thread,
            subtype="file_share" if kept else "thread_broadcast" if broadcast else None,
            bot_id=user.bot_id,
            app_id=user.app_id,
            files=tuple(file.id for file in kept),
            client_msg_id=None if user.is_bot else str(uuid.UUID(int=self.world.rng.getrandbits(128), version=4)),
        )
        for file in kept:
            self.world.files[file.id] = replace(file, shared=(*file.shared, (place.id, message.ts)))
        return self.newsroom.publish(message)

    def edit(self, message: Message, text: str, *, raw: bool = False) -> Message:
        """Change the words of one's message: `message_changed`."""
        old = self.world.message(message.channel, message.ts)
        stored = text if raw else wording.typed(text, self.world.resolve)
        blocks = (self._rich(stored),) if old.client_msg_id else old.blocks
        edited = replace(
            old,
            text=stored,
            blocks=blocks,
            edited_by=old.user,
            edited_ts=self.world.new_ts(),
        )
        return self.newsroom.revise(old, edited)

    def unfurl(self, message: Message, title: str = "A page") -> Message:
        """Slack shows a link's preview: a `message_changed` in which no word changed."""
        old = self.world.message(message.channel, message.ts)
        return self.newsroom.revise(old, replace(old, attachments=({"title": title, "fallback": title},)))

    def delete(self, message: Message) -> None:
        """Delete a message: `message_deleted`, or a tombstone when it has replies."""
        self.newsroom.remove(self.world.message(message.channel, message.ts))

    def file(
        self,
        user: User,
        name: str,
        content: bytes = b"\x89PNG\r\n",
        mimetype: str = "image/png",
    ) -> File:
        """A file to post with `post(..., files=[...])`; a stranger's is only seen through files.info."""
        return File(
            self.world.new_id("F"), name, name, mimetype, user.id, content, int(self.world.now_s),
            external=self.world.is_stranger(user),
        )  # fmt: skip

    def react(self, user: User, message: Message, name: str, *, remove: bool = False) -> Message:
        """Add or take away a reaction."""
        old = self.world.message(message.channel, message.ts)
        rest = tuple(pair for pair in old.reactions if pair != (name, user.id))
        new = replace(old, reactions=rest if remove else (*rest, (name, user.id)))
        self.world.messages[new.channel][new.ts] = new
        kind = "reaction_removed" if remove else "reaction_added"
        item = {"type": "message", "channel": new.channel, "ts": new.ts}
        event = {
            "type": kind,
            "user": user.id,
            "reaction": name,
            "item": item,
            "item_user": new.user,
        }
        self.newsroom.emit(kind, event, self.world.channels[new.channel])
        return new

    # ---- interactions

    def click(
        self,
        user: User,
        message: Message,
        action_id: str,
        value: str | None = None,
        *,
        inputs: Mapping[str, Any] | None = None,
    ) -> Interaction:
        """Press a button, or choose `value` in a menu, of a message as the person sees it.

        Pass a `Message` that was kept before an update to click on a card that has changed since. `value` picks one
        of several controls with the same action_id, or a menu's option; `inputs` fills inputs in the message.
        """
        place = self.world.channels[message.channel]
        ephemeral = message.ts in self.world.ephemerals
        if user.id not in place.members:
            raise ActRefused(f"{user.name} is not in {place.name or place.id} and does not see this message")
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": place.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        payload = {
            "type": "block_actions",
            "container": container,
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "state": {"values": state_values(list(message.blocks), inputs or {})},
            "response_url": self.interactions.new_response_url(place.id, user.id, message, ephemeral=ephemeral),
            "actions": [self._action(list(message.blocks), action_id, value)],
        }
        if not ephemeral:
            payload["message"] = self.world.message_json(message)
        return self.interactions.interact(user, payload)

    def click_view(
        self, user: User, action_id: str, value: str | None = None, *, home: bool = False,
        inputs: Mapping[str, Any] | None = None, view: Shown | None = None,
    ) -> Interaction:  # fmt: skip
        """Press a button of the modal on top, of an older `view`, or of the App Home."""
        shown = view or (self.views.homes.get(user.id) if home else self.views.top(user.id))
        if shown is None:
            raise ActRefused(f"{user.name} sees no {'App Home' if home else 'modal'}")
        blocks = shown.view["blocks"]
        payload = {
            "type": "block_actions",
            "container": {"type": "view", "view_id": shown.id},
            "view": self.views.json(shown, state_values(blocks, inputs or {})),
            "actions": [self._action(blocks, action_id, value)],
        }
        return self.interactions.interact(user, payload, view=shown)

    def submit(
        self,
        user: User,
        inputs: Mapping[str, Any] | None = None,
        *,
        view: Shown | None = None,
    ) -> Interaction:
        """Submit the modal on top (or an older `view`), with `inputs` by action_id over what was preset."""
        shown = view or self.views.top(user.id)
        if shown is None:
            raise ActRefused(f"{user.name} has no modal open")
        if not shown.view.get("submit"):
            raise ActRefused("this modal has no submit button")
        values = state_values(shown.view["blocks"], inputs or {}, submit=True)
        payload = {
            "type": "view_submission",
            "view": self.views.json(shown, values),
            "response_urls": [],
        }
        return self.interactions.interact(user, payload, view=shown)

    def close(self, user: User, *, everything: bool = False) -> list[Interaction]:
        """Close the modal on top, or all: `view_closed` for those that asked for it."""
        closed = self.views.close(user.id, everything=everything)
        return [
            self.interactions.interact(
                user,
                {
                    "type": "view_closed",
                    "view": self.views.json(shown),
                    "is_cleared": everything,
                },
            )
            for shown in closed
            if shown.view.get("notify_on_close")
        ]

    def message_shortcut(self, user: User, message: Message, callback_id: str) -> Interaction:
        """Choose a shortcut in a message's menu."""
        place = self.world.channels[message.channel]
        payload = {
            "type": "message_action",
            "callback_id": callback_id,
            "action_ts": self.world.new_ts(),
            "message_ts": message.ts,
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "message": self.world.message_json(message),
            "response_url": self.interactions.new_response_url(place.id, user.id),
        }
        return self.interactions.interact(user, payload)

    def global_shortcut(self, user: User, callback_id: str) -> Interaction:
        """Choose a global shortcut."""
        return self.interactions.interact(
            user,
            {
                "type": "shortcut",
                "callback_id": callback_id,
                "action_ts": self.world.new_ts(),
            },
        )

    def command(self, user: User, channel: Channel | None, command: str, text: str = "") -> Interaction:
        """Type a slash command at top level (threads have none); None is the direct message with the app."""
        if command not in self.world.app.commands:
            raise ActRefused(f"{command} is not a valid command of this app")
        if self.world.is_stranger(user):
            raise ActRefused("commands of an app work only in the workspace that installed it")
        return self.interactions.command(user, channel or self.world.direct(user.id), command, text)

    def open_home(self, user: User, tab: str = "home") -> None:
        """Open the app's home: `app_home_opened`."""
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "tab": tab,
            "channel": self.world.direct(user.id).id,
        }
        shown = self.views.homes.get(user.id)
        if shown is not None:
            event["view"] = self.views.json(shown)
        self.newsroom.emit("app_home_opened", event)

    # ---- admins

    def archive(self, channel: Channel, user: User, *, undo: bool = False) -> Channel:
        """Archive a channel, or bring it back."""
        changed = self.world.put_channel(replace(self.world.channels[channel.id], is_archived=not undo))
        kind = f"{SCOPE_PREFIX[changed.kind].removesuffix('s')}_{'unarchive' if undo else 'archive'}"
        self.newsroom.emit(kind, {"type": kind, "channel": changed.id, "user": user.id}, changed)
        return changed

    def rename(self, channel: Channel, name: str) -> Channel:
        """Rename a channel."""
        changed = self.world.put_channel(replace(self.world.channels[channel.id], name=name))
        kind = f"{SCOPE_PREFIX[changed.kind].removesuffix('s')}_rename"
        about = {"id": changed.id, "name": name, "created": changed.created_at_s}
        self.newsroom.emit(kind, {"type": kind, "channel": about}, changed)
        return changed

    def change_channel_id(self, channel: Channel) -> Channel:
        """Give a channel a new id, as sharing it by Slack Connect can; the old id is gone."""
        old = self.world.channels.pop(channel.id)
        new = replace(old, id=self.world.new_id("C"))
        messages = self.world.messages.pop(old.id)
        self.world.put_channel(new)
        self.world.messages[new.id] = {ts: replace(message, channel=new.id) for ts, message in messages.items()}
        for key in [key for key in self.world.replies if key[0] == old.id]:
            self.world.replies[new.id, key[1]] = self.world.replies.pop(key)
        event = {
            "type": "channel_id_changed",
            "old_channel_id": old.id,
            "new_channel_id": new.id,
        }
        self.newsroom.emit("channel_id_changed", event, new)
        return new

    def share(self, channel: Channel, *teams: str) -> Channel:
        """Share a channel with other workspaces by Slack Connect."""
        return self.world.put_channel(replace(self.world.channels[channel.id], shared_team_ids=teams))

    def revoke_tokens(self) -> None:
        """Revoke the bot's token: every call answers `token_revoked`."""
        self.world.token_error = "token_revoked"
        event = {
            "type": "tokens_revoked",
            "tokens": {"oauth": [], "bot": [self.world.app.bot_user]},
        }
        self.newsroom.emit("tokens_revoked", event)

    def uninstall(self) -> None:
        """Remove the app from the workspace: every call answers `account_inactive`."""
        self.newsroom.emit("app_uninstalled", {"type": "app_uninstalled"})
        self.world.token_error = "account_inactive"

    # ---- help

    def _action(self, blocks: list[Json], action_id: str, value: str | None) -> Json:
        for block in blocks:
            for element in kit.elements(block):
                if element.get("action_id") != action_id:
                    continue
                action = {
                    "type": element["type"],
                    "action_id": action_id,
                    "block_id": block["block_id"],
                    "action_ts": self.world.new_ts(),
                }
                if element["type"] in _RESPONDS:
                    if element["type"] == "overflow":
                        option = next(
                            (o for o in element["options"] if o.get("value") == value),
                            None,
                        )
                        if option is None:
                            raise ActRefused(f"{action_id!r} has no option {value!r}")
                        return action | {"selected_option": option}
                    chosen: Any = [value] if element["type"] == "checkboxes" else value
                    state: Json = state_values([block], {action_id: chosen})[block["block_id"]][action_id]
                    return action | state
                if value in (None, element.get("value")):
                    kept = ("text", "value", "style", "url", "confirm")
                    return action | {key: element[key] for key in kept if key in element}
        raise ActRefused(f"there is no {action_id!r}{'' if value is None else f' with {value!r}'} on what is shown")

    def _rich(self, stored: str) -> Json:
        plain = {"type": "text", "text": stored}
        section = {"type": "rich_text_section", "elements": [plain]}
        return {
            "type": "rich_text",
            "block_id": f"{self.world.rng.getrandbits(24):06x}",
            "elements": [section],
        }

    def _share(self, file: File) -> File:
        self.world.files.setdefault(file.id, file)
        return self.world.files[file.id]
