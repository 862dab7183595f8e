"""Leases: what one process alone may do for a while, with a fence that rises whenever it changes hands."""

from __future__ import annotations

from bot.store.codec import instant
from bot.store.port import LeaseLost
from bot.store.records import Hold, Lease
from bot.store.steps import Steps

_TAKE = """insert into lease (name, holder, fence, ends_at) values (?,?,1,?) on conflict (name) do update set
  fence=lease.fence + case when lease.holder=excluded.holder and lease.ends_at>? then 0 else 1 end,
  holder=excluded.holder, ends_at=excluded.ends_at
  where lease.holder=excluded.holder or lease.ends_at<=? returning fence"""
_RELEASE = "update lease set ends_at=0 where name=? and fence=?"
_CURRENT = "select 1 from lease where name=? and fence=? for update"
_HELD = "select name, holder, fence, ends_at from lease where ends_at>? order by name"


def take(name: str, holder: str, now: int, ends_at: int) -> Steps[Hold | None]:
    """See ``Store.lease``."""
    rows = yield _TAKE, (name, holder, ends_at, now, now)
    return Hold(name, rows[0][0]) if rows else None


def release(hold: Hold) -> Steps[None]:
    """See ``Store.release``."""
    yield _RELEASE, (hold.name, hold.fence)


def held(now: int) -> Steps[list[Lease]]:
    """See ``Store.leases``."""
    rows = yield _HELD, (now,)
    return [Lease(name, holder, fence, instant(ends_at)) for name, holder, fence, ends_at in rows]


def still(hold: Hold) -> Steps[None]:
    """Go on only while the lease is held; until the transaction ends nobody else can take it. Raises ``LeaseLost``."""
    if not (yield _CURRENT, (hold.name, hold.fence)):
        raise LeaseLost(f"{hold.name}: another process has taken this over")
