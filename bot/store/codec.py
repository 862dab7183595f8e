"""Between the domain's values and JSON text: one place for how a document looks in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from conversations import events
from conversations.comprehension.reading import Reading
from conversations.conversation import Conversation, Customer

CONVERSATION: TypeAdapter[Conversation] = TypeAdapter(Conversation)
CUSTOMER: TypeAdapter[Customer] = TypeAdapter(Customer)
READING: TypeAdapter[Reading] = TypeAdapter(Reading)
EVENT_TYPES: Mapping[str, TypeAdapter[Any]] = {
    cls.__name__: TypeAdapter(cls)
    for cls in vars(events).values()
    if isinstance(cls, type) and cls.__module__ == events.__name__ and hasattr(cls, "trigger")
}


def dump_event(event: events.Event) -> tuple[str, str]:
    """An event as (name of its type, JSON)."""
    name = type(event).__name__
    return name, EVENT_TYPES[name].dump_json(event).decode()


def load_event(name: str, document: str) -> events.Event:
    """The reverse of ``dump_event``. Raises ``KeyError`` for a type of a newer version."""
    event: events.Event = EVENT_TYPES[name].validate_json(document)
    return event


def dump_conversation(conversation: Conversation) -> str:
    """A conversation as JSON."""
    return CONVERSATION.dump_json(conversation).decode()


def load_conversation(document: str) -> Conversation:
    """The reverse of ``dump_conversation``; fields that a newer minor version added have their defaults."""
    return CONVERSATION.validate_json(document)
