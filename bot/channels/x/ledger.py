"""What the bot said lately on one account: the figures that the rules ask for. Rebuilt from the store at start."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channels.x.readback import alike
from bot.store.records import OutboxRow, Place, Status
from conversations.conversation import Author

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ROWS_MAX = 20_000
"""Rows of a day that are looked through at start."""


@dataclass(frozen=True, slots=True)
class Said:
    """Automated words that X accepted."""

    key: str
    at: datetime
    place: Place
    conversation: str
    words: str


class Ledger:
    """Automated words of the last 24 hours, with counts that are cheap to ask for."""

    def __init__(self) -> None:
        self._said: deque[Said] = deque()
        self._keys: set[str] = set()
        self._public = 0
        self._in_conversation: Counter[str] = Counter()
        self._texts: defaultdict[str, deque[datetime]] = defaultdict(deque)
        self._threads: dict[str, datetime] = {}

    def load(self, rows: Iterable[OutboxRow]) -> None:
        """Take over what the store remembers."""
        for row in sorted(rows, key=lambda row: row.updated_at or row.created_at):
            if row.status is Status.SENT:
                self.add(row, row.updated_at or row.created_at)

    def add(self, row: OutboxRow, at: datetime) -> None:
        """Words were accepted. An agent's are not counted."""
        if row.author is not Author.BOT or row.key in self._keys:
            return
        said = Said(row.key, at, row.place, row.conversation, alike(row.body["text"]))
        self._said.append(said)
        self._keys.add(said.key)
        self._in_conversation[said.conversation] += 1
        if said.place is Place.PUBLIC:
            self._public += 1
            self._texts[said.words].append(at)

    def forget(self, now: datetime) -> None:
        """Let go of what is older than a day."""
        while self._said and self._said[0].at < now - DAY:
            said = self._said.popleft()
            self._keys.discard(said.key)
            self._in_conversation[said.conversation] -= 1
            if not self._in_conversation[said.conversation]:
                del self._in_conversation[said.conversation]
            if said.place is Place.PUBLIC:
                self._public -= 1
                self._texts[said.words].popleft()
                if not self._texts[said.words]:
                    del self._texts[said.words]
        if len(self._threads) > ROWS_MAX:
            self._threads = {thread: at for thread, at in self._threads.items() if at >= now - HOUR}

    def replied_in(self, thread: str, at: datetime) -> None:
        """The bot replied in a thread then."""
        self._threads[thread] = max(at, self._threads.get(thread, at))

    def thread_replied_at(self, thread: str) -> datetime | None:
        """When the bot last replied in a thread."""
        return self._threads.get(thread)

    def public_today(self, now: datetime) -> int:
        """Public posts in 24 hours."""
        self.forget(now)
        return self._public

    def to_conversation_today(self, conversation: str) -> int:
        """Words in one conversation in 24 hours: a customer has at most one that is open."""
        return self._in_conversation.get(conversation, 0)

    def same_text(self, text: str, now: datetime) -> int:
        """Near-identical public posts in an hour."""
        times = self._texts.get(alike(text), ())
        return sum(1 for at in times if at >= now - HOUR)
