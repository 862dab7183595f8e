"""The tools of a step: change the draft, start and stop timers, call people, and count time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from conversations import absorb
from conversations.comprehension.ending import quiet_s
from conversations.comprehension.reading import RiskLevel
from conversations.conversation import (
    Agent,
    Conversation,
    Timer,
    TimerName,
)
from conversations.effects import (
    Alarm,
    Audience,
    CallDesk,
    Effect,
    MirrorTurn,
    TellAgent,
)
from conversations.events import (
    Event,
)
from conversations.guards import Guards
from conversations.ids import ExternalId, PromiseId
from conversations.policy import Policy
from conversations.wording.request import Act, Surface

BOT_TIMERS = (TimerName.QUIET, TimerName.FIRST_REPLY, TimerName.SILENCE)
FIRST_REPLY_TIMERS = (TimerName.FIRST_REPLY, TimerName.FIRST_REPLY_ALARM)
PROMISE_TIMERS = (TimerName.PROMISE_SOON, TimerName.PROMISE_OVERDUE)


def first_reply_timers(posted_at: datetime, policy: Policy) -> tuple[Timer, ...]:
    """The clock of the first reply, which runs from the moment the customer posted, and its alarm."""
    due_at = posted_at + timedelta(seconds=policy.window_s - policy.reserve_s)
    alarm_at = due_at - timedelta(seconds=policy.first_reply_alarm_s)
    return Timer(TimerName.FIRST_REPLY, due_at), Timer(TimerName.FIRST_REPLY_ALARM, alarm_at)


class Draft(Guards):
    """The tools of a step: change the draft, start and stop timers, call people, and count time."""

    __slots__ = ("effects", "shows")

    def __init__(self, conversation: Conversation, event: Event, now: datetime, policy: Policy) -> None:
        super().__init__(conversation, event, now, policy)
        self.effects: list[Effect] = []
        self.shows = True
        """Whether anything changes that a card shows."""

    def change(self, **fields: Any) -> None:
        """Change fields of the draft, which nobody else holds yet."""
        self.draft.__dict__.update(fields)

    def after(self, seconds: float) -> datetime:
        """The instant that many seconds from now."""
        return self.now + timedelta(seconds=seconds)

    def working(self, seconds: float) -> datetime:
        """The instant when that much of the queue's working time has passed."""
        return self.queue.hours.add(self.now, seconds)

    def desk_time(self, seconds: float) -> datetime:
        """The instant by which the desk has had that long: working time, but danger knows no hours."""
        return self.after(seconds) if self.draft.risk_level is RiskLevel.RED else self.working(seconds)

    def start(self, name: TimerName, due_at: datetime, promise: PromiseId | None = None) -> None:
        """(Re)start a timer."""
        rest = tuple(t for t in self.draft.timers if t.name is not name or t.promise != promise)
        self.change(timers=(*rest, Timer(name, due_at, promise)))

    def stop(self, names: Iterable[TimerName]) -> None:
        """Stop timers."""
        self.change(timers=absorb.without_timers(self.draft.timers, names))

    def mirror(self, turn: ExternalId, change: str = "said") -> None:
        """Show a turn in the case's thread; before the case is at the desk, it is kept for when it will be."""
        if self.draft.on_desk:
            self.effects.append(MirrorTurn(turn, change))
        elif change == "said":
            self.change(unshown=(*self.draft.unshown, turn)[-self.policy.story_turns_max :])

    def call(self, alarm: Alarm, audience: Audience = Audience.OWNER, draft: Act | None = None, **facts: Any) -> None:
        """Call the desk. A call to an owner that is not there goes to the queue."""
        self.put_on_desk()
        owner = self.draft.owner
        if audience is Audience.OWNER and owner is None:
            audience = Audience.QUEUE
        agent = owner if audience is Audience.OWNER else None
        self.effects.append(CallDesk(alarm=alarm, audience=audience, agent=agent, facts=facts, draft=draft))

    def tell(self, reason: str, **facts: Any) -> None:
        """Answer the agent who acted."""
        self.effects.append(TellAgent(agent=self.agent, reason=reason, facts=facts))

    @property
    def agent(self) -> Agent:
        """The agent who acted. Only agents' rows ask for it."""
        agent: Agent = self.event.agent  # type: ignore[union-attr,assignment]
        return agent

    def quiet_until(self) -> datetime:
        """When the customer's burst counts as ended, seen from the last post. One that was just deleted was a sign of writing."""
        case = self.draft
        if case.last_posted_at is None:
            return self.now
        since = max(case.last_posted_at, self.before.last_posted_at or case.last_posted_at)
        quiet = self.policy.quiet_s
        direct = case.last_surface is Surface.DIRECT
        base = quiet.direct if direct else quiet.slack if case.channel == "slack" else quiet.public
        burst = [turn for turn in case.story if case.heard_until is None or turn.posted_at > case.heard_until]
        gaps = [(b.posted_at - a.posted_at).total_seconds() for a, b in pairwise(burst)]
        patience = quiet_s(base, [turn.reading for turn in burst], gaps) if base else 0.0
        return since + timedelta(seconds=min(patience, self.policy.quiet_s_max))

    @property
    def first_reply_due_at(self) -> datetime:
        """When the first reply must leave, the reserve kept."""
        return self.draft.first_posted_at + timedelta(seconds=self.policy.window_s - self.policy.reserve_s)

    @property
    def window_ends_at(self) -> datetime:
        """When the promise would break."""
        return self.draft.first_posted_at + timedelta(seconds=self.policy.window_s)

    def put_on_desk(self) -> None:
        """Show the case at the desk from now on, with everything that was said so far."""
        if not self.draft.on_desk:
            unshown = self.draft.unshown
            self.change(on_desk=True, queue=self.queue.name, unshown=())
            for turn in unshown:
                self.mirror(turn)
