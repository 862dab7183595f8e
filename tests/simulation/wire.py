"""Between a process and a platform: requests take time, get lost, land late, and are answered or not.

The platform's append-only log is the judge of "once": it is written when a request lands, whoever still waits for the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from tests.simulation.world import World

T = TypeVar("T")

TIMEOUT_S = 20.0
"""How long a client waits for an answer."""
LATE_S_MAX = 60.0
"""How long after the client gave up a request may still land, or be answered."""
LAG_S_MAX = 520.0
"""The platform's indexing lag at most. A request that lands late, and is indexed late, is visible before the quarantine is
over: what stays invisible for longer is the residual risk that docs/reliability.md names."""


class Trouble(StrEnum):
    """What goes wrong with one call."""

    LOST_REPLY = "lost reply"  # lands; the connection is cut
    RESET = "reset"  # does not land; the connection is cut
    DELAY = "delay"  # lands at once; the answer comes after the client has given up
    LATE = "late"  # lands only after the client has given up
    TOO_MANY = "429"
    SERVER_ERROR = "5xx"  # may have landed
    UNAUTHORIZED = "401"
    NO_CREDIT = "402"
    DUPLICATE = "403 duplicate"  # says that it is there already, which may or may not be so
    PERMANENT = "403 permanent"


class Cut(Exception):
    """No answer: the connection broke, or nobody answered in time."""


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, trouble: Trouble, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{status} {trouble.value}")
        self.status = status
        self.trouble = trouble
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Sent:
    """One line of a platform's log: something of ours that it accepted. ``key`` is the outbox row whose task sent it."""

    n: int
    t: float
    platform: str
    key: str
    process: str
    to: str
    place: str
    text: str
    in_reply_to: str | None

    @property
    def id(self) -> str:
        """What the platform calls it."""
        return f"{self.platform}-{self.n}"


def sending_key() -> str:
    """The outbox row that the running task delivers: ``Delivery`` names its tasks so. Tells the log who sent what."""
    task = asyncio.current_task()
    name = task.get_name() if task else ""
    return name.removeprefix("deliver ") if name.startswith("deliver ") else ""


class Wire:
    """The way to one platform. ``planned`` holds (endpoint, trouble) for calls to come, first come, first served."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.rng = world.rng(f"wire {name}")
        self.planned: list[tuple[str, Trouble]] = []
        self.calls = 0

    async def call(self, endpoint: str, work: Callable[[], T]) -> T:
        """One request. Raises ``Cut`` or ``Refusal``."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self.calls += 1
        way = self.rng.uniform(0.01, 0.4)
        trouble = self.trouble(endpoint)
        if trouble is None:
            self.world.after(way, partial(self.land, work, answer, way))
        else:
            self.world.fault(trouble.value, f"{self.name} {endpoint}")
            self.spoil(trouble, work, answer, way)
        try:
            return await asyncio.wait_for(answer, TIMEOUT_S)
        except TimeoutError:
            raise Cut("no answer in time") from None

    def plan(self, endpoint: str, trouble: Trouble) -> None:
        """The next such call goes wrong."""
        self.planned.append((endpoint, trouble))

    def trouble(self, endpoint: str) -> Trouble | None:
        """What happens to this call."""
        for index, (wanted, trouble) in enumerate(self.planned):
            if wanted == endpoint:
                del self.planned[index]
                return trouble
        return None

    def land(self, work: Callable[[], T], answer: asyncio.Future[T], back_s: float) -> None:
        """The request is worked on; the answer leaves."""
        try:
            result = work()
        except Refusal as refusal:
            self.world.after(back_s, partial(refuse, answer, refusal))
        else:
            self.world.after(back_s, partial(settle, answer, result))

    def spoil(self, trouble: Trouble, work: Callable[[], T], answer: asyncio.Future[T], way: float) -> None:
        """The request as it goes wrong."""
        after = self.world.after
        match trouble:
            case Trouble.LOST_REPLY:
                after(way, partial(silently, work))
                after(2 * way, partial(refuse, answer, Cut("connection reset")))
            case Trouble.RESET:
                after(way, partial(refuse, answer, Cut("connection reset")))
            case Trouble.DELAY:
                after(way, partial(self.land, work, answer, TIMEOUT_S + self.rng.uniform(1.0, LATE_S_MAX)))
            case Trouble.LATE:
                after(TIMEOUT_S + self.rng.uniform(1.0, LATE_S_MAX), partial(silently, work))
            case Trouble.SERVER_ERROR:
                if self.rng.random() < 0.5:
                    after(way, partial(silently, work))
                after(2 * way, partial(refuse, answer, Refusal(503, trouble)))
            case Trouble.TOO_MANY:
                wait_s = self.rng.choice((5.0, 60.0, 900.0))
                after(way, partial(refuse, answer, Refusal(429, trouble, wait_s)))
            case Trouble.UNAUTHORIZED:
                after(way, partial(refuse, answer, Refusal(401, trouble, 60.0)))
            case Trouble.NO_CREDIT:
                after(way, partial(refuse, answer, Refusal(402, trouble, 300.0)))
            case Trouble.DUPLICATE:
                after(way, partial(refuse, answer, Refusal(403, trouble)))
            case Trouble.PERMANENT:
                after(way, partial(refuse, answer, Refusal(403, trouble)))


def settle(answer: asyncio.Future[Any], result: Any) -> None:
    """Answer, if anybody still waits."""
    if not answer.done():
        answer.set_result(result)


def refuse(answer: asyncio.Future[Any], error: Exception) -> None:
    """Answer with an error, if anybody still waits."""
    if not answer.done():
        answer.set_exception(error)


def silently(work: Callable[[], Any]) -> None:
    """Work whose answer nobody hears."""
    try:
        work()
    except Refusal:
        return
