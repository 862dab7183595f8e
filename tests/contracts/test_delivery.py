"""What may leave, in which order, once; and what became of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.store.port import Store
from bot.store.records import Claimed, Kind, Lane, OutboxRow, Place, Rank, Report, Status
from conversations.conversation import Author
from conversations.events import WordsAccepted
from conversations.ids import ConversationKey, EffectKey, ExternalId
from tests.contracts.examples import (
    NOW,
    at,
    claimed,
    decided,
    desk_row,
    names,
    opened,
    posted,
    quiet_timer,
    read_all,
    reported,
    row,
    turn_of,
    watched,
)

pytestmark = pytest.mark.anyio

QUARANTINE = {"x": 600.0, "desk": 30.0}


async def wide(store: Store, *lanes: str) -> None:
    """Let lanes send much at a time, where a test is not about that."""
    for lane in lanes or ("x:posts",):
        await store.set_lane(Lane(lane, at_once=100))


async def unknown(store: Store, item: OutboxRow, until: float) -> None:
    """Report that nobody knows what became of a row, and rest until then."""
    assert await reported(store, item, Status.UNKNOWN, not_before=at(until))


# ---------------------------------------------------------------- claims


async def test_a_claim_marks_the_row_and_nobody_else_gets_it(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store, at(1), sending_s=30)
    assert (item.status, item.attempt, item.fence, item.sending_until) == (Status.SENDING, 1, 1, at(31))
    assert await store.outbox_row(item.key) == item
    assert await claimed(store, at(1)) == []


async def test_not_before_holds_a_row_back(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a", not_before=at(60)),))
    assert await claimed(store, at(59)) == []
    assert await store.next_delivery_at(NOW) == at(60)
    assert names(await claimed(store, at(60))) == ["a"]


async def test_a_lane_is_paced_and_sends_one_at_a_time_unless_told_otherwise(store: Store) -> None:
    one, two = await opened(store, "1"), await opened(store, "2", "c2")
    for key in (one, two):
        await decided(store, key, outbox=(row(key, "a"),))
    await store.set_lane(Lane("x:posts", next_at=at(10)))
    assert await claimed(store, at(9)) == []
    assert await store.next_delivery_at(NOW) == at(10)
    [first] = await claimed(store, at(10), limit=100)
    assert await claimed(store, at(10)) == []
    await reported(store, first, Status.SENT, at(11))
    assert len(await claimed(store, at(11))) == 1


async def test_at_once_counts_what_is_being_sent(store: Store) -> None:
    keys = [await opened(store, str(n), f"c{n}") for n in range(5)]
    for key in keys:
        await decided(store, key, outbox=(row(key, "a"),))
    await store.set_lane(Lane("x:posts", at_once=3))
    first = await claimed(store)
    assert len(first) == 3
    await reported(store, first[0], Status.SENT)
    assert len(await claimed(store)) == 1


async def test_one_full_lane_does_not_hold_up_another(store: Store) -> None:
    keys = [await opened(store, str(n), f"c{n}") for n in range(3)]
    for key in keys:
        await decided(store, key, outbox=(row(key, "x"), desk_row(key, "desk", lane=f"slack:{key}")))
    await store.set_lane(Lane("x:posts", next_at=at(3600)))
    assert sorted(names(await claimed(store))) == ["desk", "desk", "desk"]


async def test_within_a_lane_rank_then_due_then_order_of_writing(store: Store) -> None:
    await wide(store)
    plan = [
        ("rest-late", Rank.REST, 900), ("rest-none-1", Rank.REST, None), ("rest-none-2", Rank.REST, None),
        ("agent", Rank.AGENT, None), ("first-late", Rank.FIRST_REPLY, 800), ("first-soon", Rank.FIRST_REPLY, 100),
        ("risk", Rank.RISK, None),
    ]  # fmt: skip
    for number, (name, rank, due) in enumerate(plan):
        key = await opened(store, str(number), f"c{number}")
        await decided(store, key, outbox=(row(key, name, rank=rank, due_at=None if due is None else at(due)),))
    order = ["risk", "first-soon", "first-late", "agent", "rest-late", "rest-none-1", "rest-none-2"]
    assert names(await claimed(store, limit=3)) == order[:3]
    assert names(await claimed(store)) == order[3:]


async def test_the_most_urgent_of_all_lanes_comes_first(store: Store) -> None:
    for number, (lane, rank) in enumerate((("a", Rank.REST), ("b", Rank.RISK), ("c", Rank.AGENT))):
        key = await opened(store, str(number), f"c{number}")
        await decided(store, key, outbox=(row(key, lane, lane=lane, rank=rank),))
    assert names(await claimed(store, limit=2)) == ["b", "c"]
    assert names(await claimed(store, limit=2)) == ["a"]


async def test_rows_of_one_conversation_and_place_leave_one_after_the_other(store: Store) -> None:
    await wide(store)
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"), row(key, "b", rank=Rank.RISK), row(key, "dm", place=Place.DIRECT)))
    first = await claimed(store)
    assert names(first) == ["a", "dm"], "even the most urgent waits for what was written before it"
    assert await claimed(store) == []
    await reported(store, first[0], Status.SENT)
    assert names(await claimed(store)) == ["b"]


@pytest.mark.parametrize("end", [Status.SENT, Status.REJECTED, Status.REFUSED, Status.FAILED, Status.WITHDRAWN])
async def test_every_end_of_a_row_lets_the_next_go(store: Store, end: Status) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"), row(key, "b")))
    [first] = await claimed(store)
    assert await reported(store, first, end, at(1), reason="so it was")
    kept = await store.outbox_row(first.key)
    assert kept is not None
    assert (kept.status, kept.reason, kept.sending_until) == (end, "so it was", None)
    assert names(await claimed(store, at(1))) == ["b"]


async def test_a_row_that_rests_holds_up_the_next(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a", not_before=at(60)), row(key, "b")))
    assert await claimed(store, at(1)) == []
    assert await store.next_delivery_at(at(1)) == at(60)


async def test_an_agents_words_pass_a_bots_unknown_row_and_nothing_else_does(store: Store) -> None:
    await wide(store)
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "bot"),))
    [sending] = await claimed(store)
    agents = {"author": Author.AGENT, "rank": Rank.AGENT}
    await decided(store, key, outbox=(row(key, "bot-2"), row(key, "agent", **agents)))
    assert await claimed(store, at(1)) == [], "not what is still being sent"
    await unknown(store, sending, 600)
    assert await claimed(store, at(1)) == [], "nor a bot's row that is pending"
    await decided(store, key, withdraw="the agent answers")
    [passing] = await claimed(store, at(1))
    assert names([passing]) == ["agent"]
    await unknown(store, passing, 600)
    await decided(store, key, outbox=(row(key, "agent-2", **agents),))
    assert await claimed(store, at(1)) == [], "an agent's unknown row is not passed"


async def test_desk_rows_never_hold_up_a_customers(store: Store) -> None:
    await wide(store)
    key = await opened(store, "1")
    await decided(
        store, key, outbox=(desk_row(key, "card"), desk_row(key, "alarm", kind=Kind.ALARM), row(key, "words"))
    )
    assert names(await claimed(store)) == ["card", "words"]


# ---------------------------------------------------------------- reports


async def test_a_sent_row_has_its_id_turn_and_event_in_one_commit(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    event = WordsAccepted(key=item.key, id=ExternalId("99"), accepted_at=at(2), author=Author.BOT, act=None)
    turn = replace(turn_of(key, posted("99", "We hear you.")), author=Author.BOT, key=item.key)
    sent = {"external_id": ExternalId("99"), "url": "https://x/99", "event": event, "turn": turn}
    assert await reported(store, item, Status.SENT, at(2), **sent)
    kept = await store.outbox_row(item.key)
    assert kept is not None
    assert (kept.status, kept.external_id, kept.url, kept.updated_at) == (Status.SENT, "99", "https://x/99", at(2))
    assert await store.turn(key, "99") == turn
    assert await store.next_wake_at() == at(2)
    seen: list[Claimed] = []
    await store.decide_due(at(2), 10, watched(seen))
    assert [entry.event for entry in seen[0].events] == [event]


async def test_a_report_counts_once(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    event = WordsAccepted(key=item.key, id=ExternalId("99"), accepted_at=NOW, author=Author.BOT, act=None)
    report = Report(key=item.key, fence=item.fence, status=Status.SENT, at=NOW, event=event)
    assert await store.report_deliveries([report, report]) == [True, False]
    assert await store.report_deliveries([replace(report, status=Status.REJECTED)]) == [False]
    assert (await store.counts()).unread == 1


async def test_reports_stand_each_for_itself(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    missing = Report(key=EffectKey("x:acme:1:nothing"), fence=1, status=Status.SENT, at=NOW)
    good = Report(key=item.key, fence=item.fence, status=Status.SENT, at=NOW)
    assert await store.report_deliveries([missing, good]) == [False, True]


async def test_a_row_put_back_is_tried_again_and_counts_its_tries(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    assert await reported(store, item, Status.PENDING, at(1), not_before=at(20), reason="429")
    assert await claimed(store, at(19)) == []
    [again] = await claimed(store, at(20))
    assert (again.attempt, again.fence, again.reason) == (2, 2, "429")


async def test_a_report_of_an_older_claim_is_void(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [old] = await claimed(store, NOW, sending_s=10)
    await store.expire_sending(at(10), QUARANTINE)
    [reading_back] = await claimed(store, at(700))
    assert not await reported(store, old, Status.PENDING, at(701))
    assert await reported(store, reading_back, Status.SENT, at(702), external_id=ExternalId("9"))


async def test_the_late_answer_of_an_expired_claim_counts_until_somebody_else_looked(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store, NOW, sending_s=10)
    await store.expire_sending(at(10), QUARANTINE)
    assert await reported(store, item, Status.SENT, at(11), external_id=ExternalId("9"))


# ---------------------------------------------------------------- unknown


async def test_an_expired_claim_becomes_unknown_and_rests_for_its_channels_quarantine(store: Store) -> None:
    await wide(store, "x:posts", "slack:C1")
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"), desk_row(key, "card")))
    await claimed(store, NOW, sending_s=10)
    assert await store.expire_sending(at(9), QUARANTINE) == 0
    assert await store.next_delivery_at(at(9)) == at(10)
    assert await store.expire_sending(at(10), QUARANTINE) == 2
    rows = {names([item])[0]: item for item in await store.outbox()}
    assert {item.status for item in rows.values()} == {Status.UNKNOWN}
    assert (rows["a"].not_before, rows["card"].not_before) == (at(610), at(40))
    assert rows["a"].unknown_since == at(10)
    assert (await store.counts()).oldest_unknown_at == at(10)
    assert await store.next_delivery_at(at(11)) == at(40)


async def test_an_unknown_row_is_given_out_for_reading_back_after_its_rest(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    await unknown(store, item, 600)
    assert await claimed(store, at(599)) == []
    assert await store.next_delivery_at(at(599)) == at(600)
    [looking] = await claimed(store, at(600), sending_s=30)
    assert (looking.status, looking.attempt, looking.fence) == (Status.UNKNOWN, 1, 2)
    assert looking.sending_until == at(630)
    assert looking.unknown_since == NOW
    assert await claimed(store, at(601)) == [], "one looks at a time"
    assert await store.next_delivery_at(at(601)) == at(630)
    assert await store.expire_sending(at(630), QUARANTINE) == 0
    [again] = await claimed(store, at(630))
    assert (again.status, again.fence) == (Status.UNKNOWN, 3), "whoever looked may have died"


async def test_an_unknown_row_may_rest_again_and_remembers_since_when(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    await unknown(store, item, 600)
    [looking] = await claimed(store, at(600))
    assert await reported(store, looking, Status.UNKNOWN, at(601), not_before=at(700))
    kept = await store.outbox_row(item.key)
    assert kept is not None
    assert (kept.unknown_since, kept.not_before) == (NOW, at(700))


async def test_an_unknown_row_that_is_proved_absent_is_sent_again(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    await unknown(store, item, 600)
    [looking] = await claimed(store, at(600))
    assert await reported(store, looking, Status.PENDING, at(601))
    [again] = await claimed(store, at(601))
    assert (again.status, again.attempt, again.unknown_since) == (Status.SENDING, 2, None)


async def test_reading_back_takes_no_room_in_the_lane(store: Store) -> None:
    one, two = await opened(store, "1"), await opened(store, "2", "c2")
    await decided(store, one, outbox=(row(one, "a"),))
    [item] = await claimed(store)
    await unknown(store, item, 600)
    await decided(store, two, outbox=(row(two, "b"),))
    assert sorted(names(await claimed(store, at(600)))) == ["a", "b"]


# ---------------------------------------------------------------- when next


async def test_next_delivery_is_never_when_there_is_nothing_to_do(store: Store) -> None:
    assert await store.next_delivery_at(NOW) is None
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"), row(key, "b")))
    assert await store.next_delivery_at(NOW) == NOW
    [item] = await claimed(store, NOW, sending_s=30)
    assert await store.next_delivery_at(NOW) == at(30), "b waits for a, a for its report"
    await reported(store, item, Status.SENT)
    assert await store.next_delivery_at(at(1)) == at(1)


async def test_a_full_lane_waits_for_a_report_and_not_for_the_clock(store: Store) -> None:
    one, two = await opened(store, "1"), await opened(store, "2", "c2")
    for key in (one, two):
        await decided(store, key, outbox=(row(key, "a"),))
    await claimed(store, NOW, sending_s=30)
    assert await store.next_delivery_at(at(1)) == at(30)


async def test_the_later_of_pace_and_rest_decides(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a", not_before=at(50)),))
    await store.set_lane(Lane("x:posts", next_at=at(20)))
    assert await store.next_delivery_at(NOW) == at(50)
    await store.set_lane(Lane("x:posts", next_at=at(70)))
    assert await store.next_delivery_at(NOW) == at(70)
    await store.set_lane(Lane("x:posts"))
    assert await store.next_delivery_at(NOW) == at(50)


async def test_a_claim_at_the_next_instant_always_finds_something(store: Store) -> None:
    """Otherwise the loop that waits for that instant would turn in vain."""
    keys = [await opened(store, str(n), f"c{n}") for n in range(4)]
    for number, key in enumerate(keys):
        rows = (row(key, "a", not_before=at(10 * number), lane=f"l{number % 2}"), desk_row(key, "card"))
        await decided(store, key, outbox=rows)
    await store.set_lane(Lane("l0", next_at=at(15)))
    now, sent = NOW, 0
    while (next_at := await store.next_delivery_at(now)) is not None:
        now = next_at
        expired = await store.expire_sending(now, QUARANTINE)
        items = await claimed(store, now)
        assert expired or items
        for item in items:
            await reported(store, item, Status.SENT, now)
            sent += 1
    assert sent == 8


# ---------------------------------------------------------------- what was said


async def test_words_sent_since_are_found_newest_first_with_those_on_their_way(store: Store) -> None:
    await wide(store)
    keys = [await opened(store, str(n), f"c{n}") for n in range(4)]
    for key, seconds in zip(keys[:3], (10, 20, 30), strict=True):
        await decided(store, key, at(seconds), outbox=(row(key, f"at-{seconds}"),))
        [item] = await claimed(store, at(seconds))
        await reported(store, item, Status.SENT, at(seconds))
    more = (
        row(keys[3], "waiting", not_before=at(90)), row(keys[3], "direct", place=Place.DIRECT, not_before=at(90)),
        row(keys[3], "slack", channel="slack", not_before=at(90)), desk_row(keys[3], "card", not_before=at(90)),
        row(keys[3], "other", account="other", not_before=at(90)),
    )  # fmt: skip
    await decided(store, keys[3], at(40), outbox=more)
    assert names(await store.sent_words("x", "acme", "public", at(20), 10)) == ["waiting", "at-30", "at-20"]
    assert names(await store.sent_words("x", "acme", "public", at(20), 2)) == ["waiting", "at-30"]
    assert names(await store.sent_words("x", "acme", "direct", at(20), 10)) == ["direct"]
    await decided(store, keys[3], at(50), withdraw="no longer true")
    assert names(await store.sent_words("x", "acme", "public", at(25), 10)) == ["at-30"]


async def test_the_outbox_is_seen_in_the_order_it_was_written(store: Store) -> None:
    one, two = await opened(store, "1"), await opened(store, "2", "c2")
    await decided(store, two, outbox=(row(two, "a"), row(two, "b")))
    await decided(store, one, outbox=(row(one, "c"),))
    assert names(await store.outbox()) == ["a", "b", "c"]
    assert names(await store.outbox(limit=2)) == ["a", "b"]
    assert names(await store.outbox(conversation=two)) == ["a", "b"]
    await claimed(store, limit=1)
    assert names(await store.outbox(statuses=["sending"])) == ["a"]
    assert names(await store.outbox(conversation=two, statuses=["pending", "sent"])) == ["b"]
    assert await store.outbox_row(EffectKey("nothing")) is None


async def test_a_woken_conversation_keeps_its_earlier_timer_when_a_report_comes_in(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),), changes={"timers": (quiet_timer(at(1)),)})
    [item] = await claimed(store)
    event = WordsAccepted(key=item.key, id=ExternalId("9"), accepted_at=NOW, author=Author.BOT, act=None)
    await reported(store, item, Status.SENT, at(5), event=event)
    assert await store.next_wake_at() == at(1)
    assert await store.decide_due(at(5), 10, read_all) == 1
    assert ConversationKey(key) == key
