"""The guards of the table: questions about the conversation and the event, answered yes or no.

Each is named in ``protocol.TABLE``. They return real bools (the transitions library compares with ``== True``) and change
nothing.
"""

from __future__ import annotations

from datetime import datetime

from conversations.comprehension.reading import CueName, Decision, Reading, RiskLevel
from conversations.conversation import Author, CheckBackBy, Conversation, Outcome
from conversations.events import (
    AgentLabelled,
    AgentRecordedAnswer,
    AgentResolved,
    AgentSplit,
    AgentTransferred,
    CaseMerged,
    CustomerPosted,
    Event,
    PostDeleted,
    PostEdited,
    PromiseKept,
    SendFailed,
    TimerFired,
)
from conversations.policy import Policy, Queue
from conversations.protocol import State
from conversations.wording.request import Act, Surface

RISK_ACTS: dict[str, Act] = {act.value.removeprefix("risk_"): act for act in Act if act.value.startswith("risk_")}
"""The act that answers each kind of red risk; any other kind is answered as ``safety``."""


class Guards:
    """What the rows ask. ``before`` is the conversation as it was; ``draft`` has already absorbed the event."""

    __slots__ = ("before", "draft", "event", "now", "policy", "state")

    def __init__(self, conversation: Conversation, event: Event, now: datetime, policy: Policy) -> None:
        self.before = conversation
        self.draft = conversation.evolve()
        self.event = event
        self.now = now
        self.policy = policy
        self.state = conversation.state

    @property
    def reading(self) -> Reading | None:
        """What was understood in the text that came with the event, if one did."""
        event = self.event
        return event.reading if isinstance(event, CustomerPosted | PostEdited) else None

    def certain(self, cue: CueName) -> bool:
        """Whether the text certainly does that."""
        return self.reading is not None and self.reading.certain(cue)

    def has(self, cue: CueName) -> bool:
        """Whether the text certainly or likely does that."""
        return self.reading is not None and self.reading.has(cue)

    @property
    def queue(self) -> Queue:
        """The queue that the case is in, or would go to."""
        case = self.draft
        if case.queue:
            return self.policy.queue_named(case.queue)
        return self.policy.queue_of(case.language, case.topics, case.account, tuple(kind for kind, _ in case.risks))

    # ---------------------------------------------------------------- danger

    def at_risk_red(self) -> bool:
        """The text shows danger."""
        return self.reading is not None and self.reading.risk_level is RiskLevel.RED

    def risk_words_on_their_way(self) -> bool:
        """The words to somebody in danger were written and have not failed."""
        return any(words.act is not None and words.act in RISK_ACTS.values() for words in self.draft.words_out)

    def reopen_words_on_their_way(self) -> bool:
        """That we go on was written, and did not leave yet."""
        return any(words.act is Act.REOPEN for words in self.draft.words_out)

    def newly_at_risk_red(self) -> bool:
        """The text shows danger of a kind that was not known: an edit that leaves the danger as it was calls nobody again."""
        known = {kind for kind, level in self.before.risks if level is RiskLevel.RED}
        return self.reading is not None and any(
            risk.level is RiskLevel.RED and risk.kind not in known for risk in self.reading.risk
        )

    def at_risk_amber(self) -> bool:
        """The text shows a risk that it had not shown before."""
        return self.reading is not None and any(risk.kind not in self.known_risks for risk in self.reading.risk)

    def at_new_risk(self) -> bool:
        """Danger, or a risk of a kind that is new in this conversation."""
        return self.at_risk_red() or self.at_risk_amber()

    @property
    def known_risks(self) -> set[str]:
        """Kinds of risk seen before this event."""
        return {kind for kind, _ in self.before.risks}

    def only_told(self) -> bool:
        """The text asks nothing of us that a row below answers: listening may go on."""
        return not (
            self.certainly_opts_out()
            or self.certainly_asks_for_human()
            or (self.state is State.REFLECTING and self.confirms_or_wishes())
        )

    # ---------------------------------------------------------------- what the customer does

    def certainly_opts_out(self) -> bool:
        """The customer wants the bot to stop. Before the bot has written, "stop mailing me" is part of the story."""
        return self.certain(CueName.OPTS_OUT) and self.before.introduced

    def nothing_else_wanted(self) -> bool:
        """Only silence is asked for: "no bots, let me talk to a human" and "just refund me" are a human's to answer, and so is a
        case in danger, or one whose customer has asked for a person before."""
        told = [turn.reading for turn in self.draft.story] + ([self.reading] if self.reading else [])
        wanted = any(reading.certain(CueName.ASKS_FOR_HUMAN) for reading in told)
        return not (wanted or (self.reading and self.reading.wish)) and self.draft.risk_level is not RiskLevel.RED

    def certainly_asks_for_human(self) -> bool:
        """The customer wants a person."""
        return self.certain(CueName.ASKS_FOR_HUMAN)

    def confirms_or_wishes(self) -> bool:
        """The mirror was right, or the customer says what would put it right. Nothing can be confirmed that was not yet said."""
        if self.reading is None:
            return False
        return self.reading.wish is not None or (not self.mirror_on_its_way() and self.certain(CueName.CONFIRMS))

    def adds_or_corrects(self) -> bool:
        """The customer goes on telling, or says that the mirror was wrong."""
        reading = self.reading
        if reading is None:
            return False
        if self.mirror_on_its_way():
            return True
        telling = (CueName.ADDS, CueName.VENTING, CueName.MORE_TO_COME, CueName.DECLINES)
        return reading.story_told or bool(reading.topics) or any(reading.has(cue) for cue in telling)

    def certainly_agrees(self) -> bool:
        """A yes to the plan, without irony, mixture or "but". Nothing can be agreed to that has not arrived yet."""
        return self.certain(CueName.AGREES) and not self.has(CueName.DECLINES) and not self.on_its_way(Act.PROPOSE_PLAN)

    def certainly_only_thanks(self) -> bool:
        """Nothing but thanks."""
        return self.certain(CueName.ONLY_THANKS)

    def certainly_satisfied(self) -> bool:
        """Happy, and in need of nothing more."""
        return self.certain(CueName.SATISFIED) and not any(
            self.has(cue) for cue in (CueName.UNSATISFIED, CueName.NEEDS_MORE, CueName.QUESTION)
        )

    def certainly_content(self) -> bool:
        """Thanks, or happiness volunteered before we asked: neither erases the check-back."""
        return self.certainly_only_thanks() or self.certainly_satisfied()

    # ---------------------------------------------------------------- the story and the first reply

    def not_replied(self) -> bool:
        """No first reply was accepted yet."""
        return self.draft.replied_at is None

    def first_reply_on_its_way(self) -> bool:
        """A first reply was written and neither accepted nor given up: a second one would be one too many."""
        return self.draft.first_reply_out

    def first_reply_is_held(self) -> bool:
        """An incident, or a term that the admin listed: a human decides before the bot says anything."""
        case, policy = self.draft, self.policy
        if policy.is_held(case.topics):
            return True
        if not policy.held_terms:
            return False
        story = " ".join(turn.reading.masked for turn in case.story).casefold()
        return any(term.casefold() in story for term in policy.held_terms)

    def on_its_way(self, act: Act) -> bool:
        """Whether such words were written, and neither accepted nor given up."""
        return any(words.act is act for words in self.draft.words_out)

    def mirror_on_its_way(self) -> bool:
        """The mirror was written, and the customer has not seen it yet."""
        return self.on_its_way(Act.REFLECT)

    def handover_on_its_way(self) -> bool:
        """The handover was written, and the customer has not seen it yet."""
        return self.on_its_way(Act.HAND_OVER)

    def story_is_told(self) -> bool:
        """What happened is told well enough to mirror it; never for a post that may be no complaint."""
        case = self.draft
        if case.triage is Decision.UNSURE and case.label is not True:
            return False
        return any(turn.reading.story_told for turn in case.story)

    def wish_known(self) -> bool:
        """The customer said what would put it right."""
        return self.draft.wish is not None

    def spoke_since(self) -> bool:
        """The customer wrote after the words that were last said."""
        case = self.draft
        return case.replied_at is not None and not self.nothing_since()

    def nothing_since(self) -> bool:
        """The customer wrote nothing after the words that were last said."""
        case = self.draft
        return case.replied_at is not None and (
            case.last_posted_at is None or case.heard_until is None or case.last_posted_at <= case.heard_until
        )

    def rounds_left(self) -> bool:
        """The bot may mirror once more before a human takes over."""
        return self.draft.reflections < self.policy.reflections_max

    def turn_known(self) -> bool:
        """The edited post belongs to the story that is being told."""
        event = self.event
        return isinstance(event, PostEdited) and any(turn.id == event.id for turn in self.draft.story)

    def words_answer_it(self) -> bool:
        """Words of the bot that answer the deleted post are on their way."""
        event = self.event
        return isinstance(event, PostDeleted) and any(
            words.author is Author.BOT and words.answers == event.id for words in self.draft.words_out
        )

    def none_left(self) -> bool:
        """Every post of the customer is deleted."""
        return self.draft.turns_count <= 0

    # ---------------------------------------------------------------- the bot's voice

    def bot_is_silenced(self) -> bool:
        """An agent muted the bot here, or the customer opted out."""
        return self.draft.bot_muted or self.draft.opted_out

    @property
    def unprompted_surface(self) -> Surface | None:
        """Where words may go that answer no new post; None: nowhere (protocol.md, "What X allows")."""
        if self.draft.direct:
            return Surface.DIRECT
        return Surface.PUBLIC if self.policy.traits(self.draft.channel).unprompted_public else None

    def may_write(self) -> bool:
        """The bot may write of its own accord: not silenced, not to somebody who was in danger, and the channel allows it."""
        return (
            not self.bot_is_silenced()
            and self.draft.risk_level is not RiskLevel.RED
            and self.unprompted_surface is not None
        )

    # ---------------------------------------------------------------- the desk

    def nobody_owns_it(self) -> bool:
        """The case has no owner (it was released, or answered by somebody we do not know)."""
        return self.draft.owner is None

    def owner_on_duty(self) -> bool:
        """There is an owner, and it is working time."""
        return self.draft.owner is not None and self.queue.hours.is_open(self.now)

    def unanswered(self) -> bool:
        """A turn of the customer waits for a human's answer."""
        return self.draft.unanswered_since is not None

    def not_nudged(self) -> bool:
        """The owner was not yet reminded of it."""
        return self.draft.owner is not None and not self.draft.nudged

    def to_an_agent(self) -> bool:
        """The case is handed to a person, not to a queue."""
        return isinstance(self.event, AgentTransferred) and self.event.to_agent is not None

    def not_a_complaint(self) -> bool:
        """The label says that it is none."""
        return isinstance(self.event, AgentLabelled) and not self.event.complaint

    # ---------------------------------------------------------------- plan, promises, check-back

    def nothing_promised(self) -> bool:
        """Nothing that was promised is still open."""
        return not self.draft.promises_open

    def plan_proposed(self) -> bool:
        """There is a plan that was not yet agreed."""
        return self.draft.plan is not None and self.draft.plan.agreed_at is None

    def promise_known(self) -> bool:
        """The promise that is ticked exists and is open."""
        event = self.event
        return isinstance(event, PromiseKept) and any(p.id == event.promise for p in self.draft.promises_open)

    def promise_open(self) -> bool:
        """The promise whose timer fired is still open."""
        event = self.event
        return isinstance(event, TimerFired) and any(p.id == event.promise for p in self.draft.promises_open)

    def promises_kept_or_said_so(self) -> bool:
        """Every promise is kept, or the agent resolves it all the same."""
        return isinstance(self.event, AgentResolved) and (self.event.anyway or self.nothing_promised())

    def check_back_by_bot(self) -> bool:
        """The agent left the check-back to the bot."""
        return self.draft.check_back is not None and self.draft.check_back.by is CheckBackBy.BOT

    def check_backs_are_paused(self) -> bool:
        """An incident lasts: nobody is asked whether they are happy."""
        return self.policy.check_backs_paused

    def check_back_by_nobody(self) -> bool:
        """The agent chose that nobody checks back."""
        return self.draft.check_back is not None and self.draft.check_back.by is CheckBackBy.NOBODY

    def plan_was_not_sent(self) -> bool:
        """What failed is the plan itself: it was never proposed."""
        return isinstance(self.event, SendFailed) and self.event.act is Act.PROPOSE_PLAN

    def check_back_was_not_sent(self) -> bool:
        """What failed is the check-back itself: it was never asked."""
        return isinstance(self.event, SendFailed) and self.event.act is Act.CHECK_BACK

    def answer_satisfied(self) -> bool:
        """The recorded answer is yes."""
        return isinstance(self.event, AgentRecordedAnswer) and self.event.satisfied is True

    def answer_none(self) -> bool:
        """There was no answer to record."""
        return isinstance(self.event, AgentRecordedAnswer) and self.event.satisfied is None

    def last_round(self) -> bool:
        """This unhappy answer uses up the rounds: a lead takes over."""
        return self.draft.rounds + 1 >= self.policy.check_back_rounds_max

    def rounds_used_up(self) -> bool:
        """The rounds are used up: whatever is recorded now closes the case."""
        return self.draft.rounds >= self.policy.check_back_rounds_max

    # ---------------------------------------------------------------- split and merged

    def turns_may_leave(self) -> bool:
        """The posts are of this story, and something is left of it without them."""
        event, case = self.event, self.draft
        if not isinstance(event, AgentSplit):
            return False
        leaving = set(event.posts)
        return bool(leaving) and leaving <= {turn.id for turn in case.story} and len(leaving) < case.turns_count

    def first_words_are_due(self) -> bool:
        """Nobody has answered this customer's posts yet, and the bot may: not in danger, not where a human decides first."""
        case = self.draft
        return (
            case.replied_at is None
            and not case.first_reply_out
            and case.risk_level is not RiskLevel.RED
            and not self.bot_is_silenced()
            and not self.first_reply_is_held()
        )

    def brings_an_owner(self) -> bool:
        """The conversation that became part of this one had an owner."""
        return isinstance(self.event, CaseMerged) and self.event.owner is not None

    def brings_an_unanswered_turn(self) -> bool:
        """In it, a turn of the customer waited for a human's answer."""
        return isinstance(self.event, CaseMerged) and self.event.unanswered_since is not None

    def was_merged(self) -> bool:
        """It was closed because it became part of another."""
        return self.before.merged_into is not None

    # ---------------------------------------------------------------- closed

    def was_opted_out(self) -> bool:
        """It was closed because the customer wanted no more messages."""
        return self.draft.outcome is Outcome.OPTED_OUT

    def was_dismissed(self) -> bool:
        """It was closed as no complaint."""
        return self.draft.outcome is Outcome.DISMISSED
