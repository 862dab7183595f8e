"""Who wakes is decided about, alone and in order, all at once or not at all."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.store.port import Store
from bot.store.records import (
    Claimed,
    Decision,
    Label,
    OutboxRow,
    Place,
    Postpone,
    Rank,
    Status,
    TurnDeletion,
    TurnEdit,
    TurnRecord,
)
from conversations.conversation import Author, Promise, WordsOut
from conversations.events import CustomerPosted, WordsAccepted
from conversations.ids import ConversationKey, EffectKey, ExternalId, PromiseId
from conversations.protocol import State
from tests.contracts.backends import Backend
from tests.contracts.examples import (
    NOW,
    READING,
    act,
    at,
    claimed,
    consume,
    decided,
    deciding,
    desk_row,
    must_not_route,
    names,
    open_or_join,
    opened,
    post,
    posted,
    quiet_timer,
    read_all,
    reported,
    row,
    turn_of,
    watched,
)

pytestmark = pytest.mark.anyio


async def test_a_decision_is_kept_whole(store: Store) -> None:
    key = await opened(store, "1")
    label = Label(key, "U1", True, "my parcel", "en", NOW)
    await decided(
        store,
        key,
        at(1),
        changes={"wish": "a refund", "state": State.REFLECTING, "promises": (Promise(PromiseId("1.1"), "call", NOW),)},
        turns=(turn_of(key, posted("7")),),
        outbox=(row(key, "a"),),
        labels=(label,),
        audit=("proposed a plan",),
    )
    conversation = await store.conversation(key)
    assert conversation is not None
    assert (conversation.version, conversation.wish, conversation.state) == (2, "a refund", State.REFLECTING)
    assert conversation.promises == (Promise(PromiseId("1.1"), "call", NOW),)
    assert [turn.id for turn in await store.turns(key)] == ["1", "7"]
    assert names(await store.outbox(conversation=key)) == ["a"]
    [kept] = await store.labels()
    assert dict(kept) == {
        "conversation": key, "agent": "U1", "complaint": True, "text": "my parcel", "language": "en", "at": NOW,
    }  # fmt: skip
    [line] = await store.audits()
    assert (line["action"], line["subject"], line["at"]) == ("proposed a plan", key, at(1))


async def test_nothing_due_is_not_claimed(store: Store) -> None:
    await opened(store, "1", timers=(quiet_timer(at(60)),))
    assert await store.decide_due(at(59), 10, must_not_decide) == 0
    assert await store.next_wake_at() == at(60)
    assert await store.decide_due(at(60), 10, read_all) == 1
    assert await store.next_wake_at() is None


def must_not_decide(item: Claimed) -> Decision:
    """The decider for what is not to be claimed."""
    raise AssertionError(f"claimed {item.conversation.key}")


async def test_the_earliest_wakes_first_and_no_more_than_the_limit(store: Store) -> None:
    for number, due in (("1", 30), ("2", 10), ("3", 20)):
        await opened(store, number, f"c{number}", timers=(quiet_timer(at(due)),))
    seen: list[Claimed] = []
    assert await store.decide_due(at(60), 2, watched(seen)) == 2
    assert await store.decide_due(at(60), 2, watched(seen)) == 1
    assert [item.conversation.key for item in seen] == ["x:acme:2", "x:acme:3", "x:acme:1"]


async def test_an_event_that_is_left_unread_wakes_again_at_once(store: Store) -> None:
    await store.take_in([post("1"), post("2")], open_or_join, NOW)

    def first_only(item: Claimed) -> Decision:
        return Decision(conversation=consume(item), consumed=(item.events[0].sequence,))

    await store.decide_due(NOW, 10, first_only)
    assert await store.next_wake_at() == NOW
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    assert [item.event for item in seen[0].events] == [posted("2")]
    assert await store.next_wake_at() is None


async def test_the_wake_is_the_earlier_of_timer_and_unread_event(store: Store) -> None:
    await store.take_in([post("1"), post("2")], open_or_join, NOW)
    timers = (quiet_timer(at(-5)), quiet_timer(at(90)))

    def overdue(item: Claimed) -> Decision:
        return Decision(conversation=consume(item, timers=timers), consumed=(item.events[0].sequence,))

    await store.decide_due(NOW, 10, overdue)
    assert await store.next_wake_at() == at(-5)


async def test_events_that_arrive_between_two_decisions_are_not_lost(store: Store) -> None:
    key = await opened(store, "1")
    taking = store.take_in([act(key)], must_not_route, NOW)
    deciding_now = store.decide_due(NOW, 10, read_all)
    await asyncio.gather(deciding_now, taking)
    await store.decide_due(NOW, 10, read_all)
    counts = await store.counts()
    assert counts.unread == 0


async def test_one_poisoned_conversation_and_a_hundred_good_ones(store: Store) -> None:
    await store.take_in([post(str(n), f"c{n}") for n in range(101)], open_or_join, NOW)

    def decide(item: Claimed) -> Decision:
        if item.conversation.key == "x:acme:50":
            raise ZeroDivisionError("poison \ud800")
        return deciding(outbox=(row(item.conversation.key, "a"),))(item)

    assert await store.decide_due(NOW, 200, decide) == 101
    assert len(await store.outbox(statuses=["pending"])) == 100
    [poisoned] = await store.poisoned()
    assert (poisoned.conversation, poisoned.count, poisoned.at) == ("x:acme:50", 1, NOW)
    assert "ZeroDivisionError: poison" in poisoned.error
    counts = await store.counts()
    assert (counts.poisoned, counts.unread) == (1, 1), "its event waits to be read"


async def test_a_poisoned_conversation_is_tried_again_after_a_minute_doubling_up_to_an_hour(store: Store) -> None:
    await store.take_in([post("1")], open_or_join, NOW)
    now, rests = NOW, []
    for _ in range(9):
        assert await store.decide_due(now, 10, must_not_decide) == 1
        wake_at = await store.next_wake_at()
        assert wake_at is not None
        rests.append((wake_at - now) / timedelta(minutes=1))
        now = wake_at
    assert rests == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert await store.decide_due(now, 10, read_all) == 1
    assert await store.poisoned() == []
    assert await store.next_wake_at() is None
    await store.take_in([post("2")], open_or_join, now)
    await store.decide_due(now, 10, must_not_decide)
    assert await store.next_wake_at() == now + timedelta(minutes=1), "a decision in between and it begins anew"


async def test_a_decision_that_cannot_be_written_is_poison_and_leaves_nothing_behind(store: Store) -> None:
    key = await opened(store, "1")
    other = await opened(store, "2", "c2")
    await store.take_in([act(key), act(other)], must_not_route, NOW)
    orphan = turn_of(ConversationKey("x:acme:nowhere"), posted("9"))

    def decide(item: Claimed) -> Decision:
        bad = item.conversation.key == key
        return deciding(outbox=(row(item.conversation.key, "a"),), turns=(orphan,) if bad else ())(item)

    assert await store.decide_due(NOW, 10, decide) == 2
    assert [item.conversation for item in await store.poisoned()] == [key]
    assert [item.conversation for item in await store.outbox()] == [other]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda item: Decision(conversation=item.conversation, consumed=()), "changed nothing"),
        (lambda item: Decision(conversation=consume(item), consumed=(4711,)), "4711"),
        (
            lambda item: Decision(conversation=consume(item, key=ConversationKey("x:acme:other")), consumed=()),
            "x:acme:other",
        ),
    ],
    ids=["spins", "consumes what it was not given", "another conversation"],
)
async def test_decisions_that_make_no_sense_are_poison(store: Store, wrong: object, message: str) -> None:
    await store.take_in([post("1")], open_or_join, NOW)
    await store.decide_due(NOW, 10, wrong)  # type: ignore[arg-type]
    [poisoned] = await store.poisoned()
    assert message in poisoned.error


async def test_two_stores_never_decide_the_same_event_twice(backend: Backend) -> None:
    one, two = await backend.open(), await backend.open()
    await one.take_in([post(str(n), f"c{n}") for n in range(20)], open_or_join, NOW)
    seen: list[Claimed] = []
    await asyncio.gather(*(store.decide_due(NOW, 7, watched(seen)) for _ in range(5) for store in (one, two)))
    keys = [item.conversation.key for item in seen]
    assert len(keys) == len(set(keys)) == 20
    await one.close()
    await two.close()


async def test_a_crash_in_the_middle_of_a_decision_changes_nothing_and_what_was_acknowledged_stays(
    backend: Backend,
) -> None:
    command = [sys.executable, "-m", "tests.contracts.crash", backend.url]
    died = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert died.returncode == 9, died.stderr
    store = await backend.open()
    assert names(await store.outbox()) == ["first"], "the decision that was acknowledged"
    seen: list[Claimed] = []
    assert await store.decide_due(at(1), 10, watched(seen)) == 1
    assert [item.event for item in seen[0].events] == [posted("2")]
    assert seen[0].conversation.version == 0
    await store.close()


async def test_a_store_that_was_abandoned_without_closing_lost_nothing(backend: Backend) -> None:
    abandoned = await backend.open()
    key = await opened(abandoned, "1", timers=(quiet_timer(at(60)),))
    await decided(abandoned, key, outbox=(row(key, "a"),), changes={"timers": (quiet_timer(at(60)),)})
    await abandoned.set_meta("cursor", "17")
    store = await backend.open()
    assert names(await claimed(store)) == ["a"]
    assert await store.next_wake_at() == at(60)
    assert await store.get_meta("cursor") == "17"
    await store.close()
    await abandoned.close()


# ---------------------------------------------------------------- turns


async def test_turns_come_in_the_order_they_were_uttered(store: Store) -> None:
    key = await opened(store, "1")
    late, early, twin = posted("9", when=at(9)), posted("5", when=at(5)), posted("6", when=at(5))
    await decided(store, key, turns=tuple(turn_of(key, event) for event in (late, early, twin)))
    assert [turn.id for turn in await store.turns(key)] == ["1", "5", "6", "9"]


async def test_a_turn_is_kept_as_it_was_given(store: Store) -> None:
    key = await opened(store, "1")
    turn = TurnRecord(
        conversation=key, id=ExternalId("8"), author=Author.AGENT, place=Place.DIRECT, text="We call you.",
        posted_at=NOW, agent="U1", act="reflect", template="en/reflect@2", key=EffectKey(f"{key}:1:0"),
        url="https://x/8", media=2, reading=READING, edited_at=at(1),
    )  # fmt: skip
    await decided(store, key, turns=(turn,))
    assert await store.turn(key, "8") == turn
    assert await store.turn(key, "9") is None


async def test_a_turn_that_is_written_again_stays_one_and_our_own_record_of_it_wins(store: Store) -> None:
    key = await opened(store, "1")
    echo = turn_of(key, posted("8", "We hear you."))
    ours = TurnRecord(
        conversation=key, id=ExternalId("8"), author=Author.BOT, place=Place.PUBLIC, text="We hear you.", posted_at=NOW,
        act="reflect", key=EffectKey(f"{key}:1:0"),
    )  # fmt: skip
    await decided(store, key, turns=(echo, ours, echo))
    turn = await store.turn(key, "8")
    assert turn is not None
    assert (turn.author, turn.act, turn.key) == (Author.BOT, "reflect", ours.key)
    assert len(await store.turns(key)) == 2


async def test_an_edited_turn_has_the_new_text(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, edits=(TurnEdit(ExternalId("1"), "new \ud800 text", READING, at(3)),))
    turn = await store.turn(key, "1")
    assert turn is not None
    assert (turn.text, turn.edited_at) == ("new \ufffd text", at(3))


async def test_a_deleted_turn_leaves_no_text_in_the_turn_or_in_the_inbox_and_stays_deleted(store: Store) -> None:
    await store.take_in([post("1", text="canary-text")], open_or_join, NOW)
    await store.decide_due(NOW, 10, read_all)
    key = ConversationKey("x:acme:1")
    late = TurnEdit(ExternalId("1"), "canary-text again", READING, at(4))
    await decided(store, key, deletions=(TurnDeletion(ExternalId("1"), at(3)),))
    await decided(store, key, edits=(late,))
    turn = await store.turn(key, "1")
    assert turn is not None
    assert (turn.text, turn.reading, turn.deleted_at) == (None, None, at(3))
    assert "canary-text" not in str(await store.export_customer("c1"))


async def test_an_unread_event_of_a_deleted_post_stays_in_its_place_without_its_text(store: Store) -> None:
    await store.take_in([post("1"), post("2", text="canary-text")], open_or_join, NOW)

    def first_only(item: Claimed) -> Decision:
        deletion = TurnDeletion(ExternalId("2"), NOW)
        return Decision(conversation=consume(item), consumed=(item.events[0].sequence,), deletions=(deletion,))

    await store.decide_due(NOW, 10, first_only)
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    event = seen[0].events[0].event
    assert isinstance(event, CustomerPosted)
    assert (event.id, event.text, event.reading.quotable) == ("2", "", None)


# ---------------------------------------------------------------- withdraw, postpone, cards


async def test_withdrawing_takes_back_the_bots_pending_words_only(store: Store) -> None:
    key = await opened(store, "1")
    words = {name: row(key, name) for name in ("sending", "waiting")}
    agents = row(key, "agents", author=Author.AGENT, rank=Rank.AGENT)
    out = tuple(WordsOut(item.key, None, item.author or Author.BOT) for item in (*words.values(), agents))
    rows = (*words.values(), agents, desk_row(key, "card"))
    await decided(store, key, outbox=rows, changes={"words_out": out})
    assert names(await claimed(store, limit=1)) == ["sending"]
    await decided(store, key, at(1), withdraw="the customer wrote", outbox=(row(key, "new"),))
    assert {names([item])[0]: item.status for item in await store.outbox(conversation=key)} == {
        "sending": Status.SENDING, "waiting": Status.WITHDRAWN, "agents": Status.PENDING, "card": Status.PENDING,
        "new": Status.PENDING,
    }  # fmt: skip
    withdrawn = await store.outbox_row(words["waiting"].key)
    assert withdrawn is not None
    assert (withdrawn.reason, withdrawn.updated_at) == ("the customer wrote", at(1))
    conversation = await store.conversation(key)
    assert conversation is not None
    assert [item.key for item in conversation.words_out] == [words["sending"].key, agents.key]


async def test_withdrawing_leaves_other_conversations_alone(store: Store) -> None:
    key, other = await opened(store, "1"), await opened(store, "2", "c2")
    for one in (key, other):
        await decided(store, one, outbox=(row(one, "a"),))
    await decided(store, key, withdraw="no longer true")
    assert [item.conversation for item in await store.outbox(statuses=["pending"])] == [other]


@pytest.mark.parametrize(
    ("not_before", "latest", "expected"),
    [(None, None, 90), (30, None, 90), (120, None, 120), (None, 60, 60), (120, 60, 120)],
)
async def test_postponing_holds_the_bots_words_but_not_beyond_the_latest(
    store: Store, not_before: float | None, latest: float | None, expected: float
) -> None:
    key = await opened(store, "1")
    first = row(key, "a", not_before=None if not_before is None else at(not_before))
    agents = row(key, "agents", author=Author.AGENT, lane="other")
    await decided(store, key, outbox=(first, agents, desk_row(key, "card")))
    postpone = Postpone(at(90), None if latest is None else at(latest))
    await decided(store, key, postpone=postpone, outbox=(row(key, "new", lane="third"),))
    held = {names([item])[0]: item.not_before for item in await store.outbox(conversation=key)}
    assert held == {"a": at(expected), "agents": None, "card": None, "new": None}


async def test_cards_that_wait_are_one_card(store: Store) -> None:
    key, other = await opened(store, "1"), await opened(store, "2", "c2")
    await decided(store, key, outbox=(desk_row(key, "a"), desk_row(key, "b", rank=Rank.RISK, lane="slack:C2")))
    await decided(store, key, outbox=(desk_row(key, "c", lane="slack:C3"),))
    await decided(store, other, outbox=(desk_row(other, "d"),))
    cards = await store.outbox()
    assert names(cards) == ["a", "d"]
    assert (cards[0].rank, cards[0].lane) == (Rank.RISK, "slack:C3"), "as urgent as any, to where the last was to go"
    await claimed(store)
    await decided(store, key, outbox=(desk_row(key, "e"),))
    assert names(await store.outbox()) == ["a", "d", "e"], "the first is leaving: it may not show the newest"
    await decided(store, key, outbox=(desk_row(key, "f"),))
    assert names(await store.outbox()) == ["a", "d", "e"]


async def test_a_card_that_comes_back_gives_way_to_the_one_that_waits(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(desk_row(key, "a"),))
    [sending] = await claimed(store)
    await decided(store, key, outbox=(desk_row(key, "b"),))
    assert await reported(store, sending, Status.PENDING, not_before=at(5))
    assert [(item.status, names([item])[0]) for item in await store.outbox()] == [
        (Status.WITHDRAWN, "a"),
        (Status.PENDING, "b"),
    ]


async def test_writing_the_same_row_again_changes_nothing(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    await decided(store, key, outbox=(row(key, "a", body={"text": "other"}),))
    [kept] = await store.outbox()
    assert kept.body == {"text": "a"}


async def test_a_row_is_kept_as_it_was_given(store: Store) -> None:
    key = await opened(store, "1")
    given = row(
        key, "a", body={"text": "Grüße 😀", "n": 1, "list": [None, True]}, act="reflect", template="en/reflect@1",
        due_at=at(7200), not_before=at(30), rank=Rank.FIRST_REPLY, place=Place.DIRECT,
    )  # fmt: skip
    await decided(store, key, at(2), outbox=(given,))
    kept = await store.outbox_row(given.key)
    assert isinstance(kept, OutboxRow)
    assert kept == replace(given, sequence=kept.sequence, updated_at=at(2))


async def test_events_of_every_kind_come_back_as_they_were(store: Store) -> None:
    key = await opened(store, "1")
    event = WordsAccepted(key=EffectKey("k"), id=ExternalId("9"), accepted_at=NOW, author=Author.BOT, act=None)
    await store.take_in([act(key, event)], must_not_route, NOW)
    seen: list[Claimed] = []
    await store.decide_due(NOW, 10, watched(seen))
    assert [item.event for item in seen[0].events] == [event]
