"""The store against a model of a few dictionaries: whatever happens in whatever order, both say the same."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.store.port import Store
from bot.store.records import Claimed, Decision, Lane, OutboxRow, Place, Postpone, Rank, Report, Status
from bot.store.sqlite import SqliteStore
from conversations.conversation import Author
from conversations.ids import ConversationKey, EffectKey
from conversations.protocol import State
from tests.contracts.backends import PostgresServer
from tests.contracts.examples import act, at, consume, must_not_route, open_or_join, post, quiet_timer, row

UNFINISHED = (Status.PENDING, Status.SENDING, Status.UNKNOWN)
LANES = ("l0", "l1")
QUARANTINE_S = 50.0
SENDING_S = 20.0


@dataclass
class Case:
    """A conversation in the model."""

    key: ConversationKey
    customer: str
    closed: bool = False
    version: int = 0
    unread: list[str] = field(default_factory=list)
    wake_at: datetime | None = None
    turns: list[str] = field(default_factory=list)


@dataclass
class Model:
    """What the store has to know, in the plainest form."""

    cases: dict[ConversationKey, Case] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    rows: list[OutboxRow] = field(default_factory=list)
    lanes: dict[str, Lane] = field(default_factory=dict)

    def current(self, customer: str) -> Case | None:
        """The unclosed conversation of a customer."""
        return next((case for case in self.cases.values() if case.customer == customer and not case.closed), None)

    def put(self, changed: OutboxRow) -> None:
        """Replace a row by its key."""
        self.rows = [changed if item.key == changed.key else item for item in self.rows]

    def deliverable(self, now: datetime) -> list[OutboxRow]:
        """What a claim returns, by the words of the port."""
        chosen: list[OutboxRow] = []
        for name in LANES:
            lane = self.lanes.get(name, Lane(name))
            sending = sum(item.lane == name and item.status is Status.SENDING for item in self.rows)
            free = [item for item in self.rows if item.lane == name and self.may_leave(item, lane, now)]
            chosen += sorted(free, key=urgency)[: max(0, lane.at_once - sending)]
        chosen += [
            item
            for item in self.rows
            if item.status is Status.UNKNOWN
            and (item.not_before is None or item.not_before <= now)
            and (item.sending_until is None or item.sending_until <= now)
        ]
        return sorted(chosen, key=urgency)

    def may_leave(self, item: OutboxRow, lane: Lane, now: datetime) -> bool:
        """Whether a pending row may leave, its lane's room aside."""
        early = (item.not_before and item.not_before > now) or (lane.next_at and lane.next_at > now)
        return (
            item.status is Status.PENDING and not early and not any(self.holds_up(other, item) for other in self.rows)
        )

    @staticmethod
    def holds_up(earlier: OutboxRow, item: OutboxRow) -> bool:
        """Whether an earlier row has to be finished first."""
        same = (earlier.conversation, earlier.place) == (item.conversation, item.place)
        passed = earlier.status is Status.UNKNOWN and earlier.author is Author.BOT and item.author is Author.AGENT
        return same and earlier.sequence < item.sequence and earlier.status in UNFINISHED and not passed


def urgency(item: OutboxRow) -> tuple[Any, ...]:
    """Rank, then due, then the order of writing."""
    return item.rank, item.due_at is None, item.due_at or at(0), item.sequence


