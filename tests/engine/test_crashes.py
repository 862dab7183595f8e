"""The program dies at every named point, is started again on the same file, and goes on: each message is on the wire once.

``Crash`` is no ``Exception``: nothing in the program catches it. From the moment of the crash every further point raises as well,
so that a dead program does nothing more. All objects are dropped, nothing is closed.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import crash_points
from bot.store.port import StoreUnavailable
from conversations.conversation import Agent, Step
from conversations.events import AgentClaimed, AgentEvent, AgentProposedPlan, AgentReplied, AgentResolved, PromiseKept
from conversations.ids import AgentId, PromiseId
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.engine.stage import Crash, Platform, Stage

pytestmark = pytest.mark.anyio
NOOR = Agent(AgentId("U-Noor"), "Noor")
EXPECTED = [
    "acknowledge",
    "reflect",
    "hand_over",
    None,
    "propose_plan",
    "confirm_plan",
    "confirm_resolution",
    "check_back",
    "farewell",
]
NEVER_WAIT = {"silence_s": 1e7, "unclaimed_s": 1e7, "owner_silent_s": 1e7, "follow_up_s": 1e7}
Do = Callable[[Stage], Awaitable[object]]


def posts(number: str, text: str, surface: Surface = Surface.DIRECT) -> Do:
    """The customer's post, which the platform delivers again until it is acknowledged."""
    return lambda stage: stage.post(text, post_id=number, surface=surface)


def acts(number: str, event: Callable[[Stage], AgentEvent]) -> Do:
    """An agent's act, clicked again until something happens."""

    async def act(stage: Stage) -> None:
        await stage.act(event(stage), act_id=number)

    return act


def plan(stage: Stage) -> AgentEvent:
    """A plan of one step."""
    return AgentProposedPlan(agent=NOOR, steps=(Step("send it again", stage.clock.now() + timedelta(days=1)),))


STEPS: list[tuple[timedelta, Do]] = [
    (timedelta(minutes=0), posts("p1", "@brand my internet is down again", Surface.PUBLIC)),
    (timedelta(minutes=40), posts("p2", "the line is dead since Monday, nobody came on Tuesday and I waited all day")),
    (timedelta(minutes=40), posts("p3", "yes exactly. I want it repaired")),
    (timedelta(minutes=40), acts("a1", lambda _stage: AgentClaimed(agent=NOOR))),
    (timedelta(minutes=40), acts("a2", lambda _stage: AgentReplied(agent=NOOR, text="Hello Dana, Noor here."))),
    (timedelta(minutes=40), acts("a3", plan)),
    (timedelta(minutes=40), posts("p4", "ok that works")),
    (timedelta(minutes=40), acts("a4", lambda _stage: PromiseKept(agent=NOOR, promise=PromiseId("1.1")))),
    (timedelta(minutes=40), acts("a5", lambda _stage: AgentResolved(agent=NOOR, done_text="the line was repaired"))),
    (timedelta(days=4), posts("p5", "yes, it works perfectly now, I am happy")),
    (timedelta(minutes=40), posts("p6", "thanks")),
]


class Death:
    """Kills the program at the n-th time a point is reached, and lets nothing happen after it."""

    def __init__(self, point: str, nth: int) -> None:
        self.point = point
        self.left = nth
        self.dead = False
        self.deaths = 0

    def __call__(self, point: str) -> None:
        """A point was reached."""
        if not self.dead and point == self.point:
            self.left -= 1
            self.dead = self.left == 0
            self.deaths += self.dead
        if self.dead:
            raise Crash(point)


@pytest.fixture(autouse=True)
def _no_hook_stays() -> Iterator[None]:
    yield
    crash_points.set_hook(None)


async def live_through(path: Path, death: Death | None) -> Stage:
    """The whole conversation, with the program started again whenever it has died."""
    platform = Platform()
    crash_points.set_hook(None)
    stage = await Stage.open(path, platform=platform, **NEVER_WAIT)
    crash_points.set_hook(death)
    at = stage.clock.now()
    for after, do in STEPS:
        at += after
        while True:
            try:
                await stage.pass_to(at)
                await do(stage)
                await stage.settle()
                if death is None or not death.dead:
                    break
            except (Crash, StoreUnavailable):
                assert death is not None
                assert death.dead
            stage = await restarted(stage, death)
    while True:
        try:
            await stage.minutes(60)
            if death is None or not death.dead:
                return stage
        except (Crash, StoreUnavailable):
            assert death is not None
            assert death.dead
        stage = await restarted(stage, death)


