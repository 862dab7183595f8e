"""Failures seen in other bots, as numbered in the reliability catalogue: what comes in, in what order, and what time does."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clock import SystemClock
from bot.desk.acts import ActError
from bot.store.port import StoreUnavailable
from bot.worker import Worker
from conversations.conversation import Agent, Customer, TimerName
from conversations.effects import Alarm
from conversations.events import AgentClaimed, AgentReopened, AgentResolved
from conversations.ids import AgentId
from conversations.protocol import State
from conversations.wording.request import Act
from tests.engine.stage import START, Platform, Stage

pytestmark = pytest.mark.anyio
NOOR = Agent(AgentId("U-Noor"), "Noor")
DOWN = "@brand my internet is down again"
TOLD = "@brand my order 4471 was due on the 3rd, it never arrived and your hotline hung up on me three times"


async def resolved(stage: Stage) -> None:
    """A case that is done."""
    await stage.post(DOWN)
    await stage.minutes(10)
    await stage.act(AgentClaimed(agent=NOOR))
    await stage.settle()
    await stage.act(AgentResolved(agent=NOOR, done_text="the line was repaired"))
    await stage.settle()
    assert (await stage.case()).state is State.RESOLVED


async def test_04_05_eleven_deliveries_of_one_post_have_one_effect(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    arrival = stage.arrival(DOWN)
    taken = [(await stage.take(arrival))[0].new for _ in range(10)]
    taken += [entry.new for entry in await stage.take(arrival, arrival)]
    assert taken == [True] + [False] * 11
    await stage.minutes(30)
    assert (await stage.take(arrival))[0].new is False
    await stage.minutes(30)
    assert [post.act for post in stage.platform.log] == ["acknowledge"]
    case = await stage.case()
    assert (case.turns_count, len(await stage.store.turns(case.key))) == (1, 2)


async def test_06_a_first_delivery_that_was_not_kept_is_processed_when_it_comes_again(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    arrival = stage.arrival(DOWN)
    good = stage.app.intake.route

    def fails(*_arguments: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    stage.app.intake.route = fails  # type: ignore[method-assign,assignment]
    with pytest.raises(StoreUnavailable):
        await stage.take(arrival)
    stage.app.intake.route = good  # type: ignore[method-assign]
    assert (await stage.take(arrival))[0].new
    await stage.minutes(10)
    assert [post.act for post in stage.platform.log] == ["acknowledge"]


async def test_18_after_a_20_hour_outage_one_reply_per_conversation_in_deadline_order(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.channel.one_lane = True
    now = START + timedelta(hours=20)
    stage.clock.set(now)
    backlog = []
    for n in range(12):
        customer = Customer(f"c{n}", f"name{n}")
        posted_at = now - timedelta(minutes=20 + 90 * ((7 * n) % 12))
        backlog.append(stage.arrival(DOWN, customer, post_id=f"t{n}", posted_at=posted_at))
        backlog.append(stage.arrival(f"{DOWN}!", customer, post_id=f"u{n}", posted_at=posted_at + timedelta(minutes=1)))
    await stage.take(*reversed(backlog))
    await stage.minutes(30)
    assert Counter(post.customer for post in stage.platform.log) == {f"c{n}": 1 for n in range(12)}
    posted = {arrival.customer.id: arrival.event.posted_at for arrival in backlog[::2] if arrival.customer}  # type: ignore[union-attr]
    order = [posted[post.customer] for post in stage.platform.log]
    assert order == sorted(order), "the most urgent first"
    late = [row.conversation for row in await stage.calls() if row.body.get("alarm") == Alarm.FIRST_REPLY_ENDANGERED]
    overdue = [key for key, at in posted.items() if now - at >= timedelta(minutes=75)]
    assert len(set(late)) == len(overdue), "each that is past its alarm is told, and no other"


@pytest.mark.parametrize(
    ("resolved_at", "due_at"),
    [
        (datetime(2026, 3, 27, 11, 30), datetime(2026, 3, 30, 12, 30)),  # noqa: DTZ001 - wall time in Berlin
        (datetime(2026, 10, 23, 11, 30), datetime(2026, 10, 26, 10, 30)),  # noqa: DTZ001
        (datetime(2026, 3, 26, 9, 0), datetime(2026, 3, 29, 10, 0)),  # noqa: DTZ001
        (datetime(2026, 10, 22, 8, 0), datetime(2026, 10, 25, 9, 30)),  # noqa: DTZ001
    ],
)
async def test_20_three_days_across_a_change_of_clocks_once_in_the_daytime(
    resolved_at: datetime, due_at: datetime, tmp_path: Path
):
    berlin = ZoneInfo("Europe/Berlin")
    at = resolved_at.replace(tzinfo=berlin).astimezone(UTC)
    stage = await Stage.open(tmp_path / "db", "playground", at=at - timedelta(minutes=10), time_zone="Europe/Berlin")
    await resolved(stage)
    await stage.pass_to(at + timedelta(days=5))
    asked = [post.at for post in stage.platform.log if post.act == Act.CHECK_BACK]
    assert [post.astimezone(berlin).replace(tzinfo=None) for post in asked] == [due_at]


async def test_21_a_clock_that_jumps_a_day_ahead_or_back_makes_no_burst(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    for n in range(5):
        await stage.post(DOWN, Customer(f"c{n}"), post_id=f"t{n}")
    await stage.settle()
    stage.clock.at = START + timedelta(days=1)
    await stage.settle()
    assert Counter(post.customer for post in stage.platform.log) == {f"c{n}": 1 for n in range(5)}
    stage.clock.at = START
    for _ in range(3):
        await stage.settle()
    assert len(stage.platform.log) == 5
    await stage.minutes(120)
    assert Counter(post.customer for post in stage.platform.log) == {f"c{n}": 1 for n in range(5)}


async def test_22_a_timer_of_days_fires_once_however_often_it_is_looked_for(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db", "playground")
    await resolved(stage)
    due = next(timer.due_at for timer in (await stage.case()).timers if timer.name is TimerName.CHECK_BACK)
    while stage.clock.now() < due + timedelta(days=1):
        await stage.minutes(180)
        stage = await stage.reopened()
    asked = [post.at for post in stage.platform.log if post.act == Act.CHECK_BACK]
    assert len(asked) == 1
    assert asked[0] >= due, "never early"


async def test_23_what_a_killed_worker_had_begun_another_finishes(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    await stage.post(DOWN)
    await stage.run.engine.decide_due()
    stage.clock.set(START + timedelta(minutes=10))
    await stage.run.engine.decide_due()
    (row,) = await stage.store.claim_deliveries(stage.clock.now(), 35.0, 10)
    assert row.act == "acknowledge"
    heir = await stage.reopened()
    del stage
    gc.collect()
    await heir.minutes(1)
    assert heir.platform.log == [], "the claim has not run out, or its words rest"
    await heir.minutes(20)
    assert [post.act for post in heir.platform.log] == ["acknowledge"]


class Flaky:
    """A desk that raises in its loop once."""

    def __init__(self, desk: object) -> None:
        self.desk = desk
        self.runs = 0
        self.alerts: list[tuple[str, str]] = []
        self.ran = asyncio.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self.desk, name)

    async def alert(self, kind: str, words: str) -> None:
        self.alerts.append((kind, words))

    async def run(self) -> None:
        self.runs += 1
        if self.runs == 1:
            raise ZeroDivisionError("a handler raised")
        self.ran.set()
        await asyncio.Event().wait()


async def test_25_26_a_loop_that_raised_runs_again_and_the_desk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.worker.RESTART_S", (0.0,))
    stage = await Stage.open(tmp_path / "db")
    desk = Flaky(stage.app.desk)
    worker = Worker(
        stage.store,
        SystemClock(),
        stage.app.engine,
        stage.app.delivery,
        stage.app.channels,
        desk,
        stage.app.worker.decide,  # type: ignore[arg-type]
    )
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(desk.ran.wait(), 30)
    assert desk.runs == 2
    assert desk.alerts == [("loop_failed", "desk: ZeroDivisionError('a handler raised')")]
    worker.stop()
    await asyncio.wait_for(running, 30)


async def test_27_one_poisoned_conversation_and_a_hundred_good_ones(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    read = stage.app.engine.decide

    def decide(claimed: object) -> object:
        if claimed.conversation.customer.id == "poison":  # type: ignore[attr-defined]
            raise ZeroDivisionError("poison")
        return read(claimed)  # type: ignore[arg-type]

    stage.app.engine.decide = decide  # type: ignore[method-assign,assignment]
    for n in range(100):
        await stage.post(DOWN, Customer(f"c{n}"), post_id=f"t{n}")
        if n == 50:
            await stage.post(DOWN, Customer("poison"), post_id="bad")
    await stage.minutes(20)
    assert {post.customer for post in stage.platform.log} == {f"c{n}" for n in range(100)}
    (bad,) = await stage.store.poisoned()
    assert "poison" in bad.error
    assert bad.count > 1
    stage.app.engine.decide = read  # type: ignore[method-assign]
    await stage.minutes(120)
    assert "poison" in {post.customer for post in stage.platform.log}, "once mended, nothing is lost"


async def test_29_the_customer_writes_as_the_check_back_comes_due_and_it_is_dropped(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db", "playground")
    await resolved(stage)
    due = next(timer.due_at for timer in (await stage.case()).timers if timer.name is TimerName.CHECK_BACK)
    await stage.pass_to(due - timedelta(seconds=1))
    stage.clock.set(due)
    await stage.post("it broke again this morning")
    await stage.minutes(60)
    assert Act.CHECK_BACK not in [post.act for post in stage.platform.log]
    case = await stage.case()
    assert case.state is State.WITH_AGENT
    assert case.check_back is None


async def test_29_the_customer_writes_while_the_check_back_waits_in_its_lane(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db", "playground")
    await resolved(stage)
    stage.platform.faults.append("limited 900")
    await stage.minutes(60 * 24 * 3 + 5)
    assert (await stage.case()).state is State.CHECKING_BACK
    await stage.post("it broke again this morning")
    await stage.minutes(60)
    assert [post.act for post in stage.platform.log][-1] == Act.REOPEN
    assert Act.CHECK_BACK not in [post.act for post in stage.platform.log]


async def test_30_two_workers_and_two_messages_of_one_conversation_are_decided_one_after_the_other(tmp_path: Path):
    one = await Stage.open(tmp_path / "db")
    two = await one.reopened()
    await one.post(DOWN)
    await two.post("@brand and the hotline hangs up", post_id="second")
    await asyncio.gather(one.run.engine.decide_due(), two.run.engine.decide_due())
    case = await one.case()
    assert (case.turns_count, case.version) == (2, 2)
    one.clock.set(START + timedelta(minutes=30))
    await asyncio.gather(one.run.engine.decide_due(), two.run.engine.decide_due())
    await asyncio.gather(one.app.delivery.drain(), two.app.delivery.drain())
    await one.app.delivery.settle()
    await two.app.delivery.settle()
    assert len(one.platform.log) == 1


async def test_31_a_pair_delivered_in_reverse_ends_in_the_same_state(tmp_path: Path):
    ends = []
    for n, turned in enumerate((False, True)):
        stage = await Stage.open(tmp_path / f"{n}.db", platform=Platform())
        first = stage.arrival(TOLD, post_id="a", posted_at=START)
        second = stage.arrival("I want my money back", post_id="b", posted_at=START + timedelta(seconds=20))
        stage.clock.set(START + timedelta(seconds=30))
        pair = [second, first] if turned else [first, second]
        pair = [replace(arrival, at=stage.clock.now()) for arrival in pair]
        if turned:
            await stage.take(pair[1])
            await stage.take(pair[0])
        else:
            await stage.take(*reversed(pair))
        await stage.minutes(40)
        case = await stage.case()
        ends.append(
            (case.state, case.wish, case.topics, [turn.id for turn in case.story], [p.act for p in stage.platform.log])
        )
    assert ends[0] == ends[1]


async def test_31_the_later_post_of_an_open_conversation_arrives_first(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    await stage.post(DOWN, post_id="zero")
    await stage.minutes(1)
    later = stage.arrival("@brand and I want my money back", post_id="b", posted_at=START + timedelta(seconds=50))
    earlier = stage.arrival("@brand two days now", post_id="a", posted_at=START + timedelta(seconds=40))
    await stage.take(later)
    await stage.settle()
    await stage.take(earlier)
    await stage.settle()
    case = await stage.case()
    assert [turn.id for turn in case.story] == ["zero", "a", "b"]
    assert case.last_turn == "b"
    await stage.minutes(40)
    assert stage.platform.log[0].in_reply_to == "b"


async def test_32_eight_fragments_get_one_reply_after_quiet_and_never_past_the_window(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    for n in range(8):
        await stage.post(f"{DOWN}, for the {n}th time" if n == 0 else f"@brand and part {n} of it", post_id=f"f{n}")
        await stage.minutes(0.5)
    await stage.minutes(30)
    assert len(stage.platform.log) == 1
    assert stage.platform.log[0].at > START + timedelta(minutes=3.5)
    endless = await Stage.open(tmp_path / "endless.db")
    for n in range(80):
        await endless.post("@brand and another thing…", post_id=f"g{n}")
        await endless.minutes(2)
    first = endless.platform.log[0].at
    assert timedelta(minutes=89) <= first - START <= timedelta(hours=2)


async def test_47_a_writer_locked_for_long_makes_the_others_wait_and_loses_nothing(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    blocker = sqlite3.connect(tmp_path / "db", isolation_level=None)
    blocker.execute("begin immediate")
    waiting = [asyncio.create_task(stage.post(DOWN, Customer(f"c{n}"), post_id=f"t{n}")) for n in range(20)]
    for _ in range(50):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    blocker.execute("rollback")
    blocker.close()
    taken = await asyncio.gather(*waiting)
    assert all(entry.new for (entry,) in taken)
    await stage.minutes(20)
    assert len(stage.platform.log) == 20


async def test_i4_every_deadline_is_met_or_was_told_before(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db")
    stage.platform.outage_until = START + timedelta(hours=4)
    await stage.post(DOWN)
    await stage.minutes(118)
    assert stage.platform.log == []
    alarms = [
        row.created_at
        for row in await stage.calls()
        if row.body.get("alarm") in (Alarm.FIRST_REPLY_ENDANGERED, Alarm.SEND_FAILED)
    ]
    assert alarms
    assert alarms[0] < START + timedelta(hours=2)


async def test_a_case_is_not_reopened_beside_another_open_one(tmp_path: Path):
    stage = await Stage.open(tmp_path / "db", reopen_days=0)
    await stage.post(DOWN, post_id="one")
    await stage.minutes(1)
    await stage.delete("one")
    await stage.minutes(1)
    old = await stage.case()
    assert old.state is State.CLOSED
    await stage.post(DOWN, post_id="two")
    await stage.settle()
    with pytest.raises(ActError, match="newer case"):
        await stage.act(AgentReopened(agent=NOOR), old.key)
    await stage.minutes(5)
    assert await stage.store.poisoned() == []
    found = await stage.store.conversations()
    assert sum(case.is_open for case in found) == 1
