"""One request on its way through the platform, and what a list of things makes of its parameters."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from tests.platforms.x.model import Account, Json
from tests.platforms.x.params import Params, page_token, read_token
from tests.platforms.x.problems import invalid, not_found
from tests.platforms.x.render import View
from tests.platforms.x.streaming import Streams
from tests.platforms.x.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is signed, within the limits, and has checked parameters. `account` is None for the app itself."""

    world: World
    streams: Streams
    account: Account | None
    args: dict[str, str]
    params: Params
    body: Json
    now: datetime
    path: str

    @property
    def viewer_id(self) -> str | None:
        """Whose eyes decide what is visible."""
        return self.account.id if self.account else None

    @property
    def actor(self) -> Account:
        """The account that acts; routes that need one are not open to the app itself."""
        assert self.account is not None
        return self.account

    @property
    def view(self) -> View:
        """The renderer for this request."""
        return View(self.world, self.viewer_id, self.params)

    def own_id(self) -> str:
        """The `:id` of the path as a user who exists.

        Raises:
            Problem: 404.
        """
        user = self.world.users.get(self.args["id"])
        if user is None or user.deleted:
            raise not_found()
        return user.id

    def page(self, items: Iterable[T], id_of: Callable[[T], str]) -> tuple[list[T], Json]:
        """One page of things that come newest first, within since_id, until_id and the token; and its `meta`.

        Raises:
            Problem: 400, a token of another list.
        """
        params = self.params
        before = read_token(self.path, params.token) if params.token else None
        if params.until_id is not None:
            before = min(before or params.until_id, params.until_id)
        rows: list[T] = []
        more = False
        for item in items:
            number = int(id_of(item))
            if params.since_id is not None and number <= params.since_id:
                break
            if before is not None and number >= before:
                continue
            if len(rows) == params.max_results:
                more = True
                break
            rows.append(item)
        meta: Json = {"result_count": len(rows)}
        if rows:
            meta |= {"newest_id": id_of(rows[0]), "oldest_id": id_of(rows[-1])}
        if more:
            meta["next_token"] = page_token(self.path, id_of(rows[-1]))
        return rows, meta


def text_of(body: Json, name: str, *, within: str = "$") -> str | None:
    """A string member of a JSON body.

    Raises:
        Problem: 400, another type.
    """
    value: Any = body.get(name)
    if value is not None and not isinstance(value, str):
        kind = type(value).__name__
        raise invalid(f"{within}.{name}: {kind} found, string expected", f"{within}.{name}", json.dumps(value))
    return value


def only(body: Json, known: Iterable[str], *, within: str = "$") -> None:
    """Refuse members that X does not know.

    Raises:
        Problem: 400.
    """
    for name in body.keys() - set(known):
        message = f"{within}.{name}: is not defined in the schema and the schema does not allow additional properties"
        raise invalid(message, f"{within}.{name}", json.dumps(body[name]))
