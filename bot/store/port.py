"""The Store port: everything the program keeps, behind values in and values out. One contract suite holds all backends to it.

Every writing method is one transaction, all or nothing. Backends may commit several calls together (group commit), each
isolated from the others' failures. Callbacks (``route``, ``decide``) are pure and run inside the transaction; they may be
called again for the same input when a transaction has to be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.store.records import (
    Arrival,
    Aside,
    Claimed,
    Counts,
    Decision,
    Hold,
    Lane,
    Lease,
    OutboxRow,
    Poisoned,
    Report,
    Route,
    Taken,
    TemplateVersion,
    TurnRecord,
    Used,
)
from conversations.conversation import Conversation
from conversations.errors import HearoutError
from conversations.ids import ConversationKey, EffectKey


class StoreError(HearoutError):
    """The store could not do what was asked; nothing of it was written."""


class StoreUnavailable(StoreError):
    """Disk full, I/O error, connection lost: try again later; what was acknowledged before is safe."""


class StoreInUse(StoreError):
    """Another process runs the bot on this database; the message says which."""


class StoreMissing(StoreError):
    """There is no database yet: it is made at the first start."""


class LeaseLost(StoreError):
    """What was to be written belongs to a lease that another process has taken over meanwhile."""


class StoreTooNew(StoreError):
    """The database was written by a newer version of Hearout: it is left untouched."""


Router = Callable[[Arrival, Conversation | None], Route]
"""Where a customer's post belongs, given the customer's unclosed or else latest closed conversation on that account."""

Decider = Callable[[Claimed], Decision]
"""The next decision for a conversation that woke."""


class Store(Protocol):
    """What intake, engine, delivery and console ask of a database."""

    shared: bool
    """Whether several processes may work on it at once."""

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""

    # ---- intake
    async def take_in(self, arrivals: Sequence[Arrival], route: Router, now: datetime) -> list[Taken]:
        """Keep what came in, once: dedupe by (channel, id), route, write to the inbox, wake the conversation.

        Waking sets ``wake_at = least(wake_at, now)`` and leaves ``version`` alone. An arrival that names a conversation or a
        post that is not known is kept (so that it is not asked for again) and belongs nowhere. Customers who were muted
        (``Decision.mute_customer``) open conversations with ``bot_muted`` set.
        Raises ``StoreUnavailable``: nothing was kept; the caller must not acknowledge.
        """

    async def open_aside(self, sequence: int, route: Router, now: datetime) -> Taken:
        """Open a case from a mention that was set aside; ``new`` False when that was already done."""

    # ---- engine
    async def decide_due(self, now: datetime, limit: int, decide: Decider) -> int:
        """Claim up to ``limit`` conversations with an unread event or a due timer, earliest first; commit a decision for each.

        Each decision is isolated: one that raises is rolled back, its conversation backs off for a minute, doubling up to an
        hour (see ``poisoned``), and the rest goes on. ``version`` is compared on writing. ``wake_at`` is recomputed from the
        new conversation's timers and any event that is still unread. A decision that changes nothing while it is still due
        is an error. Returns how many conversations were claimed.
        """

    async def next_wake_at(self) -> datetime | None:
        """When the next conversation wakes, or None."""

    # ---- delivery
    async def claim_deliveries(
        self, now: datetime, sending_s: float, limit: int, elsewhere: Collection[str] = ()
    ) -> list[OutboxRow]:
        """Mark deliverable rows as *sending* until now + ``sending_s`` and return them, most urgent first.

        Deliverable: *pending*, ``not_before`` passed, its lane's ``next_at`` passed, fewer than ``at_once`` rows of its lane
        being sent, and no earlier unfinished row of the same conversation and place, except that an agent's words pass a
        bot's unknown row. Within a lane: rank, then due_at, then sequence. Also returned:
        *unknown* rows whose ``not_before`` (the quarantine) has passed, with a new fence and ``sending_until`` but still
        *unknown*: they are for reading back. Every claim raises the fence; only claims of pending rows raise ``attempt``.
        Lanes ``elsewhere`` are left alone: another process sends on them.
        """

    async def expire_sending(self, now: datetime, quarantine_s: Mapping[str, float]) -> int:
        """Turn *sending* rows whose claim ran out into *unknown*, to rest until now + the quarantine of their channel.

        ``quarantine_s`` is by channel name, with the key "desk" for desk rows. Returns how many.
        """

    async def report_deliveries(self, reports: Sequence[Report]) -> list[bool]:
        """Write down what became of claimed rows, each with its event and turn. False: the report's fence is out of date."""

    async def next_delivery_at(self, now: datetime, elsewhere: Collection[str] = ()) -> datetime | None:
        """When ``claim_deliveries`` or ``expire_sending`` next has something to do, or None."""

    async def set_lane(self, lane: Lane) -> None:
        """Pace a lane."""

    # ---- several processes
    async def listen(self, decide: asyncio.Event, deliver: asyncio.Event) -> None:
        """Set the events from now on whenever another process wrote what concerns them. They may be missed: look now and then."""

    async def lease(self, name: str, holder: str, now: datetime, seconds: float) -> Hold | None:
        """Take or keep a lease until now + ``seconds``; None: somebody else has it. The fence rises when it changes hands."""

    async def release(self, hold: Hold) -> None:
        """Let a lease go at once. One that was lost is left as it is."""

    async def leases(self, now: datetime) -> list[Lease]:
        """The leases that are held, by name."""

    # ---- looking (never blocks the writer)
    async def conversation(self, key: ConversationKey) -> Conversation | None:
        """One conversation."""

    async def conversations(
        self, *, states: Sequence[str] = (), search: str = "", customer: str = "", limit: int = 100, offset: int = 0
    ) -> list[Conversation]:
        """Conversations, latest activity first."""

    async def turns(self, key: ConversationKey) -> list[TurnRecord]:
        """All turns of a conversation in the order they were uttered (``posted_at``, then arrival)."""

    async def turn(self, key: ConversationKey, turn_id: str) -> TurnRecord | None:
        """One turn."""

    async def outbox(
        self, *, conversation: ConversationKey | None = None, statuses: Sequence[str] = (), limit: int = 200
    ) -> list[OutboxRow]:
        """Rows of the outbox in the order they were written."""

    async def outbox_row(self, key: EffectKey) -> OutboxRow | None:
        """One row of the outbox."""

    async def sent_words(self, channel: str, account: str, place: str, since: datetime, limit: int) -> list[OutboxRow]:
        """Words that were sent or are on their way there since an instant, newest first (repetition, caps, pacing)."""

    async def asides(self, limit: int = 100) -> list[Aside]:
        """What triage set aside and nobody opened, newest first."""

    async def counts(self) -> Counts:
        """The store at a glance."""

    async def poisoned(self, limit: int = 100) -> list[Poisoned]:
        """Conversations whose last decision raised, latest first."""

    async def labels(self) -> list[Mapping[str, Any]]:
        """All labels that agents gave."""

    # ---- the admins' wording
    async def add_template(self, template: TemplateVersion) -> TemplateVersion:
        """Keep a new draft, with a line in the audit log; returned with the next version number of its ``id``."""

    async def set_template_status(
        self, template: str, version: int, status: str, actor: str, action: str, now: datetime
    ) -> bool:
        """Publish or retire a version, with a line in the audit log.

        Publishing retires the one before. The line's subject is ``id@`` and what is in force after it: the version, or
        ``default``. False: there is no such version, and nothing was written.
        """

    async def templates(self, *, template: str | None = None, status: str | None = None) -> list[TemplateVersion]:
        """Versions, by id, newest first."""

    async def template_uses(self, prefix: str, since: datetime | None = None, limit: int = 100_000) -> list[Used]:
        """Turns of ours whose template begins so, oldest first."""

    # ---- small things
    async def get_meta(self, key: str) -> str | None:
        """A small value that outlives restarts (cursors, the playground's clock)."""

    async def set_meta(self, key: str, value: str, hold: Hold | None = None) -> None:
        """Keep such a value. With a ``hold`` only while that lease is held. Raises ``LeaseLost``: nothing was written."""

    async def audit(self, actor: str, action: str, subject: str, now: datetime) -> None:
        """Write a line into the audit log."""

    async def audits(self, limit: int = 200, *, action: str = "", subject: str = "") -> list[Mapping[str, Any]]:
        """The audit log, newest first; of actions and subjects that begin so."""

    async def export_customer(self, customer: str) -> Mapping[str, Any]:
        """All that is kept of a customer (platform id or handle, or ``channel:id or handle``), as plain data."""

    async def erase_customer(self, customer: str, now: datetime) -> int:
        """Delete all that is kept of a customer (named as above); a hash for deduplication stays.

        Returns how many conversations were erased.
        """

    async def forget(self, closed_before: datetime, aside_before: datetime, limit: int = 200) -> int:
        """Retention: erase up to ``limit`` conversations closed before an instant, and mentions set aside before another.

        As ``erase_customer``, the hashes for deduplication and opt-outs stay. Returns how many were erased in all.
        """

    async def check(self) -> list[str]:
        """What is wrong with the database, in words; empty when it is sound."""
