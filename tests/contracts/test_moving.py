"""Turns that go to another conversation: all at once, in order, and whatever arrives about them later finds them there."""

from __future__ import annotations

from typing import Any

import pytest

from bot.store.port import Store
from bot.store.records import Arrival, Claimed, Decision, Join, Moved, Status
from conversations.conversation import Author, Outcome, WordsOut
from conversations.events import CaseMerged, PostDeleted, PostEdited, SplitOff, WordsAccepted
from conversations.ids import ConversationKey, EffectKey, ExternalId
from conversations.protocol import State
from tests.contracts.examples import (
    ANNA,
    NOW,
    READING,
    about,
    at,
    claimed,
    consume,
    decided,
    deciding,
    must_not_route,
    open_or_join,
    opened,
    post,
    posted,
    read_all,
    reported,
    row,
    turn_of,
    watched,
)

pytestmark = pytest.mark.anyio
NEW = ConversationKey("x:acme:1~2")


async def split(store: Store, key: ConversationKey, *posts: str, to: ConversationKey = NEW) -> None:
    """A decision that splits posts off."""
    case = await store.conversation(key)
    assert case is not None
    ids = tuple(ExternalId(post) for post in posts)
    move = Moved(
        key=EffectKey(f"{key}:split:{to}"),
        to=to,
        event=SplitOff(agent=ANNA, source=key),
        posts=ids,
        opens=case.evolve(key=to, version=0, split_from=key, timers=(), story=()),
    )
    await decided(store, key, moves=(move,), changes={"splits": (*case.splits, to)})


def merging(key: ConversationKey, to: ConversationKey, **event: Any) -> Moved:
    """A conversation that becomes part of another."""
    told = CaseMerged(agent=ANNA, source=key, story=(), turns_count=1, first_posted_at=NOW, **event)
    return Moved(key=EffectKey(f"{key}:merge"), to=to, event=told, posts=None)


async def two(store: Store) -> ConversationKey:
    """A conversation of three posts, the second of which was split off."""
    key = await opened(store, "1")
    await store.take_in([post("2"), post("3")], open_or_join, NOW)
    await store.decide_due(NOW, 10, read_all)
    await split(store, key, "2")
    return key


async def texts(store: Store, key: ConversationKey) -> list[str]:
    """The turns of a conversation."""
    return [turn.id for turn in await store.turns(key)]


async def test_what_is_split_off_is_there_and_no_longer_here(store: Store) -> None:
    key = await two(store)
    assert (await texts(store, key), await texts(store, NEW)) == (["1", "3"], ["2"])
    seen: list[Claimed] = []
    assert await store.decide_due(NOW, 10, watched(seen)) == 1
    assert seen[0].conversation.key == NEW
    assert [type(item.event) for item in seen[0].events] == [SplitOff]
    assert await store.next_wake_at() is None


async def test_an_edit_and_a_deletion_follow_the_post(store: Store) -> None:
    key = await two(store)
    edit = PostEdited(id=ExternalId("2"), edited_at=NOW, text="new", reading=READING)
    gone = PostDeleted(id=ExternalId("2"), deleted_at=NOW)
    for arrival in (about("e", edit, "2"), about("d", gone, "2")):
        [taken] = await store.take_in([arrival], must_not_route, NOW)
        assert taken.route == Join(NEW)
    [taken] = await store.take_in([about("e3", edit, "3")], must_not_route, NOW)
    assert taken.route == Join(key)


async def test_an_answer_joins_the_conversation_whose_words_it_answers(store: Store) -> None:
    key = await two(store)
    await store.decide_due(NOW, 10, read_all)

    def answer(id_: str, to: str | None) -> Arrival:
        arrival = post(id_)
        event = posted(id_)
        changed = type(event)(**{name: getattr(event, name) for name in event.__slots__} | {"in_reply_to": to})
        return type(arrival)(**{name: getattr(arrival, name) for name in arrival.__slots__} | {"event": changed})

    for id_, to, expected in (("4", "2", NEW), ("5", "1", key), ("6", None, key), ("7", "unknown", key)):
        [taken] = await store.take_in([answer(id_, to)], open_or_join, NOW)
        assert taken.route == Join(expected), id_


