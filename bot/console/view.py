"""What the playground's page shows, gathered from the store. Reading only; laid out by the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from bot.console import words
from bot.console.cast import AGENTS, CUSTOMERS, EXAMPLES, REPLIES, Example, agent_named, example_customer, invented
from bot.console.coming import Coming, Hint, coming, hint
from bot.console.parts import Parts, Running
from bot.console.spot import Spot
from bot.desk.calls import Call
from bot.desk.card import Card, CaseAct, Heat, card, heat_of
from bot.store.records import Aside, Kind, OutboxRow, Place, Poisoned, Status, TurnRecord
from conversations.comprehension.reading import Reading
from conversations.conversation import Agent, Author, Conversation, Customer
from conversations.deadlines import zone
from conversations.events import CustomerPosted
from conversations.ids import ConversationKey
from conversations.protocol import State, Trigger

CASES_MAX = 100
ASIDES_MAX = 20
PATH_MAX = 12
PEOPLE_MAX = 10
ALERTS_MAX = 3
AUDITS_MAX = 2000
SNIPPET_CHARS_MAX = 90
TRIGGER_NAMES = frozenset(trigger.value for trigger in Trigger)


@dataclass(frozen=True, slots=True)
class Post:
    """A post or a message on the phone."""

    id: str
    mine: bool
    who: str
    handle: str
    text: str
    at: datetime
    media: int = 0
    edited: bool = False
    may_change: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A customer one may be on the phone. ``waiting`` says that we wrote last."""

    customer: Customer
    state: State | None
    answered: bool


@dataclass(frozen=True)
class Phone:
    """The customer's side."""

    customer: Customer
    people: tuple[Person, ...]
    tab: str
    posts: tuple[Post, ...]
    other_tab_newer: bool
    chips: tuple[str, ...]
    examples: tuple[Example, ...]
    new_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """A case in the queue."""

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
    """A line of a case's thread: a turn, words on their way, or a call."""

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


@dataclass(frozen=True, slots=True)
class Hop:
    """A decision on the case's path."""

    at: datetime
    before: State
    after: State
    why: str


@dataclass(frozen=True)
class Desk:
    """The agents' side."""

    agent: Agent
    agents: tuple[Agent, ...]
    lines: tuple[Line, ...]
    asides: tuple[Aside, ...]
    alerts: tuple[str, ...]
    card: Card | None
    thread: tuple[Entry, ...]
    act: CaseAct | None
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
    spot = Spot(customer.id, "", spot.tab, chosen.key if chosen else "", spot.act, spot.agent, spot.pane, spot.edit)
    turns = await app.store.turns(chosen.key) if chosen else []
    rows = await app.store.outbox(conversation=chosen.key, limit=500) if chosen else []
    ahead = coming(chosen, rows) if chosen else ()
    poisoned = await app.store.poisoned(ALERTS_MAX)
    return View(
        spot=spot,
        now=now,
        zone=zone(app.acts.policy().time_zone),
        hint=hint(chosen, ahead) if chosen else None,
        upcoming=ahead[0].at if ahead else None,
        phone=await phone_of(app, spot, customer, chosen, cases, asides),
        desk=desk_of(app, spot, now, chosen, cases, asides, turns, rows, poisoned),
        why=await why_of(app, chosen, ahead, turns),
    )


async def choose(app: Parts, spot: Spot, cases: Sequence[Conversation]) -> Conversation | None:
    """The case that is looked at: the one that is named, else the customer's latest; at the very start the latest of all."""
    if spot.case:
        return await app.store.conversation(ConversationKey(spot.case))
    if spot.customer or spot.name:
        wanted = spot.customer or invented(spot.name).id
        return next((case for case in cases if case.customer.id == wanted), None)
    return cases[0] if cases else None


def customer_of(spot: Spot, cases: Sequence[Conversation], asides: Sequence[Aside]) -> Customer:
    """Who is on the phone when there is no case: an example, a known one, or one that is made up now."""
    if spot.name:
        return invented(spot.name)
    if not spot.customer:
        return CUSTOMERS[0]
    known = [case.customer for case in cases] + [aside.customer for aside in asides if aside.customer]
    found = next((customer for customer in known if customer.id == spot.customer), None)
    return found or example_customer(spot.customer) or invented(spot.customer.replace("-", " ").title())


# ---------------------------------------------------------------- the phone