async def restarted(stage: Stage, death: Death | None) -> Stage:
    """Everything in memory is gone; the file is as the dead program left it."""
    for task in list(stage.app.delivery.running):
        task.cancel()
    if death is not None:
        death.dead = False
    while True:
        try:
            return await stage.reopened()
        except (Crash, StoreUnavailable):
            assert death is not None
            death.dead = False


async def said(stage: Stage) -> list[str | None]:
    """What is on the wire, and that the store knows each of it."""
    log = stage.platform.log
    assert max(Counter(post.key for post in log).values()) == 1, "a message was sent twice"
    case = await stage.case()
    turns = {turn.key for turn in await stage.store.turns(case.key) if turn.key}
    assert turns == {post.key for post in log}, "what was sent is not what the store knows"
    assert case.words_out == ()
    assert (case.state, await stage.store.check()) == (State.CLOSED, [])
    return [post.act for post in log]


async def test_without_a_crash_everything_is_said_once(tmp_path: Path):
    stage = await live_through(tmp_path / "calm.db", None)
    assert await said(stage) == EXPECTED
    await stage.store.close()


@pytest.fixture(scope="module")
def reached_in_a_calm_life(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """How often each point is reached when nothing goes wrong."""
    import asyncio

    counts: Counter[str] = Counter()

    async def count() -> None:
        stage = await live_through(tmp_path_factory.mktemp("calm") / "count.db", Counted(counts))
        await stage.store.close()

    asyncio.run(count())
    crash_points.set_hook(None)
    return counts


class Counted(Death):
    """Counts, and kills nothing."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__("", -1)
        self.counts = counts

    def __call__(self, point: str) -> None:
        self.counts[point] += 1


NOT_HERE = {"delivery: before look", "delivery: after look", "store: before open", "store: after open"}
"""Points of a recovery: reached by the second crash, below, or when the store is opened."""


@pytest.mark.parametrize("point", [point for point in crash_points.POINTS if point not in NOT_HERE])
async def test_a_crash_at_each_point_loses_nothing_and_doubles_nothing(
    point: str, tmp_path: Path, reached_in_a_calm_life: Counter[str]
):
    often = reached_in_a_calm_life[point]
    assert often > 0, f"{point} is never reached"
    for nth in sorted({often // 3 or 1, often}):
        death = Death(point, nth)
        stage = await live_through(tmp_path / f"{nth}.db", death)
        assert death.deaths == 1, f"{point}, time {nth}: it did not die"
        assert await said(stage) == EXPECTED, f"{point}, time {nth}"
        crash_points.set_hook(None)
        await stage.store.close()
        del stage
        gc.collect()


@pytest.mark.parametrize("point", ["delivery: before look", "delivery: after look"])
async def test_a_crash_while_it_recovers_from_a_crash(point: str, tmp_path: Path):
    class Twice(Death):
        """Dies right after a send, and again as it reads back."""

        def __call__(self, reached: str) -> None:
            try:
                super().__call__(reached)
            finally:
                if self.deaths == 1 and self.point != point and self.dead:
                    self.point, self.left = point, 1

    death = Twice("delivery: after send", 2)
    stage = await live_through(tmp_path / "twice.db", death)
    assert death.deaths == 2
    assert await said(stage) == EXPECTED
    await stage.store.close()


@pytest.mark.parametrize("fault", ["crash-before", "crash-after"])
@pytest.mark.parametrize("nth", [1, 4, 9])
async def test_a_crash_in_the_middle_of_a_send(fault: str, nth: int, tmp_path: Path):
    class Wire(Death):
        """Plans the fault for the n-th send, and is dead from the crash on."""

        def __call__(self, point: str) -> None:
            if point == "delivery: before send" and not self.dead:
                self.left -= 1
                if self.left == 0:
                    self.platform.faults.append(fault)  # type: ignore[attr-defined]
            if point == "delivery: before report":
                self.dead = False

    platform_death = Wire("", nth)
    original = Stage.open.__func__  # type: ignore[attr-defined]

    async def remember(cls: type[Stage], *args: object, **kwargs: object) -> Stage:
        stage = await original(cls, *args, **kwargs)
        platform_death.platform = stage.platform  # type: ignore[attr-defined]
        return stage

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "open", classmethod(remember))
        stage = await live_through(tmp_path / "wire.db", platform_death)
    assert await said(stage) == EXPECTED
    await stage.store.close()
