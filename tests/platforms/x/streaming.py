"""The filtered stream: rules, and connections whose lines the server takes out."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.platforms.x.model import Json, Post
from tests.platforms.x.params import Params
from tests.platforms.x.problems import invalid, too_many_connections
from tests.platforms.x.query import Test, compile_query
from tests.platforms.x.render import View
from tests.platforms.x.world import World


@dataclass(slots=True, eq=False)
class StreamConnection:
    """One reader of the stream. `wake` is called when a line came or the stream was closed."""

    params: Params
    lines: deque[bytes] = field(default_factory=deque)
    closed: bool = False
    wake: Callable[[], None] = lambda: None

    def take(self) -> bytes:
        """All lines not yet sent."""
        taken = b"".join(self.lines)
        self.lines.clear()
        return taken


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the stream."""

    id: str
    value: str
    tag: str | None
    test: Test

    def json(self) -> Json:
        """As X shows it."""
        return {"id": self.id, "value": self.value} | ({"tag": self.tag} if self.tag else {})


class Streams:
    """All connections of the app. A connection is fed at the moment of posting: late indexing does not apply."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rules: dict[str, Rule] = {}
        self.connections: list[StreamConnection] = []
        self.silent = False
        """No lines and no keep-alives leave any more, while connections stay open: the silent hang."""
        world.on_post.append(self._deliver)

    def open(self, params: Params) -> StreamConnection:
        """A new connection.

        Raises:
            Problem: 429, too many connections.
        """
        if len(self.connections) >= self.world.settings.stream_connections_max:
            raise too_many_connections()
        connection = StreamConnection(params)
        self.connections.append(connection)
        return connection

    def close(self, connection: StreamConnection) -> None:
        """End one connection."""
        if connection in self.connections:
            self.connections.remove(connection)
        connection.closed = True
        connection.wake()

    def cut(self) -> None:
        """End all connections, as X does now and then; what is posted meanwhile is not sent again."""
        for connection in list(self.connections):
            self.close(connection)

    def keep_alive(self) -> bytes:
        """What to send after `keep_alive_s` without a line."""
        return b"" if self.silent else b"\r\n"

    def change_rules(self, body: Json, *, dry_run: bool) -> Json:
        """Add or delete rules.

        Raises:
            Problem: 400.
        """
        if set(body) not in ({"add"}, {"delete"}):
            raise invalid("$.add or $.delete is required, one of them", "body", json.dumps(body))
        now = self.world.clock()
        if "delete" in body:
            ids = [id_ for id_ in body["delete"].get("ids", []) if id_ in self.rules]
            for id_ in ids if not dry_run else ():
                del self.rules[id_]
            summary = {"deleted": len(ids), "not_deleted": len(body["delete"].get("ids", [])) - len(ids)}
            return {"meta": {"sent": now.isoformat(), "summary": summary}}
        added = []
        for wanted in body["add"]:
            test = compile_query(wanted["value"], self.world)
            added.append(Rule(self.world.ids.at(now), wanted["value"], wanted.get("tag"), test))
        if not dry_run:
            self.rules |= {rule.id: rule for rule in added}
        summary = {"created": len(added), "not_created": 0, "valid": len(added), "invalid": 0}
        return {"data": [rule.json() for rule in added], "meta": {"sent": now.isoformat(), "summary": summary}}

    def _deliver(self, post: Post) -> None:
        if self.silent or not self.world.sees(None, post.author_id):
            return
        matching = [{"id": rule.id, "tag": rule.tag or ""} for rule in self.rules.values() if rule.test(post)]
        for connection in self.connections if matching else ():
            payload = View(self.world, None, connection.params).one_post(post) | {"matching_rules": matching}
            connection.lines.append(json.dumps(payload).encode() + b"\r\n")
            connection.wake()
