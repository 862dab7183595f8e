"""Agents take a case in the strict local Slack from its card to a satisfied check-back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.desk.slack import QueuePlace, SlackDesk
from bot.store.records import Status
from conversations.conversation import CheckBackBy, Outcome
from conversations.policy import Queue
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.desk.scene import ALWAYS, STORY, company, policy_of
from tests.platforms.slack.faults import Fault, Trouble
from tests.platforms.slack.log import Did

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("http", [False, True], ids=["sockets", "http"])
async def test_from_card_to_satisfied_check_back(tmp_path: Path, http: bool) -> None:
    async with company(tmp_path, http=http) as desk:
        await desk.handed_off()
        card = desk.card()
        assert "missing for three weeks" in str(card.blocks)
        assert "Sue" in str(card.blocks)
        assert not card.unfurl_links
        assert any("missing for three weeks" in message.text for message in desk.thread())

        await desk.claim(desk.mia)
        case = await desk.case()
        assert case.state is State.WITH_AGENT
        assert case.owner is not None
        assert (case.owner.id, case.owner.name) == (desk.mia.id, "Mia")
        assert f"<@{desk.mia.id}>" in str(desk.card().blocks)

        await desk.say(desk.mia, "I have found it: a courier brings your parcel tomorrow by 18:00.")
        assert desk.wire[-1] == "I have found it: a courier brings your parcel tomorrow by 18:00."
        assert any("✅" in message.text and "courier brings" in message.text for message in desk.thread())

        due = int((desk.clock.now() + timedelta(hours=5)).timestamp())
        await desk.click(desk.mia, "propose_plan")
        plan = {"step1": "Send the parcel again by courier", "due1": due, "remedy": "0"}
        await desk.submit(desk.mia, plan)
        assert "courier" in str(desk.slack.views.top(desk.mia.id))
        await desk.submit(desk.mia, plan)
        await desk.work()
        case = await desk.case()
        assert case.state is State.AWAITING_AGREEMENT
        assert case.plan is not None
        assert case.plan.remedy == "a full refund"

        await desk.complain("ok that works", direct=False)
        case = await desk.case()
        assert case.state is State.FULFILLING
        assert "agreed" in str(desk.card().blocks)

        await desk.click(desk.mia, "keep_promise")
        await desk.submit(desk.mia)
        await desk.work()
        assert not (await desk.case()).promises_open

        await desk.click(desk.mia, "resolve")
        await desk.submit(desk.mia, {"done_text": "The parcel arrived by courier."})
        await desk.work()
        case = await desk.case()
        assert case.state is State.RESOLVED
        assert case.check_back is not None
        assert case.check_back.by is CheckBackBy.BOT

        await desk.later((case.check_back.due_at - desk.clock.now()).total_seconds() + 1)
        assert (await desk.case()).state is State.CHECKING_BACK
        await desk.complain("Yes, I'm happy with it. Thank you!")
        case = await desk.case()
        assert (case.state, case.outcome) == (State.CLOSED, Outcome.SATISFIED)
        assert "Closed" in str(desk.card().blocks)
        assert len(desk.cards()) == 1
        assert await desk.rows(Status.FAILED, Status.REJECTED) == []


async def test_the_thread_has_every_turn_once_and_in_order(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        for n in range(12):
            await desk.phone.post(desk.customer, f"and number {n} happened", Surface.PUBLIC, f"x{n}")
            desk.clock.advance(1)
        await desk.phone.edit("x3", "and number three happened")
        await desk.phone.delete("x4")
        await desk.work()
        text = "\n".join(message.text for message in desk.thread())
        places = [text.index(f"number {n} happened") for n in range(12) if n not in (3, 4)]
        assert places == sorted(places)
        assert text.count("number 7 happened") == 1
        assert "edited a post" in text
        assert "number three happened" in text
        assert "deleted a post" in text
        assert "number 4 happened" not in text
        assert "number 5 happened" in text
        assert len(desk.thread()) < 12  # a burst is batched


async def test_a_long_post_that_was_deleted_leaves_no_words_in_the_thread(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        post = await desk.complain("the canary " * 1_500)
        assert sum(message.text.count("canary") for message in desk.thread()) >= 1_500
        await desk.phone.delete(post)
        await desk.work()
        assert "canary" not in "".join(message.text for message in desk.thread())
        assert "canary" not in str(desk.card().blocks)


async def test_words_on_their_way_are_followed_in_the_thread(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.writes("@hearout our export has been failing since the update, this is unacceptable")
        await desk.later(901)
        await desk.later(1_801)
        await desk.claim(desk.mia)
        desk.slack.faults.add(Fault("chat.postMessage", Trouble.RATE_LIMITED, nth=1, retry_after_s=30))
        await desk.say(desk.mia, "It runs again by 18:00 today.")
        lines = [message.text for message in desk.thread()]
        assert sum("It runs again" in line for line in lines) == 1
        assert any(line.startswith("✅ *Mia*") for line in lines)
        updates = [entry.text for entry in desk.slack.log.of(Did.UPDATE)]
        assert any(line.startswith("✅ *Mia*") for line in updates)


async def test_the_card_moves_with_its_queue(tmp_path: Path) -> None:
    policy = policy_of(
        queues=(Queue(name="refunds", topics=("nothing",), hours=ALWAYS), Queue(name="support", hours=ALWAYS))
    )
    async with company(tmp_path, policy=policy) as desk:
        second = desk.slack.world.add_channel("refunds", [desk.mia, desk.tom])
        places = (QueuePlace("refunds", second.id, agents=(desk.agents.id,)), *desk.desk.settings.queues)
        object.__setattr__(desk.desk.settings, "queues", places)
        object.__setattr__(desk.desk.settings, "places", {place.name: place for place in places})
        await desk.handed_off()
        await desk.click(desk.mia, "transfer")
        await desk.submit(desk.mia, {"to_queue": "refunds", "note": "they want money"})
        await desk.work()
        assert (await desk.case()).queue == "refunds"
        assert len(desk.cards(second)) == 1
        assert "moved" in desk.slack.world.history(desk.channel)[0].text
        assert any("they want money" in message.text for message in desk.thread(desk.card(channel=second)))


async def test_personal_data_is_masked_until_somebody_looks_and_that_is_logged(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off(STORY + " Write to sue.miller@example.org or call +44 20 7946 0958.")
        shown = str(desk.card().blocks) + "".join(message.text for message in desk.thread())
        assert "sue.miller@example.org" not in shown
        await desk.click(desk.mia, "reveal")
        top = desk.slack.views.top(desk.mia.id)
        assert top is not None
        assert "sue.miller@example.org" in str(top.view)
        lines = [line for line in await desk.parts.store.audits() if "reveal" in line["action"]]
        assert [line["actor"] for line in lines] == [f"slack:{desk.mia.id}"]


async def test_a_card_that_somebody_deleted_comes_back_and_nothing_is_lost(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        del desk.slack.world.messages[desk.channel.id][desk.card().ts]
        await desk.complain("and still nothing")
        assert len(desk.cards()) == 1
        assert any("and still nothing" in message.text for message in desk.thread())
        top_level = [m for m in desk.slack.world.history(desk.channel) if m.thread_ts is None and not m.blocks]
        assert top_level == []


async def test_after_a_restart_the_same_card_is_updated(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        fresh = SlackDesk(desk.link, desk.parts.store, desk.clock, desk.desk.settings, lambda: desk.parts.policy)
        desk.parts.engine.desk = desk.parts.delivery.desk = fresh
        await desk.complain("and still nothing")
        assert len(desk.cards()) == 1
        assert "and still nothing" in str(desk.card().blocks)
