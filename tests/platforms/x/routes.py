"""The table of routes: who may call them, what they accept, what answers."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.platforms.x import people, posts
from tests.platforms.x.call import Call
from tests.platforms.x.model import Json, Permission
from tests.platforms.x.params import (
    DM_EXPANSIONS,
    DM_VIEW,
    TWEET_EXPANSIONS,
    TWEET_VIEW,
    USER_EXPANSIONS,
    USER_VIEW,
    Spec,
)

USER = "OAuth 1.0a User Context"
APP = "OAuth 2.0 Application-Only"
Handler = Callable[[Call], tuple[int, Json]]


NOTHING = Spec()


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `handler` is None for the stream, which the platform opens itself."""

    name: str
    handler: Handler | None
    spec: Spec = NOTHING
    auth: tuple[str, ...] = (USER, APP)
    permission: Permission = Permission.READ

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The path's arguments, or None if it is another route."""
        own_method, _, template = self.name.partition(" ")
        pattern, given = template.split("/"), path.split("/")
        if method != own_method or len(pattern) != len(given):
            return None
        args = {}
        for wanted, part in zip(pattern, given, strict=True):
            if wanted.startswith(":") and part:
                args[wanted[1:]] = part
            elif wanted != part:
                return None
        return args


def _tweets(*names: str, max_results: tuple[int, int, int] = (0, 0, 0), required: tuple[str, ...] = ()) -> Spec:
    return Spec(TWEET_VIEW | set(names), TWEET_EXPANSIONS, max_results, frozenset(required))


_RANGE = ("max_results", "pagination_token", "since_id", "until_id", "start_time", "end_time")
_USERS = Spec(USER_VIEW, USER_EXPANSIONS)
_DMS = Spec(DM_VIEW | {"max_results", "pagination_token"}, DM_EXPANSIONS, (1, 100, 100))


def _change_rules(call: Call) -> tuple[int, Json]:
    dry_run = call.params.get("dry_run") == "true"
    return (201 if "add" in call.body else 200), call.streams.change_rules(call.body, dry_run=dry_run)


def _rules(call: Call) -> tuple[int, Json]:
    rows = [rule.json() for rule in call.streams.rules.values()]
    data: Json = {"data": rows} if rows else {}
    return 200, data | {"meta": {"sent": call.now.isoformat(), "result_count": len(rows)}}


# Fixed paths stand before those with arguments that would match them.
ROUTES = (
    Route("GET /2/users/me", people.me, _USERS, (USER,)),
    Route("GET /2/users", people.users, Spec(USER_VIEW | {"ids"}, USER_EXPANSIONS, required=frozenset({"ids"}))),
    Route("GET /2/users/:id", people.user_by_id, _USERS),
    Route("GET /2/users/by/username/:username", people.user_by_name, _USERS),
    Route("GET /2/users/:id/mentions", posts.mentions, _tweets(*_RANGE, max_results=(5, 100, 10))),
    Route("GET /2/users/:id/tweets", posts.user_posts, _tweets(*_RANGE, "exclude", max_results=(5, 100, 10))),
    Route("GET /2/tweets", posts.lookup_many, _tweets("ids", required=("ids",))),
    Route(
        "GET /2/tweets/search/recent",
        posts.search_recent,
        _tweets(*_RANGE, "query", "next_token", "sort_order", max_results=(10, 100, 10), required=("query",)),
    ),
    Route("GET /2/tweets/search/stream", None, _tweets(), (APP,)),
    Route("GET /2/tweets/search/stream/rules", _rules, Spec(frozenset({"ids"})), (APP,)),
    Route("POST /2/tweets/search/stream/rules", _change_rules, Spec(frozenset({"dry_run"})), (APP,)),
    Route("GET /2/tweets/:id", posts.lookup, _tweets()),
    Route("POST /2/tweets", posts.create, Spec(), (USER,), Permission.WRITE),
    Route("DELETE /2/tweets/:id", posts.delete, Spec(), (USER,), Permission.WRITE),
    Route("GET /2/dm_events", people.dm_events, _DMS, (USER,), Permission.DM),
    Route(
        "GET /2/dm_conversations/with/:participant_id/dm_events", people.dm_events_with, _DMS, (USER,), Permission.DM
    ),
    Route("POST /2/dm_conversations/with/:participant_id/messages", people.send_dm, Spec(), (USER,), Permission.DM),
)
