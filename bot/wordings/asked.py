"""What a text of ours was the answer to, kept beside it in the outbox, so that another wording can be asked the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.port import Store
from bot.store.records import OutboxRow
from conversations.conversation import Author
from conversations.wording.facts import known
from conversations.wording.request import Act, Request, Situation, Surface

ASKED = "asked"
"""The key in an outbox row's body."""
PAGE = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that was wanted in a conversation. ``line`` is where it stood among others (account and surface)."""

    conversation: str
    at: datetime
    line: str
    request: Request


def asked_json(request: Request) -> dict[str, Any]:
    """A request as plain data: only facts that its surface may know, so that nothing is kept which was not sayable."""
    return {
        "topic": request.topic,
        "situations": [situation.value for situation in request.situations],
        "facts": known(request.facts, (), request.surface),
        "weight_max": request.weight_max,
    }


def asked_of(row: OutboxRow) -> Asked | None:
    """What a row of the outbox was the answer to; None for an agent's own words and for rows that do not say."""
    kept = row.body.get(ASKED)
    if not isinstance(kept, Mapping) or row.act is None:
        return None
    facts: dict[str, object] = dict(kept["facts"])
    surface = Surface(row.place.value)
    if surface is Surface.PUBLIC and "topic_thing" in facts:
        facts["topic_things_public"] = facts.pop("topic_thing")
    request = Request(
        act=Act(row.act),
        surface=surface,
        language=str(row.body.get("language", "en")),
        seed=row.key,
        topic=kept["topic"],
        situations=tuple(Situation(name) for name in kept["situations"]),
        facts=facts,
        weight_max=kept["weight_max"],
        assigned=row.conversation,
    )
    return Asked(row.conversation, row.created_at, f"{row.channel}:{row.account}:{surface.value}", request)


async def own_conversations(store: Store, limit: int = 500) -> AsyncIterator[Asked]:
    """What the bot was asked to say in the latest ``limit`` conversations, conversation by conversation."""
    seen = 0
    while seen < limit and (page := await store.conversations(limit=min(PAGE, limit - seen), offset=seen)):
        for case in page:
            for row in await store.outbox(conversation=case.key):
                if row.author in (Author.BOT, Author.AGENT) and (asked := asked_of(row)) is not None:
                    yield asked
        seen += len(page)
