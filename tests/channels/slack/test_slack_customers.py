"""Customers in the strict local Slack: what they write is kept once, and what we say reaches them where they are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.channels.slack.questions import LABELS, WORDS, read, words
from bot.store.port import StoreUnavailable
from bot.store.records import Place
from conversations.comprehension import Reader
from conversations.comprehension.reading import CueName
from conversations.conversation import Author, Outcome
from conversations.protocol import State
from conversations.wording.request import Act
from tests.desk.scene import company
from tests.platforms.slack.faults import Fault, Trouble
from tests.platforms.slack.interactions import Status as Shown

pytestmark = pytest.mark.anyio
ANGRY = "@hearout our export has been failing since the update and nobody answers, this is unacceptable"


async def test_a_mention_is_one_event_and_is_answered_in_its_thread(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        said = await desk.writes(ANGRY)
        await desk.later(600)
        (answer,) = desk.replies()
        assert (answer.channel, answer.thread_ts) == (desk.help.id, said.ts)
        case = await desk.slack_case()
        turns = await desk.parts.store.turns(case.key)
        assert [turn.author for turn in turns] == [Author.CUSTOMER, Author.BOT]
        assert turns[0].id == f"{desk.help.id}:{said.ts}"
        assert turns[0].text == ANGRY.removeprefix("@hearout ")
        assert case.customer.team == desk.slack.world.team.id


async def test_what_follows_at_top_level_is_answered_in_the_same_thread(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        first = await desk.writes(ANGRY)
        await desk.writes("and the status page says all green")
        await desk.writes("still failing", thread=first)
        await desk.later(600)
        assert {answer.thread_ts for answer in desk.replies()} == {first.ts}
        assert len(await desk.parts.store.conversations(customer=desk.sue.id)) == 1
        assert (await desk.slack_case()).turns_count == 3


async def test_a_mention_deep_in_a_thread_is_answered_in_that_thread_after_a_restart(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        root = await desk.writes("who else has this?", desk.outsider)
        await desk.writes(ANGRY, thread=root)
        desk.outside.events._roots.clear()
        await desk.later(600)
        assert [answer.thread_ts for answer in desk.replies()] == [root.ts]


async def test_direct_messages_are_answered_directly(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        said = await desk.writes("Our export has been failing since the update. I want my money back.", dm=True)
        await desk.later(600)
        (answer,) = desk.replies()
        assert (answer.channel, answer.thread_ts) == (said.channel, None)
        case = await desk.slack_case()
        assert case.direct
        assert case.public_root is None


async def test_what_is_not_for_us_opens_nothing(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        elsewhere = desk.slack.world.add_channel("random", [desk.sue])
        desk.slack.people.post(desk.sue, elsewhere, ANGRY)
        await desk.writes("lunch, anybody? the soup was terrible")
        await desk.writes(ANGRY, desk.robot if desk.robot.id in desk.help.members else desk.mia)
        desk.slack.people.post(desk.mia, desk.channel, "@hearout this is terrible, nobody answers the customers")
        await desk.later(3_600)
        assert await desk.parts.store.conversations() == []
        assert desk.replies() == []


async def test_edits_deletions_and_previews(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        first = await desk.writes(ANGRY)
        second = await desk.writes("and my name is on it", thread=first)
        people = desk.slack.people
        people.unfurl(first)
        people.edit(first, ANGRY + " for three weeks")
        await desk.work()
        people.delete(second)
        await desk.work()
        turns = {turn.id: turn for turn in await desk.parts.store.turns((await desk.slack_case()).key)}
        edited, deleted = turns[f"{desk.help.id}:{first.ts}"], turns[f"{desk.help.id}:{second.ts}"]  # type: ignore[index]
        assert edited.text is not None
        assert edited.text.endswith("for three weeks")
        assert edited.edited_at is not None
        assert deleted.text is None
        people.delete(desk.slack.world.message(desk.help, first.ts))
        await desk.work()
        assert (await desk.slack_case()).outcome is Outcome.WITHDRAWN


async def test_a_deleted_parent_with_replies_counts_as_deleted(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        first = await desk.writes(ANGRY)
        desk.slack.people.post(desk.outsider, desk.help, "same here", thread=first)
        await desk.work()
        desk.slack.people.delete(first)
        await desk.work()
        assert (await desk.slack_case()).outcome is Outcome.WITHDRAWN


async def test_files_are_noted_not_fetched(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.writes(
            ANGRY, files=[desk.slack.people.file(desk.sue, "error.png"), desk.slack.people.file(desk.sue, "b.png")]
        )
        (turn, *_) = await desk.parts.store.turns((await desk.slack_case()).key)
        assert turn.media == 2
        assert desk.slack.calls["files.info"] == 0


async def test_strangers_of_a_shared_channel_are_customers_and_our_people_are_not(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        world = desk.slack.world
        other = world.add_team("Acme")
        ann = world.add_user("ann", other)
        world.change_members(desk.help, add=[ann])
        desk.slack.people.share(desk.help, other.id)
        said = await desk.writes(ANGRY, ann)
        await desk.writes("We are looking at it.", desk.outsider, thread=said)  # of our workspace, in no group
        case = await desk.slack_case(ann)
        assert case.customer.team == other.id
        assert case.state is State.WITH_AGENT
        assert [turn.author for turn in await desk.parts.store.turns(case.key)] == [Author.CUSTOMER, Author.BRAND]
        await desk.later(600)
        assert desk.replies() == []


async def test_a_colleague_in_the_customers_thread_withdraws_the_bots_words(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        said = await desk.writes(ANGRY)
        await desk.writes("Hi Sue, I am on it.", desk.mia, thread=said)
        await desk.later(7_200)
        case = await desk.slack_case()
        assert case.state is State.WITH_AGENT
        assert case.replied_at is not None
        assert desk.replies() == []


async def test_agents_speak_under_their_name(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        said = await desk.writes(ANGRY)
        await desk.later(901)
        await desk.later(1_801)
        await desk.claim(desk.mia)
        await desk.say(desk.mia, "Your export runs again by 18:00 <today> & for good.")
        answer = desk.replies()[-1]
        assert answer.text == "*Mia*\nYour export runs again by 18:00 &lt;today&gt; &amp; for good."
        assert answer.thread_ts == said.ts


async def agreed(desk: Any) -> None:
    await desk.writes(ANGRY)
    await desk.later(901)
    await desk.later(1_801)
    await desk.claim(desk.mia)
    await desk.click(desk.mia, "propose_plan")
    due = int(desk.clock.now().timestamp()) + 7_200
    plan = {"step1": "Repair the export", "due1": due}
    await desk.submit(desk.mia, plan)
    await desk.submit(desk.mia, plan)
    await desk.work()


async def test_a_plan_is_agreed_by_a_click_of_the_customer_only(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await agreed(desk)
        asked = desk.slack.world.message(desk.help, desk.replies()[-1].ts)
        other = desk.slack.people.click(desk.outsider, asked, "hearout-answer:yes")
        await desk.work()
        assert other.status is Shown.ACKNOWLEDGED
        assert (await desk.slack_case()).state is State.AWAITING_AGREEMENT
        for _ in range(2):
            desk.slack.people.click(desk.sue, asked, "hearout-answer:yes")
            await desk.work()
        case = await desk.slack_case()
        assert case.state is State.FULFILLING
        assert case.plan is not None
        assert case.plan.agreed_words == words("propose_plan", "en", yes=True)
        now = desk.slack.world.message(desk.help, asked.ts)
        assert all(block["type"] != "actions" for block in now.blocks)
        assert "✓" in str(now.blocks)


async def test_a_yes_to_a_replaced_plan_is_no_yes(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await agreed(desk)
        old = desk.slack.world.message(desk.help, desk.replies()[-1].ts)
        await desk.click(desk.mia, "propose_plan")
        plan = {"step1": "Give the money back", "due1": int(desk.clock.now().timestamp()) + 9_000}
        await desk.submit(desk.mia, plan)
        await desk.submit(desk.mia, plan)
        await desk.work()
        desk.slack.people.click(desk.sue, old, "hearout-answer:yes")
        await desk.work()
        assert (await desk.slack_case()).state is State.AWAITING_AGREEMENT
        assert any("out of date" in entry.text for entry in desk.told())


async def test_typing_a_yes_works_as_well(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await agreed(desk)
        root = desk.slack.world.message(desk.help, desk.replies()[-1].thread_ts or "")
        await desk.writes("ok, that works for me", thread=root)
        assert (await desk.slack_case()).state is State.FULFILLING


async def test_a_click_after_a_typed_yes_opens_nothing_again(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await agreed(desk)
        asked = desk.slack.world.message(desk.help, desk.replies()[-1].ts)
        await desk.writes("ok, that works for me", thread=desk.slack.world.message(desk.help, asked.thread_ts or ""))
        await desk.click(desk.mia, "resolve")
        await desk.submit(desk.mia, {"done_text": "The money is on the card.", "anyway": ["anyway"]})
        await desk.work()
        before = await desk.slack_case()
        assert before.state is State.RESOLVED
        desk.slack.people.click(desk.sue, asked, "hearout-answer:yes")
        await desk.work()
        after = await desk.slack_case()
        assert (after.state, after.turns_count) == (State.RESOLVED, before.turns_count)
        shown = str(desk.slack.world.message(desk.help, asked.ts).blocks)
        assert "✓ Yes, I agree." in shown
        assert "hearout-answer" not in shown, "the buttons give way"


@pytest.mark.parametrize("act", sorted(WORDS))
@pytest.mark.parametrize("language", sorted(WORDS["check_back"]))
def test_a_click_means_the_same_in_every_language(act: str, language: str) -> None:
    reader = Reader.default()
    wanted = {
        Act.PROPOSE_PLAN.value: (CueName.AGREES, CueName.DECLINES),
        Act.CHECK_BACK.value: (CueName.SATISFIED, CueName.UNSATISFIED),
    }[act]
    for cue, yes in zip(wanted, (True, False), strict=True):
        text = words(act, language, yes)
        assert read(reader.read(text), act, text, yes).certain(cue)
    assert all(len(label) <= 75 for label in LABELS[act][language])


# ---------------------------------------------------------------- the catalogue


async def test_4_a_slow_handler_is_delivered_again_and_answers_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        gate, kept = asyncio.Event(), desk.parts.intake

        async def slowly(arrivals: Any) -> Any:
            await gate.wait()
            return await kept(arrivals)

        desk.outside.take_in = slowly
        desk.slack.people.post(desk.sue, desk.help, ANGRY)
        await desk.server.until(lambda: len(desk.slack.courier.attempts) == 2)
        desk.clock.advance(3.1)
        await desk.server.pump()
        await desk.server.until(lambda: len(desk.slack.courier.attempts) == 4)
        gate.set()
        await desk.work()
        await desk.later(600)
        assert len(desk.replies()) == 1
        assert (await desk.slack_case()).turns_count == 1


async def test_5_eleven_deliveries_are_one_effect(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        desk.slack.courier.duplicate_next(11)
        await desk.writes(ANGRY)
        await desk.later(600)
        assert len(desk.slack.courier.attempts) >= 12
        assert len(desk.replies()) == 1
        assert (await desk.slack_case()).turns_count == 1


async def test_6_what_could_not_be_kept_is_not_acknowledged_and_comes_again(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        kept, calls = desk.parts.intake, 0

        async def full(arrivals: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls <= 2:
                raise StoreUnavailable("disk full")
            return await kept(arrivals)

        desk.outside.take_in = full
        desk.slack.people.post(desk.sue, desk.help, ANGRY)
        # over sockets no answer at all tells Slack: it tries again when its three seconds are over
        await desk.server.until(lambda: len(desk.slack.courier.attempts) == 2)
        assert desk.slack.courier.acknowledged == []
        for _ in range(3):
            desk.clock.advance(3.1)
            await desk.server.pump()
        await desk.later(600)
        assert (await desk.slack_case()).turns_count == 1
        assert len(desk.replies()) == 1


async def test_8_the_sweep_finds_what_a_deaf_socket_swallowed(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        assert await desk.outside.sweep.run() == 0
        desk.clock.advance(60)
        people = [desk.slack.world.add_user(f"c{n}") for n in range(25)]
        desk.slack.world.change_members(desk.help, add=people)
        desk.slack.courier.lose_next(10_000)
        for person in people:
            said = desk.slack.people.post(person, desk.help, ANGRY)
            desk.slack.people.post(person, desk.help, "three weeks now", thread=said)
        assert desk.clock.now()
        desk.clock.advance(desk.outside.settings.sweep_s)
        await desk.outside.sweep.run()
        await desk.work()
        found = await desk.parts.store.conversations(limit=1_000)
        assert len(found) == 25
        assert {case.turns_count for case in found} == {2}
        assert desk.outside.settings.sweep_s <= 600


async def test_10_an_outage_is_swept_up_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.outside.sweep.run()
        await desk.writes(ANGRY)
        desk.slack.courier.lose_next(10_000)
        desk.clock.advance(1_000)
        desk.slack.people.post(desk.sue, None, "and my colleague has the same")
        edited = desk.slack.people.post(desk.outsider, desk.help, ANGRY)
        desk.slack.people.edit(edited, ANGRY + " again")
        desk.clock.advance(800)
        for _ in range(3):
            await desk.outside.sweep.run()
            await desk.work()
        assert (await desk.slack_case()).turns_count == 2
        (other,) = await desk.parts.store.conversations(customer=desk.outsider.id)
        turns = await desk.parts.store.turns(other.key)
        assert [turn.text for turn in turns if turn.author is Author.CUSTOMER] == [
            ANGRY.removeprefix("@hearout ") + " again"
        ]
        assert [turn.edited_at for turn in turns] == [None] * len(turns), "nobody saw it before it was edited"


async def test_a_sweep_that_breaks_off_skips_nothing(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.outside.sweep.run()
        desk.slack.courier.lose_next(10_000)
        desk.clock.advance(600)
        desk.slack.people.post(desk.sue, desk.help, ANGRY)
        desk.slack.faults.add(Fault("conversations.history", Trouble.RATE_LIMITED, nth=1, retry_after_s=20))
        assert await desk.outside.sweep_once() == 20
        desk.clock.advance(20)
        assert await desk.outside.sweep_once() == desk.outside.settings.sweep_s
        await desk.work()
        assert (await desk.slack_case()).turns_count == 1
        assert desk.slack.faults.unfired() == ()


async def test_27_one_message_that_cannot_be_read_stops_nobody(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        world = desk.slack.world
        channel = world.channels[desk.help.id]
        poison = {
            "type": "message",
            "channel": channel.id,
            "user": desk.sue.id,
            "text": "<@U0HEAROUT> x",
            "ts": "never",
            "channel_type": "channel",
        }
        people = [world.add_user(f"c{n}") for n in range(100)]
        world.change_members(desk.help, add=people)
        for n, person in enumerate(people):
            if n == 50:
                desk.slack.newsroom.emit("message.channels", poison, world.channels[desk.help.id])
            desk.slack.people.post(person, desk.help, ANGRY)
        await desk.server.settled()
        await desk.link.settle()
        assert len(await desk.parts.store.conversations(limit=1_000)) == 100
        assert any("could not be read" in entry.text for entry in desk.slack.log.posts(desk.fallback.id))


async def test_31_a_reversed_pair_ends_the_same(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        desk.slack.courier.hold()
        first = desk.slack.people.post(desk.sue, desk.help, ANGRY)
        desk.clock.advance(20)
        desk.slack.people.edit(first, ANGRY + " today")
        desk.slack.courier.release("reversed")
        await desk.work()
        case = await desk.slack_case()
        (turn, *_) = await desk.parts.store.turns(case.key)
        assert turn.text is not None
        assert turn.text.endswith("today")


async def test_what_came_before_the_mention_belongs_to_its_case(tmp_path: Path) -> None:
    """A mention whose event is a minute late: Slack tried to deliver it while nobody listened."""
    async with company(tmp_path) as desk:
        await desk.outside.sweep.run()
        before = await desk.writes("just chatting with a colleague here")
        desk.clock.advance(60)
        desk.slack.courier.lose_next(2)
        first = desk.slack.people.post(desk.sue, desk.help, ANGRY)
        await desk.writes("and the status page says all green", thread=first)
        await desk.writes("our board meets tomorrow")
        await desk.writes("I do not have this problem", desk.outsider, thread=first)
        assert await desk.parts.store.conversations() == []
        await desk.outside.sweep.run()
        await desk.later(600)
        (case,) = await desk.parts.store.conversations()
        turns = await desk.parts.store.turns(case.key)
        said = [turn.text for turn in turns if turn.author is Author.CUSTOMER]
        assert said == [
            ANGRY.removeprefix("@hearout "),
            "and the status page says all green",
            "our board meets tomorrow",
        ]
        assert f"{desk.help.id}:{before.ts}" not in {turn.id for turn in turns}
        assert {answer.thread_ts for answer in desk.replies()} == {first.ts}


async def test_35_fifty_threads_at_once_keep_apart(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        people = [desk.slack.world.add_user(f"c{n}") for n in range(50)]
        desk.slack.world.change_members(desk.help, add=people)
        posts = {desk.slack.people.post(person, desk.help, ANGRY).ts: person for person in people}
        await desk.work()
        await desk.later(900)
        answers = desk.replies()
        assert sorted(str(answer.thread_ts) for answer in answers) == sorted(posts)
        assert desk.slack.limits.refused == 0
        for case in await desk.parts.store.conversations(limit=100):
            for turn in await desk.parts.store.turns(case.key):
                ts = turn.id.partition(":")[2]
                root = desk.slack.world.message(desk.help, ts)
                assert posts[root.thread_ts or root.ts].id == case.customer.id


# ---------------------------------------------------------------- unknown outcomes and refusals


@pytest.mark.parametrize(
    ("fault", "calls"),
    [
        (Fault("chat.postMessage", Trouble.LOST_REPLY, nth=1), 1),
        (Fault("chat.postMessage", Trouble.RESET, nth=1), 2),
        (Fault("chat.postMessage", Trouble.FATAL_ERROR, nth=1, done=True), 1),
        (Fault("chat.postMessage", Trouble.INTERNAL_ERROR, nth=1), 2),
        (Fault("chat.postMessage", Trouble.SERVER_ERROR, nth=1, done=True), 1),
        (Fault("chat.postMessage", Trouble.RATE_LIMITED, nth=1, retry_after_s=40), 2),
        (Fault("chat.postMessage", Trouble.RATELIMITED_BODY, nth=1, retry_after_s=40), 2),
    ],
    ids=lambda value: value.trouble.value + str(value.done) if isinstance(value, Fault) else "",
)
async def test_whatever_happens_to_the_answer_the_reply_is_there_once(tmp_path: Path, fault: Fault, calls: int) -> None:
    async with company(tmp_path) as desk:
        said = await desk.writes(ANGRY)
        desk.slack.faults.add(fault)
        await desk.later(600)
        assert desk.slack.faults.unfired() == ()
        (answer,) = desk.replies()
        assert answer.thread_ts == said.ts
        assert desk.slack.calls["chat.postMessage"] == calls
        assert (await desk.slack_case()).replied_at is not None
        assert "customer" not in str(answer.metadata)
        assert desk.sue.id not in str(answer.metadata)


async def test_an_archived_customers_channel_goes_to_a_human(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.writes(ANGRY)
        desk.slack.people.archive(desk.help, desk.outsider)
        await desk.later(600)
        assert (await desk.slack_case()).state is State.AWAITING_AGENT
        assert any("is archived" in message.text for message in desk.thread())


async def test_lanes_share_a_channels_pace(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.writes(ANGRY)
        case = await desk.slack_case()
        assert desk.outside.lane(case, Place.PUBLIC.value) == f"slack:{desk.help.id}"
        assert desk.desk.lane(case) == f"slack:{desk.channel.id}"
        assert desk.outside.lane(case, Place.DIRECT.value) == f"slack:dm:{desk.sue.id}"
