"""Retention: what is old enough goes, the rest stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.store.port import Store
from bot.store.records import Claimed, Decision
from conversations.conversation import Outcome
from conversations.ids import ConversationKey
from conversations.protocol import State
from tests.contracts.examples import NOW, must_not_route, open_or_join, post, read_all, set_aside

pytestmark = pytest.mark.anyio


async def closed(store: Store, name: str, days_ago: float) -> ConversationKey:
    """A conversation that was closed so many days ago."""
    await store.take_in([post(name, f"customer-{name}")], open_or_join, NOW)

    def close(item: Claimed) -> Decision:
        case = item.conversation.evolve(
            state=State.CLOSED,
            outcome=Outcome.SATISFIED,
            closed_at=NOW - timedelta(days=days_ago),
            timers=(),
            version=item.conversation.version + 1,
        )
        return Decision(conversation=case, consumed=tuple(event.sequence for event in item.events))

    await store.decide_due(NOW, 10, close)
    (case,) = await store.conversations(customer=f"customer-{name}")
    return case.key


async def test_old_closed_conversations_and_mentions_set_aside_are_erased(store: Store) -> None:
    old = await closed(store, "old", 400)
    young = await closed(store, "young", 10)
    await store.take_in([post("open")], open_or_join, NOW)
    await store.take_in([post("aside")], set_aside, NOW)
    count = await store.forget(NOW - timedelta(days=365), NOW + timedelta(seconds=1))
    assert count == 2
    assert await store.conversation(old) is None
    assert await store.conversation(young) is not None
    assert len(await store.conversations()) == 2
    assert await store.asides() == []
    assert await store.turns(old) == []
    assert await store.forget(NOW - timedelta(days=365), NOW + timedelta(seconds=1)) == 0


async def test_what_was_forgotten_is_not_taken_in_again(store: Store) -> None:
    await closed(store, "old", 400)
    await store.forget(NOW, NOW)
    (taken,) = await store.take_in([post("old", "customer-old")], must_not_route, NOW)
    assert not taken.new


async def test_an_open_conversation_is_never_forgotten(store: Store) -> None:
    await store.take_in([post("open")], open_or_join, NOW)
    await store.decide_due(NOW, 10, read_all)
    assert await store.forget(NOW + timedelta(days=9999), NOW + timedelta(days=9999)) == 0
    assert len(await store.conversations()) == 1
