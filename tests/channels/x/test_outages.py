"""X turns us away, is silent, or answers nonsense: the desk hears of it, the cursor stays, and nothing storms."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.x import XChannel, XKeys
from tests.channels.x.rig import Rig, rig
from tests.platforms.x import Fault, Kind, Permission

pytestmark = pytest.mark.anyio
MENTIONS = "GET /2/users/:id/mentions"


async def test_catalogue_13_wrong_credentials_are_told_within_5_minutes_and_the_cursor_stays() -> None:
    async with rig() as r:
        await r.advance(60)
        r.says()
        await r.advance(60)
        cursor = await r.cursor()
        r.brand.revoked = True
        calls = len(r.x.calls)
        await r.advance(300)
        assert "x_credentials" in r.alerts()
        assert await r.cursor() == cursor
        assert len(r.x.calls) - calls <= 4
        r.brand.revoked = False
        bob = r.says(by=r.x.world.add_user("bob"))
        await r.advance(1500, step_s=60)
        assert len(await r.cases()) == 2
        assert len(r.replies_to(bob)) == 1
        assert "x_back" in r.alerts()


async def test_catalogue_14_two_workers_need_no_token_refreshed() -> None:
    """OAuth 1.0a tokens do not expire: two workers sign side by side, and nobody ever asks for a token."""
    async with rig() as r:
        other = XChannel(
            r.settings,
            take_in=r.app.intake,
            store=r.store,
            reader=r.channel.doors.reader,
            clock=r.clock,
            alert=r.desk.alert,
        )
        try:
            await asyncio.gather(r.channel.round(), other.round())
        finally:
            await other.close()
        assert r.x.auth_failures == []
        assert not [call for call in r.x.calls if "oauth" in call.path]


async def test_catalogue_15_403_everywhere_is_one_alert_and_no_storm() -> None:
    async with rig() as r:
        await r.advance(60)
        r.x.faults.add(Fault(Kind.PERMANENT, "*", times=None))
        calls = len(r.x.calls)
        await r.advance(3600, step_s=60)
        assert r.alerts().count("x_channel_down") == 1
        assert len(r.x.calls) - calls <= 20
        assert r.channel.status()["brand"]["ok"] is False


async def test_no_credits_stops_everything_and_asks_again_now_and_then() -> None:
    async with rig() as r:
        r.says()
        await r.advance(120)
        r.x.world.credits_depleted = True
        calls = len(r.x.calls)
        await r.advance(3000, step_s=60)
        assert "x_credits" in r.alerts()
        assert len(r.x.calls) - calls <= 8
        r.x.world.credits_depleted = False
        await r.advance(1800, step_s=60)
        assert len(r.accepted) == 1


async def test_a_server_that_fails_is_told_within_5_minutes() -> None:
    async with rig() as r:
        await r.advance(60)
        r.x.faults.add(Fault(Kind.SERVER_ERROR, MENTIONS, times=None))
        await r.advance(330)
        assert "x_channel_down" in r.alerts()
        assert len(r.x.calls_to(MENTIONS)) < 15


async def test_missing_keys_of_one_account_do_not_hold_up_the_other() -> None:
    async with rig("brand", "brandhelp") as r:
        first, second = r.settings.accounts
        r.settings = replace(r.settings, accounts=(first, replace(second, keys=XKeys())))
        await r.restart()
        r.says("@brand @brandhelp my parcel is late, this is awful")
        await r.advance(600)
        assert len(r.accepted) == 1
        assert "x_credentials" in r.alerts()
        assert not r.channel.status()["brandhelp"]["ok"]


async def test_check_says_what_is_wrong_and_what_to_do() -> None:
    async with rig("brand", "second", "third") as r:
        assert await r.channel.check() == []
        r.x.world.accounts[r.settings.accounts[1].user_id].revoked = True
        r.x.world.accounts[r.settings.accounts[2].user_id].permission = Permission.WRITE
        found = await r.channel.check()
        assert len(found) == 2
        assert "x.accounts.second" in found[0]
        assert "check the four keys" in found[0]
        assert "x.accounts.third" in found[1]
        assert "Read and write and Direct message" in found[1]
        accounts = r.settings.accounts
        r.settings = replace(r.settings, accounts=(replace(accounts[0], user_id="42", automated_label=False),))
        await r.restart()
        assert "user_id says 42" in (await r.channel.check())[0]


async def test_run_survives_and_polls_when_it_is_poked() -> None:
    async with rig() as r:
        await r.advance(30)
        task = asyncio.create_task(r.channel.run())
        post = r.says()
        r.clock.set(r.now() + timedelta(seconds=60))
        rounds = r.channel.rounds["brand"]
        await until(r, lambda: r.line.polled_at == r.now())
        assert (await r.store.counts()).unread == 1
        rounds.poke.set()
        await until(r, lambda: not rounds.poke.is_set())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert r.line.known.get(post.id) is not None


async def until(r: Rig, holds: object) -> None:
    """Let the loop turn until something holds."""
    for _ in range(10_000):
        if holds():  # type: ignore[operator]
            return
        await asyncio.sleep(0)
    raise AssertionError("it never held")
