"""Effects of a plan: proposed, agreed, kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from conversations.conversation import (
    Author,
    Plan,
    Promise,
    TimerName,
)
from conversations.effects import (
    Alarm,
    Urgency,
)
from conversations.events import (
    AgentProposedPlan,
    AgentRecordedAgreement,
    CustomerPosted,
    PromiseKept,
    TimerFired,
)
from conversations.ids import PromiseId
from conversations.policy import DAY_S
from conversations.steps.calls import Calls
from conversations.steps.draft import PROMISE_TIMERS
from conversations.wording.request import Act


class Plans(Calls):
    """Effects of a plan: proposed, agreed, kept."""

    __slots__ = ()

    def propose_plan(self) -> None:
        """Steps, dates and the question; it replaces a plan that was not agreed."""
        event = self.event
        assert isinstance(event, AgentProposedPlan)
        if self.draft.owner is None:
            self.take_ownership()
        self.end_snooze()
        number = 1 + (self.draft.plan.number if self.draft.plan else 0)
        plan = Plan(number, event.steps, event.agent, self.now, event.remedy)
        self.change(plan=plan)
        self.say(
            Act.PROPOSE_PLAN,
            author=Author.AGENT,
            urgency=Urgency.AGENT,
            steps=event.shown_steps,
            remedy=event.remedy or None,
        )
        self.stop_answer_clock()
        self.start(TimerName.SILENCE, self.after(self.policy.agreement_silence_s))

    def record_agreement(self) -> None:
        """The customer's yes, word for word."""
        event, plan = self.event, self.draft.plan
        assert plan is not None
        if isinstance(event, CustomerPosted):
            words, where = event.text, event.surface.value
        else:
            assert isinstance(event, AgentRecordedAgreement)
            words, where = event.words, event.where
            if self.draft.owner is None:
                self.take_ownership()
        self.change(plan=replace(plan, agreed_at=self.now, agreed_words=words, agreed_where=where))

    def confirm_plan(self) -> None:
        """In writing: the steps, the dates, one apology. It is the agent's act, so it goes out for a muted bot as well."""
        plan = self.draft.plan
        assert plan is not None
        not_before = self.quiet_until() if isinstance(self.event, CustomerPosted) else None
        self.say(
            Act.CONFIRM_PLAN,
            author=Author.AGENT,
            urgency=Urgency.AGENT,
            not_before=not_before,
            steps=plan.steps,
            remedy=plan.remedy or None,
        )

    def start_promises(self) -> None:
        """Each agreed step becomes a line of the ledger, with its clocks. Kept promises of an earlier plan stay on record."""
        plan = self.draft.plan
        assert plan is not None
        kept = tuple(promise for promise in self.draft.promises if promise.kept_at is not None)
        new = tuple(
            Promise(PromiseId(f"{plan.number}.{n}"), step.text, step.due_at) for n, step in enumerate(plan.steps, 1)
        )
        self.change(promises=(*kept, *new))
        self.stop((TimerName.SILENCE, *PROMISE_TIMERS))
        for promise in new:
            if promise.due_at is None:
                continue
            soon = promise.due_at - timedelta(seconds=self.policy.promise_soon_s)
            if soon > self.now:
                self.start(TimerName.PROMISE_SOON, soon, promise.id)
            self.start(TimerName.PROMISE_OVERDUE, max(promise.due_at, self.now), promise.id)
        self.stop_answer_clock()

    def call_plan_not_agreed(self) -> None:
        """Declined or unclear: a human's to judge."""
        self.stop((TimerName.SILENCE,))
        self.call(Alarm.PLAN_NOT_AGREED)

    def call_plan_not_sent(self) -> None:
        """The plan never reached the customer: nothing was proposed."""
        self.stop((TimerName.SILENCE,))
        self.call_send_failed()

    def call_no_agreement(self) -> None:
        """No answer to the plan: the owner chooses to start anyway, ask again, or resolve; reminded until one is chosen."""
        self.call(Alarm.NO_AGREEMENT)
        self.start(TimerName.SILENCE, self.after(self.policy.agreement_silence_s))

    def tick_promise(self) -> None:
        """A promise is kept."""
        event = self.event
        assert isinstance(event, PromiseKept)
        promises = tuple(
            replace(promise, kept_at=self.now) if promise.id == event.promise else promise
            for promise in self.draft.promises
        )
        self.change(
            promises=promises,
            timers=tuple(t for t in self.draft.timers if t.name not in PROMISE_TIMERS or t.promise != event.promise),
        )

    @property
    def fired_promise(self) -> Promise:
        """The promise whose timer fired."""
        event = self.event
        assert isinstance(event, TimerFired)
        return next(promise for promise in self.draft.promises if promise.id == event.promise)

    def call_promise_due_soon(self) -> None:
        """A reminder before the date."""
        promise = self.fired_promise
        self.call(Alarm.PROMISE_DUE_SOON, promise=promise.text, due_at=promise.due_at)

    def call_promise_overdue(self) -> None:
        """The date has passed: the desk is alarmed, with an update to the customer drafted; again every day until it is kept."""
        promise = self.fired_promise
        self.change(priority=self.draft.priority + 3)
        self.call(Alarm.PROMISE_OVERDUE, draft=Act.PROMISE_UPDATE, promise=promise.text, due_at=promise.due_at)
        self.start(TimerName.PROMISE_OVERDUE, self.after(DAY_S), promise.id)
