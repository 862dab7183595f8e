"""The routes of posts: lookup, timelines, search, creation, deletion."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice

from tests.platforms.x import problems
from tests.platforms.x.call import Call, only, text_of
from tests.platforms.x.ids import snowflake_floor
from tests.platforms.x.model import Json, Post
from tests.platforms.x.params import check_id
from tests.platforms.x.problems import invalid
from tests.platforms.x.query import compile_query
from tests.platforms.x.text import WEIGHT_MAX, shorten, weighted_length

Answer = tuple[int, Json]
_CREATE = frozenset(
    (
        "card_uri",
        "community_id",
        "direct_message_deep_link",
        "for_super_followers_only",
        "geo",
        "made_with_ai",
        "media",
        "nullcast",
        "paid_partnership",
        "poll",
        "quote_tweet_id",
        "reply",
        "reply_settings",
        "share_with_followers",
        "text",
    )
)
_DEEP_LINKS = ("https://x.com/messages/compose?recipient_id=", "https://twitter.com/messages/compose?recipient_id=")


def lookup(call: Call) -> Answer:
    """GET /2/tweets/:id. What is gone or hidden is a 200 with `errors` and no `data`."""
    post, error = _find(call, check_id("id", call.args["id"]), "id")
    return (200, call.view.one_post(post)) if post else (200, {"errors": [error]})


def lookup_many(call: Call) -> Answer:
    """GET /2/tweets?ids="""
    found = [_find(call, id_, "ids") for id_ in call.params.ids]
    posts = [post for post, _ in found if post]
    return 200, call.view.post_page(posts, [error for _, error in found if error])


def mentions(call: Call) -> Answer:
    """GET /2/users/:id/mentions: the last 800, newest version of each only."""
    user = call.own_id()
    settings = call.world.settings

    def shown(post: Post) -> bool:
        if user in post.mentions or user in post.implicit_mentions:
            return post.retweet_of_id is None or settings.retweets_in_mentions
        return settings.quotes_in_mentions

    return _timeline(call, call.world.by_mention[user], settings.mentions_deep, shown)


def user_posts(call: Call) -> Answer:
    """GET /2/users/:id/tweets: what a user posted, with `exclude=replies,retweets`."""
    user = call.own_id()
    excluded = set(filter(None, call.params.get("exclude").split(",")))
    if wrong := excluded - {"replies", "retweets"}:
        raise invalid(
            f"The `exclude` query parameter value {sorted(wrong)} is not one of [replies,retweets]",
            "exclude",
            call.params.get("exclude"),
        )

    def shown(post: Post) -> bool:
        return not (("replies" in excluded and post.reply_to_id) or ("retweets" in excluded and post.retweet_of_id))

    return _timeline(call, call.world.by_author[user], call.world.settings.timeline_deep, shown)


def search_recent(call: Call) -> Answer:
    """GET /2/tweets/search/recent: the last seven days."""
    params, settings = call.params, call.world.settings
    if (params.since_id or params.until_id) and (params.start_time or params.end_time):
        message = "Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time' or 'end_time'."
        raise invalid(message, "since_id", params.get("since_id"))
    oldest = call.now - timedelta(seconds=settings.search_window_s)
    if params.start_time and params.start_time < oldest:
        message = (
            f"Invalid 'start_time':'{params.get('start_time')}'. 'start_time' must be on or after {oldest:%FT%H:%MZ}."
        )
        raise invalid(message, "start_time", params.get("start_time"))
    if params.end_time and params.end_time > call.now - timedelta(seconds=10):
        message = (
            f"Invalid 'end_time':'{params.get('end_time')}'. 'end_time' must be a minimum of 10 seconds prior to now."
        )
        raise invalid(message, "end_time", params.get("end_time"))
    if params.since_id is not None and params.since_id < snowflake_floor(oldest):
        message = f"'since_id' must be a tweet id created after [{oldest:%FT%H:%MZ}]. Please use a larger 'since_id'."
        raise invalid(message, "since_id", params.get("since_id"))
    if params.get("sort_order", "recency") not in ("recency", "relevancy"):
        message = "The `sort_order` query parameter value is not one of [recency,relevancy]"
        raise invalid(message, "sort_order", params.get("sort_order"))
    test = compile_query(params.get("query"), call.world)
    return _timeline(call, call.world.all_posts, None, lambda post: post.created_at >= oldest and test(post))


def create(call: Call) -> Answer:
    """POST /2/tweets: a post, a reply or a quote, within all of X's rules."""
    world, author, body = call.world, call.actor.user, call.body
    only(body, _CREATE)
    if unknown := sorted(body.keys() - {"text", "reply", "quote_tweet_id", "direct_message_deep_link"}):
        raise invalid(f"$.{unknown[0]}: the local X does not have this", unknown[0], str(body[unknown[0]]))
    words = text_of(body, "text")
    if not words or not words.strip():
        raise invalid("$.text: a post needs a text", "text", words or "")
    link = text_of(body, "direct_message_deep_link")
    if link is not None and not link.startswith(_DEEP_LINKS):
        raise invalid("$.direct_message_deep_link: is no link to a conversation", "direct_message_deep_link", link)
    reply = body.get("reply", {})
    if not isinstance(reply, dict):
        raise invalid("$.reply: object expected", "reply", str(reply))
    only(reply, ("in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"), within="$.reply")
    parent = _target(call, text_of(reply, "in_reply_to_tweet_id", within="$.reply"))
    quoted = _target(call, text_of(body, "quote_tweet_id"))
    if reply and parent is None:
        raise invalid("$.reply.in_reply_to_tweet_id: is missing but it is required", "reply", str(reply))
    if weighted_length(words) > WEIGHT_MAX:
        raise problems.too_long()
    _refuse_duplicate(call, words, parent)
    for target in filter(None, (parent, quoted)):
        if not _summoned(call, target):
            raise problems.forbidden(problems.NOT_MENTIONED)
    excluded = reply.get("exclude_reply_user_ids", ())
    lag_s = world.rng.uniform(*world.settings.own_lag_s)
    post = world.post(author, words, reply_to=parent, quote_of=quoted, exclude=excluded, lag_s=lag_s)
    world.accept(post, words, deep_link=link)
    shown = call.view.post(post)
    return 201, {"data": {key: shown[key] for key in shown if key != "created_at"}}


