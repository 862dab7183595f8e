"""A running local X with a brand, a customer and tweepy's own client: what tests of the platform begin with."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from tests.platforms.x.client import LocalSession, signed_headers
from tests.platforms.x.clock import ManualClock
from tests.platforms.x.model import Account, User
from tests.platforms.x.platform import XPlatform
from tests.platforms.x.server import XServer


@dataclass
class Local:
    """A running platform with one brand, one customer and tweepy's client of the brand."""

    x: XPlatform
    clock: ManualClock
    base_url: str
    session: aiohttp.ClientSession
    brand: Account
    ada: User
    client: AsyncClient

    def client_of(self, account: Account) -> AsyncClient:
        """Tweepy's client of any account."""
        keys = account.credentials
        client = AsyncClient(
            consumer_key=keys.consumer_key,
            consumer_secret=keys.consumer_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_token_secret,
            return_type=dict,
        )
        client.session = LocalSession(self.session, self.base_url, account, self.clock)
        return client

    async def raw(self, method: str, path: str, body: object = None, **changes: str) -> tuple[int, Any, Any]:
        """A bare signed request: status, JSON, headers. `changes` replace headers."""
        url = self.base_url + path
        headers = signed_headers(method, url, self.brand.credentials, self.clock()) | changes
        async with self.session.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json(), response.headers

    async def mentions(self, **params: Any) -> dict[str, Any]:
        """The brand's mentions as tweepy gets them."""
        answer: dict[str, Any] = await self.client.get_users_mentions(self.brand.id, user_auth=True, **params)
        return answer

    async def reply(self, post_id: str, text: str) -> dict[str, Any]:
        """A reply as tweepy sends it."""
        answer: dict[str, Any] = await self.client.create_tweet(text=text, in_reply_to_tweet_id=post_id, user_auth=True)
        return answer


@asynccontextmanager
async def running(sleep: Callable[[float], Any] = asyncio.sleep) -> AsyncIterator[Local]:
    """Start a platform behind a server; `sleep` as in `XServer`."""
    clock = ManualClock()
    x = XPlatform(clock, random.Random(7))
    brand, ada = x.world.add_account("brand"), x.world.add_user("ada")
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(XServer(x, sleep))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        local = Local(x, clock, base_url, session, brand, ada, AsyncClient())
        local.client = local.client_of(brand)
        yield local
