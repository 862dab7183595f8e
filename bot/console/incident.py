"""What goes wrong for many at once: topics with their storms, their switches, and how many of their complaints are open."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.console.parts import Running
from bot.storms import BASELINE, Storm, group_of
from conversations.conversation import Conversation
from conversations.protocol import State

OPEN = tuple(state.value for state in State if state is not State.CLOSED)
TOPICS_MAX = 12
"""Topics without a storm or a switch that are listed, the most frequent first."""
UPDATE_CHARS_MAX = 200
"""A shared update stands inside a public post beside the bot's other words."""
SINCE = BASELINE + timedelta(minutes=30)
"""How far back a group reaches."""


@dataclass(frozen=True)
class Topic:
    """A topic with its switches, and the complaints about it since yesterday that are still open."""

    name: str
    storm: Storm | None
    held: bool
    update: str
    open: int
    languages: tuple[tuple[str, int], ...]


async def topics(app: Running, cases: list[Conversation], now: datetime) -> tuple[Topic, ...]:
    """The topics worth a look: storms first, then those with a switch on, then the most frequent."""
    switched = app.switches.now
    storms = {storm.topic: storm for storm in app.storms.blowing(now)}
    since = now - SINCE
    counts = Counter(topic for case in cases if case.opened_at >= since for topic in case.topics)
    names = dict.fromkeys(
        [*storms, *switched.held_topics, *switched.updates, *(name for name, _ in counts.most_common(TOPICS_MAX))]
    )
    found = []
    for name in names:
        group = group_of(cases, name, since)
        languages = Counter(case.language for case in group if answerable(case, ""))
        found.append(
            Topic(
                name=name,
                storm=storms.get(name),
                held=name in switched.held_topics,
                update=switched.updates.get(name, ""),
                open=len(group),
                languages=tuple(languages.most_common()),
            )
        )
    return tuple(found)


def answerable(case: Conversation, agent_id: str) -> bool:
    """Whether a group's answer would reach this case: it is open, and nobody else's."""
    return case.is_open and (case.owner is None or case.owner.id == agent_id)
