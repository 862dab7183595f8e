"""The Web API of the local Slack, driven by the real slack_sdk."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import ActionsBlock, ButtonElement, SectionBlock
from slack_sdk.models.metadata import Metadata
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack.clock import ManualClock
from tests.platforms.slack.faults import Fault, Trouble
from tests.platforms.slack.log import Did
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.server import SlackServer
from tests.platforms.slack.values import ActRefused, App, Channel, Json, Options, User

pytestmark = pytest.mark.anyio


@dataclass
class Scene:
    """A small company: one agent, one channel, the app in it, and the SDK's client."""

    slack: SlackPlatform
    server: SlackServer
    clock: ManualClock
    client: AsyncWebClient
    session: aiohttp.ClientSession
    agent: User
    desk: Channel


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock = ManualClock()
    slack = SlackPlatform(clock, Random(7), app=App(redirect_uris=("http://127.0.0.1:1/back",)))
    agent = slack.world.add_user("mia")
    desk = slack.world.add_channel("desk", [agent])
    async with SlackServer(slack) as server, aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=slack.world.app.bot_token, base_url=server.api_url, session=session, retry_handlers=[], timeout=5
        )
        yield Scene(slack, server, clock, client, session, agent, desk)


async def refusal(call: Awaitable[Any]) -> str:
    """The error that Slack names; fails when it accepts."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(name: str = "claim", value: str = "1") -> Json:
    return {"type": "button", "action_id": name, "value": value, "text": {"type": "plain_text", "text": "Claim"}}


async def test_a_post_is_stored_logged_once_and_read_back_with_its_metadata(scene: Scene) -> None:
    metadata = Metadata(event_type="hearout", event_payload={"outbox": "o1"})
    posted = await scene.client.chat_postMessage(channel=scene.desk.id, text="a < b & <@U1>", metadata=metadata)
    assert posted["message"]["text"] == "a &lt; b &amp; <@U1>"
    assert len(scene.slack.log.posts_with("outbox", "o1")) == 1

    plain = await scene.client.conversations_history(channel=scene.desk.id)
    full = await scene.client.conversations_history(channel=scene.desk.id, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"]["event_payload"] == {"outbox": "o1"}
    auth = await scene.client.auth_test()
    assert (auth["team_id"], auth["bot_id"]) == (scene.slack.world.team.id, scene.slack.world.app.bot_id)


async def test_places_that_refuse_a_post(scene: Scene) -> None:
    world, people, client = scene.slack.world, scene.slack.people, scene.client
    outside = world.add_channel("outside", [scene.agent], bot=False)
    secret = world.add_channel("secret", [scene.agent], bot=False, private=True)
    old = people.archive(world.add_channel("old", [scene.agent]), scene.agent)
    post = client.chat_postMessage
    assert await refusal(post(channel="C404", text="x")) == "channel_not_found"
    assert await refusal(post(channel=outside.id, text="x")) == "not_in_channel"
    assert await refusal(post(channel=secret.id, text="x")) == "channel_not_found"
    assert await refusal(post(channel=old.id, text="x")) == "is_archived"
    assert await refusal(client.api_call("chat.postMessage", json={"channel": scene.desk.id, "text": " "})) == "no_text"
    assert (
        await refusal(post(channel=scene.desk.id, text="x", metadata={"event_type": "t"})) == "invalid_metadata_schema"
    )
    assert await refusal(post(channel=scene.desk.id, text="x", metadata=cast(Any, "{"))) == "invalid_metadata_format"
    assert (
        await refusal(client.chat_postEphemeral(channel=scene.desk.id, user="U404", text="x")) == "user_not_in_channel"
    )
    assert len(scene.slack.log) == 0
    await client.chat_postEphemeral(channel=scene.desk.id, user=scene.agent.id, text="only you")
    assert [entry.user for entry in scene.slack.log.of(Did.EPHEMERAL)] == [scene.agent.id]
    assert scene.slack.world.history(scene.desk) == ()


async def test_tokens_and_scopes_are_checked(scene: Scene) -> None:
    app, url = scene.slack.world.app, scene.server.api_url
    for token, error in (("", "not_authed"), ("xoxb-other", "invalid_auth"), (app.app_token, "not_allowed_token_type")):
        client = AsyncWebClient(token=token or None, base_url=url, session=scene.session, retry_handlers=[])
        assert await refusal(client.auth_test()) == error
    assert await refusal(scene.client.apps_connections_open(app_token=app.bot_token)) == "not_allowed_token_type"
    with pytest.raises(SlackApiError) as caught:
        await scene.client.conversations_join(channel=scene.desk.id)
    assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", "channels:join")
    scene.slack.people.revoke_tokens()
    assert await refusal(scene.client.auth_test()) == "token_revoked"
    assert await refusal(scene.client.api_call("chat.invented")) == "unknown_method"


async def test_updates_and_deletes_touch_only_own_messages(scene: Scene) -> None:
    client, desk = scene.client, scene.desk.id
    theirs = scene.slack.people.post(scene.agent, scene.desk, "hello")
    mine = await client.chat_postMessage(channel=desk, text="one", blocks=[section("one")])
    assert await refusal(client.chat_update(channel=desk, ts=theirs.ts, text="x")) == "cant_update_message"
    assert await refusal(client.chat_update(channel=desk, ts="1.000001", text="x")) == "message_not_found"
    assert await refusal(client.chat_update(channel=desk, ts=mine["ts"], text="x" * 4001)) == "msg_too_long"
    assert await refusal(client.chat_delete(channel=desk, ts=theirs.ts)) == "cant_delete_message"
    kept = await client.chat_update(channel=desk, ts=mine["ts"], text="two")
    assert kept["message"]["blocks"][0]["text"]["text"] == "one"
    link = await client.chat_getPermalink(channel=desk, message_ts=mine["ts"])
    assert link["permalink"].endswith(f"/archives/{desk}/p{mine['ts'].replace('.', '')}")
    await client.chat_delete(channel=desk, ts=mine["ts"])
    assert [entry.did for entry in scene.slack.log] == [Did.POST, Did.UPDATE, Did.DELETE]
    scene.slack.people.archive(scene.desk, scene.agent)
    assert [m.text for m in scene.slack.world.history(desk)] == ["hello"]


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([section("x")] * 51, "no more than 50 items"),
        ([section("x" * 3001)], "3000"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "150"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "plain_text"),
        ([{"type": "actions", "elements": [button(str(n)) for n in range(26)]}], "25"),
        ([{"type": "actions", "elements": [button(), button()]}], "already exists"),
        ([{"type": "actions", "elements": [button(value="v" * 2001)]}], "2000"),
        ([{"type": "actions", "elements": [button() | {"text": {"type": "plain_text", "text": "t" * 76}}]}], "75"),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], "10"),
        ([section("x") | {"block_id": "b"}, section("y") | {"block_id": "b"}], "already exists"),
        ([section("x") | {"colour": "red"}], "invalid additional property: colour"),
        ([{"type": "sektion"}], "unsupported type"),
        ([section("")], "more than 0 characters"),
        ([{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}], "2000"),
    ],
)
async def test_block_kit_is_checked(scene: Scene, blocks: list[Json], words: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        await scene.client.chat_postMessage(channel=scene.desk.id, text="x", blocks=blocks)
    assert caught.value.response["error"] == "invalid_blocks"
    assert words in json.dumps(caught.value.response["response_metadata"])
    assert len(scene.slack.log) == 0


async def test_good_blocks_pass_and_long_ones_are_named(scene: Scene) -> None:
    card = [SectionBlock(text="Story"), ActionsBlock(elements=[ButtonElement(text="Claim", action_id="claim")])]
    posted = await scene.client.chat_postMessage(channel=scene.desk.id, text="card", blocks=card)
    assert all(block["block_id"] for block in posted["message"]["blocks"])
    scene.clock.advance(1)
    long = [section("x" * 2900)] * 5
    assert (
        await refusal(scene.client.chat_postMessage(channel=scene.desk.id, text="x", blocks=long))
        == "msg_blocks_too_long"
    )
    cut = await scene.client.chat_postMessage(channel=scene.desk.id, text="y" * 50_000)
    assert len(cut["message"]["text"]) == 40_000


async def test_threads_history_and_paging(scene: Scene) -> None:
    people, client, desk = scene.slack.people, scene.client, scene.desk.id
    first = people.post(scene.agent, scene.desk, "first")
    replies = [people.post(scene.agent, scene.desk, str(n), thread=first) for n in range(5)]
    own = await client.chat_postMessage(channel=desk, text="own", thread_ts=replies[1].ts)
    assert own["message"]["thread_ts"] == first.ts  # the ts of a reply means its thread
    assert [m.text for m in scene.slack.world.thread(desk, first.ts)][-1] == "own"
    await client.chat_delete(channel=desk, ts=own["ts"])
    scene.clock.advance(1)
    second = people.post(scene.agent, scene.desk, "second")
    top = await client.conversations_history(channel=desk)
    assert [m["text"] for m in top["messages"]] == ["second", "first"]
    assert top["messages"][1]["reply_count"] == 5
    page = await client.conversations_replies(channel=desk, ts=first.ts, limit=4)
    rest = await client.conversations_replies(
        channel=desk, ts=replies[0].ts, limit=4, cursor=page["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in page["messages"] + rest["messages"]] == ["first", "0", "1", "2", "3", "4"]
    after = await client.conversations_history(channel=desk, oldest=first.ts)
    with_it = await client.conversations_history(channel=desk, oldest=first.ts, inclusive=True)
    assert ([m["ts"] for m in after["messages"]], len(with_it["messages"])) == ([second.ts], 2)
    assert await refusal(client.conversations_replies(channel=desk, ts="1700000000.000001")) == "thread_not_found"
    assert await refusal(client.conversations_history(channel=desk, cursor="!")) == "invalid_cursor"

    people.delete(second)
    lost = await client.chat_postMessage(channel=desk, text="answer", thread_ts=second.ts)
    assert "thread_ts" not in lost["message"]  # Slack puts it into the channel and says nothing
    scene.slack.world.options = replace(Options(), unthreads_replies=False)
    assert await refusal(client.chat_postMessage(channel=desk, text="a", thread_ts=second.ts)) == "thread_not_found"
    people.delete(first)
    assert scene.slack.world.message(desk, first.ts).subtype == "tombstone"


async def test_people_groups_and_conversations(scene: Scene) -> None:
    world, client = scene.slack.world, scene.client
    other = world.add_team("Other")
    guest = world.add_user("gus", is_restricted=True)
    stranger = world.add_user("sue", other)
    unseen = world.add_user("una", other)
    shared = world.add_channel("shared", [scene.agent, stranger], shared_with=[other])
    group = world.add_group("agents", [scene.agent])
    assert (await client.users_info(user=guest.id))["user"]["is_restricted"] is True
    told = (await client.users_info(user=stranger.id))["user"]
    assert (told["is_stranger"], told["team_id"]) == (True, other.id)
    assert await refusal(client.users_info(user=unseen.id)) == "user_not_visible"
    assert await refusal(client.users_info(user="U404")) == "user_not_found"
    assert stranger.id not in {member["id"] for member in (await client.users_list())["members"]}
    assert (await client.usergroups_users_list(usergroup=group.id))["users"] == [scene.agent.id]
    assert await refusal(client.usergroups_users_list(usergroup="S404")) == "no_such_subteam"
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["users"] == [scene.agent.id]
    listed = await client.conversations_list(types="public_channel,im", limit=1)
    assert listed["response_metadata"]["next_cursor"]
    assert (await client.conversations_info(channel=shared.id))["channel"]["is_ext_shared"] is True
    assert scene.agent.id in (await client.conversations_members(channel=shared.id))["members"]
    direct = (await client.conversations_open(users=scene.agent.id))["channel"]["id"]
    assert (await client.conversations_open(users=[scene.agent.id]))["channel"]["id"] == direct
    assert (await client.chat_postMessage(channel=scene.agent.id, text="hi"))["channel"] == direct
    assert (await client.team_info())["team"]["id"] == world.team.id


async def test_rate_limits_tell_when_to_come_back(scene: Scene) -> None:
    client, desk = scene.client, scene.desk.id
    await client.chat_postMessage(channel=desk, text="1")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=desk, text="2")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    scene.clock.advance(1)
    last = await client.chat_postMessage(channel=desk, text="3")
    for n in range(50):
        await client.chat_update(channel=desk, ts=last["ts"], text=str(n))
    scene.clock.advance(20)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel=desk, ts=last["ts"], text="over")
    assert caught.value.response.headers["Retry-After"] == "40"
    assert scene.slack.limits.refused == 2


async def test_every_fault_fires_and_is_counted(scene: Scene) -> None:
    slack, desk = scene.slack, scene.desk.id
    troubles = (Trouble.LOST_REPLY, Trouble.RESET, Trouble.RATE_LIMITED, Trouble.SERVER_ERROR, Trouble.FATAL_ERROR)
    slack.faults.add(*(Fault("chat.postMessage", trouble, nth=n) for n, trouble in enumerate(troubles, 1)))
    slack.faults.add(Fault("chat.postMessage", Trouble.INTERNAL_ERROR, nth=6, done=True))
    slack.faults.add(Fault("auth.test", Trouble.API_ERROR, error="account_inactive", times=1))

    for n in range(6):
        scene.clock.advance(1)
        with pytest.raises((SlackApiError, aiohttp.ClientError)):
            await scene.client.chat_postMessage(channel=desk, text=str(n))
    assert [entry.text for entry in slack.log.posts()] == ["0", "5"]  # the work of these two was done
    assert await refusal(scene.client.auth_test()) == "account_inactive"
    assert (await scene.client.auth_test())["ok"]
    assert slack.faults.unfired() == ()
    assert sum(slack.faults.fired.values()) == 7


async def test_a_delayed_answer_comes_when_the_clock_moved_and_a_hanging_one_never(scene: Scene) -> None:
    scene.slack.faults.add(Fault("chat.postMessage", Trouble.DELAY, nth=1, delay_s=30))
    scene.slack.faults.add(Fault("team.info", Trouble.HANG, nth=1))
    waiting = asyncio.create_task(scene.client.chat_postMessage(channel=scene.desk.id, text="slow"))
    await scene.server.until(lambda: scene.server.answers_held == 1)
    scene.clock.advance(29)
    await scene.server.pump()
    assert not waiting.done()
    scene.clock.advance(1)
    await scene.server.pump()
    assert (await waiting)["ok"]
    hanging = asyncio.create_task(scene.client.team_info())
    await scene.server.until(lambda: scene.server.answers_held == 1)
    scene.clock.advance(86_400)
    await scene.server.pump()
    assert not hanging.done()
    hanging.cancel()


async def test_reactions_and_the_upload_of_a_picture(scene: Scene) -> None:
    client, desk = scene.client, scene.desk.id
    message = scene.slack.people.post(scene.agent, scene.desk, "look")
    await client.reactions_add(channel=desk, timestamp=message.ts, name="eyes")
    assert await refusal(client.reactions_add(channel=desk, timestamp=message.ts, name="eyes")) == "already_reacted"
    await client.reactions_remove(channel=desk, timestamp=message.ts, name="eyes")
    assert await refusal(client.reactions_remove(channel=desk, timestamp=message.ts, name="eyes")) == "no_reaction"
    done = await client.files_upload_v2(
        channel=desk, filename="week.png", content=b"\x89PNG 123", initial_comment="Week"
    )
    file = (await client.files_info(file=done["files"][0]["id"]))["file"]
    assert (file["size"], file["mimetype"], file["channels"]) == (8, "image/png", [desk])
    headers = {"Authorization": f"Bearer {client.token}"}
    async with scene.session.get(file["url_private"], headers=headers) as answer:
        assert await answer.read() == b"\x89PNG 123"
    assert [entry.text for entry in scene.slack.log.of(Did.UPLOAD)] == ["Week"]
    stray = scene.slack.people.file(scene.slack.world.add_user("sue", scene.slack.world.add_team("Other")), "a.png")
    assert await refusal(client.files_info(file=stray.id)) == "file_not_found"


def modal(title: str = "Reply", **more: Any) -> Json:
    text = {"type": "plain_text_input", "action_id": "words", "max_length": 280}
    block = {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Words"}, "element": text}
    plain = {"type": "plain_text", "text": "Send"}
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "submit": plain, "blocks": [block], **more}


async def test_triggers_live_three_seconds_and_once(scene: Scene) -> None:
    slack, client = scene.slack, scene.client
    trigger = slack.interactions.new_trigger(scene.agent.id)
    assert await refusal(client.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    opened = await client.views_open(trigger_id=trigger, view=modal())
    assert await refusal(client.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    late = slack.interactions.new_trigger(scene.agent.id)
    scene.clock.advance(3.1)
    assert await refusal(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"
    view = opened["view"]
    updated = await client.views_update(view_id=view["id"], hash=view["hash"], view=modal("Changed"))
    assert await refusal(client.views_update(view_id=view["id"], hash=view["hash"], view=modal())) == "hash_conflict"
    assert updated["view"]["title"]["text"] == "Changed"
    for _ in range(2):
        await client.views_push(trigger_id=slack.interactions.new_trigger(scene.agent.id), view=modal())
    fresh = slack.interactions.new_trigger(scene.agent.id)
    assert await refusal(client.views_push(trigger_id=fresh, view=modal())) == "push_limit_reached"
    slack.people.close(scene.agent, everything=True)
    assert await refusal(client.views_update(view_id=view["id"], view=modal())) == "not_found"
    with pytest.raises(ActRefused):
        slack.people.submit(scene.agent)


@pytest.mark.parametrize(
    "view",
    [
        modal("t" * 25),
        modal(private_metadata="m" * 3001),
        modal(blocks=[section("x")] * 101),
        modal(blocks=[]),
        modal(submit=None),
        modal(hash="copied from an answer"),
        {"type": "home", "blocks": [section("x")]},
    ],
)
async def test_views_are_checked(scene: Scene, view: Json) -> None:
    trigger = scene.slack.interactions.new_trigger(scene.agent.id)
    assert await refusal(scene.client.views_open(trigger_id=trigger, view=view)) == "invalid_arguments"
    assert scene.slack.views.top(scene.agent.id) is None


async def test_an_app_home_is_published(scene: Scene) -> None:
    first = await scene.client.views_publish(user_id=scene.agent.id, view={"type": "home", "blocks": [section("x")]})
    assert scene.slack.views.homes[scene.agent.id].hash == first["view"]["hash"]
    home = {"type": "home", "blocks": [section("y")]}
    assert await refusal(scene.client.views_publish(user_id=scene.agent.id, hash="old", view=home)) == "hash_conflict"


async def test_what_rings_and_what_hides(scene: Scene) -> None:
    world, people = scene.slack.world, scene.slack.people
    typed = people.post(scene.agent, scene.desk, "@mia and @channel <@U9> see https://a.example & #desk @nobody")
    assert world.pings(typed) == (f"@{scene.agent.id}", "!channel")
    assert all(part in typed.text for part in ("&lt;@U9&gt;", f"<#{scene.desk.id}|desk>", "@nobody"))
    text = "<!here> <https://evil.example|bank>"
    posted = await scene.client.chat_postMessage(channel=scene.desk.id, text="quiet", blocks=[section(text)])
    message = world.message(scene.desk, posted["ts"])
    assert world.pings(message) == ("!here",)
    assert world.masked_links(message) == (("https://evil.example", "bank"),)
    with pytest.raises(ActRefused):
        people.post(world.add_user("zoe"), scene.desk, "not a member")


# slack_sdk 3.47 builds the client's credentials with a class that aiohttp 3.14 deprecates.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
async def test_sign_in_with_slack(scene: Scene) -> None:
    app, sign_in = scene.slack.world.app, scene.slack.sign_in
    query = {
        "response_type": "code",
        "scope": "openid profile",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uris[0],
        "state": "s1",
        "nonce": "n1",
    }
    page = f"{scene.server.url}openid/connect/authorize"

    async def authorize(**change: str) -> dict[str, list[str]]:
        async with scene.session.get(page, params=query | change, allow_redirects=False) as answer:
            return parse_qs(urlsplit(answer.headers.get("Location", "")).query)

    assert await authorize() == {"state": ["s1"], "error": ["access_denied"]}
    sign_in.browser_user = scene.agent
    assert await authorize(redirect_uri="http://evil.example/") == {}
    back = await authorize()
    assert back["state"] == ["s1"]
    grant = {"client_id": app.client_id, "code": back["code"][0], "redirect_uri": app.redirect_uris[0]}
    bad = scene.client.openid_connect_token(client_secret="wrong", **grant)
    assert await refusal(bad) == "bad_client_secret"
    token = await scene.client.openid_connect_token(client_secret=app.client_secret, **grant)
    assert await refusal(scene.client.openid_connect_token(client_secret=app.client_secret, **grant)) == "invalid_code"
    claims = json.loads(base64.urlsafe_b64decode(token["id_token"].split(".")[1] + "=="))
    assert (claims["aud"], claims["nonce"], claims["sub"]) == (app.client_id, "n1", scene.agent.id)
    assert claims["https://slack.com/team_id"] == scene.slack.world.team.id
    assert sign_in.signer.verifies(token["id_token"])
    assert not sign_in.signer.verifies(token["id_token"].replace(".", "A.", 1))
    info = await scene.client.openid_connect_userInfo(token=token["access_token"])
    assert info["https://slack.com/user_id"] == scene.agent.id


def play(seed: int) -> str:
    """A little history without any socket, and the digest of its log."""
    clock = ManualClock()
    slack = SlackPlatform(clock, Random(seed))
    desk = slack.world.add_channel("desk")
    headers = {"Authorization": f"Bearer {slack.world.app.bot_token}"}
    slack.faults.add(Fault("chat.postMessage", Trouble.LOST_REPLY, rate=0.5))
    for n in range(20):
        clock.advance(1)
        slack.handle("chat.postMessage", headers, {"channel": desk.id, "text": str(n), "blocks": [section("x")]})
    assert len(slack.log.posts()) == 20
    return slack.log.sha256() + hashlib.sha256(repr(slack.faults.fired).encode()).hexdigest()


def test_the_same_seed_gives_the_same_log() -> None:
    assert play(1) == play(1)
    assert play(1) != play(2)
