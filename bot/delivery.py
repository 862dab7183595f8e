"""Delivery: the outbox leaves through the channels and the desk, each message once.

    claim (committed: *sending*) → send → report (committed: sent, or why not)

A send whose outcome is not known (a timeout, a cut connection, a crash between claim and report) becomes *unknown*. It rests
for the channel's quarantine and is then read back: found means sent; certainly absent means it may be sent again; what can
be told neither way goes to a human within ``GIVE_UP_S`` (reliability.md, "The promise"). Nothing is resent without a look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from bot.channels.port import (
    Accepted,
    Channel,
    DeliveryError,
    Refused,
    Rejected,
    TakeIn,
    Transient,
    Unknown,
    Unreachable,
)
from bot.clock import Clock
from bot.crash_points import reached
from bot.desk.port import Desk
from bot.log import get_logger
from bot.metrics import Metrics
from bot.store.port import Store, StoreUnavailable
from bot.store.records import Arrival, Kind, Lane, OutboxRow, Place, Rank, Report, Status, TurnRecord
from bot.webhook import Webhook
from conversations.comprehension.reading import RiskLevel
from conversations.conversation import Author, Conversation
from conversations.events import CustomerUnreachable, Event, FirstReplyForecast, SendFailed, WordsAccepted
from conversations.guards import RISK_ACTS
from conversations.ids import ExternalId
from conversations.policy import Policy
from conversations.protocol import OWNED
from conversations.wording.request import Act, Surface

ATTEMPTS_MAX = 5
"""Sends of one message, refusals by limits and read-backs that showed it absent included; then a human takes over."""
GIVE_UP_S = 900.0
"""What is still unknown this long after its quarantine goes to a human (reliability.md)."""
SAID_WHILE_OWNED = frozenset({Act.REOPEN.value, Act.OPT_OUT_CONFIRMED.value})
"""What the protocol's table itself lets the bot say in a case that a human owns."""
LOOK_AGAIN_S = 60.0
"""Between two read-backs of the same message."""
BACK_OFF_S = (2.0, 10.0, 60.0, 300.0)
"""After a certain failure of a send that names no time of its own."""

REPORT_AGAIN_S = 1.0
"""Between two tries to write down what became of a send, while the database is away."""
WEBHOOK_TRIED = timedelta(days=1)
"""For so long a webhook that does not answer is tried again."""

log = get_logger("delivery")


