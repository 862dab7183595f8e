"""The rules that keep the account: one pure function in front of every send.

Sources: X's automation rules and developer policy (shared facts, August 2026): replies only to posts whose author
mentioned or quoted us; one automated reply per interaction; direct messages only after the customer wrote one;
opt-out at once; a labelled account; no near-identical mass posting. What an agent triggers is a human's: it may
correct itself, and is not counted as the bot's. A refusal is never retried: the desk gets it with its reason.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channels.port import Refused
from conversations.conversation import Author
from conversations.wording.length import urls
from conversations.wording.request import Act, Surface

UNPROMPTED = frozenset({Act.HOLDING, Act.CHECK_BACK, Act.PROMISE_UPDATE})
"""Acts that answer no new post of the customer."""
PRESSING = frozenset({act for act in Act if act.value.startswith("risk_")} | {Act.OPT_OUT_CONFIRMED})
"""Acts that our own caps must not hold up: somebody is in danger, or wants us to stop."""
THREAD_S = 3600.0
"""One reply of the bot per X thread in this time."""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The customer's post that a public reply would answer. ``summons``: its author mentioned or quoted us
    explicitly."""

    id: str
    author_id: str
    summons: bool
    thread: str
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to be said. ``answers`` is the customer's turn that it answers, None for words of our own
    accord."""

    surface: Surface
    text: str
    act: Act | None
    customer_id: str
    answers: str | None
    target: Target | None
    now: datetime
    deep_link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened before. Only the bot's own words count in the figures.

    ``answered``: the customer's turns that have had an automated answer. ``thread_replied_at``: the bot's last reply
    in the target's thread, whoever it answered. ``same_text``: near-identical public posts in the last hour.
    """

    answered: AbstractSet[str] = frozenset()
    customer_wrote_direct: bool = False
    opted_out: bool = False
    muted: bool = False
    thread_replied_at: datetime | None = None
    same_text: int = 0
    to_customer_today: int = 0
    public_today: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the admin allows, from ``XAccount``."""

    automated_label: bool = True
    paused: bool = False
    urls_in_public: bool = False
    customer_daily_max: int = 10
    posts_daily_max: int = 2000
    same_text_hourly_max: int = 12


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be sent."""


def may_send(intent: Intent, author: Author, history: History, policy: Rules) -> Allowed | Refused:
    """Whether words may leave. Pure; the reason of a refusal is for the desk."""
    reason = of_surface(intent, author, history, policy)
    if reason is None and author is Author.BOT:
        reason = of_bot(intent, history, policy)
    return Allowed() if reason is None else Refused(reason)


def of_surface(intent: Intent, author: Author, history: History, policy: Rules) -> str | None:
    """What X asks of everybody, human or not."""
    if intent.surface is Surface.DIRECT:
        if not history.customer_wrote_direct:
            return "not opened: direct messages may only be sent after the customer wrote one"
        return None
    target = intent.target
    if target is None:
        return "unprompted: a public post must answer a post of the customer"
    if target.gone:
        return "gone: the post that this answers was deleted or hidden"
    if not target.summons:
        return "not mentioned: X lets us answer only posts whose author mentioned or quoted us; answer by hand on X"
    if target.author_id != intent.customer_id:
        return "wrong person: the post that this answers is not the customer's"
    links = [intent.text[start:end] for start, end in urls(intent.text)]
    if not policy.urls_in_public and any(link != intent.deep_link for link in links):
        return "link: public posts with a URL cost twenty times as much and are switched off (urls_in_public)"
    return None


def of_bot(intent: Intent, history: History, policy: Rules) -> str | None:
    """What is asked of the bot besides."""
    if policy.paused:
        return "paused: the bot is switched off for this account"
    if not policy.automated_label:
        return "no label: the account does not wear X's label Automated, so the bot may not speak (automated_label)"
    if history.opted_out and intent.act is not Act.OPT_OUT_CONFIRMED:
        return "opted out: the customer wants no automated messages"
    if history.muted and intent.act is not Act.OPT_OUT_CONFIRMED:
        return "muted: an agent switched the bot off for this conversation"
    unprompted = intent.act in UNPROMPTED
    if unprompted and intent.surface is Surface.PUBLIC:
        return f"unprompted: {intent.act} may only be said in direct messages that the customer opened"
    if not unprompted and intent.answers is None:
        return "unprompted: automated words must answer something that the customer wrote"
    if not unprompted and intent.answers in history.answered:
        return "answered: this message of the customer has had its one automated reply"
    if intent.act in PRESSING:
        return None
    if history.to_customer_today >= policy.customer_daily_max:
        return f"daily cap: the bot has written {history.to_customer_today} times to this customer in 24 hours"
    if intent.surface is Surface.PUBLIC:
        return of_public_bot(intent, history, policy)
    return None


def of_public_bot(intent: Intent, history: History, policy: Rules) -> str | None:
    """What keeps the bot from flooding the timeline."""
    last = history.thread_replied_at
    if last is not None and intent.now - last < timedelta(seconds=THREAD_S):
        return "thread: the bot has answered in this thread within the hour; what follows is for a human"
    if history.public_today >= policy.posts_daily_max:
        return f"daily cap: the bot has posted {history.public_today} times in 24 hours"
    if history.same_text >= policy.same_text_hourly_max:
        return f"same text: nearly these words were posted {history.same_text} times in an hour"
    return None
