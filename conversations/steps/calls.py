"""Effects that call people, and that follow posts which change."""

from __future__ import annotations

from conversations.comprehension.reading import RiskLevel
from conversations.conversation import (
    Author,
    TimerName,
)
from conversations.effects import (
    Alarm,
    Audience,
    DeleteCopy,
)
from conversations.events import (
    BrandAnsweredElsewhere,
    CustomerUnreachable,
    FirstReplyForecast,
    PostDeleted,
    PostEdited,
    SendFailed,
)
from conversations.protocol import State
from conversations.steps.words import Words


class Calls(Words):
    """Effects that call people, and that follow posts which change."""

    __slots__ = ()

    def call_everyone(self) -> None:
        """Danger: everybody on call, with the evidence."""
        assert self.reading is not None
        risk = next(risk for risk in self.reading.risk if risk.level is RiskLevel.RED)
        self.change(priority=self.draft.priority + 10)
        self.call(Alarm.RED_RISK, Audience.EVERYONE, kind=risk.kind, evidence=risk.evidence)

    def restart_listening(self) -> None:
        """An amber risk shows a claimable card now; listening goes on."""
        if self.state is State.REFLECTING:
            self.start(TimerName.SILENCE, self.after(self.policy.silence_s))
        else:
            self.withdraw_words()
            self.restart_quiet()
        self.call_amber()

    def call_amber(self) -> None:
        """A risk that people should know of."""
        assert self.reading is not None
        risk = self.reading.risk[0]
        self.change(priority=self.draft.priority + 2)
        self.call(Alarm.AMBER_RISK, Audience.QUEUE, kind=risk.kind, evidence=risk.evidence)

    def call_owner_and_desk(self) -> None:
        """A risk in a case that somebody owns."""
        assert self.reading is not None
        risk = self.reading.risk[0]
        red = self.at_risk_red()
        self.change(priority=self.draft.priority + (10 if red else 2))
        alarm = Alarm.RED_RISK if red else Alarm.AMBER_RISK
        self.call(alarm, Audience.OWNER, kind=risk.kind, evidence=risk.evidence)
        self.call(alarm, Audience.EVERYONE if red else Audience.QUEUE, kind=risk.kind, evidence=risk.evidence)

    def call_opted_out(self) -> None:
        """The customer wants no bot: a human decides what follows."""
        self.call(Alarm.OPTED_OUT)

    def call_send_failed(self) -> None:
        """Why it failed, the words to copy, and "I answered by hand"."""
        event = self.event
        assert isinstance(event, SendFailed)
        self.call(Alarm.SEND_FAILED, reason=event.reason, text=event.text, author=event.author.value)
        if event.author is Author.AGENT and self.state not in (State.CLOSED, State.RESOLVED, State.CHECKING_BACK):
            self.start_answer_clock()

    def call_first_reply_endangered(self) -> None:
        """The window is about to break: a human is told before it does."""
        event = self.event
        reason = event.reason if isinstance(event, FirstReplyForecast) else "not_sent"
        self.change(priority=self.draft.priority + 5)
        audience = Audience.OWNER if self.draft.owner else Audience.EVERYONE
        self.call(Alarm.FIRST_REPLY_ENDANGERED, audience, reason=reason, ends_at=self.window_ends_at)

    def call_answered_elsewhere(self) -> None:
        """The words a human used elsewhere, for everybody to see."""
        event = self.event
        assert isinstance(event, BrandAnsweredElsewhere)
        self.call(Alarm.ANSWERED_ELSEWHERE, text=event.text)

    def call_customer_wrote(self) -> None:
        """The owner is mentioned under the mirrored turn."""
        self.call(Alarm.CUSTOMER_WROTE)

    def call_reopened(self) -> None:
        """The customer came back."""
        self.call(Alarm.REOPENED)

    def call_unreachable(self) -> None:
        """What could not be sent, and why."""
        event = self.event
        assert isinstance(event, CustomerUnreachable)
        self.call(Alarm.UNREACHABLE, reason=event.reason)

    def call_leads(self) -> None:
        """Still unhappy after the last round: a lead takes over."""
        self.call(Alarm.LEAD_NEEDED, Audience.LEADS, rounds=self.draft.rounds)

    def mirror_edit(self) -> None:
        """The desk sees the new words; the owner is told."""
        assert isinstance(self.event, PostEdited)
        if self.draft.on_desk:
            self.mirror(self.event.id, "edited")
            if self.draft.owner is not None:
                self.call(Alarm.POST_EDITED)

    def delete_copy(self) -> None:
        """Our copy goes; the owner is told."""
        assert isinstance(self.event, PostDeleted)
        self.effects.append(DeleteCopy(self.event.id))
        if self.draft.on_desk:
            self.mirror(self.event.id, "deleted")
            if self.draft.owner is not None:
                self.call(Alarm.POST_DELETED)
