"""One account's calls to X through tweepy: what is asked, what it costs, and what comes back as values.

Only documented fields are asked for, by their old names, which every version of the API understands. A server that
does not know them all is asked for fewer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.channels.x import parse
from bot.channels.x.limits import Limits
from bot.channels.x.problems import Problem, XError
from bot.channels.x.session import Client, SharedSession
from bot.channels.x.settings import XAccount
from bot.channels.x.spend import Item, Purpose, SpendMeter

PAGE_MAX = 100
LOOKUP_MAX = 100
"""Posts that one lookup may ask for."""
QUERY_CHARS_MAX = 512
BASIC_FIELDS = (
    "author_id",
    "created_at",
    "conversation_id",
    "in_reply_to_user_id",
    "referenced_tweets",
    "entities",
    "attachments",
)
POST_FIELDS = (
    (*BASIC_FIELDS, "note_tweet", "edit_history_tweet_ids", "display_text_range"),
    (*BASIC_FIELDS, "note_tweet"),
    ("author_id", "created_at", "conversation_id", "referenced_tweets"),
    (),
)
"""What is asked for of a post, from the most to the least that a server may know."""
USER_FIELDS = ("username", "name", "protected", "affiliation", "public_metrics")
MESSAGE_FIELDS = (
    "sender_id",
    "created_at",
    "dm_conversation_id",
    "event_type",
    "attachments",
    "participant_ids",
    "entities",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many items are asked for, at most for how much, and whether with their authors."""

    item: Item
    size: int
    usd: float
    authors: bool


