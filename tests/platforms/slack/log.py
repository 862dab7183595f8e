"""The append-only log of what the platform accepted: the judge of "once", and nothing else is."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Did(StrEnum):
    """What was accepted."""

    POST = "post"
    UPDATE = "update"
    DELETE = "delete"
    EPHEMERAL = "ephemeral"
    VIEW = "view"
    HOME = "home"
    REACTION = "reaction"
    UPLOAD = "upload"


@dataclass(frozen=True)
class Entry:
    """One accepted act of the app. `via` is the method, or `response_url` or `ack`."""

    sequence: int
    at: datetime
    did: Did
    via: str
    channel: str = ""
    ts: str = ""
    thread_ts: str | None = None
    user: str | None = None  # who sees an ephemeral, a view or a home
    text: str = ""
    blocks: tuple[Mapping[str, Any], ...] = ()
    metadata: Mapping[str, Any] | None = None


class Log:
    """Entries in the order of acceptance; there is no way to take one back."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def append(self, at: datetime, did: Did, via: str, **more: Any) -> Entry:
        """Record one act."""
        entry = Entry(sequence=len(self._entries) + 1, at=at, did=did, via=via, **more)
        self._entries.append(entry)
        return entry

    def of(self, did: Did, *, channel: str | None = None, thread_ts: str | None = None) -> tuple[Entry, ...]:
        """Entries of one kind, optionally of one channel and one thread."""
        return tuple(
            entry
            for entry in self._entries
            if entry.did is did and channel in (None, entry.channel) and thread_ts in (None, entry.thread_ts)
        )

    def posts(self, channel: str | None = None, thread_ts: str | None = None) -> tuple[Entry, ...]:
        """The messages that were posted."""
        return self.of(Did.POST, channel=channel, thread_ts=thread_ts)

    def posts_with(self, key: str, value: Any) -> tuple[Entry, ...]:
        """The posts whose metadata payload has `key` = `value`: at most one for an outbox id, or "once" is broken."""
        return tuple(
            entry for entry in self.posts() if (entry.metadata or {}).get("event_payload", {}).get(key) == value
        )

    def sha256(self) -> str:
        """A digest of everything: the same seed gives the same log."""
        lines = (json.dumps(asdict(entry), sort_keys=True, default=str) for entry in self._entries)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
