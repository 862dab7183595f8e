"""The strict local X as a platform of the simulation, below the real X channel, joined at the session's seam."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random
from types import TracebackType
from typing import Any, Self

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from bot.channels.port import Alert, Channel
from bot.channels.x import XAccount, XChannel, XKeys, XSettings
from bot.clock import Clock
from bot.store.sqlite import SqliteStore
from conversations.comprehension import Reader
from conversations.conversation import Customer
from conversations.policy import Policy
from conversations.wording.request import Surface
from tests.platforms.x import Fault, Kind, Media, Post, User, XPlatform
from tests.platforms.x.model import Response
from tests.simulation.wire import LAG_S_MAX, LATE_S_MAX, Sent, Trouble, sending_key
from tests.simulation.world import World

NAME = "x"
BRAND = "brand"
KINDS = {
    Trouble.LOST_REPLY: Kind.LOST_REPLY,
    Trouble.RESET: Kind.RESET,
    Trouble.DELAY: Kind.DELAY,
    Trouble.LATE: Kind.LATE,
    Trouble.TOO_MANY: Kind.TOO_MANY,
    Trouble.SERVER_ERROR: Kind.SERVER_ERROR,
    Trouble.UNAUTHORIZED: Kind.UNAUTHORIZED,
    Trouble.NO_CREDIT: Kind.CREDITS_DEPLETED,
    Trouble.DUPLICATE: Kind.DUPLICATE,
    Trouble.PERMANENT: Kind.PERMANENT,
}
NAMES = {kind: trouble.value for trouble, kind in KINDS.items()}
ENDPOINTS = {
    "send": ("POST /2/tweets", "POST /2/dm_*"),
    "read": ("GET /2/users/:id/mentions",),
    "look": ("GET /2/users/:id/tweets",),
}
POLL_S = 120.0
"""How often mentions are read: less often than by default, for the sake of speed."""


class XTown:
    """X, with one account of ours. The same to people and judge as ``channel.Platform``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng("platform")
        self.x = XPlatform(lambda: world.now, Random(self.rng.random()))
        self.x.settings.own_lag_s = (0.0, LAG_S_MAX)
        self.x.settings.dm_lag_s = (0.0, 60.0)
        self.x.settings.mention_lag_s = (0.0, 5.0)
        self.brand = self.x.world.add_account(BRAND)
        self.users: dict[str, User] = {}
        self.written: dict[str, Post | None] = {}
        """What customers wrote, by id; None for a direct message."""
        self.authors: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.log: list[Sent] = []
        self.on_sent: Callable[[Sent], None] = lambda sent: None
        self.on_feed: Callable[[], None] = lambda: None
        self.late_next = 0
        self.seen = 0
        self.faults_seen = 0

    # ---------------------------------------------------------------- customers' side

    def enrol(self, name: str, time_zone: str | None) -> Customer:
        """A customer gets an account."""
        user = self.x.world.add_user(name)
        self.users[user.id] = user
        return Customer(user.id, handle=name, time_zone=time_zone)

    def write(
        self, customer: Customer, text: str, surface: Surface, in_reply_to: str | None = None, media: int = 0
    ) -> str:
        """A customer posts, or writes a direct message."""
        user = self.users[customer.id]
        if surface is Surface.DIRECT:
            message = self.x.world.dm(user, self.brand.user, text)
            self.written[message.id] = None
            self.world.write(f"{user.username} writes {message.id}")
            self.authors[message.id] = user.id
            return message.id
        lag_s = None
        if self.late_next:
            self.late_next -= 1
            lag_s = self.rng.choice((300.0, 800.0))
            self.world.fault("late-indexed mention")
        parent = self.written.get(in_reply_to or "")
        photos = tuple(Media(f"m{len(self.written)}-{n}") for n in range(media))
        post = self.x.world.post(user, f"@{BRAND} {text}", reply_to=parent, lag_s=lag_s, media=photos)
        self.written[post.id] = post
        self.authors[post.id] = user.id
        self.world.write(f"{user.username} posts {post.id}")
        return post.id

    def edit(self, post: str, text: str) -> None:
        """A customer edits a post."""
        if (found := self.written[post]) is not None and found.deleted_at is None:
            edited = self.x.world.edit(found, f"@{BRAND} {text}")
            self.authors[edited.id] = edited.author_id
            self.world.write(f"{edited.author_id} edits {post} into {edited.id}")

    def delete(self, post: str) -> None:
        """A customer deletes a post."""
        if (found := self.written[post]) is not None:
            self.deleted.add(post)
            self.x.world.delete(found)
            self.world.write(f"{found.author_id} deletes {post}")

    def repeat(self, count: int) -> None:
        """For an hour every row of a page comes twice."""
        self.mischief("duplicate_rows", "duplicate delivery")

    def shuffle(self) -> None:
        """For an hour the rows of a page come in no order."""
        self.mischief("shuffle_rows", "reorder")

    def mischief(self, setting: str, name: str) -> None:
        """Change how pages are given out, for an hour."""
        settings = self.x.settings
        setattr(settings, setting, True)
        self.world.fault(name)
        self.world.after(3600.0, partial(setattr, settings, setting, False))

    def block(self, customer: str) -> None:
        """A customer blocks us."""
        self.users[customer].blocks.add(self.brand.id)

    def author_of(self, post: str) -> str | None:
        """Who wrote a post."""
        return self.authors.get(post)

    # ---------------------------------------------------------------- our side

    def plan(self, endpoint: str, trouble: Trouble) -> None:
        """The next such call goes wrong."""
        kind = KINDS[trouble]
        delay_s = 20.0 + self.rng.uniform(1.0, LATE_S_MAX)
        lands = self.rng.random() < 0.5 if kind is Kind.SERVER_ERROR else None
        where = self.rng.choice(ENDPOINTS[endpoint])
        self.x.faults.add(Fault(kind, where, delay_s=delay_s, lands=lands))

    def channel(self, clock: Clock, store: SqliteStore, process: str, alert: Alert, policy: Policy) -> Channel:
        """The real X channel of one process."""
        keys = self.brand.credentials
        account = XAccount(
            name=BRAND,
            keys=XKeys(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret),
            user_id=self.brand.id,
            poll_s=POLL_S,
            thread_tails=False,  # it looks every five seconds, which would be all that the simulation did
            daily_spend_usd_max=10_000.0,
        )
        channel = XChannel(
            XSettings((account,)), store=store, reader=Reader.default(), clock=clock, alert=alert,
            policy=lambda: policy, rng=self.world.rng(f"channel {process} {self.world.t}"),
        )  # fmt: skip
        session: Any = Session(self, process)
        channel.shared._session = session
        return channel

    def answer(
        self, method: str, address: URL, headers: Mapping[str, str], body: bytes, key: str, process: str
    ) -> Response:
        """X works on a request."""
        response = self.x.handle(method, address.raw_path, address.raw_query_string, headers, body)
        self.noticed(key, process)
        if response.resume is not None:
            resume = response.resume
            return replace(response, resume=lambda: self.resumed(resume, key, process))
        return response

    def resumed(self, resume: Callable[[], Response], key: str, process: str) -> Response:
        """A request that was slow lands."""
        response = resume()
        self.noticed(key, process)
        return response

    def noticed(self, key: str, process: str) -> None:
        """Write down what was accepted and what went wrong."""
        for fired in self.x.faults.fired[self.faults_seen :]:
            self.world.fault(NAMES[fired.fault.kind], fired.endpoint)
        self.faults_seen = len(self.x.faults.fired)
        for row in self.x.accepted[self.seen :]:
            self.seen += 1
            to = row.recipient_id or self.authors.get(row.reply_to_id or "", "nobody")
            place = "direct" if row.kind == "dm" else "public"
            sent = Sent(len(self.log) + 1, self.world.t, NAME, key, process, to, place, row.text, row.reply_to_id)
            self.log.append(sent)
            self.world.write(f"accepted {row.id} {key} for {to} {place}: {row.text!r}")
            self.on_sent(sent)


