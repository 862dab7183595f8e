"""What to do next on the playground, in a sentence: the banner at the top of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.console import words
from bot.console.coming import Coming, spell
from bot.console.texts import isolated, percent, reason
from bot.store.records import Aside
from conversations.comprehension.reading import RiskLevel
from conversations.conversation import Agent, CheckBackBy, Conversation, Promise
from conversations.events import CustomerPosted
from conversations.protocol import State

PROMISE_CHARS_MAX = 60


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do next, for somebody who sees this for the first time.

    ``jump`` is where the clock may go; ``by_clock`` says that this is the way on, and not somebody's act. ``aside`` is the
    sequence number of a post that was set aside, and from which a case can be opened.
    """

    text: str
    jump: Coming | None = None
    by_clock: bool = False
    aside: int | None = None


def hint(case: Conversation, ahead: Sequence[Coming], now: datetime, agent: Agent) -> Hint:
    """The next step of a case in words. ``ahead`` is what the clock will do, soonest first; ``agent`` sits at the desk."""
    name = isolated(case.customer.name or case.customer.handle)
    by_name = {entry.name: entry for entry in reversed(ahead)}
    waiting = by_name.get("words")
    late = overdue(case, now)
    if case.state is State.AWAITING_AGENT and case.risk_level is RiskLevel.RED:
        return Hint("Danger: everybody was called. Take the case at the desk now.", waiting or by_name.get("unclaimed"))
    if late is not None and late.due_at is not None:
        since = now - late.due_at
        was = f"was due {spell(since)} ago" if since >= timedelta(minutes=1) else "is due now"
        tell = (
            f"{name} has heard of it: tick"
            if spoke_since(case, late.due_at)
            else f"Tell {name} before they ask, and tick"
        )
        text = f"A promise is overdue: {quoted(late)} {was}. {tell} it when it is kept."
        return Hint(text, by_name.get("promise_overdue"))
    if case.snoozed_until is not None and case.state is not State.AWAITING_AGREEMENT:
        text = f"The case is snoozed: the desk stays quiet until then, or until {name} writes."
        return Hint(text, by_name.get("snooze"), by_clock=True)
    if waiting is not None:
        what = waiting.title.removesuffix(" leaves")
        return Hint(f"{what} is written and waits a little, in case {name} goes on.", waiting, by_clock=True)
    match case.state:
        case State.LISTENING if (quiet := by_name.get("quiet")) is not None:
            span = spell(quiet.at - (case.last_posted_at or quiet.at))
            return Hint(f"The bot is listening: it waits until {name} has been quiet for {span}.", quiet, by_clock=True)
        case State.LISTENING:
            text = f"The bot has answered and goes on listening. Tell more as {name}, or see what silence does."
            return Hint(text, by_name.get("silence"))
        case State.REFLECTING:
            text = f"The bot has mirrored the story. Answer as {name}: is it right, and what would put it right?"
            return Hint(text, by_name.get("silence"))
        case State.AWAITING_AGENT:
            return Hint(f"The case is with the agents now. Take it at the desk.{muted(case)}", by_name.get("unclaimed"))
        case State.WITH_AGENT:
            return with_agent(case, by_name.get("owner_silent"), name, agent)
        case State.AWAITING_AGREEMENT:
            text = f"A plan was proposed. Answer it as {name} on the phone, or record an agreement at the desk."
            return Hint(text, by_name.get("silence"))
        case State.FULFILLING:
            return fulfilling(case, ahead, now, name)
        case State.RESOLVED:
            return resolved(case, by_name.get("check_back"), now, name, agent)
        case State.CHECKING_BACK:
            return Hint(f"{name} was asked whether they are happy. Answer on the phone.", by_name.get("silence"))
        case _:
            outcome = words.OUTCOMES[case.outcome] if case.outcome else ""
            return Hint(f"Closed: {outcome}. {name} can still come back, and an agent can reopen it.")