def delete(call: Call) -> Answer:
    """DELETE /2/tweets/:id, of one's own post."""
    post = call.world.posts.get(check_id("id", call.args["id"]))
    if post is None or post.deleted_at:
        return 200, {"data": {"deleted": False}}
    if post.author_id != call.actor.id:
        raise problems.forbidden("You are not authorized to delete this Tweet.")
    call.world.delete(post)
    return 200, {"data": {"deleted": True}}


def _find(call: Call, id_: str, parameter: str) -> tuple[Post | None, Json | None]:
    post = call.world.posts.get(id_)
    if post is None or post.deleted_at or call.world.users[post.author_id].deleted:
        return None, problems.missing("tweet", parameter, id_)
    if not call.world.sees(call.viewer_id, post.author_id):
        return None, problems.hidden("tweet", parameter, id_)
    return post, None


def _timeline(call: Call, shelf: Iterable[str], deep: int | None, shown: Callable[[Post], bool]) -> Answer:
    params = call.params

    def visible() -> Iterator[Post]:
        for id_ in shelf:
            post = call.world.posts[id_]
            hidden = post.deleted_at or post.superseded or post.indexed_at > call.now
            if not hidden and call.world.sees(call.viewer_id, post.author_id) and shown(post):
                yield post

    def timely(post: Post) -> bool:
        after = params.start_time is None or post.created_at >= params.start_time
        return after and (params.end_time is None or post.created_at < params.end_time)

    rows, meta = call.page(filter(timely, islice(visible(), deep)), lambda post: post.id)
    return 200, call.view.post_page(rows) | {"meta": meta}


def _target(call: Call, id_: str | None) -> Post | None:
    if id_ is None:
        return None
    post = call.world.posts.get(check_id("in_reply_to_tweet_id", id_))
    if post is None or post.deleted_at or call.world.users[post.author_id].deleted:
        raise problems.forbidden(problems.INVISIBLE_PARENT)
    author = call.world.users[post.author_id]
    if call.actor.id in author.blocks:
        raise problems.forbidden(problems.BLOCKED)
    if not call.world.sees(call.actor.id, author.id):
        raise problems.forbidden(problems.INVISIBLE_PARENT)
    return post


def _summoned(call: Call, target: Post) -> bool:
    ours = call.actor.id
    quoted = call.world.posts.get(target.quote_of_id or "")
    return (
        target.author_id == ours
        or (ours in target.mentions and target.retweet_of_id is None)
        or (quoted is not None and quoted.author_id == ours)
        or (call.world.settings.implicit_mention_counts and ours in target.implicit_mentions)
    )


def _refuse_duplicate(call: Call, words: str, parent: Post | None) -> None:
    # X compares the whole text, the people it answers included: the same words to two customers are no duplicate.
    since = call.now - timedelta(seconds=call.world.settings.duplicate_window_s)
    said = _said(words)
    for id_ in call.world.by_author[call.actor.id]:
        post = call.world.posts[id_]
        if post.created_at < since:
            break
        same_people = (parent.author_id if parent else None) == (
            call.world.posts[post.reply_to_id].author_id if post.reply_to_id else None
        )
        if same_people and post.deleted_at is None and _said(post.body) == said:
            raise problems.forbidden(problems.DUPLICATE)


def _said(words: str) -> str:
    return " ".join(shorten(words)[0].casefold().split())
