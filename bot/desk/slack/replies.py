"""Agents' words before they leave: made plain, reviewed, and held up when a colleague is answering the same customer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.desk.acts import COLLISION_S, ActError, Acts, Review
from bot.desk.slack.board import Board
from bot.slack.text import plain, visible
from bot.store.records import Kind
from conversations.conversation import Agent, Author, Conversation
from conversations.ids import ConversationKey
from conversations.wording.findings import Finding, Severity
from conversations.wording.request import Surface

ANSWERING_MAX = 10_000
Starts = Callable[[Conversation], Sequence[tuple[str, str]]]
"""Approved wording for a case, by name."""


class Replies:
    """Looks at words that an agent is about to send."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.acts: Acts | None = None
        self.approved: Starts | None = None
        self._answering: dict[ConversationKey, tuple[Agent, datetime]] = {}

    def outgoing(self, text: str) -> str:
        """Plain words: no ids of Slack, no hidden characters (catalogue 37)."""
        return visible(plain(text, self.board.people.known_name)).strip()

    async def review(
        self, case: Conversation, text: str, surface: Surface | None, agent: Agent
    ) -> tuple[Review, list[Finding], str | None]:
        """What is shown before the words leave: the review, all findings, and the colleague who is faster."""
        assert self.acts is not None, "the desk is not bound"
        review = await self.acts.review(case, text, surface, agent.id)
        return review, list(review.findings), await self.other_answer(case, agent)

    def starts(self, case: Conversation) -> list[tuple[str, str]]:
        """Where a reply may start from: the desk's own words, then the approved wording for this case, by name."""
        return [*self.board.settings.templates, *(self.approved(case) if self.approved else ())]

    async def other_answer(self, case: Conversation, agent: Agent) -> str | None:
        """Another agent who has answered, or is answering, within the last minute (catalogue 34)."""
        since = self.board.clock.now() - timedelta(seconds=COLLISION_S)
        pending = self._answering.get(case.key)
        if pending is not None and pending[1] >= since and pending[0].id != agent.id:
            return pending[0].name
        for row in reversed(await self.board.store.outbox(conversation=case.key)):
            if row.kind is Kind.WORDS and row.author is Author.AGENT and row.created_at >= since:
                name = str(row.body.get("agent") or "")
                if name and name != agent.name:
                    return name
        return None

    def answering(self, case: ConversationKey, agent: Agent) -> None:
        """Somebody sends words now: whoever comes next is asked to confirm."""
        while len(self._answering) >= ANSWERING_MAX:
            self._answering.pop(next(iter(self._answering)))
        self._answering[case] = (agent, self.board.clock.now())

    @staticmethod
    def seen(text: str, surface: Surface, other: str | None) -> str:
        """What the agent has been shown: if anything of it changes, it is shown again before it is sent."""
        return hashlib.sha256(f"{surface.value}\0{other or ''}\0{text}".encode()).hexdigest()[:24]

    @staticmethod
    def refused(findings: Sequence[Finding]) -> list[Finding]:
        """What may not be sent at all."""
        return [finding for finding in findings if finding.severity is Severity.REFUSED]

    @classmethod
    def refuse(cls, findings: Sequence[Finding], field: str) -> None:
        """Raises ``ActError`` for words that may not be sent at all."""
        if found := cls.refused(findings):
            raise ActError(field, f"This {found[0].message}. {found[0].suggestion}")
