"""The report: clocks, outcomes, fairness; and figures for machines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.commands.report import as_csv, reach_of, report
from conversations.conversation import Agent
from conversations.events import AgentClaimed, AgentMerged, AgentReplied, AgentSplit
from conversations.ids import AgentId, ExternalId
from tests.operations.scene import START, scene

pytestmark = pytest.mark.anyio
NOOR = Agent(AgentId("U1"), "Noor Haddad")


async def test_both_clocks_topics_and_fairness(tmp_path):
    async with scene(tmp_path) as it:
        await it.post("small", reach=12)
        await it.post("=cmd()", "my parcel is two weeks late, it never arrived", reach=2_000_000)
        await it.later(hours=1)
        for n, case in enumerate(await it.cases()):
            await it.app.acts.submit(case.key, AgentClaimed(agent=NOOR), f"c{n}")
            await it.app.acts.submit(case.key, AgentReplied(agent=NOOR, text="It leaves by courier at noon."), f"r{n}")
        await it.later(minutes=1)
        document = await report(it.app.store, START - timedelta(days=1), START + timedelta(days=1), 7200)
        assert document["cases"] == document["first_reply_in_time"] == 2
        assert document["human_answer_s"]["n"] == 2
        assert 0 < document["human_answer_s"]["p50"] < 3600
        assert document["by_topic"]["parcel"]["cases"] == 2
        assert set(document["fairness"]["by_reach"]) == {"under 100", "100,000 and more"}
        table = as_csv(document)
        assert len(table.splitlines()) == 3
        assert (await report(it.app.store, START + timedelta(days=1), START + timedelta(days=2), 7200))["cases"] == 0


async def test_a_case_that_was_merged_is_counted_once(tmp_path):
    async with scene(tmp_path) as it:
        await it.post("ann")
        await it.post("ann", "and your shop charged me twice for the lamp")
        await it.later(hours=1)
        (case,) = await it.cases()
        await it.app.acts.submit(case.key, AgentSplit(agent=NOOR, posts=(ExternalId("p2"),)), "split")
        await it.later(minutes=1)
        older, newer = sorted(await it.cases(), key=lambda each: each.key != case.key)
        between = START - timedelta(days=1), START + timedelta(days=1)
        assert (await report(it.app.store, *between, 7200))["cases"] == 2
        await it.app.acts.submit(newer.key, AgentMerged(agent=NOOR, into=older.key), "merge")
        await it.later(minutes=1)
        assert (await report(it.app.store, *between, 7200))["cases"] == 1


def test_a_class_of_reach():
    assert reach_of(None) == "unknown"
    assert reach_of(99) == "under 100"
    assert reach_of(100) == "100 to 999"
    assert reach_of(10**7) == "100,000 and more"


async def test_figures_count_what_happened(tmp_path):
    async with scene(tmp_path) as it:
        await it.post()
        await it.later(minutes=40)
        text = (await it.app.metrics.text(it.app.store, it.clock.now().timestamp())).decode()
        assert 'hearout_deliveries_total{kind="words",status="sent"} 1.0' in text
        assert 'hearout_conversations{state="AWAITING_AGENT"} 1.0' in text
        assert 'hearout_first_reply_seconds_count{channel="playground"} 1.0' in text
        assert 'hearout_decisions_total{trigger="customer_posted"} 1.0' in text
