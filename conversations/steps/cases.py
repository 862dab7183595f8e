"""Effects at the desk: who owns a case, and the clocks of people."""

from __future__ import annotations

from conversations.comprehension.reading import Decision, RiskLevel
from conversations.conversation import (
    TimerName,
)
from conversations.effects import (
    Alarm,
    Audience,
    KeepLabel,
)
from conversations.events import (
    AgentLabelled,
    AgentSetReference,
    AgentSnoozed,
    AgentTransferred,
    BrandAnsweredElsewhere,
)
from conversations.protocol import State
from conversations.steps.draft import BOT_TIMERS, FIRST_REPLY_TIMERS, Draft


class Cases(Draft):
    """Effects at the desk: who owns a case, and the clocks of people."""

    __slots__ = ()

    def open_handoff(self) -> None:
        """Give the case to the desk: no complaint ends with the bot alone."""
        self.put_on_desk()
        self.stop((*BOT_TIMERS, TimerName.OWNER_SILENT, TimerName.SNOOZE))
        self.change(snoozed_until=None)
        if self.draft.owner is not None:
            self.change(last_owner=self.draft.owner, owner=None)
        self.change(
            handed_off_at=self.now,
            escalations=0,
            unanswered_since=self.draft.unanswered_since or self.draft.last_posted_at,
            answer_due_at=self.desk_time(self.policy.human_answer_s),
        )
        self.start(TimerName.UNCLAIMED, self.desk_time(self.policy.unclaimed_s))

    def stop_clocks(self) -> None:
        """A human has it: the bot's clocks stop. The first reply's alarm stays until somebody has replied."""
        self.stop((*BOT_TIMERS, TimerName.UNCLAIMED))
        self.put_on_desk()

    def take_ownership(self) -> None:
        """The agent who acted owns the case."""
        self.put_on_desk()
        self.change(owner=self.agent, last_owner=self.agent, nudged=False)

    def take_over_by_hand(self) -> None:
        """Somebody answered without us: an agent whom we know owns the case, a colleague on the platform does not."""
        event = self.event
        assert isinstance(event, BrandAnsweredElsewhere)
        if event.agent is not None:
            self.change(owner=event.agent, last_owner=event.agent)
        self.stop(FIRST_REPLY_TIMERS)
        self.stop_answer_clock()

    def release(self) -> None:
        """No owner any more; the case is in the queue, its promises stay."""
        note = getattr(self.event, "note", "")
        if self.draft.owner is not None:
            self.change(last_owner=self.draft.owner, owner=None)
        self.call(Alarm.BACK_IN_QUEUE, Audience.QUEUE, note=note)

    def transfer(self) -> None:
        """To another agent, or to another queue, with a note."""
        event = self.event
        assert isinstance(event, AgentTransferred)
        self.end_snooze()
        if event.to_queue is not None:
            self.change(queue=event.to_queue)
        if event.to_agent is not None:
            self.change(owner=event.to_agent, last_owner=event.to_agent, nudged=False)
        elif self.draft.owner is not None:
            self.change(owner=None)
        self.call(
            Alarm.TRANSFERRED,
            Audience.OWNER if event.to_agent else Audience.QUEUE,
            note=event.note,
            by=event.agent.name,
        )
        if event.to_agent is None and self.state is not State.AWAITING_AGENT:
            self.start(TimerName.OWNER_SILENT, self.desk_time(self.policy.owner_silent_s))

    def snooze(self) -> None:
        """Quiet until then, or until the customer's next word."""
        event = self.event
        assert isinstance(event, AgentSnoozed)
        self.change(snoozed_until=event.until)
        self.stop((TimerName.OWNER_SILENT, TimerName.UNCLAIMED))
        self.start(TimerName.SNOOZE, event.until)

    def end_snooze(self) -> None:
        """Somebody goes on with it: the clocks run again."""
        if self.draft.snoozed_until is None:
            return
        self.change(snoozed_until=None)
        self.stop((TimerName.SNOOZE,))
        if self.state is State.AWAITING_AGENT:
            self.start(TimerName.UNCLAIMED, self.desk_time(self.policy.unclaimed_s))
        else:
            self.start(TimerName.OWNER_SILENT, self.desk_time(self.policy.owner_silent_s))

    def call_snooze_ended(self) -> None:
        """The time is over: the clocks run again."""
        self.change(snoozed_until=None)
        self.call(Alarm.SNOOZE_ENDED)
        if self.state is State.AWAITING_AGENT:
            self.start(TimerName.UNCLAIMED, self.desk_time(self.policy.unclaimed_s))
        else:
            self.start(TimerName.OWNER_SILENT, self.desk_time(self.policy.owner_silent_s))

    def wake_queue(self) -> None:
        """A snooze in the queue ended with the customer's word: the queue's clock runs again."""
        if self.before.snoozed_until is not None:
            self.call(Alarm.SNOOZE_ENDED)
            self.start(TimerName.UNCLAIMED, self.desk_time(self.policy.unclaimed_s))

    def start_answer_clock(self) -> None:
        """A turn of the customer waits for a human's answer."""
        case = self.draft
        since = case.unanswered_since or (case.last_posted_at if case.last_posted_at else self.now)
        self.change(
            unanswered_since=since,
            answer_due_at=case.answer_due_at if case.unanswered_since else self.desk_time(self.policy.human_answer_s),
            nudged=False,
        )
        self.start(TimerName.OWNER_SILENT, self.desk_time(self.policy.owner_silent_s))

    def stop_answer_clock(self) -> None:
        """A human answered. If nothing happens from here on, the owner is reminded."""
        self.change(unanswered_since=None, answer_due_at=None, nudged=False)
        self.start(TimerName.OWNER_SILENT, self.after(self.policy.follow_up_s))

    def nudge_owner(self) -> None:
        """Remind the owner of the turn that waits."""
        self.change(nudged=True)
        self.call(Alarm.OWNER_SILENT)
        self.start(TimerName.OWNER_SILENT, self.desk_time(self.policy.owner_silent_s))

    def back_to_queue(self) -> None:
        """Nobody answered: anybody may take it; plan and promises stay."""
        if self.draft.owner is not None:
            self.change(last_owner=self.draft.owner, owner=None)
        self.call(Alarm.BACK_IN_QUEUE, Audience.QUEUE)
        self.start(TimerName.OWNER_SILENT, self.desk_time(self.policy.owner_silent_s))

    def remind_owner(self) -> None:
        """Nothing happened in a case that is still open."""
        self.call(Alarm.OWNER_SILENT, follow_up=True)
        self.start(TimerName.OWNER_SILENT, self.after(self.policy.follow_up_s))

    def escalate(self) -> None:
        """Nobody took it: first the queue, then the leads, again and again, ever less often."""
        count = self.draft.escalations + 1
        self.change(escalations=count)
        danger = self.draft.risk_level is RiskLevel.RED
        audience = Audience.EVERYONE if danger else Audience.QUEUE if count == 1 else Audience.LEADS
        self.call(Alarm.UNCLAIMED, audience, times=count)
        self.start(TimerName.UNCLAIMED, self.desk_time(self.policy.unclaimed_s * 2 ** min(count, 5)))

    def keep_label(self) -> None:
        """What an agent says of the triage is kept and teaches it."""
        event = self.event
        assert isinstance(event, AgentLabelled)
        self.change(label=event.complaint)
        self.effects.append(KeepLabel(agent=event.agent, complaint=event.complaint))

    def decide_again(self) -> None:
        """It is a complaint after all: listening goes on as for any other."""
        if self.draft.label and self.draft.triage is Decision.UNSURE:
            self.change(triage=Decision.YES)

    def set_reference(self) -> None:
        """An order or ticket number, by hand."""
        event = self.event
        assert isinstance(event, AgentSetReference)
        self.change(reference=event.reference.strip())
        self.put_on_desk()

    def tell_who_owns_it(self) -> None:
        """Somebody was faster, or the case is closed."""
        owner = self.draft.owner
        if self.state is State.CLOSED or owner is None:
            self.tell("closed")
        else:
            self.tell("already_yours" if owner.id == self.agent.id else "taken", owner=owner.name)

    def tell_not_now(self) -> None:
        """The act has no meaning in this state: the agent is told why."""
        self.tell("not_now", state=self.state.value, promises_open=len(self.draft.promises_open))
