"""The filtered stream, where the admin wants it: it only calls intake earlier; what counts is what the polls find.

A connection that is silent for longer than three keep-alives hangs (tweepy issue 1477), and is made anew.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp

from bot.channels.x.line import Line, log
from bot.channels.x.problems import NETWORK_ERRORS, Problem, XError, network_error, refusal
from bot.channels.x.rounds import Rounds

SILENT_S = 65.0
"""X sends a keep-alive every 20 seconds."""
BACK_OFF_S = (5.0, 15.0, 60.0, 300.0)
TAG = "hearout"
RULES = "/2/tweets/search/stream/rules"
STREAM = "/2/tweets/search/stream"


class Stream:
    """One connection that pokes the rounds of a line."""

    def __init__(self, line: Line, rounds: Rounds, silent_s: float = SILENT_S) -> None:
        self.line = line
        self.rounds = rounds
        self.silent_s = silent_s
        self.connections = 0

    async def forever(self) -> None:
        """Connect again and again until cancelled."""
        failures = 0
        while True:
            try:
                await self.listen()
                failures = 0
            except XError as error:
                failures += 1
                log.warning("stream ended", account=self.line.name, problem=error.problem.value, detail=error.detail)
                if failures == len(BACK_OFF_S):
                    await self.line.alert("stream", f"the filtered stream does not hold ({error}); polling goes on")
            jitter = 1 + self.line.doors.rng.random() / 5
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)] * jitter
            await self.line.doors.clock.wait(asyncio.Event(), self.line.now() + timedelta(seconds=pause_s))

    async def listen(self) -> None:
        """One connection, until it ends. Raises ``XError``."""
        line = self.line
        if not line.account.keys.bearer or not line.handle:
            raise XError(Problem.CREDENTIALS, "the stream needs a bearer token and our handle")
        await self.ensure_rule()
        url = line.account.base_url + STREAM
        headers = {"Authorization": f"Bearer {line.account.keys.bearer}"}
        timeout = aiohttp.ClientTimeout(total=None, connect=line.account.timeout_s, sock_read=self.silent_s)
        try:
            async with line.doors.shared.get().get(url, headers=headers, timeout=timeout) as response:
                if response.status != 200:
                    raise refusal(response.status, await response.read())
                self.connections += 1
                self.rounds.poke.set()  # there is no backfill: what came meanwhile is polled for
                async for line_ in response.content:
                    if line_.strip():
                        self.rounds.poke.set()
        except NETWORK_ERRORS as error:
            raise network_error(error) from error

    async def ensure_rule(self) -> None:
        """The rule that sends us what names us. Raises ``XError``."""
        value = f"@{self.line.handle} -is:retweet"
        body: dict[str, Any] = await self.call("GET", None)
        rules = body.get("data")
        if isinstance(rules, list) and any(isinstance(rule, dict) and rule.get("value") == value for rule in rules):
            return
        await self.call("POST", {"add": [{"value": value, "tag": TAG}]})

    async def call(self, method: str, json: Any) -> dict[str, Any]:
        """A call about the rules, through tweepy with the app's own token."""
        client = self.line.client
        response = await client.called(client.tweepy.request(method, RULES, params={}, json=json, user_auth=False))
        return await response.json()  # type: ignore[attr-defined,no-any-return]
