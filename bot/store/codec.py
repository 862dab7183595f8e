"""Between the domain's values and what a database holds: one place for how documents, instants and texts look there.

Instants are whole microseconds since 1970 in UTC: they sort, compare and index as numbers on every backend. Documents
are JSON text. Customers' texts may hold what databases cannot (lone surrogates, NUL): ``clean`` puts U+FFFD in its
place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from conversations import events
from conversations.comprehension.reading import Complaint, Decision, Reading
from conversations.conversation import Conversation, Customer

CONVERSATION: TypeAdapter[Conversation] = TypeAdapter(Conversation)
CUSTOMER: TypeAdapter[Customer] = TypeAdapter(Customer)
READING: TypeAdapter[Reading] = TypeAdapter(Reading)
EVENT_TYPES: Mapping[str, TypeAdapter[Any]] = {
    cls.__name__: TypeAdapter(cls)
    for cls in vars(events).values()
    if isinstance(cls, type) and cls.__module__ == events.__name__ and hasattr(cls, "trigger")
}
NOTHING_READ = Reading(language="und", complaint=Complaint(0.0, Decision.NO))
"""What is left of a reading once its text is deleted."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


# ---------------------------------------------------------------- instants


def micros(at: datetime) -> int:
    """An aware instant as microseconds since 1970. Raises ``TypeError`` for a naive one."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def micros_or_none(at: datetime | None) -> int | None:
    """The same for an instant that may be missing."""
    return None if at is None else micros(at)


def instant(number: int) -> datetime:
    """The reverse of ``micros``: aware, UTC."""
    return _EPOCH + timedelta(microseconds=number)


def instant_or_none(number: int | None) -> datetime | None:
    """The reverse of ``micros_or_none``."""
    return None if number is None else _EPOCH + timedelta(microseconds=number)


# ---------------------------------------------------------------- texts


def clean(text: str) -> str:
    """The text with U+FFFD for what no database keeps: NUL and lone surrogates. Halves of a pair become whole."""
    if not _UNSTORABLE.search(text):
        return text
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNSTORABLE.sub("\ufffd", paired)


def clean_or_none(text: str | None) -> str | None:
    """The same for a text that may be missing."""
    return None if text is None else clean(text)


# ---------------------------------------------------------------- documents


def dump_json(body: Mapping[str, Any]) -> str:
    """Plain data as JSON, its texts cleaned."""
    document = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" not in document and not _UNSTORABLE.search(document):
        return document
    return json.dumps(_cleaned(body), ensure_ascii=False, separators=(",", ":"))


def _cleaned(data: Any) -> Any:
    if isinstance(data, str):
        return clean(data)
    if isinstance(data, Mapping):
        return {clean(key): _cleaned(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_cleaned(item) for item in data]
    return data


def _dump(adapter: TypeAdapter[Any], value: Any) -> str:
    """The value as JSON without what is as it is by default, a quarter of the bytes: so a default may never change."""
    try:
        document: str = adapter.serializer.to_json(value, exclude_defaults=True).decode()
        if "\\u0000" not in document:
            return document
    except PydanticSerializationError:  # lone surrogates
        pass
    return dump_json(adapter.dump_python(value, mode="json", exclude_defaults=True))  # the slow way, which is rare


def dump_event(event: events.Event) -> tuple[str, str]:
    """An event as (name of its type, JSON)."""
    name = type(event).__name__
    return name, _dump(EVENT_TYPES[name], event)


def load_event(name: str, document: str) -> events.Event:
    """The reverse of ``dump_event``. Raises ``KeyError`` for a type of a newer version."""
    event: events.Event = EVENT_TYPES[name].validator.validate_json(document)
    return event


def scrub_event(event: events.Event) -> events.Event:
    """The event without the customer's text and what was read in it: the fact stays, in its place."""
    changes: dict[str, Any] = {}
    if hasattr(event, "text"):
        changes["text"] = ""
    if hasattr(event, "reading"):
        changes["reading"] = replace(NOTHING_READ, language=event.reading.language)
    return replace(event, **changes) if changes else event


_KNOWN: dict[str, Conversation] = {}
_KNOWN_MAX = 512


def dump_conversation(conversation: Conversation) -> str:
    """A conversation as JSON."""
    document = _dump(CONVERSATION, conversation)
    _remember(document, conversation)
    return document


def load_conversation(document: str) -> Conversation:
    """The reverse of ``dump_conversation``; fields that a newer minor version added have their defaults.

    Conversations are decided about again soon after they were written, and comparing a text is 50 times cheaper than
    reading it: the latest are remembered by their very text, so that nothing can be out of date.
    """
    known = _KNOWN.get(document)
    if known is None:
        known = CONVERSATION.validator.validate_json(document)
        _remember(document, known)
    return known


def _remember(document: str, conversation: Conversation) -> None:
    if len(_KNOWN) >= _KNOWN_MAX:
        del _KNOWN[next(iter(_KNOWN))]
    _KNOWN[document] = conversation


def dump_customer(customer: Customer | None) -> str | None:
    """A customer as JSON, or None."""
    return None if customer is None else _dump(CUSTOMER, customer)


def load_customer(document: str | None) -> Customer | None:
    """The reverse of ``dump_customer``."""
    return None if document is None else CUSTOMER.validate_json(document)


def dump_reading(reading: Reading | None) -> str | None:
    """A reading as JSON, or None."""
    return None if reading is None else _dump(READING, reading)


def load_reading(document: str | None) -> Reading | None:
    """The reverse of ``dump_reading``."""
    return None if document is None else READING.validate_json(document)
