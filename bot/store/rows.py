"""Rows of the tables and the values they stand for: column lists and conversions, the same for every backend.

Absent instants that take part in an ordering are numbers too, so that an index can hold them: a missing ``due_at`` is
``NEVER`` (last), a missing ``not_before`` or ``next_at`` is 0 (at once).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from bot.store.codec import (
    clean,
    clean_or_none,
    dump_conversation,
    dump_customer,
    dump_event,
    dump_json,
    dump_reading,
    instant,
    instant_or_none,
    load_customer,
    load_event,
    load_reading,
    micros,
    micros_or_none,
)
from bot.store.records import (
    Arrival,
    Aside,
    Kind,
    OutboxRow,
    Place,
    Rank,
    Report,
    Status,
    TemplateVersion,
    TurnRecord,
)
from conversations.conversation import Author, Conversation
from conversations.events import Event
from conversations.ids import ConversationKey, EffectKey, ExternalId

NEVER = 1 << 62
"""A missing instant that sorts last."""

REPORTS = "outbox"
"""The inbox channel of events that delivery reported."""

Params = tuple[Any, ...]
Row = Sequence[Any]


def marks(count: int, mark: str = "?") -> str:
    """Placeholders for so many values."""
    return ",".join([mark] * count)


def dedupe_hash(channel: str, external_id: str) -> bytes:
    """What is kept of an arrival that was erased: enough to know it again, not enough to read it."""
    return hashlib.sha256(f"{channel}\0{external_id}".encode("utf-8", "surrogatepass")).digest()


def mute_hash(channel: str, customer: str) -> str:
    """What is kept of an erased customer who had opted out, in place of the id."""
    return "sha256:" + hashlib.sha256(f"{channel}\0{customer}".encode("utf-8", "surrogatepass")).hexdigest()


def plain_handle(handle: str) -> str:
    """A handle as it is compared: lower case, without the @."""
    return clean(handle).strip().removeprefix("@").lower()


# ---------------------------------------------------------------- conversation

CONVERSATION_COLUMNS = (
    "key, channel, account, customer, handle, state, version, wake_at, owner, queue, language, split_from, "
    "opened_at, closed_at, updated_at, document"
)
CONVERSATION_SAVED = "version=?, wake_at=?, owner=?, queue=?, language=?, closed_at=?, updated_at=?, document=?"
CONVERSATION_MOVED = f"customer=?, handle=?, state=?, {CONVERSATION_SAVED}"
"""What a decision changes, and what it changes when the state or the customer is another: SQLite rewrites the entry of
every index that has an assigned column, so these are assigned only then."""


def conversation_params(conversation: Conversation, wake_at: int | None, now: int) -> Params:
    """Values for ``CONVERSATION_COLUMNS``."""
    return (
        conversation.key,
        conversation.channel,
        conversation.account,
        clean(conversation.customer.id),
        plain_handle(conversation.customer.handle),
        conversation.state.value,
        conversation.version,
        wake_at,
        conversation.owner.id if conversation.owner else None,
        conversation.queue,
        conversation.language,
        conversation.split_from,
        micros(conversation.opened_at),
        micros_or_none(conversation.closed_at),
        now,
        dump_conversation(conversation),
    )


def saved_params(conversation: Conversation, wake_at: int | None, now: int) -> Params:
    """Values for ``CONVERSATION_SAVED``."""
    return (
        conversation.version,
        wake_at,
        conversation.owner.id if conversation.owner else None,
        conversation.queue,
        conversation.language,
        micros_or_none(conversation.closed_at),
        now,
        dump_conversation(conversation),
    )


def moved_params(conversation: Conversation, wake_at: int | None, now: int) -> Params:
    """Values for ``CONVERSATION_MOVED``."""
    customer = conversation.customer
    named = (clean(customer.id), plain_handle(customer.handle), conversation.state.value)
    return named + saved_params(conversation, wake_at, now)


# ---------------------------------------------------------------- inbox

INBOX_COLUMNS = (
    "channel, external_id, account, customer, about, conversation, kind, post, document, profile, reason, at"
)


def post_of(event: Event) -> str | None:
    """The post an event is about, or None."""
    post: str | None = getattr(event, "id", None)
    return clean_or_none(post)


def arrival_params(arrival: Arrival, conversation: ConversationKey | None, reason: str | None) -> Params:
    """Values for ``INBOX_COLUMNS``. The customer's profile is kept only while no conversation holds it."""
    kind, document = dump_event(arrival.event)
    return (
        arrival.channel,
        clean(arrival.id),
        arrival.account,
        clean(arrival.customer.id) if arrival.customer else None,
        clean_or_none(arrival.about),
        conversation,
        kind,
        post_of(arrival.event),
        document,
        dump_customer(arrival.customer) if conversation is None else None,
        clean_or_none(reason),
        micros(arrival.at),
    )


def report_params(report: Report, event: Event, conversation: str, account: str) -> Params:
    """Values for ``INBOX_COLUMNS`` of an event that delivery reports."""
    kind, document = dump_event(event)
    external_id = f"{report.key}#{report.fence}"
    at = micros(report.at)
    return (REPORTS, external_id, account, None, None, conversation, kind, post_of(event), document, None, None, at)


