"""What will happen next in a case, and when: its timers, and words that wait to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.console import words
from bot.store.records import Kind, OutboxRow, Status
from conversations.conversation import CheckBackBy, Conversation, Timer, TimerName


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that will happen. ``name`` is the timer's, or ``words`` for a message that waits."""

    at: datetime
    name: str
    title: str
    will: str
    promise: str | None = None


def coming(case: Conversation, rows: Sequence[OutboxRow]) -> tuple[Coming, ...]:
    """All of it, soonest first."""
    found = [of_timer(case, timer) for timer in case.timers]
    found += [
        Coming(
            row.not_before,
            "words",
            f"“{words.said(row.act)[0]}” leaves",
            "It waits in case the customer goes on writing.",
        )
        for row in rows
        if row.kind is Kind.WORDS and row.status is Status.PENDING and row.not_before is not None
    ]
    return tuple(sorted(found, key=lambda entry: entry.at))


def of_timer(case: Conversation, timer: Timer) -> Coming:
    """A timer in words that fit the state."""
    title, will = words.TIMERS[timer.name]
    promise = next((entry for entry in case.promises if entry.id == timer.promise), None)
    match timer.name:
        case TimerName.QUIET if case.replied_at is not None:
            will = "The bot mirrors the story and asks whether it is right."
        case TimerName.QUIET if case.first_reply_out:
            will = "Its words are on their way already."
        case TimerName.SILENCE:
            will = words.SILENCE.get(case.state, will)
        case TimerName.CHECK_BACK if case.check_back is not None:
            title, will = check_back_words(case.check_back.by, title, will)
        case TimerName.OWNER_SILENT if case.unanswered_since is None:
            title, will = "A quiet case", "If nothing has happened by then, the owner is reminded of it."
        case TimerName.OWNER_SILENT if case.nudged:
            will = "The case goes back to the queue; plan and promises stay."
        case TimerName.OWNER_SILENT:
            will = "The owner is reminded of the unanswered words."
        case _:
            pass
    if promise is not None:
        title = f"{title}: {promise.text}"
    return Coming(timer.due_at, timer.name.value, title, will, timer.promise)


def check_back_words(by: CheckBackBy, title: str, will: str) -> tuple[str, str]:
    """Who asks."""
    if by is CheckBackBy.HAND:
        return "Check-back by hand", "The owner is asked to check back, and to record the answer."
    if by is CheckBackBy.NOBODY:
        return "The case closes", "Nobody checks back: the case is closed without an answer."
    return title, will


def spell(span: timedelta) -> str:
    """A span in words, to the larger two units: ``4 min``, ``1 h 28 min``, ``3 days 2 h``."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    plural = "day" if days == 1 else "days"
    return f"{days} {plural} {hours} h" if hours else f"{days} {plural}"
