"""The Desk port: where agents see cases and act on them.

A desk is given rows of the outbox whose place is ``desk`` (cards, mirrored turns, alarms, answers to one agent), and hands
agents' acts to ``Acts`` (``bot/desk/acts.py``). Nothing else of what is written at a desk ever reaches a customer.
"""

from __future__ import annotations

from typing import Protocol

from bot.channels.port import Accepted
from bot.store.records import OutboxRow
from conversations.conversation import Conversation


class Desk(Protocol):
    """The agents' place."""

    quarantine_s: float
    sending_s: float

    def lane(self, conversation: Conversation) -> str:
        """What is paced together at the desk for this case."""

    async def deliver(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Show a card, a turn, an alarm, or an answer to one agent. Raises a ``DeliveryError``, nothing else."""

    async def find_shown(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """Read back whether it is there already; None: certainly absent."""

    async def alert(self, kind: str, words: str) -> None:
        """Say that something about the bot itself is wrong (channel down, limits), or that a topic needs a decision
        (``storm:delivery``, ``held:delivery``). Best effort: it is logged as well, and repeats of a kind may be folded."""

    async def run(self) -> None:
        """Take agents' acts until cancelled."""

    async def close(self) -> None:
        """Let go of connections."""
