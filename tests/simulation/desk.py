"""A simulated desk: what it shows is logged, and agents see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from bot.channels.port import Accepted, Transient, Unknown
from bot.clock import Clock
from bot.store.records import Kind, OutboxRow
from conversations.conversation import Conversation
from conversations.ids import ExternalId
from tests.simulation.wire import Cut, Refusal, Sent, Trouble, Wire, sending_key
from tests.simulation.world import World

NAME = "desk"


class Office:
    """Where agents sit, and the log of what was shown to them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wire = Wire(world, NAME)
        self.log: list[Sent] = []
        self.keys: dict[str, Sent] = {}
        self.alerts: list[tuple[float, str]] = []
        self.on_shown: Callable[[str, Kind], None] = lambda case, kind: None

    def show(self, key: str, process: str, case: str, kind: Kind, text: str) -> Sent:
        """Something appears at the desk."""
        sent = Sent(len(self.log) + 1, self.world.t, NAME, key, process, case, kind.value, text, None)
        self.log.append(sent)
        self.keys[key] = sent
        self.world.write(f"shown {key} {kind.value} {text}".rstrip())
        self.on_shown(case, kind)
        return sent


class SimDesk:
    """The Desk port on the simulated office, one per process. Slack's metadata makes a message of ours visible at once."""

    quarantine_s = 120.0
    sending_s = 25.0

    def __init__(self, office: Office, clock: Clock, process: str) -> None:
        self.office = office
        self.clock = clock
        self.process = process

    def lane(self, conversation: Conversation) -> str:
        """One lane per queue's channel."""
        return f"desk:{conversation.queue or 'support'}"

    async def deliver(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """See ``Desk.deliver``."""
        key = sending_key() or row.key
        words = str(row.body.get("alarm") or row.body.get("reason") or row.body.get("change") or "")
        work = partial(self.office.show, key, self.process, row.conversation, row.kind, words)
        try:
            sent = await self.office.wire.call("show", work)
        except Cut as cut:
            raise Unknown(str(cut)) from cut
        except Refusal as refusal:
            if refusal.trouble in (Trouble.SERVER_ERROR, Trouble.DUPLICATE, Trouble.PERMANENT):
                raise Unknown(str(refusal)) from refusal
            raise Transient(str(refusal), refusal.retry_after_s, pause_lane=True) from refusal
        return Accepted(ExternalId(sent.id), self.clock.now())

    async def find_shown(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """See ``Desk.find_shown``."""
        try:
            sent = await self.office.wire.call("find", lambda: self.office.keys.get(row.key))
        except (Cut, Refusal) as error:
            raise Unknown(str(error)) from error
        return Accepted(ExternalId(sent.id), self.clock.now()) if sent else None

    async def alert(self, kind: str, words: str) -> None:
        """Kept."""
        self.office.alerts.append((self.office.world.t, kind))

    async def run(self) -> None:
        """Agents act through ``Acts``."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to let go of."""
