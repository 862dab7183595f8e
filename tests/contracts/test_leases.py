"""Leases: one holder at a time, a fence that rises with each change of hands, and nothing written late."""

from __future__ import annotations

import pytest

from bot.store.port import LeaseLost, Store
from bot.store.records import Lane, Place, Status
from tests.contracts.examples import NOW, at, claimed, decided, desk_row, names, opened, reported, row

pytestmark = pytest.mark.anyio


async def test_one_holds_a_lease_until_it_ends_or_is_let_go(store: Store) -> None:
    mine = await store.lease("x:acme", "one", NOW, 20)
    assert mine is not None
    assert await store.lease("x:acme", "two", at(19), 20) is None
    assert await store.lease("x:acme", "one", at(19), 20) == mine, "who renews keeps the fence"
    assert [(lease.name, lease.holder, lease.ends_at) for lease in await store.leases(at(19))] == [
        ("x:acme", "one", at(39))
    ]
    await store.release(mine)
    theirs = await store.lease("x:acme", "two", at(20), 20)
    assert theirs is not None and theirs.fence > mine.fence
    await store.release(mine)
    assert await store.lease("x:acme", "one", at(21), 20) is None, "what was lost is not let go of"


async def test_a_lease_that_ended_goes_to_whoever_comes_first(store: Store) -> None:
    mine = await store.lease("x:acme", "one", NOW, 20)
    theirs = await store.lease("x:acme", "two", at(20), 20)
    assert mine is not None and theirs is not None and theirs.fence > mine.fence
    assert await store.lease("x:acme", "one", at(21), 20) is None
    again = await store.lease("x:acme", "two", at(60), 20)
    assert again is not None and again.fence > theirs.fence, "it might have been another's in between"


async def test_leases_are_independent(store: Store) -> None:
    assert await store.lease("x:acme", "one", NOW, 20)
    assert await store.lease("x:other", "two", NOW, 20)
    assert len(await store.leases(NOW)) == 2
    assert await store.leases(at(20)) == []


async def test_a_late_holder_writes_nothing(store: Store) -> None:
    mine = await store.lease("x:acme", "one", NOW, 20)
    await store.set_meta("x:acme:mentions", "1", mine)
    theirs = await store.lease("x:acme", "two", at(20), 20)
    await store.set_meta("x:acme:mentions", "2", theirs)
    with pytest.raises(LeaseLost, match="x:acme"):
        await store.set_meta("x:acme:mentions", "1", mine)
    assert await store.get_meta("x:acme:mentions") == "2"


async def test_lanes_that_are_elsewhere_are_left_alone(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "words"), desk_row(key, "card", lane="slack:desk")))
    assert names(await store.claim_deliveries(NOW, 30, 10, ("x:posts",))) == ["card"]
    assert await store.next_delivery_at(NOW, ("x:posts", "slack:desk")) == at(30), "the card's claim may run out"
    assert await store.next_delivery_at(NOW) == NOW
    assert names(await store.claim_deliveries(NOW, 30, 10, ("slack:desk",))) == ["words"]


async def test_what_is_unknown_elsewhere_is_read_back_there(store: Store) -> None:
    await store.set_lane(Lane("x:posts"))
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "words", place=Place.PUBLIC),))
    [item] = await claimed(store)
    await reported(store, item, Status.UNKNOWN, at(1), not_before=at(60))
    assert await store.next_delivery_at(at(2), ("x:posts",)) is None
    assert await store.claim_deliveries(at(60), 30, 10, ("x:posts",)) == []
    assert names(await store.claim_deliveries(at(60), 30, 10)) == ["words"]