async def test_a_merge_takes_everything_along_and_leaves_nothing(store: Store) -> None:
    key = await two(store)
    await store.decide_due(NOW, 10, read_all)
    agents = row(NEW, "words", author=Author.AGENT)
    bots = row(NEW, "bot", author=Author.BOT)
    await decided(store, NEW, outbox=(agents, bots))
    words = tuple(WordsOut(item.key, None, item.author or Author.BOT) for item in (agents, bots))
    changes = {"state": State.CLOSED, "outcome": Outcome.MERGED, "closed_at": NOW, "merged_into": key}
    await decided(store, NEW, moves=(merging(NEW, key, words_out=words),), withdraw="merged", changes=changes)
    assert (await texts(store, key), await texts(store, NEW)) == (["1", "2", "3"], [])
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    (item,) = seen[0].events
    assert isinstance(item.event, CaseMerged)
    assert [out.key for out in item.event.words_out] == [agents.key], "what was withdrawn does not come along"
    assert [r.key for r in await store.outbox(conversation=key, statuses=("pending",))] == [agents.key]
    [taken] = await store.take_in([about("e", PostDeleted(id=ExternalId("2"), deleted_at=NOW), "2")], must_not_route, NOW)
    assert taken.route == Join(key)


async def test_words_that_were_being_sent_are_reported_to_where_they_went(store: Store) -> None:
    key = await two(store)
    await store.decide_due(NOW, 10, read_all)
    await decided(store, NEW, outbox=(row(NEW, "words", author=Author.AGENT),))
    (sending,) = await claimed(store)
    changes = {"state": State.CLOSED, "outcome": Outcome.MERGED, "closed_at": NOW, "merged_into": key}
    await decided(store, NEW, moves=(merging(NEW, key),), changes=changes)
    await store.decide_due(NOW, 10, read_all)
    event = WordsAccepted(key=sending.key, id=ExternalId("o"), accepted_at=NOW, author=Author.AGENT, act=None)
    said = turn_of(NEW, posted("o"))
    assert await reported(store, sending, Status.SENT, external_id=ExternalId("o"), event=event, turn=said)
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    assert [claim.conversation.key for claim in seen] == [key]
    assert "o" in await texts(store, key)


async def test_the_one_that_goes_on_takes_later_posts_even_once_both_are_closed(store: Store) -> None:
    key = await two(store)
    await store.decide_due(NOW, 10, read_all)
    changes = {"state": State.CLOSED, "outcome": Outcome.MERGED, "closed_at": NOW, "merged_into": NEW}
    await decided(store, key, moves=(merging(key, NEW),), changes=changes)
    await store.decide_due(NOW, 10, read_all)
    [taken] = await store.take_in([post("8")], open_or_join, NOW)
    assert taken.route == Join(NEW)
    await decided(store, NEW, changes={"state": State.CLOSED, "outcome": Outcome.SATISFIED, "closed_at": at(9)})
    seen: list[ConversationKey] = []

    def route(arrival: Arrival, latest: Any) -> Join:
        seen.append(latest.key)
        return Join(latest.key)

    await store.take_in([post("9")], route, at(10))
    assert seen == [NEW]


async def test_what_was_unread_stays_to_be_decided_where_it_came(store: Store) -> None:
    key = await opened(store, "1")
    await store.take_in([post("2")], open_or_join, NOW)
    await store.decide_due(NOW, 10, read_all)
    await store.take_in([post("3")], open_or_join, NOW)
    move = Moved(
        key=EffectKey("m"),
        to=NEW,
        event=SplitOff(agent=ANNA, source=key),
        posts=(ExternalId("2"), ExternalId("3")),
        opens=(await store.conversation(key)).evolve(key=NEW, version=0, split_from=key),  # type: ignore[union-attr]
    )

    def leave_unread(item: Claimed) -> Decision:
        if item.conversation.key != key:
            return read_all(item)
        return Decision(conversation=consume(item), consumed=(), moves=(move,))

    await store.decide_due(NOW, 1, leave_unread)
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    unread = {claim.conversation.key: [getattr(i.event, "id", None) for i in claim.events] for claim in seen}
    assert unread[key] == ["3"]


async def test_a_decision_that_fails_moves_nothing(store: Store) -> None:
    key = await two(store)
    taken = (await store.conversation(key)).evolve(key=NEW, version=0, split_from=key)  # type: ignore[union-attr]
    again = Moved(
        key=EffectKey("again"), to=NEW, event=SplitOff(agent=ANNA, source=key), posts=(ExternalId("3"),), opens=taken
    )
    await store.decide_due(NOW, 10, read_all)
    await store.take_in([post("4")], open_or_join, NOW)
    await store.decide_due(NOW, 10, deciding(moves=(again,)))
    assert [poisoned.conversation for poisoned in await store.poisoned()] == [key]
    assert (await texts(store, key), await texts(store, NEW)) == (["1", "3"], ["2"])
