"""What an event says about the conversation, whatever its state: taken over before any row is chosen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from conversations.comprehension.reading import Decision, Reading, RiskLevel
from conversations.comprehension.topics import CERTAIN_SCORE
from conversations.conversation import Conversation, StoryTurn, Timer, TimerName
from conversations.events import (
    AgentMutedBot,
    BrandAnsweredElsewhere,
    CaseMerged,
    CustomerPosted,
    CustomerUnreachable,
    Event,
    PostDeleted,
    PostEdited,
    SendFailed,
    TimerFired,
    WordsAccepted,
)
from conversations.policy import Policy
from conversations.wording.request import Surface

TOPICS_MAX = 4
"""Topics kept per conversation, the strongest first: more would only blur the card and the routing."""

Risks = tuple[tuple[str, RiskLevel], ...]
ABOUT_MANNER = frozenset({"contact", "late", "price", "refund", "other"})
"""Topics that tell how it went rather than what it was about: a mirror names the parcel before the wait for an answer."""
MANNER_DISCOUNT = 0.3
NARROWER = {"parcel": "delivery"}
"""The narrower of two topics is named first; the broader one still routes the case."""


def absorb(conversation: Conversation, event: Event, policy: Policy) -> dict[str, object]:
    """The fields that the event changes by itself, by name. What reaches a conversation that was merged is not about it."""
    if conversation.merged_into is not None:
        return {}
    match event:
        case CustomerPosted():
            return _posted(conversation, event, policy)
        case PostEdited():
            return _edited(conversation, event)
        case PostDeleted():
            return _deleted(conversation, event)
        case TimerFired():
            return {"timers": without_timers(conversation.timers, (event.name,), event.promise)}
        case WordsAccepted() | SendFailed() | CustomerUnreachable():
            return {"words_out": tuple(words for words in conversation.words_out if words.key != event.key)}
        case BrandAnsweredElsewhere() if conversation.replied_at is None:
            return {"replied_at": event.answered_at, "heard_until": conversation.last_posted_at}
        case AgentMutedBot():
            return {"bot_muted": True}
        case CaseMerged():
            return _merged(conversation, event, policy)
        case _:
            return {}


def without_timers(
    timers: tuple[Timer, ...], names: Iterable[TimerName], promise: str | None = None
) -> tuple[Timer, ...]:
    """The timers less those of that name (and of that promise, if one is given)."""
    gone = tuple(names)
    return tuple(t for t in timers if t.name not in gone or (promise is not None and t.promise != promise))


def _posted(case: Conversation, event: CustomerPosted, policy: Policy) -> dict[str, object]:
    turn = StoryTurn(event.id, event.posted_at, event.surface, event.reading, event.media)
    story = tuple(sorted((*case.story, turn), key=_order))[-policy.story_turns_max :]
    latest = case.last_posted_at is None or event.posted_at >= case.last_posted_at
    changes: dict[str, object] = {
        "story": story,
        "turns_count": case.turns_count + 1,
        "first_posted_at": min(case.first_posted_at, event.posted_at),
        "language": _language(case.language, event.reading),
        "snoozed_until": None,
        "timers": without_timers(case.timers, (TimerName.SNOOZE,)),
        "direct": case.direct or event.surface is Surface.DIRECT,
    } | understood(story, case)
    if case.triage is Decision.UNSURE and event.reading.complaint.decision is Decision.YES:
        changes["triage"] = Decision.YES
    if latest:
        changes |= {"last_turn": event.id, "last_posted_at": event.posted_at, "last_surface": event.surface}
    if event.surface is Surface.PUBLIC and case.public_root is None:
        changes["public_root"] = event.id
    return changes


def _edited(case: Conversation, event: PostEdited) -> dict[str, object]:
    story = tuple(
        StoryTurn(turn.id, turn.posted_at, turn.surface, event.reading, turn.media) if turn.id == event.id else turn
        for turn in case.story
    )
    return {"story": story} | understood(story, case)


def _deleted(case: Conversation, event: PostDeleted) -> dict[str, object]:
    story = tuple(turn for turn in case.story if turn.id != event.id)
    forgotten = case.turns_count > len(case.story)  # turns that are no longer kept here: one of them may be meant
    if len(story) == len(case.story) and not forgotten:
        return {}
    changes: dict[str, object] = {"story": story, "turns_count": case.turns_count - 1} | understood(story, case)
    changes["unshown"] = tuple(turn for turn in case.unshown if turn != event.id)
    if event.id == case.last_turn:
        changes |= latest(story)
    return changes


def _merged(case: Conversation, event: CaseMerged, policy: Policy) -> dict[str, object]:
    """Two stories become one, as if all of it had been told here: what is unheard in one of them is unheard."""
    story = tuple(sorted((*case.story, *event.story), key=_order))[-policy.story_turns_max :]
    replied_at = min((at for at in (case.replied_at, event.replied_at) if at is not None), default=None)
    stopped = (TimerName.FIRST_REPLY, TimerName.FIRST_REPLY_ALARM) if replied_at is not None else ()
    return (
        {
            "story": story,
            "turns_count": case.turns_count + event.turns_count,
            "first_posted_at": min(case.first_posted_at, event.first_posted_at),
            "replied_at": replied_at,
            "heard_until": min((at for at in (case.heard_until, event.heard_until) if at is not None), default=None),
            "said_at": max((at for at in (case.said_at, event.said_at) if at is not None), default=None),
            "introduced": case.introduced or event.introduced,
            "risk_words_said": case.risk_words_said or event.risk_words_said,
            "words_out": (*case.words_out, *event.words_out),
            "direct": case.direct or event.direct,
            "bot_muted": case.bot_muted or event.bot_muted,
            "opted_out": case.opted_out or event.opted_out,
            "reference": case.reference or event.reference,
            "merged": (*case.merged, event.source),
            "timers": without_timers(case.timers, stopped),
        }
        | understood(story, case.evolve(risks=worst(case.risks, event.risks)))
        | latest(story)
    )


def worst(*risks: Risks) -> Risks:
    """Each kind of risk once, at its worst."""
    found: dict[str, RiskLevel] = {}
    for kind, level in (risk for some in risks for risk in some):
        if found.get(kind) is not RiskLevel.RED:
            found[kind] = level
    return tuple(found.items())


def latest(story: tuple[StoryTurn, ...]) -> dict[str, object]:
    """The fields that name the last post of a story."""
    if not story:
        return {"last_turn": None}
    last = story[-1]
    return {"last_turn": last.id, "last_posted_at": last.posted_at, "last_surface": last.surface}


def _order(turn: StoryTurn) -> tuple[datetime, str]:
    return turn.posted_at, turn.id


def _language(known: str, reading: Reading) -> str:
    """The first language that was sure stays: short texts later ("ok!") are easily taken for another."""
    return reading.language if known == "und" else known


def understood(story: tuple[StoryTurn, ...], case: Conversation) -> dict[str, object]:
    """Topics, wish and risks of the story as it stands. Risks stay known even if their post is gone."""
    scores: dict[str, float] = {}
    risks: dict[str, RiskLevel] = dict(case.risks)
    wish: str | None = None
    for turn in story:
        wish = turn.reading.wish or wish
        for topic in turn.reading.topics:
            scores[topic.name] = max(scores.get(topic.name, 0.0), topic.score)
        for risk in turn.reading.risk:
            if risks.get(risk.kind) is not RiskLevel.RED:
                risks[risk.kind] = risk.level
    for narrow, broad in NARROWER.items():
        if narrow in scores and broad in scores:
            scores[narrow] = max(scores[narrow], scores[broad] + 0.01)
    sure = {name for name, score in scores.items() if score >= CERTAIN_SCORE}
    for name in ABOUT_MANNER & scores.keys():
        scores[name] -= MANNER_DISCOUNT
    topics = tuple(sorted(scores, key=lambda name: (-scores[name], name)))[:TOPICS_MAX]
    named = next((name for name in topics if name in sure), None)
    return {"topics": topics, "named_topic": named, "wish": wish, "risks": tuple(risks.items())}
