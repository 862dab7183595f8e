"""What comes in is kept once, and finds its conversation."""

from __future__ import annotations

import asyncio

import pytest

from bot.store.port import Store, StoreError
from bot.store.records import Arrival, Claimed, Join, Open, Route, SetAside, Taken
from conversations.conversation import Conversation, Customer, Outcome
from conversations.events import CustomerPosted, PostDeleted, PostEdited
from conversations.ids import ConversationKey, ExternalId
from conversations.protocol import State
from tests.contracts.examples import (
    NOW,
    READING,
    about,
    act,
    at,
    decided,
    deciding,
    must_not_route,
    new_conversation,
    open_or_join,
    opened,
    post,
    posted,
    read_all,
    set_aside,
    turn_of,
    watched,
)

pytestmark = pytest.mark.anyio


async def test_a_post_opens_a_conversation_which_wakes(store: Store) -> None:
    [taken] = await store.take_in([post("1")], open_or_join, NOW)
    assert taken.new
    assert isinstance(taken.route, Open)
    assert await store.conversation(taken.route.conversation.key) == new_conversation(post("1"))
    assert await store.next_wake_at() == NOW


async def test_eleven_deliveries_of_one_post_are_one_event(store: Store) -> None:
    first = await store.take_in([post("1"), post("1")], open_or_join, NOW)
    assert [taken.new for taken in first] == [True, False]
    again = await asyncio.gather(*(store.take_in([post("1")], must_not_route, at(5)) for _ in range(9)))
    assert again == [[Taken(False)]] * 9
    assert (await store.counts()).unread == 1


async def test_the_same_id_on_another_channel_is_another_post(store: Store) -> None:
    taken = await store.take_in([post("1"), post("1", channel="slack")], open_or_join, NOW)
    assert [item.new for item in taken] == [True, True]
    assert sum((await store.counts()).by_state.values()) == 2


async def test_later_posts_join_and_are_read_in_order_of_arrival(store: Store) -> None:
    await store.take_in([post("2")], open_or_join, NOW)
    [taken] = await store.take_in([post("1")], open_or_join, NOW)
    assert taken.route == Join(ConversationKey("x:acme:2"))
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    assert [item.event for item in seen[0].events] == [posted("2"), posted("1")]
    assert seen[0].conversation.version == 0


async def test_posts_of_one_page_that_belong_together_share_a_conversation(store: Store) -> None:
    taken = await store.take_in([post("1"), post("2"), post("3", "c2")], open_or_join, NOW)
    assert [type(item.route) for item in taken] == [Open, Join, Open]


async def test_fifty_customers_at_once_get_fifty_conversations(store: Store) -> None:
    taken = await asyncio.gather(*(store.take_in([post(str(n), f"c{n}")], open_or_join, NOW) for n in range(50)))
    assert {type(item.route) for [item] in taken} == {Open}
    assert (await store.counts()).by_state == {"LISTENING": 50}


async def test_the_router_sees_the_latest_closed_conversation_when_none_is_open(store: Store) -> None:
    for number in ("1", "2"):
        await opened(store, number, state=State.CLOSED, outcome=Outcome.SATISFIED, closed_at=NOW)
    seen: list[Conversation | None] = []

    def route(arrival: Arrival, current: Conversation | None) -> Route:
        seen.append(current)
        return SetAside("nothing new")

    await store.take_in([post("3"), post("4", "c2"), post("5", account="other")], route, NOW)
    assert [item and item.key for item in seen] == ["x:acme:2", None, None]


async def test_a_closed_conversation_can_be_joined(store: Store) -> None:
    key = await opened(store, "1", state=State.CLOSED, closed_at=NOW)
    await store.take_in([post("2")], lambda arrival, current: Join(key), at(60))
    assert await store.next_wake_at() == at(60)


