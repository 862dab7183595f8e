"""How words leave X: once, to the right post, within its limits, and never to somebody who may not be answered."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.port import Accepted, Duplicate, Refused, Rejected, Transient, Unknown, Unreachable
from bot.channels.x.settings import TIMEOUT_S_MAX, XAccount
from bot.store.records import Kind, OutboxRow, Place, Rank, Status
from conversations.conversation import Author, Conversation
from conversations.events import AgentClaimed, AgentReplied
from conversations.ids import EffectKey
from conversations.protocol import State
from tests.channels.x.rig import KIM, Rig, rig, texts
from tests.platforms.x import Fault, Post, Quota, weighted_length
from tests.platforms.x import Kind as Broken

pytestmark = pytest.mark.anyio
SEND = "POST /2/tweets"
SEND_DIRECT = "POST /2/dm_conversations/*"


async def listening(r: Rig, text: str = "@brand my parcel is late, this is awful") -> tuple[Post, Conversation]:
    """A mention that was taken in, and its conversation."""
    post = r.says(text)
    await r.advance(30)
    return post, await r.case()


def words(case: Conversation, text: str, **changes: object) -> OutboxRow:
    """A first reply, ready to be sent."""
    row = OutboxRow(
        key=EffectKey(f"{case.key}:9:0"),
        conversation=case.key,
        channel="x",
        account=case.account,
        lane=f"x:{case.account}:posts",
        place=Place.PUBLIC,
        kind=Kind.WORDS,
        rank=Rank.FIRST_REPLY,
        body={"text": text, "in_reply_to": case.last_turn},
        created_at=case.opened_at,
        author=Author.BOT,
        act="acknowledge",
        status=Status.SENDING,
        attempt=1,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the catalogue


async def test_a_read_back_before_the_first_poll_asks_for_our_own_timeline() -> None:
    async with rig(user_id="") as r:
        _, case = await listening(r)
        row = replace(words(case, "We are sorry about the parcel."), status=Status.UNKNOWN)
        await r.restart()
        assert await r.channel.find_sent(row, case) is None
        assert r.x.calls[-1].path == f"/2/users/{r.brand.id}/tweets"


async def test_a_post_that_is_gone_when_we_answer_takes_our_copy_with_it_at_once() -> None:
    async with rig() as r:
        post, case = await listening(r)
        r.x.world.delete(post)
        with pytest.raises(Rejected, match="gone"):
            await r.channel.send(words(case, "We are sorry about the parcel."), case)
        await r.run.settle()
        (turn,) = await r.store.turns(case.key)
        assert turn.text is None
        assert (await r.case()).state is State.CLOSED


async def test_catalogue_1_a_crash_after_the_send_posts_nothing_twice() -> None:
    async with rig() as r:
        mention, _ = await listening(r)
        await r.advance(240)
        r.clock.set(r.now() + timedelta(seconds=120))
        await r.app.engine.decide_due()
        claimed = await r.store.claim_deliveries(r.now(), 60, 10)
        (row,) = [row for row in claimed if row.kind is Kind.WORDS]
        await r.channel.send(row, await r.case())  # … and the process dies before it reports
        await r.restart()
        await r.advance(3600, step_s=60)
        assert len(r.replies_to(mention)) == 1
        (told,) = await r.rows()
        assert told.status is Status.SENT
        assert told.external_id == r.replies_to(mention)[0].id
        assert "answered_elsewhere" not in await r.alarms()  # the timeline showed it before the outbox knew


async def test_catalogue_2_a_lost_reply_is_read_back_and_is_on_the_wire_once() -> None:
    async with rig() as r:
        r.x.faults.add(Fault(Broken.LOST_REPLY, SEND))
        mention, _ = await listening(r)
        await r.advance(3600, step_s=60)
        assert len(r.replies_to(mention)) == 1
        assert len(r.x.calls_to(SEND)) == 1
        assert (await r.case()).replied_at is not None


async def test_catalogue_16_a_silent_server_is_unknown_within_30_seconds() -> None:
    assert XAccount(name="brand").timeout_s <= TIMEOUT_S_MAX < 30
    async with rig(timeout_s=0.1) as r:
        _, case = await listening(r)
        r.x.faults.add(Fault(Broken.HANG, SEND))
        with pytest.raises(Unknown):
            await r.channel.send(words(case, "We hear you."), case)


async def test_catalogue_17_a_limit_frees_the_worker_and_is_due_at_its_reset_with_jitter() -> None:
    async with rig() as r:
        _, case = await listening(r)
        r.x.limits.quotas[SEND] = (Quota(1),)
        await r.channel.send(words(case, "We hear you."), case)
        r.clock.set(r.now() + timedelta(minutes=1))
        with pytest.raises(Transient) as limited:
            await r.channel.send(words(case, "And again.", key="other", author=Author.AGENT, act=None), case)
        assert limited.value.pause_lane
        assert 14 * 60 < limited.value.retry_after_s <= 14 * 60 + 12
        assert len(r.x.calls_to(SEND)) == 1


async def test_catalogue_18_after_a_20_hour_outage_everybody_is_answered_once_in_order_of_deadline() -> None:
    async with rig() as r:
        await r.advance(30)
        people = [r.x.world.add_user(f"user{n}") for n in range(30)]
        for n, person in enumerate(people):
            at = r.now() + timedelta(minutes=40 * n)
            r.says(f"@brand my parcel {n} is late, awful", by=person, at=at)
        r.clock.set(r.now() + timedelta(hours=20))
        await r.restart()
        await r.advance(3600, step_s=60)
        answered = [row.reply_to_id for row in r.accepted]
        assert len(answered) == len(set(answered)) == 30
        assert answered == sorted(answered, key=lambda id_: int(id_ or 0))
        assert len(await r.cases()) == 30


async def test_catalogue_39_an_auto_responder_gets_so_many_answers_and_then_a_human() -> None:
    async with rig(customer_daily_max=4) as r:
        await r.advance(30)
        for n in range(100):
            r.messages(f"I am away until Monday, my parcel is late. Ticket {n}")
            await r.advance(180, step_s=60)
        direct = [row for row in r.accepted if row.kind == "dm"]
        assert 1 <= len(direct) <= 4
        assert (await r.case()).state is State.AWAITING_AGENT


@pytest.mark.parametrize("broken", [Broken.PERMANENT, Broken.NOT_FOUND, Broken.NOT_MENTIONED])
async def test_catalogue_40_a_permanent_refusal_is_never_retried_and_the_desk_is_told(broken: Broken) -> None:
    async with rig() as r:
        r.x.faults.add(Fault(broken, SEND, times=None))
        await listening(r)
        await r.advance(3 * 3600, step_s=60)
        assert len(r.x.calls_to(SEND)) == 1
        assert "send_failed" in await r.alarms()
        assert (await r.case()).state is State.AWAITING_AGENT


async def test_catalogue_41_a_post_deleted_before_the_reply_is_not_answered() -> None:
    async with rig() as r:
        mention, _ = await listening(r)
        await r.advance(250)
        r.x.world.delete(mention)
        r.clock.set(r.now() + timedelta(seconds=180))  # no poll in between: the look before the reply finds it
        await r.run.settle()
        await r.advance(600)
        assert r.accepted == []
        assert (await r.case()).state is State.CLOSED


async def test_catalogue_41_a_post_edited_before_the_reply_is_read_again_first() -> None:
    async with rig() as r:
        mention, _ = await listening(r)
        await r.advance(250)
        edited = r.x.world.edit(mention, "@brand my parcel is late and now my dog is ill, awful")
        r.clock.set(r.now() + timedelta(seconds=180))
        await r.run.settle()
        await r.advance(900)
        assert [row.reply_to_id for row in r.accepted] == [edited.id]
        assert [row.status for row in await r.rows()] == [Status.WITHDRAWN, Status.SENT]


async def test_catalogue_42_150_cjk_characters_are_split_on_graphemes() -> None:
    async with rig() as r:
        mention, _ = await listening(r)
        await r.act(AgentClaimed(agent=KIM))
        await r.act(AgentReplied(agent=KIM, text="字" * 150))
        await r.advance(60)
        parts = texts(r.accepted)
        assert "".join(parts) == "字" * 150
        assert len(parts) == 2
        assert all(weighted_length(part) <= 280 for part in parts)
        assert r.accepted[0].reply_to_id == mention.id
        assert r.accepted[1].reply_to_id == r.accepted[0].id


async def test_a_bots_text_is_never_split() -> None:
    async with rig() as r:
        _, case = await listening(r)
        with pytest.raises(Rejected, match="too long"):
            await r.channel.send(words(case, "字" * 150), case)
        assert r.accepted == []


@pytest.mark.parametrize(
    "broken", [Broken.LOST_REPLY, Broken.RESET, Broken.TOO_MANY, Broken.SERVER_ERROR, Broken.INVALID_JSON]
)
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_parts_that_were_cut_off_go_on_where_they_stopped(broken: Broken, nth: int) -> None:
    async with rig() as r:
        await listening(r)
        await r.act(AgentClaimed(agent=KIM))
        r.x.faults.add(Fault(broken, SEND, nth=nth))
        text = " ".join(f"Sentence number {n} of what Kim has to say." for n in range(16))
        await r.act(AgentReplied(agent=KIM, text=text))
        await r.advance(3600, step_s=60)
        assert " ".join(texts(r.accepted)) == text
        assert len(r.accepted) == 3
        assert r.x.faults.unfired == []


# ---------------------------------------------------------------- what X's answers mean


async def test_a_duplicate_that_is_not_there_asks_for_other_words_and_one_that_is_counts() -> None:
    async with rig() as r:
        _, case = await listening(r)
        r.x.faults.add(Fault(Broken.DUPLICATE, SEND))
        with pytest.raises(Duplicate):
            await r.channel.send(words(case, "We hear you."), case)
        row = words(case, "We hear you & more.", author=Author.AGENT, act=None)
        sent = await r.channel.send(row, case)
        r.line.known.ours.clear()  # as after a restart
        found = await r.channel.send(row, case)
        assert isinstance(found, Accepted)
        assert found.id == sent.id
        assert len(r.accepted) == 1


async def test_the_read_back_knows_our_words_among_escapes_links_and_names() -> None:
    async with rig(urls_in_public=True) as r:
        _, case = await listening(r)
        text = "Tea & <sympathy>: see https://example.com/help?a=1&b=2 for more"
        row = words(case, text)
        assert await r.channel.find_sent(row, case) is None
        sent = await r.channel.send(row, case)
        r.line.known.ours.clear()
        found = await r.channel.find_sent(row, case)
        assert found is not None
        assert found.id == sent.id
        r.line.known.ours.clear()
        assert await r.channel.find_sent(words(case, "Other words"), case) is None


async def test_blocks_and_shut_messages_reach_nobody() -> None:
    async with rig() as r:
        r.messages("my parcel is late, this is awful")
        await r.advance(70)
        case = await r.case()
        r.ada.blocks.add(r.brand.id)
        row = words(case, "We hear you.", place=Place.DIRECT, lane="x:brand:messages")
        with pytest.raises(Unreachable):
            await r.channel.send(row, case)
        _, public = case, replace(case, public_root="1")
        with pytest.raises(Rejected) as shut:
            await r.channel.send(row, public)
        assert not isinstance(shut.value, Unreachable)


async def test_a_block_in_public_closes_the_case_as_unreachable() -> None:
    async with rig() as r:
        await listening(r)
        await r.advance(240)
        r.x.faults.add(Fault(Broken.RESET, "GET /2/*", times=None))
        r.ada.blocks.add(r.brand.id)
        await r.advance(120)
        assert (await r.case()).state is State.CLOSED
        assert "unreachable" in await r.alarms()


async def test_nothing_listens_is_certainly_not_sent() -> None:
    async with rig() as r:
        _, case = await listening(r)
        r.line.client.tweepy.account = replace(r.line.account, api_url="http://127.0.0.1:9")
        with pytest.raises(Transient):
            await r.channel.send(words(case, "We hear you."), case)


async def test_direct_messages_only_after_the_customer_wrote_one() -> None:
    async with rig() as r:
        _, case = await listening(r)
        with pytest.raises(Refused, match="not opened"):
            await r.channel.send(words(case, "Hello", place=Place.DIRECT, author=Author.AGENT), case)
        assert r.x.calls_to("POST /2/dm_conversations/with/:participant_id/messages") == []


async def test_urgent_first_replies_have_a_reserve_and_direct_messages_are_kept_for_agents() -> None:
    async with rig() as r:
        _, case = await listening(r)
        now = r.now()
        limits = r.line.client.limits
        limits.end(
            SEND,
            {
                "x-rate-limit-limit": "100",
                "x-rate-limit-remaining": "10",
                "x-rate-limit-reset": str(int(now.timestamp()) + 600),
            },
            now,
        )
        with pytest.raises(Transient) as held:
            await r.channel.send(words(case, "Later.", rank=Rank.REST), case)
        assert not held.value.pause_lane
        assert await r.channel.send(words(case, "We hear you."), case)
        assert r.channel.invites_direct(case, now)
        day = {
            "x-user-limit-24hour-limit": "1440",
            "x-user-limit-24hour-remaining": "400",
            "x-user-limit-24hour-reset": str(int(now.timestamp()) + 9999),
        }
        limits.end("POST /2/dm_conversations/with/:id/messages", day, now)
        assert not r.channel.invites_direct(case, now)
        assert r.channel.direct_link(case) is None


async def test_a_limit_that_breaks_the_window_is_told_before_it_does() -> None:
    async with rig() as r:
        r.x.limits.quotas[SEND] = (Quota(2, 6000),)
        for n in range(4):
            r.says(f"@brand my parcel {n} is late, this is awful", by=r.x.world.add_user(f"user{n}"))
        await r.advance(2400, step_s=60)
        assert "first_reply_endangered" in await r.alarms()
        assert len(r.accepted) == 2
        await r.advance(4800, step_s=60)
        assert len(r.accepted) == 4


async def test_the_pause_switch_holds_the_bot_and_not_the_agents() -> None:
    async with rig() as r:
        await r.channel.pause("brand", True)
        mention, _ = await listening(r)
        await r.restart()
        await r.advance(600)
        assert r.accepted == []
        assert (await r.case()).state is State.AWAITING_AGENT
        await r.act(AgentReplied(agent=KIM, text="Hello, Kim here."))
        await r.advance(60)
        assert texts(r.replies_to(mention)) == ["Hello, Kim here."]


async def test_lanes_of_each_account() -> None:
    async with rig("brand", "brandhelp") as r:
        _, case = await listening(r)
        assert r.channel.lane(case, "public") == "x:brand:posts"
        assert r.channel.lane(case, "direct") == "x:brand:messages"
        assert {lane.key for lane in r.channel.lanes} >= {"x:brand:posts", "x:brandhelp:messages"}
        assert next(lane for lane in r.channel.lanes if lane.key == "x:brand:posts").at_once > 1
        with pytest.raises(Rejected, match="no longer configured"):
            await r.channel.send(words(case, "Hello", account="gone"), case)


async def test_a_duplicate_that_is_not_there_is_said_in_the_other_words_once() -> None:
    async with rig() as r:
        _, case = await listening(r)
        r.x.faults.add(Fault(Broken.DUPLICATE, SEND))
        row = words(case, "We hear you.")
        row = replace(row, body={**row.body, "other": "We are listening to you."})
        sent = await r.channel.send(row, case)
        assert sent.text == "We are listening to you."
        assert len(r.accepted) == 1
        r.line.known.ours.clear()  # as after a restart
        found = await r.channel.find_sent(row, case)
        assert found is not None
        assert (found.id, found.text) == (sent.id, sent.text)


async def test_other_words_whose_answer_was_lost_are_ours_and_no_colleagues() -> None:
    """Seed 82360 of the simulation: taken for a colleague's on our timeline, they were not found, and said again."""
    async with rig() as r:
        r.x.faults.add(Fault(Broken.DUPLICATE, SEND), Fault(Broken.LOST_REPLY, SEND, nth=2))
        mention, _ = await listening(r)
        await r.advance(3600, step_s=60)
        assert r.x.faults.unfired == []
        assert len(r.replies_to(mention)) == 1
        assert "answered_elsewhere" not in await r.alarms()
        assert (await r.case()).replied_at is not None


