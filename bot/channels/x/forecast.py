"""Before a limit breaks the window, the conversations concerned are told: by what is queued and what X still allows."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.channels.x.limits import SEND_MESSAGE, SEND_POST
from bot.channels.x.line import CHANNEL, Line
from bot.store.records import Arrival, Kind, OutboxRow, Rank, Status
from conversations.events import FirstReplyForecast
from conversations.ids import ExternalId

ROWS_MAX = 5000


def leaves_at(line: Line, endpoint: str, place: int, now: datetime) -> datetime:
    """When the message at a place (from 0) of a lane's queue leaves, going by the limits that are left."""
    latest = max(now, line.health.until or now)
    for window in line.client.limits.windows(endpoint, now).values():
        left = max(0, window.remaining)
        if place >= left:
            later = (place - left) // max(1, window.limit)
            reset_at = window.reset_at or now + timedelta(seconds=window.window_s)
            latest = max(latest, reset_at + timedelta(seconds=later * window.window_s))
    return latest


async def forecast(line: Line) -> int:
    """Tell the conversations whose first reply will leave too late. Returns how many."""
    now = line.now()
    rows = await line.doors.store.outbox(statuses=(Status.PENDING.value,), limit=ROWS_MAX)
    told: list[Arrival] = []
    for lane, endpoint in ((line.account.posts_lane, SEND_POST), (line.account.messages_lane, SEND_MESSAGE)):
        queue = sorted((row for row in rows if row.lane == lane and row.kind is Kind.WORDS), key=urgency)
        for place, row in enumerate(queue):
            if row.rank not in (Rank.FIRST_REPLY, Rank.RISK) or row.due_at is None:
                continue
            at = leaves_at(line, endpoint, place, now)
            if at > now and at > row.due_at:
                told.append(endangered(row, f"by X's limits it leaves at {at:%H:%M} UTC", now))
    if told:
        await line.doors.take_in(told)
    return len(told)


def urgency(row: OutboxRow) -> tuple[int, float, int]:
    """The order in which a lane is drained."""
    return row.rank, (row.due_at or row.created_at).timestamp(), row.sequence


def endangered(row: OutboxRow, why: str, now: datetime) -> Arrival:
    """The forecast as an arrival, once per message."""
    return Arrival(
        channel=CHANNEL,
        account=row.account,
        id=ExternalId(f"forecast:{row.key}"),
        event=FirstReplyForecast(reason=why),
        at=now,
        conversation=row.conversation,
    )
