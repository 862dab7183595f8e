"""The engine: a conversation that woke is taken through its events and due timers, and the result is committed at once.

    claim → for each unread event, then each due timer: advance() → render what is to be said → one Decision

Everything inside a decision is pure but for the wording, which is immutable. Texts are frozen here: what the outbox holds is
what leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.channels.port import Channel
from bot.clock import Clock
from bot.crash_points import reached
from bot.desk.port import Desk
from bot.log import get_logger
from bot.metrics import Metrics
from bot.speech import Speech
from bot.store.port import Store
from bot.store.records import (
    Claimed,
    Decision,
    InboxEvent,
    Kind,
    Label,
    Moved,
    OutboxRow,
    Place,
    Postpone,
    Rank,
    TurnDeletion,
    TurnEdit,
    TurnRecord,
)
from bot.storms import StormWatch
from bot.webhook import body_of, occasion
from bot.wordings.asked import ASKED, asked_json
from conversations.comprehension.reading import Reading, ReadingContext
from conversations.conversation import Author, Conversation
from conversations.effects import (
    CallDesk,
    DeleteCopy,
    Effect,
    KeepLabel,
    MirrorTurn,
    Move,
    MuteCustomer,
    PostponeWords,
    Say,
    SendWords,
    ShowCard,
    TellAgent,
    Urgency,
    WithdrawWords,
)
from conversations.errors import HearoutError
from conversations.events import BrandAnsweredElsewhere, CustomerPosted, Event, PostEdited, SendFailed
from conversations.ids import EffectKey, effect_key
from conversations.machine import advance, due_timers, is_current
from conversations.policy import Policy
from conversations.protocol import State

RANKS = {
    Urgency.RISK: Rank.RISK,
    Urgency.FIRST_REPLY: Rank.FIRST_REPLY,
    Urgency.AGENT: Rank.AGENT,
    Urgency.REST: Rank.REST,
}
ASKS = {
    State.LISTENING: "story",
    State.REFLECTING: "mirror",
    State.AWAITING_AGREEMENT: "plan",
    State.RESOLVED: "resolved",
    State.CHECKING_BACK: "check_back",
}
"""What a customer's post answers, by where the conversation stands."""
TIMER_ROUNDS_MAX = 20
"""How often timers that start timers already due are followed within one decision."""

log = get_logger("engine")


@dataclass(slots=True)
class Watch:
    """Who looks on as decisions are made: figures, storms, and whether a webhook wants to hear of cases."""

    metrics: Metrics | None = None
    storms: StormWatch | None = None
    webhook: bool = False


