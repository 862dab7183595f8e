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
    """A complaint to click in the empty phone. ``title`` says what it shows."""

    id: str
    customer: Customer
    title: str
    text: str


EXAMPLES = (
    Example(
        "parcel",
        CUSTOMERS[0],
        "A late parcel",
        "@{brand} three weeks for a parcel and your chat just hangs up on me. unbelievable",
    ),
    Example("hold", CUSTOMERS[1], "Kept on hold", "@{brand} 40 minutes on hold AGAIN. joke of a company"),
    Example(
        "smoke",
        CUSTOMERS[2],
        "Danger: a smoking power bank",
        "@{brand} your power bank started smoking next to my kid's bed tonight",
    ),
)
"""What a newcomer may start with; ``{brand}`` is our account's name."""

REPLIES: dict[str, tuple[str, ...]] = {
    "LISTENING": (
        "and yes I did check the tracking, it hasn't moved since the 3rd",
        "it was a birthday present for my daughter",
    ),
    "REFLECTING": (
        "yes, exactly. get it here by friday or give me my money back",
        "no, that's not it, you forgot the hotline",
    ),
    "AWAITING_AGENT": ("is anybody there?",),
    "WITH_AGENT": ("any news?",),
    "AWAITING_AGREEMENT": ("ok that works", "no, that's not enough"),
    "FULFILLING": ("it still isn't here",),
    "RESOLVED": ("thank you!", "it's broken again"),
    "CHECKING_BACK": ("yes, all good, I'm happy with it. thank you!", "no. still not fixed."),
    "CLOSED": ("it has happened again",),
}
"""What a customer might say next, by the state of the conversation: one click each."""


def agent_named(agent_id: str) -> Agent:
    """The agent with that id; the first when there is none."""
    return next((agent for agent in AGENTS if agent.id == agent_id), AGENTS[0])


def example_customer(customer_id: str) -> Customer | None:
    """One of the example customers."""
    return next((customer for customer in CUSTOMERS if customer.id == customer_id), None)


def invented(name: str) -> Customer:
    """A customer who was made up on the page: the id comes from the name, so the same name is the same customer."""
    shown = " ".join(name.split())[:60]
    plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode()
    known = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40]
    handle = known or "c-" + shown.encode("utf-8", "replace").hex()[:24]
    return example_customer(handle) or Customer(id=handle, handle=handle, name=shown)
