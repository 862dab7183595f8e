"""X as a channel: one channel, several accounts of ours, each a ``Line`` with its own lanes, limits and money."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.channels.port import Accepted, Alert, Duplicate, Rejected, TakeIn
from bot.channels.x.line import CHANNEL, Doors, Line, Memory, Ours, Reads
from bot.channels.x.problems import Problem, XError
from bot.channels.x.rounds import Rounds
from bot.channels.x.send import Sender
from bot.channels.x.session import SharedSession
from bot.channels.x.settings import XSettings
from bot.channels.x.stream import Stream
from bot.clock import Clock
from bot.leases import Alone, at_once
from bot.log import get_logger
from bot.store.port import StoreUnavailable
from bot.store.records import Arrival, Hold, Lane, OutboxRow, Place, Taken
from conversations.conversation import Conversation
from conversations.policy import ChannelTraits, Policy
from conversations.wording.length import X_DIRECT_CHARS_MAX, X_POST_WEIGHT_MAX

CALLS_MAX = 4
"""Calls that one send may take: a look at the post, the send, and the read-back of a duplicate over two pages."""

log = get_logger("x")


class XChannel:
    """The Channel port for X."""

    name = CHANNEL
    traits = ChannelTraits(
        unprompted_public=False,
        public_chars_max=X_POST_WEIGHT_MAX,
        direct_chars_max=X_DIRECT_CHARS_MAX,
        refuses_repeats=True,
    )

    def __init__(
        self,
        settings: XSettings,
        *,
        take_in: TakeIn | None = None,
        store: Memory,
        reader: Reads,
        clock: Clock,
        alert: Alert,
        policy: Callable[[], Policy] = Policy,
        rng: random.Random | None = None,
        alone: Alone = at_once,
    ) -> None:
        """``alone``: how it is made sure that each account is read and written by one process only."""
        self.alone = alone
        self.at_work: set[str] = set()
        """The accounts that this process reads and writes."""
        self.shared = SharedSession()
        ours, rng = Ours(), rng or random.Random()
        doors = Doors(
            take_in or nowhere, store, reader, clock, alert, self.shared, ours, rng, lambda: policy().quiet_s.public
        )
        self.clock = clock
        self.doors = doors
        self.quarantine_s = policy().quarantine_s
        self.sending_s = CALLS_MAX * max((account.timeout_s for account in settings.accounts), default=20.0)
        self.lines = {account.name: Line(account, settings.prices, doors) for account in settings.accounts}
        self.rounds = {name: Rounds(line) for name, line in self.lines.items()}
        self.senders = {name: Sender(line) for name, line in self.lines.items()}
        self.lanes: Sequence[Lane] = tuple(
            lane
            for account in settings.accounts
            for lane in (Lane(account.posts_lane, at_once=account.at_once), Lane(account.messages_lane, at_once=2))
        )

    @property
    def take_in(self) -> TakeIn:
        """The door of intake; it may be set after construction."""
        return self.doors.take_in

    @take_in.setter
    def take_in(self, take_in: TakeIn) -> None:
        self.doors.take_in = take_in

    # ---------------------------------------------------------------- words out

    def lane(self, conversation: Conversation, place: str) -> str:
        """One lane per account and endpoint: posts, direct messages."""
        kind = "messages" if place == Place.DIRECT.value else "posts"
        return f"{CHANNEL}:{conversation.account}:{kind}"

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Send words. Raises a ``DeliveryError``, nothing else."""
        sender = self.sender(row.account)
        try:
            return await sender.send(row, conversation)
        except Duplicate:
            other = row.body.get("other")
            if not other or row.attempt > 1:  # a repetition after an earlier try may well be that try: a human looks
                raise
            return replace(await sender.send(worded(row, other), conversation), text=other)

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """Read back our timeline, or the direct messages with this customer."""
        sender = self.sender(row.account)
        await sender.line.load()
        for text in filter(None, (row.body["text"], row.body.get("other"))):
            found = await sender.find_sent(worded(row, text), conversation)
            if found is not None:
                return replace(found, text=text)
        return None

    def sender(self, account: str) -> Sender:
        """The sender of an account. Raises ``Rejected`` when it was taken out of the configuration."""
        if account not in self.senders:
            raise Rejected(f"account: {account!r} is no longer configured ([[x.accounts]])")
        return self.senders[account]

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """Whether direct messages are possible, and not running short: agents' words need what is left."""
        line = self.lines.get(conversation.account)
        return line is not None and line.account.direct_messages and line.inviting(now)

    def direct_link(self, conversation: Conversation) -> str | None:
        """The link that opens a direct message to us, where the admin wants it and it leads somewhere."""
        line = self.lines.get(conversation.account)
        if line is None or not line.account.deep_link or not self.invites_direct(conversation, self.clock.now()):
            return None
        return self.senders[line.name].deep_link()

    # ---------------------------------------------------------------- words in

    async def run(self) -> None:
        """Bring in what customers write until cancelled. An account with missing or wrong keys does not hold up the
        others."""
        await self.prepare()
        await together(*(self.alone(f"x:{name}", partial(self.work, name)) for name in self.lines))

    async def work(self, name: str, hold: Hold | None) -> None:
        """Read one account, and be the one that writes there, until cancelled."""
        line, rounds = self.lines[name], self.rounds[name]
        await line.take_over(hold)
        jobs = [rounds.forever()]
        if line.account.filtered_stream:
            jobs.append(Stream(line, rounds).forever())
        self.at_work.add(name)
        try:
            await together(*jobs)
        finally:
            self.at_work.discard(name)
            await line.keep_spend()

    async def hear(self) -> None:
        """Learn about the accounts that other processes work on."""
        for name, line in self.lines.items():
            if name not in self.at_work:
                await line.hear()

    def elsewhere(self) -> tuple[str, ...]:
        """The lanes that another process sends on, if any does."""
        accounts = [line.account for name, line in self.lines.items() if name not in self.at_work]
        return tuple(lane for account in accounts for lane in (account.posts_lane, account.messages_lane))

    async def prepare(self) -> None:
        """Learn who we are before anybody is read: one of our accounts is never another's customer."""
        await asyncio.gather(*(rounds.ready() for rounds in self.rounds.values()))

    async def round(self) -> None:
        """One round of every account, for those who move the clock themselves."""
        await self.prepare()
        for rounds in self.rounds.values():
            await rounds.round()

    async def close(self) -> None:
        """Keep what was spent, and let go of connections."""
        await self.shared.close()

    # ---------------------------------------------------------------- for admins

    async def pause(self, account: str, paused: bool) -> None:
        """Switch the bot's words off or on for one account; agents' words still leave, and mentions still come in."""
        line = self.lines[account]
        line.paused = paused
        await line.set("paused", "yes" if paused else "no")

    def spend(self) -> Mapping[str, Any]:
        """What was spent today, by account: dollars, the most allowed, items, and what the breaker has stopped."""
        now = self.clock.now()
        return {name: line.meter.report(now) for name, line in self.lines.items()}

    def status(self) -> Mapping[str, Any]:
        """How every account is doing."""
        return {name: line.report() for name, line in self.lines.items()}

    async def check(self) -> list[str]:
        """What is wrong with the accounts, asked of X: keys, ids, permissions, direct messages. Empty when all is
        well."""
        wrong: list[str] = []
        for name, line in self.lines.items():
            try:
                await line.identify()
                await line.client.mentions(line.user_id, None, None, 5)
            except XError as error:
                wrong.append(f"x.accounts.{name}: {advice(error)}")
                continue
            if not line.account.automated_label:
                wrong.append(f"x.accounts.{name}: set X's label Automated on the account, then automated_label = true")
            if line.account.direct_messages:
                try:
                    await line.client.messages(None, 1)
                except XError as error:
                    wrong.append(f"x.accounts.{name}: direct messages: {advice(error)}, or set direct_messages = false")
        return wrong


async def together(*jobs: Awaitable[None]) -> None:
    """Run jobs side by side until one fails; none is left behind."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION) if tasks else ((), ())
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def nowhere(arrivals: Sequence[Arrival]) -> list[Taken]:
    """No door yet: nothing is acknowledged."""
    raise StoreUnavailable(f"{len(arrivals)} arrivals came before XChannel.take_in was set")


def advice(error: XError) -> str:
    """An error with what to do about it."""
    todo = {
        Problem.CREDENTIALS: "check the four keys (HEAROUT_X_…) and user_id",
        Problem.CREDITS: "buy credits in X's developer console, or raise daily_spend_usd_max",
        Problem.PERMISSION: "give the app Read and write and Direct message, then make new access tokens",
        Problem.NOT_SENT: "check api_url and the network",
        Problem.NO_SUCH_ROUTE: "check api_url",
    }.get(error.problem)
    return f"{error}: {todo}" if todo else str(error)


def worded(row: OutboxRow, text: str) -> OutboxRow:
    """The same message in these words."""
    return replace(row, body={**row.body, "text": text})
