"""The playground's desk: the page reads cases, turns and calls straight from the store, so showing them needs no delivery."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime

from bot.channels.port import Accepted
from bot.clock import Clock
from bot.log import get_logger
from bot.store.records import OutboxRow
from conversations.conversation import Conversation
from conversations.ids import ExternalId

log = get_logger("desk")


class PlaygroundDesk:
    """Agents on this machine."""

    quarantine_s = 0.0
    sending_s = 5.0

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.alerts: deque[tuple[datetime, str, str]] = deque(maxlen=50)

    def lane(self, conversation: Conversation) -> str:
        """Each case has a lane of its own."""
        return f"desk:{conversation.key}"

    async def deliver(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """It is in the store already: the page shows it from there."""
        return Accepted(ExternalId(row.key), self.clock.now())

    async def find_shown(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """What is in the store is shown."""
        return Accepted(ExternalId(row.key), self.clock.now())

    async def alert(self, kind: str, words: str) -> None:
        """Kept for the page's health line."""
        self.alerts.append((self.clock.now(), kind, words))
        log.warning("alert", kind=kind, words=words)

    async def run(self) -> None:
        """Agents act through the page."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to let go of."""