class Session:
    """What the channel takes for an aiohttp session."""

    closed = False

    def __init__(self, town: XTown, process: str) -> None:
        self.town = town
        self.process = process

    async def close(self) -> None:
        """Nothing is open."""

    def request(
        self,
        method: str,
        address: URL,
        *,
        headers: Mapping[str, str],
        json: Any,
        timeout: aiohttp.ClientTimeout,
        **_: Any,
    ) -> Request:
        """One exchange, for ``async with``."""
        return Request(self, method, address, headers, json, timeout.total or 20.0)


class Request:
    """One request on its way, and its answer."""

    def __init__(
        self, session: Session, method: str, address: URL, headers: Mapping[str, str], body: Any, timeout_s: float
    ) -> None:
        self.session = session
        self.method = method
        self.address = address
        self.body = b"" if body is None else json.dumps(body).encode()
        self.sent = dict(headers) | ({"Content-Type": "application/json"} if body is not None else {})
        self.timeout_s = timeout_s
        self.status = 0
        self.reason = ""
        self.headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
        self.content_length = 0
        self._content = b""

    async def __aenter__(self) -> Self:
        town = self.session.town
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        way = town.rng.uniform(0.01, 0.4)
        town.world.after(way, partial(self.land, answer, sending_key(), way))
        response = await asyncio.wait_for(answer, self.timeout_s)
        if response.cut:
            raise aiohttp.ServerDisconnectedError
        self.status, self._content = response.status, response.body
        self.headers = CIMultiDictProxy(CIMultiDict(response.headers))
        self.content_length = len(response.body)
        return self

    def land(self, answer: asyncio.Future[Response], key: str, way: float) -> None:
        """The request arrives."""
        town = self.session.town
        response = town.answer(self.method, self.address, self.sent, self.body, key, self.session.process)
        self.back(answer, response, way)

    def back(self, answer: asyncio.Future[Response], response: Response, way: float) -> None:
        """The answer comes back, perhaps late, perhaps never."""
        world = self.session.town.world
        if response.delay_s == float("inf"):
            return
        if response.resume is not None:
            resume = response.resume
            world.after(response.delay_s, lambda: self.back(answer, resume(), way))
            return
        world.after(way + response.delay_s, lambda: None if answer.done() else answer.set_result(response))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open."""

    async def read(self) -> bytes:
        """The body."""
        return self._content
