"""Failures seen in other bots, as numbered in the reliability catalogue: what happens to words of ours on their way."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.store.records import Kind, Status
from conversations.conversation import Agent, Customer
from conversations.effects import Alarm
from conversations.events import AgentClaimed, AgentMutedBot, AgentReleased, AgentReplied
from conversations.ids import AgentId
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.engine.stage import DANA, START, Stage

pytestmark = pytest.mark.anyio
NOOR, BEN = Agent(AgentId("U-Noor"), "Noor"), Agent(AgentId("U-Ben"), "Ben")
DOWN = "@brand my internet is down again"


async def alarms(stage: Stage) -> list[str]:
    """What the desk was called for."""
    return [row.body["alarm"] for row in await stage.calls() if row.kind is Kind.ALARM]


async def test_02_the_reply_is_lost_and_the_post_is_read_back(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("lost")
    await stage.post(DOWN)
    await stage.minutes(10)
    assert (await stage.case()).replied_at is None, "unknown is not said"
    await stage.minutes(15)
    assert [post.act for post in stage.platform.log] == ["acknowledge"]
    assert stage.platform.sends == 1
    assert (await stage.case()).replied_at == stage.platform.log[0].at


async def test_02_what_never_arrived_is_sent_again_after_a_look(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("dropped")
    await stage.post(DOWN)
    await stage.minutes(30)
    assert (stage.platform.sends, stage.platform.looks, len(stage.platform.log)) == (2, 1, 1)
    assert stage.platform.log[0].at - START < timedelta(hours=2)


async def test_03_a_claim_that_runs_out_in_the_middle_of_a_send_is_reconciled_first(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    await stage.post(DOWN)
    await stage.run.engine.decide_due()
    stage.clock.set(START + timedelta(minutes=30))
    await stage.run.engine.decide_due()
    (row,) = await stage.store.claim_deliveries(stage.clock.now(), 30.0, 10)
    case = await stage.case()
    accepted = await stage.channel.send(row, case)  # worker 1 has sent it, and is too slow to say so
    second = await stage.reopened()
    await second.minutes(30)
    assert [post.act for post in stage.platform.log] == ["acknowledge"]
    assert second.platform.looks == 1
    late = stage.app.delivery
    await late.accepted(row, case, accepted)  # worker 1 wakes up: its report is void, and changes nothing
    await second.settle()
    assert len(stage.platform.log) == 1
    assert (await second.case()).replied_at is not None


async def test_16_what_cannot_be_told_goes_to_a_human_within_15_minutes_of_its_rest(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("lost")
    stage.platform.look_faults.extend(["unknown"] * 100)
    await stage.post(DOWN)
    await stage.minutes(9)
    sent_at = stage.platform.log[0].at
    await stage.pass_to(sent_at + timedelta(seconds=600 + 900 + 61))
    assert Alarm.SEND_FAILED in await alarms(stage)
    assert len(stage.platform.log) == 1
    assert (await stage.case()).state is State.AWAITING_AGENT


async def test_a_bug_in_an_adapter_does_not_decide_that_nothing_was_sent(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("bug")
    await stage.post(DOWN)
    await stage.minutes(30)
    assert stage.platform.looks == 1
    assert len(stage.platform.log) == 1


async def test_17_a_limit_frees_the_worker_and_the_row_waits_for_the_reset(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.channel.one_lane = True
    eli = Customer("43", "eli")
    stage.platform.faults.append("limited 840")
    await stage.post(DOWN)
    await stage.minutes(1)
    await stage.post("@brand your internet is down here too, third time this week, awful", eli)
    await stage.minutes(10)
    assert stage.platform.log == []
    assert stage.platform.sends == 1, "the whole lane waits"
    await stage.minutes(15)
    assert {post.customer for post in stage.platform.log} == {"42", "43"}


async def test_17_a_limit_beyond_the_window_is_foreseen_and_told_before_it_breaks(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.channel.one_lane = True
    eli = Customer("43", "eli")
    await stage.post(DOWN, eli)
    await stage.minutes(1)
    await stage.post(DOWN)
    stage.platform.faults.append("limited 14400")
    await stage.minutes(75)
    called = [(row.conversation, row.body["alarm"]) for row in await stage.calls() if row.kind is Kind.ALARM]
    for customer in ("42", "43"):
        key = (await stage.case(customer)).key
        assert {alarm for who, alarm in called if who == key} & {Alarm.FIRST_REPLY_ENDANGERED, Alarm.SEND_FAILED}


async def test_28_tries_used_up_are_told_within_five_minutes(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.extend(["5xx 5"] * 5)
    await stage.post(DOWN)
    await stage.minutes(12)
    (row,) = [row for row in await stage.store.outbox(limit=100) if row.kind is Kind.WORDS]
    assert (row.status, row.attempt) == (Status.FAILED, 5)
    assert Alarm.SEND_FAILED in await alarms(stage)
    assert stage.platform.log == []
    call = next(row for row in await stage.calls() if row.body.get("alarm") == Alarm.SEND_FAILED)
    assert "503" in call.body["facts"]["reason"]
    assert call.body["facts"]["text"]


async def test_33_a_queued_bot_message_is_withdrawn_when_an_agent_replied(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("limited 600")
    await stage.post(DOWN)
    await stage.minutes(10)
    await stage.act(AgentReplied(agent=NOOR, text="Hello Dana, Noor here."))
    await stage.minutes(60)
    assert [(post.act, post.author) for post in stage.platform.log] == [(None, "agent")]


async def test_34_two_agents_answer_at_once_and_the_second_is_asked(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    await stage.post(DOWN)
    await stage.minutes(10)
    await stage.act(AgentClaimed(agent=NOOR))
    await stage.settle()
    case = await stage.case()
    assert (await stage.app.acts.review(case, "Hello", None, NOOR.id)).other_answer is None
    stage.platform.faults.append("limited 600")  # it has not even left
    await stage.act(AgentReplied(agent=NOOR, text="Hello Dana, Noor here."))
    await stage.settle()
    assert (await stage.app.acts.review(case, "Hi there", None, BEN.id)).other_answer == "Noor"
    assert (await stage.app.acts.review(case, "One more thing", None, NOOR.id)).other_answer is None
    await stage.act(AgentReplied(agent=BEN, text="Hi there, Ben here."))
    await stage.settle()
    assert (await stage.app.acts.review(case, "And", None, NOOR.id)).other_answer == "Ben", "the owner is asked as well"
    await stage.minutes(2)
    assert (await stage.app.acts.review(case, "Hi there", None, BEN.id)).other_answer is None


async def test_35_fifty_threads_at_once_and_each_reply_in_its_own(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.channel.one_lane = True
    for n in range(50):
        await stage.post(f"{DOWN}, {n} days now", Customer(f"c{n}", f"name{n}"), post_id=f"t{n}")
    await stage.minutes(30)
    assert Counter(post.customer for post in stage.platform.log) == {f"c{n}": 1 for n in range(50)}
    assert all(post.in_reply_to == f"t{post.customer[1:]}" for post in stage.platform.log)
    texts = [post.text for post in stage.platform.log]
    assert all(one != two for one, two in pairwise(texts)), "no text twice in a row"


async def test_41_deleted_before_the_send_is_not_sent_and_edited_is_read_again(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.extend(["limited 300", "limited 300"])
    eli = Customer("43", "eli")
    await stage.post(DOWN, post_id="one")
    await stage.post(DOWN, eli, post_id="two")
    await stage.minutes(9)
    assert stage.platform.sends == 2
    await stage.delete("one")
    told = "@brand my order 4471 was due on the 3rd, it never arrived and your hotline hung up on me three times"
    await stage.edit("two", told)
    await stage.minutes(60)
    assert [(post.customer, post.act) for post in stage.platform.log] == [("43", "reflect")]
    assert (await stage.case("42")).state is State.CLOSED
    turn = await stage.store.turn((await stage.case("42")).key, "one")
    assert turn is not None
    assert turn.text is None


async def test_41_words_being_sent_as_their_post_is_edited_are_not_said_twice(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("lost")
    await stage.post(DOWN, post_id="one")
    await stage.minutes(9)
    await stage.edit("one", f"{DOWN}!!")
    await stage.minutes(40)
    assert [post.act for post in stage.platform.log] == ["acknowledge"]
    await stage.minutes(60)
    assert (await stage.case()).state is State.AWAITING_AGENT


async def test_a_blocked_customer_is_not_written_to_again(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("blocked")
    await stage.post(DOWN)
    await stage.minutes(300)
    assert (stage.platform.sends, stage.platform.log) == (1, [])
    assert (await stage.case()).state is State.CLOSED


async def test_what_our_rules_forbid_never_leaves_and_is_told(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("forbidden one reply per interaction")
    await stage.post(DOWN)
    await stage.minutes(30)
    (row,) = [row for row in await stage.store.outbox(limit=100) if row.kind is Kind.WORDS]
    assert (row.status, stage.platform.sends) == (Status.REFUSED, 1)
    assert Alarm.SEND_FAILED in await alarms(stage)


async def test_an_agents_words_pass_a_bots_unknown_words(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("lost")
    await stage.post(DOWN, surface=Surface.DIRECT)
    await stage.minutes(6)
    assert stage.platform.sends == 1
    await stage.act(AgentReplied(agent=NOOR, text="Hello Dana, Noor here."))
    await stage.minutes(1)
    assert [post.author for post in stage.platform.log] == ["bot", "agent"]
    await stage.minutes(30)
    assert len(stage.platform.of(DANA.id)) == 2


async def test_words_that_never_arrived_are_not_said_after_all_to_somebody_in_danger(tmp_path: Path):
    """Seed 2299 of the simulation: they came back to the outbox after all of it had been taken back, and left after a claim."""
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("dropped")
    await stage.post(DOWN)
    await stage.minutes(14)
    assert (stage.platform.sends, stage.platform.looks) == (1, 0)
    await stage.post("@brand the router caught fire and burned my hand")
    await stage.minutes(2)
    assert (stage.platform.sends, stage.platform.looks) == (2, 1)
    await stage.act(AgentClaimed(agent=NOOR))
    await stage.minutes(30)
    assert [post.act for post in stage.platform.log] == ["risk_fire"]
    assert Alarm.SEND_FAILED in await alarms(stage)


async def test_words_that_never_arrived_wait_for_the_quiet_of_where_the_customer_writes_now(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.faults.append("dropped")
    await stage.post(DOWN, surface=Surface.DIRECT)
    await stage.minutes(11)
    await stage.post("@brand and it was down yesterday as well", surface=Surface.PUBLIC)
    posted_at = stage.clock.now()
    await stage.minutes(30)
    said = stage.platform.log[0]
    assert (said.act, said.place) == ("acknowledge", "direct")
    assert said.at - posted_at >= timedelta(seconds=stage.policy.quiet_s.public)


@pytest.mark.parametrize("replied", [False, True])
async def test_words_that_never_arrived_are_not_said_after_all_once_a_human_has_answered(replied: bool, tmp_path: Path):
    """Seed 3092 of the simulation: the case was back in the queue, and the bot had yet to acknowledge it."""
    stage = await Stage.open(tmp_path / "db")
    if replied:
        await stage.post(DOWN)
        await stage.minutes(6)
    stage.platform.faults.append("dropped")
    await stage.post("@brand since Monday my internet drops every evening and support never calls back", post_id="p")
    await stage.minutes(7)
    if replied:
        await stage.act(AgentReplied(agent=NOOR, text="Hello Dana, Noor here."))
    else:
        await stage.colleague("Hello Dana, Noor here.", about="p")
    await stage.act(AgentReleased(agent=NOOR))
    await stage.minutes(40)
    assert (await stage.case()).state is State.AWAITING_AGENT
    assert [post.act for post in stage.platform.log if post.author == "bot"] == ["acknowledge"] * replied


@pytest.mark.parametrize("how", ["customer", "agent"])
async def test_words_that_never_arrived_are_not_said_after_all_by_a_bot_that_was_silenced(how: str, tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    await stage.post(DOWN)
    await stage.minutes(6)
    stage.platform.faults.append("dropped")
    await stage.post("@brand since Monday my internet drops every evening and support never calls back")
    await stage.minutes(7)
    assert stage.platform.sends == 2
    if how == "agent":
        await stage.act(AgentMutedBot(agent=NOOR))
    else:
        await stage.post("@brand stop messaging me")
    await stage.minutes(40)
    confirmed = ["opt_out_confirmed"] if how == "customer" else []
    assert [post.act for post in stage.platform.log] == ["acknowledge", *confirmed]
