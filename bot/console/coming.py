"""What will happen next in a case, and when: its timers, and words that wait to leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.console import words
from bot.store.records import Kind, OutboxRow, Status
from conversations.comprehension.reading import RiskLevel
from conversations.conversation import CheckBackBy, Conversation, Timer, TimerName
from conversations.protocol import State


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


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do next, for somebody who sees this for the first time.

    ``jump`` is where the clock may go; ``by_clock`` says that this is the way on, and not somebody's act.
    """

    text: str
    jump: Coming | None = None
    by_clock: bool = False


def hint(case: Conversation, ahead: Sequence[Coming]) -> Hint:
    """The next step of a case in words."""
    name = case.customer.name or case.customer.handle
    by_name = {entry.name: entry for entry in ahead}
    waiting = by_name.get("words")
    if case.state is State.AWAITING_AGENT and case.risk_level is RiskLevel.RED:
        return Hint("Danger: everybody was called. Take the case at the desk now.", waiting or by_name.get("unclaimed"))
    if waiting is not None:
        what = waiting.title.removesuffix(" leaves")
        return Hint(f"{what} is written and waits a little, in case {name} goes on.", waiting, by_clock=True)
    owner = case.owner.name if case.owner else "an agent"
    match case.state:
        case State.LISTENING if (quiet := by_name.get("quiet")) is not None:
            text = f"The bot is listening: it waits until {name} has been quiet for {spell(quiet_span(case, quiet))}."
            return Hint(text, quiet, by_clock=True)
        case State.LISTENING:
            text = f"The bot has answered and goes on listening. Tell more as {name}, or see what silence does."
            return Hint(text, by_name.get("silence"))
        case State.REFLECTING:
            text = f"The bot has mirrored the story. Answer as {name}: is it right, and what would put it right?"
            return Hint(text, by_name.get("silence"))
        case State.AWAITING_AGENT:
            return Hint("The case is with the agents now. Take it at the desk.", by_name.get("unclaimed"))
        case State.WITH_AGENT if case.plan is not None and case.plan.agreed_at is None:
            return Hint(f"{name} did not clearly agree. Read the answer, then reply or propose another plan.")
        case State.WITH_AGENT:
            return Hint(f"{owner} has the case: reply, or propose a plan with dates.", by_name.get("owner_silent"))
        case State.AWAITING_AGREEMENT:
            return Hint(f"A plan was proposed. Answer it as {name} on the phone.", by_name.get("silence"))
        case State.FULFILLING if case.promises_open:
            return Hint("The plan is agreed. Tick the promises as they are kept.", ahead[0] if ahead else None)
        case State.FULFILLING:
            return Hint("Every promise is kept: resolve the case.")
        case State.RESOLVED:
            return Hint("Resolved. Next comes the check-back.", by_name.get("check_back"), by_clock=True)
        case State.CHECKING_BACK:
            return Hint(f"{name} was asked whether they are happy. Answer on the phone.", by_name.get("silence"))
        case _:
            outcome = words.OUTCOMES[case.outcome] if case.outcome else ""
            return Hint(f"Closed: {outcome}. {name} can still come back, and an agent can reopen it.")


def quiet_span(case: Conversation, quiet: Coming) -> timedelta:
    """How long the customer must be quiet, counted from the last post."""
    return quiet.at - (case.last_posted_at or quiet.at)


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
