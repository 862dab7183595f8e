"""The jobs of one line, each at its own pace; a round runs those that are due. One job's failure holds up no
other's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channels.x.forecast import forecast
from bot.channels.x.intake import deletions
from bot.channels.x.intake.mentions import Mentions
from bot.channels.x.intake.messages import DirectMessages
from bot.channels.x.intake.own import OwnPosts
from bot.channels.x.intake.tails import Tails
from bot.channels.x.limits import MENTIONS, MESSAGES, OWN_POSTS, SEARCH
from bot.channels.x.line import Line
from bot.channels.x.problems import XError

POLL_S_MAX = 300.0
"""Mentions are never read less often, whatever the money: no deadline passes unseen."""
THRIFTY_FROM = 0.5
"""From this share of the day's budget on, the pace follows the money if it is spent faster than the day passes."""
SWEEP_EVERY_S = 3600.0
FORECAST_S = 60.0
KEEP_S = 30.0
IDENTIFY_S = 24 * 3600.0
REST_S_MAX = 60.0


@dataclass(slots=True)
class Job:
    """Something done again and again. ``essential``: without it mentions are not seen. ``inside``: it does not ask X."""

    name: str
    run: Callable[[], Awaitable[object]]
    every_s: Callable[[], float]
    essential: bool = False
    inside: bool = False
    next_at: datetime | None = None


class Rounds:
    """Runs the jobs of a line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.poke = asyncio.Event()
        self.tails = Tails(line)
        self.own = OwnPosts(line)
        self.mentions = Mentions(line, self.tails, self.own.poll)
        self.messages = DirectMessages(line)
        self.identified = Job("account", line.identify, lambda: IDENTIFY_S, essential=True)
        self.jobs = [
            Job("mentions", self.mentions.poll, self.mentions_s, essential=True),
            Job("own posts", self.own.poll, lambda: max(2 * line.account.poll_s, self.pace(OWN_POSTS))),
            Job("direct messages", self.messages.poll, lambda: max(line.account.poll_s, self.pace(MESSAGES))),
            Job("thread tails", self.tails.look, lambda: max(5.0, self.pace(SEARCH))),
            Job("deletions", lambda: deletions.sweep(line, self.mentions.show_all), lambda: SWEEP_EVERY_S),
            Job("forecast", lambda: forecast(line), lambda: FORECAST_S, inside=True),
            Job("meter", line.keep_spend, lambda: KEEP_S, inside=True),
            Job("standing", line.tell, lambda: KEEP_S, inside=True),
        ]

    def mentions_s(self) -> float:
        """The pace of the mentions: as configured, slower when limits or money ask for it, never beyond
        ``POLL_S_MAX``."""
        line, now = self.line, self.line.now()
        seconds = max(line.account.poll_s, self.pace(MENTIONS))
        day = (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds() / 86_400
        share = line.meter.share
        if share > THRIFTY_FROM and share > day:
            seconds *= 1 + 4 * (share - day)
        return min(seconds, max(POLL_S_MAX, line.account.poll_s))

    def pace(self, endpoint: str) -> float:
        """The pace that a limit allows."""
        return self.line.client.limits.pace_s(endpoint, self.line.now())

    async def round(self) -> None:
        """Run what is due. Raises ``StoreUnavailable`` only: everything of X's is survived."""
        line = self.line
        if not await self.ready():
            return
        for job in self.jobs:
            if job.name == "direct messages" and not line.account.direct_messages:
                continue
            if line.health.rests(line.now()) and not job.inside:
                continue
            await self.run(job)

    async def ready(self) -> bool:
        """Whether we know who we are: asked once at start, and again each day."""
        line = self.line
        await line.load()
        job = self.identified
        if not line.health.rests(line.now()):
            await self.run(job)
        return bool(line.user_id) and not line.account.keys.missing

    async def run(self, job: Job) -> None:
        """Run one job if it is due."""
        line = self.line
        if (job.next_at is not None and line.now() < job.next_at) or line.part(job.name).rests(line.now()):
            return
        try:
            await job.run()
        except XError as error:
            await line.ill(job.name, error, essential=job.essential)
            job.next_at = line.part(job.name).until
        else:
            if not job.inside:
                await line.well(job.name)
            job.next_at = line.now() + timedelta(seconds=job.every_s())

    def next_at(self) -> datetime:
        """When there is something to do again."""
        line, now = self.line, self.line.now()
        times = [job.next_at for job in self.jobs if job.next_at is not None]
        if (tail := self.tails.due_at()) is not None:
            times.append(max(tail, now + timedelta(seconds=1)))
        soonest = min(times, default=now + timedelta(seconds=REST_S_MAX))
        if line.health.rests(now) and line.health.until is not None:
            soonest = max(soonest, min(line.health.until, now + timedelta(seconds=REST_S_MAX)))
        return soonest

    async def forever(self) -> None:
        """Round after round, until cancelled. ``poke`` (the stream) brings the next poll of the mentions forward."""
        while True:
            if self.poke.is_set():
                self.poke.clear()
                self.jobs[0].next_at = None
            await self.round()
            await self.line.doors.clock.wait(self.poke, self.next_at())
