"""What people look at: lists, search, counts, labels, templates, small things."""

from __future__ import annotations

import pytest

from bot.store.port import Store
from bot.store.records import Label, Status, TemplateVersion, TurnRecord
from conversations.conversation import Author, Customer
from conversations.ids import ConversationKey, ExternalId
from conversations.protocol import State
from tests.contracts.examples import (
    NOW,
    at,
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


async def test_a_conversation_that_is_not_there_is_none(store: Store) -> None:
    key = ConversationKey("x:acme:9")
    assert await store.conversation(key) is None
    assert await store.turns(key) == []


async def test_conversations_come_latest_activity_first_and_in_pages(store: Store) -> None:
    for number in range(5):
        await opened(store, str(number), f"c{number}")
    await decided(store, ConversationKey("x:acme:1"), at(20), changes={"state": State.WITH_AGENT})
    await decided(store, ConversationKey("x:acme:3"), at(10), changes={"state": State.REFLECTING})
    listed = [item.key for item in await store.conversations()]
    assert listed[:2] == ["x:acme:1", "x:acme:3"]
    assert len(listed) == 5
    assert [item.key for item in await store.conversations(limit=1, offset=1)] == ["x:acme:3"]
    pages = [item.key for offset in (0, 2, 4) for item in await store.conversations(limit=2, offset=offset)]
    assert pages == listed
    states = ["WITH_AGENT", "REFLECTING"]
    assert [item.key for item in await store.conversations(states=states)] == ["x:acme:1", "x:acme:3"]


async def test_conversations_are_found_by_customer_name_words_and_reference(store: Store) -> None:
    await store.take_in([post("1", "c1", text="the 100% kettle_burns")], open_or_join, NOW)
    await store.take_in([post("2", "c2", text="late")], open_or_join, NOW)
    await store.decide_due(NOW, 10, read_all)
    renamed = {"reference": "INV-77", "customer": Customer("c2", "@Name-c2", "Ada Lovelace")}
    await decided(store, ConversationKey("x:acme:2"), changes=renamed)

    async def found(search: str) -> list[str]:
        return [item.key for item in await store.conversations(search=search)]

    assert await found("KETTLE") == await found("100%") == await found("kettle_burns") == ["x:acme:1"]
    assert await found("kettle-burns") == await found("10%kettle") == []
    assert await found("lovelace") == await found("inv-77") == await found("name-c2") == ["x:acme:2"]
    assert await found("LISTENING") == []
    by_customer = [[item.key for item in await store.conversations(customer=name)] for name in ("c2", "@NAME-C2", "c3")]
    assert by_customer == [["x:acme:2"], ["x:acme:2"], []]


async def test_counts(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"), row(key, "b")), changes={"state": State.REFLECTING})
    [item] = await claimed(store)
    await reported(store, item, Status.SENT)
    await store.take_in([post("2", "c2"), post("3", "c2")], open_or_join, NOW)
    await store.take_in([post("4", "c3")], set_aside, NOW)
    counts = await store.counts()
    assert counts.by_state == {"REFLECTING": 1, "LISTENING": 1}
    assert counts.outbox == {"sent": 1, "pending": 1}
    assert (counts.unread, counts.set_aside, counts.poisoned, counts.oldest_unknown_at) == (2, 1, 0, None)


async def test_labels_come_in_the_order_they_were_given(store: Store) -> None:
    key = await opened(store, "1")
    for agent, complaint in (("U1", True), ("U2", False)):
        await decided(store, key, labels=(Label(key, agent, complaint, "a \ud800 text", "en", NOW),))
    assert [(item["agent"], item["complaint"]) for item in await store.labels()] == [("U1", True), ("U2", False)]
    assert (await store.labels())[0]["text"] == "a \ufffd text"


async def test_meta_outlives_the_last_value(store: Store) -> None:
    assert await store.get_meta("cursor") is None
    await store.set_meta("cursor", "1")
    await store.set_meta("cursor", "2")
    await store.set_meta("empty", "")
    assert (await store.get_meta("cursor"), await store.get_meta("empty")) == ("2", "")


async def test_the_audit_log_is_newest_first(store: Store) -> None:
    for number in range(3):
        await store.audit("U1", f"did {number}", "config", at(number))
    lines = await store.audits(limit=2)
    assert [(line["actor"], line["action"], line["subject"], line["at"]) for line in lines] == [
        ("U1", "did 2", "config", at(2)),
        ("U1", "did 1", "config", at(1)),
    ]


async def test_template_versions_are_counted_and_at_most_one_is_published(store: Store) -> None:
    given = TemplateVersion(
        id="en/reflect", language="en", act="reflect", surface="public", source="We hear you.", author="U1", at=NOW,
        topic="delivery", situations=("late", "first_reply"),
    )  # fmt: skip
    first, second = await store.add_template(given), await store.add_template(given)
    assert (first.version, second.version, first.status) == (1, 2, "draft")
    assert await store.templates() == [second, first]
    assert await store.set_template_status("en/reflect", 1, "published", "U2", "template published", at(1))
    assert await store.set_template_status("en/reflect", 2, "published", "U3", "template published", at(2))
    assert [(item.version, item.status) for item in await store.templates(template="en/reflect")] == [
        (2, "published"),
        (1, "retired"),
    ]
    assert [item.version for item in await store.templates(status="published")] == [2]
    assert await store.set_template_status("en/reflect", 3, "published", "U3", "template published", at(3)) is False
    assert [item.version for item in await store.templates(status="published")] == [2]
    assert await store.templates(template="en/other") == []
    lines = await store.audits(action="template", subject="en/reflect@")
    assert [(line["actor"], line["action"], line["subject"], line["at"]) for line in lines] == [
        ("U3", "template published", "en/reflect@2", at(2)),
        ("U2", "template published", "en/reflect@1", at(1)),
        ("U1", "template drafted", "en/reflect@2", NOW),
        ("U1", "template drafted", "en/reflect@1", NOW),
    ]


async def test_the_audit_log_is_searched_by_what_was_done_and_to_what(store: Store) -> None:
    for action, subject in (("a_b done", "x@1"), ("aXb done", "x@2"), ("a_b undone", "y%@1")):
        await store.audit("U1", action, subject, NOW)
    assert [line["subject"] for line in await store.audits(action="a_b")] == ["y%@1", "x@1"]
    assert [line["action"] for line in await store.audits(subject="x@")] == ["aXb done", "a_b done"]
    assert [line["subject"] for line in await store.audits(action="a_b", subject="y%")] == ["y%@1"]
    assert await store.audits(subject="%") == []


async def test_turns_are_found_by_the_template_that_worded_them(store: Store) -> None:
    key = await opened(store, "1")
    written = [row(key, f"k{n}", template=name) for n, name in enumerate(("en.ack.a#1@2", "en.ack.b#1@default", None))]
    await decided(store, key, outbox=tuple(written))
    while claims := await store.claim_deliveries(NOW, 60, 10):
        for claim in claims:
            words = TurnRecord(
                conversation=key, id=ExternalId(f"p{claim.key}"), author=Author.BOT, place=claim.place, text="said",
                posted_at=at(1), template=claim.template, key=claim.key,
            )  # fmt: skip
            await reported(store, claim, Status.SENT, turn=words)
    assert {(use.conversation, use.template, use.at) for use in await store.template_uses("en.ack.")} == {
        (key, "en.ack.a#1@2", at(1)), (key, "en.ack.b#1@default", at(1)),
    }  # fmt: skip
    assert [use.template for use in await store.template_uses("en.ack.b")] == ["en.ack.b#1@default"]
    assert await store.template_uses("en.ack.", since=at(2)) == []
    assert await store.template_uses("en_ack") == []


async def test_a_sound_database_has_nothing_to_complain_about(store: Store) -> None:
    key = await opened(store, "1")
    await decided(store, key, outbox=(row(key, "a"),))
    assert await store.check() == []


async def test_erasing_nobody_erases_nothing(store: Store) -> None:
    await opened(store, "1")
    assert await store.erase_customer("stranger", NOW) == 0
    assert await store.erase_customer("", NOW) == 0
    assert (await store.counts()).by_state == {"LISTENING": 1}
    assert (await store.take_in([post("1")], must_not_route, NOW))[0].new is False
