"""Faults and the stream of the local X, as tweepy and a bare reader meet them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator

import aiohttp
import pytest
from tweepy.errors import Forbidden, HTTPException, TooManyRequests, TwitterServerError, Unauthorized  # type: ignore[import-untyped]

from tests.platforms.x import Fault, Kind, ManualClock, XPlatform, signed_headers
from tests.platforms.x.local import Local, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def local(anyio_backend: str) -> AsyncIterator[Local]:
    async with running() as started:
        yield started


# Faults


async def test_a_lost_reply_lands_and_a_reset_does_not(local: Local) -> None:
    local.x.faults.add(Fault(Kind.LOST_REPLY, "POST /2/tweets"), Fault(Kind.RESET, "POST /2/tweets", nth=2))
    for number in range(2):
        with pytest.raises(aiohttp.ClientError):
            await local.client.create_tweet(text=f"Hello {number}", user_auth=True)
    await local.client.create_tweet(text="Hello 2", user_auth=True)
    assert [row.text for row in local.x.accepted] == ["Hello 0", "Hello 2"]
    assert local.x.faults.counts == {Kind.LOST_REPLY: 1, Kind.RESET: 1}
    assert local.x.faults.unfired == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Kind.TOO_MANY, TooManyRequests),
        (Kind.TOO_MANY_BARE, TooManyRequests),
        (Kind.UNAUTHORIZED, Unauthorized),
        (Kind.CREDITS_DEPLETED, HTTPException),
        (Kind.DUPLICATE, Forbidden),
        (Kind.NOT_MENTIONED, Forbidden),
        (Kind.PERMANENT, Forbidden),
        (Kind.NOT_FOUND, HTTPException),
        (Kind.SERVER_ERROR, aiohttp.ContentTypeError),
    ],
)
async def test_refusals_reach_tweepy_as_they_would_from_x(local: Local, kind: Kind, error: type[Exception]) -> None:
    local.x.faults.add(Fault(kind, "POST /2/*"))
    with pytest.raises(error) as refused:
        await local.client.create_tweet(text="Hello", user_auth=True)
    assert not isinstance(refused.value, TwitterServerError)
    assert local.x.accepted == ()
    if kind in (Kind.TOO_MANY, Kind.TOO_MANY_BARE):
        assert isinstance(refused.value, TooManyRequests)
        assert (refused.value.reset_time is None) == (kind is Kind.TOO_MANY_BARE)


async def test_a_5xx_may_have_landed_and_invalid_json_has(local: Local) -> None:
    local.x.faults.add(
        Fault(Kind.SERVER_ERROR, "POST /2/tweets", lands=True), Fault(Kind.INVALID_JSON, "POST /2/tweets", nth=2)
    )
    with pytest.raises(aiohttp.ContentTypeError):
        await local.client.create_tweet(text="One", user_auth=True)
    with pytest.raises(json.JSONDecodeError):
        await local.client.create_tweet(text="Two", user_auth=True)
    assert [row.text for row in local.x.accepted] == ["One", "Two"]


async def test_a_request_lands_late_although_the_client_has_gone() -> None:
    gate, waiting = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await gate.wait()

    async with running(sleep) as local:
        local.x.faults.add(Fault(Kind.LATE, "POST /2/tweets", delay_s=40))
        call = asyncio.create_task(local.client.create_tweet(text="Hello", user_auth=True))
        await waiting.wait()
        call.cancel()
        await asyncio.wait([call])
        assert local.x.accepted == ()
        gate.set()
        for _ in range(100_000):
            if local.x.accepted:
                break
            await asyncio.sleep(0)
    assert [row.text for row in local.x.accepted] == ["Hello"]


def test_a_rate_fires_by_seed_and_never_beyond_its_times() -> None:
    def statuses(seed: int) -> list[int]:
        x = XPlatform(ManualClock(), random.Random(seed))
        x.faults.add(Fault(Kind.NOT_FOUND, "GET /2/users/*", rate=0.3, times=5))
        return [x.handle("GET", "/2/users/me").status for _ in range(100)]

    assert statuses(3).count(404) == 5
    assert statuses(3).count(401) == 95
    assert statuses(3) == statuses(3) != statuses(4)


@pytest.mark.parametrize("kind", list(Kind))
def test_without_sockets_the_answer_says_what_the_connection_has_to_do(kind: Kind) -> None:
    x = XPlatform(ManualClock(), random.Random(1))
    keys = x.world.add_account("brand").credentials
    x.faults.add(Fault(kind, "POST /2/tweets", delay_s=40))
    headers = {"Content-Type": "application/json"}
    headers = signed_headers("POST", "https://api.x.com/2/tweets", keys, x.clock(), headers)
    answer = x.handle("POST", "/2/tweets", "", headers, b'{"text": "Hello"}')
    landed = len(x.accepted)
    if kind is Kind.LATE:
        assert answer.resume
        assert (answer.delay_s, landed) == (40, 0)
        assert answer.resume().status == 201
        assert len(x.accepted) == 1
        return
    assert landed == (kind in (Kind.LOST_REPLY, Kind.DELAY, Kind.INVALID_JSON))
    assert answer.cut == (kind in (Kind.LOST_REPLY, Kind.RESET, Kind.HANG))
    assert answer.delay_s == {Kind.DELAY: 40, Kind.HANG: float("inf")}.get(kind, 0)
    if kind is Kind.ERRORS_ONLY:
        assert answer.status == 200
        assert json.loads(answer.body).keys() == {"errors"}
    assert x.calls[-1].fault == kind
    assert x.faults.unfired == []


# The stream


async def test_the_stream_delivers_what_a_rule_matches_and_keeps_alive(local: Local) -> None:
    bearer = {"Authorization": f"Bearer {local.x.world.bearer_token}"}
    rules = local.base_url + "/2/tweets/search/stream/rules"
    async with local.session.post(rules, json={"add": [{"value": "@brand -is:retweet"}]}, headers=bearer) as response:
        assert response.status == 201
    local.x.settings.keep_alive_s = 0.001
    stream = local.base_url + "/2/tweets/search/stream?tweet.fields=author_id"
    async with local.session.get(stream, headers=bearer) as response:
        assert await response.content.readline() == b"\r\n"
        async with local.session.get(stream, headers=bearer) as second:
            assert second.status == 429
        local.x.world.post(local.ada, "no brand here")
        mention = local.x.world.post(local.ada, "@brand late")
        line = b"\r\n"
        while line == b"\r\n":
            line = await response.content.readline()
        assert json.loads(line)["data"]["id"] == mention.id
        local.x.streams.cut()
        while line:
            line = await response.content.readline()
    assert (await local.raw("GET", "/2/tweets/search/stream"))[0] == 403
