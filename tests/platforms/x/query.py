"""X's search language, as far as the local X knows it: operators, AND by space, OR, negation, parentheses."""

from collections.abc import Callable

import regex

from tests.platforms.x.model import Post
from tests.platforms.x.problems import invalid
from tests.platforms.x.world import World

Test = Callable[[Post], bool]
_TOKEN = regex.compile(r'\(|\)|-?[a-z_]+:"[^"]*"|-?"[^"]*"|-?[^\s()]+')
LENGTH_MAX = 512


def compile_query(query: str, world: World) -> Test:
    """A test of posts.

    Raises:
        Problem: 400 for an empty, overlong or malformed query, or an operator that does not exist here.
    """
    if not 1 <= len(query) <= LENGTH_MAX:
        raise invalid(f"The `query` query parameter length is not between 1 and {LENGTH_MAX}", "query", query)
    return _Parser(query, world).parse()


class _Parser:
    def __init__(self, query: str, world: World) -> None:
        self._query = query
        self._world = world
        self._tokens = _TOKEN.findall(query)

    def parse(self) -> Test:
        test = self._any()
        if self._tokens:
            raise self._wrong(f"unexpected [{self._tokens[0]}]")
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._tokens[:1] == ["OR"]:
            self._tokens.pop(0)
            tests.append(self._all())
        return lambda post: any(test(post) for test in tests)

    def _all(self) -> Test:
        tests = []
        while self._tokens and self._tokens[0] not in (")", "OR"):
            tests.append(self._one())
        if not tests:
            raise self._wrong("an operand is missing")
        return lambda post: all(test(post) for test in tests)

    def _one(self) -> Test:
        token = self._tokens.pop(0)
        if token == "(":
            inner = self._any()
            if self._tokens[:1] != [")"]:
                raise self._wrong("missing )")
            self._tokens.pop(0)
            return inner
        if token.startswith("-"):
            kept = self._leaf(token[1:])
            return lambda post: not kept(post)
        return self._leaf(token)

    def _leaf(self, token: str) -> Test:
        operator, colon, value = token.partition(":")
        if not colon or token.startswith('"'):
            return self._word(token.strip('"'))
        match operator:
            case "from":
                author = self._user(value)
                return lambda post: post.author_id == author
            case "to":
                target = self._user(value)
                return lambda post: bool(post.reply_to_id) and self._author(post.reply_to_id) == target
            case "conversation_id":
                return lambda post: post.conversation_id == value
            case "in_reply_to_tweet_id" | "in_reply_to_post_id":
                return lambda post: post.reply_to_id == value
            case "quotes_of_tweet_id" | "quotes_of_post_id":
                return lambda post: post.quote_of_id == value
            case "retweets_of_tweet_id" | "retweets_of_post_id":
                return lambda post: post.retweet_of_id == value
            case "lang":
                return lambda post: post.lang == value
            case "is" if value in ("retweet", "reply", "quote"):
                return lambda post: bool(
                    {"retweet": post.retweet_of_id, "reply": post.reply_to_id, "quote": post.quote_of_id}[value]
                )
        raise self._wrong(f"Reference to invalid operator '{operator}'")

    def _word(self, word: str) -> Test:
        if word.startswith("@"):
            named = self._user(word[1:])
            return lambda post: named is not None and named in (*post.mentions, *post.implicit_mentions)
        whole = regex.compile(rf"(?<!\w){regex.escape(word)}(?!\w)", regex.IGNORECASE)
        return lambda post: whole.search(post.text) is not None

    def _user(self, value: str) -> str | None:
        if value in self._world.users:
            return value
        user = self._world.user_named(value.removeprefix("@"))
        return user.id if user else None

    def _author(self, post_id: str | None) -> str | None:
        return self._world.posts[post_id].author_id if post_id else None

    def _wrong(self, why: str) -> Exception:
        return invalid(f"There were errors processing your request: {why}", "query", self._query)
