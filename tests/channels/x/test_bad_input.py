"""What X should never send, and sends: recorded, answered or handed over; never a crash, never a silent drop."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from tests.channels.x.rig import Rig, rig
from tests.platforms.x import Fault, Kind

pytestmark = pytest.mark.anyio
Answers = Callable[[web.BaseRequest], web.Response | None]


@pytest.mark.parametrize(
    "setting",
    ["new_field_names", "unknown_fields", "drop_author_id", "shuffle_rows", "duplicate_rows", "retweets_in_mentions"],
)
async def test_every_malformed_answer_still_gets_everybody_answered_once(setting: str) -> None:
    async with rig() as r:
        setattr(r.x.settings, setting, True)
        r.x.settings.milliseconds = False
        people = [r.x.world.add_user(f"user{n}") for n in range(12)]
        posts = [r.says(f"@brand my parcel {n} is late, this is awful", by=person) for n, person in enumerate(people)]
        await r.advance(900, step_s=60)
        assert len(await r.cases()) == 12
        assert all(len(r.replies_to(post)) == 1 for post in posts)


async def test_10_000_mentions_after_an_outage_are_all_taken_in() -> None:
    async with rig(daily_spend_usd_max=5000.0) as r:
        await r.advance(30)
        people = [r.x.world.add_user(f"user{n}") for n in range(1500)]
        for n in range(10_000):
            r.says(f"@brand {n} hello", by=people[n % 1500])
        r.clock.set(r.now() + timedelta(seconds=60))
        await r.channel.round()
        counts = await r.store.counts()
        assert counts.unread + counts.set_aside == 10_000
        assert "x_backlog" in r.alerts()


async def test_deleted_and_protected_authors() -> None:
    async with rig() as r:
        shy = r.x.world.add_user("shy", protected=True)
        gone = r.x.world.add_user("gone")
        r.says("@brand my parcel is late, awful", by=shy)
        r.says("@brand my parcel is late, awful", by=gone)
        await r.advance(60)
        gone.deleted = True
        await r.advance(900, step_s=60)
        assert r.accepted == []
        assert all(not case.is_open for case in await r.cases())


async def test_a_body_of_a_megabyte_is_one_post() -> None:
    async with rig() as r:
        r.says("@brand my parcel is late, this is awful " + "and late " * 110_000)
        await r.advance(30)
        (turn,) = await r.store.turns((await r.case()).key)
        assert turn.text is not None
        assert len(turn.text) > 900_000


async def test_invalid_json_with_status_200_is_asked_for_again() -> None:
    async with rig() as r:
        r.x.faults.add(Fault(Kind.INVALID_JSON, "GET /2/*", times=6))
        r.says()
        await r.advance(900, step_s=30)
        assert len(r.accepted) == 1


# ---------------------------------------------------------------- another server altogether


@asynccontextmanager
async def elsewhere(r: Rig, answers: Answers) -> AsyncIterator[Rig]:
    """The rig with a server of few routes in the place of X: what ``answers`` leaves out is a 404."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return answers(request) or web.json_response({"title": "Not Found"}, status=404)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        accounts = (replace(r.settings.accounts[0], api_url=f"http://{host}:{port}/sim/", user_id="42"),)
        r.settings = replace(r.settings, accounts=accounts)
        await r.restart()
        yield r
    finally:
        await r.channel.close()
        await runner.cleanup()


def plain_server(rows: list[dict[str, Any]], sent: list[Any], refuse_fields: bool = False) -> Answers:
    """Mentions and posting only: small ids, no headers, no expansions, no pages, no other routes."""

    def answers(request: web.BaseRequest) -> web.Response | None:
        if request.path == "/sim/2/users/42/mentions":
            if refuse_fields and {"tweet.fields", "expansions"} & set(request.query):
                return web.json_response(
                    {"title": "Invalid Request", "detail": "tweet.fields: unknown field"}, status=400
                )
            return web.json_response({"data": rows})
        if request.path == "/sim/2/tweets" and request.method == "POST":
            sent.append(request.path)
            return web.Response(text=json.dumps({"data": {"id": "900"}}), status=201, content_type="text/plain")
        return None

    return answers


@pytest.mark.parametrize("refuse_fields", [False, True])
async def test_a_server_with_few_routes_and_small_ids_is_enough(refuse_fields: bool) -> None:
    sent: list[Any] = []
    async with rig() as r:
        row = {"id": "17", "text": "@brand my parcel is late, this is awful", "created_at": r.now().isoformat()}
        if not refuse_fields:
            row["author_id"] = "7"
        async with elsewhere(r, plain_server([row], sent, refuse_fields)):
            r.line.handle = ""
            await r.advance(900, step_s=60)
            assert len(await r.cases()) == 1
            assert sent == ["/sim/2/tweets"]
            assert r.channel.status()["brand"]["ok"]


async def test_rows_that_cannot_be_read_are_kept_for_a_human_once() -> None:
    async with rig() as r:
        rows: list[Any] = [{"text": "@brand no id at all"}, 7, {"id": {"a": 1}, "text": "strange"}]
        async with elsewhere(r, plain_server(rows, [])):
            await r.advance(120)
            await r.restart()
            await r.advance(120)
            asides = await r.store.asides()
            assert len(asides) == 3
            assert all(entry.reason.startswith("unreadable") for entry in asides)
            assert r.alerts().count("x_unreadable") == 0  # told before the restart, and not again


async def test_an_array_in_place_of_an_object_is_a_failure_and_no_crash() -> None:
    async with rig() as r, elsewhere(r, lambda request: web.json_response([1, 2])):
        await r.advance(600, step_s=60)
        assert "x_channel_down" in r.alerts()
        assert await r.cases() == []
