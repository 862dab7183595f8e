"""What the local Slack sends to an app: the real slack_bolt over Socket Mode and over signed HTTP."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack.clock import ManualClock
from tests.platforms.slack.faults import Fault, Trouble
from tests.platforms.slack.interactions import Status
from tests.platforms.slack.log import Did
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.server import SlackServer
from tests.platforms.slack.test_slack_platform import button, modal, section
from tests.platforms.slack.values import SUBSCRIPTIONS, ActRefused, App, Channel, Json, Message, Options, User

pytestmark = pytest.mark.anyio
logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)


@dataclass
class Scene:
    """A company with an app that writes down what it hears."""

    slack: SlackPlatform
    server: SlackServer
    clock: ManualClock
    session: aiohttp.ClientSession
    agent: User
    desk: Channel
    app: AsyncApp
    heard: list[Json] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [str(event.get("text", event.get("subtype"))) for event in self.heard]

    async def card(self) -> Message:
        """A card of the app with a button."""
        blocks = [section("A story"), {"type": "actions", "elements": [button("claim", "c1"), button("go", "c2")]}]
        posted = await self.app.client.chat_postMessage(channel=self.desk.id, text="card", blocks=blocks)
        await self.server.settled()
        return self.slack.world.message(self.desk, posted["ts"])

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.server.pump()
        await self.server.settled()


@asynccontextmanager
async def company(*, events_url: str | None = None, options: Options | None = None) -> AsyncIterator[Scene]:
    clock = ManualClock(datetime.fromtimestamp(int(time.time()), UTC))  # slack_bolt compares signatures with today
    subscribed = App(subscriptions=SUBSCRIPTIONS | {"reaction_added", "channel_rename"})
    slack = SlackPlatform(clock, Random(3), app=subscribed, options=options)
    agent = slack.world.add_user("mia")
    desk = slack.world.add_channel("desk", [agent])
    async with SlackServer(slack, events_url=events_url) as server, aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=slack.world.app.bot_token, base_url=server.api_url, session=session, retry_handlers=[]
        )
        app = AsyncApp(client=client, signing_secret=slack.world.app.signing_secret, process_before_response=True)
        scene = Scene(slack, server, clock, session, agent, desk, app)

        async def hear(event: Json) -> None:
            scene.heard.append(event)

        for kind in ("message", "app_mention", "app_home_opened", "channel_id_changed", "channel_archive"):
            app.event(kind)(hear)
        for kind in ("reaction_added", "channel_rename", "tokens_revoked"):
            app.event(kind)(hear)
        yield scene


@asynccontextmanager
async def connected(scene: Scene, sockets: int = 1) -> AsyncIterator[list[Any]]:
    """The app with this many Socket Mode connections."""
    handlers = [
        cast(Any, AsyncSocketModeHandler)(scene.app, app_token=scene.slack.world.app.app_token, ping_interval=0.1)
        for _ in range(sockets)
    ]
    for count, handler in enumerate(handlers, 1):
        await handler.connect_async()
        await scene.server.sockets_open(count)
    try:
        yield handlers
    finally:
        for handler in handlers:
            await handler.close_async()
        await scene.server.sockets_open(0)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with company() as made:
        yield made


# ---- Socket Mode


async def test_a_mention_arrives_twice_with_one_ts(scene: Scene) -> None:
    async with connected(scene):
        said = scene.slack.people.post(scene.agent, scene.desk, "@hearout it broke")
        await scene.server.settled()
    assert sorted(event["type"] for event in scene.heard) == ["app_mention", "message"]
    assert {event["ts"] for event in scene.heard} == {said.ts}
    assert {event["channel_type"] for event in scene.heard if event["type"] == "message"} == {"channel"}


async def test_everything_that_happens_to_a_message_is_told(scene: Scene) -> None:
    people = scene.slack.people
    stranger = scene.slack.world.add_user("sue", scene.slack.world.add_team("Other"))
    scene.slack.world.change_members(scene.desk, add=[stranger])
    async with connected(scene):
        said = people.post(scene.agent, None, "in private", files=[people.file(scene.agent, "a.png")])
        theirs = people.post(stranger, scene.desk, "see", files=[people.file(stranger, "b.png")])
        edited = people.edit(theirs, "see <this>")
        people.unfurl(theirs)
        people.react(scene.agent, theirs, "eyes")
        people.post(scene.agent, scene.desk, "a reply", thread=theirs)
        people.delete(said)
        people.delete(theirs)
        await scene.server.settled()
    by_subtype = {event.get("subtype", event["type"]): event for event in scene.heard}
    assert {event["files"][0].get("file_access") for event in scene.heard if event.get("subtype") == "file_share"} == {
        None,
        "check_file_info",
    }
    assert edited.text == "see &lt;this&gt;"
    assert by_subtype["message_deleted"]["previous_message"]["text"] == "in private"
    changes = [event["message"] for event in scene.heard if event.get("subtype") == "message_changed"]
    assert [("edited" in change, change.get("subtype")) for change in changes] == [
        (True, "file_share"),
        (True, "file_share"),
        (True, "tombstone"),
    ]
    assert by_subtype["message"]["parent_user_id"] == stranger.id
    assert by_subtype["reaction_added"]["item"]["ts"] == theirs.ts


async def test_what_admins_do_is_told(scene: Scene) -> None:
    people = scene.slack.people
    async with connected(scene):
        moved = people.change_channel_id(people.rename(scene.desk, "desk-2"))
        people.archive(moved, scene.agent)
        people.open_home(scene.agent)
        await scene.server.settled()
        with pytest.raises(ActRefused):
            people.post(scene.agent, moved, "too late")
        people.revoke_tokens()
        await scene.server.settled()
    assert sorted(event["type"] for event in scene.heard) == [
        "app_home_opened",
        "channel_archive",
        "channel_id_changed",
        "channel_rename",
        "tokens_revoked",
    ]
    assert moved.id != scene.desk.id


async def test_a_button_opens_a_modal_whose_submission_is_judged(scene: Scene) -> None:
    slack, people = scene.slack, scene.slack.people

    async def claim(ack: Any, body: Json, client: AsyncWebClient, respond: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(callback_id="reply"))
        await respond(text="Claimed", replace_original=True)
        await ack()

    async def submitted(ack: Any, body: Json) -> None:
        words = body["view"]["state"]["values"]["b"]["words"]["value"]
        if words == "bad":
            await ack(response_action="errors", errors={"b": "Too rude"})
        elif words == "wrong":
            await ack(response_action="errors", errors={"other": "?"})
        elif words == "none":
            await ack({"response_action": "errors", "errors": {}})
        elif words == "next":
            await ack(response_action="update", view=modal("Step 2", callback_id="reply"))
        else:
            await ack()

    scene.app.action("claim")(claim)
    scene.app.view("reply")(submitted)
    async with connected(scene):
        card = await scene.card()
        clicked = people.click(scene.agent, card, "claim")
        await scene.server.settled()
        assert clicked.status is Status.ACKNOWLEDGED
        assert slack.world.message(scene.desk, card.ts).text == "Claimed"
        assert clicked.payload["actions"][0]["value"] == "c1"
        assert clicked.payload["container"]["channel_id"] == scene.desk.id

        for words, status, title in (
            ("bad", Status.ACKNOWLEDGED, "Reply"),
            ("wrong", Status.FAILED, "Reply"),
            ("none", Status.FAILED, "Reply"),
            ("next", Status.ACKNOWLEDGED, "Step 2"),
            ("good", Status.ACKNOWLEDGED, None),
        ):
            sent = people.submit(scene.agent, {"words": words})
            await scene.server.settled()
            shown = slack.views.top(scene.agent.id)
            assert (sent.status, shown and shown.view["title"]["text"]) == (status, title)
            assert sent.errors == {"bad": {"b": "Too rude"}, "wrong": {"other": "?"}}.get(words, {})


async def test_the_client_refuses_what_a_person_cannot_do(scene: Scene) -> None:
    people, slack = scene.slack.people, scene.slack
    async with connected(scene):
        card = await scene.card()
    with pytest.raises(ActRefused, match="no 'missing'"):
        people.click(scene.agent, card, "missing")
    with pytest.raises(ActRefused, match="does not see"):
        people.click(slack.world.add_user("zoe"), card, "claim")
    with pytest.raises(ActRefused, match="installed it"):
        people.command(slack.world.add_user("sue", slack.world.add_team("Other")), None, "/hearout")
    await scene.app.client.views_open(trigger_id=slack.interactions.new_trigger(scene.agent.id), view=modal())
    with pytest.raises(ActRefused, match="required"):
        people.submit(scene.agent)
    with pytest.raises(ActRefused, match="0 to 280"):
        people.submit(scene.agent, {"words": "x" * 281})


async def test_commands_and_shortcuts_are_answered(scene: Scene) -> None:
    async def status(ack: Any, command: Json) -> None:
        await ack(f"All well: {command['text']}")

    async def forward(ack: Any, shortcut: Json, respond: Any) -> None:
        await ack()
        scene.heard.append({"type": "shortcut", "text": shortcut["message"]["text"]})
        for _ in range(5):
            await respond("five times")
        scene.heard.append({"type": "shortcut", "text": str((await respond("six")).status_code)})

    scene.app.command("/hearout")(status)
    scene.app.shortcut("send")(forward)
    async with connected(scene):
        scene.slack.people.command(scene.agent, scene.desk, "/hearout", "status")
        said = scene.slack.people.post(scene.agent, scene.desk, "my words")
        await scene.server.settled()
        scene.slack.people.message_shortcut(scene.agent, said, "send")
        await scene.server.settled()
    told = scene.slack.log.of(Did.EPHEMERAL)
    assert [(entry.via, entry.text) for entry in told] == [("ack", "All well: status")] + [
        ("response_url", "five times")
    ] * 5
    assert scene.texts[-2:] == ["my words", "404"]


async def test_a_lost_answer_of_a_response_url_did_its_work(scene: Scene) -> None:
    scene.slack.faults.add(Fault("response_url", Trouble.LOST_REPLY, nth=1))
    url = scene.slack.interactions.new_response_url(scene.desk.id, scene.agent.id)
    with pytest.raises(aiohttp.ClientError):
        await scene.session.post(url, json={"text": "once"})
    scene.clock.advance(1_801)
    async with scene.session.post(url, json={"text": "late"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")
    assert [entry.text for entry in scene.slack.log.of(Did.EPHEMERAL)] == ["once"]


async def test_an_unanswered_click_fails_and_an_unanswered_event_is_retried(scene: Scene) -> None:
    gate = asyncio.Event()

    async def slow(ack: Any) -> None:
        await gate.wait()
        await ack()

    scene.app.action("claim")(slow)
    courier = scene.slack.courier
    async with connected(scene):
        clicked = scene.slack.people.click(scene.agent, await scene.card(), "claim")
        await scene.server.until(lambda: len(courier.attempts) == 2)
        assert clicked.status is Status.PENDING
        scene.slack.sockets.route().deaf = True  # type: ignore[union-attr]
        scene.slack.people.post(scene.agent, scene.desk, "anybody?")
        await scene.server.until(lambda: len(courier.attempts) == 3)
        await scene.server.pump()
        scene.clock.advance(3.1)
        next(iter(scene.slack.sockets.open.values())).deaf = False
        await scene.pass_time(0)
        assert (clicked.status, clicked.failure) == (Status.FAILED, "timeout")
        assert scene.texts == ["anybody?"]
        last = courier.attempts[-1]
        assert (last.retry_num, last.retry_reason) == (1, "timeout")
        assert last.delivery is courier.attempts[-2].delivery
        assert last.envelope_id != courier.attempts[-2].envelope_id
        gate.set()
    assert clicked.failure == "timeout"


async def test_events_may_come_reversed_many_times_or_never(scene: Scene) -> None:
    people, courier = scene.slack.people, scene.slack.courier
    async with connected(scene, sockets=2):
        courier.hold()
        for text in ("one", "two", "three"):
            people.post(scene.agent, scene.desk, text)
        courier.release([2, 0, 0, 1])
        await scene.server.settled()
        courier.duplicate_next(11)
        people.post(scene.agent, scene.desk, "again")
        courier.lose_next(1)
        people.post(scene.agent, scene.desk, "lost")
        await scene.server.settled()
    assert sorted(scene.texts) == ["again"] * 11 + ["one", "one", "three", "two"]
    sent = [attempt.delivery.payload["event"]["text"] for attempt in courier.attempts[:4]]
    assert sent == ["three", "one", "one", "two"]
    history = await scene.app.client.conversations_history(channel=scene.desk.id)
    assert history["messages"][0]["text"] == "lost"


async def test_without_a_socket_events_wait_a_minute_and_five_and_are_dropped(scene: Scene) -> None:
    scene.slack.people.post(scene.agent, scene.desk, "early")
    scene.slack.people.post(scene.agent, scene.desk, "early too")
    await scene.server.settled()
    for seconds in (60, 300, 300):
        await scene.pass_time(seconds)
    assert [attempt.retry_num for attempt in scene.slack.courier.attempts] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(scene.slack.courier.dropped) == 2


async def test_a_warned_socket_reconnects_and_a_dead_ticket_does_not_until_it_is_forgotten(scene: Scene) -> None:
    hub = scene.slack.sockets
    async with connected(scene) as handlers:
        client = handlers[0].client
        first = next(iter(hub.open.values()))
        await scene.server.warn(first)
        await scene.server.until(lambda: hub.handshakes == 2 and len(hub.open) == 1)

        await scene.server.hang_up(next(iter(hub.open.values())), abort=True)
        await scene.server.until(lambda: hub.handshakes == 3 and len(hub.open) == 1)

        client.logger = logging.getLogger("quiet")
        client.logger.disabled = True
        hub.kill_tickets(coming=1_000)
        await scene.server.hang_up(next(iter(hub.open.values())))
        await scene.server.until(lambda: hub.refused >= 2)
        hub.kill_tickets()
        asked = scene.slack.calls["apps.connections.open"]
        refused = hub.refused
        await scene.server.until(lambda: hub.refused >= refused + 2)
        assert scene.slack.calls["apps.connections.open"] == asked  # the same dead URL, for ever
        client.wss_uri = None
        await scene.server.until(lambda: hub.handshakes == 4 and len(hub.open) == 1)


async def test_a_half_open_socket_answers_no_ping(scene: Scene) -> None:
    async with connected(scene):
        socket = next(iter(scene.slack.sockets.open.values()))
        await scene.server.until(lambda: socket.pings >= 2)
        socket.half_open = True
        handshakes = scene.slack.sockets.handshakes
        scene.slack.people.post(scene.agent, scene.desk, "into the void")
        await scene.server.until(lambda: len(scene.slack.courier.attempts) == 1)
        await scene.server.until(lambda: scene.slack.sockets.handshakes > handshakes)  # the SDK's heartbeat noticed
        assert scene.heard == []
        await scene.pass_time(3.1)
        assert scene.texts == ["into the void"]


async def test_an_eleventh_socket_is_sent_away(scene: Scene) -> None:
    hub = scene.slack.sockets
    scene.slack.world.options = hub.options = replace(Options(), sockets_max=1)
    async with connected(scene):
        url = await scene.app.client.apps_connections_open(app_token=scene.slack.world.app.app_token)
        async with scene.session.ws_connect(url["url"]) as extra:
            assert json.loads(await extra.receive_str())["reason"] == "too_many_websockets"
        await scene.server.sockets_open(1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await scene.session.ws_connect(url["url"])


async def test_hello_names_the_app_and_pings_come(scene: Scene) -> None:
    url = await scene.app.client.apps_connections_open(app_token=scene.slack.world.app.app_token)
    async with scene.session.ws_connect(url["url"], autoping=False) as wire:
        hello = json.loads(await wire.receive_str())
        assert (hello["type"], hello["connection_info"]["app_id"]) == ("hello", scene.slack.world.app.id)
        await scene.server.ping()
        assert (await wire.receive()).type is aiohttp.WSMsgType.PING


# ---- HTTP mode


@asynccontextmanager
async def http_company() -> AsyncIterator[Scene]:
    """The same app behind a URL: what Slack posts goes to slack_bolt as it is."""
    scene: Scene | None = None

    async def receive(request: web.Request) -> web.Response:
        assert scene is not None
        headers: dict[str, str | Sequence[str]] = {name: [value] for name, value in request.headers.items()}
        answer = await scene.app.async_dispatch(AsyncBoltRequest(body=await request.text(), headers=headers))
        kept = {name: values[0] for name, values in answer.headers.items() if name.lower() != "content-type"}
        kind = answer.first_headers_without_set_cookie().get("content-type", "text/plain").partition(";")[0]
        return web.Response(status=answer.status, text=answer.body, headers=kept, content_type=kind)

    application = web.Application()
    application.router.add_post("/slack/events", receive)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        async with company(events_url=url) as scene:
            yield scene
    finally:
        await runner.cleanup()


async def test_signed_posts_are_taken_and_forged_ones_refused() -> None:
    async with http_company() as scene:
        assert await scene.server.verify_url()
        scene.slack.people.post(scene.agent, scene.desk, "hello")
        await scene.server.settled()
        assert scene.texts == ["hello"]
        body = json.dumps(scene.slack.courier.attempts[0].delivery.payload).encode()
        url = str(scene.server.events_url)
        for extra in (
            {"X-Slack-Signature": "v0=00"},
            {"X-Slack-Request-Timestamp": str(int(time.time()) - 400)},
            {"X-Slack-Signature": ""},
        ):
            status, _, _ = await scene.server.post_signed(url, body, "application/json", extra)
            assert status == 401
        assert (await scene.server.post_signed(url, body, "application/json"))[0] == 200  # a replay in time is valid
        assert scene.texts == ["hello", "hello"]


async def test_clicks_commands_and_submissions_over_http() -> None:
    async with http_company() as scene:

        async def claim(ack: Any, body: Json, client: AsyncWebClient) -> None:
            scene.clock.advance(4)
            with pytest.raises(SlackApiError, match="expired_trigger_id"):
                await client.views_open(trigger_id=body["trigger_id"], view=modal(callback_id="reply"))
            await ack()

        async def status(ack: Any) -> None:
            await ack(text="All well", response_type="in_channel")

        async def submitted(ack: Any) -> None:
            await ack(response_action="errors", errors={"b": "no"})

        scene.app.action("claim")(claim)
        scene.app.command("/hearout")(status)
        scene.app.view("reply")(submitted)
        card = await scene.card()
        scene.slack.people.command(scene.agent, scene.desk, "/hearout")
        await scene.server.settled()
        assert scene.slack.log.posts()[-1].text == "All well"
        trigger = scene.slack.interactions.new_trigger(scene.agent.id)
        await scene.app.client.views_open(trigger_id=trigger, view=modal(callback_id="reply"))
        sent = scene.slack.people.submit(scene.agent, {"words": "x"})
        await scene.server.settled()
        assert sent.errors == {"b": "no"}
        clicked = scene.slack.people.click(scene.agent, card, "claim")
        await scene.server.settled()
        assert (clicked.status, clicked.failure) == (Status.FAILED, "timeout")  # acknowledged too late


async def test_a_failing_handler_is_asked_again_with_the_reason() -> None:
    async with http_company() as scene:
        seen: list[tuple[str, str]] = []

        async def flaky(event: Json, request: AsyncBoltRequest) -> None:
            numbers = request.headers.get("x-slack-retry-num", ["0"])
            seen.append((numbers[0], request.headers.get("x-slack-retry-reason", [""])[0]))
            if len(seen) < 3:
                raise RuntimeError("database is away")

        scene.app._async_listeners.clear()
        scene.app.event("message")(flaky)
        scene.slack.people.post(scene.agent, scene.desk, "hello")
        await scene.server.settled()
        assert seen == [("0", ""), ("1", "http_error")]
        await scene.pass_time(59)
        assert len(seen) == 2
        await scene.pass_time(1)
        assert seen[2:] == [("2", "http_error")]
        await scene.pass_time(300)
        assert len(seen) == 3
        assert len(scene.slack.courier.acknowledged) == 1
