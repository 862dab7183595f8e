"""A customer's data comes out whole, and goes without a trace."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.desk.slack.record import Record, Records
from bot.store.port import Store
from bot.store.records import Arrival, Label, Open, Place, Status, TurnRecord
from conversations.comprehension.reading import Complaint, Decision, Reading
from conversations.conversation import Author, Customer
from conversations.events import CustomerPosted, SendFailed
from conversations.ids import ConversationKey, ExternalId
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.contracts.backends import Backend
from tests.contracts.examples import (
    NOW,
    claimed,
    decided,
    must_not_route,
    open_or_join,
    opened,
    post,
    read_all,
    reported,
    row,
    set_aside,
)

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"
KEY = ConversationKey(f"x:acme:{CANARY}-1")


def loud(number: int) -> Arrival:
    """A post whose every field would give the customer away. Long, so that it does not fit on one page."""
    text = f"{CANARY} text {number} " * 700
    reading = Reading("en", Complaint(0.9, Decision.YES, (f"{CANARY} why",)), masked=text, quotable=f"{CANARY} quote")
    post_id = ExternalId(f"{CANARY}-{number}")
    event = CustomerPosted(id=post_id, posted_at=NOW, surface=Surface.PUBLIC, text=text, reading=reading)
    customer = Customer(f"{CANARY}-id", f"@{CANARY}-Handle", f"{CANARY} Name")
    return Arrival(channel="x", account="acme", id=post_id, event=event, at=NOW, customer=customer)


async def fill(store: Store) -> None:
    """Leave the canary in every table, and old versions of rows behind."""
    await store.take_in([loud(9)], set_aside, NOW)
    await store.take_in([loud(1), loud(2)], open_or_join, NOW)
    await store.decide_due(NOW, 10, read_all)
    for number in range(3):
        changes = {"wish": f"{CANARY} wish {number} " * 500}
        words = row(KEY, f"w{number}", body={"text": f"{CANARY} words {number}" * 300})
        label = Label(KEY, "U1", True, f"{CANARY} label", "en", NOW)
        await decided(store, KEY, outbox=(words,), labels=(label,), changes=changes, audit=(f"{CANARY} audit",))
        [item] = await claimed(store)
        failed = SendFailed(key=item.key, author=Author.BOT, act=None, reason="x", text=f"{CANARY} failed")
        await reported(store, item, Status.REJECTED, reason=f"{CANARY} reason", event=failed)
        await store.decide_due(NOW, 10, read_all)
    await store.take_in([loud(3)], open_or_join, NOW)

    def poison(item: object) -> None:
        raise ValueError(f"{CANARY} poison")

    await store.decide_due(NOW, 10, poison)  # type: ignore[arg-type]
    await store.audit("U1", "looked up", f"{CANARY}-id", NOW)


async def test_an_erased_customer_is_nowhere_in_the_database(backend: Backend) -> None:
    store = await backend.open()
    other = await opened(store, "other", "c9")
    await fill(store)
    assert CANARY.encode() in await backend.everything()
    assert await store.erase_customer(f"@{CANARY}-HANDLE", NOW) == 1
    assert CANARY.encode() not in (await backend.everything()).lower()
    assert [item.key for item in await store.conversations()] == [other]
    assert len(await store.turns(other)) == 1
    assert await store.check() == []
    assert await store.next_wake_at() is None
    assert await store.next_delivery_at(NOW) is None
    await store.close()
    assert CANARY.encode() not in (await backend.everything()).lower()


@pytest.mark.parametrize("name", [f"{CANARY}-id", f"{CANARY}-Handle", f"@{CANARY}-handle"])
async def test_a_customer_is_erased_by_id_or_handle(store: Store, name: str) -> None:
    await fill(store)
    assert await store.erase_customer(name, NOW) == 1
    assert await store.conversations() == []
    assert await store.asides() == []
    assert await store.labels() == []
    assert await store.erase_customer(name, NOW) == 0


async def test_what_was_erased_is_not_taken_in_again(store: Store) -> None:
    await fill(store)
    await store.erase_customer(f"{CANARY}-id", NOW)
    again = await store.take_in([loud(number) for number in (1, 2, 3, 9)], must_not_route, NOW)
    assert [taken.new for taken in again] == [False] * 4
    [taken] = await store.take_in([loud(4)], open_or_join, NOW)
    assert isinstance(taken.route, Open), "a new post is a new conversation"


async def test_what_we_said_to_an_erased_customer_is_not_taken_for_a_colleagues_words(store: Store) -> None:
    """Platforms keep it: our own timeline still shows it, and nothing here knows any more that it was ours."""
    key = await opened(store, "1")
    turn = TurnRecord(
        conversation=key,
        id=ExternalId("by-hand"),
        author=Author.BRAND,
        place=Place.PUBLIC,
        text="I look into it",
        posted_at=NOW,
    )
    await decided(store, key, outbox=(row(key, "a"),), turns=(turn,))
    [item] = await claimed(store)
    await reported(store, item, Status.SENT, external_id=ExternalId("ours"))
    parts = f"x:acme:parts:{item.key}"
    await store.set_meta(parts, json.dumps(["part-1", "part-2"]))
    await store.erase_customer("c1", NOW)
    assert await store.get_meta(parts) is None
    kept = ("ours", "by-hand", "part-1", "part-2")
    again = await store.take_in([post(id_, "c1") for id_ in kept], must_not_route, NOW)
    assert [taken.new for taken in again] == [False] * 4


async def test_where_the_desk_showed_an_erased_case_is_forgotten_as_well(store: Store) -> None:
    """The key of a case holds the id of the customer's post."""
    key, other = await opened(store, "1"), await opened(store, "2", "c2")
    records = Records(store)
    for case, ts in ((key, "17.1"), (other, "17.2")):
        await records.up(case, Record(channel="C1", ts=ts))
    await store.erase_customer("c1", NOW)
    assert not (await records.get(key)).up
    assert await records.case_at("C1", "17.1") is None
    assert await records.case_at("C1", "17.2") == other


