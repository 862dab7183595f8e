"""The strict local Slack and the strict local X together: a complaint on X, agents in Slack, up to a satisfied check-back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.x import XChannel, XSettings
from bot.desk.slack import SlackDesk
from bot.store.records import Status
from bot.store.sqlite import SqliteStore
from conversations.comprehension import Reader
from conversations.conversation import Conversation, Outcome
from conversations.policy import Policy
from conversations.protocol import State
from tests.channels.x.rig import STORY, account_for
from tests.desk.scene import Desk, StepClock, company, policy_of
from tests.platforms.x import XPlatform, XServer

pytestmark = pytest.mark.anyio


async def pass_time(desk: Desk, channel: XChannel, seconds: float, step_s: float = 60.0) -> None:
    """Time passes in steps; X is read and everything due is done at each."""
    left = seconds
    while True:
        await channel.round()
        await desk.work(5)
        if left <= 0:
            return
        desk.clock.advance(min(step_s, left))
        left -= step_s


async def case_of(desk: Desk) -> Conversation:
    """The only conversation."""
    (case,) = await desk.parts.store.conversations(limit=10)
    return case


async def test_a_complaint_on_x_is_put_right_from_slack(tmp_path: Path) -> None:
    policy = policy_of(channels={"x": XChannel.traits})
    clocks: list[StepClock] = []  # the company brings it
    x = XPlatform(lambda: clocks[0].now() if clocks else datetime.now(UTC), random.Random(7))
    account, ada = x.world.add_account("brand"), x.world.add_user("ada")
    async with XServer(x) as url:

        def build(store: SqliteStore, clock: StepClock, agents: SlackDesk, chosen: Policy) -> XChannel:
            clocks.append(clock)
            return XChannel(
                XSettings((account_for(account, url),)),
                store=store,
                reader=Reader.default(),
                clock=clock,
                alert=agents.alert,
                policy=lambda: chosen,
                rng=random.Random(5),
            )

        async with company(tmp_path, policy=policy, also=build) as desk:
            channel = desk.parts.channels["x"]
            assert isinstance(channel, XChannel)
            channel.take_in = desk.parts.intake
            await desk.parts.delivery.open()
            x.world.post(ada, STORY)
            await pass_time(desk, channel, 420)
            x.world.dm(
                ada, account.user, "I ordered a kettle on the 3rd, it never came, and I would like my money back please"
            )
            await pass_time(desk, channel, 300)
            x.world.dm(ada, account.user, "Yes exactly, that is right. I want a refund.")
            await pass_time(desk, channel, 300)
            assert (await case_of(desk)).state is State.AWAITING_AGENT
            assert "Ada (@ada)" in str(desk.card().blocks)
            assert "kettle" in str(desk.card().blocks)
            assert "https://x.com/i/web/status/" in str(desk.card().blocks)

            await desk.click(desk.mia, "claim")
            await pass_time(desk, channel, 5)
            await desk.say(desk.mia, "Hello Ada, this is Mia. I have found your order.")
            await pass_time(desk, channel, 60)
            assert [row.text for row in x.accepted][-1] == "Hello Ada, this is Mia. I have found your order."

            await desk.click(desk.mia, "propose_plan")
            due = int((desk.clock.now() + timedelta(days=2)).timestamp())
            plan = {"step1": "The full price goes back to your card", "due1": due, "remedy": "0"}
            await desk.submit(desk.mia, plan)
            await desk.submit(desk.mia, plan)
            await pass_time(desk, channel, 60)
            x.world.dm(ada, account.user, "Yes, I agree, please do that")
            await pass_time(desk, channel, 300)
            assert (await case_of(desk)).state is State.FULFILLING

            await desk.click(desk.mia, "keep_promise")
            await desk.submit(desk.mia)
            await pass_time(desk, channel, 5)
            await desk.click(desk.mia, "resolve")
            await desk.submit(desk.mia, {"done_text": "The refund was made", "check_back_days": "1"})
            await pass_time(desk, channel, 120)
            assert (await case_of(desk)).state is State.RESOLVED
            await pass_time(desk, channel, 4 * 86_400, step_s=7_200)
            assert (await case_of(desk)).state is State.CHECKING_BACK
            x.world.dm(ada, account.user, "Yes, all good now, I am happy. Thank you!")
            await pass_time(desk, channel, 600)
            case = await case_of(desk)
            assert (case.state, case.outcome) == (State.CLOSED, Outcome.SATISFIED)
            assert "Closed" in str(desk.card().blocks)
            assert await desk.rows(Status.FAILED, Status.REJECTED, Status.REFUSED) == []
            assert len({(row.reply_to_id, row.recipient_id, row.text) for row in x.accepted}) == len(x.accepted)
            await channel.close()