class Engine:
    """Decides. One instance serves all conversations of a process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Callable[[], Policy],
        speech: Callable[[], Speech],
        channels: Mapping[str, Channel],
        desk: Desk,
        watch: Watch | None = None,
        read: Callable[[str, ReadingContext], Reading] | None = None,
    ) -> None:
        """``read`` reads a text again where the conversation says more of it than the text alone; None: it is not."""
        self.watch = watch or Watch()
        self.read = read
        self.store = store
        self.clock = clock
        self.policy = policy
        self.speech = speech
        self.channels = channels
        self.desk = desk

    async def decide_due(self, limit: int = 100) -> int:
        """Decide for up to ``limit`` conversations that woke. Returns how many there were."""
        reached("engine: before commit")
        decided = await self.store.decide_due(self.clock.now(), limit, self.decide)
        reached("engine: after commit")
        return decided

    def decide(self, claimed: Claimed) -> Decision:
        """The next decision for one conversation."""
        reached("engine: inside commit")
        return Deciding(self, claimed.conversation).run(claimed.events)


class Deciding:
    """One decision in the making: the conversation as it goes through its events, and what they want done."""

    def __init__(self, engine: Engine, conversation: Conversation) -> None:
        self.now: datetime = engine.clock.now()
        self.policy = engine.policy()
        self.speech = engine.speech()
        self.engine = engine
        self.conversation = conversation
        self.rows: list[OutboxRow] = []
        self.turns: list[TurnRecord] = []
        self.edits: list[TurnEdit] = []
        self.deletions: list[TurnDeletion] = []
        self.labels: list[Label] = []
        self.moves: list[Moved] = []
        self.withdraw: str | None = None
        self.postpone: Postpone | None = None
        self.mute = False
        self.path: list[str] = []

    def run(self, events: tuple[InboxEvent, ...]) -> Decision:
        """Go through the events in the order they happened, then through the timers that are still due."""
        for event in in_order(events):
            self.take(event)
        for _ in range(TIMER_ROUNDS_MAX):
            due = due_timers(self.conversation, self.now)
            if not due or (self.withdraw is not None and self.conversation.words_out):
                break  # the commit will tell which words could be taken back: the timers are due again right after it
            for fired in due:
                if is_current(self.conversation, fired):
                    self.take(fired)
        return Decision(
            conversation=self.conversation,
            consumed=tuple(event.sequence for event in events),
            turns=tuple(self.turns),
            edits=tuple(self.edits),
            deletions=tuple(self.deletions),
            withdraw=self.withdraw,
            postpone=self.postpone,
            outbox=tuple(self.rows),
            labels=tuple(self.labels),
            moves=tuple(self.moves),
            mute_customer=self.mute,
            audit=tuple(self.path),
        )

    def take(self, event: Event) -> None:
        """One event: keep its turn, advance, and carry its effects out."""
        event = self.in_context(event)
        self.keep_turn(event)
        before = self.conversation
        result = advance(self.conversation, event, self.now, self.policy)
        self.conversation = result.conversation
        log.debug(
            "decided",
            conversation=self.conversation.key,
            trigger=event.trigger.value,
            before=before.state.value,
            after=self.conversation.state.value,
        )
        if before.state is not self.conversation.state or any(isinstance(effect, Say) for effect in result.effects):
            self.path.append(f"{before.state.value} {event.trigger.value} {self.conversation.state.value}")
        for n, effect in enumerate(result.effects):
            self.carry_out(effect, effect_key(self.conversation.key, self.conversation.version, n))
        self.show(event, before)

    def show(self, event: Event, before: Conversation) -> None:
        """Let those who look on know of one decision."""
        watch = self.engine.watch
        if watch.metrics is not None:
            watch.metrics.decided.labels(event.trigger.value).inc()
        if watch.storms is not None and before.version == 0 and self.conversation.topic:
            watch.storms.saw(self.conversation.topic, self.now)
        if watch.webhook and (what := occasion(before, self.conversation)):
            case = self.conversation
            row = OutboxRow(
                key=EffectKey(f"{case.key}:{case.version}:webhook"),
                conversation=case.key,
                channel=case.channel,
                account=case.account,
                lane="webhook",
                place=Place.WEBHOOK,
                kind=Kind.WEBHOOK,
                rank=Rank.REST,
                body=body_of(case, what, self.now.isoformat()),
                created_at=self.now,
            )
            self.rows.append(row)

    def in_context(self, event: Event) -> Event:
        """A later post is read knowing the conversation's language and what was asked: "sí" and "no" are short.

        Whether it is a complaint stays as intake has decided.
        """
        case, read = self.conversation, self.engine.read
        if read is None or case.version == 0 or not isinstance(event, CustomerPosted | PostEdited):
            return event
        language = case.language if case.language != "und" else None
        context = ReadingContext(channel=case.channel, language=language, asked=ASKS.get(case.state))
        return replace(event, reading=replace(read(event.text, context), complaint=event.reading.complaint))

    def keep_turn(self, event: Event) -> None:
        """What somebody else uttered becomes a turn; our own words do when the platform has accepted them."""
        key = self.conversation.key
        match event:
            case CustomerPosted():
                self.turns.append(
                    TurnRecord(
                        conversation=key,
                        id=event.id,
                        author=Author.CUSTOMER,
                        place=Place(event.surface.value),
                        text=event.text,
                        posted_at=event.posted_at,
                        media=event.media,
                        reading=event.reading,
                    )
                )
            case BrandAnsweredElsewhere():
                self.turns.append(
                    TurnRecord(
                        conversation=key,
                        id=event.id,
                        author=Author.BRAND,
                        place=Place(event.surface.value),
                        text=event.text,
                        posted_at=event.answered_at,
                        agent=event.agent.name if event.agent else None,
                    )
                )
            case PostEdited():
                self.edits.append(TurnEdit(event.id, event.text, event.reading, event.edited_at))
            case _:
                pass

    def carry_out(self, effect: Effect, key: EffectKey) -> None:
        """Turn an effect into rows of the decision."""
        match effect:
            case Say():
                self.write_say(effect, key)
            case SendWords():
                words = {
                    "text": effect.text,
                    "in_reply_to": effect.in_reply_to,
                    "agent": effect.agent.name,
                    "agent_id": effect.agent.id,
                }
                self.write_words(key, Place(effect.surface.value), Author.AGENT, Rank.AGENT, words)
            case WithdrawWords():
                self.withdraw = effect.reason
                gone = {row.key for row in self.rows if row.kind is Kind.WORDS and row.author is Author.BOT}
                self.rows = [row for row in self.rows if row.key not in gone]
                self.conversation = self.conversation.without_words(frozenset(gone))
            case PostponeWords():
                self.postpone = Postpone(effect.until, effect.latest_at)
                self.rows = [self.postponed(row, effect) for row in self.rows]
            case ShowCard():
                self.rows = [row for row in self.rows if row.kind is not Kind.CARD]
                self.write_desk(key, Kind.CARD, Rank.FIRST_REPLY, {})
            case MirrorTurn():
                self.write_desk(key, Kind.MIRROR, Rank.REST, {"id": effect.id, "change": effect.change})
            case CallDesk():
                rank = Rank.RISK if effect.alarm.value.endswith("risk") else Rank.FIRST_REPLY
                body: dict[str, Any] = {
                    "alarm": effect.alarm.value,
                    "audience": effect.audience.value,
                    "agent": {"id": effect.agent.id, "name": effect.agent.name} if effect.agent else None,
                    "facts": plain(effect.facts),
                    "draft": self.draft(effect),
                }
                self.write_desk(key, Kind.ALARM, rank, body)
            case TellAgent():
                agent = {"id": effect.agent.id, "name": effect.agent.name}
                told = {"agent": agent, "reason": effect.reason, "facts": plain(effect.facts)}
                self.write_desk(key, Kind.TELL, Rank.FIRST_REPLY, told)
            case KeepLabel():
                text = "\n".join(turn.reading.masked for turn in self.conversation.story)
                self.labels.append(
                    Label(
                        self.conversation.key,
                        effect.agent.name,
                        effect.complaint,
                        text,
                        self.conversation.language,
                        self.now,
                    )
                )
            case DeleteCopy():
                self.deletions.append(TurnDeletion(effect.id, self.now))
            case MuteCustomer():
                self.mute = True
            case Move():
                self.moves.append(
                    Moved(key=key, to=effect.to, event=effect.event, posts=effect.posts, opens=effect.opens)
                )

    def write_say(self, effect: Say, key: EffectKey) -> None:
        """Words from a template. A text that cannot be worded is a failed send: a human takes over."""
        channel = self.engine.channels[self.conversation.channel]
        try:
            rendered = self.speech.words(effect, self.conversation, channel, key, self.now)
        except HearoutError as error:
            log.error("no words", conversation=self.conversation.key, act=effect.act.value, error=str(error))
            self.take(SendFailed(key=key, author=effect.author, act=effect.act, reason=f"no words: {error}", text=""))
            return
        body: dict[str, Any] = {
            "text": rendered.text,
            "in_reply_to": effect.in_reply_to,
            "act": effect.act.value,
            "language": rendered.language,
            "agent": effect.agent.name if effect.agent else None,
            "agent_id": effect.agent.id if effect.agent else None,
            "first_reply": effect.first_reply,
        }
        if rendered.request is not None:
            body[ASKED] = asked_json(rendered.request)
        if channel.traits.refuses_repeats and effect.author is Author.BOT:
            body["other"] = self.speech.other_words(effect, self.conversation, channel, key, self.now)
        row = self.write_words(key, Place(effect.surface.value), effect.author, RANKS[effect.urgency], body)
        self.rows[-1] = replace(
            row, act=effect.act.value, template=rendered.template, not_before=effect.not_before, due_at=effect.due_at
        )

    def write_words(
        self, key: EffectKey, place: Place, author: Author, rank: Rank, body: Mapping[str, Any]
    ) -> OutboxRow:
        """A row for the customer."""
        case = self.conversation
        row = OutboxRow(
            key=key,
            conversation=case.key,
            channel=case.channel,
            account=case.account,
            lane=self.engine.channels[case.channel].lane(case, place.value),
            place=place,
            kind=Kind.WORDS,
            rank=rank,
            body=body,
            author=author,
            created_at=self.now,
        )
        self.rows.append(row)
        return row

    def write_desk(self, key: EffectKey, kind: Kind, rank: Rank, body: Mapping[str, Any]) -> None:
        """A row for the desk."""
        case = self.conversation
        self.rows.append(
            OutboxRow(
                key=key,
                conversation=case.key,
                channel=case.channel,
                account=case.account,
                lane=self.engine.desk.lane(case),
                place=Place.DESK,
                kind=kind,
                rank=rank,
                body=body,
                created_at=self.now,
            )
        )

    def draft(self, effect: CallDesk) -> str | None:
        """Words that the owner may send with one click, or None where none can be worded."""
        if effect.draft is None:
            return None
        channel = self.engine.channels[self.conversation.channel]
        try:
            return self.speech.draft(effect.draft, effect.facts, self.conversation, channel, self.now)
        except HearoutError as error:
            log.warning("no draft", conversation=self.conversation.key, act=effect.draft.value, error=str(error))
            return None

    def postponed(self, row: OutboxRow, effect: PostponeWords) -> OutboxRow:
        """A row of this very decision that has to wait as well."""
        if row.kind is not Kind.WORDS or row.author is not Author.BOT or row.rank is Rank.RISK:
            return row
        until = effect.until if effect.latest_at is None else min(effect.until, effect.latest_at)
        return replace(row, not_before=max(until, row.not_before or until))


def in_order(events: tuple[InboxEvent, ...]) -> list[Event]:
    """Events in the order of arrival, but posts of the customer among themselves in the order they were posted."""
    posts = sorted((e.event for e in events if isinstance(e.event, CustomerPosted)), key=lambda p: (p.posted_at, p.id))
    waiting = iter(posts)
    return [next(waiting) if isinstance(e.event, CustomerPosted) else e.event for e in events]


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON: instants in ISO 8601."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}