async def test_who_opted_out_stays_opted_out_after_the_erasure(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, mute_customer=True)
    await store.erase_customer("c1", NOW)
    await store.erase_customer("c1", NOW)
    [taken] = await store.take_in([post("2")], open_or_join, NOW)
    assert isinstance(taken.route, Open)
    assert taken.route.conversation.bot_muted


async def test_all_conversations_of_a_customer_go(store: Store) -> None:
    await opened(store, "1", state=State.CLOSED)
    await opened(store, "2")
    assert await store.erase_customer("name-c1", NOW) == 2


async def test_a_report_about_an_erased_conversation_is_void(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    [item] = await claimed(store)
    await store.erase_customer("c1", NOW)
    assert not await reported(store, item, Status.SENT)


async def test_the_erasure_itself_is_in_the_audit_log_without_a_name(store: Store) -> None:
    await fill(store)
    await store.erase_customer(f"{CANARY}-id", NOW)
    lines = await store.audits()
    assert lines[0]["action"] == "erased 1 conversations"
    assert CANARY not in str(lines)


async def test_an_export_is_plain_and_whole(store: Store) -> None:
    await fill(store)
    await opened(store, "other", "c9")
    export = await store.export_customer(f"{CANARY}-id")
    assert json.loads(json.dumps(export)) == export
    [conversation] = export["conversations"]
    assert conversation["conversation"]["key"] == KEY
    assert [turn["turn_id"] for turn in conversation["turns"]] == [f"{CANARY}-1", f"{CANARY}-2"]
    assert conversation["turns"][0]["posted_at"] == NOW.isoformat()
    assert [message["body"]["text"][:14] for message in conversation["messages"]] == [f"{CANARY} wo"[:14]] * 3
    assert len(conversation["labels"]) == 3
    assert len(conversation["audit"]) == 3
    assert [event["kind"] for event in conversation["events"]][:2] == ["CustomerPosted"] * 2
    [aside] = export["set_aside"]
    assert aside["profile"]["name"] == f"{CANARY} Name"
    assert "x:acme:other" not in json.dumps(export)


async def test_namesakes_on_two_channels_are_told_apart_by_the_channel(store: Store) -> None:
    await store.take_in([post("1"), post("1", channel="slack"), post("9", channel="slack")], open_or_join, NOW)
    slack, x = await store.export_customer("slack:name-c1"), await store.export_customer("x:@Name-c1")
    assert [item["conversation"]["key"] for item in slack["conversations"]] == ["slack:acme:1"]
    assert [item["conversation"]["key"] for item in x["conversations"]] == ["x:acme:1"]
    assert await store.erase_customer("slack:c1", NOW) == 1
    assert [item.key for item in await store.conversations()] == ["x:acme:1"]


async def test_a_renamed_customer_is_found_by_the_present_handle(store: Store) -> None:
    key = await opened(store, "1")
    renamed = post("2")
    await store.take_in([replace(renamed, customer=Customer("c1", "@newname"))], open_or_join, NOW)
    export = await store.export_customer("NewName")
    assert [item["conversation"]["key"] for item in export["conversations"]] == [key]


async def test_an_export_of_nobody_is_empty(store: Store) -> None:
    export = await store.export_customer("stranger")
    assert (export["conversations"], export["set_aside"], export["known_as"]) == ([], [], [])
