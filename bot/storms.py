"""A storm: many complaints about the same topic within a short time. It is noticed, shown, and may be answered as a group.

Noticing only calls people. What holds first replies, pauses check-backs or carries an update are switches that a human turns
(``switches``); a topic on hold waits for a human decision with the alarm before its window ends.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.desk.acts import Acts
from bot.store.port import Store
from conversations.conversation import Agent, Conversation
from conversations.events import AgentReplied
from conversations.protocol import DONE, State

SPAN = timedelta(minutes=30)
"""The time in which like complaints make a storm."""
BASELINE = timedelta(hours=24)
"""What is usual is taken from this time."""
COUNT_MIN = 10
"""Fewer like complaints are no storm, however quiet it was before."""
TIMES_USUAL = 4.0
"""A storm is so many times what is usual in the span."""
PAGE = 250
"""Conversations that are looked through at a time."""
QUIET_AFTER = timedelta(hours=1)
"""A storm of the same topic is not announced again within this time."""


@dataclass(frozen=True, slots=True)
class Storm:
    """Like complaints: how many in the span, and how many are usual in it."""

    topic: str
    count: int
    usual: float
    since: datetime


class StormWatch:
    """Counts complaints by topic as they are opened."""

    def __init__(self) -> None:
        self.seen: dict[str, deque[datetime]] = defaultdict(deque)
        self.announced: dict[str, datetime] = {}

    def saw(self, topic: str, at: datetime) -> None:
        """A complaint about a topic was opened."""
        times = self.seen[topic]
        times.append(at)
        while times and times[0] < at - BASELINE - SPAN:
            times.popleft()

    def blowing(self, now: datetime) -> list[Storm]:
        """The storms that blow now, announced or not."""
        found = []
        for topic, times in self.seen.items():
            recent = sum(1 for at in times if at > now - SPAN)
            before = sum(1 for at in times if now - SPAN - BASELINE < at <= now - SPAN)
            usual = before * (SPAN / BASELINE)
            if recent >= COUNT_MIN and recent >= TIMES_USUAL * usual:
                found.append(Storm(topic, recent, round(usual, 2), now - SPAN))
        return found

    def storms(self, now: datetime) -> list[Storm]:
        """The storms that blow now and were not announced lately; asking announces them."""
        found = []
        for storm in self.blowing(now):
            last = self.announced.get(storm.topic)
            if last is None or now - last >= QUIET_AFTER:
                self.announced[storm.topic] = now
                found.append(storm)
        return found

    async def recall(self, store: Store, now: datetime, limit: int = 5000) -> None:
        """Learn what was opened, before a restart or by other processes, from the latest conversations; what was counted before
        is forgotten."""
        opened: dict[str, list[datetime]] = defaultdict(list)
        for offset in range(0, limit, PAGE):
            page = await store.conversations(limit=PAGE, offset=offset)
            for case in page:
                if case.opened_at > now - BASELINE - SPAN and case.topic:
                    opened[case.topic].append(case.opened_at)
            if len(page) < PAGE:
                break
            await asyncio.sleep(0)
        self.seen.clear()
        for topic, times in opened.items():
            self.seen[topic].extend(sorted(times))


def group_of(cases: Iterable[Conversation], topic: str, since: datetime) -> list[Conversation]:
    """The cases of a storm that are neither closed nor resolved, oldest first."""
    open_ = (case for case in cases if case.is_open and case.state not in DONE)
    found = [case for case in open_ if topic in case.topics and case.opened_at >= since]
    return sorted(found, key=lambda case: case.opened_at)


async def answer_group(acts: Acts, cases: Iterable[Conversation], agent: Agent, text: str, group: str) -> int:
    """Answer a group as a whole: the agent's words go to each customer once, however often this is asked for.

    ``group`` names the answer: the same name again sends nothing more. Cases that somebody else owns are left to them; the
    others are the agent's from then on. A customer with several cases hears it in the first of them.
    Returns how many cases were answered. Raises ``ActError`` when the words cannot be sent at all.
    """
    heard: set[tuple[str, str]] = set()
    for case in cases:
        customer = (case.channel, case.customer.id)
        others = case.owner is not None and case.owner.id != agent.id
        if case.state is State.CLOSED or others or customer in heard:
            continue
        heard.add(customer)
        await acts.submit(case.key, AgentReplied(agent=agent, text=text), f"group:{group}:{case.key}:reply")
    return len(heard)