class XClient:
    """The calls that the channel makes. Every method raises ``XError``, and ``OverBudget`` before a call that money
    forbids."""

    def __init__(
        self, account: XAccount, shared: SharedSession, meter: SpendMeter, now: Callable[[], datetime]
    ) -> None:
        self.account = account
        self.meter = meter
        self.now = now
        self.limits = Limits()
        self.fields_from = 0
        self.tweepy = Client(account, shared, self.limits, now)

    # ---------------------------------------------------------------- reading

    async def me(self) -> parse.Person:
        """Who we are. Asking for the affiliation shows our own label, where X tells it."""
        usd = self.meter.price(Item.USER_READ)
        self.need(usd, Purpose.READING)
        with self.meter.reserve(usd):
            try:
                body = await self.called(self.tweepy.get_me(user_auth=True, user_fields=list(USER_FIELDS)))
            except XError as error:
                if error.problem is not Problem.INVALID:
                    raise
                body = await self.called(self.tweepy.get_me(user_auth=True))
        try:
            found = parse.person(body["data"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise XError(Problem.UNCLEAR, f"users/me said {type(error).__name__}: {error}") from error
        self.meter.read(Item.USER_READ, [found.id], self.now())
        return found

    async def mentions(
        self, user_id: str, since_id: str | None, token: str | None, size: int = PAGE_MAX
    ) -> parse.Posts:
        """A page of the posts that mention us, newest first."""
        return await self.posts(
            lambda size, fields: self.tweepy.get_users_mentions(
                user_id, user_auth=True, max_results=size, since_id=since_id, pagination_token=token, **fields
            ),
            self.plan(Item.MENTION_READ, size, Purpose.READING, least=5, authors=True),
        )

    async def own_posts(
        self, user_id: str, since_id: str | None, token: str | None, size: int, purpose: Purpose = Purpose.EXTRAS
    ) -> parse.Posts:
        """A page of what stands on our own timeline, newest first. Errors in place of posts are no empty timeline."""
        page = await self.posts(
            lambda size, fields: self.tweepy.get_users_tweets(
                user_id, user_auth=True, max_results=size, since_id=since_id, pagination_token=token, **fields
            ),
            self.plan(Item.POST_READ, size, purpose, least=5),
        )
        if page.failed:
            raise XError(Problem.UNCLEAR, "our own timeline answered with errors only")
        return page

    async def lookup(self, ids: Sequence[str], purpose: Purpose = Purpose.EXTRAS) -> parse.Posts:
        """Posts by id, up to 100; those deleted or hidden are named in ``gone``."""
        return await self.posts(
            lambda _, fields: self.tweepy.get_tweets(list(ids), user_auth=True, **fields),
            self.plan(Item.POST_READ, len(ids), purpose, least=len(ids)),
        )

    async def search(
        self, query: str, since_id: str | None, until_id: str | None, token: str | None, size: int, purpose: Purpose
    ) -> parse.Posts:
        """A page of posts of the last seven days."""
        return await self.posts(
            lambda size, fields: self.tweepy.search_recent_tweets(
                query[:QUERY_CHARS_MAX],
                user_auth=True,
                max_results=size,
                since_id=since_id,
                until_id=until_id,
                next_token=token,
                **fields,
            ),
            self.plan(Item.POST_READ, max(10, size), purpose, least=10, authors=True),
        )

    async def messages(self, token: str | None, size: int, purpose: Purpose = Purpose.READING) -> parse.Messages:
        """A page of all direct messages, newest first."""
        return await self.direct(None, token, size, purpose)

    async def messages_with(self, user_id: str, token: str | None, size: int) -> parse.Messages:
        """A page of the direct messages with one person, newest first."""
        return await self.direct(user_id, token, size, Purpose.AGENT)

    # ---------------------------------------------------------------- writing

    async def reply(self, text: str, to: str, item: Item) -> str:
        """Post a reply. Returns its id. An answer without an id is unclear: it may have landed."""
        with self.meter.reserve(self.meter.price(item)):
            body = await self.called(self.tweepy.create_tweet(text=text, in_reply_to_tweet_id=to, user_auth=True))
        id_ = self.made(body, "id")
        self.meter.add(item, 1, self.now())
        return id_

    async def message(self, text: str, to: str) -> str:
        """Send a direct message to a person. Returns its id."""
        with self.meter.reserve(self.meter.price(Item.MESSAGE_SENT)):
            body = await self.called(self.tweepy.create_direct_message(participant_id=to, text=text, user_auth=True))
        id_ = self.made(body, "dm_event_id", "id")
        self.meter.add(Item.MESSAGE_SENT, 1, self.now())
        return id_

    # ---------------------------------------------------------------- how

    async def posts(self, call: Callable[[int, dict[str, Any]], Awaitable[Any]], plan: Plan) -> parse.Posts:
        """Call for posts, with fewer fields where the server knows fewer; charge for what came."""
        with self.meter.reserve(plan.usd):
            for number in range(self.fields_from, len(POST_FIELDS)):
                try:
                    body = await self.called(call(plan.size, self.fields(number, authors=plan.authors)))
                except XError as error:
                    if error.problem is not Problem.INVALID or number + 1 == len(POST_FIELDS):
                        raise
                else:
                    self.fields_from = number
                    break
        page = parse.posts(body)
        self.charge(plan.item, [row.id for row in page.rows], page.users)
        return page

    async def direct(self, user_id: str | None, token: str | None, size: int, purpose: Purpose) -> parse.Messages:
        """Call for direct messages; without fields where the server knows none."""
        plan = self.plan(Item.MESSAGE_READ, size, purpose, least=1, authors=True)
        fields: dict[str, Any] = {"dm_event_fields": list(MESSAGE_FIELDS)}
        if plan.authors:
            fields |= {"expansions": ["sender_id"], "user_fields": list(USER_FIELDS)}
        lean: dict[str, Any] = {"dm_event_fields": ["sender_id", "created_at", "dm_conversation_id"]}
        with self.meter.reserve(plan.usd):
            for asked in (fields, lean, {}):
                try:
                    body = await self.called(
                        self.tweepy.get_direct_message_events(
                            participant_id=user_id,
                            user_auth=True,
                            max_results=plan.size,
                            pagination_token=token,
                            **asked,
                        )
                    )
                    break
                except XError as error:
                    if error.problem is not Problem.INVALID or not asked:
                        raise
        page = parse.messages(body)
        self.charge(Item.MESSAGE_READ, [row.id for row in page.rows], page.users)
        return page

    def plan(self, item: Item, size: int, purpose: Purpose, *, least: int, authors: bool = False) -> Plan:
        """As many items as wanted, or as the day's money allows; authors are an extra. Raises ``OverBudget``."""
        now = self.now()
        price, per_user = self.meter.price(item), self.meter.price(Item.USER_READ)
        for with_authors in (True, False) if authors and self.account.authors else (False,):
            each = price + per_user * with_authors
            share = Purpose.EXTRAS if with_authors else purpose
            count = min(size, self.meter.affords(each, share, now))
            if count >= least:
                return Plan(item, count, count * each, with_authors)
        raise OverBudget(purpose, self.meter)

    def charge(self, item: Item, ids: Iterable[str], users: Iterable[str]) -> None:
        """What an answer held."""
        self.meter.read(item, ids, self.now())
        self.meter.read(Item.USER_READ, users, self.now())

    def fields(self, number: int, *, authors: bool) -> dict[str, Any]:
        """What to ask for."""
        wanted = POST_FIELDS[number]
        asked: dict[str, Any] = {"tweet_fields": list(wanted)} if wanted else {}
        if authors and "entities" in wanted:
            asked |= {"expansions": ["author_id"], "user_fields": list(USER_FIELDS)}
        return asked

    async def called(self, call: Awaitable[Any]) -> dict[str, Any]:
        """Await a call of tweepy; whatever else it raises over an answer is unclear."""
        try:
            body: dict[str, Any] = await call
        except XError:
            raise
        except Exception as error:
            raise XError(Problem.UNCLEAR, f"{type(error).__name__}: {error}"[:200]) from error
        return body

    def made(self, body: dict[str, Any], *names: str) -> str:
        """The id of what was made."""
        data = body.get("data")
        found = [parse.optional(data.get(name)) for name in names] if isinstance(data, dict) else []
        for id_ in found:
            if id_:
                return id_
        raise XError(Problem.UNCLEAR, "the answer names no id")

    def need(self, usd: float, purpose: Purpose) -> None:
        """Raise ``OverBudget`` when the day's money does not allow it."""
        if not self.meter.allows(usd, purpose, self.now()):
            raise OverBudget(purpose, self.meter)


class OverBudget(XError):
    """The day's budget does not allow this call: our own breaker, not X's."""

    def __init__(self, purpose: Purpose, meter: SpendMeter) -> None:
        words = f"{meter.usd:.2f} of {meter.usd_max:.2f} dollars are spent today"
        super().__init__(Problem.CREDITS, f"{words}: no more for {purpose.name.lower().replace('_', ' ')}")
        self.purpose = purpose
