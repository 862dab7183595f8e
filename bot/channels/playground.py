"""The playground's channel: a local platform with public posts and direct messages.

What it accepts is appended to a log on disk before it is acknowledged, as a platform would do it: the log is the judge of
"once", and what delivery reads back after a crash.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from bot.channels.port import Accepted, TakeIn
from bot.clock import Clock
from bot.store.records import Arrival, Lane, OutboxRow
from conversations.comprehension import Reader
from conversations.comprehension.reading import ReadingContext
from conversations.conversation import Conversation, Customer
from conversations.events import CustomerPosted, PostDeleted, PostEdited
from conversations.ids import ExternalId
from conversations.policy import ChannelTraits
from conversations.wording.request import Surface

ACCOUNT = "brand"
"""The playground has one account of ours."""


class PlaygroundChannel:
    """Customers on this machine."""

    name = "playground"
    traits = ChannelTraits(unprompted_public=True, public_chars_max=280, direct_chars_max=10_000)
    quarantine_s = 0.0
    sending_s = 5.0
    lanes: Sequence[Lane] = ()

    def __init__(self, clock: Clock, reader: Reader, log: Path) -> None:
        """``log`` is the append-only record of what was accepted; it is made if it is not there."""
        self.clock = clock
        self.reader = reader
        self.path = log
        self.accepted: dict[str, Accepted] = {}
        self.take_in: TakeIn | None = None
        self._file: TextIO | None = None

    def open(self) -> None:
        """Read what was accepted before. A last line that a crash cut short was never acknowledged: it goes."""
        self.path.touch()
        whole = 0
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                entry = json.loads(line)
                at = datetime.fromisoformat(entry["at"])
                self.accepted[entry["key"]] = Accepted(ExternalId(entry["id"]), at)
                whole += len(line)
        os.truncate(self.path, whole)
        self._file = self.path.open("a", encoding="utf-8")

    # ---------------------------------------------------------------- the customer's side

    async def post(
        self,
        customer: Customer,
        text: str,
        surface: Surface,
        post_id: str,
        media: int = 0,
        in_reply_to: str | None = None,
    ) -> None:
        """A customer writes. ``post_id`` is the customer's own: sending it again changes nothing."""
        text = text.encode("utf-8", "replace").decode()
        event = CustomerPosted(
            id=ExternalId(post_id),
            posted_at=self.clock.now(),
            surface=surface,
            text=text,
            reading=self.read(text),
            media=media,
            in_reply_to=ExternalId(in_reply_to) if in_reply_to else None,
        )
        await self.bring(post_id, event, customer=customer)

    async def edit(self, post_id: str, text: str, edit_id: str | None = None) -> None:
        """A customer changes a post. ``edit_id`` is the customer's own: sending it again changes nothing."""
        now = self.clock.now()
        text = text.encode("utf-8", "replace").decode()
        event = PostEdited(id=ExternalId(post_id), edited_at=now, text=text, reading=self.read(text))
        await self.bring(f"{post_id}:edit:{edit_id or now.timestamp()}", event, about=post_id)

    async def delete(self, post_id: str) -> None:
        """A customer takes a post back."""
        event = PostDeleted(id=ExternalId(post_id), deleted_at=self.clock.now())
        await self.bring(f"{post_id}:delete", event, about=post_id)

    def read(self, text: str) -> Any:
        """What the bot understands in a text."""
        return self.reader.read(text, ReadingContext(channel=self.name))

    async def bring(
        self,
        arrival_id: str,
        event: CustomerPosted | PostEdited | PostDeleted,
        customer: Customer | None = None,
        about: str | None = None,
    ) -> None:
        """Hand it to intake; it returns once it is kept."""
        assert self.take_in is not None, "the playground is not wired"
        arrival = Arrival(
            channel=self.name,
            account=ACCOUNT,
            id=ExternalId(arrival_id),
            event=event,
            at=self.clock.now(),
            customer=customer,
            about=ExternalId(about) if about else None,
        )
        await self.take_in([arrival])

    # ---------------------------------------------------------------- the Channel port

    def lane(self, conversation: Conversation, place: str) -> str:
        """Each conversation has a lane of its own: this platform has no limits."""
        return f"playground:{conversation.key}:{place}"

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """Direct messages are always possible here."""
        return True

    def direct_link(self, conversation: Conversation) -> str | None:
        """The phone has a tab for them: no link is needed."""
        return None

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Accept a message: on disk before it is acknowledged."""
        assert self._file is not None, "the playground channel is not open"
        accepted = Accepted(ExternalId(f"ours-{len(self.accepted) + 1}"), self.clock.now())
        entry = {
            "id": accepted.id,
            "key": row.key,
            "conversation": row.conversation,
            "customer": conversation.customer.id,
            "place": row.place.value,
            "act": row.act,
            "author": row.author.value if row.author else None,
            "text": row.body["text"],
            "in_reply_to": row.body.get("in_reply_to"),
            "at": accepted.at.isoformat(),
        }
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.accepted[row.key] = accepted
        return accepted

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """Look into the log."""
        return self.accepted.get(row.key)

    async def run(self) -> None:
        """Customers come in through the page; there is nothing to poll."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Let go of the log."""
        if self._file is not None:
            self._file.close()