class StoreMachine(RuleBasedStateMachine):
    """Every call of the port that changes something, in any order, with the store reopened now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.begin()
        self.store = self.open()
        self.model = Model()
        self.seconds = 0
        self.number = 0
        self.sequence = 0

    def begin(self) -> None:
        """Make an empty database."""
        self.directory = tempfile.TemporaryDirectory()

    def open(self) -> Store:
        """A store on this machine's database."""
        return self.run(SqliteStore.open(Path(self.directory.name) / "hearout.db"))  # type: ignore[no-any-return]

    def run(self, awaitable: Any) -> Any:
        """Run on the machine's own loop."""
        return self.loop.run_until_complete(awaitable)

    @property
    def now(self) -> datetime:
        """The present instant."""
        return at(self.seconds)

    def teardown(self) -> None:
        """Close what is open."""
        self.run(self.store.close())
        self.loop.close()
        self.end()

    def end(self) -> None:
        """Remove the database."""
        self.directory.cleanup()

    # ---- what may happen

    @rule(seconds=st.integers(1, 40))
    def time_passes(self, seconds: int) -> None:
        """The clock goes forward."""
        self.seconds += seconds

    @rule()
    def restart(self) -> None:
        """Everything in memory is gone."""
        self.run(self.store.close())
        self.store = self.open()

    @rule(customer=st.sampled_from("abc"), id_=st.integers(0, 12))
    def a_post_comes_in(self, customer: str, id_: int) -> None:
        """A post, perhaps one that came before."""
        name = f"{customer}{id_}"
        [taken] = self.run(self.store.take_in([post(name, customer)], open_or_join, self.now))
        assert taken.new == (name not in self.model.seen)
        if not taken.new:
            return
        self.model.seen.add(name)
        case = self.model.current(customer)
        if case is None:
            key = ConversationKey(f"x:acme:{name}")
            case = self.model.cases[key] = Case(key, customer)
        case.unread.append(name)
        case.wake_at = min(case.wake_at or self.now, self.now)

    @precondition(lambda self: self.model.cases)
    @rule(data=st.data())
    def an_agent_acts(self, data: st.DataObject) -> None:
        """An act in some conversation, closed ones included."""
        case = self.model.cases[data.draw(st.sampled_from(sorted(self.model.cases)))]
        arrival = act(case.key)
        self.run(self.store.take_in([arrival], must_not_route, self.now))
        case.unread.append(str(arrival.id))
        case.wake_at = min(case.wake_at or self.now, self.now)

    @rule(
        limit=st.integers(1, 3),
        poison=st.booleans(),
        close=st.booleans(),
        timer=st.none() | st.integers(1, 60),
        withdraw=st.booleans(),
        postpone=st.none() | st.integers(1, 60),
        written=st.lists(
            st.tuples(
                st.sampled_from(LANES),
                st.sampled_from([Place.PUBLIC, Place.DESK]),
                st.sampled_from(Rank),
                st.sampled_from([Author.BOT, Author.AGENT]),
                st.none() | st.integers(0, 60),
                st.none() | st.integers(0, 60),
            ),
            max_size=2,
        ),
    )
    def decisions_are_made(
        self,
        limit: int,
        poison: bool,
        close: bool,
        timer: int | None,
        withdraw: bool,
        postpone: int | None,
        written: list[tuple[str, Place, Rank, Author, int | None, int | None]],
    ) -> None:
        """All that is due, up to the limit; the first may be poisoned."""
        claimed: list[ConversationKey] = []
        wakes = {
            case.key: case.wake_at for case in self.model.cases.values() if case.wake_at and case.wake_at <= self.now
        }

        def decide(item: Claimed) -> Decision:
            case = self.model.cases[item.conversation.key]
            assert item.conversation.version == case.version
            assert len(item.events) == len(case.unread)
            claimed.append(case.key)
            if poison and len(claimed) == 1:
                case.wake_at = None
                raise ValueError("poison")
            rows = tuple(
                self.new_row(case.key, lane, place, rank, author, due_s, later_s)
                for lane, place, rank, author, due_s, later_s in written
            )
            self.decided(case, rows, close, timer, withdraw, postpone)
            changes: dict[str, Any] = {"timers": (quiet_timer(case.wake_at),) if case.wake_at else ()}
            changes["state"] = State.CLOSED if case.closed else item.conversation.state
            return Decision(
                conversation=consume(item, **changes),
                consumed=tuple(event.sequence for event in item.events),
                outbox=rows,
                withdraw="no longer true" if withdraw else None,
                postpone=Postpone(at(self.seconds + postpone), None) if postpone else None,
            )

        count = self.run(self.store.decide_due(self.now, limit, decide))
        assert count == len(claimed)
        assert [wakes[key] for key in claimed] == sorted(wakes.values())[:limit]
        for item in self.run(self.store.poisoned()):
            self.model.cases[item.conversation].wake_at = item.wake_at

    def new_row(
        self,
        key: ConversationKey,
        lane: str,
        place: Place,
        rank: Rank,
        author: Author,
        due: int | None,
        later: int | None,
    ) -> OutboxRow:
        """A row with a name of its own."""
        self.number += 1
        return row(
            key, f"r{self.number}", lane=lane, place=place, rank=rank, author=author,
            due_at=None if due is None else at(self.seconds + due),
            not_before=None if later is None else at(self.seconds + later),
        )  # fmt: skip

    def decided(
        self,
        case: Case,
        rows: tuple[OutboxRow, ...],
        close: bool,
        timer: int | None,
        withdraw: bool,
        postpone: int | None,
    ) -> None:
        """The same decision in the model."""
        for item in self.model.rows:
            held = item.conversation == case.key and item.status is Status.PENDING and item.author is Author.BOT
            if held and withdraw:
                self.model.put(replace(item, status=Status.WITHDRAWN))
            elif held and postpone:
                until = at(self.seconds + postpone)
                self.model.put(replace(item, not_before=max(item.not_before or until, until)))
        for item in rows:
            self.sequence += 1
            self.model.rows.append(replace(item, sequence=self.sequence))
        case.closed = case.closed or close
        case.version += 1
        case.unread = []
        case.wake_at = at(self.seconds + timer) if timer else None

    @rule(limit=st.integers(1, 4))
    def deliveries_are_claimed(self, limit: int) -> None:
        """The most urgent rows that may leave, each with a higher fence."""
        expected = self.model.deliverable(self.now)[:limit]
        rows = self.run(self.store.claim_deliveries(self.now, SENDING_S, limit))
        assert [item.key for item in rows] == [item.key for item in expected]
        for item, before in zip(rows, expected, strict=True):
            pending = before.status is Status.PENDING
            after = replace(
                before,
                status=Status.SENDING if pending else Status.UNKNOWN,
                attempt=before.attempt + pending,
                fence=before.fence + 1,
                sending_until=at(self.seconds + SENDING_S),
            )
            assert (item.status, item.attempt, item.fence) == (after.status, after.attempt, after.fence)
            self.model.put(after)

    @precondition(lambda self: self.model.rows)
    @rule(data=st.data(), status=st.sampled_from([Status.SENT, Status.PENDING, Status.UNKNOWN, Status.REJECTED]))
    def a_delivery_is_reported(self, data: st.DataObject, status: Status) -> None:
        """A report, perhaps of an older claim."""
        item = data.draw(st.sampled_from(self.model.rows), label="row")
        fence = item.fence - data.draw(st.integers(0, 1), label="behind")
        not_before = at(self.seconds + 30) if status in (Status.PENDING, Status.UNKNOWN) else None
        report = Report(key=item.key, fence=fence, status=status, at=self.now, not_before=not_before)
        counts = fence == item.fence and item.status in (Status.SENDING, Status.UNKNOWN)
        assert self.run(self.store.report_deliveries([report])) == [counts]
        if counts:
            self.model.put(replace(item, status=status, sending_until=None, not_before=not_before))

    @rule()
    def claims_expire(self) -> None:
        """Claims that ran out become unknown, and rest."""
        expired = [
            item
            for item in self.model.rows
            if item.status is Status.SENDING and item.sending_until and item.sending_until <= self.now
        ]
        quarantine = {"x": QUARANTINE_S, "desk": QUARANTINE_S}
        assert self.run(self.store.expire_sending(self.now, quarantine)) == len(expired)
        for item in expired:
            rest = at(self.seconds + QUARANTINE_S)
            self.model.put(replace(item, status=Status.UNKNOWN, sending_until=None, not_before=rest))

    @rule(name=st.sampled_from(LANES), next_s=st.none() | st.integers(1, 60), at_once=st.integers(1, 3))
    def a_lane_is_paced(self, name: str, next_s: int | None, at_once: int) -> None:
        """Its next instant and its room change."""
        lane = Lane(name, None if next_s is None else at(self.seconds + next_s), at_once)
        self.run(self.store.set_lane(lane))
        self.model.lanes[name] = lane

    @precondition(lambda self: self.model.cases)
    @rule(customer=st.sampled_from("abc"))
    def a_customer_is_erased(self, customer: str) -> None:
        """All conversations go; what was seen stays seen."""
        gone = {key for key, case in self.model.cases.items() if case.customer == customer}
        assert self.run(self.store.erase_customer(customer, self.now)) == len(gone)
        self.model.cases = {key: case for key, case in self.model.cases.items() if key not in gone}
        self.model.rows = [item for item in self.model.rows if item.conversation not in gone]

    # ---- what always holds

    @invariant()
    def both_agree(self) -> None:
        """Conversations, wakes, rows and the next delivery."""
        cases = self.model.cases
        found = {item.key: item for item in self.run(self.store.conversations())}
        assert {key: item.version for key, item in found.items()} == {key: case.version for key, case in cases.items()}
        assert {key for key, item in found.items() if not item.is_open} == {
            k for k, case in cases.items() if case.closed
        }
        wakes = [case.wake_at for case in cases.values() if case.wake_at]
        assert self.run(self.store.next_wake_at()) == min(wakes, default=None)
        rows = {item.key: item for item in self.run(self.store.outbox(limit=10_000))}
        assert {key: outline(item) for key, item in rows.items()} == {i.key: outline(i) for i in self.model.rows}
        assert self.run(self.store.counts()).unread == sum(len(case.unread) for case in cases.values())

    @invariant()
    def the_next_delivery_is_neither_late_nor_in_vain(self) -> None:
        """Exactly when a claim or an expiry has something to do, and not before."""
        next_at = self.run(self.store.next_delivery_at(self.now))
        instants = {self.now}
        for item in self.model.rows:
            instants |= {moment for moment in (item.not_before, item.sending_until) if moment and moment > self.now}
        instants |= {lane.next_at for lane in self.model.lanes.values() if lane.next_at and lane.next_at > self.now}
        busy = [moment for moment in sorted(instants) if self.something_to_do(moment)]
        assert next_at == (busy[0] if busy else None)

    def something_to_do(self, moment: datetime) -> bool:
        """Whether a claim or an expiry would find something then."""
        expires = any(
            i.status is Status.SENDING and i.sending_until and i.sending_until <= moment for i in self.model.rows
        )
        return expires or bool(self.model.deliverable(moment))


def outline(item: OutboxRow) -> tuple[EffectKey, Status, int, int, datetime | None, datetime | None]:
    """What the model knows of a row."""
    return item.key, item.status, item.attempt, item.fence, item.not_before, item.sending_until


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_the_model_holds_on_postgres(postgres: PostgresServer) -> None:
    class PostgresMachine(StoreMachine):
        """The same on PostgreSQL, emptied for each run."""

        begun = 0

        def begin(self) -> None:
            PostgresMachine.begun += 1
            self.backend = self.run(postgres.database())

        def open(self) -> Store:
            store: Store = self.run(self.backend.open())
            return store

        def end(self) -> None:
            pass

    few = settings(max_examples=8, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(PostgresMachine, settings=few)
    assert PostgresMachine.begun >= few.max_examples