ASIDE_COLUMNS = "sequence, channel, account, external_id, profile, kind, document, reason, at"


def aside_of(row: Row) -> Aside:
    """From ``ASIDE_COLUMNS``."""
    return Aside(
        sequence=row[0],
        channel=row[1],
        account=row[2],
        id=ExternalId(row[3]),
        customer=load_customer(row[4]),
        event=load_event(row[5], row[6]),
        reason=row[7],
        at=instant(row[8]),
    )


# ---------------------------------------------------------------- turn

TURN_COLUMNS = (
    "conversation, turn_id, author, place, text, posted_at, agent, act, template, key, url, media, reading, "
    "edited_at, deleted_at"
)


def turn_params(turn: TurnRecord) -> Params:
    """Values for ``TURN_COLUMNS``."""
    return (
        turn.conversation,
        clean(turn.id),
        turn.author.value,
        turn.place.value,
        clean_or_none(turn.text),
        micros(turn.posted_at),
        clean_or_none(turn.agent),
        turn.act,
        turn.template,
        turn.key,
        clean_or_none(turn.url),
        turn.media,
        dump_reading(turn.reading),
        micros_or_none(turn.edited_at),
        micros_or_none(turn.deleted_at),
    )


def turn_of(row: Row) -> TurnRecord:
    """From ``TURN_COLUMNS``."""
    return TurnRecord(
        conversation=ConversationKey(row[0]),
        id=ExternalId(row[1]),
        author=Author(row[2]),
        place=Place(row[3]),
        text=row[4],
        posted_at=instant(row[5]),
        agent=row[6],
        act=row[7],
        template=row[8],
        key=None if row[9] is None else EffectKey(row[9]),
        url=row[10],
        media=row[11],
        reading=load_reading(row[12]),
        edited_at=instant_or_none(row[13]),
        deleted_at=instant_or_none(row[14]),
    )


# ---------------------------------------------------------------- outbox

OUTBOX_WRITTEN = (
    "key, conversation, channel, account, lane, place, kind, rank, body, created_at, author, act, template, "
    "due_at, not_before, status, reason, updated_at"
)
OUTBOX_COLUMNS = (
    "sequence, key, conversation, channel, account, lane, place, kind, rank, body, created_at, author, act, template, "
    "due_at, not_before, status, attempt, fence, sending_until, unknown_since, external_id, url, reason, updated_at"
)


def outbox_params(row: OutboxRow, now: int) -> Params:
    """Values for ``OUTBOX_WRITTEN``: a row as a decision writes it."""
    return (
        row.key,
        row.conversation,
        row.channel,
        row.account,
        row.lane,
        row.place.value,
        row.kind.value,
        int(row.rank),
        dump_json(row.body),
        micros(row.created_at),
        row.author.value if row.author else None,
        row.act,
        row.template,
        NEVER if row.due_at is None else micros(row.due_at),
        0 if row.not_before is None else micros(row.not_before),
        row.status.value,
        clean_or_none(row.reason),
        now,
    )


def outbox_of(row: Row) -> OutboxRow:
    """From ``OUTBOX_COLUMNS``."""
    return OutboxRow(
        sequence=row[0],
        key=EffectKey(row[1]),
        conversation=ConversationKey(row[2]),
        channel=row[3],
        account=row[4],
        lane=row[5],
        place=Place(row[6]),
        kind=Kind(row[7]),
        rank=Rank(row[8]),
        body=json.loads(row[9]),
        created_at=instant(row[10]),
        author=None if row[11] is None else Author(row[11]),
        act=row[12],
        template=row[13],
        due_at=None if row[14] == NEVER else instant(row[14]),
        not_before=None if row[15] == 0 else instant(row[15]),
        status=Status(row[16]),
        attempt=row[17],
        fence=row[18],
        sending_until=instant_or_none(row[19]),
        unknown_since=instant_or_none(row[20]),
        external_id=None if row[21] is None else ExternalId(row[21]),
        url=row[22],
        reason=row[23],
        updated_at=instant_or_none(row[24]),
    )


# ---------------------------------------------------------------- templates

TEMPLATE_COLUMNS = "id, version, language, act, surface, topic, situations, source, status, author, at"


def template_params(template: TemplateVersion) -> Params:
    """Values for ``TEMPLATE_COLUMNS``."""
    return (
        template.id,
        template.version,
        template.language,
        template.act,
        template.surface,
        template.topic,
        ",".join(template.situations),
        clean(template.source),
        template.status,
        template.author,
        micros(template.at),
    )


def template_of(row: Row) -> TemplateVersion:
    """From ``TEMPLATE_COLUMNS``."""
    return TemplateVersion(
        id=row[0],
        version=row[1],
        language=row[2],
        act=row[3],
        surface=row[4],
        topic=row[5],
        situations=tuple(name for name in row[6].split(",") if name),
        source=row[7],
        status=row[8],
        author=row[9],
        at=instant(row[10]),
    )
