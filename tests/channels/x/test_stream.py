"""The filtered stream only brings polls forward; when it hangs it is made anew."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.channels.x.problems import Problem, XError
from bot.channels.x.rounds import Rounds
from bot.channels.x.stream import Stream
from tests.channels.x.rig import Rig, rig

pytestmark = pytest.mark.anyio


async def streaming(r: Rig, silent_s: float = 5.0) -> Stream:
    """A stream of the brand, with the app's token."""
    account = replace(r.line.account, keys=replace(r.line.account.keys, bearer=r.x.world.bearer_token))
    r.settings = replace(r.settings, accounts=(account,))
    await r.restart()
    await r.channel.round()
    return Stream(r.line, r.channel.rounds["brand"], silent_s)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    for _ in range(100_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never held")


def poked(rounds: Rounds) -> bool:
    """Whether a poll was asked for."""
    return rounds.poke.is_set()


async def test_a_post_on_the_stream_asks_for_a_poll_at_once() -> None:
    async with rig() as r:
        stream = await streaming(r)
        rounds = r.channel.rounds["brand"]
        task = asyncio.create_task(stream.listen())
        await until(lambda: stream.connections == 1 and poked(rounds))
        rounds.poke.clear()
        r.says()
        await until(lambda: poked(rounds))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [rule.value for rule in r.x.streams.rules.values()] == ["@brand -is:retweet"]


async def test_a_silent_stream_is_given_up() -> None:
    async with rig() as r:
        stream = await streaming(r, silent_s=0.05)
        r.x.streams.silent = True
        with pytest.raises(XError) as hung:
            await stream.listen()
        assert hung.value.problem is Problem.UNCLEAR
        assert stream.connections == 1


async def test_a_stream_that_ends_is_made_anew_with_one_rule() -> None:
    async with rig() as r:
        stream = await streaming(r)
        for n in (1, 2):
            task = asyncio.create_task(stream.listen())
            await until(lambda n=n: stream.connections == n)  # type: ignore[misc]
            r.x.streams.cut()
            await task
        assert len(r.x.streams.rules) == 1


async def test_without_a_token_it_says_so() -> None:
    async with rig() as r:
        await r.channel.round()
        with pytest.raises(XError, match="bearer"):
            await Stream(r.line, r.channel.rounds["brand"]).listen()
