"""Words leave: the rules first, then limits and money, then X; and what may have left is looked for.

What an agent wrote and is too long for one post goes out in parts, each an answer to the one before. The ids of the
parts are kept, so that a send that was cut off goes on where it stopped.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta

from bot.channels.port import Accepted, Duplicate, Refused, Rejected, Transient, Unknown, Unreachable
from bot.channels.x.arrivals import DIRECT, direct_id
from bot.channels.x.client import PAGE_MAX
from bot.channels.x.intake.deletions import look_up
from bot.channels.x.known import Seen
from bot.channels.x.limits import SEND_MESSAGE, SEND_POST
from bot.channels.x.line import STOPPED_S, Line
from bot.channels.x.parse import Message, Post, names
from bot.channels.x.problems import Problem, XError
from bot.channels.x.readback import message_among, reply_among
from bot.channels.x.rules import History, Intent, Rules, Target, may_send
from bot.channels.x.spend import Item, Purpose
from bot.store.records import OutboxRow, Place, Rank, Status
from conversations.conversation import Author, Conversation
from conversations.ids import ExternalId
from conversations.wording.length import X_DIRECT_CHARS_MAX, X_POST_WEIGHT_MAX, split_text, urls, weighted_length
from conversations.wording.request import Act, Surface

UP_S = 60.0
"""A pause after a failure that certainly sent nothing."""
JITTER_S = 10.0
MARGIN = timedelta(seconds=300)
"""By how much our clock and X's may differ, when a read-back looks for words from some instant on."""
PAGES_MAX = 40
PURPOSES = {
    Rank.RISK: Purpose.FIRST_REPLY,
    Rank.FIRST_REPLY: Purpose.FIRST_REPLY,
    Rank.AGENT: Purpose.AGENT,
    Rank.REST: Purpose.REST,
}
SPOKEN = (Status.SENT, Status.UNKNOWN, Status.SENDING)