async def test_who_was_paused_before_the_other_words_leaves_them_to_whoever_took_over() -> None:
    """Seed 1340 of the simulation: X's answer was read when the claim had run out, and the words were another sender's."""
    async with rig() as r:
        _, case = await listening(r)
        r.x.faults.add(Fault(Broken.DUPLICATE, SEND))
        row = words(case, "We hear you.", sending_until=r.now() + timedelta(seconds=85))
        row = replace(row, body={**row.body, "other": "We are listening to you."})
        sending = asyncio.create_task(r.channel.send(row, case))
        while not (r.x.faults.fired or sending.done()):  # noqa: ASYNC110 - the platform has no event for it
            await asyncio.sleep(0)
        r.clock.set(r.now() + timedelta(seconds=700))
        with pytest.raises(Unknown, match="claim ran out"):
            await sending
        assert r.accepted == []


async def test_a_message_whose_claim_has_run_out_does_not_leave() -> None:
    async with rig() as r:
        r.messages("my parcel is late, this is awful")
        await r.advance(30)
        case = await r.case()
        row = words(case, "We hear you.", place=Place.DIRECT, sending_until=r.now())
        with pytest.raises(Unknown, match="claim ran out"):
            await r.channel.send(row, case)
        assert r.accepted == []


async def test_when_the_other_words_are_a_duplicate_as_well_the_desk_has_it() -> None:
    async with rig() as r:
        _, case = await listening(r)
        r.x.faults.add(Fault(Broken.DUPLICATE, SEND, times=2))
        row = words(case, "We hear you.")
        row = replace(row, body={**row.body, "other": "We are listening to you."})
        with pytest.raises(Duplicate):
            await r.channel.send(row, case)
        assert r.accepted == []