def with_agent(case: Conversation, silent: Coming | None, name: str, agent: Agent) -> Hint:
    """Somebody has the case; the customer may have answered a plan in words that were not clearly a yes."""
    plan = case.plan
    if plan is not None and plan.agreed_at is None:
        if case.last_posted_at is not None and case.last_posted_at > plan.proposed_at:
            return Hint(
                f"{name} did not clearly agree. Read the answer: if it is a yes, use “Record an agreement”; "
                "if not, reply or propose another plan.",
                silent,
            )
        return Hint(f"The plan was not agreed. Reply to {name}, propose another, or record an agreement.", silent)
    have = "You have" if case.owner is None or case.owner.id == agent.id else f"{isolated(case.owner.name)} has"
    return Hint(f"{have} the case: reply, or propose a plan with dates.{muted(case)}", silent)


def fulfilling(case: Conversation, ahead: Sequence[Coming], now: datetime, name: str) -> Hint:
    """Promises are being kept: which is the next, and by when."""
    wrote = f"{name} wrote again and waits for an answer. " if case.unanswered_since else ""
    if not case.promises_open:
        return Hint(f"{wrote}Every promise is kept: resolve the case.")
    first = min(case.promises_open, key=lambda promise: promise.due_at or datetime.max.replace(tzinfo=now.tzinfo))
    due = f", due in {spell(first.due_at - now)}" if first.due_at else ""
    more = len(case.promises_open) - 1
    rest = f" {more} more {'is' if more == 1 else 'are'} open." if more else ""
    text = f"{wrote}The plan is agreed. Next promise: {quoted(first)}{due}. Tick it when it is kept.{rest}"
    return Hint(text, next((entry for entry in ahead if entry.promise is not None), ahead[0] if ahead else None))


def resolved(case: Conversation, timer: Coming | None, now: datetime, name: str, agent: Agent) -> Hint:
    """Who asks whether it helped, and when."""
    back = case.check_back
    if back is None:
        return Hint("Resolved.", timer, by_clock=True)
    mine = case.owner is None or case.owner.id == agent.id
    who = "You" if mine or case.owner is None else isolated(case.owner.name)
    if back.by is CheckBackBy.NOBODY:
        return Hint("Resolved. Nobody asks whether it helped: the case closes by itself.", timer, by_clock=True)
    if back.asked_at is None and back.due_at <= now and not case.words_out:
        if spoke_since(case, back.due_at):
            return Hint(f"{name} was asked. Record the answer when it comes.", timer)
        text = f"Ask {name} now whether it helped: the words are drafted in the thread. Then record the answer."
        return Hint(text, timer)
    if back.by is CheckBackBy.HAND or case.bot_muted or case.opted_out:
        ask = "ask" if mine else "asks"
        text = f"Resolved. The bot will not ask here: {who.lower() if mine else who} {ask} {name} when it is time."
        return Hint(text, timer, by_clock=True)
    return Hint(f"Resolved. Next comes the check-back: the bot asks {name} whether it helped.", timer, by_clock=True)


def set_aside(aside: Aside) -> Hint:
    """What a customer wrote was not read as a complaint: why, and the way on."""
    event = aside.event
    who = aside.customer.name or aside.customer.handle if aside.customer else "the customer"
    likely = ""
    if isinstance(event, CustomerPosted):
        likely = f" ({percent(event.reading.complaint.probability)} likely; {reason(aside.reason)})"
    return Hint(
        f"What {isolated(who)} wrote was set aside as no complaint{likely}. Nobody answers it, unless you open a case from it.",
        aside=aside.sequence,
    )


def overdue(case: Conversation, now: datetime) -> Promise | None:
    """The promise that has been broken for longest."""
    late = [promise for promise in case.promises_open if promise.due_at is not None and promise.due_at < now]
    return min(late, key=lambda promise: promise.due_at or now, default=None)


def spoke_since(case: Conversation, at: datetime) -> bool:
    """Whether words of ours reached the customer since then."""
    return case.said_at is not None and case.said_at >= at


def quoted(promise: Promise) -> str:
    """A promise in quotes, cut where it is long."""
    text = promise.text
    short = text if len(text) <= PROMISE_CHARS_MAX else text[: PROMISE_CHARS_MAX - 1].rstrip() + "…"
    return f"“{isolated(short)}”"


def muted(case: Conversation) -> str:
    """That the bot says nothing here any more."""
    if case.opted_out:
        return " The customer wants no bot: it says nothing more here."
    return " The bot is muted: it says nothing more here." if case.bot_muted else ""
