"""Agents' acts: what any desk lets an agent do, checked in one place before it becomes an event.

A desk shows what is refused here where the agent looks (a field of a form, an answer to a click). What the protocol itself
cannot use any more (somebody was faster, the case was closed meanwhile) comes back as a ``tell`` row of the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channels.port import Channel, TakeIn
from bot.clock import Clock
from bot.store.port import Store
from bot.store.records import Arrival, Kind
from conversations.conversation import Agent, Author, Conversation
from conversations.errors import HearoutError
from conversations.events import (
    AgentDismissed,
    AgentEvent,
    AgentMerged,
    AgentProposedPlan,
    AgentRecordedAgreement,
    AgentReopened,
    AgentReplied,
    AgentResolved,
    AgentSnoozed,
    AgentSplit,
    AgentTransferred,
    BrandAnsweredElsewhere,
)
from conversations.ids import ConversationKey, ExternalId
from conversations.policy import Policy
from conversations.protocol import State
from conversations.wording import guard
from conversations.wording.findings import Finding
from conversations.wording.length import split_text, weighted_length
from conversations.wording.request import Surface

COLLISION_S = 60.0
"""Another agent's answer within this time makes the second one confirm (reliability.md, catalogue 34)."""
ROWS_MAX = 10_000
"""Rows of one case's outbox that are looked through for another agent's words."""
WORDS_CHARS_MAX = 10_000
OPEN_STATES = tuple(state.value for state in State if state is not State.CLOSED)
STEPS_MAX = 20
AHEAD_MAX = timedelta(days=366)


class ActError(HearoutError):
    """An act that cannot be done as it was asked: which field, and what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Review:
    """What an agent is shown before words leave: findings, the parts they go out in, and who else just answered."""

    findings: tuple[Finding, ...]
    parts: tuple[str, ...]
    weight: int
    weight_max: int | None
    other_answer: str | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing needs a second click."""
        return not self.findings and self.other_answer is None and len(self.parts) == 1


