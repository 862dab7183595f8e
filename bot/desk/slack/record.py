"""What the desk remembers of each case in Slack: where its card is, what it shows, and which rows a message already covers.

One small JSON document per case in the store's meta, so that it survives restarts. It is written after Slack accepted something;
when the process dies in between, the message's metadata tells (``find_shown``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from bot.store.port import Store
from bot.store.records import CARD_META, CASE_META
from conversations.ids import ConversationKey


@dataclass(frozen=True)
class Record:
    """What is remembered of one case.

    ``home`` is the channel that the case's queue had when the card was posted (``channel`` may be the fallback).
    ``shown`` is a digest of what the card shows now; empty when it is not known. ``covered``: rows that a message
    already shows, by opaque id. ``status``: agents' words that are followed in the thread, outbox key → message.
    """

    channel: str = ""
    ts: str = ""
    home: str = ""
    shown: str = ""
    covered: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        """Whether the card is there."""
        return bool(self.ts)

    def covering(self, ids: dict[str, str]) -> Record:
        """With more rows covered."""
        return replace(self, covered=self.covered | ids)

    def without(self, id_: str) -> Record:
        """With a row done, which nobody will ask for again."""
        return replace(self, covered={key: ts for key, ts in self.covered.items() if key != id_})

    def following(self, key: str, ts: str | None) -> Record:
        """With the message that follows an agent's words; None: not followed any more."""
        rest = {name: at for name, at in self.status.items() if name != key}
        return replace(self, status=rest if ts is None else rest | {key: ts})


class Records:
    """Records by case, and cases by card, in the store's meta."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def get(self, case: ConversationKey) -> Record:
        """What is remembered of a case; empty when it was never shown."""
        text = await self.store.get_meta(f"{CARD_META}{case}")
        return Record(**json.loads(text)) if text else Record()

    async def put(self, case: ConversationKey, record: Record) -> Record:
        """Remember."""
        await self.store.set_meta(f"{CARD_META}{case}", json.dumps(asdict(record), separators=(",", ":")))
        return record

    async def up(self, case: ConversationKey, record: Record) -> Record:
        """Remember a new card, and whose it is."""
        await self.store.set_meta(f"{CASE_META}{record.channel}:{record.ts}", case)
        return await self.put(case, record)

    async def case_at(self, channel: str, ts: str) -> ConversationKey | None:
        """The case whose card stands there."""
        found = await self.store.get_meta(f"{CASE_META}{channel}:{ts}")
        return ConversationKey(found) if found else None
