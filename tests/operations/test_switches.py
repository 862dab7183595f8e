"""Pause, shadow mode, held topics and terms: what leaves, what waits, and who is told."""

from __future__ import annotations

import pytest

from bot.config import Config
from conversations.conversation import Agent
from conversations.events import AgentClaimed, AgentReplied
from conversations.ids import AgentId
from conversations.protocol import State
from tests.operations.scene import scene

pytestmark = pytest.mark.anyio
NOOR = Agent(AgentId("U1"), "Noor Haddad")


async def alarms(it) -> list[str]:
    return [row.body["alarm"] for row in await it.rows("alarm")]


async def test_a_paused_bot_says_nothing_and_the_desk_has_the_words(tmp_path):
    async with scene(tmp_path) as it:
        await it.app.switches.turn("Lena", paused="by Lena")
        await it.post()
        await it.later(minutes=30)
        (case,) = await it.cases()
        assert case.state is State.AWAITING_AGENT
        assert it.phone.accepted == {}
        failed = [row for row in await it.rows("alarm") if row.body["alarm"] == "send_failed"]
        assert "paused" in failed[0].body["facts"]["reason"]
        assert failed[0].body["facts"]["text"]


async def test_an_agents_words_go_out_while_the_bot_is_paused(tmp_path):
    async with scene(tmp_path) as it:
        await it.app.switches.turn("Lena", paused="by Lena")
        await it.post()
        (case,) = await it.cases()
        await it.app.acts.submit(case.key, AgentClaimed(agent=NOOR), "a1")
        await it.app.acts.submit(case.key, AgentReplied(agent=NOOR, text="I am looking into it until noon."), "a2")
        await it.run.settle()
        assert len(it.phone.accepted) == 1


async def test_a_switch_outlives_a_restart(tmp_path):
    async with scene(tmp_path) as it:
        await it.app.switches.turn("Lena", paused="by Lena", held_topics=("delivery",))
    async with scene(tmp_path) as it:
        await it.app.switches.load()
        assert it.app.switches.now.paused == "by Lena"
        assert it.app.policy.held_topics == ("delivery",)
        entries = await it.app.store.audits()
        assert any(entry["actor"] == "Lena" for entry in entries)


async def test_shadow_mode_sends_nothing_at_all(tmp_path):
    config = Config.model_validate({"brand": {"shadow": True}})
    async with scene(tmp_path, config) as it:
        await it.post()
        await it.later(minutes=10)
        (case,) = await it.cases()
        await it.app.acts.submit(case.key, AgentClaimed(agent=NOOR), "a1")
        await it.app.acts.submit(case.key, AgentReplied(agent=NOOR, text="You have my answer by noon."), "a2")
        await it.later(hours=3)
        assert it.phone.accepted == {}
        reasons = [row.body["facts"]["reason"] for row in await it.rows("alarm") if row.body["alarm"] == "send_failed"]
        assert len(reasons) == 2
        assert all("shadow mode" in reason for reason in reasons)


async def test_a_held_topic_waits_for_a_human_and_the_alarm_comes_before_the_window_ends(tmp_path):
    async with scene(tmp_path) as it:
        await it.app.switches.turn("Lena", held_topics=("delivery",))
        await it.post()
        await it.later(minutes=30)
        (case,) = await it.cases()
        assert (case.state, case.replied_at) == (State.LISTENING, None)
        assert await alarms(it) == ["first_reply_held"]
        await it.later(minutes=46)
        assert "first_reply_endangered" in await alarms(it)
        await it.app.switches.turn("Lena", held_topics=())
        await it.later(minutes=6)
        (case,) = await it.cases()
        assert case.replied_at is not None
        assert len(it.phone.accepted) == 1


async def test_a_held_term_waits_whatever_the_topic(tmp_path):
    config = Config.model_validate({"wording": {"held_terms": ["Crash at Elm Street"]}})
    async with scene(tmp_path, config) as it:
        await it.post(text="my order was on the lorry in the crash at elm street and has not come in three weeks")
        await it.post("bob")
        await it.later(minutes=30)
        waiting = {case.customer.id: case.replied_at for case in await it.cases()}
        assert waiting["ann"] is None
        assert waiting["bob"] is not None
