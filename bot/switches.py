"""Switches that people turn while the bot runs: pause, held topics, shared updates. Kept in the store, so a restart keeps them.

What is configured (``shadow``, held terms) stands in the configuration; what is switched here is for the day it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.clock import Clock
from bot.store.port import Store
from bot.store.records import OutboxRow
from conversations.conversation import Author
from conversations.policy import Policy

META = "switches"


@dataclass(frozen=True, slots=True)
class Switched:
    """How the switches stand. ``paused`` holds who paused the bot and why, empty when it runs."""

    paused: str = ""
    held_topics: tuple[str, ...] = ()
    updates: Mapping[str, str] = field(default_factory=dict)
    check_backs_paused: bool = False


class Switches:
    """The switches of one running program. ``load`` is called now and then: another process may have turned one."""

    def __init__(self, store: Store, clock: Clock, policy: Policy, *, shadow: bool = False) -> None:
        self.store = store
        self.clock = clock
        self.base = policy
        self.shadow = shadow
        self.now = Switched()
        self._policy = policy

    def policy(self) -> Policy:
        """The policy with the switches as they stand."""
        return self._policy

    async def load(self) -> None:
        """Read the switches."""
        document = await self.store.get_meta(META)
        values: dict[str, Any] = json.loads(document) if document else {}
        values["held_topics"] = tuple(values.get("held_topics", ()))
        self._apply(Switched(**values))

    async def turn(self, actor: str, **changes: Any) -> None:
        """Turn switches, write down who did it, and keep them."""
        turned = replace(self.now, **changes)
        await self.store.set_meta(META, json.dumps(asdict(turned), ensure_ascii=False))
        await self.store.audit(actor, "switch", json.dumps(changes, ensure_ascii=False), self.clock.now())
        self._apply(turned)

    def _apply(self, switched: Switched) -> None:
        if switched != self.now or self._policy is self.base:
            self.now = switched
            self._policy = replace(
                self.base,
                held_topics=switched.held_topics,
                incident_updates=dict(switched.updates),
                check_backs_paused=switched.check_backs_paused,
            )

    def refusal(self, row: OutboxRow) -> str | None:
        """Why these words to a customer may not leave now, or None."""
        if self.shadow:
            return "shadow mode: nothing is sent; copy it and send it by hand if it is right"
        if self.now.paused and row.author is Author.BOT:
            return f"the bot is paused ({self.now.paused})"
        return None
