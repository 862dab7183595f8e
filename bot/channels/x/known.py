"""What is remembered of posts while the program runs: enough to answer, to see edits, and to miss what was deleted.

Everything in it can be had again from the store or from X: a restart costs a few reads and loses nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

POSTS_MAX = 50_000


@dataclass(slots=True)
class Seen:
    """A customer's post. ``id`` is its newest version; ``summons`` says that its author mentioned or quoted us
    explicitly."""

    id: str
    first: str
    author_id: str
    thread: str
    summons: bool
    posted_at: datetime
    seen_at: datetime
    in_mentions: bool = False
    gone: bool = False


class Known:
    """Posts by the first id of their edit history, found by any version's id."""

    def __init__(self) -> None:
        self._posts: OrderedDict[str, Seen] = OrderedDict()
        self._first: dict[str, str] = {}
        self.ours: OrderedDict[str, str] = OrderedDict()
        """Ids of what we sent ourselves, with the thread of each (empty: unknown)."""

    def get(self, id_: str) -> Seen | None:
        """What is known of a post, by any of its ids."""
        return self._posts.get(self._first.get(id_, id_))

    def first(self, id_: str) -> str:
        """The stable key of a post, as far as it is known."""
        return self._first.get(id_, id_)

    def put(self, seen: Seen, versions: tuple[str, ...]) -> None:
        """Remember a post."""
        self._posts[seen.first] = seen
        self._posts.move_to_end(seen.first)
        for version in versions:
            self._first[version] = seen.first
        while len(self._posts) > POSTS_MAX:
            _, old = self._posts.popitem(last=False)
            for version in {old.first, old.id}:
                self._first.pop(version, None)

    def sent(self, id_: str, thread: str = "") -> None:
        """Remember what we sent."""
        self.ours[id_] = thread
        self.ours.move_to_end(id_)
        while len(self.ours) > POSTS_MAX:
            self.ours.popitem(last=False)

    def latest(self, since: datetime) -> Iterator[Seen]:
        """Posts from an instant on."""
        return (seen for seen in self._posts.values() if seen.posted_at >= since)