class Acts:
    """The door through which every desk acts."""

    def __init__(
        self,
        store: Store,
        take_in: TakeIn,
        clock: Clock,
        policy: Callable[[], Policy],
        channels: dict[str, Channel],
    ) -> None:
        self.store = store
        self.take_in = take_in
        self.clock = clock
        self.policy = policy
        self.channels = channels

    async def submit(self, case: ConversationKey, event: AgentEvent | BrandAnsweredElsewhere, act_id: str) -> None:
        """Check an act and put it into the conversation's inbox. ``act_id`` makes a double click one act.

        Raises ``ActError`` with the field at fault, and ``StoreUnavailable`` when it could not be kept.
        """
        conversation = await self.store.conversation(case)
        if conversation is None:
            raise ActError("case", "this case is not there any more: it was erased")
        self.check(event, self.clock.now())
        match event:
            case AgentReopened():
                await self.check_reopening(conversation)
            case AgentSplit():
                check_split(conversation, event)
            case AgentMerged():
                await self.check_merging(conversation, event)
        arrival = Arrival(
            channel="desk",
            account=conversation.account,
            id=ExternalId(act_id),
            event=event,
            at=self.clock.now(),
            conversation=case,
        )
        await self.take_in([arrival])

    async def check_reopening(self, case: Conversation) -> None:
        """A customer has one open case with an account of ours. Raises ``ActError`` where another one is open."""
        for other in await self.others(case):
            if other.split_from is None and case.split_from is None:
                raise ActError("case", f"this customer has a newer case that is open ({other.key}): go on there")

    async def others(self, case: Conversation) -> list[Conversation]:
        """The same customer's other open cases with the same account of ours, the oldest first: what may be merged."""
        found = [
            other
            for other in await self.store.conversations(states=OPEN_STATES, customer=case.customer.id)
            if (other.channel, other.account, other.customer.id) == (case.channel, case.account, case.customer.id)
            and other.key != case.key
        ]
        return sorted(found, key=age)

    async def merge(self, case: Conversation, other: ConversationKey, agent: Agent, act_id: str) -> ConversationKey:
        """Make two open cases of a customer one: the older goes on, so that merges can never run in a circle.

        Returns the case that goes on. Raises ``ActError``.
        """
        chosen = next((found for found in await self.others(case) if found.key == other), None)
        if chosen is None:
            raise ActError("other", "this case is not open any more, or is not this customer's: choose another")
        older, newer = sorted((case, chosen), key=age)
        await self.submit(newer.key, AgentMerged(agent=agent, into=older.key), act_id)
        return older.key

    async def check_merging(self, case: Conversation, event: AgentMerged) -> None:
        """Raises ``ActError`` for a case that cannot become part of that other one."""
        into = next((other for other in await self.others(case) if other.key == event.into), None)
        if into is None:
            raise ActError("other", "this case is not open any more, or is not this customer's: choose another")
        if age(into) > age(case):
            raise ActError("other", "the older case goes on: merge it the other way round")
        if case.promises_open or case.state is State.AWAITING_AGREEMENT:
            raise ActError("other", "the newer case has a plan that is under way: finish that first, then merge")

    def check(self, event: AgentEvent | BrandAnsweredElsewhere, now: datetime) -> None:
        """What can be told before the protocol is asked. Raises ``ActError``."""
        match event:
            case AgentReplied():
                written("text", event.text, WORDS_CHARS_MAX)
            case AgentProposedPlan():
                check_steps(event, now)
            case AgentRecordedAgreement():
                written("where", event.where, 200)
                written("words", event.words, 2000)
            case AgentResolved():
                written("done_text", event.done_text, 2000)
                if event.check_back_days is not None and not 0 <= event.check_back_days <= 90:
                    raise ActError("check_back_days", "give 0 to 90 days")
            case AgentSnoozed():
                ahead("until", event.until, now)
            case AgentDismissed():
                written("why", event.why, 500)
            case AgentTransferred():
                if (event.to_agent is None) == (event.to_queue is None):
                    raise ActError("to", "choose a person or a queue")
                names = [queue.name for queue in self.policy().queues]
                if event.to_queue is not None and event.to_queue not in names:
                    raise ActError("to", f"there is no queue {event.to_queue!r}: choose one of {', '.join(names)}")
            case BrandAnsweredElsewhere():
                written("text", event.text, WORDS_CHARS_MAX)
            case _:
                pass

    async def review(self, case: Conversation, text: str, surface: Surface | None, agent_id: str) -> Review:
        """What to show an agent before these words leave."""
        where = surface or case.last_surface
        traits = self.channels[case.channel].traits
        weight_max = traits.public_chars_max if where is Surface.PUBLIC else traits.direct_chars_max
        weighted = case.channel == "x" and where is Surface.PUBLIC
        measure = weighted_length if weighted else len
        parts = split_text(text, weight_max, measure) if weight_max else [text]
        other = await self.other_answer(case, agent_id)
        language = case.language if case.language != "und" else self.policy().languages[0]
        found = guard.findings(text, language, where, customer_language=language)
        return Review(tuple(found), tuple(parts), measure(text), weight_max, other)

    async def other_answer(self, case: Conversation, agent_id: str) -> str | None:
        """Who else has just answered, by words that were written, sent or not; None: nobody."""
        since = self.clock.now() - timedelta(seconds=COLLISION_S)
        for row in reversed(await self.store.outbox(conversation=case.key, limit=ROWS_MAX)):
            mine = row.body.get("agent_id") == agent_id
            if row.kind is Kind.WORDS and row.author is Author.AGENT and row.created_at >= since and not mine:
                return str(row.body.get("agent") or "somebody else")
        return None


def age(case: Conversation) -> tuple[datetime, str]:
    """What tells the older of two cases."""
    return case.opened_at, case.key


def check_split(case: Conversation, event: AgentSplit) -> None:
    """Some of the story leaves, and some stays. Raises ``ActError``."""
    leaving = set(event.posts)
    if not leaving:
        raise ActError("posts", "choose at least one post that is about another matter")
    if not leaving <= {turn.id for turn in case.story}:
        raise ActError("posts", "one of these posts is not part of this case any more: look again")
    if len(leaving) >= case.turns_count:
        raise ActError("posts", "something must stay: leave at least one post here")


def written(field: str, text: str, chars_max: int) -> None:
    """A text that must be there, and not be endless."""
    if not text.strip():
        raise ActError(field, "write something here")
    if len(text) > chars_max:
        raise ActError(field, f"{len(text)} characters: at most {chars_max}")


def ahead(field: str, at: datetime, now: datetime) -> None:
    """A date that lies ahead, but not beyond a year."""
    if at <= now:
        raise ActError(field, "this date has passed: choose a later one")
    if at > now + AHEAD_MAX:
        raise ActError(field, "more than a year ahead: choose an earlier date")


def check_steps(event: AgentProposedPlan, now: datetime) -> None:
    """Every step says what, and by when: a promise without a date is none."""
    if not event.steps:
        raise ActError("steps", "give at least one step")
    if len(event.steps) > STEPS_MAX:
        raise ActError("steps", f"{len(event.steps)} steps: at most {STEPS_MAX}")
    for n, step in enumerate(event.steps, 1):
        written(f"step {n}", step.text, 500)
        if step.due_at is None:
            raise ActError(f"step {n}", "give it a date: a promise without one is none")
        ahead(f"step {n}", step.due_at, now)
