"""X's JSON as values: whatever comes is read or kept, and never raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.x import parse
from bot.channels.x.problems import Problem, refusal
from bot.channels.x.readback import alike, said, same

ROW: dict[str, Any] = {
    "id": "1900000000000000001",
    "text": "@brand tea &amp; &lt;cake&gt; https://t.co/abc",
    "author_id": "7",
    "created_at": "2026-09-01T09:00:00.000Z",
    "conversation_id": "1900000000000000001",
    "edit_history_tweet_ids": ["1900000000000000000", "1900000000000000001"],
    "entities": {"urls": [{"url": "https://t.co/abc", "expanded_url": "https://example.com/a?b=1"}]},
    "referenced_tweets": [{"type": "quoted", "id": "5"}],
}


def one(**changes: Any) -> parse.Post:
    """A post, read from a row with changes."""
    row = {key: value for key, value in (ROW | changes).items() if value is not None}
    (post,) = parse.posts({"data": [row]}).rows
    assert isinstance(post, parse.Post), post
    return post


def test_a_row_as_x_documents_it() -> None:
    post = one()
    assert post.first == "1900000000000000000"
    assert post.text == "@brand tea & <cake> https://example.com/a?b=1"
    assert post.posted_at == datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
    assert post.named == ("brand",)
    assert post.quote_of == "5"


def test_new_field_names_say_the_same() -> None:
    new = one(
        edit_history_tweet_ids=None,
        edit_history_post_ids=ROW["edit_history_tweet_ids"],
        referenced_tweets=None,
        referenced_posts=ROW["referenced_tweets"],
        note_post={"text": ROW["text"]},
    )
    assert new == one()


@pytest.mark.parametrize(
    "stamp",
    ["2026-09-01T09:00:00Z", "2026-09-01T09:00:00.000Z", "2026-09-01T11:00:00+02:00", "2026-09-01T09:00:00.0000001Z"],
)
def test_timestamps_in_every_form(stamp: str) -> None:
    assert one(created_at=stamp).posted_at == datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


def test_a_missing_timestamp_is_in_the_id_and_a_small_id_has_none() -> None:
    made = one(created_at=None).posted_at
    assert made is not None
    assert made.year == 2025
    assert one(created_at="yesterday", id="17").posted_at is None


@pytest.mark.parametrize(
    ("text", "shown", "reply", "named", "by_x"),
    [
        ("@brand hello", None, None, ("brand",), ()),
        ("@brand hello", [7, 12], "3", (), ("brand",)),
        ("@brand hello", [0, 12], "3", ("brand",), ()),
        ("@bob @brand hello", [5, 17], "3", ("brand",), ("bob",)),
        ("@bob @brand hello @brand", None, "3", ("brand",), ("bob", "brand")),
        ("hello @Brand!", None, "3", ("brand",), ()),
        ("mail me@brand.com", None, None, (), ()),
    ],
)
def test_names_typed_by_the_author_and_names_put_in_front_by_x(
    text: str, shown: list[int] | None, reply: str | None, named: tuple[str, ...], by_x: tuple[str, ...]
) -> None:
    references = [{"type": "replied_to", "id": reply}] if reply else None
    post = one(text=text, display_text_range=shown, referenced_tweets=references)
    assert (post.named, post.named_by_x) == (named, by_x)


def test_a_long_post_and_links_to_its_own_pictures() -> None:
    urls = [{"url": "https://t.co/p", "expanded_url": "https://x.com/ada/status/1900000000000000001/photo/1"}]
    post = one(text="cut… https://t.co/p", note_tweet={"text": "whole & true https://t.co/p"}, entities={"urls": urls})
    assert post.text == "whole & true"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    [*ROW, "note_tweet", "note_post", "attachments", "display_text_range", "in_reply_to_user_id", "sender_id"]
)


@given(st.dictionaries(fields, json_values), json_values, json_values, json_values)
def test_no_row_is_dropped_and_none_raises(changes: dict[str, Any], includes: Any, errors: Any, meta: Any) -> None:
    body = {"data": [ROW | changes, ROW, changes, 7], "includes": includes, "errors": errors, "meta": meta}
    page = parse.posts(body)
    assert len(page.rows) == 4
    assert one() in page.rows
    assert all(row.id for row in page.rows)
    parse.messages(body)


@given(st.dictionaries(st.sampled_from(["data", "includes", "errors", "meta"]), json_values))
def test_no_answer_raises(body: dict[str, Any]) -> None:
    assert parse.posts(body).rows is not None
    assert parse.messages(body).rows is not None


@given(st.integers(100, 599), st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_every_refusal_has_a_meaning(status: int, body: bytes) -> None:
    error = refusal(status, body)
    assert isinstance(error.problem, Problem)
    if status >= 500 and status != 501:
        assert error.problem is Problem.UNCLEAR


@pytest.mark.parametrize(
    ("status", "detail", "problem"),
    [
        (401, "Unauthorized", Problem.CREDENTIALS),
        (402, "does not have any credits", Problem.CREDITS),
        (403, "You are not allowed to create a Tweet with duplicate content.", Problem.DUPLICATE),
        (403, "You can only reply to or quote posts where you are mentioned or are the author", Problem.NOT_MENTIONED),
        (403, "You attempted to reply to a Tweet that is deleted or not visible to you.", Problem.GONE),
        (403, "You have been blocked from the author of this tweet", Problem.BLOCKED),
        (403, "You do not have permission to DM one or more participants.", Problem.MESSAGES_SHUT),
        (403, "not configured with the appropriate oauth1 app permissions", Problem.PERMISSION),
        (403, "something that X says next year", Problem.OTHER),
        (404, "Not Found", Problem.NO_SUCH_ROUTE),
        (429, "Too Many Requests", Problem.LIMIT),
        (503, "<html>", Problem.UNCLEAR),
    ],
)
def test_refusals_are_told_apart(status: int, detail: str, problem: Problem) -> None:
    assert refusal(status, json.dumps({"detail": detail, "title": "X", "status": status}).encode()).problem is problem


def test_words_come_back_changed_and_are_the_same() -> None:
    ours = "Tea & cake:  see https://example.com/help?a=1"
    assert same(ours, "@ada @bob Tea &amp; cake: see https://t.co/Xyz")
    assert not same(ours, "Tea & cake")
    assert not same("We hear you, Ada.", "We hear you.")
    long = "This is a rather long text of an agent that X cuts somewhere in its timeline, " * 5
    assert same(long, long[:200] + "… https://t.co/more")
    assert alike("Order 12 is late!") == alike("order 34 is LATE")
    assert said("@ada hello") == "hello"
