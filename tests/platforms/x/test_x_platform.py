"""The strict local X, driven by tweepy's real client and by bare requests."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tweepy.errors import BadRequest, Forbidden, HTTPException, Unauthorized  # type: ignore[import-untyped]

from tests.platforms.x import ManualClock, Permission, Quota, XPlatform, signed_headers, weighted_length
from tests.platforms.x.local import Local, running

pytestmark = pytest.mark.anyio
_FIELDS = ["author_id", "created_at", "conversation_id", "referenced_tweets", "note_tweet", "in_reply_to_user_id"]


@pytest.fixture
async def local(anyio_backend: str) -> AsyncIterator[Local]:
    async with running() as started:
        yield started


# Reading


async def test_tweepy_reads_a_mention_and_only_the_fields_it_asked_for(local: Local) -> None:
    mention = local.x.world.post(local.ada, "@brand tea & <biscuits> are late")
    bare = (await local.mentions())["data"]
    assert bare == [
        {"id": mention.id, "text": "@brand tea &amp; &lt;biscuits&gt; are late", "edit_history_tweet_ids": [mention.id]}
    ]
    full = await local.mentions(tweet_fields=_FIELDS, expansions=["author_id"])
    assert full["data"][0]["author_id"] == local.ada.id
    assert full["data"][0]["created_at"] == "2026-09-01T09:00:00.000Z"
    assert full["includes"]["users"] == [{"id": local.ada.id, "name": "Ada", "username": "ada"}]


async def test_pages_cover_everything_once_and_stop_at_the_eight_hundredth_mention(local: Local) -> None:
    posts = []
    for number in range(830):
        local.clock.advance(1)
        posts.append(local.x.world.post(local.ada, f"@brand parcel {number}"))
    seen: list[str] = []
    token = None
    while True:
        page = await local.mentions(max_results=100, pagination_token=token)
        seen += [row["id"] for row in page["data"]]
        token = page["meta"].get("next_token")
        if token is None:
            break
    assert seen == [post.id for post in reversed(posts)][:800]


async def test_a_late_indexed_mention_is_lost_to_since_id_alone(local: Local) -> None:
    late = local.x.world.post(local.ada, "@brand first, but slow", lag_s=120)
    local.clock.advance(5)
    quick = local.x.world.post(local.ada, "@brand second")
    assert [row["id"] for row in (await local.mentions())["data"]] == [quick.id]
    local.clock.advance(120)
    assert (await local.mentions(since_id=quick.id))["meta"] == {"result_count": 0}
    assert late.id in [row["id"] for row in (await local.mentions(since_id=int(late.id) - 1))["data"]]


async def test_an_edit_has_a_new_id_and_replaces_the_old_one_in_the_timeline(local: Local) -> None:
    first = local.x.world.post(local.ada, "@brand my tae is late")
    local.clock.advance(60)
    second = local.x.world.edit(first, "@brand my tea is late")
    rows = (await local.mentions())["data"]
    assert [(row["id"], row["edit_history_tweet_ids"]) for row in rows] == [(second.id, [first.id, second.id])]


async def test_a_deleted_and_a_hidden_post_are_errors_inside_a_200(local: Local) -> None:
    gone = local.x.world.post(local.ada, "@brand never mind")
    local.x.world.delete(gone)
    shy = local.x.world.add_user("shy", protected=True)
    hidden = local.x.world.post(shy, "@brand hello")
    status, body, _ = await local.raw("GET", f"/2/tweets?ids={gone.id},{hidden.id}")
    assert status == 200
    assert "data" not in body
    assert [error["title"] for error in body["errors"]] == ["Not Found Error", "Authorization Error"]
    assert "data" not in await local.mentions()


async def test_a_long_post_is_cut_unless_its_note_is_asked_for(local: Local) -> None:
    words = "@brand " + "waiting " * 60
    local.x.world.post(local.ada, words)
    row = (await local.mentions(tweet_fields=["note_tweet"]))["data"][0]
    assert weighted_length(row["text"]) <= 280
    assert "…" in row["text"]
    assert row["note_tweet"]["text"] == words


async def test_new_field_names_are_understood_and_answered(local: Local) -> None:
    local.x.world.post(local.ada, "@brand late again")
    local.x.settings.new_field_names = True
    local.x.settings.milliseconds = False
    path = f"/2/users/{local.brand.id}/mentions?post.fields=created_at,referenced_posts"
    row = (await local.raw("GET", path))[1]["data"][0]
    assert "edit_history_post_ids" in row
    assert "edit_history_tweet_ids" not in row
    assert row["created_at"] == "2026-09-01T09:00:00Z"


async def test_search_finds_the_tail_of_a_thread_that_names_nobody(local: Local) -> None:
    head, *tail = local.x.world.thread(local.ada, ["@brand so", "my kettle", "exploded"])
    local.x.world.post(local.x.world.add_user("bob"), "same here", reply_to=head, prefix=False)
    found = await local.client.search_recent_tweets(f"conversation_id:{head.id} from:ada -@brand", user_auth=True)
    assert {row["id"] for row in found["data"]} == {post.id for post in tail}
    assert [row["id"] for row in (await local.mentions())["data"]] == [head.id]


async def test_one_post_that_names_two_accounts_is_a_mention_of_both(local: Local) -> None:
    other = local.x.world.add_account("brandhelp")
    post = local.x.world.post(local.ada, "@brand @brandhelp anybody?")
    theirs = await local.client_of(other).get_users_mentions(other.id, user_auth=True)
    assert [row["id"] for row in theirs["data"]] == [row["id"] for row in (await local.mentions())["data"]] == [post.id]


async def test_a_colleagues_post_by_hand_is_in_the_timeline_but_not_in_the_log(local: Local) -> None:
    mention = local.x.world.post(local.ada, "@brand late")
    typed = local.x.world.post(local.brand.user, "On it!", reply_to=mention)
    own = await local.client.get_users_tweets(local.brand.id, user_auth=True, tweet_fields=["referenced_tweets"])
    assert own["data"][0]["id"] == typed.id
    assert own["data"][0]["text"] == "@ada On it!"
    assert local.x.accepted == ()


# Writing


async def test_a_reply_lands_once_and_a_repetition_is_a_duplicate(local: Local) -> None:
    mention = local.x.world.post(local.ada, "@brand late")
    answer = await local.reply(mention.id, "We hear you.")
    assert [(row.id, row.text, row.reply_to_id) for row in local.x.accepted] == [
        (answer["data"]["id"], "We hear you.", mention.id)
    ]
    with pytest.raises(Forbidden) as refused:
        await local.reply(mention.id, "We hear  you.")
    assert (await refused.value.response.json()) == {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }
    other = local.x.world.post(local.x.world.add_user("bob"), "@brand late too")
    await local.reply(other.id, "We hear you.")
    assert len(local.x.accepted) == 2


@pytest.mark.parametrize("implicit", [False, True])
async def test_only_who_names_or_quotes_us_may_be_answered(local: Local, implicit: bool) -> None:
    world = local.x.world
    ours = world.post(local.brand.user, "Hello all")
    world_post = world.post(local.ada, "kettles, ugh")
    retweet = world.retweet(local.ada, ours)
    quote = world.post(local.ada, "seriously?", quote_of=ours)
    follow_up = world.post(local.ada, "still waiting", reply_to=ours)
    local.x.settings.implicit_mention_counts = implicit
    outcomes = {}
    for name, post in (("bare", world_post), ("retweet", retweet), ("quote", quote), ("prefix", follow_up)):
        try:
            await local.reply(post.id, f"We hear you {name}.")
            outcomes[name] = ""
        except Forbidden as error:
            outcomes[name] = error.api_messages[0]
    no = "You can only reply to or quote posts where you are mentioned or are the author of."
    assert outcomes == {"bare": no, "retweet": no, "quote": "", "prefix": "" if implicit else no}


async def test_deleted_protected_and_blocking_parents_are_refused(local: Local) -> None:
    world = local.x.world
    shy, foe, gone = world.add_user("shy", protected=True), world.add_user("foe"), world.add_user("gone")
    posts = [world.post(author, f"@brand from {author.username}") for author in (shy, foe, gone, local.ada)]
    foe.blocks.add(local.brand.id)
    gone.deleted = True
    world.delete(posts[3])
    for post, reason in zip(posts, ("not visible", "blocked", "deleted", "deleted"), strict=True):
        with pytest.raises(Forbidden, match=reason):
            await local.reply(post.id, "We hear you.")
    assert local.x.accepted == ()


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("a" * 280, 280),
        ("字" * 140, 280),
        ("👩‍👩‍👧‍👦" * 3, 6),
        ("👍🏽 ok", 5),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("see https://example.com/a/very/long/path?with=query&more=1 now", 31),
        ("see example.com now", 31),
        ("write to help@example.com", 25),
        ("file.unknowntld", 15),
        ("cafe\u0301", 4),
        ("“quoted” – dash…", 17),
    ],
)
def test_weighted_length(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


async def test_a_text_beyond_280_is_refused_and_280_is_taken(local: Local) -> None:
    mention = local.x.world.post(local.ada, "@brand late")
    with pytest.raises(BadRequest, match="too long"):
        await local.reply(mention.id, "字" * 140 + "a")
    await local.reply(mention.id, "字" * 140)


async def test_direct_messages_only_to_those_who_wrote_or_are_open(local: Local) -> None:
    world = local.x.world
    open_user, foe = world.add_user("open", dms_open=True), world.add_user("foe")
    world.dm(foe, local.brand.user, "hi")
    foe.blocks.add(local.brand.id)
    for user in (local.ada, foe):
        with pytest.raises(Forbidden, match="do not have permission to DM"):
            await local.client.create_direct_message(participant_id=user.id, text="Hello", user_auth=True)
    world.dm(local.ada, local.brand.user, "my order & me")
    for user in (local.ada, open_user):
        await local.client.create_direct_message(participant_id=user.id, text="Hello", user_auth=True)
    assert [(row.kind, row.recipient_id) for row in local.x.accepted] == [("dm", local.ada.id), ("dm", open_user.id)]
    events = await local.client.get_direct_message_events(
        participant_id=local.ada.id, user_auth=True, dm_event_fields=["sender_id", "dm_conversation_id"]
    )
    assert {(row["sender_id"], row["text"]) for row in events["data"]} == {
        (local.ada.id, "my order &amp; me"),
        (local.brand.id, "Hello"),
    }
    small, large = sorted((local.ada.id, local.brand.id), key=int)
    assert {row["dm_conversation_id"] for row in events["data"]} == {f"{small}-{large}"}


async def test_own_posts_are_deleted_and_others_are_not(local: Local) -> None:
    mention = local.x.world.post(local.ada, "@brand late")
    answer = await local.reply(mention.id, "We hear you.")
    assert (await local.client.delete_tweet(answer["data"]["id"], user_auth=True))["data"] == {"deleted": True}
    with pytest.raises(Forbidden):
        await local.client.delete_tweet(mention.id, user_auth=True)
    assert len(local.x.accepted) == 1


# Strictness


async def test_a_signature_for_another_url_is_refused(local: Local) -> None:
    for_x = signed_headers("GET", "https://api.twitter.com/2/users/me", local.brand.credentials, local.clock())
    status, _, _ = await local.raw("GET", "/2/users/me", Authorization=for_x["Authorization"])
    assert status == 401
    assert "does not fit" in local.x.auth_failures[-1]
    assert (await local.raw("GET", "/2/users/me"))[0] == 200


async def test_a_replayed_nonce_and_a_stale_timestamp_are_refused(local: Local) -> None:
    headers = signed_headers("GET", local.base_url + "/2/users/me", local.brand.credentials, local.clock())
    once = headers["Authorization"]
    assert [(await local.raw("GET", "/2/users/me", Authorization=once))[0] for _ in range(2)] == [200, 401]
    old = signed_headers(
        "GET", local.base_url + "/2/users/me", local.brand.credentials, local.clock() - timedelta(seconds=301)
    )
    assert (await local.raw("GET", "/2/users/me", Authorization=old["Authorization"]))[0] == 401
    assert "nonce" in local.x.auth_failures[0]
    assert "301 s off" in local.x.auth_failures[1]


async def test_credentials_permissions_and_credits(local: Local) -> None:
    local.brand.permission = Permission.READ
    assert (await local.raw("POST", "/2/tweets", {"text": "Hello"}))[0] == 403
    local.x.world.credits_depleted = True
    with pytest.raises(HTTPException, match=r"CreditsDepleted|402"):
        await local.mentions()
    local.brand.revoked = True
    with pytest.raises(Unauthorized):
        await local.mentions()
    assert local.x.accepted == ()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("max_results=4", "not between 5 and 100"),
        ("max_results=101", "not between 5 and 100"),
        ("colour=red", "[colour] is not one of"),
        ("tweet.fields=author_id,mood", "[mood] is not one of"),
        ("expansions=author", "[author] is not one of"),
        ("since_id=abc", "does not match"),
        ("start_time=yesterday", "RFC3339"),
        ("pagination_token=nonsense", "not valid"),
        ("since_id=1&since_id=2", "twice"),
    ],
)
async def test_what_x_does_not_know_is_a_400(local: Local, query: str, words: str) -> None:
    status, body, _ = await local.raw("GET", f"/2/users/{local.brand.id}/mentions?{query}")
    assert (status, body["title"]) == (400, "Invalid Request")
    assert words in body["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": " "},
        {"text": 5},
        {"text": "a", "mood": "b"},
        {"text": "a", "reply": {}, "quote_tweet_id": 5},
        {"text": "a", "reply": {"in_reply_to_tweet_id": 5}},
    ],
)
async def test_a_malformed_post_is_a_400(local: Local, body: dict[str, Any]) -> None:
    assert (await local.raw("POST", "/2/tweets", body))[0] == 400
    assert local.x.accepted == ()


async def test_unknown_routes_users_and_methods(local: Local) -> None:
    assert (await local.raw("GET", "/2/nothing"))[0] == 404
    assert (await local.raw("DELETE", "/2/users/me"))[0] == 405
    assert (await local.raw("GET", "/2/users/12345/mentions"))[0] == 404
    assert "data" not in (await local.raw("GET", "/2/users/by/username/nobody"))[1]
    assert (await local.raw("GET", "/2/users/by/username/ADA"))[1]["data"]["id"] == local.ada.id


async def test_both_families_of_limits_are_told_and_kept(local: Local) -> None:
    local.x.limits.quotas["POST /2/tweets"] = (Quota(2), Quota(3, 86_400))
    seen = []
    for number in range(6):
        status, _, headers = await local.raw("POST", "/2/tweets", {"text": f"Hello {number}"})
        seen.append((status, headers["x-rate-limit-remaining"], headers["x-user-limit-24hour-remaining"]))
        if number == 2:
            assert int(headers["x-rate-limit-reset"]) == int(local.clock().timestamp()) + 900
            local.clock.advance(900)
    assert seen == [
        (201, "1", "2"),
        (201, "0", "1"),
        (429, "0", "1"),
        (201, "1", "0"),
        (429, "1", "0"),
        (429, "1", "0"),
    ]


# Repeatability


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids() -> list[str]:
        x = XPlatform(ManualClock(), random.Random(5))
        ada = x.world.add_user("ada")
        return [x.world.post(ada, str(number)).id for number in range(20)]

    assert ids() == ids()
    assert len(set(ids())) == 20
