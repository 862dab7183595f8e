"""One account of ours at work: its client, its money, what it remembers, and how it is doing. A line is what jobs
work on."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.channels.port import Alert, TakeIn
from bot.channels.x.client import OverBudget, XClient
from bot.channels.x.known import Known
from bot.channels.x.ledger import DAY, ROWS_MAX, Ledger
from bot.channels.x.limits import DAILY, SEND_MESSAGE
from bot.channels.x.problems import Problem, XError
from bot.channels.x.session import SharedSession
from bot.channels.x.settings import XAccount, XPrices
from bot.channels.x.spend import SpendMeter
from bot.clock import Clock
from bot.log import get_logger
from bot.store.records import Aside, Hold, OutboxRow, Place, TurnRecord
from conversations.comprehension.reading import Reading, ReadingContext
from conversations.conversation import Conversation
from conversations.ids import ConversationKey
from conversations.policy import Quiet

CHANNEL = "x"
STOPPED_S = 900.0
"""How long an account rests that X turned away (credentials, credits, 403 everywhere): no storm."""
ENDANGERED_S = 200.0
"""Failures for so long are told to the desk: within five minutes of the first."""
INVITING_SHARE = 0.35
"""The first reply invites to direct messages while so much of the day's 1,440 is left for those who come."""
INVITING_QUARTER = 2
"""… and so many calls of this quarter of an hour."""
BACK_OFF_S = (5.0, 10.0, 20.0, 30.0, 45.0, 60.0)

log = get_logger("x")


class Reads(Protocol):
    """What understands texts (``conversations.comprehension.Reader``)."""

    def read(self, text: str, context: ReadingContext = ...) -> Reading:
        """What a text says."""


class Memory(Protocol):
    """The part of the store that the channel looks into."""

    async def get_meta(self, key: str) -> str | None: ...
    async def set_meta(self, key: str, value: str, hold: Hold | None = None) -> None: ...
    async def conversations(
        self, *, states: Sequence[str] = (), search: str = "", customer: str = "", limit: int = 100, offset: int = 0
    ) -> list[Conversation]: ...
    async def turns(self, key: ConversationKey) -> list[TurnRecord]: ...
    async def turn(self, key: ConversationKey, turn_id: str) -> TurnRecord | None: ...
    async def outbox(
        self, *, conversation: ConversationKey | None = None, statuses: Sequence[str] = (), limit: int = 200
    ) -> list[OutboxRow]: ...
    async def sent_words(
        self, channel: str, account: str, place: str, since: datetime, limit: int
    ) -> list[OutboxRow]: ...
    async def asides(self, limit: int = 100) -> list[Aside]: ...


@dataclass(slots=True)
class Health:
    """How one part of a line is doing. ``until``: it rests until then."""

    failures: int = 0
    failing_since: datetime | None = None
    told: bool = False
    reason: str = ""
    until: datetime | None = None

    def rests(self, now: datetime) -> bool:
        """Whether it is not to be tried now."""
        return self.until is not None and now < self.until


@dataclass
class Ours:
    """All accounts of ours, by id and by handle: none of them is ever a customer."""

    by_id: dict[str, str] = field(default_factory=dict)
    by_handle: dict[str, str] = field(default_factory=dict)

    def learn(self, name: str, user_id: str, handle: str) -> None:
        """An account became known."""
        if user_id:
            self.by_id[user_id] = name
        if handle:
            self.by_handle[handle.lower()] = name

    def handles(self) -> tuple[str, ...]:
        """What names us in a text, and is no content."""
        return tuple(self.by_handle)


@dataclass(slots=True)
class Doors:
    """What all lines share of the rest of the program. ``take_in`` may be set later than the rest: intake is made of channels."""

    take_in: TakeIn
    store: Memory
    reader: Reads
    clock: Clock
    alert: Alert
    shared: SharedSession
    ours: Ours
    rng: random.Random
    quiet_s: Callable[[], float] = lambda: Quiet().public
    """How long a customer is silent in public before the bot speaks, as it is set now."""


