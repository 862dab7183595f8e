"""What the playground's page shows, gathered from the store. Reading only; laid out by the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from bot.console import words
from bot.console.cast import AGENTS, agent_named, example_customer, invented
from bot.console.coming import Coming, coming
from bot.console.hints import Hint, hint, set_aside
from bot.console.parts import Parts, Running
from bot.console.phone import Phone, customer_of, phone_of
from bot.console.spot import Spot
from bot.desk.calls import Call
from bot.desk.card import Card, CaseAct, Heat, card, heat_of
from bot.store.records import Aside, Kind, OutboxRow, Place, Poisoned, Status, TurnRecord
from conversations.comprehension.reading import Reading, RiskLevel
from conversations.conversation import Agent, Author, Conversation, Customer
from conversations.deadlines import zone
from conversations.effects import Alarm
from conversations.ids import ConversationKey
from conversations.protocol import State, Trigger

CASES_MAX = 100
ASIDES_MAX = 20
PATH_MAX = 12
ALERTS_MAX = 3
AUDITS_MAX = 2000
SNIPPET_CHARS_MAX = 90
TRIGGER_NAMES = frozenset(trigger.value for trigger in Trigger)


@dataclass(frozen=True, slots=True)
class Line:
    """A case in the queue. ``due`` says which clock matters most, ``due_at`` when it ends; None: there is nothing to count."""

    key: str
    customer: Customer
    state: State
    heat: Heat
    snippet: str
    owner: str | None
    last_at: datetime
    due_at: datetime | None
    due: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a case's thread: a turn, words on their way, or a call.

    ``draft`` are a call's words, as long as nobody has written since: then they are not offered again.
    """

    at: datetime
    kind: str  # customer | ours | waiting | gone | call
    who: str
    note: str = ""
    text: str | None = None
    place: Place | None = None
    media: int = 0
    leaves_at: datetime | None = None
    edited: bool = False
    call: Call | None = None
    draft: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """A decision on the case's path."""

    at: datetime
    before: State
    after: State
    why: str


@dataclass(frozen=True)
class Desk:
    """The agents' side. ``shelf`` is ``cases`` or ``aside``; ``answer`` is what the customer wrote to the plan that is open."""

    agent: Agent
    agents: tuple[Agent, ...]
    shelf: str
    lines: tuple[Line, ...]
    asides: tuple[Aside, ...]
    alerts: tuple[str, ...]
    card: Card | None
    thread: tuple[Entry, ...]
    act: CaseAct | None
    answer: str
    others: tuple[Line, ...]
    new_id: str


@dataclass(frozen=True)
class Why:
    """Why the bot did what it did, and what it will do."""

    case: Conversation | None
    coming: tuple[Coming, ...]
    readings: tuple[tuple[TurnRecord, Reading], ...]
    hops: tuple[Hop, ...]
    visited: frozenset[State]


@dataclass(frozen=True)
class View:
    """The whole page."""

    spot: Spot
    now: datetime
    zone: ZoneInfo
    hint: Hint | None
    upcoming: datetime | None
    phone: Phone
    desk: Desk
    why: Why


async def view(app: Parts, spot: Spot) -> View:
    """Everything for one spot. What the spot names and is not there is left aside."""
    now = app.local_clock.now()
    cases = await app.store.conversations(limit=CASES_MAX)
    asides = await app.store.asides(ASIDES_MAX)
    chosen = await choose(app, spot, cases)
    customer = chosen.customer if chosen else customer_of(spot, cases, asides)
    known = chosen is not None or any(aside.customer and aside.customer.id == customer.id for aside in asides)
    spot = replace(
        spot,
        customer=customer.id,
        name="" if known or example_customer(customer.id) else customer.name,
        case=chosen.key if chosen else "",
    )
    turns = await app.store.turns(chosen.key) if chosen else []
    rows = await app.store.outbox(conversation=chosen.key, limit=500) if chosen else []
    ahead = coming(chosen, rows) if chosen else ()
    poisoned = await app.store.poisoned(ALERTS_MAX)
    aside = latest_aside(asides, customer, chosen)
    told = hint(chosen, ahead, now, agent_named(spot.agent)) if chosen else None
    told = set_aside(aside) if aside else told
    return View(
        spot=spot,
        now=now,
        zone=zone(app.acts.policy().time_zone),
        hint=told,
        upcoming=ahead[0].at if ahead else None,
        phone=await phone_of(app, spot, customer, chosen, cases, asides),
        desk=desk_of(app, spot, now, chosen, cases, asides, turns, rows, poisoned, aside is not None),
        why=await why_of(app, chosen, ahead, turns),
    )


