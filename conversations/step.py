"""The effects of the table: each changes the draft of the conversation, appends to the list of effects, or both.

A Step lives for one event. If it raises, it is dropped, and nothing happened. Effects are named in ``protocol.TABLE``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from conversations import absorb
from conversations.comprehension.ending import quiet_s
from conversations.comprehension.reading import CueName, Decision, RiskLevel
from conversations.conversation import (
    Agent,
    Answer,
    Author,
    CheckBack,
    CheckBackBy,
    Conversation,
    Outcome,
    Plan,
    Promise,
    Timer,
    TimerName,
    WordsOut,
)
from conversations.deadlines import at_daytime
from conversations.effects import (
    Alarm,
    Audience,
    CallDesk,
    DeleteCopy,
    Effect,
    KeepLabel,
    MirrorTurn,
    MuteCustomer,
    PostponeWords,
    Say,
    SendWords,
    ShowCard,
    TellAgent,
    Urgency,
    WithdrawWords,
)
from conversations.events import (
    AgentDismissed,
    AgentLabelled,
    AgentProposedPlan,
    AgentRecordedAgreement,
    AgentRecordedAnswer,
    AgentReplied,
    AgentResolved,
    AgentSetReference,
    AgentSnoozed,
    AgentTransferred,
    BrandAnsweredElsewhere,
    CustomerPosted,
    CustomerUnreachable,
    Event,
    FirstReplyForecast,
    PostDeleted,
    PostEdited,
    PromiseKept,
    SendFailed,
    TimerFired,
    WordsAccepted,
)
from conversations.guards import RISK_ACTS, Guards
from conversations.ids import ExternalId, PromiseId, effect_key
from conversations.policy import DAY_S, Policy
from conversations.protocol import State
from conversations.wording.request import Act, Situation, Surface

BOT_TIMERS = (TimerName.QUIET, TimerName.FIRST_REPLY, TimerName.SILENCE)
FIRST_REPLY_TIMERS = (TimerName.FIRST_REPLY, TimerName.FIRST_REPLY_ALARM)
PROMISE_TIMERS = (TimerName.PROMISE_SOON, TimerName.PROMISE_OVERDUE)
DRAFTABLE = (Act.PROMISE_UPDATE, Act.CHECK_BACK, Act.HOLDING)


class Step(Guards):
    """One event on its way through the table."""

    __slots__ = ("effects",)

    def __init__(self, conversation: Conversation, event: Event, now: datetime, policy: Policy) -> None:
        super().__init__(conversation, event, now, policy)
        self.effects: list[Effect] = []
        self.change(**absorb.absorb(conversation, event, policy))
        if isinstance(event, CustomerPosted | BrandAnsweredElsewhere) and conversation.on_desk:
            self.mirror(event.id)

    def finish(self) -> Conversation:
        """The new conversation, once the table has run. A case on the desk gets its card brought up to date."""
        self.change(state=self.state, version=self.before.version + 1)
        if self.draft.on_desk:
            self.effects.append(ShowCard())
        return self.draft

    # ---------------------------------------------------------------- tools

    def change(self, **fields: Any) -> None:
        """Change fields of the draft, which nobody else holds yet."""
        self.draft.__dict__.update(fields)

    def after(self, seconds: float) -> datetime:
        """The instant that many seconds from now."""
        return self.now + timedelta(seconds=seconds)

    def working(self, seconds: float) -> datetime:
        """The instant when that much of the queue's working time has passed."""
        return self.queue.hours.add(self.now, seconds)

    def start(self, name: TimerName, due_at: datetime, promise: PromiseId | None = None) -> None:
        """(Re)start a timer."""
        rest = tuple(t for t in self.draft.timers if t.name is not name or t.promise != promise)
        self.change(timers=(*rest, Timer(name, due_at, promise)))

    def stop(self, names: Iterable[TimerName]) -> None:
        """Stop timers."""
        self.change(timers=absorb.without_timers(self.draft.timers, names))

    def mirror(self, turn: ExternalId, change: str = "said") -> None:
        """Show a turn in the case's thread."""
        self.effects.append(MirrorTurn(turn, change))

    def call(
        self, alarm: Alarm, audience: Audience = Audience.OWNER, draft: Act | None = None, **facts: Any
    ) -> None:
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
        """When the customer's burst counts as ended, seen from the last post."""
        case = self.draft
        if case.last_posted_at is None:
            return self.now
        quiet = self.policy.quiet_s
        direct = case.last_surface is Surface.DIRECT
        base = quiet.direct if direct else quiet.slack if case.channel == "slack" else quiet.public
        burst = [turn for turn in case.story if case.heard_until is None or turn.posted_at > case.heard_until]
        gaps = [(b.posted_at - a.posted_at).total_seconds() for a, b in zip(burst, burst[1:], strict=False)]
        patience = quiet_s(base, [turn.reading for turn in burst], gaps) if base else 0.0
        return case.last_posted_at + timedelta(seconds=min(patience, self.policy.quiet_s_max))

    @property
    def first_reply_due_at(self) -> datetime:
        """When the first reply must leave, the reserve kept."""
        return self.draft.first_posted_at + timedelta(seconds=self.policy.window_s - self.policy.reserve_s)

    @property
    def window_ends_at(self) -> datetime:
        """When the promise would break."""
        return self.draft.first_posted_at + timedelta(seconds=self.policy.window_s)

    # ---------------------------------------------------------------- words

    def say(
        self,
        act: Act,
        *,
        author: Author = Author.BOT,
        urgency: Urgency = Urgency.REST,
        surface: Surface | None = None,
        not_before: datetime | None = None,
        **facts: Any,
    ) -> None:
        """Say something from a template, in answer to the customer's last turn. A silenced bot says nothing."""
        case = self.draft
        if author is Author.BOT and self.bot_is_silenced():
            return
        first = case.replied_at is None
        if first and urgency is Urgency.REST:
            urgency = Urgency.FIRST_REPLY
        known: dict[str, Any] = {
            "team": self.queue.name,
            "answer_by": self.working(self.policy.human_answer_s),
            "opens_at": self.queue.hours.next_open(self.now),
            "wish": case.wish,
            "quote": self.quotable(),
            "round": case.rounds + 1,
        }
        key = effect_key(case.key, self.before.version + 1, len(self.effects))
        self.change(words_out=(*case.words_out, WordsOut(key, act, author, first)), heard_until=case.last_posted_at)
        self.effects.append(
            Say(
                act=act,
                surface=surface or case.last_surface,
                in_reply_to=case.last_turn,
                author=author,
                agent=case.owner if author is Author.AGENT else None,
                urgency=urgency,
                not_before=not_before,
                due_at=self.first_reply_due_at if first else None,
                situations=self.situations(),
                facts=known | facts,
                first_reply=first,
            )
        )

    def quotable(self) -> str | None:
        """What a mirror may repeat: the quotable words of the story's turns, in order."""
        parts = [turn.reading.quotable for turn in self.draft.story if turn.reading.quotable]
        return "; ".join(dict.fromkeys(parts)) or None

    def situations(self) -> tuple[Situation, ...]:
        """What makes this moment different, most telling first."""
        case = self.draft
        found = {
            Situation.FIRST_REPLY: not case.introduced,
            Situation.LATE: case.replied_at is None and self.now > self.window_ends_at,
            Situation.SECOND_ROUND: case.rounds > 0,
            Situation.OUT_OF_HOURS: not self.queue.hours.is_open(self.now),
            Situation.MEDIA_ONLY: bool(case.story)
            and all(turn.media and not turn.reading.masked.strip() for turn in case.story),
            Situation.RETURNING: case.returning,
        }
        return tuple(situation for situation, holds in found.items() if holds)

    def send_words(self) -> None:
        """Send the agent's words as they are; they answer what the customer wrote."""
        event = self.event
        assert isinstance(event, AgentReplied)
        case = self.draft
        key = effect_key(case.key, self.before.version + 1, len(self.effects))
        words = WordsOut(key, None, Author.AGENT, case.replied_at is None)
        self.change(words_out=(*case.words_out, words), heard_until=case.last_posted_at)
        self.effects.append(
            SendWords(
                text=event.text,
                agent=event.agent,
                surface=event.surface or case.last_surface,
                in_reply_to=case.last_turn,
                overridden=event.overridden,
            )
        )
        if case.owner is None:
            self.take_ownership()
        self.stop_answer_clock()

    def withdraw_words(self) -> None:
        """Take back what the bot has queued."""
        if any(words.author is Author.BOT for words in self.draft.words_out):
            self.effects.append(WithdrawWords(self.event.trigger.value))

    def postpone_words(self) -> None:
        """The customer writes again: queued words wait until the burst has ended, within the window."""
        if any(words.author is Author.BOT for words in self.draft.words_out):
            latest = self.first_reply_due_at if self.draft.replied_at is None else None
            self.effects.append(PostponeWords(self.quiet_until(), latest))

    def say_acknowledge(self) -> None:
        """The first reply: sorry, listening, take all the room you need; neutral when it may be no complaint."""
        unsure = self.draft.triage is Decision.UNSURE and self.draft.label is not True
        self.say(Act.RECEIVE if unsure else Act.ACKNOWLEDGE)

    def say_reflect(self) -> None:
        """Mirror the story and ask whether it is right."""
        self.say(Act.REFLECT)

    def say_hand_over(self) -> None:
        """Name the team and by when it answers. In answer to a post it waits for the end of the burst."""
        not_before = self.quiet_until() if isinstance(self.event, CustomerPosted) else None
        if not_before is not None and self.draft.replied_at is None:
            not_before = min(not_before, max(self.first_reply_due_at, self.now))
        self.say(Act.HAND_OVER, not_before=not_before)

    def say_risk_words(self) -> None:
        """Words to somebody in danger, once, after a short quiet time."""
        if self.draft.risk_words_said or self.reading is None:
            return
        kind = next(risk.kind for risk in self.reading.risk if risk.level is RiskLevel.RED)
        act = RISK_ACTS.get(kind, Act.RISK_SAFETY)
        quiet = timedelta(seconds=self.policy.quiet_s.risk)
        self.say(act, urgency=Urgency.RISK, not_before=(self.draft.last_posted_at or self.now) + quiet, risk=kind)

    def say_holding(self) -> None:
        """Once, and only where words may go unprompted: nobody has forgotten you."""
        if not self.draft.holding_said and self.draft.replied_at is not None and self.may_write():
            self.change(holding_said=True)
            self.say(Act.HOLDING, surface=self.unprompted_surface)

    def say_check_back(self) -> None:
        """Was it the solution they wanted, are they happy, do they need anything else?"""
        check_back = self.draft.check_back
        assert check_back is not None
        self.say(Act.CHECK_BACK, surface=self.unprompted_surface, done_text=self.draft.done_text or None)
        self.change(check_back=replace(check_back, asked_at=self.now))
        self.start(TimerName.SILENCE, self.after(self.policy.check_back_silence_s))

    def say_reopen(self) -> None:
        """We go on, with honest hours."""
        self.say(Act.REOPEN, not_before=self.quiet_until())

    def say_farewell(self) -> None:
        """A last kind word."""
        self.say(Act.FAREWELL, not_before=self.quiet_until())

    def confirm_opt_out(self) -> None:
        """Confirm once that the bot stops."""
        if not self.draft.opted_out:
            self.say(Act.OPT_OUT_CONFIRMED)

    def mute_bot(self) -> None:
        """The bot is muted for this customer, for good."""
        self.change(opted_out=True)
        self.effects.append(MuteCustomer())

    def silence_bot(self) -> None:
        """The bot is muted in this conversation (``absorb`` has noted it)."""

    # ---------------------------------------------------------------- clocks of the bot

    def restart_quiet(self) -> None:
        """Wait for the end of the burst. A post that may be no complaint shows a triage card meanwhile."""
        self.stop((TimerName.SILENCE,))
        self.start(TimerName.QUIET, max(self.quiet_until(), self.now))
        if self.draft.triage is Decision.UNSURE:
            self.put_on_desk()

    def restart_listening(self) -> None:
        """An amber risk shows a claimable card now; listening goes on."""
        if self.state is State.REFLECTING:
            self.start(TimerName.SILENCE, self.after(self.policy.silence_s))
        else:
            self.withdraw_words()
            self.restart_quiet()
        self.call_amber()

    def keep_what_was_said(self) -> None:
        """The platform accepted words of ours: only now do they count as said."""
        event = self.event
        assert isinstance(event, WordsAccepted)
        case = self.draft
        if case.replied_at is None:
            self.change(replied_at=event.accepted_at)
            self.stop(FIRST_REPLY_TIMERS)
        if event.author is Author.BOT:
            self.change(introduced=True, reflections=case.reflections + (event.act is Act.REFLECT))
            if event.act in RISK_ACTS.values():
                self.change(risk_words_said=True)
        if case.on_desk:
            self.mirror(event.id)
        if self.state is State.LISTENING:
            if self.nothing_since():
                self.stop((TimerName.QUIET,))
                self.start(TimerName.SILENCE, self.after(self.policy.silence_s))
            elif case.timer(TimerName.QUIET) is None:
                self.restart_quiet()
        elif self.state is State.REFLECTING:
            self.start(TimerName.SILENCE, self.after(self.policy.silence_s))

    # ---------------------------------------------------------------- the desk

    def put_on_desk(self) -> None:
        """Show the case at the desk from now on, with everything that was said so far."""
        if not self.draft.on_desk:
            self.change(on_desk=True, queue=self.queue.name)
            for turn in self.draft.story:
                self.mirror(turn.id)

    def open_handoff(self) -> None:
        """Give the case to the desk: no complaint ends with the bot alone."""
        self.put_on_desk()
        self.stop((*BOT_TIMERS, TimerName.OWNER_SILENT, TimerName.SNOOZE))
        if self.draft.owner is not None:
            self.change(last_owner=self.draft.owner, owner=None)
        self.change(
            handed_off_at=self.now,
            escalations=0,
            unanswered_since=self.draft.unanswered_since or self.draft.last_posted_at,
            answer_due_at=self.working(self.policy.human_answer_s),
        )
        self.start(TimerName.UNCLAIMED, self.working(self.policy.unclaimed_s))

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
            self.start(TimerName.OWNER_SILENT, self.working(self.policy.owner_silent_s))

    def snooze(self) -> None:
        """Quiet until then, or until the customer's next word."""
        event = self.event
        assert isinstance(event, AgentSnoozed)
        self.change(snoozed_until=event.until)
        self.stop((TimerName.OWNER_SILENT, TimerName.UNCLAIMED))
        self.start(TimerName.SNOOZE, event.until)

    def call_snooze_ended(self) -> None:
        """The time is over: the clocks run again."""
        self.change(snoozed_until=None)
        self.call(Alarm.SNOOZE_ENDED)
        if self.state is State.AWAITING_AGENT:
            self.start(TimerName.UNCLAIMED, self.working(self.policy.unclaimed_s))
        else:
            self.start(TimerName.OWNER_SILENT, self.working(self.policy.owner_silent_s))

    def start_answer_clock(self) -> None:
        """A turn of the customer waits for a human's answer."""
        case = self.draft
        since = case.unanswered_since or (case.last_posted_at if case.last_posted_at else self.now)
        self.change(
            unanswered_since=since,
            answer_due_at=case.answer_due_at if case.unanswered_since else self.working(self.policy.human_answer_s),
            nudged=False,
        )
        self.start(TimerName.OWNER_SILENT, self.working(self.policy.owner_silent_s))

    def stop_answer_clock(self) -> None:
        """A human answered. If nothing happens from here on, the owner is reminded."""
        self.change(unanswered_since=None, answer_due_at=None, nudged=False)
        self.start(TimerName.OWNER_SILENT, self.after(self.policy.follow_up_s))

    def nudge_owner(self) -> None:
        """Remind the owner of the turn that waits."""
        self.change(nudged=True)
        self.call(Alarm.OWNER_SILENT)
        self.start(TimerName.OWNER_SILENT, self.working(self.policy.owner_silent_s))

    def back_to_queue(self) -> None:
        """Nobody answered: anybody may take it; plan and promises stay."""
        if self.draft.owner is not None:
            self.change(last_owner=self.draft.owner, owner=None)
        self.call(Alarm.BACK_IN_QUEUE, Audience.QUEUE)
        self.start(TimerName.OWNER_SILENT, self.working(self.policy.owner_silent_s))

    def remind_owner(self) -> None:
        """Nothing happened in a case that is still open."""
        self.call(Alarm.OWNER_SILENT, follow_up=True)
        self.start(TimerName.OWNER_SILENT, self.after(self.policy.follow_up_s))

    def escalate(self) -> None:
        """Nobody took it: first the queue, then the leads, again and again, ever less often."""
        count = self.draft.escalations + 1
        self.change(escalations=count)
        self.call(Alarm.UNCLAIMED, Audience.QUEUE if count == 1 else Audience.LEADS, times=count)
        self.start(TimerName.UNCLAIMED, self.working(self.policy.unclaimed_s * 2 ** min(count, 5)))

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

    # ---------------------------------------------------------------- calls

    def call_everyone(self) -> None:
        """Danger: everybody on call, with the evidence."""
        assert self.reading is not None
        risk = next(risk for risk in self.reading.risk if risk.level is RiskLevel.RED)
        self.change(priority=self.draft.priority + 10)
        self.call(Alarm.RED_RISK, Audience.EVERYONE, kind=risk.kind, evidence=risk.evidence)

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

    # ---------------------------------------------------------------- plan and promises

    def propose_plan(self) -> None:
        """Steps, dates and the question; it replaces a plan that was not agreed."""
        event = self.event
        assert isinstance(event, AgentProposedPlan)
        if self.draft.owner is None:
            self.take_ownership()
        number = 1 + (self.draft.plan.number if self.draft.plan else 0)
        plan = Plan(number, event.steps, event.agent, self.now, event.remedy)
        self.change(plan=plan)
        self.say(Act.PROPOSE_PLAN, author=Author.AGENT, urgency=Urgency.AGENT, steps=event.steps, remedy=event.remedy or None)
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
            timers=tuple(
                t for t in self.draft.timers if t.name not in PROMISE_TIMERS or t.promise != event.promise
            ),
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

    # ---------------------------------------------------------------- resolution and check-back

    def resolve(self) -> None:
        """It is done."""
        event = self.event
        assert isinstance(event, AgentResolved)
        if self.draft.owner is None:
            self.take_ownership()
        self.stop(tuple(TimerName))
        self.change(
            done_text=event.done_text.strip(), resolved_at=self.now, unanswered_since=None, answer_due_at=None, nudged=False
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
        """The later of the delay and the last promise plus a day, in the customer's daytime."""
        event, case = self.event, self.draft
        assert isinstance(event, AgentResolved)
        days = self.policy.check_back_days if event.check_back_days is None else event.check_back_days
        due_at = self.after(days * DAY_S)
        for promise in case.promises:
            if promise.due_at is not None:
                due_at = max(due_at, promise.due_at + timedelta(days=1))
        due_at = at_daytime(due_at, case.customer.time_zone or self.policy.time_zone)
        by = event.check_back
        if by is CheckBackBy.BOT and (self.bot_is_silenced() or case.risk_level is RiskLevel.RED):
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

    # ---------------------------------------------------------------- closing

    def close(self, outcome: Outcome) -> None:
        """Nothing more is owed; no clock runs."""
        self.change(outcome=outcome, closed_at=self.now, timers=(), unanswered_since=None, answer_due_at=None)

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

    # ---------------------------------------------------------------- posts that change

    def mirror_edit(self) -> None:
        """The desk sees the new words."""
        assert isinstance(self.event, PostEdited)
        if self.draft.on_desk:
            self.mirror(self.event.id, "edited")

    def delete_copy(self) -> None:
        """Our copy goes; the owner is told."""
        assert isinstance(self.event, PostDeleted)
        self.effects.append(DeleteCopy(self.event.id))
        if self.draft.on_desk:
            self.mirror(self.event.id, "deleted")
            if self.draft.owner is not None:
                self.call(Alarm.POST_DELETED)
