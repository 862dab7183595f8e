"""What X costs: a meter per account and UTC day with a breaker, and the forecast that ``docs/x.md`` is made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from bot.channels.x.settings import XPrices


class Item(StrEnum):
    """What X charges for; the values are the fields of ``XPrices``."""

    POST_READ = "post_read"
    MENTION_READ = "mention_read"
    USER_READ = "user_read"
    MESSAGE_READ = "message_read"
    MESSAGE_SENT = "message_sent"
    POST_SENT = "post_sent"
    POST_WITH_URL_SENT = "post_with_url_sent"
    REPLY_SENT = "reply_sent"


ITEMS_MAX = 1_000_000
"""As many as anybody asks for: the price is 0."""


class Purpose(Enum):
    """What money is for, and the part of the day's budget that may be used up by then: the last dollars are for
    people."""

    AGENT = 1.0
    FIRST_REPLY = 0.97
    READING = 0.95
    REST = 0.85
    EXTRAS = 0.75  # thread tails, authors, our own timeline
    CHECKS = 0.5  # looking for deletions of old posts


class SpendMeter:
    """Dollars of one account on one UTC day. ``usd_max``: the most that the admin allows."""

    def __init__(self, prices: XPrices, usd_max: float) -> None:
        self.prices = prices
        self.usd_max = usd_max
        self.day = ""
        self.usd = 0.0
        self.items: Counter[str] = Counter()
        self.dirty = False
        self._reserved = 0.0
        self._read_today: set[tuple[Item, str]] = set()

    def turn(self, now: datetime) -> None:
        """A new day begins with nothing spent."""
        day = f"{now:%Y-%m-%d}"
        if day != self.day:
            self.day, self.usd, self.items, self.dirty = day, 0.0, Counter(), True
            self._read_today.clear()

    def price(self, item: Item) -> float:
        """Dollars for one."""
        price: float = getattr(self.prices, item.value)
        return price

    def read(self, item: Item, ids: Iterable[str], now: datetime) -> None:
        """Items came with an answer; one that was read today already is free."""
        self.turn(now)
        fresh = {(item, id_) for id_ in ids} - self._read_today
        self._read_today |= fresh
        self.add(item, len(fresh), now)

    def add(self, item: Item, count: int, now: datetime) -> None:
        """Charge for items."""
        self.turn(now)
        if count:
            self.items[item.value] += count
            self.usd += count * self.price(item)
            self.dirty = True

    def allows(self, usd: float, purpose: Purpose, now: datetime) -> bool:
        """Whether so much may be spent for this purpose on top of what is spent and reserved."""
        self.turn(now)
        return self.usd + self._reserved + usd <= self.usd_max * purpose.value + 1e-9

    def affords(self, price: float, purpose: Purpose, now: datetime) -> int:
        """How many items of a price may be asked for."""
        self.turn(now)
        left = self.usd_max * purpose.value - self.usd - self._reserved
        return max(0, int(left / price + 1e-9)) if price > 0 else ITEMS_MAX

    @contextmanager
    def reserve(self, usd: float) -> Iterator[None]:
        """Hold money for a call under way."""
        self._reserved += usd
        try:
            yield
        finally:
            self._reserved -= usd

    @property
    def share(self) -> float:
        """The part of the day's budget that is spent, 0..1 (1 when nothing is allowed)."""
        return min(1.0, self.usd / self.usd_max) if self.usd_max > 0 else 1.0

    def report(self, now: datetime) -> dict[str, Any]:
        """For ``status``, metrics and the console."""
        self.turn(now)
        return {
            "day": self.day,
            "usd": round(self.usd, 4),
            "usd_max": self.usd_max,
            "items": dict(self.items),
            "stopped": [purpose.name.lower() for purpose in Purpose if not self.allows(0.0001, purpose, now)],
        }

    def dump(self) -> str:
        """To be kept over restarts."""
        self.dirty = False
        return json.dumps({"day": self.day, "usd": self.usd, "items": dict(self.items)})

    def load(self, text: str | None, now: datetime) -> None:
        """Go on where the last run of the same day ended."""
        kept = json.loads(text) if text else {}
        if kept.get("day") == f"{now:%Y-%m-%d}":
            self.day, self.usd, self.items = kept["day"], kept["usd"], Counter(kept["items"])


@dataclass(frozen=True, slots=True)
class Usage:
    """What a day looks like. Shares are of mentions unless named otherwise; the defaults are docs/x.md's
    assumptions."""

    complaints: float = 0.4  # mentions that open a conversation
    tails: float = 0.2  # posts found by looking up threads, per conversation
    direct: float = 0.5  # conversations that move to direct messages
    messages_in: float = 4.0  # per conversation there
    messages_out: float = 4.0
    public_out: float = 1.2  # public replies per conversation: ours and agents'
    authors_known: float = 0.2  # mentions whose author was seen on the same day
    rechecked: float = 0.3  # public replies before which the post is looked at again
    held_days: float = 30.0  # how long stored posts are checked for deletion, once a day
    shown: float = 800.0  # mentions that X shows: these are checked at the price of a mention


def daily_cost(mentions: int, prices: XPrices, *, authors: bool = True, usage: Usage = Usage()) -> Mapping[str, float]:
    """Dollars a day by purpose for a number of mentions a day."""
    cases = mentions * usage.complaints
    public_out, direct_cases = cases * usage.public_out, cases * usage.direct
    held = mentions * usage.held_days
    shown = min(held, usage.shown)
    return {
        "mentions": mentions * prices.mention_read,
        "authors": mentions * (1 - usage.authors_known) * prices.user_read if authors else 0.0,
        "threads": cases * usage.tails * prices.post_read,
        "messages read": direct_cases * (usage.messages_in + usage.messages_out) * prices.message_read,
        "own timeline": public_out * prices.post_read,
        "posts looked at again": public_out * usage.rechecked * prices.post_read,
        "deletion checks": shown * prices.mention_read + (held - shown) * prices.post_read,
        "public replies": public_out * prices.reply_sent,
        "messages sent": direct_cases * usage.messages_out * prices.message_sent,
    }


def cost_table(days: Iterable[int], prices: XPrices) -> str:
    """The costs as a Markdown table, one column per number of mentions a day."""
    columns = [(mentions, daily_cost(mentions, prices)) for mentions in days]
    lines = ["| US dollars a day | " + " | ".join(f"{mentions:,} mentions" for mentions, _ in columns) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for purpose in columns[0][1]:
        figures = " | ".join(f"{cost[purpose]:,.2f}" for _, cost in columns)
        lines.append(f"| {purpose} | {figures} |")
    lines.append("| **all** | " + " | ".join(f"**{sum(cost.values()):,.2f}**" for _, cost in columns) + " |")
    return "\n".join(lines)
