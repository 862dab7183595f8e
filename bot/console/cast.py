"""The playground's people: example customers with something to complain about, and the agents one may act as."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from conversations.conversation import Agent, Customer
from conversations.ids import AgentId

AGENTS = (Agent(AgentId("noor"), "Noor"), Agent(AgentId("ben"), "Ben"), Agent(AgentId("ida"), "Ida (lead)"))
"""Who may sit at the desk."""

CUSTOMERS = (
    Customer(id="mara", handle="mara", name="Mara Lindt"),
    Customer(id="tom", handle="tom", name="Tom Okafor"),
    Customer(id="aisha", handle="aisha", name="Aisha Khan"),
)
"""Customers who are on the phone from the start; further ones can be invented."""


@dataclass(frozen=True, slots=True)
class Example:
    """A complaint to click in the empty phone.

    ``title`` says what it shows; ``more`` is how the story goes on, and ``yes`` the answer to its mirror.
    """

    id: str
    customer: Customer
    title: str
    text: str
    more: tuple[str, ...]
    yes: str


EXAMPLES = (
    Example(
        "parcel",
        CUSTOMERS[0],
        "A late parcel",
        "@{brand} three weeks for a parcel and your chat just hangs up on me. unbelievable",
        (
            "and yes I did check the tracking, it hasn't moved since the 3rd",
            "it was a birthday present for my daughter",
        ),
        "yes, exactly. get it here by friday or give me my money back",
    ),
    Example(
        "hold",
        CUSTOMERS[1],
        "Kept on hold",
        "@{brand} 40 minutes on hold AGAIN. joke of a company",
        ("and then the line went dead", "I only want my bill corrected, you charged me twice"),
        "yes, exactly. i want a call back today, and my bill corrected",
    ),
    Example(
        "smoke",
        CUSTOMERS[2],
        "Danger: a smoking power bank",
        "@{brand} your power bank started smoking next to my kid's bed tonight",
        ("we put it out on the balcony, everybody is fine", "it was only charging, for ten minutes"),
        "yes, exactly. tell me what to do with it, and take it back",
    ),
)
"""What a newcomer may start with; ``{brand}`` is our account's name."""

REPLIES: dict[str, tuple[str, ...]] = {
    "LISTENING": ("and nobody answers me", "it's the second time now"),
    "REFLECTING": ("yes, exactly. put it right by friday or give me my money back", "no, that's not it"),
    "AWAITING_AGENT": ("is anybody there?",),
    "WITH_AGENT": ("any news?",),
    "AWAITING_AGREEMENT": ("ok that works", "no, that's not enough"),
    "FULFILLING": ("nothing has happened yet",),
    "RESOLVED": ("thank you!", "it's gone wrong again"),
    "CHECKING_BACK": ("yes, all good, I'm happy with it. thank you!", "no. still not fixed."),
    "CLOSED": ("it has happened again",),
}
"""What a customer might say next in English, by the state of the conversation: one click each (``sayings`` has the rest)."""


def agent_named(agent_id: str) -> Agent:
    """The agent with that id; the first when there is none."""
    return next((agent for agent in AGENTS if agent.id == agent_id), AGENTS[0])


def example_customer(customer_id: str) -> Customer | None:
    """One of the example customers."""
    return next((customer for customer in CUSTOMERS if customer.id == customer_id), None)


def invented(name: str) -> Customer:
    """A customer who was made up on the page: the id comes from the name, so the same name is the same customer.

    A name in another script than the Latin keeps its letters in the handle; only the id is spelt out.
    """
    shown = " ".join(name.split())[:60]
    plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode()
    known = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40]
    whole = sum(letter.isalpha() for letter in plain) >= sum(letter.isalpha() for letter in shown)
    if known and whole:
        return example_customer(known) or Customer(id=known, handle=known, name=shown)
    return Customer(
        id="c-" + shown.encode("utf-8", "replace").hex()[:100], handle=shown.casefold().replace(" ", "_"), name=shown
    )
