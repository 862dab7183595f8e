"""X's JSON as values. Old and new field names (spec 2.167) are read alike; a row that makes no sense is kept as
``Unreadable``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_NAME = re.compile(r"(?<![A-Za-z0-9_@])@([A-Za-z0-9_]{1,40})(?![A-Za-z0-9_@])")
_PREFIX = re.compile(r"(?:@[A-Za-z0-9_]{1,40}\s+)+")
_STATUS = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/([A-Za-z0-9_]+)/status/(\d+)(/(?:photo|video)/\d+)?"
)
_FRACTION = re.compile(r"\.(\d{6})\d+")
RAW_CHARS_MAX = 4000
"""How much of an unreadable row is kept for a human to look at."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote. ``automated``: X's label of other bots."""

    id: str
    handle: str = ""
    name: str = ""
    automated: bool = False
    reach: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post in its newest version.

    ``first`` is the first id of its edit history, the stable key. ``text`` is what the author typed: unescaped, links
    spelled out, and without the names that X puts in front of a reply (``named_by_x``). ``named`` are the names typed
    by the author. All names are in lower case. ``author`` None: X did not say. ``posted_at`` None: neither the row
    nor the id tells.
    """

    id: str
    first: str
    versions: tuple[str, ...]
    author: Person | None
    text: str
    posted_at: datetime | None
    thread: str
    reply_to: str | None = None
    reply_to_user: str | None = None
    quote_of: str | None = None
    quoted_name: str | None = None
    retweet_of: str | None = None
    named: tuple[str, ...] = ()
    named_by_x: tuple[str, ...] = ()
    names_by_id: Mapping[str, str] = field(default_factory=dict)
    media: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One direct message. ``people`` are the ids of all who take part, as far as X says."""

    id: str
    sender: Person | None
    text: str
    sent_at: datetime | None
    thread: str = ""
    people: tuple[str, ...] = ()
    media: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that could not be understood: what is known of it, and why not."""

    id: str
    why: str
    raw: str


@dataclass(frozen=True, slots=True)
class Posts:
    """A page of posts. ``gone``: ids that were asked for and are deleted or hidden. ``users``: who came with it."""

    rows: tuple[Post | Unreadable, ...]
    users: Mapping[str, Person]
    gone: tuple[str, ...] = ()
    next_token: str | None = None
    failed: bool = False  # errors and no data: a list that says nothing of what is there

    @property
    def good(self) -> tuple[Post, ...]:
        """The rows that were understood."""
        return tuple(row for row in self.rows if isinstance(row, Post))


@dataclass(frozen=True, slots=True)
class Messages:
    """A page of direct messages."""

    rows: tuple[Message | Unreadable, ...]
    users: Mapping[str, Person]
    next_token: str | None = None


def posts(body: Row) -> Posts:
    """A list of posts, a single post, or nothing."""
    users = people(body)
    rows = tuple(one(row, lambda row: post(row, users)) for row in listed(body.get("data")))
    gone = tuple(dict.fromkeys(filter(None, (missing(entry) for entry in listed(body.get("errors"))))))
    failed = bool(listed(body.get("errors"))) and "data" not in body
    return Posts(rows, users, gone, token(body), failed)


def messages(body: Row) -> Messages:
    """A list of direct messages; joins and leaves are left out."""
    users = people(body)
    rows = [row for row in listed(body.get("data")) if not isinstance(row, dict) or is_message(row)]
    return Messages(tuple(one(row, lambda row: message(row, users)) for row in rows), users, token(body))


def one(row: Any, read: Any) -> Any:
    """A row read, or kept as unreadable: whatever is wrong with one row must not lose the others."""
    try:
        return read(row)
    except Exception as error:
        raw = json.dumps(row, ensure_ascii=False, default=str)[:RAW_CHARS_MAX]
        known = row.get("id") if isinstance(row, dict) else None
        id_ = str(known) if isinstance(known, str | int) and known else hashlib.sha256(raw.encode()).hexdigest()[:20]
        return Unreadable(id_, f"{type(error).__name__}: {error}"[:200], raw)


def post(row: Row, users: Mapping[str, Person]) -> Post:
    """One post. Raises whatever a malformed row leads to."""
    id_ = identity(row["id"])
    versions = tuple(str(v) for v in listed(row.get("edit_history_tweet_ids") or row.get("edit_history_post_ids")))
    entities = row.get("entities") or {}
    references = {
        str(entry["type"]): str(entry["id"])
        for entry in listed(row.get("referenced_tweets") or row.get("referenced_posts"))
        if entry.get("id")
    }
    reply_to = references.get("replied_to") or optional(
        row.get("in_reply_to_tweet_id") or row.get("in_reply_to_post_id")
    )
    note = row.get("note_tweet") or row.get("note_post") or {}
    raw = row.get("text") or ""
    prefix = prefix_of(raw, row.get("display_text_range"), bool(reply_to or row.get("in_reply_to_user_id")))
    whole = str(note.get("text") or raw)
    typed = whole.removeprefix(prefix) if prefix else whole
    urls = [*listed(entities.get("urls")), *listed((note.get("entities") or {}).get("urls"))]
    quote_of = references.get("quoted")
    quoted_name = next((m[1].lower() for m in map(status_link, urls) if m and m[2] == quote_of), None)
    text = unescape(spelled_out(typed, urls, {id_, *versions, *([quote_of] if quote_of else [])})).strip()
    media = listed((row.get("attachments") or {}).get("media_keys"))
    return Post(
        id=id_,
        first=versions[0] if versions else id_,
        versions=versions or (id_,),
        author=author(row.get("author_id"), users),
        text=text,
        posted_at=instant(row.get("created_at")) or snowflake_time(id_),
        thread=str(row.get("conversation_id") or (reply_to or id_)),
        reply_to=reply_to,
        reply_to_user=optional(row.get("in_reply_to_user_id")),
        quote_of=quote_of,
        quoted_name=quoted_name,
        retweet_of=references.get("retweeted"),
        named=names(unescape(typed)),
        named_by_x=names(prefix),
        names_by_id={
            str(entry["id"]): str(entry["username"]).lower()
            for entry in listed(entities.get("mentions"))
            if entry.get("id") and entry.get("username")
        },
        media=len(media),
    )


def message(row: Row, users: Mapping[str, Person]) -> Message:
    """One direct message. Raises whatever a malformed row leads to."""
    id_ = identity(row["id"])
    urls = listed((row.get("entities") or {}).get("urls"))
    attachments = row.get("attachments") or {}
    return Message(
        id=id_,
        sender=author(row.get("sender_id"), users),
        text=unescape(spelled_out(str(row.get("text") or ""), urls, set())).strip(),
        sent_at=instant(row.get("created_at")) or snowflake_time(id_),
        thread=str(row.get("dm_conversation_id") or ""),
        people=tuple(str(id_) for id_ in listed(row.get("participant_ids"))),
        media=len(listed(attachments.get("media_keys"))),
    )


def is_message(row: Row) -> bool:
    """Whether a row of the direct messages is one."""
    return row.get("event_type") in (None, "MessageCreate")


def person(row: Row) -> Person:
    """One user. Where X shows the label "Automated" is undocumented: all places that may hold it are looked at."""
    labels = [row.get("affiliation"), *listed(row.get("labels"))]
    described = " ".join(
        str(label.get("description") or label.get("label_type") or "") for label in labels if isinstance(label, dict)
    )
    automated = "automated" in described.lower() or any(row.get(name) is True for name in ("automated", "is_automated"))
    reach = (row.get("public_metrics") or {}).get("followers_count")
    return Person(
        identity(row["id"]),
        str(row.get("username") or ""),
        str(row.get("name") or ""),
        automated,
        reach if isinstance(reach, int) else None,
    )


def people(body: Row) -> dict[str, Person]:
    """The users that came with an answer, by id."""
    includes = body.get("includes")
    rows = listed(includes.get("users")) if isinstance(includes, dict) else []
    found = (one(row, person) for row in rows)
    return {user.id: user for user in found if isinstance(user, Person)}


def author(id_: Any, users: Mapping[str, Person]) -> Person | None:
    """Who wrote, known or not."""
    key = optional(id_)
    return None if key is None else users.get(key, Person(key))


def missing(entry: Any) -> str | None:
    """The id of a post that an entry of ``errors`` calls deleted or hidden."""
    if not isinstance(entry, dict):
        return None
    if entry.get("resource_type") not in (None, "tweet", "post") or str(entry.get("parameter", "ids")) not in (
        "id",
        "ids",
    ):
        return None
    return optional(entry.get("resource_id") or entry.get("value"))


def token(body: Row) -> str | None:
    """How to go on to the next page."""
    meta = body.get("meta")
    return optional(meta.get("next_token")) if isinstance(meta, dict) else None


# ---------------------------------------------------------------- texts


def prefix_of(text: str, shown: Any, is_reply: bool) -> str:
    """The names that X put in front of a reply; by the display range where X tells it, else all leading names."""
    if not is_reply:
        return ""
    leading = _PREFIX.match(text)
    if leading is None:
        return ""
    if isinstance(shown, Sequence) and shown and isinstance(shown[0], int):
        return text[: shown[0]] if 0 <= shown[0] <= leading.end() else ""
    return leading[0]


def names(text: str) -> tuple[str, ...]:
    """The names that a text mentions, in lower case, each once."""
    return tuple(dict.fromkeys(name.lower() for name in _NAME.findall(text)))


def unescape(text: str) -> str:
    """X escapes three characters, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def spelled_out(text: str, urls: Sequence[Any], own: set[str]) -> str:
    """Short links replaced by where they lead; links to the post's own pictures and to what it quotes left out."""
    for entry in urls:
        if not isinstance(entry, dict) or not entry.get("url") or not entry.get("expanded_url"):
            continue
        status = status_link(entry)
        full = "" if status and (status[2] in own or status[3]) else str(entry["expanded_url"])
        text = text.replace(str(entry["url"]), full, 1)
    return text


