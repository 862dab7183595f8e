"""The Channel port: how customers' words come in and ours go out, on one platform.

A channel feeds ``Intake`` with arrivals and is given frozen texts to send. It never decides what is said. Several channels run
side by side; each is named by ``name`` (``x``, ``slack``, ``playground``), which is the ``channel`` of its conversations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.store.records import Arrival, Lane, OutboxRow, Taken
from conversations.conversation import Conversation
from conversations.errors import HearoutError
from conversations.ids import ExternalId
from conversations.policy import ChannelTraits


class DeliveryError(HearoutError):
    """A message was not delivered, or may not have been.

    DeliveryError
    ├── Transient(retry_after_s)   certainly not delivered: may be sent again after that time
    ├── Rejected(reason)           certainly not delivered, and never will be: tell the desk
    │   ├── Unreachable(reason)    … because this customer cannot be reached at all any more
    │   └── Duplicate(reason)      … in these words: another wording may be tried, once
    ├── Refused(reason)            our own rules forbid it: it never left
    └── Unknown(reason)            it may have been delivered: look before resending
    """


class Transient(DeliveryError):
    """Certainly not delivered; may be sent again after ``retry_after_s`` seconds. ``pause_lane``: so must its whole lane."""

    def __init__(self, reason: str, retry_after_s: float, *, pause_lane: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.pause_lane = pause_lane


class Rejected(DeliveryError):
    """Certainly not delivered, and never will be."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreachable(Rejected):
    """The customer cannot be reached any more: blocked us, protected, gone, messages shut."""


class Duplicate(Rejected):
    """The platform calls it a repetition, and a read-back shows that it did not land: other words may be tried, once."""


class Refused(DeliveryError):
    """Our own rules forbid it; it never left. The desk is told, and it is not tried again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unknown(DeliveryError):
    """It may have been delivered (timeout, cut connection, 5xx): it rests for the quarantine and is read back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform took it. ``next_at`` paces the lane: nothing else may leave on it before then. ``text`` is what was said where
    it is not ``body["text"]`` (the second wording)."""

    id: ExternalId
    at: datetime
    url: str | None = None
    next_at: datetime | None = None
    text: str | None = None


class TakeIn(Protocol):
    """The door of intake, as channels see it."""

    async def __call__(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Keep what came in. Raises ``StoreUnavailable``: do not acknowledge, deliver it again later."""


Alert = Callable[[str, str], Awaitable[None]]
"""Tell the desk that something about the channel itself is wrong: (kind, words). Repeats of a kind are folded."""


class Channel(Protocol):
    """One platform on which customers write."""

    name: str
    traits: ChannelTraits
    quarantine_s: float
    """How long an unknown send rests before it is read back: longer than the platform's indexing lag."""
    sending_s: float
    """How long one send may take before its outcome counts as unknown."""

    lanes: Sequence[Lane]
    """Lanes that may carry several messages at once; every other lane carries one at a time."""

    def lane(self, conversation: Conversation, place: str) -> str:
        """What is paced together with words to this customer at this place."""

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """Whether the first reply may invite to direct messages: they are possible and not running short."""

    def direct_link(self, conversation: Conversation) -> str | None:
        """A link that opens a direct message to us, where the admin wants it in public replies."""

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Send ``row.body["text"]`` in answer to ``row.body["in_reply_to"]``. Raises a ``DeliveryError``, nothing else.

        The channel's own rules stand in front of it (``Refused``). ``row.key`` is opaque and unique: where the platform can carry
        it, it should, so that ``find_sent`` can look for it.
        """

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """Read back whether the platform has these words already; None: certainly absent. Raises ``Transient`` or ``Unknown``."""

    async def run(self) -> None:
        """Bring in what customers write until cancelled. Survives every error of the platform."""

    async def close(self) -> None:
        """Let go of connections."""
