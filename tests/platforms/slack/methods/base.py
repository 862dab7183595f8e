"""What a method is, what it may touch, and the arguments that many methods share."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.platforms.slack.events import Newsroom
from tests.platforms.slack.interactions import Interactions
from tests.platforms.slack.limits import Limits
from tests.platforms.slack.sockets import SocketHub
from tests.platforms.slack.values import Call, Json, SlackError
from tests.platforms.slack.views import Views
from tests.platforms.slack.workspace import Workspace

PAGE_MAX = 999
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Desk:
    """Everything that methods work on."""

    world: Workspace
    newsroom: Newsroom
    views: Views
    interactions: Interactions
    sockets: SocketHub
    limits: Limits


@dataclass(frozen=True)
class Method:
    """One method: `run`, the scopes of which the token needs one (none: checked inside), and the kind of token."""

    run: Callable[[Desk, Call], Json]
    scopes: tuple[str, ...] = ()
    token: str = "bot"  # bot, app, or none for methods that identify the caller otherwise


def json_argument(call: Call, name: str, error: str = "invalid_arguments") -> Any:
    """A structured argument: JSON already, or a string of it; None when absent. Raises `error` on bad JSON."""
    value = call.params.get(name)
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return json.loads(value)
    except ValueError:
        raise SlackError(error) from None


def page(call: Call, items: Sequence[_Item], default: int = 100) -> tuple[list[_Item], Json]:
    """One page of `items` by `limit` and `cursor`, and its response_metadata. Raises invalid_limit, invalid_cursor."""
    given = call.text("limit")
    if given and not given.isdigit():
        raise SlackError("invalid_limit")
    limit = int(given or 0) or default
    if limit > PAGE_MAX + 1:
        raise SlackError("invalid_limit")
    start = 0
    if call.text("cursor"):
        try:
            start = int(base64.b64decode(call.text("cursor"), validate=True).removeprefix(b"next:"))
        except ValueError:
            raise SlackError("invalid_cursor") from None
    more = start + limit < len(items)
    cursor = base64.b64encode(b"next:%d" % (start + limit)).decode() if more else ""
    return list(items[start : start + limit]), {"next_cursor": cursor}
