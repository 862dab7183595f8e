"""One event on its way through the table: guards, effects, and the new conversation in the end.

A Step lives for one event. If it raises, it is dropped, and nothing happened. Guards are in ``guards.py``, effects in ``steps/``;
both are named in ``protocol.TABLE``.
"""

from __future__ import annotations

from datetime import datetime

from conversations import absorb
from conversations.conversation import (
    Conversation,
)
from conversations.effects import (
    ShowCard,
)
from conversations.events import (
    BrandAnsweredElsewhere,
    CustomerPosted,
    Event,
)
from conversations.policy import Policy
from conversations.steps.moves import Moves


class Step(Moves):
    """Absorbs the event; then the machine runs guards and effects on it; ``finish`` gives the result."""

    __slots__ = ()

    def __init__(self, conversation: Conversation, event: Event, now: datetime, policy: Policy) -> None:
        super().__init__(conversation, event, now, policy)
        self.change(**absorb.absorb(conversation, event, policy))
        if isinstance(event, CustomerPosted | BrandAnsweredElsewhere) and conversation.merged_into is None:
            self.mirror(event.id)

    def finish(self) -> Conversation:
        """The new conversation, once the table has run. A case on the desk gets its card brought up to date."""
        self.change(state=self.state, version=self.before.version + 1)
        if self.draft.on_desk and self.shows:
            self.effects.append(ShowCard())
        return self.draft
