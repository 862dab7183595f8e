"""The outbox: what may leave now, in which order, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from bot.store.codec import clean_or_none, micros
from bot.store.records import Kind, Lane, OutboxRow, Place, Report, Status
from bot.store.rows import INBOX_COLUMNS, OUTBOX_COLUMNS, marks, outbox_of, report_params, turn_params
from bot.store.steps import Batch, Steps
from bot.store.steps.decisions import turn_written
from bot.store.steps.intake import wake

# Lanes with something pending, hopping from one to the next in the index: a long queue in a lane costs nothing here.
_LANES = """with recursive busy(lane) as (
    select min(lane) from outbox where status='pending'
    union all
    select (select min(lane) from outbox where status='pending' and lane>busy.lane) from busy
      where busy.lane is not null)
  select busy.lane, coalesce(lane.next_at, 0),
    coalesce(lane.at_once, 1) - (select count(*) from outbox where status='sending' and lane=busy.lane)
  from busy left join lane on lane.key=busy.lane where busy.lane is not null"""

# No earlier unfinished row of the same conversation and place; an agent's words pass a bot's unknown row, though.
_FREE = """not exists (select 1 from outbox as earlier
    where earlier.conversation=outbox.conversation and earlier.place=outbox.place and earlier.sequence<outbox.sequence
    and earlier.status in ('pending', 'sending', 'unknown')
    and not (earlier.status='unknown' and coalesce(earlier.author, '')='bot' and coalesce(outbox.author, '')='agent'))"""

_DELIVERABLE = f"""select {OUTBOX_COLUMNS} from outbox where status='pending' and lane=? and not_before<=? and {_FREE}
  order by rank, due_at, sequence limit ? for update of outbox skip locked"""
_UNCLEAR = f"""select {OUTBOX_COLUMNS} from outbox
  where status='unknown' and not_before<=? and coalesce(sending_until, 0)<=?
  order by rank, due_at, sequence limit ? for update of outbox skip locked"""
_CLAIM = "update outbox set status=?, attempt=?, fence=?, sending_until=?, updated_at=? where sequence=?"
_EXPIRED = """select sequence, channel, place from outbox
  where status='sending' and sending_until<=? for update of outbox skip locked"""
_TO_UNKNOWN = """update outbox set status='unknown', unknown_since=?, not_before=?, sending_until=null, updated_at=?
  where sequence=?"""
_CLAIMED = """select sequence, conversation, account, kind, unknown_since from outbox
  where key=? and fence=? and status in ('sending', 'unknown') for update"""
_REPORT = """update outbox set status=?, external_id=coalesce(?, external_id), url=coalesce(?, url), reason=?,
  not_before=?, sending_until=null, unknown_since=?, updated_at=? where sequence=?"""
_OTHER_CARD = "select 1 from outbox where conversation=? and status='pending' and kind='card' and sequence<>? limit 1"
_KEEP = f"insert into inbox ({INBOX_COLUMNS}) values ({marks(12)}) on conflict (channel, external_id) do nothing"
_READY_AT = f"select 1 from outbox where status='pending' and lane=? and not_before<=? and {_FREE} limit 1"
_LATER_AT = f"""select not_before from outbox
  where status='pending' and lane=? and not_before>0 and not_before>? and {_FREE} order by not_before limit 1"""
_WAITING = """select min(at) from (
  select min(sending_until) as at from outbox where status='sending'
  union all select min(greatest(not_before, coalesce(sending_until, 0))) from outbox where status='unknown'
  ) as waiting"""
_LANE = """insert into lane (key, next_at, at_once) values (?,?,?)
  on conflict (key) do update set next_at=excluded.next_at, at_once=excluded.at_once"""

_PLACES = {name: place for place, name in enumerate(OUTBOX_COLUMNS.split(", "))}
_urgency = itemgetter(*(_PLACES[name] for name in ("rank", "due_at", "sequence")))
_status, _attempt, _fence = (_PLACES[name] for name in ("status", "attempt", "fence"))
_sending_until, _updated_at = (_PLACES[name] for name in ("sending_until", "updated_at"))


def claim(now: int, sending_us: int, limit: int, elsewhere: Collection[str] = ()) -> Steps[list[OutboxRow]]:
    """See ``Store.claim_deliveries``."""
    found: list[Any] = []
    for lane, next_at, room in (yield _LANES, ()):
        if next_at <= now and room > 0 and lane not in elsewhere:
            found += yield _DELIVERABLE, (lane, now, min(room, limit))
    found += yield _unknown_but(elsewhere, _UNCLEAR), (*elsewhere, now, now, limit)
    found.sort(key=_urgency)
    rows = [_claimed(row, now, now + sending_us) for row in found[:limit]]
    claims: Batch = [
        (_CLAIM, (row[_status], row[_attempt], row[_fence], row[_sending_until], now, row[0])) for row in rows
    ]
    if claims:
        yield claims
    return [outbox_of(row) for row in rows]


def _unknown_but(lanes: Collection[str], sql: str) -> str:
    """The statement without the unknown rows of some lanes."""
    unknown = "status='unknown'"
    return sql.replace(unknown, f"{unknown} and lane not in ({marks(len(lanes))})") if lanes else sql


def _claimed(row: Sequence[Any], now: int, until: int) -> list[Any]:
    changed = list(row)
    if changed[_status] == Status.PENDING:
        changed[_status] = Status.SENDING.value
        changed[_attempt] += 1
    changed[_fence] += 1
    changed[_sending_until], changed[_updated_at] = until, now
    return changed


def expire(now: int, quarantine_s: Mapping[str, float]) -> Steps[int]:
    """See ``Store.expire_sending``. A channel that is not named rests as long as the longest."""
    expired = yield _EXPIRED, (now,)
    longest = max(quarantine_s.values(), default=0.0)
    for sequence, channel, place in expired:
        name = channel if place in (Place.PUBLIC, Place.DIRECT) else place
        rest = int(quarantine_s.get(name, longest) * 1_000_000)
        yield _TO_UNKNOWN, (now, now + rest, now, sequence)
    return len(expired)


def report(reports: Sequence[Report]) -> Steps[list[bool]]:
    """See ``Store.report_deliveries``."""
    current = []
    for item in reports:
        current.append((yield from _report(item)))  # noqa: PERF401 - a comprehension cannot yield
    return current


def _report(item: Report) -> Steps[bool]:
    rows = yield _CLAIMED, (item.key, item.fence)
    if not rows:
        return False
    sequence, conversation, account, kind, unknown_since = rows[0]
    at, status, reason = micros(item.at), item.status, item.reason
    if status is Status.PENDING and kind == Kind.CARD and (yield _OTHER_CARD, (conversation, sequence)):
        status, reason = Status.WITHDRAWN, "a newer card is waiting"
    since = (unknown_since or at) if status is Status.UNKNOWN else None
    not_before = micros(item.not_before) if item.not_before else 0
    external_id, url = clean_or_none(item.external_id), clean_or_none(item.url)
    changes = (status.value, external_id, url, clean_or_none(reason), not_before, since, at, sequence)
    writes: Batch = [(_REPORT, changes)]
    if item.turn is not None:
        turn = item.turn if item.turn.conversation == conversation else replace(item.turn, conversation=conversation)
        writes.append(turn_written(turn_params(turn)))
    if item.event is not None:
        writes.append((_KEEP, report_params(item, item.event, conversation, account)))
        writes.append(wake(conversation, at))
    yield writes
    return True


def next_at(now: int, elsewhere: Collection[str] = ()) -> Steps[int | None]:
    """See ``Store.next_delivery_at``."""
    earliest: int | None = (yield _unknown_but(elsewhere, _WAITING), tuple(elsewhere))[0][0]
    for lane, lane_next_at, room in (yield _LANES, ()):
        if room <= 0 or lane in elsewhere:
            continue
        opens = max(now, lane_next_at)
        at = opens
        if not (yield _READY_AT, (lane, opens)):
            rows = yield _LATER_AT, (lane, opens)
            if not rows:
                continue
            at = rows[0][0]
        earliest = at if earliest is None else min(earliest, at)
        if earliest <= now:
            return now
    return None if earliest is None else max(earliest, now)


def set_lane(lane: Lane) -> Steps[None]:
    """See ``Store.set_lane``."""
    yield _LANE, (lane.key, micros(lane.next_at) if lane.next_at else 0, lane.at_once)
