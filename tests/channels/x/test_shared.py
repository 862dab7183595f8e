"""What processes that do not work on an account know of it: what the one that does has told them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.store.port import LeaseLost
from tests.channels.x.rig import build, rig
from tests.contracts.examples import new_conversation, post

pytestmark = pytest.mark.anyio


async def test_who_does_not_read_an_account_hears_whether_it_invites() -> None:
    async with rig() as r:
        _, other, _, _ = build(r.settings, r.store, r.clock, r.policy)
        case = new_conversation(post("1")).evolve(account="brand")
        now = r.clock.now()
        line = r.channel.lines["brand"]
        hold = await r.store.lease("x:brand", "one", now, 20)
        await line.take_over(hold)
        line.messages_open = False
        await line.tell()
        assert other.invites_direct(case, now), "nobody has told yet"
        await other.hear()
        assert not other.invites_direct(case, now)
        assert other.lines["brand"].user_id == line.user_id
        theirs = await r.store.lease("x:brand", "two", now + timedelta(seconds=20), 20)
        await other.lines["brand"].take_over(theirs)
        assert other.invites_direct(case, now), "who works on it knows by itself"
        with pytest.raises(LeaseLost):
            await line.tell()


async def test_what_was_spent_goes_over_with_the_account() -> None:
    async with rig() as r:
        _, other, _, _ = build(r.settings, r.store, r.clock, r.policy)
        now = r.clock.now()
        line = r.channel.lines["brand"]
        await line.take_over(await r.store.lease("x:brand", "one", now, 20))
        await r.channel.round()
        await line.keep_spend()
        spent = line.meter.usd
        assert spent > 0
        successor = other.lines["brand"]
        await successor.load()
        await successor.take_over(await r.store.lease("x:brand", "two", now + timedelta(seconds=20), 20))
        assert successor.meter.usd == spent


async def test_lanes_of_accounts_that_others_work_on_are_elsewhere() -> None:
    async with rig("one", "two") as r:
        r.channel.at_work.add("two")
        lanes = r.channel.elsewhere()
        assert lanes
        assert all(":one:" in lane for lane in lanes)
