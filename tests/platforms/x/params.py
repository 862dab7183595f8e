"""The query parameters of each route: unknown names and values are refused, as X does."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.platforms.x.problems import invalid

# Old names beside those of spec 2.167; both are accepted, the values are kept by their old name.
NEW_NAMES = {
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets.id": "referenced_posts.id",
    "referenced_tweets.id.author_id": "referenced_posts.id.author_id",
    "referenced_tweets.id.attachments.media_keys": "referenced_posts.id.attachments.media_keys",
}
_OLD_NAMES = {new: old for old, new in NEW_NAMES.items()}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIELDS = {
    "tweet.fields": _words(
        "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
        "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang "
        "media_metadata non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics "
        "public_metrics referenced_tweets reply_settings scopes source suggested_source_links text withheld"
    ),
    "user.fields": _words(
        "affiliation confirmed_email connection_status created_at description entities id is_identity_verified "
        "location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url protected "
        "public_metrics receives_your_dm subscription subscription_type url username verified "
        "verified_followers_count verified_type withheld"
    ),
    "media.fields": _words(
        "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url "
        "promoted_metrics public_metrics type url variants width"
    ),
    "poll.fields": _words("duration_minutes end_datetime id options voting_status"),
    "place.fields": _words("contained_within country country_code full_name geo id name place_type"),
    "dm_event.fields": _words(
        "attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets "
        "sender_id text"
    ),
}
TWEET_EXPANSIONS = _words(
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet "
    "attachments.poll_ids author_id author_screen_name edit_history_tweet_ids entities.mentions.username "
    "geo.place_id in_reply_to_user_id entities.note.mentions.username referenced_tweets.id "
    "referenced_tweets.id.author_id referenced_tweets.id.attachments.media_keys"
)
USER_EXPANSIONS = _words("affiliation.user_id most_recent_tweet_id pinned_tweet_id")
DM_EXPANSIONS = _words("attachments.media_keys participant_ids referenced_tweets.id sender_id")

TWEET_VIEW = _words("tweet.fields expansions media.fields poll.fields user.fields place.fields")
USER_VIEW = _words("user.fields expansions tweet.fields")
DM_VIEW = _words("dm_event.fields event_types expansions media.fields user.fields tweet.fields")
_ID = re.compile(r"[0-9]{1,19}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


@dataclass(frozen=True, slots=True)
class Spec:
    """What a route accepts. `max_results`: its smallest, largest and default value."""

    names: frozenset[str] = frozenset()
    expansions: frozenset[str] = frozenset()
    max_results: tuple[int, int, int] = (0, 0, 0)
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Params:
    """The checked parameters of one request."""

    raw: dict[str, str]
    fields: dict[str, frozenset[str]]
    expansions: frozenset[str] = frozenset()
    max_results: int = 0
    since_id: int | None = None
    until_id: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    token: str | None = None
    ids: tuple[str, ...] = field(default=())

    def get(self, name: str, default: str = "") -> str:
        """A parameter as sent."""
        return self.raw.get(name, default)


def check(spec: Spec, pairs: Iterable[tuple[str, str]]) -> Params:
    """Check a query against its route.

    Raises:
        Problem: 400 with X's wording.
    """
    raw: dict[str, str] = {}
    for given, value in pairs:
        name = given.replace("post.fields", "tweet.fields")
        if name not in spec.names:
            allowed = ",".join(sorted(spec.names))
            raise invalid(f"The query parameter [{given}] is not one of [{allowed}]", given, value)
        if name in raw:
            raise invalid(f"The query parameter [{given}] was given twice", given, value)
        raw[name] = value
    for name in sorted(spec.required - raw.keys()):
        raise invalid(f"The `{name}` query parameter can not be empty", name, "")
    ids = _list(raw, "ids")
    if len(ids) > 100:
        raise invalid(
            f"The number of values in the `ids` query parameter list [{len(ids)}] is not between 1 and 100",
            "ids",
            raw["ids"],
        )
    for id_ in ids:
        check_id("ids", id_)
    smallest, largest, usual = spec.max_results
    return Params(
        raw=raw,
        fields={kind: _choice(raw, kind, allowed) for kind, allowed in FIELDS.items()},
        expansions=_choice(raw, "expansions", spec.expansions),
        max_results=_number(raw, "max_results", smallest, largest, usual),
        since_id=_id(raw, "since_id"),
        until_id=_id(raw, "until_id"),
        start_time=_time(raw, "start_time"),
        end_time=_time(raw, "end_time"),
        token=raw.get("pagination_token") or raw.get("next_token"),
        ids=ids,
    )


def check_id(name: str, value: str) -> str:
    """An id of 1 to 19 digits.

    Raises:
        Problem: 400.
    """
    if not _ID.fullmatch(value):
        raise invalid(f"The `{name}` query parameter value [{value}] does not match ^[0-9]{{1,19}}$", name, value)
    return value


def _list(raw: dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(raw[name].split(",")) if name in raw else ()


def _choice(raw: dict[str, str], name: str, allowed: frozenset[str]) -> frozenset[str]:
    values = [_OLD_NAMES.get(value, value) for value in _list(raw, name)]
    for value in values:
        if value not in allowed:
            options = ",".join(sorted(allowed))
            message = f"The `{name}` query parameter value [{value}] is not one of [{options}]"
            raise invalid(message, name, value)
    return frozenset(values)


def _number(raw: dict[str, str], name: str, smallest: int, largest: int, usual: int) -> int:
    if name not in raw:
        return usual
    value = raw[name]
    if not value.isdecimal() or not smallest <= int(value) <= largest:
        message = f"The `{name}` query parameter value [{value}] is not between {smallest} and {largest}"
        raise invalid(message, name, value)
    return int(value)


def _id(raw: dict[str, str], name: str) -> int | None:
    return int(check_id(name, raw[name])) if name in raw else None


def _time(raw: dict[str, str], name: str) -> datetime | None:
    if name not in raw:
        return None
    if not _TIME.fullmatch(raw[name]):
        raise invalid(
            f"The `{name}` query parameter value [{raw[name]}] is not a valid RFC3339 date-time", name, raw[name]
        )
    try:
        return datetime.fromisoformat(raw[name].removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError as error:
        raise invalid(
            f"The `{name}` query parameter value [{raw[name]}] is no date: {error}", name, raw[name]
        ) from None


def page_token(scope: str, last_id: str) -> str:
    """An opaque token for the page after `last_id`."""
    return base64.b32encode(f"{scope}|{last_id}".encode()).decode().rstrip("=").lower()


def read_token(scope: str, token: str) -> int:
    """The id that a token of this list ends before.

    Raises:
        Problem: 400, also for a token of another list.
    """
    try:
        text = base64.b32decode(token.upper() + "=" * (-len(token) % 8)).decode()
        made_for, _, last = text.rpartition("|")
        if made_for != scope:
            raise ValueError
        return int(last)
    except ValueError:
        raise invalid(
            f"The `pagination_token` query parameter value [{token}] is not valid", "pagination_token", token
        ) from None
