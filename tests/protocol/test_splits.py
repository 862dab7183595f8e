"""Conversations that an agent splits, and that become one, by the words of protocol.md: nothing is lost, nothing is doubled."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest

from conversations.comprehension.reading import CueName
from conversations.conversation import Author, Conversation, Outcome, TimerName, WordsOut
from conversations.effects import Alarm, MirrorTurn, Move
from conversations.events import (
    AgentClaimed,
    AgentMerged,
    AgentReopened,
    AgentSplit,
    BrandAnsweredElsewhere,
    CaseMerged,
    CustomerPosted,
    SplitOff,
    WordsAccepted,
)
from conversations.ids import ConversationKey, EffectKey, ExternalId
from conversations.policy import Policy
from conversations.protocol import ALL, DONE, OPEN, OWNED, UNOWNED, State
from conversations.wording.request import Act, Surface
from tests.protocol.kit import BEN, NOOR, START, Case, acknowledged_case, case_in, claimed_case, listening_case, reading

S = State
OLDER = ConversationKey("playground:brand:older")


def split(case: Case, *posts: str) -> Move:
    """Split posts off; what moves."""
    case.take(AgentSplit(agent=NOOR, posts=tuple(ExternalId(post) for post in posts)))
    return next(effect for effect in case.effects if isinstance(effect, Move))


def two_matters(state: State = S.LISTENING) -> Case:
    """A case with two posts, the second about something else."""
    case = case_in(state) if state is not S.LISTENING else listening_case()
    return case.post(reading(topic="billing", wish="my money", words="charged twice"))


def newest(case: Case) -> str:
    """The post that came last."""
    return case.it.story[-1].id


def opened_by(move: Move, policy: Policy | None = None) -> Case:
    """The conversation that was split off, once it has been told."""
    made = Case(policy or Policy())
    made.conversation, made.now = move.opens, move.opens.opened_at if move.opens else START
    return made.take(move.event)


def brought(case: Conversation, **changes: object) -> CaseMerged:
    """What another conversation brings along."""
    other = Case().post(reading(topic="billing"), late_minutes=5)
    other.conversation = other.it.evolve(story=tuple(t for t in other.it.story), **changes)
    other.take(AgentMerged(agent=BEN, into=case.key))
    move = next(effect for effect in other.effects if isinstance(effect, Move))
    assert isinstance(move.event, CaseMerged)
    return move.event


# ---------------------------------------------------------------- split


@pytest.mark.parametrize("state", [s for s in OPEN if s is not S.LISTENING])
def test_what_is_split_off_leaves_with_all_that_it_told(state):
    case = case_in(state)
    case.conversation = case.it.evolve(turns_count=case.it.turns_count + 1)
    before = case.it
    turn = before.story[-1]
    move = split(case, turn.id)
    assert turn not in case.it.story
    assert case.it.turns_count == before.turns_count - 1
    assert case.it.splits == (move.to,)
    assert move.opens is not None
    assert move.opens.story == (turn,)
    assert move.opens.split_from == case.it.key
    assert move.posts == (turn.id,)
    assert isinstance(move.event, SplitOff)


def test_topics_wish_and_risks_are_those_of_the_turns_that_stay_and_that_leave():
    case = Case().post(reading(topic="delivery", amber="legal")).post(reading(topic="billing", wish="refund", amber="fraud"))
    move = split(case, "p2")
    assert (case.it.topics, case.it.wish, [kind for kind, _ in case.it.risks]) == (("delivery",), None, ["legal"])
    assert move.opens is not None
    assert (move.opens.topics, move.opens.wish) == (("billing",), "refund")
    assert [kind for kind, _ in move.opens.risks] == ["fraud"]
    assert case.it.last_turn == "p1"


def test_a_risk_of_a_turn_that_is_no_longer_kept_stays():
    case = Case().post(reading(amber="legal"))
    case.conversation = case.it.evolve(story=(), turns_count=1)
    case.post(reading(topic="delivery")).post(reading(topic="billing"))
    split(case, "p3")
    assert [kind for kind, _ in case.it.risks] == ["legal"]


def test_unanswered_posts_take_their_first_reply_along_and_go_to_people():
    case = Case().post(reading(topic="delivery")).minutes(3).post(reading(topic="billing"))
    made = opened_by(split(case, "p2"))
    assert made.state is S.AWAITING_AGENT
    assert made.said() == [Act.HAND_OVER]
    assert made.saying(Act.HAND_OVER).first_reply
    assert made.called() == [Alarm.SPLIT_OFF]
    assert MirrorTurn(ExternalId("p2")) in made.effects
    assert made.it.first_posted_at == START + timedelta(minutes=3)
    assert made.it.timer(TimerName.FIRST_REPLY_ALARM) is not None
    assert made.it.timer(TimerName.UNCLAIMED) is not None
    assert case.it.timer(TimerName.QUIET) is not None, "the other goes on listening"


def test_answered_posts_are_not_answered_again():
    case = acknowledged_case()
    case.post(reading(topic="billing"))
    case.fire(TimerName.QUIET).accept()
    move = split(case, newest(case))
    made = opened_by(move)
    assert made.said() == []
    assert made.it.replied_at is not None
    assert made.it.timer(TimerName.FIRST_REPLY_ALARM) is None
    assert made.state is S.AWAITING_AGENT


@pytest.mark.parametrize("why", ["red", "muted", "held"])
def test_the_bot_does_not_speak_first_where_it_may_not(why):
    policy = Policy(held_topics=("billing",)) if why == "held" else Policy()
    case = Case(policy).post(reading(topic="delivery"))
    case.post(reading(topic="billing", red="fire" if why == "red" else None))
    case.conversation = case.it.evolve(bot_muted=why == "muted")
    made = opened_by(split(case, "p2"), policy)
    assert (made.state, made.said()) == (S.AWAITING_AGENT, [])


def test_words_that_mirror_what_left_are_withdrawn_and_thought_over():
    case = Case().post(reading(told=True)).post(reading(told=True, topic="billing")).fire(TimerName.QUIET)
    assert case.said() == [Act.REFLECT]
    split(case, "p2")
    assert case.withdrew()
    assert case.state is S.LISTENING
    assert case.it.timer(TimerName.QUIET) is not None


@pytest.mark.parametrize("posts", [(), ("p1", "p2"), ("unknown",), ("p1", "unknown")])
def test_nothing_everything_and_what_is_not_there_cannot_be_split_off(posts):
    case = two_matters()
    case.take(AgentSplit(agent=NOOR, posts=tuple(map(ExternalId, posts))))
    assert case.told() == ["not_now"]
    assert len(case.it.story) == 2


def test_a_closed_case_is_not_split():
    case = case_in(S.CLOSED)
    case.conversation = case.it.evolve(turns_count=5)
    case.take(AgentSplit(agent=NOOR, posts=(case.it.story[0].id,) if case.it.story else (ExternalId("p1"),)))
    assert case.told() == ["not_now"]


def test_keys_are_never_the_same_twice():
    case = Case().post(reading()).post(reading()).post(reading())
    first, second = split(case, "p2"), split(case, "p3")
    assert len({case.it.key, first.to, second.to}) == 3
    assert case.it.relatives == (first.to, second.to)


# ---------------------------------------------------------------- merged: the one that goes


@pytest.mark.parametrize("state", [s for s in OPEN if s not in (S.AWAITING_AGREEMENT, S.FULFILLING)])
def test_a_merged_conversation_closes_and_says_where_it_went(state):
    case = case_in(state)
    story, count = case.it.story, case.it.turns_count
    case.take(AgentMerged(agent=BEN, into=OLDER))
    move = next(effect for effect in case.effects if isinstance(effect, Move))
    assert (case.state, case.it.outcome, case.it.merged_into) == (S.CLOSED, Outcome.MERGED, OLDER)
    assert case.it.timers == ()
    assert (case.it.story, case.it.words_out, case.it.wish) == ((), (), None)
    assert isinstance(move.event, CaseMerged)
    assert (move.to, move.posts) == (OLDER, None)
    assert (move.event.story, move.event.turns_count) == (story, count)


@pytest.mark.parametrize("state", [S.AWAITING_AGREEMENT, S.FULFILLING])
def test_what_was_proposed_or_promised_keeps_a_conversation_apart(state):
    case = case_in(state).take(AgentMerged(agent=BEN, into=OLDER))
    assert case.state is state
    assert case.told() == ["not_now"]


def test_a_conversation_whose_promises_are_kept_may_be_merged():
    case = case_in(S.FULFILLING).keep().take(AgentMerged(agent=BEN, into=OLDER))
    assert case.it.outcome is Outcome.MERGED


def merged_case() -> Case:
    """A conversation that became part of another."""
    return claimed_case().take(AgentMerged(agent=BEN, into=OLDER))


def test_what_reaches_it_later_is_passed_on_and_changes_nothing_here():
    case = merged_case()
    before = case.it
    case.post(reading(red="fire"))
    move = next(effect for effect in case.effects if isinstance(effect, Move))
    assert isinstance(move.event, CustomerPosted)
    assert (move.to, move.posts) == (OLDER, (move.event.id,))
    assert case.called() == []
    unchanged = [f.name for f in fields(before) if f.name != "version"]
    assert [getattr(case.it, name) for name in unchanged] == [getattr(before, name) for name in unchanged]
    for change in (case.edit, case.delete):
        change("p1")
        assert [effect.to for effect in case.effects if isinstance(effect, Move)] == [OLDER]
    case.take(BrandAnsweredElsewhere(id=ExternalId("b"), answered_at=case.now, surface=Surface.PUBLIC, text="hello"))
    assert [effect.posts for effect in case.effects if isinstance(effect, Move)] == [(ExternalId("b"),)]
    key = EffectKey("k")
    case.take(WordsAccepted(key=key, id=ExternalId("o"), accepted_at=case.now, author=Author.AGENT, act=None))
    assert [effect.posts for effect in case.effects if isinstance(effect, Move)] == [()]


def test_agents_are_told_that_it_is_over():
    case = merged_case().take(AgentReopened(agent=NOOR))
    assert (case.state, case.told()) == (S.CLOSED, ["not_now"])
    assert case.take(AgentClaimed(agent=NOOR)).told() == ["closed"]


# ---------------------------------------------------------------- merged: the one that stays


@pytest.mark.parametrize("state", ALL)
def test_turns_that_come_are_part_of_the_story_in_order(state):
    case = case_in(state)
    before = case.it
    event = brought(before)
    case.take(event)
    assert case.it.turns_count == before.turns_count + event.turns_count
    assert set(case.it.story) == {*before.story, *event.story}
    assert list(case.it.story) == sorted(case.it.story, key=lambda turn: turn.posted_at)
    assert case.it.merged == (event.source,)
    assert "billing" in case.it.topics
    assert Alarm.MERGED in case.called()
    expected = {S.LISTENING: S.AWAITING_AGENT, S.REFLECTING: S.AWAITING_AGENT, S.CLOSED: S.AWAITING_AGENT}
    expected |= dict.fromkeys(DONE, S.AWAITING_AGENT)
    assert case.state is expected.get(state, state)


@pytest.mark.parametrize("state", UNOWNED)
def test_the_owner_comes_along_where_nobody_has_it(state):
    case = case_in(state)
    case.take(brought(case.it, owner=BEN, unanswered_since=START))
    assert (case.state, case.it.owner) == (S.WITH_AGENT, BEN)
    assert case.it.timer(TimerName.OWNER_SILENT) is not None


@pytest.mark.parametrize("state", OWNED)
def test_an_unanswered_turn_comes_with_its_clock(state):
    case = case_in(state)
    owner = case.it.owner
    case.conversation = case.it.evolve(unanswered_since=None, answer_due_at=None)
    case.take(brought(case.it, owner=BEN, unanswered_since=START))
    assert case.it.owner == owner
    assert case.it.unanswered_since is not None
    assert case.it.answer_due_at is not None


def test_who_was_answered_in_either_was_answered():
    case = listening_case()
    case.take(brought(case.it, replied_at=START, heard_until=START, introduced=True))
    assert case.it.replied_at == START
    assert case.it.timer(TimerName.FIRST_REPLY_ALARM) is None
    assert case.said() == []


def test_nobody_was_answered_yet_so_the_first_reply_goes_out_once():
    case = listening_case()
    assert case.take(brought(case.it)).said() == [Act.HAND_OVER]


def test_words_on_their_way_come_along():
    case = claimed_case()
    words = WordsOut(EffectKey("other:1:0"), None, Author.AGENT)
    event = brought(case.it, words_out=(words,))
    case.take(event)
    assert words in case.it.words_out
    assert event.without_words(frozenset({words.key})).words_out == ()
    case.take(
        WordsAccepted(key=words.key, id=ExternalId("o9"), accepted_at=case.now, author=Author.AGENT, act=None)
    )
    assert words not in case.it.words_out


def test_silence_and_risks_come_along():
    case = claimed_case()
    case.take(brought(case.it, bot_muted=True, opted_out=True, direct=True, reference="4471"))
    assert (case.it.bot_muted, case.it.opted_out, case.it.direct, case.it.reference) == (True, True, True, "4471")
    other = Case().post(reading(red="fire")).take(AgentMerged(agent=BEN, into=case.it.key))
    move = next(effect for effect in other.effects if isinstance(effect, Move))
    case.take(move.event)
    assert [kind for kind, _ in case.it.risks] == ["fire"]


def test_a_merge_that_reaches_a_merged_conversation_is_passed_on():
    case = merged_case()
    event = brought(case.it)
    case.take(event)
    assert [(m.to, m.event) for m in case.effects if isinstance(m, Move)] == [(OLDER, event)]


def test_a_later_no_stays_a_no():
    """A conversation that came together is a conversation like any other."""
    case = claimed_case()
    case.take(brought(case.it)).post(reading(CueName.ASKS_FOR_HUMAN))
    assert case.state is S.WITH_AGENT
    assert Alarm.CUSTOMER_WROTE in case.called()
