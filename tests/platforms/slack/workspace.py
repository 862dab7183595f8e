"""The state of the local Slack: teams, people, channels, messages, files; how to set it up and look things up."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.platforms.slack import text as wording
from tests.platforms.slack.blocks import texts
from tests.platforms.slack.clock import Clock
from tests.platforms.slack.log import Log
from tests.platforms.slack.values import (
    App,
    Channel,
    File,
    Json,
    Kind,
    Message,
    Options,
    SlackError,
    Team,
    User,
    UserGroup,
)


@dataclass
class Workspace:
    """Everything the platform knows. The app is installed in `team`; other teams are met through Slack Connect."""

    clock: Clock
    rng: Random
    app: App = field(default_factory=App)
    options: Options = field(default_factory=Options)
    team: Team = field(default_factory=lambda: Team("T0HOME", "Home", "home"))
    base_url: str = "https://slack.invalid/"
    log: Log = field(default_factory=Log)
    teams: dict[str, Team] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    replies: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (channel, thread_ts) → ts
    files: dict[str, File] = field(default_factory=dict)
    uploads: dict[str, int] = field(default_factory=dict)  # file id → bytes that are still to come
    ephemerals: dict[str, Message] = field(default_factory=dict)
    token_error: str | None = None  # token_revoked, account_inactive, …: what every call with the bot's token answers
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _last_micros: int = 0

    def __post_init__(self) -> None:
        self.teams[self.team.id] = self.team
        bot = User(
            self.app.bot_user, self.team.id, self.app.name, self.app.name.title(), "", is_bot=True,
            bot_id=self.app.bot_id, app_id=self.app.id,
        )  # fmt: skip
        self.users[bot.id] = bot

    # ---- time and names

    @property
    def now_s(self) -> float:
        """The clock as Unix seconds."""
        return self.clock.now().timestamp()

    def new_id(self, prefix: str) -> str:
        """A fresh id such as `C0000000A7`."""
        return f"{prefix}{next(self._ids):08X}{self.rng.randrange(16):X}"

    def new_ts(self) -> str:
        """A fresh timestamp, unique and growing even when the clock stands still or steps back."""
        self._last_micros = max(round(self.now_s * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    # ---- setting up

    def add_team(self, name: str) -> Team:
        """Another workspace, whose people are strangers here."""
        team = Team(self.new_id("T"), name, name.lower())
        self.teams[team.id] = team
        return team

    def add_user(self, name: str, team: Team | None = None, **facts: Any) -> User:
        """A person: `facts` are fields of `User` (`is_restricted`, `tz`, `deleted`, …)."""
        user = User(
            id=facts.pop("id", None) or self.new_id("U"),
            team_id=(team or self.team).id,
            name=name,
            real_name=facts.pop("real_name", name.title()),
            email=facts.pop("email", f"{name}@{(team or self.team).domain}.example"),
            **facts,
        )
        self.users[user.id] = user
        return user

    def add_bot(self, name: str) -> User:
        """Another app's bot."""
        return self.add_user(name, is_bot=True, bot_id=self.new_id("B"), app_id=self.new_id("A"))

    def add_group(self, handle: str, users: Iterable[User | str] = ()) -> UserGroup:
        """A user group."""
        group = UserGroup(self.new_id("S"), handle, tuple(_id(user) for user in users))
        self.groups[group.id] = group
        return group

    def add_channel(
        self,
        name: str,
        members: Iterable[User | str] = (),
        *,
        private: bool = False,
        bot: bool = True,
        shared_with: Iterable[Team] = (),
    ) -> Channel:
        """A channel with these people, and the app's bot unless `bot` is False; `shared_with` makes it Slack Connect."""
        everybody = {_id(member) for member in members} | ({self.app.bot_user} if bot else set())
        channel = Channel(
            id=self.new_id("G" if private else "C"),
            name=name,
            kind=Kind.PRIVATE if private else Kind.PUBLIC,
            team_id=self.team.id,
            created_at_s=int(self.now_s),
            members=frozenset(everybody),
            shared_team_ids=tuple(team.id for team in shared_with),
        )
        return self.put_channel(channel)

    def direct(self, user: str) -> Channel:
        """The direct messages between the bot and a person, opened if need be."""
        for channel in self.channels.values():
            if channel.kind is Kind.IM and channel.user == user:
                return channel
        pair = frozenset({user, self.app.bot_user})
        return self.put_channel(
            Channel(
                self.new_id("D"),
                "",
                Kind.IM,
                self.team.id,
                int(self.now_s),
                pair,
                user=user,
            )
        )

    def put_channel(self, channel: Channel) -> Channel:
        """Store a channel, or a new value of it."""
        self.channels[channel.id] = channel
        self.messages.setdefault(channel.id, {})
        return channel

    def change_user(self, user: User | str, **facts: Any) -> User:
        """Change what is known of a person: `deleted=True`, `is_restricted=True`, …"""
        changed = replace(self.users[_id(user)], **facts)
        self.users[changed.id] = changed
        return changed

    def change_group(self, group: UserGroup | str, users: Iterable[User | str]) -> UserGroup:
        """Set who is in a user group."""
        changed = replace(self.groups[_id(group)], users=tuple(_id(user) for user in users))
        self.groups[changed.id] = changed
        return changed

    def change_members(
        self, channel: Channel | str, *, add: Iterable[User | str] = (), drop: Iterable[User | str] = ()
    ) -> Channel:
        """Let people in and out of a channel (the bot too)."""
        old = self.channels[_id(channel)]
        members = (old.members | {_id(user) for user in add}) - {_id(user) for user in drop}
        return self.put_channel(replace(old, members=members))

    # ---- looking up, with Slack's errors

    def channel_for_app(self, name: str, *, member: bool = True) -> Channel:
        """The channel that the app names. Raises channel_not_found, or not_in_channel."""
        channel = self.channels.get(name) or self._by_name(name)
        inside = channel is not None and self.app.bot_user in channel.members
        if channel is None or (not inside and channel.kind is not Kind.PUBLIC):
            raise SlackError("channel_not_found")
        if member and not inside:
            raise SlackError("not_in_channel")
        return channel

    def user_for_app(self, name: str) -> User:
        """The person that the app names. Raises user_not_found, or user_not_visible for strangers never met."""
        user = self.users.get(name)
        if user is None:
            raise SlackError("user_not_found")
        if self.is_stranger(user) and not any(
            {user.id, self.app.bot_user} <= channel.members for channel in self.channels.values()
        ):
            raise SlackError("user_not_visible")
        return user

    def is_stranger(self, user: User) -> bool:
        """True for a person of another workspace."""
        return user.team_id != self.team.id

    def message(self, channel: Channel | str, ts: str) -> Message:
        """A message as it is now; keep it to click on it later. Raises KeyError."""
        return self.messages[_id(channel)][ts]

    def find_message(self, channel: str, ts: str) -> Message:
        """The message that the app names. Raises message_not_found."""
        found = self.messages.get(channel, {}).get(ts)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def thread(self, channel: Channel | str, ts: str) -> tuple[Message, ...]:
        """The first message of a thread and its replies, in order."""
        stored = self.messages[_id(channel)]
        return tuple(stored[name] for name in (ts, *self.replies.get((_id(channel), ts), ())) if name in stored)

    def history(self, channel: Channel | str) -> tuple[Message, ...]:
        """Everything in a channel, replies too, in order."""
        return tuple(self.messages[_id(channel)].values())

    # ---- what a message does to people

    def pings(self, message: Message) -> tuple[str, ...]:
        """Whom a message would notify, in its text and its blocks: must be empty for a customer's quoted words."""
        return tuple(ping for part in self._texts(message) for ping in wording.pings(part))

    def masked_links(self, message: Message) -> tuple[tuple[str, str], ...]:
        """Links in a message whose label hides their target."""
        return tuple(link for part in self._texts(message) for link in wording.masked_links(part))

    def resolve(self, word: str) -> str | None:
        """The control sequence of a typed `@name` or `#name`."""
        sign, name = word[0], word[1:]
        if sign == "#":
            channel = self._by_name(name)
            return f"<#{channel.id}|{channel.name}>" if channel else None
        if name in ("channel", "here", "everyone"):
            return f"<!{name}>"
        for user in self.users.values():
            if user.name == name:
                return f"<@{user.id}>"
        for group in self.groups.values():
            if group.handle == name:
                return f"<!subteam^{group.id}>"
        return None

    def _texts(self, message: Message) -> tuple[str, ...]:
        # With blocks the text is only the notification's; it still pings.
        return (message.text, *texts(message.blocks))

    def _by_name(self, name: str) -> Channel | None:
        wanted = name.removeprefix("#")
        return next((c for c in self.channels.values() if c.name == wanted and c.name), None)

    # ---- JSON forms

    def user_json(self, user: User, scopes: Iterable[str] = ()) -> Json:
        """A person as users.info and users.list tell it."""
        profile: Json = {
            "real_name": user.real_name,
            "display_name": user.name,
            "team": user.team_id,
        }
        if "users:read.email" in scopes:
            profile["email"] = user.email
        facts: Json = {
            "id": user.id,
            "team_id": user.team_id,
            "name": user.name,
            "real_name": user.real_name,
            "deleted": user.deleted,
            "profile": profile,
            "is_bot": user.is_bot,
            "is_app_user": user.team_id == self.team.id and not user.is_bot,  # they have authorized the app
            "updated": int(self.now_s),
        }
        if not user.deleted:
            facts |= {
                "tz": user.tz,
                "tz_label": user.tz,
                "tz_offset": user.tz_offset_s,
                "is_admin": user.is_admin,
                "is_restricted": user.is_restricted,
                "is_ultra_restricted": user.is_ultra_restricted,
            }
        if self.is_stranger(user):
            facts["is_stranger"] = True
        return facts

    def channel_json(self, channel: Channel) -> Json:
        """A conversation as conversations.info and conversations.list tell it."""
        facts: Json = {
            "id": channel.id,
            "created": channel.created_at_s,
            "is_im": channel.kind is Kind.IM,
            "is_mpim": channel.kind is Kind.MPIM,
            "is_archived": channel.is_archived,
            "context_team_id": self.team.id,
            "is_ext_shared": channel.is_ext_shared,
            "is_shared": channel.is_ext_shared,
        }
        if channel.kind is Kind.IM:
            return facts | {
                "user": channel.user,
                "is_user_deleted": self.users[channel.user or ""].deleted,
            }
        return facts | {
            "name": channel.name,
            "name_normalized": channel.name,
            "is_channel": channel.kind is Kind.PUBLIC,
            "is_group": channel.kind is Kind.PRIVATE,
            "is_private": channel.kind is not Kind.PUBLIC,
            "is_member": self.app.bot_user in channel.members,
            "num_members": len(channel.members),
            "shared_team_ids": [channel.team_id, *channel.shared_team_ids],
            "connected_team_ids": list(channel.shared_team_ids),
            "topic": {"value": channel.topic},
            "purpose": {"value": ""},
        }

    def message_json(self, message: Message, *, metadata: bool = False) -> Json:
        """A message as history, replies and events tell it; metadata only when asked for."""
        facts: Json = {
            "type": "message",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": message.team_id,
            "subtype": message.subtype,
            "client_msg_id": message.client_msg_id,
            "bot_id": message.bot_id,
            "app_id": message.app_id,
            "blocks": list(message.blocks),
            "attachments": list(message.attachments),
            "files": [self.file_json(self.files[name], in_message=True) for name in message.files],
            "reactions": self._reactions(message),
        }
        if message.bot_id:
            facts["bot_profile"] = {
                "id": message.bot_id,
                "app_id": message.app_id,
                "name": self.users[message.user].name,
            }
        if message.edited_ts:
            facts["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
        if metadata:
            facts["metadata"] = message.metadata
        replies = self.thread(message.channel, message.ts)[1:] if not message.is_reply else ()
        if message.is_reply:
            parent = self.messages[message.channel].get(message.thread_ts or "")
            facts |= {
                "thread_ts": message.thread_ts,
                "parent_user_id": parent.user if parent else None,
            }
        elif replies:
            facts |= {
                "thread_ts": message.ts,
                "reply_count": len(replies),
                "reply_users": sorted({reply.user for reply in replies}),
                "latest_reply": replies[-1].ts,
            }
        return {key: value for key, value in facts.items() if value not in (None, [], ())}

    def file_json(self, file: File, *, in_message: bool = False) -> Json:
        """A file; one from another workspace is told in a message only as "ask files.info"."""
        if in_message and file.external:
            return {"id": file.id, "file_access": "check_file_info"}
        private = f"{self.base_url}files-pri/{file.id}/{file.name}"
        return {
            "id": file.id,
            "created": file.created_at_s,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": file.name.rpartition(".")[2],
            "size": len(file.content),
            "user": file.user,
            "is_external": False,
            "url_private": private,
            "url_private_download": private,
            "channels": sorted({channel for channel, _ in file.shared}),
        }

    def _reactions(self, message: Message) -> list[Json]:
        names = dict.fromkeys(name for name, _ in message.reactions)
        return [
            {"name": name, "users": users, "count": len(users)}
            for name in names
            if (users := [user for reaction, user in message.reactions if reaction == name])
        ]


def _id(thing: User | UserGroup | Channel | str) -> str:
    return thing if isinstance(thing, str) else thing.id
