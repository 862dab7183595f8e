"""What the local X is made of: people, posts, direct messages, and the log of what the API accepted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tests.platforms.x.streaming import StreamConnection

Json = dict[str, Any]


class Permission(StrEnum):
    """What an account's token was authorised for, each including the ones before."""

    READ = "Read"
    WRITE = "Read and write"
    DM = "Read and write and Direct message"


@dataclass(slots=True, eq=False)
class User:
    """A person or brand on X. Tests may change the flags at any time."""

    id: str
    username: str
    name: str
    created_at: datetime
    protected: bool = False
    deleted: bool = False
    dms_open: bool = False
    """Takes direct messages from everyone; else only in a conversation that they opened."""
    automated_by: str | None = None
    """User name of the human who runs this account: it wears the label "Automated"."""
    blocks: set[str] = field(default_factory=set)
    """Ids of users who can neither see nor answer nor write to this one."""
    followers: set[str] = field(default_factory=set)
    description: str = ""
    followers_count: int = 0
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """OAuth 1.0a keys of an app and of one account in it."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


@dataclass(slots=True, eq=False)
class Account:
    """A brand account that the app may act for."""

    user: User
    credentials: Credentials
    permission: Permission = Permission.DM
    revoked: bool = False

    @property
    def id(self) -> str:
        """The account's user id."""
        return self.user.id


@dataclass(frozen=True, slots=True)
class Media:
    """An attached picture or film."""

    media_key: str
    type: Literal["photo", "video", "animated_gif"] = "photo"
    url: str = "https://pbs.twimg.com/media/local.jpg"


@dataclass(slots=True, eq=False)
class Post:
    """One version of a post; an edit is another `Post` that shares `edit_ids`."""

    id: str
    author_id: str
    body: str
    """What the author typed."""
    prefix: str
    """The leading "@name " words that X adds to a reply."""
    created_at: datetime
    indexed_at: datetime
    """When timelines, search and streams begin to show it."""
    conversation_id: str
    edit_ids: list[str]
    reply_to_id: str | None = None
    quote_of_id: str | None = None
    retweet_of_id: str | None = None
    mentions: tuple[str, ...] = ()
    """Ids of the users whom the body names."""
    implicit_mentions: tuple[str, ...] = ()
    """Ids of the users whom only the prefix names."""
    media: tuple[Media, ...] = ()
    lang: str = "en"
    deleted_at: datetime | None = None

    @property
    def text(self) -> str:
        """The whole text, before X shortens links and escapes."""
        return self.prefix + self.body

    @property
    def superseded(self) -> bool:
        """There is a newer version."""
        return self.edit_ids[-1] != self.id


@dataclass(frozen=True, slots=True)
class DirectMessage:
    """One message between two users."""

    id: str
    sender_id: str
    recipient_id: str
    text: str
    created_at: datetime
    indexed_at: datetime
    media: tuple[Media, ...] = ()

    @property
    def conversation_id(self) -> str:
        """The one-to-one conversation's id: the smaller user id first."""
        return dm_conversation_id(self.sender_id, self.recipient_id)


def dm_conversation_id(one: str, other: str) -> str:
    """X's id of the conversation between two users."""
    small, large = sorted((one, other), key=int)
    return f"{small}-{large}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One post or direct message that the API took: a row of the log that judges "once"."""

    number: int
    kind: Literal["post", "dm"]
    id: str
    account_id: str
    text: str
    """As sent, without the prefix that X adds."""
    at: datetime
    reply_to_id: str | None = None
    quote_of_id: str | None = None
    recipient_id: str | None = None
    deep_link: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request, for tests of budgets and pace; `items` counts the objects in `data`."""

    at: datetime
    endpoint: str
    path: str
    query: str
    status: int
    account_id: str | None
    items: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of the platform, with what the connection has to do to it.

    `resume`: wait `delay_s`, then call it for the real answer (the request is slow to be worked on, and lands even if
    the client has gone). Else `delay_s`: wait before answering (the work is done). `cut`: abort the connection instead
    of answering. `stream`: after the headers send its lines.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_s: float = 0.0
    cut: bool = False
    resume: Callable[[], "Response"] | None = None
    stream: "StreamConnection | None" = None