class Delivery:
    """Drains the outbox. ``decide`` is set when a report gave the engine something to decide."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: Callable[[], Policy],
        channels: Mapping[str, Channel],
        desk: Desk,
        take_in: TakeIn,
        decide: asyncio.Event,
        refusal: Callable[[OutboxRow], str | None] = lambda _row: None,
        metrics: Metrics | None = None,
        webhook: Webhook | None = None,
    ) -> None:
        """``refusal`` says why words may not leave now (paused, shadow mode), or None."""
        self.refusal = refusal
        self.metrics = metrics
        self.webhook = webhook
        self.store = store
        self.clock = clock
        self.policy = policy
        self.channels = channels
        self.desk = desk
        self.take_in = take_in
        self.decide = decide
        self.elsewhere: Callable[[], Collection[str]] = tuple
        """Lanes that another process sends on."""
        self.settling = False
        self.changed = asyncio.Event()
        self.running: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Tell the store which lanes may carry several messages at once."""
        for channel in self.channels.values():
            for lane in channel.lanes:
                await self.store.set_lane(lane)

    async def drain(self, limit: int = 64) -> int:
        """Claim what may leave and start sending it. Returns how many messages were claimed."""
        now = self.clock.now()
        reached("delivery: before claim")
        await self.store.expire_sending(now, self.quarantines)
        rows = await self.store.claim_deliveries(now, self.sending_s, limit, self.elsewhere())
        reached("delivery: after claim")
        for row in rows:
            task = asyncio.create_task(self.deliver(row), name=f"deliver {row.key}")
            self.running.add(task)
            task.add_done_callback(self.finished)
        return len(rows)

    async def settle(self) -> None:
        """Wait for the sends that are under way."""
        self.settling = True
        while self.running:
            await asyncio.wait(self.running)
        self.settling = False

    def finished(self, task: asyncio.Task[None]) -> None:
        """A send is over: look for more. A bug in it is logged; the claim runs out and the row is read back."""
        self.running.discard(task)
        self.changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery failed", task=task.get_name(), error=repr(error))

    @property
    def quarantines(self) -> dict[str, float]:
        """Seconds of quarantine by channel, and for the desk."""
        return {name: channel.quarantine_s for name, channel in self.channels.items()} | {
            "desk": self.desk.quarantine_s
        }

    @property
    def sending_s(self) -> float:
        """How long a claim lasts: the slowest sender's time, and some."""
        return 5.0 + max([self.desk.sending_s, *(channel.sending_s for channel in self.channels.values())])

    async def deliver(self, row: OutboxRow) -> None:
        """One claimed row: send it, or read it back, and report."""
        case = await self.store.conversation(row.conversation)
        if case is None or (row.place is not Place.DESK and row.channel not in self.channels):
            await self.report(row, Status.FAILED, reason="its conversation or channel is gone")
            return
        looking = row.status is Status.UNKNOWN
        if not looking and row.sending_until is not None and self.clock.now() >= row.sending_until:
            log.warning("claim ran out before it was sent", key=row.key)
            return  # the program was paused: by now the row may be another sender's
        if not looking and self.is_held(row, case):
            await self.hold(row)
            return
        reached("delivery: before look" if looking else "delivery: before send")
        try:
            accepted = await (self.look(row, case) if looking else self.send(row, case))
        except asyncio.CancelledError:
            raise
        except DeliveryError as error:
            await self.failed(row, case, error)
        except Exception as error:  # a bug in an adapter must not decide that nothing was sent
            log.exception("adapter failed", key=row.key, error=repr(error))
            await self.failed(row, case, Unknown(f"{type(error).__name__}: {error}"))
        else:
            reached("delivery: after look" if looking else "delivery: after send")
            if accepted is None:
                await self.absent(row, case)
            else:
                await self.accepted(row, case, accepted)

    def is_held(self, row: OutboxRow, case: Conversation) -> bool:
        """Whether it is a first reply about a topic that was put on hold after the reply was written: with X's limits a storm's
        first replies wait here for an hour. Words to somebody in danger are never held."""
        first = row.kind is Kind.WORDS and row.author is Author.BOT and case.replied_at is None
        return first and row.rank is not Rank.RISK and self.policy().is_held(case.topics)

    async def hold(self, row: OutboxRow) -> None:
        """It waits for a person, and is looked at as often as what the engine holds; the alarms ring for both."""
        await self.resume(row, "its topic is on hold", self.clock.now() + timedelta(seconds=self.policy().hold_look_s))

    async def send(self, row: OutboxRow, case: Conversation) -> Accepted:
        """Out into the world."""
        if row.place is Place.DESK:
            return await self.desk.deliver(row, case)
        if row.place is Place.WEBHOOK:
            if self.webhook is None:
                raise Rejected("no webhook is configured any more")
            return await self.webhook.post(row)
        if (reason := self.refusal(row)) is not None:
            raise Refused(reason)
        return await self.channels[row.channel].send(row, case)

    async def look(self, row: OutboxRow, case: Conversation) -> Accepted | None:
        """Read back what may have been sent."""
        if row.place is Place.WEBHOOK:
            return None  # the receiver drops repeats by the id
        if row.place is Place.DESK:
            return await self.desk.find_shown(row, case)
        return await self.channels[row.channel].find_sent(row, case)

    # ---------------------------------------------------------------- outcomes

    async def accepted(self, row: OutboxRow, case: Conversation, accepted: Accepted) -> None:
        """The platform has it."""
        event: Event | None = None
        turn: TurnRecord | None = None
        if row.kind is Kind.WORDS:
            author = row.author or Author.BOT
            act = Act(row.act) if row.act else None
            event = WordsAccepted(
                key=row.key, id=accepted.id, accepted_at=accepted.at, author=author, act=act, url=accepted.url
            )
            turn = TurnRecord(
                conversation=row.conversation,
                id=accepted.id,
                author=author,
                place=row.place,
                text=accepted.text or row.body["text"],
                posted_at=accepted.at,
                agent=row.body.get("agent"),
                act=row.act,
                template=row.template,
                key=row.key,
                url=accepted.url,
            )
        await self.report(row, Status.SENT, external_id=accepted.id, url=accepted.url, event=event, turn=turn)
        if accepted.next_at is not None:
            await self.pause(row, case, accepted.next_at)

    async def absent(self, row: OutboxRow, case: Conversation) -> None:
        """The read-back shows that it did not land: it may be sent again, a few times."""
        if row.attempt >= ATTEMPTS_MAX:
            await self.give_up(row, Status.FAILED, "sent several times, and never arrived")
        else:
            await self.resume(row, "read back: absent", self.clock.now())

    async def failed(self, row: OutboxRow, case: Conversation, error: DeliveryError) -> None:
        """It was not delivered, or nobody knows."""
        now = self.clock.now()
        match error:
            case Unreachable():
                event = CustomerUnreachable(reason=error.reason, key=row.key) if row.kind is Kind.WORDS else None
                await self.report(row, Status.REJECTED, reason=error.reason, event=event)
            case Rejected():
                await self.give_up(row, Status.REJECTED, error.reason)
            case Refused():
                await self.give_up(row, Status.REFUSED, error.reason)
            case Transient() if row.status is Status.UNKNOWN:
                await self.unknown(row, error.reason, now)
            case Transient():
                await self.again(row, case, error, now)
            case _:
                await self.unknown(row, str(error), now)

    async def again(self, row: OutboxRow, case: Conversation, error: Transient, now: datetime) -> None:
        """Certainly not delivered: after a while, within the deadline, then a human."""
        wait_s = error.retry_after_s or BACK_OFF_S[min(row.attempt, len(BACK_OFF_S)) - 1]
        next_at = now + timedelta(seconds=wait_s)
        if error.pause_lane:
            await self.pause(row, case, next_at)
        if self.window_breaks(row, case, next_at):
            await self.give_up(row, Status.FAILED, f"{error.reason}: no second try fits into the window")
        elif row.place is Place.WEBHOOK and now > row.created_at + WEBHOOK_TRIED:
            await self.give_up(row, Status.FAILED, f"{error.reason} (tried for a day)")
        elif row.attempt >= ATTEMPTS_MAX and not error.pause_lane:
            await self.give_up(row, Status.FAILED, f"{error.reason} (tried {row.attempt} times)")
        else:
            await self.resume(row, error.reason, next_at)

    async def resume(self, row: OutboxRow, reason: str, not_before: datetime) -> None:
        """It certainly did not land, and may leave again. What happened meanwhile counts as if it had never left: words of
        the bot are taken back where they would have been, and wait while the customer is still writing."""
        case = await self.store.conversation(row.conversation)
        if case is not None and row.kind is Kind.WORDS and row.author is Author.BOT and row.rank is not Rank.RISK:
            if (why := self.taken_back(row, case)) is not None:
                await self.give_up(row, Status.WITHDRAWN, f"{reason}; and {why}")
                return
            if case.last_posted_at is not None and case.last_posted_at > row.created_at:
                quiet = self.policy().quiet_s
                quiet_s = quiet.direct if case.last_surface is Surface.DIRECT else quiet.public
                not_before = max(not_before, case.last_posted_at + timedelta(seconds=quiet_s))
                if row.due_at is not None:
                    not_before = max(self.clock.now(), min(not_before, row.due_at))
        await self.report(row, Status.PENDING, reason=reason, not_before=not_before)

    @staticmethod
    def taken_back(row: OutboxRow, case: Conversation) -> str | None:
        """Why words of the bot are not to be said any more, or None: what the table withdraws while words are on their way."""
        if row.act == Act.OPT_OUT_CONFIRMED.value:
            return None
        if case.opted_out or case.bot_muted:
            return "the bot was silenced"
        safety = any(words.act in RISK_ACTS.values() for words in case.words_out)
        if safety or any(t.posted_at > row.created_at and t.reading.risk_level is RiskLevel.RED for t in case.story):
            return "somebody is in danger"
        if case.state in OWNED and row.act not in SAID_WHILE_OWNED:
            return "a human has taken over"
        first = bool(row.body.get("first_reply"))
        if (first and case.replied_at is not None) or (case.said_at is not None and case.said_at > row.created_at):
            return "somebody has answered"
        return None

    def window_breaks(self, row: OutboxRow, case: Conversation, next_at: datetime) -> bool:
        """Whether waiting until then would break the first reply's window."""
        if row.kind is not Kind.WORDS or case.replied_at is not None or row.author is not Author.BOT:
            return False
        return next_at > case.first_posted_at + timedelta(seconds=self.policy().window_s) > self.clock.now()

    async def unknown(self, row: OutboxRow, reason: str, now: datetime) -> None:
        """It rests, and is looked for; in the end a human looks."""
        quarantine_s = self.quarantines["desk" if row.place is Place.DESK else row.channel]
        if row.status is not Status.UNKNOWN or row.unknown_since is None:
            wait_s = quarantine_s
        elif now >= row.unknown_since + timedelta(seconds=quarantine_s + GIVE_UP_S):
            await self.give_up(
                row, Status.FAILED, f"nobody knows whether it was sent ({reason}): look before you resend"
            )
            return
        else:
            wait_s = LOOK_AGAIN_S
        await self.report(row, Status.UNKNOWN, reason=reason, not_before=now + timedelta(seconds=wait_s))

    async def give_up(self, row: OutboxRow, status: Status, reason: str) -> None:
        """It will not be delivered by us: whoever is concerned hears of it."""
        event: Event | None = None
        if row.kind is Kind.WORDS:
            event = SendFailed(
                key=row.key,
                author=row.author or Author.BOT,
                act=Act(row.act) if row.act else None,
                reason=reason,
                text=row.body["text"],
            )
        else:
            log.error("desk row failed", key=row.key, kind=row.kind.value, reason=reason)
            await self.desk.alert("desk_row_failed", f"{row.kind.value} of {row.conversation}: {reason}")
        await self.report(row, status, reason=reason, event=event)

    async def report(
        self,
        row: OutboxRow,
        status: Status,
        *,
        reason: str | None = None,
        external_id: ExternalId | None = None,
        url: str | None = None,
        not_before: datetime | None = None,
        event: Event | None = None,
        turn: TurnRecord | None = None,
    ) -> None:
        """Write down what became of it. A claim that was overtaken reports in vain."""
        report = Report(
            key=row.key,
            fence=row.fence,
            status=status,
            at=self.clock.now(),
            reason=reason,
            external_id=external_id,
            url=url,
            not_before=not_before,
            event=event,
            turn=turn,
        )
        reached("delivery: before report")
        current = await self.written(report)
        reached("delivery: after report")
        if self.metrics is not None and current:
            case = await self.store.conversation(row.conversation) if row.kind is Kind.WORDS else None
            self.metrics.report(row, status, case, report.at.timestamp())
        log.info("delivered", key=row.key, kind=row.kind.value, act=row.act, status=status.value, reason=reason)
        if not current:
            log.warning("report of an overtaken claim", key=row.key, status=status.value)
        elif event is not None:
            self.decide.set()

    async def written(self, report: Report) -> bool:
        """Write a report down; while the database is away again and again, for as long as the claim may last: what is known
        need not be read back. Raises ``StoreUnavailable`` when it stays away, or we are to stop."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.sending_s
        while True:
            try:
                (current,) = await self.store.report_deliveries([report])
                return current
            except StoreUnavailable as error:
                if self.settling or loop.time() >= until:
                    raise
                log.warning("report not written yet", key=report.key, error=str(error))
            await asyncio.sleep(REPORT_AGAIN_S)

    async def pause(self, row: OutboxRow, case: Conversation, until: datetime) -> None:
        """Pace a lane. If first replies that wait on it would break their window, their conversations are told now."""
        channel = self.channels.get(row.channel)
        at_once = next((lane.at_once for lane in channel.lanes if lane.key == row.lane), 1) if channel else 1
        await self.store.set_lane(Lane(row.lane, until, at_once))
        if until <= self.clock.now() + timedelta(seconds=LOOK_AGAIN_S):
            return
        waiting = await self.store.outbox(statuses=(Status.PENDING.value,), limit=1000)
        forecasts = [
            Arrival(
                channel=other.channel,
                account=other.account,
                id=ExternalId(f"forecast:{other.key}"),
                event=FirstReplyForecast(reason=f"limits until {until:%H:%M} UTC"),
                at=self.clock.now(),
                conversation=other.conversation,
            )
            for other in waiting
            if other.lane == row.lane
            and other.rank is Rank.FIRST_REPLY
            and other.due_at is not None
            and other.due_at < until
        ]
        if forecasts:
            await self.take_in(forecasts)
