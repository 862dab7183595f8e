"""Queues: which channel a case goes to, who is rung and when, the second group when nobody answers, and the end of a shift."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.config import Config
from bot.desk.slack import QueuePlace
from bot.live import desk_settings
from conversations.conversation import Customer
from conversations.deadlines import BusinessHours, Span
from conversations.policy import Queue
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.desk.scene import ALWAYS, STORY, Desk, company, policy_of
from tests.platforms.slack.values import Channel, Message

pytestmark = pytest.mark.anyio
MONEY = "You charged my card twice, 49 euros each time, three weeks ago, and nobody answers my e-mails. I want it back."


def layout(desk: Desk, *places: QueuePlace) -> None:
    """Lay the desk's channels out anew."""
    object.__setattr__(desk.desk.settings, "queues", places)
    object.__setattr__(desk.desk.settings, "places", {place.name: place for place in places})


async def hand_off(desk: Desk, text: str, name: str) -> None:
    """A complaint of somebody's, up to the desk."""
    await desk.phone.post(Customer(name, name, name.title()), text, Surface.PUBLIC, name)
    await desk.work()
    await desk.later(901)
    await desk.later(1_801)


def calls(desk: Desk, words: str, channel: Channel | None = None) -> list[Message]:
    """Messages in the first card's thread that say so, in order."""
    return [message for message in desk.thread(desk.card(channel=channel)) if words in message.text]


async def test_each_queue_has_its_channel_and_the_last_takes_the_rest(tmp_path: Path) -> None:
    queues = (Queue(name="money", topics=("billing",), hours=ALWAYS), Queue(name="support", hours=ALWAYS))
    async with company(tmp_path, policy=policy_of(queues=queues)) as desk:
        money = desk.slack.world.add_channel("money", [desk.mia, desk.tom])
        layout(desk, QueuePlace("money", money.id, agents=(desk.agents.id,)), *desk.desk.settings.queues)
        await hand_off(desk, MONEY, "ann")
        await hand_off(desk, STORY, "bob")
        assert "Ann" in str(desk.card(channel=money).blocks)
        assert "Bob" in str(desk.card(channel=desk.channel).blocks)
        assert (len(desk.cards(money)), len(desk.cards(desk.channel))) == (1, 1)


async def test_nobody_takes_it_first_the_group_is_rung_then_the_leads(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        for _ in range(3):
            await desk.later(4_000)
        first, second, *_ = calls(desk, "Nobody has taken")
        assert desk.slack.world.pings(first) [:1] == (f"!subteam^{desk.agents.id}",)
        assert desk.slack.world.pings(second) [:1] == (f"@{desk.lena.id}",)
        assert "Claim" in str(first.blocks)
        await desk.click(desk.tom, "claim", second)
        await desk.work()
        asked = len(calls(desk, "Nobody has taken"))
        await desk.later(40_000)
        assert len(calls(desk, "Nobody has taken")) == asked, "somebody has it"


async def test_outside_its_hours_a_queue_is_quiet_until_it_opens(tmp_path: Path) -> None:
    opens = (datetime.now(UTC) + timedelta(hours=8)).replace(minute=0, second=0, microsecond=0)
    until = (opens + timedelta(hours=3)).time() if opens.hour <= 20 else time(23, 59)
    hours = BusinessHours("UTC", tuple((Span(opens.time(), until),) for _ in range(7)))
    async with company(tmp_path, policy=policy_of(queues=(Queue(name="support", hours=hours),))) as desk:
        await desk.handed_off()
        case = await desk.case()
        assert case.state is State.AWAITING_AGENT
        assert case.answer_due_at is not None
        assert case.answer_due_at > opens, "its clock is working time"
        await desk.later(3_600)
        assert calls(desk, "Nobody has taken") == []
        await desk.later((opens - desk.clock.now()).total_seconds() + 1_000)
        assert len(calls(desk, "Nobody has taken")) == 1


async def test_at_the_end_of_a_shift_every_case_finds_somebody(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        for n, name in enumerate(("ann", "bob", "eve")):
            await hand_off(desk, STORY, name)
            await desk.click(desk.mia, "claim", desk.card(n))
            await desk.work()
        for name, card in (("bob", desk.card(1)), ("eve", desk.card(2))):
            await desk.click(desk.mia, "resolve", card)
            await desk.submit(desk.mia, {"done_text": "It was sent again."})
            await desk.work()
            assert (await desk.case(name)).state is State.RESOLVED
        asked = (await desk.case("eve")).check_back
        assert asked is not None
        await desk.later((asked.due_at - desk.clock.now()).total_seconds() + 1)
        desk.slack.people.open_home(desk.mia)
        await desk.server.settled()
        await desk.link.settle()
        desk.slack.people.click_view(desk.mia, "hearout:end_shift", home=True)
        await desk.server.settled()
        await desk.submit(desk.mia, {"to_agent": desk.tom.id, "note": "the courier calls at noon"})
        await desk.work()
        owner = (await desk.case("ann")).owner
        assert owner is not None
        assert owner.id == desk.tom.id
        for name in ("bob", "eve"):
            case = await desk.case(name)
            assert case.owner is None or case.state is State.CHECKING_BACK
        assert not any("has no meaning" in entry.text for entry in desk.told(desk.mia))


def test_queues_come_from_the_configuration() -> None:
    queues = [
        {"name": "money", "topics": ["billing"], "channel": "C1", "agents": ["S1"], "leads": ["S2"], "on_call": ["U1"]},
        {"name": "support", "agents": ["S3"], "hours": {"mon": "08:00-20:00"}},
    ]
    config = Config.model_validate({"slack": {"desk": {"fallback_channel": "C9", "queues": queues}}})
    first, last = desk_settings(config).queues
    assert first == QueuePlace("money", "C1", ("S1",), ("S2",), ("U1",))
    assert last.channel == "C9", "no channel of its own: the fallback"
    policy = config.domain_policy()
    assert policy.queue_of("en", ("billing",), "", ()).name == "money"
    assert policy.queue_of("en", ("delivery",), "", ()).name == "support"
