"""Intake: what came in is kept once, routed to its conversation, and wakes the engine.

Triage decides here: ``no`` is set aside with its reason, in a list where one click opens a case; ``unsure`` and ``yes`` open one.
A post of somebody with an open conversation always joins it, whatever triage thinks of the post.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.clock import Clock
from bot.crash_points import reached
from bot.store.port import Store
from bot.store.records import Arrival, Join, Open, Route, SetAside, Taken
from conversations.comprehension.reading import Decision
from conversations.conversation import Conversation, Outcome
from conversations.events import CustomerPosted
from conversations.machine import Opening, open_conversation
from conversations.policy import Policy
from conversations.wording.request import Surface


class Intake:
    """The one door by which events reach conversations. Callable, as channels expect it (``TakeIn``)."""

    def __init__(self, store: Store, clock: Clock, policy: Callable[[], Policy], decide: asyncio.Event) -> None:
        """``decide`` is set when there is something to decide."""
        self.store = store
        self.clock = clock
        self.policy = policy
        self.decide = decide

    async def __call__(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Keep what came in. Raises ``StoreUnavailable``: nothing was kept; do not acknowledge."""
        reached("intake: before commit")
        taken = await self.store.take_in(arrivals, self.route, self.clock.now())
        reached("intake: after commit")
        if any(entry.new for entry in taken):
            self.decide.set()
        return taken

    async def open_aside(self, sequence: int) -> Taken:
        """A person opens a case from a mention that was set aside."""
        taken = await self.store.open_aside(sequence, self.open_anyway, self.clock.now())
        self.decide.set()
        return taken

    def route(self, arrival: Arrival, latest: Conversation | None) -> Route:
        """Where a customer's post belongs (protocol.md, "States")."""
        event = arrival.event
        assert isinstance(event, CustomerPosted)
        if arrival.aside is not None:
            return SetAside(arrival.aside)
        if latest is not None and (latest.is_open or latest.merged_into):
            return Join(latest.key)  # one that was merged passes it on
        picture_alone = event.media > 0 and event.reading.wordless
        no = event.reading.complaint.decision is Decision.NO and not picture_alone
        fresh = event.surface is Surface.PUBLIC and event.in_reply_to is None
        if latest is not None and not (no and fresh) and self.may_return(latest):
            return Join(latest.key)
        if not event.mentions_us:
            return SetAside("does not mention us, and belongs to no open conversation")
        if no:
            return SetAside(event.reading.complaint.why[0] if event.reading.complaint.why else "no complaint")
        return self.open_anyway(arrival, latest)

    def open_anyway(self, arrival: Arrival, latest: Conversation | None) -> Route:
        """Open a conversation, or join the one that is open."""
        event = arrival.event
        assert isinstance(event, CustomerPosted)
        assert arrival.customer is not None
        if latest is not None and (latest.is_open or latest.merged_into):
            return Join(latest.key)
        opening = Opening(arrival.channel, arrival.account, arrival.customer)
        return Open(open_conversation(opening, event, self.clock.now(), self.policy(), latest))

    def may_return(self, closed: Conversation) -> bool:
        """Whether a closed conversation may be taken up again. What the customer withdrew stays withdrawn."""
        if closed.closed_at is None or closed.outcome is Outcome.WITHDRAWN:
            return False
        return self.clock.now() - closed.closed_at <= timedelta(days=self.policy().reopen_days)