def latest_aside(asides: Sequence[Aside], customer: Customer, chosen: Conversation | None) -> Aside | None:
    """What this customer wrote last, if that was set aside."""
    theirs = [aside for aside in asides if aside.customer is not None and aside.customer.id == customer.id]
    newest = max(theirs, key=lambda aside: aside.at, default=None)
    if newest is None or chosen is None:
        return newest
    return None if chosen.is_open or newest.at <= (chosen.last_posted_at or newest.at) else newest


async def choose(app: Parts, spot: Spot, cases: Sequence[Conversation]) -> Conversation | None:
    """The case that is looked at: the one that is named, else the customer's latest; at the very start the latest of all."""
    if spot.case:
        return await app.store.conversation(ConversationKey(spot.case))
    if spot.customer or spot.name:
        wanted = spot.customer or invented(spot.name).id
        return next((case for case in cases if case.customer.id == wanted), None)
    return cases[0] if cases else None


# ---------------------------------------------------------------- the desk


def desk_of(
    app: Parts,
    spot: Spot,
    now: datetime,
    chosen: Conversation | None,
    cases: Sequence[Conversation],
    asides: Sequence[Aside],
    turns: Sequence[TurnRecord],
    rows: Sequence[OutboxRow],
    poisoned: Sequence[Poisoned],
    just_set_aside: bool,
) -> Desk:
    """The queue and the chosen case."""
    agent = agent_named(spot.agent)
    shown = card(chosen, turns, rows, app.acts.policy(), now, agent=agent.id) if chosen else None
    lines = sorted((line_of(app, case, now) for case in cases), key=lambda line: -line.last_at.timestamp())
    heats = list(Heat)
    alerts = [text for _, _, text in tuple(getattr(app.delivery.desk, "alerts", ()))[-ALERTS_MAX:]]
    alerts += [f"The bot cannot go on with {p.conversation} and tries again: {p.error}" for p in poisoned]
    return Desk(
        agent=agent,
        agents=AGENTS,
        shelf=spot.shelf if spot.shelf in ("cases", "aside") else "aside" if just_set_aside else "cases",
        lines=tuple(sorted(lines, key=lambda line: heats.index(line.heat))),
        asides=tuple(asides),
        alerts=tuple(alerts),
        card=shown,
        thread=thread(shown, turns, rows) if shown else (),
        act=act_of(spot, shown),
        answer=answer_to_plan(shown) if shown else "",
        others=tuple(line_of(app, case, now) for case in cases if chosen is not None and mergeable(case, chosen)),
        new_id=uuid4().hex,
    )


def mergeable(case: Conversation, chosen: Conversation) -> bool:
    """Whether it is another open case of the same customer with the same account of ours (``Acts.others``)."""
    same = (case.channel, case.account, case.customer.id) == (chosen.channel, chosen.account, chosen.customer.id)
    return same and case.is_open and case.key != chosen.key


def act_of(spot: Spot, shown: Card | None) -> CaseAct | None:
    """The act whose form is open: the one that was asked for, else the likeliest."""
    if shown is None or not shown.acts:
        return None
    return next((act for act in shown.acts if act.value == spot.act), shown.acts[0])


def answer_to_plan(shown: Card) -> str:
    """What the customer wrote last to a plan that nobody has agreed to yet."""
    if shown.plan is None or shown.plan.agreed_at is not None:
        return ""
    said = [line.text for line in shown.story if line.text and line.at > shown.plan.proposed_at]
    return said[-1] if said else ""


def line_of(app: Running, case: Conversation, now: datetime) -> Line:
    """A case in one line, with the clock that matters most."""
    due_at, due = None, ""
    if case.state is not State.CLOSED:
        if case.risk_level is RiskLevel.RED and case.owner is None:
            due = "a person is needed now"
        elif case.replied_at is None:
            due_at, due = case.first_posted_at + timedelta(seconds=app.acts.policy().window_s), "first reply promised"
        elif case.snoozed_until is not None:
            due_at, due = case.snoozed_until, "snooze ends"
        elif case.answer_due_at is not None:
            due_at, due = case.answer_due_at, "answer due"
        elif dates := [promise.due_at for promise in case.promises_open if promise.due_at]:
            due_at, due = min(dates), "promise due"
    text = next((turn.reading.masked for turn in case.story if turn.reading.masked.strip()), "")
    return Line(
        key=case.key,
        customer=case.customer,
        state=case.state,
        heat=heat_of(case, app.acts.policy(), now),
        snippet=text[:SNIPPET_CHARS_MAX],
        owner=case.owner.name if case.owner else None,
        last_at=case.last_posted_at or case.opened_at,
        due_at=due_at,
        due=due,
    )