class Line:
    """One account of ours."""

    def __init__(self, account: XAccount, prices: XPrices, doors: Doors) -> None:
        self.account = account
        self.doors = doors
        self.meter = SpendMeter(prices, account.daily_spend_usd_max)
        self.client = XClient(account, doors.shared, self.meter, doors.clock.now)
        self.known = Known()
        self.ledger = Ledger()
        self.health = Health()
        self.parts: dict[str, Health] = {}
        self.user_id = account.user_id
        self.handle = account.handle.lower().lstrip("@")
        self.messages_open = account.direct_messages
        self.paused = account.paused
        self.loaded = False
        self.hold: Hold | None = None
        self.told_inviting: bool | None = None
        """Where another process works on this account: what it says of inviting to direct messages."""
        self.polled_at: datetime | None = None
        doors.ours.learn(account.name, self.user_id, self.handle)

    @property
    def name(self) -> str:
        """What the account is called in conversations."""
        return self.account.name

    def now(self) -> datetime:
        """The present instant."""
        return self.doors.clock.now()

    # ---------------------------------------------------------------- start

    async def load(self) -> None:
        """Take up what the last run left."""
        if self.loaded:
            return
        now = self.now()
        self.meter.load(await self.get("spend"), now)
        self.paused = self.account.paused or await self.get("paused") == "yes"
        for place in (Place.PUBLIC, Place.DIRECT):
            rows = await self.doors.store.sent_words(CHANNEL, self.name, place.value, now - DAY, ROWS_MAX)
            self.ledger.load(rows)
            for row in rows:
                if row.external_id:
                    self.known.sent(row.external_id)
        if not self.handle:
            self.learn(self.user_id, await self.get("handle") or "")
        self.loaded = True

    async def take_over(self, hold: Hold | None) -> None:
        """Work on this account from now on; under a lease, with what the process before has kept."""
        self.hold, self.told_inviting = hold, None
        self.loaded = self.loaded and hold is None
        await self.load()

    def inviting(self, now: datetime) -> bool:
        """Whether direct messages are open and not running short: agents' words need what is left."""
        if self.told_inviting is not None:
            return self.told_inviting
        limits = self.client.limits
        left, limit = limits.left(SEND_MESSAGE, DAILY, now)
        room = limits.room(SEND_MESSAGE, now)
        return (
            self.messages_open
            and (limit == 0 or left >= limit * INVITING_SHARE)
            and (room is None or room >= INVITING_QUARTER)
        )

    async def tell(self) -> None:
        """Let the other processes know what they need to decide."""
        if self.hold is not None:
            await self.set("standing", json.dumps({"user_id": self.user_id, "inviting": self.inviting(self.now())}))

    async def hear(self) -> None:
        """Learn what the process that works on this account says of it."""
        kept = json.loads(await self.get("standing") or "{}")
        self.user_id = self.user_id or str(kept.get("user_id", ""))
        self.told_inviting = kept.get("inviting")

    def learn(self, user_id: str, handle: str) -> None:
        """Our own id and handle became known."""
        self.user_id = self.user_id or user_id
        self.handle = handle.lower() or self.handle
        self.doors.ours.learn(self.name, self.user_id, self.handle)

    async def identify(self) -> None:
        """Ask X who we are. Raises ``XError``; a server without that endpoint leaves what was configured."""
        if self.account.keys.missing:
            raise XError(Problem.CREDENTIALS, f"not set: {', '.join(self.account.keys.missing)}")
        try:
            found = await self.client.me()
        except XError as error:
            if error.problem not in (Problem.NO_SUCH_ROUTE, Problem.INVALID) or not self.known_id:
                raise
            self.learn(self.known_id, self.handle or self.name)
            return
        if self.user_id and found.id != self.user_id:
            words = f"the keys belong to user {found.id} (@{found.handle}), and user_id says {self.user_id}"
            raise XError(Problem.CREDENTIALS, words)
        self.learn(found.id, found.handle or self.name)
        await self.set("handle", self.handle)

    @property
    def known_id(self) -> str:
        """Our id: configured, or in the access token's beginning."""
        head = self.account.keys.access_token.partition("-")[0]
        return self.user_id or (head if head.isdecimal() else "")

    async def own_id(self) -> str:
        """Our id; X is asked where neither configuration nor token tells it. Raises ``XError``."""
        if not self.known_id:
            await self.identify()
        return self.known_id

    # ---------------------------------------------------------------- small values

    def key(self, what: str) -> str:
        """Where a small value is kept."""
        return f"x:{self.name}:{what}"

    async def get(self, what: str) -> str | None:
        """A small value of this account."""
        return await self.doors.store.get_meta(self.key(what))

    async def set(self, what: str, value: str) -> None:
        """Keep a small value of this account. Raises ``LeaseLost`` where another process has taken the account over."""
        await self.doors.store.set_meta(self.key(what), value, self.hold)

    async def keep_spend(self) -> None:
        """Keep what was spent, if it changed."""
        if self.meter.dirty:
            await self.set("spend", self.meter.dump())

    async def alert(self, kind: str, words: str) -> None:
        """Tell the desk that something about this account is wrong."""
        await self.doors.alert(f"x_{kind}", f"X, account {self.name}: {words}")

    # ---------------------------------------------------------------- health

    def part(self, name: str) -> Health:
        """How one job is doing."""
        return self.parts.setdefault(name, Health())

    def wait_s(self, health: Health) -> float:
        """How long to wait after one more failure, with up to a fifth of jitter."""
        base = BACK_OFF_S[min(health.failures, len(BACK_OFF_S)) - 1]
        return base * (1 + self.doors.rng.random() / 5)

    async def well(self, name: str) -> None:
        """A job came through."""
        for health in (self.part(name), self.health):
            if health.told:
                await self.alert("back", f"{name} work again after: {health.reason}")
            health.failures, health.failing_since, health.told, health.reason, health.until = 0, None, False, "", None

    async def ill(self, name: str, error: XError, *, essential: bool) -> None:
        """A job failed: rest, and tell the desk once. ``essential``: without it mentions are not seen."""
        now = self.now()
        health = self.part(name)
        health.failures += 1
        health.failing_since = health.failing_since or now
        health.reason = str(error)
        rest = timedelta(seconds=self.wait_s(health))
        told: tuple[str, str] | None = None
        match error.problem:
            case Problem.LIMIT:
                rest = max(rest, (error.until or now) - now)
                if rest > timedelta(seconds=2 * STOPPED_S):
                    told = ("limits", f"{name} rest until {now + rest:%H:%M} UTC: {error}")
            case Problem.CREDENTIALS:
                rest = timedelta(seconds=STOPPED_S)
                told = (
                    "credentials",
                    f"X refuses our keys ({error.detail}). Nothing is read or sent until they are right",
                )
                self.stop(health, now + rest)
            case Problem.CREDITS:
                rest = self.until_midnight(now) if isinstance(error, OverBudget) else timedelta(seconds=STOPPED_S)
                told = ("credits", f"{name} stopped: {error.detail}. The cursor is kept")
                if not isinstance(error, OverBudget):
                    self.stop(health, now + rest)
                elif not essential:
                    log.info("over budget", account=self.name, job=name)
                    told = None
            case (
                Problem.PERMISSION
                | Problem.NO_SUCH_ROUTE
                | Problem.OTHER
                | Problem.INVALID
                | Problem.GONE
                | Problem.BLOCKED
            ):
                rest = timedelta(seconds=STOPPED_S if essential else 24 * STOPPED_S)
                told = ("channel_down" if essential else f"no_{name}", f"{name} are refused: {error}")
            case _:
                if now - health.failing_since >= timedelta(seconds=ENDANGERED_S):
                    told = (
                        "channel_down" if essential else f"no_{name}",
                        f"{name} fail since {health.failing_since:%H:%M} UTC: {error}",
                    )
        health.until = now + rest
        log.warning("job failed", account=self.name, job=name, problem=error.problem.value, failures=health.failures)
        if told is not None and not health.told:
            health.told = True
            await self.alert(*told)

    def stop(self, health: Health, until: datetime) -> None:
        """The whole line rests."""
        self.health.until, self.health.reason = until, health.reason
        self.health.failing_since = self.health.failing_since or self.now()

    def until_midnight(self, now: datetime) -> timedelta:
        """How long until the next UTC day, when there is money again; looked at every quarter of an hour."""
        midnight = (now + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        return min(midnight - now, timedelta(seconds=STOPPED_S))

    def report(self) -> Mapping[str, Any]:
        """How the account is doing, for ``status``."""
        now = self.now()
        failing = {name: health.reason for name, health in self.parts.items() if health.failing_since is not None}
        return {
            "ok": not self.health.rests(now) and "mentions" not in failing,
            "paused": self.paused,
            "failing": failing,
            "direct_messages": self.messages_open,
            "polled_at": self.polled_at.isoformat() if self.polled_at else None,
            "posts_left": self.client.limits.room("POST /2/tweets", now),
            "messages_left": self.client.limits.room(SEND_MESSAGE, now),
            "spend": self.meter.report(now),
        }