async def test_a_customer_has_at_most_one_unclosed_conversation_per_account(store: Store) -> None:
    await opened(store, "1")
    with pytest.raises(StoreError):
        await store.take_in([post("2")], lambda arrival, current: Open(new_conversation(arrival)), NOW)
    assert (await store.counts()).by_state == {"LISTENING": 1}
    assert (await store.take_in([post("2")], open_or_join, NOW))[0].new, "nothing of the failed call was kept"


async def test_a_split_conversation_stands_beside_the_one_it_came_from(store: Store) -> None:
    key = await opened(store, "1")
    await store.take_in([post("2")], lambda arrival, _: Open(new_conversation(arrival, split_from=key)), NOW)
    await store.decide_due(NOW, 10, read_all)
    [taken] = await store.take_in([post("3")], open_or_join, NOW)
    assert taken.route == Join(key), "later posts go to the first"


async def test_joining_what_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="no such conversation"):
        await store.take_in([post("1")], lambda arrival, current: Join(ConversationKey("x:acme:9")), NOW)


async def test_a_router_that_raises_keeps_nothing(store: Store) -> None:
    def route(arrival: Arrival, current: Conversation | None) -> Route:
        if arrival.id == "2":
            raise LookupError("no policy")
        return open_or_join(arrival, current)

    with pytest.raises(LookupError):
        await store.take_in([post("1"), post("2")], route, NOW)
    assert [item.new for item in await store.take_in([post("1"), post("2")], open_or_join, NOW)] == [True, True]


async def test_an_act_on_a_known_conversation_wakes_it_and_leaves_the_version(store: Store) -> None:
    key = await opened(store, "1")
    [taken] = await store.take_in([act(key)], must_not_route, at(7))
    assert taken == Taken(True, Join(key))
    assert await store.next_wake_at() == at(7)
    conversation = await store.conversation(key)
    assert conversation is not None
    assert conversation.version == 1


async def test_waking_never_moves_a_wake_back(store: Store) -> None:
    key = await opened(store, "1")
    await store.take_in([act(key)], must_not_route, at(5))
    await store.take_in([act(key)], must_not_route, at(9))
    assert await store.next_wake_at() == at(5)


async def test_what_names_something_unknown_is_kept_once_and_belongs_nowhere(store: Store) -> None:
    stray = about("e1", PostDeleted(id=ExternalId("77"), deleted_at=NOW), "77")
    lost = act(ConversationKey("x:acme:nowhere"))
    bare = Arrival(channel="desk", account="", id=ExternalId("n"), event=lost.event, at=NOW)
    assert await store.take_in([stray, lost, bare], must_not_route, NOW) == [Taken(True)] * 3
    assert await store.take_in([stray, lost, bare], must_not_route, NOW) == [Taken(False)] * 3
    assert await store.next_wake_at() is None
    assert await store.asides() == []


async def test_an_edit_finds_the_conversation_of_its_post_before_and_after_the_post_was_read(store: Store) -> None:
    await store.take_in([post("1")], open_or_join, NOW)
    edit = PostEdited(id=ExternalId("1"), edited_at=NOW, text="new", reading=READING)
    [early] = await store.take_in([about("e1", edit, "1")], must_not_route, NOW)
    await store.decide_due(NOW, 10, read_all)
    [late] = await store.take_in([about("e2", edit, "1")], must_not_route, NOW)
    assert early.route == late.route == Join(ConversationKey("x:acme:1"))


async def test_an_event_about_our_own_words_finds_their_conversation(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, turns=(turn_of(key, posted("our-reply")),))
    [taken] = await store.take_in([about("e1", act(key).event, "our-reply")], must_not_route, NOW)
    assert taken.route == Join(key)
    [other] = await store.take_in([about("e2", act(key).event, "our-reply", "slack")], must_not_route, NOW)
    assert other.route is None, "ids are unique per channel only"