def status_link(entry: Any) -> re.Match[str] | None:
    """A URL entity that leads to a post."""
    return _STATUS.match(str(entry.get("expanded_url") or "")) if isinstance(entry, dict) else None


# ---------------------------------------------------------------- small things


def listed(value: Any) -> list[Any]:
    """A list as it is, an object as a list of one, anything else as none."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def identity(value: Any) -> str:
    """An id as a string. Raises ``ValueError`` for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError(f"id {value!r} is none")
    return str(value).strip()


def optional(value: Any) -> str | None:
    """An id as a string, or None."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def instant(value: Any) -> datetime | None:
    """An ISO 8601 instant, with or without milliseconds; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(_FRACTION.sub(r".\1", value.strip()))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
SNOWFLAKE_SHIFT = 22


def snowflake_time(id_: str) -> datetime | None:
    """When an id was made, if it looks like one of X's (from 2010 on: the smallest have 10 digits and more)."""
    if not id_.isdecimal() or not 10**15 <= int(id_) < 2**63:
        return None
    return datetime.fromtimestamp(((int(id_) >> SNOWFLAKE_SHIFT) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)


def earlier(id_: str, seconds: float) -> str | None:
    """The id that a post so much earlier may have had; None when ids are not X's, or it would be none."""
    if not id_.isdecimal():
        return None
    number = int(id_) - (int(seconds * 1000) << SNOWFLAKE_SHIFT)
    return str(number) if number > 0 else None
