"""A simulated platform where customers write, and the Channel port in front of it: late, lossy, and strict about what it logs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial

from bot.channels.port import Accepted, Alert, Channel, Rejected, TakeIn, Transient, Unknown, Unreachable
from bot.clock import Clock
from bot.store.port import Store, StoreUnavailable
from bot.store.records import Arrival, Lane, OutboxRow
from bot.store.sqlite import SqliteStore
from conversations.comprehension import Reader
from conversations.comprehension.reading import Reading, ReadingContext
from conversations.conversation import Conversation, Customer
from conversations.events import CustomerPosted, PostDeleted, PostEdited
from conversations.ids import ExternalId
from conversations.policy import ChannelTraits, Policy
from conversations.wording.request import Surface
from tests.simulation.wire import LAG_S_MAX, Cut, Refusal, Sent, Trouble, Wire, sending_key
from tests.simulation.world import World

ACCOUNT = "brand"
NAME = "sim"
OVERLAP = 8
"""How many items behind its cursor the channel reads again: late-indexed ones are among them."""
CURSOR = "sim.cursor"


@lru_cache(maxsize=20_000)
def read(text: str) -> Reading:
    """What the real reader understands; reading is pure, so each text is read once."""
    return Reader.default().read(text, ReadingContext(channel=NAME))


@dataclass(frozen=True, slots=True)
class Item:
    """Something a customer did, as the platform's feed shows it."""

    id: str
    what: str
    customer: Customer
    post: str
    text: str
    surface: Surface
    at: datetime
    in_reply_to: str | None = None
    media: int = 0


class Platform:
    """The platform: who wrote what, what it shows to whom and when, and the log of what it accepted from us."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng("platform")
        self.wire = Wire(world, NAME)
        self.feed: list[Item] = []
        """What the program may read, in the order in which it became visible."""
        self.posts: dict[str, Item] = {}
        self.deleted: set[str] = set()
        self.blocked: set[str] = set()
        self.log: list[Sent] = []
        self.visible_at: dict[int, float] = {}
        self.on_sent: Callable[[Sent], None] = lambda sent: None
        self.on_feed: Callable[[], None] = lambda: None
        self.late_next = 0
        self.duplicate_next = 0
        self.shuffle_next = False
        self.serial = 0

    # ---------------------------------------------------------------- customers' side

    def enrol(self, name: str, time_zone: str | None) -> Customer:
        """A customer gets an account."""
        return Customer(name, handle=f"h_{name}", name=name.title(), time_zone=time_zone)

    def repeat(self, count: int) -> None:
        """The next items are shown three times."""
        self.duplicate_next += count

    def shuffle(self) -> None:
        """The next items are shown in another order."""
        self.shuffle_next = True

    def block(self, customer: str) -> None:
        """From now on nothing of ours is taken for this customer."""
        self.blocked.add(customer)

    def author_of(self, post: str) -> str | None:
        """Who wrote a post."""
        return self.posts[post].customer.id if post in self.posts else None

    def plan(self, endpoint: str, trouble: Trouble) -> None:
        """The next such call goes wrong."""
        self.wire.plan(endpoint, trouble)

    def channel(self, clock: Clock, store: SqliteStore, process: str, alert: Alert, policy: Policy) -> Channel:
        """The channel of one process."""
        return SimChannel(self, clock, store, read, process, policy.traits(NAME))

    def write(
        self, customer: Customer, text: str, surface: Surface, in_reply_to: str | None = None, media: int = 0
    ) -> str:
        """A customer posts. Returns the post's id."""
        self.serial += 1
        post = f"p{self.serial}"
        item = Item(post, "post", customer, post, text, surface, self.world.now, in_reply_to, media)
        self.posts[post] = item
        self.world.write(f"{customer.id} posts {post} {surface.value}")
        lag_s = self.rng.uniform(0.1, 5.0)
        if self.late_next:
            self.late_next -= 1
            lag_s = self.rng.choice((300.0, 3000.0, 9000.0, 9000.0))
            self.world.fault("late-indexed mention", post)
        self.world.after(lag_s, partial(self.show, item))
        return post

    def edit(self, post: str, text: str) -> None:
        """A customer edits a post."""
        before = self.posts[post]
        self.serial += 1
        self.world.write(f"{before.customer.id} edits {post}")
        item = Item(f"{post}:edit:{self.serial}", "edit", before.customer, post, text, before.surface, self.world.now)
        self.world.after(self.rng.uniform(0.1, 5.0), partial(self.show, item))

    def delete(self, post: str) -> None:
        """A customer deletes a post."""
        before = self.posts[post]
        self.deleted.add(post)
        self.world.write(f"{before.customer.id} deletes {post}")
        item = Item(f"{post}:delete", "delete", before.customer, post, "", before.surface, self.world.now)
        self.world.after(self.rng.uniform(0.1, 5.0), partial(self.show, item))

    def show(self, item: Item) -> None:
        """An item becomes visible; mischief may happen to the order and the number of its appearances."""
        self.feed.append(item)
        if self.duplicate_next:
            self.duplicate_next -= 1
            self.feed += [item, item]
            self.world.fault("duplicate delivery", item.id)
        if self.shuffle_next and len(self.feed) > 1:
            self.shuffle_next = False
            tail = self.feed[-6:]
            self.rng.shuffle(tail)
            self.feed[-6:] = tail
            self.world.fault("reorder", item.id)
        self.on_feed()

    # ---------------------------------------------------------------- our side

    def accept(self, key: str, process: str, to: str, place: str, text: str, in_reply_to: str | None) -> Sent:
        """Take a message of ours. Raises ``Refusal``."""
        if to in self.blocked:
            raise Refusal(403, Trouble.PERMANENT)
        sent = Sent(len(self.log) + 1, self.world.t, NAME, key, process, to, place, text, in_reply_to)
        self.log.append(sent)
        self.visible_at[sent.n] = self.world.t + self.rng.choice((0.0, 1.0, 30.0, LAG_S_MAX))
        self.world.write(f"accepted {sent.id} {key} for {to} {place}: {text!r}")
        self.on_sent(sent)
        return sent

    def find(self, key: str) -> Sent | None:
        """Read back a message by the key it carried; what is not indexed yet is not found."""
        for sent in self.log:
            if sent.key == key and self.visible_at[sent.n] <= self.world.t:
                return sent
        return None

    def read(self, cursor: int) -> tuple[list[Item], int]:
        """The feed from a cursor on, and the new cursor."""
        return self.feed[cursor:], len(self.feed)