async def test_a_deletion_that_overtook_its_post_is_read_after_it(store: Store) -> None:
    gone = PostDeleted(id=ExternalId("1"), deleted_at=NOW)
    await store.take_in([about("d1", gone, "1")], must_not_route, NOW)
    await store.take_in([post("1")], open_or_join, NOW)
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    assert [item.event for item in seen[0].events] == [posted("1"), gone]


async def test_a_mention_that_is_set_aside_can_be_opened_once(store: Store) -> None:
    [taken] = await store.take_in([post("1", text="love it")], set_aside, NOW)
    assert taken == Taken(True, SetAside("praise"))
    assert await store.next_wake_at() is None
    [aside] = await store.asides()
    assert (aside.id, aside.reason, aside.customer, aside.at) == ("1", "praise", Customer("c1", "@Name-c1"), NOW)
    assert isinstance(aside.event, CustomerPosted)
    assert aside.event.text == "love it"
    opened_now = await store.open_aside(aside.sequence, open_or_join, at(60))
    assert isinstance(opened_now.route, Open)
    assert await store.next_wake_at() == at(60)
    assert await store.open_aside(aside.sequence, must_not_route, at(61)) == Taken(False)
    assert await store.asides() == []
    seen: list[Claimed] = []
    await store.decide_due(at(60), 10, watched(seen))
    assert [item.event for item in seen[0].events] == [posted("1", "love it")]


async def test_a_mention_set_aside_joins_the_conversation_that_is_open_by_now(store: Store) -> None:
    await store.take_in([post("1")], set_aside, NOW)
    key = await opened(store, "2")
    [aside] = await store.asides()
    assert (await store.open_aside(aside.sequence, open_or_join, NOW)).route == Join(key)


async def test_opening_what_was_never_set_aside_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="set aside"):
        await store.open_aside(4711, must_not_route, NOW)


async def test_a_mention_set_aside_and_deleted_on_the_platform_is_gone(store: Store) -> None:
    await store.take_in([post("1", text="canary-text")], set_aside, NOW)
    gone = about("d1", PostDeleted(id=ExternalId("1"), deleted_at=NOW), "1")
    await store.take_in([gone], must_not_route, NOW)
    assert await store.asides() == []
    assert "canary-text" not in str(await store.export_customer("c1"))
    assert (await store.take_in([post("1")], must_not_route, NOW)) == [Taken(False)]


async def test_asides_come_newest_first(store: Store) -> None:
    await store.take_in([post("1"), post("2"), post("3")], set_aside, NOW)
    assert [aside.id for aside in await store.asides(limit=2)] == ["3", "2"]


async def test_a_muted_customer_opens_muted_conversations_on_that_channel_only(store: Store) -> None:
    await opened(store, "1")
    await decided(store, ConversationKey("x:acme:1"), mute_customer=True, changes={"state": State.CLOSED})
    taken = await store.take_in([post("2"), post("3", "c2"), post("4", channel="slack")], open_or_join, NOW)
    muted = [item.route.conversation.bot_muted for item in taken if isinstance(item.route, Open)]
    assert muted == [True, False, False]
    conversation = await store.conversation(ConversationKey("x:acme:2"))
    assert conversation is not None
    assert conversation.bot_muted


@pytest.mark.parametrize(
    "text",
    ["lone \ud800 surrogate", "nul \0 byte", "pair \ud83d\ude00", "😀 ẞ 漢字 \u202e", "x" * 100_000, ""],
    ids=["surrogate", "nul", "pair", "unicode", "long", "empty"],
)
async def test_no_text_of_a_customer_stops_the_intake(store: Store, text: str) -> None:
    await store.take_in([post("1", text=text)], open_or_join, NOW)
    assert await store.decide_due(NOW, 10, deciding(changes={"wish": text})) == 1
    assert await store.poisoned() == []
    [turn] = await store.turns(ConversationKey("x:acme:1"))
    expected = text.replace("\0", "\ufffd").replace("\ud83d\ude00", "😀").replace("\ud800", "\ufffd")
    assert turn.text == expected