class Sender:
    """Sends the words of one account, and reads back."""

    def __init__(self, line: Line) -> None:
        self.line = line

    # ---------------------------------------------------------------- send

    async def send(self, row: OutboxRow, case: Conversation) -> Accepted:
        """Send a row. Raises a ``DeliveryError``."""
        line = self.line
        await line.load()
        now = line.now()
        if line.health.rests(now) and line.health.until is not None:
            rest_s = (line.health.until - now).total_seconds()
            raise Transient(f"X turned the account away: {line.health.reason}", rest_s, pause_lane=True)
        text = str(row.body["text"])
        if row.place is Place.DIRECT:
            return await self.send_direct(row, case, text)
        return await self.send_public(row, case, text)

    async def send_public(self, row: OutboxRow, case: Conversation, text: str) -> Accepted:
        """A reply that everybody can read."""
        line = self.line
        done = await self.parts_done(row)
        target = await self.target_of(row, case, late=not done)
        self.judge(row, case, text, target, await self.answered(row, case))
        assert target is not None
        parts = split_text(text, X_POST_WEIGHT_MAX, weighted_length)
        if not parts:
            raise Rejected("there are no words to send")
        if len(parts) > 1 and row.author is Author.BOT:
            raise Rejected(f"too long: {weighted_length(text)} of {X_POST_WEIGHT_MAX}; the bot's words are never split")
        if len(parts) > 1 and row.attempt > 1:
            done = await self.parts_found(row, case, parts, done, target.id)
        for n in range(len(done), len(parts)):
            self.admit(SEND_POST, row, self.item(parts[n]))
            try:
                id_ = await line.client.reply(parts[n], done[-1] if done else target.id, self.item(parts[n]))
            except XError as error:
                return await self.failed(error, row, case, SEND_POST)
            done.append(id_)
            line.known.sent(id_, target.thread)
            if len(parts) > 1:
                await line.set(f"parts:{row.key}", json.dumps(done))
        now = line.now()
        line.ledger.add(row, now)
        if row.author is Author.BOT:
            line.ledger.replied_in(target.thread, now)
        return self.accepted(ExternalId(done[0]), now, SEND_POST)

    async def send_direct(self, row: OutboxRow, case: Conversation, text: str) -> Accepted:
        """A direct message."""
        line = self.line
        if not line.account.direct_messages:
            raise Refused("direct messages are switched off for this account (direct_messages)")
        self.judge(row, case, text, None, await self.answered(row, case))
        if len(text) > X_DIRECT_CHARS_MAX:
            raise Rejected(f"too long: {len(text)} of {X_DIRECT_CHARS_MAX} characters")
        self.admit(SEND_MESSAGE, row, Item.MESSAGE_SENT)
        try:
            id_ = await line.client.message(text, case.customer.id)
        except XError as error:
            return await self.failed(error, row, case, SEND_MESSAGE)
        now = line.now()
        line.known.sent(direct_id(id_))
        line.ledger.add(row, now)
        return self.accepted(direct_id(id_), now, SEND_MESSAGE)

    def accepted(self, id_: ExternalId, at: datetime, endpoint: str) -> Accepted:
        """X took it. When the limit is used up, the lane rests until it is not."""
        line = self.line
        shut = line.client.limits.closed_until(endpoint, None, at)
        next_at = shut[0] + self.jitter() if shut else None
        url = None if id_.startswith(DIRECT) else f"https://x.com/i/status/{id_}"
        return Accepted(id_, at, url, next_at)

    # ---------------------------------------------------------------- before it leaves

    def judge(
        self, row: OutboxRow, case: Conversation, text: str, target: Target | None, answered: frozenset[str]
    ) -> None:
        """The rules. Raises ``Refused``."""
        line, now = self.line, self.line.now()
        account = line.account
        intent = Intent(
            surface=Surface(row.place.value),
            text=text,
            act=Act(row.act) if row.act else None,
            customer_id=case.customer.id,
            answers=row.body.get("in_reply_to"),
            target=target,
            now=now,
            deep_link=self.deep_link() if account.deep_link else None,
        )
        public = row.place is Place.PUBLIC
        history = History(
            answered=answered,
            customer_wrote_direct=case.direct,
            opted_out=case.opted_out,
            muted=case.bot_muted,
            thread_replied_at=line.ledger.thread_replied_at(target.thread) if target else None,
            same_text=line.ledger.same_text(text, now) if public else 0,
            to_customer_today=line.ledger.to_conversation_today(case.key),
            public_today=line.ledger.public_today(now) if public else 0,
        )
        rules = Rules(
            automated_label=account.automated_label,
            paused=line.paused,
            urls_in_public=account.urls_in_public,
            customer_daily_max=account.customer_daily_max,
            posts_daily_max=account.posts_daily_max,
            same_text_hourly_max=account.same_text_hourly_max,
        )
        verdict = may_send(intent, row.author or Author.BOT, history, rules)
        if isinstance(verdict, Refused):
            raise verdict

    async def answered(self, row: OutboxRow, case: Conversation) -> frozenset[str]:
        """The customer's turns that had an automated answer, or may have."""
        if row.author is not Author.BOT or (case.replied_at is None and len(case.words_out) <= 1):
            return frozenset()  # nothing was said before
        rows = await self.line.doors.store.outbox(conversation=row.conversation)
        return frozenset(
            other.body["in_reply_to"]
            for other in rows
            if other.author is Author.BOT
            and other.key != row.key
            and other.status in SPOKEN
            and other.body.get("in_reply_to")
            and other.place is not Place.DESK
        )

    async def target_of(self, row: OutboxRow, case: Conversation, *, late: bool) -> Target | None:
        """The post to answer: the one that is meant, or the customer's latest one that names us.

        A post not seen for a while is looked at before it is answered. Raises ``Rejected`` when it is gone,
        ``Transient`` when it was edited.
        """
        wanted = row.body.get("in_reply_to")
        if wanted is None:
            return None
        posts = [turn.id for turn in reversed(case.story) if turn.surface is Surface.PUBLIC]
        candidates = list(dict.fromkeys(id_ for id_ in (wanted, *posts) if not str(id_).startswith(DIRECT)))
        first: Target | None = None
        for id_ in candidates:
            seen = await self.fresh(str(id_), row) if late else self.line.known.get(str(id_))
            seen = seen or await self.kept(str(id_), case)
            if seen is None:
                continue
            customer = case.customer.id if seen.author_id.startswith("unknown:") else seen.author_id
            target = Target(id=seen.id, author_id=customer, summons=seen.summons, thread=seen.thread, gone=seen.gone)
            if target.gone and id_ == wanted:
                raise Rejected("gone: the post that this answers was deleted or hidden")
            if target.summons and not target.gone:
                return target
            first = first or target
        return first or Target(id=str(wanted), author_id=case.customer.id, summons=False, thread=str(wanted))

    async def fresh(self, id_: str, row: OutboxRow) -> Seen | None:
        """What is known of a post; looked up when that is not from just now."""
        line, now = self.line, self.line.now()
        seen = line.known.get(id_)
        if seen is not None and (seen.gone or now - seen.seen_at <= timedelta(seconds=line.account.recheck_s)):
            return seen
        version = seen.id if seen else id_
        try:
            await look_up(line, [version], PURPOSES[row.rank])
        except XError as error:
            if error.problem in (Problem.CREDENTIALS, Problem.CREDITS) and error.status:
                raise self.turned_away(error) from error
            return seen  # better answered than never: X refuses by itself what is gone
        found = line.known.get(id_)
        if found is not None and seen is not None and found.id != version:
            raise Transient("the post was edited: it is read again first", 5.0)
        return found or seen

    async def kept(self, id_: str, case: Conversation) -> Seen | None:
        """What our own copy of a post tells, when X does not: it is answered if its author typed our name."""
        turn = await self.line.doors.store.turn(case.key, id_)
        if turn is None or turn.author is not Author.CUSTOMER or turn.text is None:
            return None
        named = any(name in self.line.doors.ours.by_handle for name in names(turn.text))
        return Seen(id_, id_, case.customer.id, case.public_root or id_, named, turn.posted_at, turn.posted_at)

    def admit(self, endpoint: str, row: OutboxRow, item: Item) -> None:
        """The claim, limits and money: asked right before every request that says something. Raises ``Unknown`` when the
        program was paused for so long that the row may be another sender's by now, ``Transient``, or ``Rejected`` when
        waiting would take longer than the words are worth."""
        line, now = self.line, self.line.now()
        if row.sending_until is not None and now >= row.sending_until:
            raise Unknown("its claim ran out before it was sent")
        if not line.meter.allows(line.meter.price(item), PURPOSES[row.rank], now):
            raise Rejected(f"budget: {line.meter.usd:.2f} of {line.meter.usd_max:.2f} dollars are spent today")
        shut = line.client.limits.closed_until(endpoint, row.rank, now)
        if shut is None:
            return
        until, everybody = shut
        raise self.wait(row, until, "X's limit is used up", pause_lane=everybody)

    def wait(self, row: OutboxRow, until: datetime, why: str, *, pause_lane: bool) -> Transient | Rejected:
        """Wait until then if the words can; an agent's are too old after a quarter of a day."""
        now = self.line.now()
        until += self.jitter()
        patience = timedelta(hours=6) if row.rank is Rank.AGENT else timedelta(hours=24)
        if until - now > patience:
            return Rejected(f"{why} until {until:%d %B %H:%M} UTC")
        return Transient(why, (until - now).total_seconds(), pause_lane=pause_lane)

    def jitter(self) -> timedelta:
        """So that not all that wait come at the same instant."""
        return timedelta(seconds=1 + self.line.doors.rng.random() * JITTER_S)

    def item(self, text: str) -> Item:
        """What a public reply is charged as."""
        return Item.POST_WITH_URL_SENT if urls(text) else Item.REPLY_SENT

    def deep_link(self) -> str:
        """A link that opens a direct message to us."""
        return f"https://x.com/messages/compose?recipient_id={self.line.known_id}"

    # ---------------------------------------------------------------- X said no

    async def failed(self, error: XError, row: OutboxRow, case: Conversation, endpoint: str) -> Accepted:
        """What a failed call means for the words. Returns when X turns out to have them; else raises a
        ``DeliveryError``."""
        line = self.line
        match error.problem:
            case Problem.NOT_SENT:
                raise Transient(f"X cannot be reached: {error.detail}", UP_S) from error
            case Problem.UNCLEAR:
                raise Unknown(error.detail) from error
            case Problem.LIMIT:
                raise self.wait(row, error.until or line.now(), "X's limit is used up", pause_lane=True) from error
            case Problem.CREDENTIALS | Problem.CREDITS:
                await line.ill("sends", error, essential=True)
                raise self.turned_away(error) from error
            case Problem.DUPLICATE:
                found = await self.find_sent(row, case)
                if found is None:
                    raise Duplicate("duplicate: X calls it a repetition, but our timeline does not show it") from error
                return found
            case Problem.BLOCKED:
                raise Unreachable("blocked: the customer blocked the account") from error
            case Problem.MESSAGES_SHUT if case.public_root is None:
                raise Unreachable("messages shut: the customer takes no direct messages from us") from error
            case Problem.MESSAGES_SHUT:
                raise Rejected(
                    "messages shut: the customer takes no direct messages from us; answer in public"
                ) from error
            case Problem.GONE:
                await self.look_after(row)
                raise Rejected("gone: the post that this answers was deleted or is hidden") from error
            case Problem.NO_SUCH_ROUTE:
                raise Rejected(f"gone: X knows neither the post nor the way ({error.detail})") from error
            case Problem.NOT_MENTIONED:
                raise Rejected(
                    "not mentioned: X lets us answer only posts whose author mentioned or quoted us"
                ) from error
            case Problem.PERMISSION:
                if endpoint == SEND_MESSAGE:
                    line.messages_open = False
                await line.alert("permission", f"the app may not do this: {error.detail}")
                raise Rejected(f"permission: {error.detail}") from error
            case _:
                raise Rejected(f"X refused it: {error.detail}") from error

    async def look_after(self, row: OutboxRow) -> None:
        """X calls a post deleted or hidden: if it is, our copy goes at once, and nobody is called to answer it."""
        seen = self.line.known.get(str(row.body.get("in_reply_to")))
        if seen is not None:
            with suppress(XError):
                await look_up(self.line, [seen.id], PURPOSES[row.rank])

    def turned_away(self, error: XError) -> Transient:
        """Keys or credits: certainly not sent, and nothing else will be for a while."""
        return Transient(f"X turned the account away: {error}", STOPPED_S, pause_lane=True)

    # ---------------------------------------------------------------- read back

    async def find_sent(self, row: OutboxRow, case: Conversation) -> Accepted | None:
        """Whether X shows these words already; None: certainly not. Raises ``Transient`` or ``Unknown``."""
        text = str(row.body["text"])
        try:
            if row.place is Place.DIRECT:
                found = await self.find_message(row, case, text)
                return None if found is None else self.accepted(direct_id(found[0]), found[1], SEND_MESSAGE)
            parts = split_text(text, X_POST_WEIGHT_MAX, weighted_length)
            done = await self.parts_found(row, case, parts, await self.parts_done(row), None)
        except XError as error:
            if error.problem is Problem.LIMIT and error.until is not None:
                raise Transient(str(error), (error.until - self.line.now()).total_seconds() + JITTER_S) from error
            raise Unknown(f"not readable: {error}") from error
        if len(done) < len(parts):
            return None
        for id_ in done:
            self.line.known.sent(id_)
        self.line.ledger.add(row, self.line.now())
        return self.accepted(ExternalId(done[0]), self.line.now(), SEND_POST)

    async def find_message(self, row: OutboxRow, case: Conversation, text: str) -> tuple[str, datetime] | None:
        """The direct message with these words."""
        line, token = self.line, None
        since = row.created_at - MARGIN
        taken = {id_.removeprefix(DIRECT) for id_ in line.known.ours if id_.startswith(DIRECT)}
        own = await line.own_id()
        for _ in range(PAGES_MAX):
            page = await line.client.messages_with(case.customer.id, token, PAGE_MAX)
            if found := message_among(page.rows, text, own, since, taken):
                return found.id, found.sent_at or line.now()
            token = page.next_token
            if token is None or any(
                isinstance(entry, Message) and entry.sent_at and entry.sent_at < since for entry in page.rows
            ):
                return None
        return None

    async def parts_done(self, row: OutboxRow) -> list[str]:
        """The parts of these words that X has accepted, as far as we wrote it down."""
        if row.author is Author.BOT or (row.attempt <= 1 and row.status is not Status.UNKNOWN):
            return []
        kept = await self.line.get(f"parts:{row.key}")
        return list(json.loads(kept)) if kept else []

    async def parts_found(
        self, row: OutboxRow, case: Conversation, parts: list[str], done: list[str], target: str | None
    ) -> list[str]:
        """The parts that X shows, the ones that we know of first. Raises ``XError``."""
        found = list(done)
        if len(found) == len(parts):
            return found
        timeline = await self.own_replies(row)
        answers = (
            {str(turn.id) for turn in case.story} | {str(row.body.get("in_reply_to"))} | ({target} if target else set())
        )
        answers |= {seen.id for id_ in list(answers) if (seen := self.line.known.get(id_))}
        taken = set(self.line.known.ours) - set(found)
        for part in parts[len(found) :]:
            post = reply_among(timeline, part, {found[-1]} if found else answers, taken)
            if post is None:
                break
            found.append(post.id)
        if len(parts) > 1 and len(found) > len(done):
            await self.line.set(f"parts:{row.key}", json.dumps(found))
        return found

    async def own_replies(self, row: OutboxRow) -> list[Post]:
        """What stands on our timeline since the words may have been sent. Raises ``XError``."""
        line, token = self.line, None
        own = await line.own_id()
        since = row.created_at - MARGIN
        wanted = row.body.get("in_reply_to")
        since_id = str(wanted) if wanted and str(wanted).isdecimal() else None
        found: list[Post] = []
        for _ in range(PAGES_MAX):
            page = await line.client.own_posts(own, since_id, token, PAGE_MAX, Purpose.AGENT)
            found += page.good
            token = page.next_token
            if token is None or any(post.posted_at is not None and post.posted_at < since for post in page.good):
                break
        return found
