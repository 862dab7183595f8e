"""What an admin may set for X: the accounts, their keys, and the prices. Plain frozen values; ``bot/config.py`` fills
them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from conversations.errors import PolicyError

API_URL = "https://api.x.com"
OVERLAP_S = 900.0
"""Mentions are indexed late: every poll reads again what was posted in the quarter of an hour before the newest one."""
TIMEOUT_S_MAX = 29.0
"""A silent server must be given up within 30 seconds (tweepy issue 2024)."""


@dataclass(frozen=True, slots=True)
class XKeys:
    """OAuth 1.0a keys of the app and of one account in it: they do not expire. ``bearer`` is only for the filtered
    stream."""

    consumer_key: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    access_token_secret: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the keys that are not set."""
        needed = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        return tuple(name for name in needed if not getattr(self, name))


@dataclass(frozen=True, slots=True)
class XPrices:
    """US dollars per item (X's pay-per-use price list, August 2026). An item read again on the same UTC day is free."""

    post_read: float = 0.005
    mention_read: float = 0.001
    user_read: float = 0.01
    message_read: float = 0.01
    message_sent: float = 0.015
    post_sent: float = 0.015
    post_with_url_sent: float = 0.20
    reply_sent: float = 0.01  # a reply to somebody who summoned us


@dataclass(frozen=True, slots=True, kw_only=True)
class XAccount:
    """One account of ours. ``name`` is what arrivals, conversations and lanes call it.

    Spans are in seconds. ``user_id`` and ``handle`` may be left empty: X is asked. ``automated_label`` is the admin's
    word that the account wears X's label "Automated": without it the bot does not speak. ``names_by_x_count``: a name
    that X itself put in front of a reply counts as a mention (whether X thinks so is unverified).
    """

    name: str
    keys: XKeys = field(default_factory=XKeys)
    user_id: str = ""
    handle: str = ""
    api_url: str = API_URL
    # reading
    poll_s: float = 30.0
    cold_start_s: float = 7200.0  # a first start takes in mentions no older than this
    direct_messages: bool = True
    authors: bool = True  # ask who wrote a mention: the handle for the desk, the label of other bots
    thread_tails: bool = True  # look up the rest of a thread before the first reply
    filtered_stream: bool = False
    blocked: frozenset[str] = frozenset()  # ids or handles whose posts are set aside
    held_days: float = 30.0  # how long a stored post is checked for its deletion
    # writing
    deep_link: bool = False  # put a link to direct messages into public replies (it may cost the price of a URL)
    urls_in_public: bool = False
    automated_label: bool = True
    names_by_x_count: bool = False
    paused: bool = False
    at_once: int = 8  # sends under way at a time on the lane of posts
    customer_daily_max: int = 10  # the bot's messages to one customer in 24 hours
    posts_daily_max: int = 2000  # the bot's public posts in 24 hours
    same_text_hourly_max: int = 12  # the bot's near-identical public posts in an hour
    recheck_s: float = 120.0  # a post not seen for so long is looked at before it is answered
    # money and patience
    daily_spend_usd_max: float = 20.0
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        key = f"x.accounts.{self.name or '?'}"
        if not self.name or ":" in self.name:
            raise PolicyError(f"{key}.name", self.name, "give a name without a colon")
        if not self.api_url.startswith(("http://", "https://")):
            raise PolicyError(f"{key}.api_url", self.api_url, f"give a URL such as {API_URL}")
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
                raise PolicyError(f"{key}.{entry.name}", value, "give 0 or more")
        if not 0 < self.timeout_s <= TIMEOUT_S_MAX:
            raise PolicyError(f"{key}.timeout_s", self.timeout_s, f"give more than 0 and at most {TIMEOUT_S_MAX:g}")
        if self.poll_s <= 0 or self.at_once < 1:
            raise PolicyError(f"{key}.poll_s", self.poll_s, "give more than 0, and at_once 1 or more")

    @property
    def base_url(self) -> str:
        """Where the API is, ready for a path that begins with ``/2``."""
        return self.api_url.strip().rstrip("/").removesuffix("/2").rstrip("/")

    @property
    def posts_lane(self) -> str:
        """The lane of public posts."""
        return f"x:{self.name}:posts"

    @property
    def messages_lane(self) -> str:
        """The lane of direct messages."""
        return f"x:{self.name}:messages"


@dataclass(frozen=True, slots=True)
class XSettings:
    """Every account, and what X charges."""

    accounts: tuple[XAccount, ...]
    prices: XPrices = field(default_factory=XPrices)

    def __post_init__(self) -> None:
        names = [account.name for account in self.accounts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PolicyError("x.accounts", twice[0], "is there twice: give each account its own name")
