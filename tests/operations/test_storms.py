"""A storm is noticed once, and its group is answered with each customer hearing it once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.storms import COUNT_MIN, StormWatch, answer_group, group_of
from conversations.conversation import Agent
from conversations.ids import AgentId
from tests.operations.scene import START, scene

pytestmark = pytest.mark.anyio
NOOR = Agent(AgentId("U1"), "Noor Haddad")


def test_what_is_usual_is_no_storm():
    watch = StormWatch()
    for minutes in range(24 * 60):
        watch.saw("delivery", START + timedelta(minutes=minutes))
    assert watch.storms(START + timedelta(minutes=24 * 60)) == []


def test_a_storm_is_announced_once_an_hour():
    watch = StormWatch()
    for n in range(COUNT_MIN):
        watch.saw("outage", START + timedelta(seconds=n))
    assert [storm.count for storm in watch.storms(START + timedelta(minutes=5))] == [COUNT_MIN]
    assert watch.storms(START + timedelta(minutes=10)) == []
    for n in range(COUNT_MIN):
        watch.saw("outage", START + timedelta(minutes=70, seconds=n))
    assert len(watch.storms(START + timedelta(minutes=75))) == 1


def test_one_too_few_is_no_storm():
    watch = StormWatch()
    for n in range(COUNT_MIN - 1):
        watch.saw("outage", START + timedelta(seconds=n))
    assert watch.storms(START + timedelta(minutes=5)) == []


async def test_a_storm_reaches_the_desk_and_its_group_is_answered_once(tmp_path):
    async with scene(tmp_path) as it:
        for n in range(12):
            await it.post(f"c{n}", f"my parcel is {n + 2} weeks late, it never arrived")
        housekeeping = it.app.worker.housekeeping
        assert housekeeping is not None
        await housekeeping.round()
        assert [kind for _, kind, _ in it.desk.alerts] == ["storm:parcel"]
        elsewhere = StormWatch()
        for _ in range(2):
            await elsewhere.recall(it.app.store, it.clock.now())
            assert [storm.count for storm in elsewhere.blowing(it.clock.now())] == [12], "the store alone tells of it"
        await it.later(minutes=60)
        before = len(it.phone.accepted)
        group = group_of(await it.cases(), "delivery", START)
        assert len(group) == 12
        words = "The depot works again since noon; every parcel leaves by tonight."
        assert await answer_group(it.app.acts, group, NOOR, words, "depot") == 12
        await it.run.settle()
        assert len(it.phone.accepted) == before + 12
        await answer_group(it.app.acts, group, NOOR, words, "depot")
        await it.run.settle()
        assert len(it.phone.accepted) == before + 12


async def test_a_restart_remembers_what_was_opened(tmp_path):
    async with scene(tmp_path) as it:
        for n in range(12):
            await it.post(f"c{n}", f"my parcel is {n + 2} weeks late, it never arrived")
    async with scene(tmp_path) as it:
        watch = StormWatch()
        await watch.recall(it.app.store, it.clock.now())
        assert [storm.topic for storm in watch.storms(it.clock.now())] == ["parcel"]
