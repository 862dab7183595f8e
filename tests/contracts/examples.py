"""Short ways to say what the contract tests say often: posts, rows of the outbox, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.store.port import Decider, Store
from bot.store.records import (
    Arrival,
    Claimed,
    Decision,
    Join,
    Kind,
    Open,
    OutboxRow,
    Place,
    Rank,
    Report,
    Route,
    SetAside,
    Status,
    TurnRecord,
)
from conversations.comprehension.reading import Complaint, Reading
from conversations.comprehension.reading import Decision as Triage
from conversations.conversation import Agent, Author, Conversation, Customer, Timer, TimerName
from conversations.events import AgentClaimed, CustomerPosted, Event
from conversations.ids import AgentId, ConversationKey, EffectKey, ExternalId, conversation_key
from conversations.wording.request import Surface

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
READING = Reading("en", Complaint(0.9, Triage.YES, ("late",)), masked="my parcel is late", quotable="late")
ANNA = Agent(AgentId("U1"), "Anna")
_numbers = count(1)


def at(seconds: float) -> datetime:
    """So long after NOW."""
    return NOW + timedelta(seconds=seconds)


def posted(id_: str, text: str = "my parcel is late", when: datetime = NOW) -> CustomerPosted:
    """A public post of a customer."""
    return CustomerPosted(id=ExternalId(id_), posted_at=when, surface=Surface.PUBLIC, text=text, reading=READING)


def post(
    id_: str, customer: str = "c1", *, text: str = "my parcel is late", channel: str = "x", account: str = "acme"
) -> Arrival:
    """The arrival of such a post; the handle is ``@Name-<customer>``."""
    return Arrival(
        channel=channel,
        account=account,
        id=ExternalId(id_),
        event=posted(id_, text),
        at=NOW,
        customer=Customer(customer, f"@Name-{customer}"),
    )


def about(id_: str, event: Event, post_id: str, channel: str = "x") -> Arrival:
    """The arrival of an event about a post."""
    return Arrival(channel=channel, account="acme", id=ExternalId(id_), event=event, at=NOW, about=ExternalId(post_id))


def act(key: ConversationKey, event: Event | None = None) -> Arrival:
    """The arrival of an agent's act, by default a claim."""
    number = ExternalId(f"act-{next(_numbers)}")
    return Arrival(
        channel="desk", account="", id=number, event=event or AgentClaimed(agent=ANNA), at=NOW, conversation=key
    )


def new_conversation(arrival: Arrival, **fields: Any) -> Conversation:
    """The conversation that a post opens."""
    assert arrival.customer is not None
    key = conversation_key(arrival.channel, arrival.account, arrival.id)
    return Conversation(key, arrival.channel, arrival.account, arrival.customer, arrival.at, arrival.at, **fields)


def open_or_join(arrival: Arrival, current: Conversation | None) -> Route:
    """The plainest router: the unclosed conversation, or a new one."""
    if current is not None and current.is_open:
        return Join(current.key)
    return Open(new_conversation(arrival))


def set_aside(arrival: Arrival, current: Conversation | None) -> Route:
    """The router that finds nothing to complain about."""
    return SetAside("praise")


def must_not_route(arrival: Arrival, current: Conversation | None) -> Route:
    """The router for arrivals that are not to be routed."""
    raise AssertionError(f"routed {arrival}")


def consume(claimed: Claimed, **changes: Any) -> Conversation:
    """The conversation one version on, its due timers gone."""
    conversation = claimed.conversation
    return conversation.evolve(version=conversation.version + 1, **({"timers": ()} | changes))


def read_all(claimed: Claimed) -> Decision:
    """The plainest decision: everything is read, posts become turns, nothing follows."""
    return Decision(
        conversation=consume(claimed),
        consumed=tuple(event.sequence for event in claimed.events),
        turns=tuple(
            turn_of(claimed.conversation.key, item.event)
            for item in claimed.events
            if isinstance(item.event, CustomerPosted)
        ),
    )


def watched(seen: list[Claimed], decide: Decider = read_all) -> Decider:
    """The decider, and what it was asked."""

    def watching(claimed: Claimed) -> Decision:
        seen.append(claimed)
        return decide(claimed)

    return watching


def turn_of(key: ConversationKey, event: CustomerPosted) -> TurnRecord:
    """The turn that a post becomes."""
    return TurnRecord(
        conversation=key,
        id=event.id,
        author=Author.CUSTOMER,
        place=Place.PUBLIC,
        text=event.text,
        posted_at=event.posted_at,
        reading=event.reading,
    )


def deciding(**fields: Any) -> Decider:
    """A decider that reads everything and decides the given fields; ``changes`` are made to the conversation."""
    changes: dict[str, Any] = fields.pop("changes", {})

    def decide(claimed: Claimed) -> Decision:
        plain = read_all(claimed)
        decided: dict[str, Any] = {"conversation": consume(claimed, **changes), "consumed": plain.consumed}
        return Decision(**({"turns": plain.turns} | decided | fields))

    return decide


async def opened(store: Store, id_: str, customer: str = "c1", **changes: Any) -> ConversationKey:
    """A conversation whose first post was read."""
    arrival = post(id_, customer)
    assert arrival.customer is not None
    await store.take_in([arrival], open_or_join, NOW)
    assert await store.decide_due(NOW, 10, deciding(changes=changes)) == 1
    return conversation_key(arrival.channel, arrival.account, id_)


async def decided(store: Store, key: ConversationKey, now: datetime = NOW, **fields: Any) -> None:
    """One decision about a conversation, woken by an agent's act. Nothing else may be due."""
    await store.take_in([act(key)], must_not_route, now)
    claimed: list[ConversationKey] = []
    decide = deciding(**fields)

    def only(item: Claimed) -> Decision:
        claimed.append(item.conversation.key)
        return decide(item)

    assert await store.decide_due(now, 10, only) == 1
    assert claimed == [key]
    assert await store.poisoned() == []


def row(key: ConversationKey, name: str, **fields: Any) -> OutboxRow:
    """A row of the outbox, by default the bot's public words."""
    defaults: dict[str, Any] = {
        "key": EffectKey(f"{key}:{name}"),
        "conversation": key,
        "channel": "x",
        "account": "acme",
        "lane": "x:posts",
        "place": Place.PUBLIC,
        "kind": Kind.WORDS,
        "rank": Rank.REST,
        "body": {"text": name},
        "created_at": NOW,
        "author": Author.BOT,
    }
    return OutboxRow(**(defaults | fields))


def desk_row(key: ConversationKey, name: str, **fields: Any) -> OutboxRow:
    """A row for the desk, by default a card."""
    defaults: dict[str, Any] = {"place": Place.DESK, "kind": Kind.CARD, "lane": "slack:C1", "author": None, "body": {}}
    return row(key, name, **(defaults | fields))


def names(rows: Sequence[OutboxRow]) -> list[str]:
    """The last part of each row's key."""
    return [item.key.rpartition(":")[2] for item in rows]


async def claimed(store: Store, now: datetime = NOW, limit: int = 100, sending_s: float = 30) -> list[OutboxRow]:
    """What may be sent now."""
    return await store.claim_deliveries(now, sending_s, limit)


async def reported(store: Store, item: OutboxRow, status: Status, now: datetime = NOW, **fields: Any) -> bool:
    """Report one row."""
    report = Report(key=item.key, fence=item.fence, status=status, at=now, **fields)
    return (await store.report_deliveries([report]))[0]


def quiet_timer(due_at: datetime) -> Timer:
    """A timer, due then."""
    return Timer(TimerName.QUIET, due_at)
