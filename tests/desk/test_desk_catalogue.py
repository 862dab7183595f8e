"""The rows of the failure catalogue (reliability.md) that the Slack desk answers for, by number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.channels.port import Transient
from bot.store.records import Kind, Place, Status
from conversations.conversation import Author, Customer
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.desk.scene import STORY, Desk, company
from tests.platforms.slack.faults import Fault, Trouble
from tests.platforms.slack.log import Did

pytestmark = pytest.mark.anyio


async def test_27_one_card_that_slack_refuses_stops_nobody(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        desk.slack.faults.add(Fault("chat.postMessage", Trouble.API_ERROR, nth=1, error="invalid_blocks"))
        await desk.handed_off()
        for n in range(8):
            await desk.phone.post(Customer(f"d{n}", f"d{n}", f"D{n}"), STORY, Surface.PUBLIC, f"d{n}")
        await desk.later(901)
        await desk.later(1_801)
        assert len(desk.cards()) == 9
        (failed,) = await desk.rows(Status.REJECTED)
        assert failed.kind is Kind.MIRROR
        assert any("desk row failed" in entry.text for entry in desk.slack.log.posts(desk.fallback.id))


async def test_28_when_the_tries_are_used_up_the_thread_says_failed(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)

        async def broken(row: Any, case: Any) -> Any:
            raise Transient("the platform is overloaded", 10.0)

        desk.phone.send = broken  # type: ignore[method-assign]
        await desk.click(desk.mia, "reply")
        await desk.submit(desk.mia, {"text0": "It comes tomorrow by 18:00."})
        await desk.submit(desk.mia)
        began = desk.clock.now()
        await desk.work()
        thread = "\n".join(message.text for message in desk.thread())
        assert "❌ failed" in thread
        assert "overloaded" in thread
        alarm = next(m for m in desk.thread() if "not delivered" in m.text)
        assert f"<@{desk.mia.id}>" in alarm.text
        assert "It comes tomorrow by 18:00." in str(alarm.blocks)
        assert (desk.clock.now() - began).total_seconds() <= 300
        await desk.click(desk.mia, "answered_by_hand", alarm)
        await desk.submit(desk.mia, {"text": "It comes tomorrow by 18:00."})
        await desk.work()
        assert [t.author for t in await desk.parts.store.turns((await desk.case()).key)][-1] is Author.BRAND


async def test_33_what_the_bot_had_queued_is_withdrawn_at_the_claim(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.complain("I want a human, now")
        await desk.later(60)
        said = len(desk.wire)
        await desk.complain("hello?")  # what is queued waits for the end of the burst
        pending = [row for row in await desk.rows(Status.PENDING) if row.kind is Kind.WORDS]
        await desk.claim(desk.mia)
        await desk.later(3_600)
        assert len(desk.wire) == said
        assert [row for row in await desk.rows(Status.WITHDRAWN) if row.kind is Kind.WORDS] or not pending


async def test_33_a_claim_before_the_first_reply_silences_the_bot(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.phone.post(desk.customer, f"{STORY} Let me talk to a human.", Surface.PUBLIC, "p1")
        await desk.work(5)
        (queued,) = [row for row in await desk.rows(Status.PENDING) if row.kind is Kind.WORDS]
        await desk.claim(desk.mia)
        await desk.later(600)
        assert desk.wire == []
        row = await desk.parts.store.outbox_row(queued.key)
        assert row is not None
        assert row.status is Status.WITHDRAWN


async def test_34_of_two_answers_in_one_second_the_second_is_asked(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        for agent, words in ((desk.mia, "It comes tomorrow by 18:00."), (desk.tom, "It comes on Friday at 9:00.")):
            await desk.click(agent, "reply")
            await desk.submit(agent, {"text0": words})
        await desk.submit(desk.mia)
        second = await desk.submit(desk.tom)
        assert second.answer["response_action"] == "update"
        shown = desk.slack.views.top(desk.tom.id)
        assert shown is not None
        assert "Mia has just answered" in str(shown.view)
        assert shown.view["submit"]["text"] == "Send anyway"
        await desk.work()
        assert [words for words in desk.wire if "comes" in words] == ["It comes tomorrow by 18:00."]
        await desk.submit(desk.tom)
        await desk.work()
        assert desk.wire[-1] == "It comes on Friday at 9:00."


async def test_36_thread_text_and_files_never_leave_slack(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        before, posts = list(desk.wire), len(desk.replies())
        people = desk.slack.people
        people.post(desk.mia, desk.channel, "this customer is a pain, offer nothing", thread=desk.card())
        people.post(
            desk.mia,
            desk.channel,
            "internal price list",
            thread=desk.card(),
            files=[people.file(desk.mia, "prices.pdf")],
        )
        people.post(desk.mia, desk.channel, "@sue we know what you did", thread=desk.card(), broadcast=True)
        people.edit(people.post(desk.tom, desk.channel, "reply: hi", thread=desk.card()), "/reply hi there")
        await desk.later(3_600)
        assert desk.wire == before
        assert len(desk.replies()) == posts
        turns = await desk.parts.store.turns((await desk.case()).key)
        assert "pain" not in str(turns)


async def test_36_only_the_shortcut_sends_a_message_and_never_its_files(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        people = desk.slack.people
        draft = people.post(
            desk.tom,
            desk.channel,
            "It comes tomorrow by 18:00.",
            thread=desk.card(),
            files=[people.file(desk.tom, "internal.pdf")],
        )
        people.message_shortcut(desk.mia, draft, "send_to_customer")
        await desk.server.settled()
        shown = desk.slack.views.top(desk.mia.id)
        assert shown is not None
        assert "files are not sent" in str(shown.view)
        assert "It comes tomorrow" not in "".join(desk.wire)
        await desk.submit(desk.mia)
        await desk.work()
        assert desk.wire[-1] == "It comes tomorrow by 18:00."
        assert "internal.pdf" not in str(desk.wire)


async def test_37_mentions_and_links_reach_the_customer_as_plain_words(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.desk.people.name(desk.tom.id)
        raw = f"<@{desk.tom.id}> of <#{desk.channel.id}|desk> sends it by 18:00 tomorrow: "
        raw += "<https://example.org/t?a=1&amp;b=2|track it> <!here> &lt;ok&gt;"
        draft = desk.slack.people.post(desk.mia, desk.channel, raw, thread=desk.card(), raw=True)
        desk.slack.people.message_shortcut(desk.mia, draft, "send_to_customer")
        await desk.server.settled()
        await desk.submit(desk.mia)
        await desk.submit(desk.mia) if desk.slack.views.top(desk.mia.id) else None
        await desk.work()
        sent = desk.wire[-1]
        assert sent == "@Tom of #desk sends it by 18:00 tomorrow: track it (https://example.org/t?a=1&b=2) @here <ok>"
        assert desk.tom.id not in sent


async def test_43_fifty_kilobytes_are_mirrored_whole(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        words = [f"{n}word" for n in range(6_500)]
        await desk.handed_off("My parcel is missing and I want my money back. " + " ".join(words))
        text = " ".join(message.text for message in desk.thread())
        assert all(word in text.split() for word in words[::50])
        mirrored = text.replace(">", " ").replace("&gt;", " ").split()
        assert [word for word in mirrored if word.endswith("word")] == words
        assert all(len(message.text) <= 4_000 for message in desk.thread())
        assert desk.slack.limits.refused == 0
        assert len(desk.cards()) == 1


async def test_43_two_thousand_turns_are_mirrored_whole(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        surface = Surface.PUBLIC
        for n in range(2_000):
            await desk.phone.post(desk.customer, f"turn number {n}.", surface, f"t{n}")
            if n % 100 == 99:
                desk.clock.advance(1)
                await desk.parts.engine.decide_due()
        await desk.work(600)
        text = "\n".join(message.text for message in desk.thread())
        assert [n for n in range(2_000) if text.count(f"turn number {n}.") != 1] == []
        assert len(desk.thread()) < 200


async def test_43_a_long_text_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        desk.slack.faults.add(Fault("chat.postMessage", Trouble.LOST_REPLY, nth=4))
        words = [f"{n}word" for n in range(3_000)]
        await desk.handed_off("My parcel is missing and I want my money back. " + " ".join(words))
        text = " ".join(message.text for message in desk.thread()).split()
        assert [word for word in text if word.endswith("word")] == words
        assert desk.slack.faults.unfired() == ()


async def test_50_an_archived_desk_channel_gives_way_to_the_fallback(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.slack.people.archive(desk.channel, desk.lena)
        await desk.complain("and still nothing")
        (card,) = desk.cards(desk.fallback)
        assert "and still nothing" in str(card.blocks)
        assert any("and still nothing" in message.text for message in desk.thread(card))
        alerts = [entry.text for entry in desk.slack.log.posts(desk.fallback.id) if "cannot be used" in entry.text]
        assert len(alerts) == 1
        await desk.click(desk.mia, "claim", card)
        await desk.work()
        assert (await desk.case()).state is State.WITH_AGENT
        desk.slack.people.archive(desk.channel, desk.lena, undo=True)
        await desk.server.settled()
        await desk.handed_off(customer=Customer("c2", "ann", "Ann"))
        assert len([card for card in desk.cards() if "Ann" in str(card.blocks)]) == 1


async def test_50_without_any_channel_nothing_is_lost(tmp_path: Path) -> None:
    async with company(tmp_path, fallback_channel="") as desk:
        desk.slack.people.archive(desk.channel, desk.lena)
        await desk.handed_off()
        assert desk.cards() == []
        desk.slack.people.archive(desk.channel, desk.lena, undo=True)
        await desk.work(600)
        assert len(desk.cards()) == 1
        assert any("missing for three weeks" in message.text for message in desk.thread())


@pytest.mark.parametrize("trouble", [Trouble.LOST_REPLY, Trouble.RESET, Trouble.RATE_LIMITED])
@pytest.mark.parametrize("n", [1, 2, 3])
async def test_an_unknown_outcome_at_the_desk_is_read_back(tmp_path: Path, n: int, trouble: Trouble) -> None:
    async with company(tmp_path) as desk:
        desk.slack.faults.add(Fault("chat.postMessage", trouble, nth=n), Fault("chat.update", trouble, nth=1))
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.complain("and still nothing")
        assert len(desk.cards()) == 1
        text = "\n".join(message.text for message in desk.thread())
        assert text.count("missing for three weeks") == 1
        assert text.count("and still nothing") == 1
        assert text.count("wrote again") == 1
        assert desk.slack.faults.unfired() == ()
        assert await unfinished(desk) == []


async def unfinished(desk: Desk) -> list[Any]:
    """Rows of the desk that were not shown."""
    rows = await desk.rows(Status.FAILED, Status.REJECTED, Status.UNKNOWN, Status.PENDING)
    return [row for row in rows if row.place is Place.DESK]


async def test_danger_does_not_wait_behind_a_storm(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        for n in range(40):
            await desk.phone.post(Customer(f"s{n}", f"s{n}", f"Storm {n}"), STORY, Surface.PUBLIC, f"s{n}")
        desk.clock.advance(901)
        while await desk.parts.engine.decide_due():
            pass
        await desk.parts.delivery.drain()
        await desk.parts.delivery.settle()
        while await desk.parts.engine.decide_due():
            pass
        desk.clock.advance(1_801)
        while await desk.parts.engine.decide_due():
            pass  # forty handoffs wait for one channel
        began = desk.clock.now()
        await desk.phone.post(
            Customer("r", "r", "Red"), "your power bank caught fire and burned my hand", Surface.PUBLIC, "r1"
        )
        await desk.work(200)
        alarm = next(e for e in desk.slack.log.posts(desk.channel.id) if "Danger" in e.text and e.thread_ts)
        assert (alarm.at - began).total_seconds() <= 10
        assert len(desk.cards()) == 41
        assert (
            desk.slack.limits.refused <= 1
        )  # two lanes into one channel: we count from the call, Slack from its arrival


async def test_a_slow_channel_is_not_flooded(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        for n in range(20):
            await desk.complain(f"number {n}")
        assert desk.slack.limits.refused == 0
        assert len(desk.slack.log.of(Did.UPDATE)) > 0
