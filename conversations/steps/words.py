"""Effects that say something, and the clocks of the bot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from conversations.comprehension.reading import Decision, RiskLevel
from conversations.conversation import (
    Author,
    TimerName,
    WordsOut,
)
from conversations.effects import (
    Alarm,
    Audience,
    MuteCustomer,
    PostponeWords,
    Say,
    SendWords,
    Urgency,
    WithdrawWords,
)
from conversations.events import (
    AgentReplied,
    CaseMerged,
    CustomerPosted,
    PostEdited,
    SplitOff,
    WordsAccepted,
)
from conversations.guards import RISK_ACTS
from conversations.ids import effect_key
from conversations.protocol import State
from conversations.steps.cases import Cases
from conversations.steps.draft import FIRST_REPLY_TIMERS
from conversations.wording.request import Act, Situation, Surface


class Words(Cases):
    """Effects that say something, and the clocks of the bot."""

    __slots__ = ()

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
            "answer_by": self.desk_time(self.policy.human_answer_s),
            "opens_at": self.queue.hours.next_open(self.now),
            "wish": case.wish,
            "quote": self.quotable(),
            "incident_update": self.incident_update(),
            "round": case.rounds + 1,
        }
        key = effect_key(case.key, self.before.version + 1, len(self.effects))
        self.write(WordsOut(key, act, author, first, case.last_turn, case.last_posted_at))
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

    def write(self, words: WordsOut) -> None:
        """Words are on their way; they count as said when they are accepted."""
        self.change(words_out=(*self.draft.words_out, words))

    def quotable(self) -> str | None:
        """What a mirror may repeat: the quotable words of the story's turns, in order."""
        parts = [turn.reading.quotable for turn in self.draft.story if turn.reading.quotable]
        return "; ".join(dict.fromkeys(parts)) or None

    def incident_update(self) -> str | None:
        """The admin's update on a known incident, in the customer's language."""
        return self.policy.incident_update(self.sure_topics(), self.draft.language)

    def sure_topics(self) -> tuple[str, ...]:
        """What we may tell the customer that it is about: an update on another matter is worse than none."""
        return (self.draft.named_topic,) if self.draft.named_topic else ()

    def situations(self) -> tuple[Situation, ...]:
        """What makes this moment different, most telling first."""
        case = self.draft
        found = {
            Situation.FIRST_REPLY: not case.introduced,
            Situation.INCIDENT: self.policy.has_incident(self.sure_topics()),
            Situation.LATE: case.replied_at is None and self.now > self.window_ends_at,
            Situation.SECOND_ROUND: case.rounds > 0,
            Situation.OUT_OF_HOURS: not self.queue.hours.is_open(self.now),
            Situation.MEDIA_ONLY: bool(case.story) and all(turn.media and turn.reading.wordless for turn in case.story),
            Situation.RETURNING: case.returning,
        }
        return tuple(situation for situation, holds in found.items() if holds)

    def send_words(self) -> None:
        """Send the agent's words as they are; they answer what the customer wrote."""
        event = self.event
        assert isinstance(event, AgentReplied)
        case = self.draft
        key = effect_key(case.key, self.before.version + 1, len(self.effects))
        self.write(WordsOut(key, None, Author.AGENT, case.replied_at is None, case.last_turn, case.last_posted_at))
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
        """The customer writes again: queued words wait for the end of the burst, within the window. Safety never waits."""
        if any(words.author is Author.BOT for words in self.draft.words_out) and not self.risk_words_on_their_way():
            latest = self.first_reply_due_at if self.draft.replied_at is None else None
            self.effects.append(PostponeWords(self.quiet_until(), latest))

    def say_acknowledge(self) -> None:
        """The first reply: sorry, listening, take all the room you need; neutral when it may be no complaint."""
        unsure = self.draft.triage is Decision.UNSURE and self.draft.label is not True
        self.say(Act.RECEIVE if unsure else Act.ACKNOWLEDGE)

    def hold_first_reply(self) -> None:
        """A human decides first. It is looked at again soon; the alarm comes well before the window ends (protocol.md, "What X
        allows")."""
        alarm = self.draft.timer(TimerName.FIRST_REPLY_ALARM)
        held_alarm_at = self.window_ends_at - timedelta(seconds=self.policy.held_alarm_s)
        if alarm is not None and alarm.due_at > held_alarm_at:
            self.start(TimerName.FIRST_REPLY_ALARM, max(held_alarm_at, self.now))
        self.shows = not self.draft.held  # looked at again, and nothing is new
        if not self.draft.held:
            self.change(held=True)
            self.call(Alarm.FIRST_REPLY_HELD, Audience.QUEUE, topics=list(self.draft.topics))
        self.start(TimerName.QUIET, self.after(self.policy.hold_look_s))

    def say_reflect(self) -> None:
        """Mirror the story and ask whether it is right."""
        self.say(Act.REFLECT)

    def say_hand_over(self) -> None:
        """Name the team and by when it answers. In answer to a post it waits for the end of the burst."""
        posts = isinstance(self.event, CustomerPosted | PostEdited | SplitOff | CaseMerged)
        not_before = self.quiet_until() if posts else None
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
        """Once, and only where words may go unprompted: nobody has forgotten you. Not right after other words of ours."""
        case = self.draft
        rested = case.said_at is None or self.now >= case.said_at + timedelta(seconds=self.policy.silence_s)
        waiting = case.replied_at is not None and not case.words_out
        if not case.holding_said and waiting and rested and self.may_write():
            self.change(holding_said=True)
            self.say(Act.HOLDING, surface=self.unprompted_surface, not_before=self.quiet_until())

    def say_check_back(self) -> None:
        """Was it the solution they wanted, are they happy, do they need anything else?"""
        check_back = self.draft.check_back
        assert check_back is not None
        self.say(
            Act.CHECK_BACK,
            surface=self.unprompted_surface,
            not_before=self.quiet_until(),
            done_text=self.draft.done_text or None,
        )
        self.change(check_back=replace(check_back, asked_at=self.now))
        self.start(TimerName.SILENCE, self.after(self.policy.check_back_silence_s))

    def say_reopen(self) -> None:
        """We go on, with honest hours."""
        self.say(Act.REOPEN, not_before=self.quiet_until())

    def say_farewell(self) -> None:
        """A last kind word."""
        self.say(Act.FAREWELL, not_before=self.quiet_until())

    def confirm_opt_out(self) -> None:
        """Confirm once that the bot stops, in place of all that it has queued; like all its words, after the customer's burst.

        Asked again before that has left, it is what waits: it is not taken back.
        """
        if self.draft.opted_out:
            self.postpone_words()
        else:
            self.withdraw_words()
            self.say(Act.OPT_OUT_CONFIRMED, not_before=self.quiet_until())

    def mute_bot(self) -> None:
        """The bot is muted for this customer, for good."""
        self.change(opted_out=True)
        self.effects.append(MuteCustomer())

    def silence_bot(self) -> None:
        """The bot is muted in this conversation (``absorb`` has noted it)."""

    def restart_quiet(self) -> None:
        """Wait for the end of the burst. A post that may be no complaint shows a triage card meanwhile.

        A post that was indexed late, from before our words, begins no burst: a human reads it after the silence.
        """
        if self.nothing_since():
            self.listen_on()
            return
        self.stop((TimerName.SILENCE,))
        self.start(TimerName.QUIET, max(self.quiet_until(), self.now))
        if self.draft.triage is Decision.UNSURE:
            self.put_on_desk()

    def listen_on(self) -> None:
        """A post was edited or deleted: wait for the end of the burst, or, where all was answered already, for more to come."""
        if not self.nothing_since():
            self.restart_quiet()
        elif self.draft.timer(TimerName.SILENCE) is None:
            self.stop((TimerName.QUIET,))
            self.start(TimerName.SILENCE, self.after(self.policy.silence_s))

    def keep_what_was_said(self) -> None:
        """The platform accepted words of ours: only now do they count as said."""
        event = self.event
        assert isinstance(event, WordsAccepted)
        case = self.draft
        heard = [words.heard_until for words in self.before.words_out if words.key == event.key and words.heard_until]
        heard_until = max((at for at in (case.heard_until, *heard) if at is not None), default=None)
        self.change(heard_until=heard_until, said_at=event.accepted_at)
        if case.replied_at is None:
            self.change(replied_at=event.accepted_at)
            self.stop(FIRST_REPLY_TIMERS)
        if event.author is Author.BOT:
            self.change(introduced=True, reflections=case.reflections + (event.act is Act.REFLECT))
            if event.act in RISK_ACTS.values():
                self.change(risk_words_said=True)
        self.mirror(event.id)
        if self.state is State.LISTENING:
            if self.nothing_since():
                self.stop((TimerName.QUIET,))
                self.start(TimerName.SILENCE, self.after(self.policy.silence_s))
            elif case.timer(TimerName.QUIET) is None:
                self.restart_quiet()
        elif self.state is State.REFLECTING:
            self.start(TimerName.SILENCE, self.after(self.policy.silence_s))