def thread(shown: Card, turns: Sequence[TurnRecord], rows: Sequence[OutboxRow]) -> tuple[Entry, ...]:
    """Everything that was said, is about to be said, and was called out, in order of time."""
    name = shown.customer.name or shown.customer.handle
    entries = []
    for turn in turns:
        if turn.author is Author.CUSTOMER:
            text = None if turn.text is None else turn.reading.masked if turn.reading else turn.text
            entries.append(
                Entry(
                    turn.posted_at,
                    "customer",
                    name,
                    "",
                    text,
                    turn.place,
                    turn.media,
                    edited=turn.edited_at is not None,
                )
            )
        else:
            who, note = who_said(turn.author, turn.agent), note_of(turn.act, turn.author)
            entries.append(Entry(turn.posted_at, "ours", who, note, turn.text, turn.place))
    for row in rows:
        if row.kind is Kind.WORDS and row.status is not Status.SENT:
            waits = row.status in (Status.PENDING, Status.SENDING, Status.UNKNOWN)
            entries.append(
                Entry(
                    at=row.created_at,
                    kind="waiting" if waits else "gone",
                    who=who_said(row.author or Author.BOT, row.body.get("agent")),
                    note=f"{note_of(row.act, row.author)}, {gone_words(row)}"
                    if not waits
                    else note_of(row.act, row.author),
                    text=str(row.body.get("text", "")),
                    place=row.place,
                    leaves_at=row.not_before if waits else None,
                )
            )
    drafted = drafts_open(shown, turns, rows)
    entries += [
        Entry(call.at, "call", call.agent or "", call=call, draft=(call.draft or "") if call is drafted else "")
        for call in shown.calls
    ]
    return tuple(sorted(entries, key=lambda entry: entry.at))


def drafts_open(shown: Card, turns: Sequence[TurnRecord], rows: Sequence[OutboxRow]) -> Call | None:
    """The call whose drafted words are still to be sent: the latest, while nobody has written since and its reason stands."""
    call = max((call for call in shown.calls if call.draft), key=lambda call: call.at, default=None)
    if call is None or shown.state is State.CLOSED:
        return None
    if call.alarm is Alarm.PROMISE_OVERDUE and not any(step.overdue(shown.now) for step in shown.promises_open):
        return None
    if call.alarm is Alarm.CHECK_BACK_BY_HAND and shown.state is not State.RESOLVED:
        return None
    by_people = (Author.AGENT, Author.BRAND)
    said = [turn.posted_at for turn in turns if turn.author in by_people]
    said += [row.created_at for row in rows if row.kind is Kind.WORDS and row.author in by_people]
    return None if any(at >= call.at for at in said) else call


def gone_words(row: OutboxRow) -> str:
    """What became of words that were never said."""
    if row.status is Status.WITHDRAWN:
        return f"withdrawn: {trigger_words(row.reason or '')}"
    return f"{row.status.value}: {row.reason}"


def trigger_words(name: str) -> str:
    """A trigger in words; a reason that is none stays as it is."""
    return words.TRIGGERS[Trigger(name)] if name in TRIGGER_NAMES else name


def who_said(author: Author, agent: str | None) -> str:
    """Whose words they are, for agents."""
    if author is Author.AGENT:
        return agent or "An agent"
    return "The bot" if author is Author.BOT else agent or "A colleague, by hand"


def note_of(act: str | None, author: Author | None) -> str:
    """What the words do."""
    return "by hand" if author is Author.BRAND else words.said(act)[0]


# ---------------------------------------------------------------- why


async def why_of(
    app: Running, case: Conversation | None, ahead: tuple[Coming, ...], turns: Sequence[TurnRecord]
) -> Why:
    """The reasons: what was read, which way the case went, what runs."""
    if case is None:
        return Why(None, (), (), (), frozenset())
    read = [(turn, turn.reading) for turn in reversed(turns) if turn.reading is not None and turn.text is not None]
    hops = [hop for hop in map(hop_of, await app.store.audits(AUDITS_MAX)) if hop is not None and hop[0] == case.key]
    path = tuple(hop for _, hop in hops)
    visited = {case.state} | {hop.before for hop in path} | {hop.after for hop in path}
    return Why(case, ahead, tuple(read), path[:PATH_MAX], frozenset(visited))


def hop_of(line: object) -> tuple[str, Hop] | None:
    """A decision as the engine wrote it into the audit log: ``BEFORE trigger AFTER``."""
    assert isinstance(line, dict)
    parts = str(line["action"]).split(" ")
    if (
        line["actor"] != "bot"
        or len(parts) != 3
        or parts[0] not in State.__members__
        or parts[2] not in State.__members__
    ):
        return None
    return str(line["subject"]), Hop(line["at"], State(parts[0]), State(parts[2]), trigger_words(parts[1]))
