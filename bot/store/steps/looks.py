"""Reading: what people and the shell look at. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.store.codec import clean, instant, instant_or_none, load_conversation
from bot.store.records import Aside, Counts, OutboxRow, Poisoned, TemplateVersion, TurnRecord, Used
from bot.store.rows import (
    ASIDE_COLUMNS,
    OUTBOX_COLUMNS,
    TEMPLATE_COLUMNS,
    TURN_COLUMNS,
    aside_of,
    marks,
    outbox_of,
    plain_handle,
    template_of,
    turn_of,
)
from bot.store.steps import Steps
from conversations.conversation import Conversation
from conversations.ids import ConversationKey, EffectKey
from conversations.protocol import State

WORDS_WAIT_S_MAX = 86_400
"""How long words may wait between being written and being sent, for ``sent_words`` to find them."""

_WORDS = f"""select {OUTBOX_COLUMNS} from outbox
  where kind='words' and channel=? and account=? and place=? and created_at>=?
  and (status in ('pending', 'sending', 'unknown') or (status='sent' and updated_at>=?))
  order by created_at desc, sequence desc limit ?"""
_SEARCH = r""" and (key like ? escape '\' or handle like ? escape '\'
  or document ->> '$.customer.name' like ? escape '\' or document ->> '$.reference' like ? escape '\'
  or exists (select 1 from turn where turn.conversation=conversation.key and turn.text like ? escape '\'))"""
_BY_STATE = "select state, count(*) from conversation group by state"
_BY_STATUS = "select status, count(*) from outbox group by status"
_TOTALS = """select
  (select count(*) from inbox where conversation is not null and read_at is null),
  (select min(unknown_since) from outbox where status='unknown'),
  (select count(*) from inbox where conversation is null and reason is not null),
  (select count(*) from conversation where poison_at is not null)"""


def conversation(key: ConversationKey) -> Steps[Conversation | None]:
    """See ``Store.conversation``."""
    rows = yield "select document from conversation where key=?", (key,)
    return load_conversation(rows[0][0]) if rows else None


def conversations(
    states: Sequence[str], search: str, customer: str, limit: int, offset: int
) -> Steps[list[Conversation]]:
    """See ``Store.conversations``. Per state the index gives the latest; the newest of these are the answer."""
    where, params = _filter(search, customer)
    chosen = tuple(states) or tuple(state.value for state in State)
    of_state = f"select id, updated_at from conversation where state=?{where} order by updated_at desc, id desc limit ?"
    latest = " union all ".join(f"select * from ({of_state}) as s{number}" for number in range(len(chosen)))
    values = [value for state in chosen for value in (state, *params, limit + offset)]
    sql = f"""select document from conversation join ({latest}) as latest on latest.id = conversation.id
      order by latest.updated_at desc, latest.id desc limit ? offset ?"""
    rows = yield sql, (*values, limit, offset)
    return [load_conversation(row[0]) for row in rows]


def _filter(search: str, customer: str) -> tuple[str, tuple[str, ...]]:
    where, params = "", list[str]()
    if customer:
        where += " and (customer=? or handle=?)"
        params += [clean(customer), plain_handle(customer)]
    if search:
        where += _SEARCH
        params += ["%" + escaped(search) + "%"] * 5
    return where, tuple(params)


def escaped(words: str) -> str:
    """Words as they stand in a pattern of ``like … escape '\\'``."""
    return clean(words).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def turns(key: ConversationKey) -> Steps[list[TurnRecord]]:
    """See ``Store.turns``."""
    rows = yield f"select {TURN_COLUMNS} from turn where conversation=? order by posted_at, id", (key,)
    return [turn_of(row) for row in rows]


def turn(key: ConversationKey, turn_id: str) -> Steps[TurnRecord | None]:
    """See ``Store.turn``."""
    rows = yield f"select {TURN_COLUMNS} from turn where conversation=? and turn_id=?", (key, clean(turn_id))
    return turn_of(rows[0]) if rows else None


def outbox(key: ConversationKey | None, statuses: Sequence[str], limit: int) -> Steps[list[OutboxRow]]:
    """See ``Store.outbox``."""
    where, params = "true", list[object]()
    if key is not None:
        where += " and conversation=?"
        params.append(key)
    if statuses:
        where += f" and status in ({marks(len(statuses))})"
        params += statuses
    rows = yield f"select {OUTBOX_COLUMNS} from outbox where {where} order by sequence limit ?", (*params, limit)
    return [outbox_of(row) for row in rows]


def outbox_row(key: EffectKey) -> Steps[OutboxRow | None]:
    """See ``Store.outbox_row``."""
    rows = yield f"select {OUTBOX_COLUMNS} from outbox where key=?", (key,)
    return outbox_of(rows[0]) if rows else None


def sent_words(channel: str, account: str, place: str, since: int, limit: int) -> Steps[list[OutboxRow]]:
    """See ``Store.sent_words``."""
    rows = yield _WORDS, (channel, account, place, since - WORDS_WAIT_S_MAX * 1_000_000, since, limit)
    return [outbox_of(row) for row in rows]


def asides(limit: int) -> Steps[list[Aside]]:
    """See ``Store.asides``."""
    found = "conversation is null and reason is not null"
    rows = yield f"select {ASIDE_COLUMNS} from inbox where {found} order by sequence desc limit ?", (limit,)
    return [aside_of(row) for row in rows]


def counts() -> Steps[Counts]:
    """See ``Store.counts``."""
    by_state = yield _BY_STATE, ()
    by_status = yield _BY_STATUS, ()
    [(unread, unknown, set_aside, poisonous)] = yield _TOTALS, ()
    return Counts(
        by_state=dict(by_state),
        outbox=dict(by_status),
        unread=unread,
        oldest_unknown_at=instant_or_none(unknown),
        set_aside=set_aside,
        poisoned=poisonous,
    )


def poisoned(limit: int) -> Steps[list[Poisoned]]:
    """See ``Store.poisoned``."""
    columns = "key, poison_error, poison_count, poison_at, wake_at"
    sql = f"select {columns} from conversation where poison_at is not null order by poison_at desc limit ?"
    return [
        Poisoned(
            conversation=ConversationKey(key),
            error=error,
            count=count,
            at=instant(at),
            wake_at=instant_or_none(wake_at),
        )
        for key, error, count, at, wake_at in (yield sql, (limit,))
    ]


def next_wake_at() -> Steps[datetime | None]:
    """See ``Store.next_wake_at``."""
    rows = yield "select min(wake_at) from conversation where wake_at is not null", ()
    return instant_or_none(rows[0][0])


def labels() -> Steps[list[Mapping[str, Any]]]:
    """See ``Store.labels``."""
    names = ("conversation", "agent", "complaint", "text", "language", "at")
    rows = yield f"select {', '.join(names)} from label order by id", ()
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [label | {"complaint": bool(label["complaint"]), "at": instant(label["at"])} for label in found]


def audits(limit: int, action: str, subject: str) -> Steps[list[Mapping[str, Any]]]:
    """See ``Store.audits``."""
    chosen = [(name, value) for name, value in (("action", action), ("subject", subject)) if value]
    where = "".join(rf" and {name} like ? escape '\'" for name, _ in chosen)
    sql = f"select at, actor, action, subject from audit where true{where} order by id desc limit ?"
    rows = yield sql, (*(escaped(value) + "%" for _, value in chosen), limit)
    return [
        {"at": instant(at), "actor": actor, "action": action, "subject": subject} for at, actor, action, subject in rows
    ]


def templates(template: str | None, status: str | None) -> Steps[list[TemplateVersion]]:
    """See ``Store.templates``."""
    chosen = [(name, value) for name, value in (("id", template), ("status", status)) if value is not None]
    where = "".join(f" and {name}=?" for name, _ in chosen)
    sql = f"select {TEMPLATE_COLUMNS} from template where true{where} order by id, version desc"
    return [template_of(row) for row in (yield sql, tuple(value for _, value in chosen))]


def template_uses(prefix: str, since: int, limit: int) -> Steps[list[Used]]:
    """See ``Store.template_uses``."""
    sql = r"""select conversation, template, posted_at from turn where template like ? escape '\' and posted_at>=?
      order by posted_at, id limit ?"""
    rows = yield sql, (escaped(prefix) + "%", since, limit)
    return [Used(ConversationKey(key), template, instant(at)) for key, template, at in rows]


def meta(key: str) -> Steps[str | None]:
    """See ``Store.get_meta``."""
    rows = yield "select value from meta where key=?", (key,)
    return rows[0][0] if rows else None
