"""Effects that carry turns from one conversation to another of the same customer: split off, merged, passed on."""

from __future__ import annotations

from conversations import absorb
from conversations.conversation import Conversation, Outcome, StoryTurn
from conversations.effects import Alarm, Move
from conversations.events import (
    AgentMerged,
    AgentSplit,
    BrandAnsweredElsewhere,
    CaseMerged,
    CustomerPosted,
    PostDeleted,
    PostEdited,
    SplitOff,
)
from conversations.ids import ConversationKey, ExternalId, split_key
from conversations.steps.draft import first_reply_timers
from conversations.steps.endings import Endings
from conversations.wording.request import Surface


class Moves(Endings):
    """Effects that carry turns from one conversation to another of the same customer."""

    __slots__ = ()

    def split_off(self) -> None:
        """The chosen posts become a conversation of their own; what they alone have told leaves with them."""
        event, case = self.event, self.draft
        assert isinstance(event, AgentSplit)
        key = split_key(case.key, self.before.version + 1)
        leaving = tuple(turn for turn in case.story if turn.id in event.posts)
        staying = tuple(turn for turn in case.story if turn.id not in event.posts)
        told = {risk.kind for turn in case.story for risk in turn.reading.risk}
        forgotten = tuple(risk for risk in case.risks if risk[0] not in told)  # by turns that are no longer kept here
        opens = self.of_its_own(key, leaving)
        self.change(
            story=staying,
            turns_count=case.turns_count - len(leaving),
            unshown=tuple(turn for turn in case.unshown if turn not in event.posts),
            splits=(*case.splits, key),
            **absorb.understood(staying, case.evolve(risks=forgotten)),
        )
        if case.last_turn in event.posts:
            self.change(**absorb.latest(staying))
        told_it = SplitOff(agent=event.agent, source=case.key)
        self.effects.append(Move(to=key, event=told_it, posts=tuple(turn.id for turn in leaving), opens=opens))

    def of_its_own(self, key: ConversationKey, story: tuple[StoryTurn, ...]) -> Conversation:
        """A new conversation of these posts. Its first-reply clock runs from the first of them, unless words of ours that
        were accepted since had heard them all."""
        case, first, last = self.draft, story[0], story[-1]
        heard = case.replied_at is not None and case.heard_until is not None and last.posted_at <= case.heard_until
        public = next((turn.id for turn in story if turn.surface is Surface.PUBLIC), None)
        new = Conversation(
            key=key,
            channel=case.channel,
            account=case.account,
            customer=case.customer,
            opened_at=self.now,
            first_posted_at=first.posted_at,
            language=case.language,
            split_from=case.key,
            story=story,
            turns_count=len(story),
            direct=case.direct,
            public_root=public or case.public_root,
            introduced=case.introduced,
            risk_words_said=case.risk_words_said,
            bot_muted=case.bot_muted,
            opted_out=case.opted_out,
            unshown=tuple(turn.id for turn in story),
            timers=() if heard else first_reply_timers(first.posted_at, self.policy),
        )
        if heard:
            new = new.evolve(replied_at=case.replied_at, heard_until=case.heard_until, said_at=case.said_at)
        return new.evolve(**absorb.understood(story, new), **absorb.latest(story))

    def call_split_off(self) -> None:
        """A case that an agent made of another's turns."""
        assert isinstance(self.event, SplitOff)
        self.call(Alarm.SPLIT_OFF, by=self.event.agent.name)

    def merge_into(self) -> None:
        """All turns, and our words that are on their way, go to the older conversation; this one says where they went."""
        event, case = self.event, self.draft
        assert isinstance(event, AgentMerged)
        told_it = CaseMerged(
            agent=event.agent,
            source=case.key,
            story=case.story,
            turns_count=case.turns_count,
            first_posted_at=case.first_posted_at,
            risks=case.risks,
            risk_words_said=case.risk_words_said,
            replied_at=case.replied_at,
            heard_until=case.heard_until,
            said_at=case.said_at,
            introduced=case.introduced,
            words_out=case.words_out,
            direct=case.direct,
            bot_muted=case.bot_muted,
            opted_out=case.opted_out,
            owner=case.owner,
            unanswered_since=case.unanswered_since,
            reference=case.reference,
        )
        self.effects.append(Move(to=event.into, event=told_it, posts=None))
        self.close(Outcome.MERGED)
        self.change(
            merged_into=event.into, story=(), turns_count=0, unshown=(), wish=None, words_out=(), check_back=None
        )

    def call_merged(self) -> None:
        """The turns that came are shown in the thread, and the owner is told."""
        event = self.event
        assert isinstance(event, CaseMerged)
        self.put_on_desk()
        for turn in event.story:
            self.mirror(turn.id)
        self.call(Alarm.MERGED, by=event.agent.name)

    def follow_owner(self) -> None:
        """Whoever had the other case has this one now."""
        assert isinstance(self.event, CaseMerged)
        self.change(owner=self.event.owner, last_owner=self.event.owner, nudged=False)

    def pass_on(self) -> None:
        """What reaches a conversation that was merged belongs to the one it became part of."""
        event, into = self.event, self.before.merged_into
        assert into is not None
        posts: tuple[ExternalId, ...] = ()
        if isinstance(event, CustomerPosted | PostEdited | PostDeleted | BrandAnsweredElsewhere):
            posts = (event.id,)
        self.effects.append(Move(to=into, event=event, posts=posts))