async def phone_of(
    app: Parts,
    spot: Spot,
    customer: Customer,
    chosen: Conversation | None,
    cases: Sequence[Conversation],
    asides: Sequence[Aside],
) -> Phone:
    """The phone of one customer: all of their conversations, and what was set aside."""
    brand = app.speech.brand.name
    posts: dict[Place, list[Post]] = {Place.PUBLIC: [], Place.DIRECT: []}
    for case in cases:
        if case.customer.id == customer.id:
            for turn in await app.store.turns(case.key):
                if turn.text is not None or turn.media:
                    posts[turn.place].append(post_of(turn, customer, brand))
    for aside in asides:
        event = aside.event
        if aside.customer is not None and aside.customer.id == customer.id and isinstance(event, CustomerPosted):
            place = Place(event.surface.value)
            posts[place].append(
                Post(event.id, True, customer.name, customer.handle, event.text, event.posted_at, event.media)
            )
    for place in posts:
        posts[place].sort(key=lambda post: post.at)
    tab = spot.tab if spot.tab in ("public", "direct") else default_tab(posts)
    other = posts[Place.DIRECT if tab == "public" else Place.PUBLIC]
    shown = posts[Place(tab)]
    return Phone(
        customer=customer,
        people=people(cases, customer),
        tab=tab,
        posts=tuple(shown),
        other_tab_newer=bool(other) and not other[-1].mine and (not shown or other[-1].at > shown[-1].at),
        chips=REPLIES[chosen.state.value] if chosen else (),
        examples=() if any(posts.values()) else ordered_examples(customer, account_of(brand)),
        new_id=uuid4().hex,
    )


def post_of(turn: TurnRecord, customer: Customer, brand: str) -> Post:
    """A turn as the customer sees it: of whose words it is, the customer sees the agent's name if anything."""
    mine = turn.author is Author.CUSTOMER
    by = "" if mine else turn.agent or ("automated" if turn.author is Author.BOT else "")
    return Post(
        id=turn.id,
        mine=mine,
        who=(customer.name or customer.handle) if mine else brand,
        handle=customer.handle if mine else account_of(brand),
        text=turn.text or "",
        at=turn.posted_at,
        media=turn.media,
        edited=turn.edited_at is not None,
        may_change=mine,
        by=by,
    )


def default_tab(posts: dict[Place, list[Post]]) -> str:
    """Where something was said last."""
    public, direct = posts[Place.PUBLIC], posts[Place.DIRECT]
    return "direct" if direct and (not public or direct[-1].at > public[-1].at) else "public"


def people(cases: Sequence[Conversation], shown: Customer) -> tuple[Person, ...]:
    """The latest with a conversation, the examples, and who is on the phone now."""
    found: dict[str, Person] = {}
    for case in cases:
        if len(found) >= PEOPLE_MAX and case.customer.id not in found:
            continue
        answered = (
            case.heard_until is not None and case.last_posted_at is not None and case.heard_until >= case.last_posted_at
        )
        found.setdefault(case.customer.id, Person(case.customer, case.state, answered))
    for customer in (shown, *CUSTOMERS):
        found.setdefault(customer.id, Person(customer, None, False))
    order = {customer.id: n for n, customer in enumerate(CUSTOMERS)}
    return tuple(sorted(found.values(), key=lambda p: (order.get(p.customer.id, len(order)), p.customer.name)))


def ordered_examples(customer: Customer, account: str) -> tuple[Example, ...]:
    """The examples, those of this customer first, addressed to us."""
    addressed = [replace(example, text=example.text.replace("{brand}", account)) for example in EXAMPLES]
    return tuple(sorted(addressed, key=lambda example: example.customer.id != customer.id))


def account_of(brand: str) -> str:
    """Our account's name on this platform."""
    return "".join(filter(str.isalnum, brand)).lower()[:20] or "brand"


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
        lines=tuple(sorted(lines, key=lambda line: heats.index(line.heat))),
        asides=tuple(asides),
        alerts=tuple(alerts),
        card=shown,
        thread=thread(shown, turns, rows) if shown else (),
        act=act_of(spot, shown),
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


def line_of(app: Running, case: Conversation, now: datetime) -> Line:
    """A case in one line, with the clock that matters most."""
    due_at, due = None, ""
    if case.state is not State.CLOSED:
        if case.replied_at is None:
            due_at, due = case.first_posted_at + timedelta(seconds=app.acts.policy().window_s), "first reply"
        elif case.answer_due_at is not None:
            due_at, due = case.answer_due_at, "answer"
        elif dates := [promise.due_at for promise in case.promises_open if promise.due_at]:
            due_at, due = min(dates), "promise"
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
    entries += [Entry(call.at, "call", call.agent or "", call=call) for call in shown.calls]
    return tuple(sorted(entries, key=lambda entry: entry.at))


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