class SimChannel:
    """The Channel port on the simulated platform, one per process."""

    name = NAME
    quarantine_s = 600.0
    sending_s = 30.0

    def __init__(
        self,
        platform: Platform,
        clock: Clock,
        store: Store,
        read: Callable[[str], Reading],
        process: str,
        traits: ChannelTraits,
    ) -> None:
        self.platform = platform
        self.clock = clock
        self.store = store
        self.read = read
        self.process = process
        self.traits = traits
        self.lanes: Sequence[Lane] = (Lane("sim:public", None, 4), Lane("sim:direct", None, 2))
        self.take_in: TakeIn | None = None
        self.changed = asyncio.Event()

    def lane(self, conversation: Conversation, place: str) -> str:
        """One lane for public posts, one for direct messages."""
        return f"sim:{place}"

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """Direct messages are possible."""
        return True

    def direct_link(self, conversation: Conversation) -> str | None:
        """There is none."""
        return None

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """See ``Channel.send``."""
        key, to, place = sending_key() or row.key, conversation.customer.id, row.place.value
        work = partial(
            self.platform.accept, key, self.process, to, place, row.body["text"], row.body.get("in_reply_to")
        )
        try:
            sent = await self.platform.wire.call("send", work)
        except Cut as cut:
            raise Unknown(str(cut)) from cut
        except Refusal as refusal:
            raise translated(refusal, to in self.platform.blocked) from refusal
        pace = self.clock.now() + timedelta(seconds=0.2) if place == "public" else None
        return Accepted(ExternalId(sent.id), self.clock.now(), next_at=pace)

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """See ``Channel.find_sent``."""
        try:
            sent = await self.platform.wire.call("look", partial(self.platform.find, row.key))
        except (Cut, Refusal) as error:
            raise Unknown(str(error)) from error
        return Accepted(ExternalId(sent.id), self.clock.now()) if sent else None

    async def run(self) -> None:
        """Read the feed whenever there is more of it; what the store did not take is read again."""
        cursor = int(json.loads(await self.store.get_meta(CURSOR) or "0"))
        while True:
            if cursor >= len(self.platform.feed):
                self.changed.clear()
                await self.changed.wait()
            try:
                items, new = await self.platform.wire.call(
                    "read", partial(self.platform.read, max(0, cursor - OVERLAP))
                )
                arrivals = [self.arrival(item) for item in items]
                assert self.take_in is not None
                await self.take_in(arrivals)
                await self.store.set_meta(CURSOR, str(new))
                cursor = new
            except (Cut, Refusal, StoreUnavailable):
                await asyncio.sleep(5.0)

    def arrival(self, item: Item) -> Arrival:
        """An item of the feed as intake wants it."""
        post = ExternalId(item.post)
        if item.what == "post":
            posted = CustomerPosted(
                id=post,
                posted_at=item.at,
                surface=item.surface,
                text=item.text,
                reading=self.read(item.text),
                media=item.media,
                in_reply_to=ExternalId(item.in_reply_to) if item.in_reply_to else None,
            )
            return Arrival(
                channel=NAME, account=ACCOUNT, id=post, event=posted, at=self.clock.now(), customer=item.customer
            )
        event: PostEdited | PostDeleted = PostDeleted(id=post, deleted_at=item.at)
        if item.what == "edit":
            event = PostEdited(id=post, edited_at=item.at, text=item.text, reading=self.read(item.text))
        return Arrival(
            channel=NAME, account=ACCOUNT, id=ExternalId(item.id), event=event, at=self.clock.now(), about=post
        )

    async def close(self) -> None:
        """Nothing to let go of."""


def translated(refusal: Refusal, blocked: bool) -> Exception:
    """What an answer means for delivery: the same reading as the X channel's."""
    match refusal.trouble:
        case Trouble.PERMANENT:
            return Unreachable("blocked") if blocked else Rejected("not allowed")
        case Trouble.DUPLICATE | Trouble.SERVER_ERROR:
            return Unknown(str(refusal))
        case _:
            return Transient(str(refusal), refusal.retry_after_s, pause_lane=True)
