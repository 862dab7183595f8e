"""The opaque id that every message of ours carries in its metadata, so that an unknown outcome can be read back."""

from __future__ import annotations

import hashlib

EVENT_TYPE = "hearout"


def opaque(key: str) -> str:
    """An outbox key as members of a channel may see it: it tells nothing."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def status_mark(key: str) -> str:
    """What the line carries that says where an agent's words stand (``opaque`` it): once they have arrived it is their turn."""
    return f"status:{key}"


def metadata(*ids: str) -> dict[str, object]:
    """A message's metadata: the opaque ids of what it shows."""
    return {"event_type": EVENT_TYPE, "event_payload": {"id": ids[0], "ids": list(ids)}}


def ids_of(message: dict[str, object] | object) -> tuple[str, ...]:
    """The opaque ids in a message's metadata."""
    found = message.get("metadata") if isinstance(message, dict) else None
    if not isinstance(found, dict) or found.get("event_type") != EVENT_TYPE:
        return ()
    payload = found.get("event_payload") or {}
    ids = payload.get("ids") or [payload.get("id")]
    return tuple(str(one) for one in ids if one)
