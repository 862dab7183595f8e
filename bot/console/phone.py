"""The customer's side of the playground's page: the phone, and who may hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from bot.console.cast import CUSTOMERS, EXAMPLES, Example, example_customer, invented
from bot.console.parts import Parts
from bot.console.sayings import sayings
from bot.console.spot import Spot
from bot.store.records import Aside, Place, TurnRecord
from conversations.conversation import Author, Conversation, Customer
from conversations.events import CustomerPosted
from conversations.protocol import State

PEOPLE_MAX = 15
FACES_MAX = 4
"""Customers whose faces are always there; the others are in a list."""


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
    """A customer one may be on the phone. ``news`` names our latest words to them, while they have not written since."""

    customer: Customer
    state: State | None
    news: str


@dataclass(frozen=True)
class Phone:
    """The customer's side. ``faces`` are shown, ``others`` are in a list; ``news`` is what is read now (``news_of``)."""

    customer: Customer
    faces: tuple[Person, ...]
    others: tuple[Person, ...]
    tab: str
    posts: tuple[Post, ...]
    other_tab_newer: bool
    chips: tuple[str, ...]
    examples: tuple[Example, ...]
    news: str
    new_id: str


def customer_of(spot: Spot, cases: Sequence[Conversation], asides: Sequence[Aside]) -> Customer:
    """Who is on the phone when there is no case: a known one, an example, or one that is made up now."""
    wanted = spot.customer or (invented(spot.name).id if spot.name else CUSTOMERS[0].id)
    known = [case.customer for case in cases] + [aside.customer for aside in asides if aside.customer]
    found = next((customer for customer in known if customer.id == wanted), None) or example_customer(wanted)
    if found is not None:
        return found
    made = invented(spot.name or wanted.replace("-", " ").title())
    return made if made.id == wanted else replace(made, id=wanted, handle=wanted)


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
    faces, others = people(cases, customer)
    return Phone(
        customer=customer,
        faces=faces,
        others=others,
        tab=tab,
        posts=tuple(shown),
        other_tab_newer=bool(other) and not other[-1].mine and (not shown or other[-1].at > shown[-1].at),
        chips=sayings(chosen) if chosen else (),
        examples=() if any(posts.values()) else ordered_examples(customer, account_of(brand)),
        news=news_of(chosen) if chosen else "",
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


def people(cases: Sequence[Conversation], shown: Customer) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    """Whose faces are shown (whoever is on the phone is among them), and the latest others with a conversation."""
    found: dict[str, Person] = {}
    for case in cases:
        if len(found) < PEOPLE_MAX or case.customer.id == shown.id:
            found.setdefault(case.customer.id, Person(case.customer, case.state, news_of(case)))
    for customer in (shown, *CUSTOMERS):
        found.setdefault(customer.id, Person(customer, None, ""))
    order = {customer.id: n for n, customer in enumerate(CUSTOMERS)}
    ordered = sorted(found.values(), key=lambda p: order.get(p.customer.id, len(order)))
    faces = ordered[:FACES_MAX]
    if all(person.customer.id != shown.id for person in faces):
        faces = [*ordered[: FACES_MAX - 1], found[shown.id]]
    return tuple(faces), tuple(person for person in ordered if person not in faces)


def news_of(case: Conversation) -> str:
    """What tells our latest words apart, while the customer has not written since; else nothing."""
    heard = case.heard_until is not None and case.last_posted_at is not None and case.heard_until >= case.last_posted_at
    return f"{case.key}@{case.said_at.isoformat()}" if heard and case.said_at is not None else ""


def ordered_examples(customer: Customer, account: str) -> tuple[Example, ...]:
    """The examples, those of this customer first, addressed to us."""
    addressed = [replace(example, text=example.text.replace("{brand}", account)) for example in EXAMPLES]
    return tuple(sorted(addressed, key=lambda example: example.customer.id != customer.id))


def account_of(brand: str) -> str:
    """Our account's name on this platform."""
    return "".join(filter(str.isalnum, brand)).lower()[:20] or "brand"
