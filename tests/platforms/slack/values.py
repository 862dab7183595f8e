"""The nouns of the stand-in: teams, people, channels, messages, the app, and what a call answers.

Everything here is frozen: a change is a new value, so a test may keep the card it saw before an update and
click a button of it later, as a slow client does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class SlackError(Exception):
    """A refusal in Slack's own words: `{"ok": false, "error": error, **extra}` under `status`."""

    def __init__(
        self,
        error: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(error)
        self.error, self.status, self.headers, self.extra = (
            error,
            status,
            dict(headers or {}),
            extra,
        )


class ActRefused(Exception):
    """A person tried what Slack's client would not let them do, such as a click on a button that is not there."""


class Wire(StrEnum):
    """What happens to an answer on its way back."""

    REPLY = "reply"  # it arrives (after `Response.delay_s`)
    CUT = "cut"  # the connection drops instead of an answer, whether or not the work was done
    HANG = "hang"  # nothing ever arrives


@dataclass(frozen=True)
class Response:
    """An answer of the Web API: JSON (a dict), text or bytes; `wire` and `delay_s` say how it travels."""

    status: int
    headers: Mapping[str, str]
    body: Json | str | bytes
    wire: Wire = Wire.REPLY
    delay_s: float = 0.0


@dataclass(frozen=True)
class Team:
    """A workspace."""

    id: str
    name: str
    domain: str


@dataclass(frozen=True)
class User:
    """A person or a bot, as users.info tells it."""

    id: str
    team_id: str
    name: str
    real_name: str
    email: str
    tz: str = "Europe/Berlin"
    tz_offset_s: int = 3600
    is_bot: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_admin: bool = False


@dataclass(frozen=True)
class UserGroup:
    """A user group (`S…`), such as the agents."""

    id: str
    handle: str
    users: tuple[str, ...]
    is_disabled: bool = False


class Kind(StrEnum):
    """The four kinds of conversation; the value is Slack's `channel_type`."""

    PUBLIC = "channel"
    PRIVATE = "group"
    IM = "im"
    MPIM = "mpim"


SCOPE_PREFIX = {
    Kind.PUBLIC: "channels",
    Kind.PRIVATE: "groups",
    Kind.IM: "im",
    Kind.MPIM: "mpim",
}


@dataclass(frozen=True)
class Channel:
    """A conversation and who is in it; `shared_team_ids` names the other workspaces of Slack Connect."""

    id: str
    name: str
    kind: Kind
    team_id: str
    created_at_s: int
    members: frozenset[str] = frozenset()
    shared_team_ids: tuple[str, ...] = ()
    is_archived: bool = False
    user: str | None = None  # the other side of a direct message
    topic: str = ""

    @property
    def is_ext_shared(self) -> bool:
        """True when another workspace is in it."""
        return bool(self.shared_team_ids)


@dataclass(frozen=True)
class Message:
    """A message as it is stored; text is Slack-escaped."""

    channel: str
    ts: str
    user: str
    team_id: str
    text: str
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    metadata: Json | None = None
    files: tuple[str, ...] = ()
    edited_by: str | None = None
    edited_ts: str | None = None
    reactions: tuple[tuple[str, str], ...] = ()  # (name, user)
    client_msg_id: str | None = None
    unfurl_links: bool = True
    unfurl_media: bool = True

    @property
    def is_reply(self) -> bool:
        """True for a message inside a thread, not its first."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True)
class File:
    """An uploaded file; `shared` holds (channel, ts) of the messages that show it."""

    id: str
    name: str
    title: str
    mimetype: str
    user: str
    content: bytes
    created_at_s: int
    shared: tuple[tuple[str, str], ...] = ()
    external: bool = False  # from another workspace: a message only says "check_file_info"


BOT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "reactions:read",
        "reactions:write",
        "users:read",
        "usergroups:read",
        "team:read",
    }
)
SUBSCRIPTIONS = frozenset(
    {
        "app_mention",
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "app_home_opened",
        "channel_id_changed",
        "channel_archive",
        "channel_unarchive",
        "group_archive",
        "group_unarchive",
        "tokens_revoked",
        "app_uninstalled",
    }
)


@dataclass(frozen=True)
class App:
    """The app under test as api.slack.com/apps knows it. All secrets are made up."""

    id: str = "A0HEAROUT"
    bot_user: str = "U0HEAROUT"
    bot_id: str = "B0HEAROUT"
    bot_token: str = "xoxb-local-bot"
    app_token: str = "xapp-1-local-app"
    signing_secret: str = "local-signing-secret"
    verification_token: str = "local-verification-token"
    client_id: str = "100.200"
    client_secret: str = "local-client-secret"
    scopes: frozenset[str] = BOT_SCOPES
    app_scopes: frozenset[str] = frozenset({"connections:write"})
    subscriptions: frozenset[str] = SUBSCRIPTIONS
    commands: frozenset[str] = frozenset({"/hearout"})
    redirect_uris: tuple[str, ...] = ()
    name: str = "hearout"


@dataclass(frozen=True)
class Options:
    """Switches for behaviour that differs between Slack's pages and what users report.

    `unthreads_replies`: a reply to a deleted parent is posted to the channel, without `thread_ts` in the answer
    (slack-go/slack#1571); False refuses with `thread_not_found`.
    `update_text_chars_max`: chat.update's own page says 4,000. `blocks_chars_max`: slackapi/bolt-js#2509 measured it.
    """

    unthreads_replies: bool = True
    text_chars_max: int = 40_000
    update_text_chars_max: int = 4_000
    blocks_chars_max: int = 13_200
    metadata_bytes_max: int = 16_000
    trigger_life_s: float = 3.0
    ack_within_s: float = 3.0
    response_url_life_s: float = 1_800.0
    response_url_uses_max: int = 5
    ticket_life_s: float = 30.0
    sockets_max: int = 10
    retry_after_s: tuple[float, ...] = (0.0, 60.0, 300.0)


@dataclass(frozen=True)
class Call:
    """One call of a method: who calls, with what. Accessors read JSON and form values alike."""

    method: str
    params: Mapping[str, Any]
    scopes: frozenset[str] = field(default_factory=frozenset)

    def text(self, name: str, default: str = "") -> str:
        """A string argument."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean argument: true, "true", 1 and "1" are true."""
        value = self.params.get(name)
        return default if value is None or value == "" else str(value).lower() in {"1", "true"}

    def listed(self, name: str) -> list[str]:
        """A list argument: an array, or a comma-separated string."""
        value = self.params.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [part.strip() for part in str(value or "").split(",") if part.strip()]

    def need_scope(self, *any_of: str) -> None:
        """Refuse the call unless the token carries one of these scopes."""
        if not self.scopes.intersection(any_of):
            raise SlackError(
                "missing_scope",
                needed=",".join(any_of),
                provided=",".join(sorted(self.scopes)),
            )
