"""Effects of a resolution, of checking back, and of closing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from conversations.comprehension.reading import CueName, RiskLevel
from conversations.conversation import (
    Answer,
    Author,
    CheckBack,
    CheckBackBy,
    Outcome,
    TimerName,
)
from conversations.deadlines import at_daytime
from conversations.effects import (
    Alarm,
    Audience,
    Urgency,
)
from conversations.events import (
    AgentDismissed,
    AgentRecordedAnswer,
    AgentResolved,
    CustomerPosted,
)
from conversations.policy import DAY_S
from conversations.steps.plans import Plans
from conversations.wording.request import Act


class Endings(Plans):
    """Effects of a resolution, of checking back, and of closing."""

    __slots__ = ()

    def resolve(self) -> None:
        """It is done. The first reply's alarm stays until somebody has replied: words that fail now are no reply."""
        event = self.event
        assert isinstance(event, AgentResolved)
        if self.draft.owner is None:
            self.take_ownership()
        self.stop(name for name in TimerName if name is not TimerName.FIRST_REPLY_ALARM)
        self.change(
            done_text=event.done_text.strip(),
            resolved_at=self.now,
            snoozed_until=None,
            unanswered_since=None,
            answer_due_at=None,
            nudged=False,
        )

    def confirm_resolution(self) -> None:
        """In writing: what was done. It is the agent's act."""
        remedy = self.draft.plan.remedy if self.draft.plan and self.draft.plan.agreed_at else ""
        self.say(
            Act.CONFIRM_RESOLUTION,
            author=Author.AGENT,
            urgency=Urgency.AGENT,
            done_text=self.draft.done_text or None,
            remedy=remedy or None,
        )

    def schedule_check_back(self) -> None:
        """The later of the delay and the last promise plus a day, in the customer's daytime; after the last round by hand."""
        event, case = self.event, self.draft
        assert isinstance(event, AgentResolved)
        days = self.policy.check_back_days if event.check_back_days is None else event.check_back_days
        due_at = self.after(days * DAY_S)
        for promise in case.promises:
            if promise.due_at is not None:
                due_at = max(due_at, promise.due_at + timedelta(days=1))
        due_at = at_daytime(due_at, case.customer.time_zone or self.policy.time_zone)
        by = event.check_back
        if by is CheckBackBy.BOT and (
            self.bot_is_silenced() or case.risk_level is RiskLevel.RED or self.rounds_used_up()
        ):
            by = CheckBackBy.HAND
        self.change(check_back=CheckBack(by, due_at, case.rounds + 1))
        self.start(TimerName.CHECK_BACK, due_at)

    def check_back_by_hand(self) -> None:
        """The bot does not check back here: the owner will be asked to."""
        check_back = self.draft.check_back
        if check_back is not None and check_back.by is CheckBackBy.BOT:
            self.change(check_back=replace(check_back, by=CheckBackBy.HAND))

    def call_check_back_by_hand(self) -> None:
        """The owner is asked to check back, and why the bot does not; again every day, then the leads."""
        count = self.draft.escalations + 1
        self.change(escalations=count)
        if self.bot_is_silenced():
            why = "bot_muted"
        elif self.draft.risk_level is RiskLevel.RED:
            why = "danger"
        elif self.unprompted_surface is None:
            why = "no_direct_messages"
        else:
            why = "chosen"
        audience = Audience.OWNER if count <= 3 else Audience.LEADS
        self.call(Alarm.CHECK_BACK_BY_HAND, audience, draft=Act.CHECK_BACK, why=why)
        self.start(TimerName.CHECK_BACK, self.queue.hours.next_open(self.after(DAY_S)))
        self.stop((TimerName.SILENCE,))

    def postpone_check_back(self) -> None:
        """A day later, in the customer's daytime."""
        time_zone = self.draft.customer.time_zone or self.policy.time_zone
        self.start(TimerName.CHECK_BACK, at_daytime(self.after(DAY_S), time_zone))

    def cancel_check_back(self) -> None:
        """It has become pointless."""
        self.change(check_back=None)
        self.stop((TimerName.CHECK_BACK, TimerName.SILENCE))

    def next_round(self) -> None:
        """One more round, with higher priority."""
        self.change(rounds=self.draft.rounds + 1, priority=self.draft.priority + 1)

    def call_not_happy(self) -> None:
        """The owner goes on; from the second round another owner is offered."""
        self.call(Alarm.NOT_HAPPY, rounds=self.draft.rounds, offer_another_owner=self.draft.rounds >= 2)

    def keep(self, satisfied: bool | None, words: str) -> None:
        """Write down an answer to the check-back."""
        round_number = self.draft.check_back.round if self.draft.check_back else max(1, self.draft.rounds)
        self.change(answers=(*self.draft.answers, Answer(round_number, satisfied, words, self.now)))

    def keep_answer(self) -> None:
        """As the agent recorded it."""
        event = self.event
        assert isinstance(event, AgentRecordedAnswer)
        self.keep(event.satisfied, event.words)

    def keep_happy_answer(self) -> None:
        """Happy, in the customer's words."""
        assert isinstance(self.event, CustomerPosted)
        self.keep(True, self.event.text)

    def keep_unhappy_answer(self) -> None:
        """Unhappy or in need of more; None when it is unclear."""
        assert isinstance(self.event, CustomerPosted)
        unhappy = self.has(CueName.UNSATISFIED) or self.has(CueName.NEEDS_MORE)
        self.keep(False if unhappy else None, self.event.text)

    def keep_no_answer(self) -> None:
        """Nobody answered the check-back."""
        self.keep(None, "")

    def reopen(self) -> None:
        """Take up again what was resolved or closed."""
        self.put_on_desk()
        self.change(outcome=None, closed_at=None, resolved_at=None, unanswered_since=None)

    def close(self, outcome: Outcome) -> None:
        """Nothing more is owed; no clock runs."""
        self.change(
            outcome=outcome,
            closed_at=self.now,
            timers=(),
            unanswered_since=None,
            answer_due_at=None,
            snoozed_until=None,
        )

    def close_satisfied(self) -> None:
        """They are happy."""
        self.close(Outcome.SATISFIED)

    def close_unanswered(self) -> None:
        """They did not answer."""
        self.close(Outcome.UNANSWERED)

    def close_unsatisfied(self) -> None:
        """Rounds used up; a lead decided."""
        self.close(Outcome.UNSATISFIED)

    def close_dismissed(self) -> None:
        """It needs no answer."""
        self.close(Outcome.DISMISSED)
        if isinstance(self.event, AgentDismissed):
            self.change(done_text=self.event.why.strip())

    def close_opted_out(self) -> None:
        """The customer wants no more messages."""
        self.close(Outcome.OPTED_OUT)

    def close_unreachable(self) -> None:
        """Nothing can be sent."""
        self.close(Outcome.UNREACHABLE)

    def close_withdrawn(self) -> None:
        """The customer took everything back."""
        self.close(Outcome.WITHDRAWN)
