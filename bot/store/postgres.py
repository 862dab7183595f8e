"""The Store on PostgreSQL: any number of processes on one database, serial by its row locks.

A decision runs in a transaction that holds the conversation's row (``FOR UPDATE SKIP LOCKED``): nobody else decides about it,
and intake that wakes it meanwhile waits for the commit and sets ``wake_at`` after it, so that no wake-up is lost. Posts of
one customer are taken in one after the other (an advisory lock), and so are claims of deliveries, for a lane is one sender's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo, errors
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bot.store.codec import micros
from bot.store.port import Decider, Router, StoreError, StoreMissing, StoreTooNew, StoreUnavailable
from bot.store.postgres_signal import NETWORK, Signal
from bot.store.records import Arrival, OutboxRow, Report, Taken
from bot.store.schema import SCRIPTS, VERSION, postgres_statements
from bot.store.stepped import Begin, SteppedStore
from bot.store.steps import Steps, decisions, deliveries, intake, to_postgres

T = TypeVar("T")
Connection = psycopg.AsyncConnection[Any]

MIGRATION_LOCK = 0x48454152_0001
CLAIM_LOCK = 0x48454152_0002
TRIES = 4
"""How often a transaction is run that another one got in the way of."""

SETTINGS = "set lock_timeout = '10s'; set idle_in_transaction_session_timeout = {lease_ms}"
READ_ONLY = "; set default_transaction_read_only = on"
CONNECT_WAIT_S = 10.0
POOL_WAIT_S = 5.0
"""Nobody waits longer for a connection; and what failed to connect for so long begins anew, without its long pauses."""
_LOCK = "select pg_advisory_xact_lock(%s)"
_LOCK_CUSTOMER = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
_IN_THE_WAY = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
_OUTAGES = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.DiskFull,
    errors.ReadOnlySqlTransaction,
    PoolTimeout,
)


class Entangled(Exception):
    """A decision wrote something and then failed: the transaction is run again with a savepoint for each."""


class Session:
    """Runs steps on one connection; knows whether they have written."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.wrote = False

    async def run(self, steps: Steps[T]) -> T:
        """Run the steps; statements that do not wait for each other share a round trip."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, list):
                    rows = await self._batch(step)
                else:
                    rows = await self._one(*step)
                step = steps.send(rows)
        except StopIteration as done:
            result: T = done.value
            return result

    async def _one(self, sql: str, params: tuple[Any, ...]) -> list[Any]:
        self.wrote = self.wrote or not sql.startswith(("select", "with"))
        cursor = await self.connection.execute(to_postgres(sql), params)
        return await cursor.fetchall() if cursor.description else []

    async def _batch(self, batch: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        if len(batch) == 1:
            return await self._one(*batch[0])
        self.wrote = True
        async with self.connection.pipeline():
            for sql, params in batch:
                cursor = await self.connection.execute(to_postgres(sql), params)
        return await cursor.fetchall() if cursor.description else []


class PostgresStore(SteppedStore):
    """See ``bot.store.port.Store``."""

    shared = True

    def __init__(self, pool: AsyncConnectionPool[Connection], signal: Signal) -> None:
        self._pool = pool
        self._signal = signal

    @classmethod
    async def open(
        cls, url: str, *, connections_max: int = 8, read_only: bool = False, lease_s: float = 20.0
    ) -> PostgresStore:
        """Connect, and bring the schema up to date under a lock; ``read_only`` changes nothing and wants it so.

        A transaction that is idle for ``lease_s`` is undone by the server: its process was paused, and others wait.
        Raises ``StoreTooNew`` for a database of a newer version, which is left as it is; ``StoreMissing`` when there are no
        tables to read; ``StoreUnavailable``.
        """

        async def configure(connection: Connection) -> None:
            settings = SETTINGS.format(lease_ms=int(lease_s * 1000)) + (READ_ONLY if read_only else "")
            await connection.execute(settings.encode())

        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=connections_max,
            open=False,
            timeout=POOL_WAIT_S,
            reconnect_timeout=POOL_WAIT_S,
            kwargs={"autocommit": True, **NETWORK},
            configure=configure,
            check=AsyncConnectionPool.check_connection,
        )
        try:
            await (look(url) if read_only else migrate(url))
            await pool.open(wait=True, timeout=CONNECT_WAIT_S)
        except _OUTAGES as error:
            await pool.close()
            raise StoreUnavailable(f"{_named(url)}: the database refused: {error}".strip()) from error
        return cls(pool, Signal(url))

    async def close(self) -> None:
        """See ``Store.close``."""
        await self._signal.close()
        await self._pool.close()

    async def listen(self, decide: asyncio.Event, deliver: asyncio.Event) -> None:
        """See ``Store.listen``: LISTEN/NOTIFY."""
        await self._signal.listen({"decide": decide, "deliver": deliver})

    # ---- how steps are run

    async def _write(self, begin: Begin[T]) -> T:
        return await self._transaction(lambda session: session.run(begin()))

    async def _read(self, steps: Steps[T]) -> T:
        async with self._connected() as connection:
            return await Session(connection).run(steps)

    async def _transaction(self, do: Callable[[Session], Awaitable[T]]) -> T:
        """Run in a transaction, again when another one got in the way."""
        for tries_left in reversed(range(TRIES)):
            try:
                async with self._connected() as connection, connection.transaction():
                    return await do(Session(connection))
            except StoreError as error:
                if not tries_left or not isinstance(error.__cause__, _IN_THE_WAY):
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except _IN_THE_WAY as error:
            raise StoreError(f"the database did not take it: {error}") from error
        except _OUTAGES as error:
            raise StoreUnavailable(f"the database refused: {error}") from error
        except psycopg.Error as error:
            raise StoreError(f"the database did not take it: {error}") from error

    # ---- what PostgreSQL does in its own way

    async def take_in(self, arrivals: Sequence[Arrival], route: Router, now: datetime) -> list[Taken]:
        """See ``Store.take_in``. Posts of one customer are taken in one after the other."""
        at = micros(now)
        locks = sorted(
            {f"{a.channel}\0{a.account}\0{a.customer.id}".replace("\0", "|") for a in arrivals if a.customer}
        )

        async def do(session: Session) -> list[Taken]:
            for name in locks:
                await session.connection.execute(_LOCK_CUSTOMER, (name,))
            return await session.run(intake.take_in(arrivals, route, at))

        taken = await self._transaction(do)
        self._signal.send("decide")
        return taken

    async def open_aside(self, sequence: int, route: Router, now: datetime) -> Taken:
        """See ``Store.open_aside``."""
        taken = await super().open_aside(sequence, route, now)
        self._signal.send("decide")
        return taken

    async def decide_due(self, now: datetime, limit: int, decide: Decider) -> int:
        """See ``Store.decide_due``."""
        at = micros(now)
        try:
            count = await self._transaction(lambda session: _decide_due(session, at, limit, decide, careful=False))
        except Entangled:
            count = await self._transaction(lambda session: _decide_due(session, at, limit, decide, careful=True))
        if count:
            self._signal.send("deliver")
        return count

    async def claim_deliveries(
        self, now: datetime, sending_s: float, limit: int, elsewhere: Collection[str] = ()
    ) -> list[OutboxRow]:
        """See ``Store.claim_deliveries``. One claims at a time, so that no lane sends more at once than it may."""
        at, sending_us = micros(now), int(sending_s * 1_000_000)

        async def do(session: Session) -> list[OutboxRow]:
            await session.connection.execute(_LOCK, (CLAIM_LOCK,))
            return await session.run(deliveries.claim(at, sending_us, limit, elsewhere))

        return await self._transaction(do)

    async def report_deliveries(self, reports: Sequence[Report]) -> list[bool]:
        """See ``Store.report_deliveries``."""
        current = await super().report_deliveries(reports)
        self._signal.send("decide")
        self._signal.send("deliver")
        return current

    async def check(self) -> list[str]:
        """See ``Store.check``."""
        async with self._connected() as connection:
            version = await _version(connection)
            sql = "select indexrelid::regclass::text from pg_index where not indisvalid"
            broken = [row[0] for row in await (await connection.execute(sql)).fetchall()]
        found = [] if version == VERSION else [f"the schema is of version {version}, this program knows {VERSION}"]
        return found + [f"the index {name} is not valid: REINDEX it" for name in broken]


async def _decide_due(session: Session, now: int, limit: int, decide: Decider, *, careful: bool) -> int:
    due = await session.run(decisions.due(now, limit))
    for woken in due:
        session.wrote = False
        try:
            if careful:
                async with session.connection.transaction():
                    await session.run(decisions.decide(woken, now, decide))
            else:
                await session.run(decisions.decide(woken, now, decide))
        except Exception as error:
            if isinstance(error, _OUTAGES):
                raise
            aborted = session.connection.info.transaction_status is not TransactionStatus.INTRANS
            if not careful and (aborted or session.wrote):
                raise Entangled from error
            await session.run(decisions.poison(woken, error, now))
    return len(due)


# ---------------------------------------------------------------- the schema


async def look(url: str) -> None:
    """Whether the tables are there and known. Raises ``StoreMissing``, ``StoreTooNew``, and ``StoreError`` for old ones."""
    connection: Connection
    async with await psycopg.AsyncConnection.connect(url, **NETWORK) as connection:
        version = await _version(connection)
    _refuse_unknown(version)
    if not version:
        raise StoreMissing(f"{_named(url)}: there are no tables of Hearout here: they are made at the first start")
    if version < VERSION:
        raise StoreError(f"{_named(url)}: written by an older version; run `hearout migrate` first")


def _refuse_unknown(version: int) -> None:
    if version > VERSION:
        raise StoreTooNew(
            f"the database was written by a newer version of Hearout (schema {version}, this program knows "
            f"{VERSION}); it is left as it is. Install the newer version"
        )


def _named(url: str) -> str:
    """The server and database of a URL, for people: never the password."""
    known = conninfo.conninfo_to_dict(url)
    return f"PostgreSQL {known.get('dbname', '')} at {known.get('host', 'localhost')}"


async def migrate(url: str) -> None:
    """Apply the scripts that are missing, each once, whoever comes first. Raises ``StoreTooNew``."""
    connection: Connection
    async with await psycopg.AsyncConnection.connect(url, **NETWORK) as connection:
        await connection.execute(_LOCK, (MIGRATION_LOCK,))
        version = await _version(connection)
        _refuse_unknown(version)
        if not version:
            await connection.execute("create table if not exists schema_version (number int primary key)")
        for number in range(version + 1, VERSION + 1):
            for statement in postgres_statements(SCRIPTS[number - 1]):
                await connection.execute(statement)
            await connection.execute("insert into schema_version values (%s)", (number,))


async def _version(connection: Connection) -> int:
    found = await (await connection.execute("select to_regclass('schema_version') is not null")).fetchone()
    if not found or not found[0]:
        return 0
    row = await (await connection.execute("select coalesce(max(number), 0) from schema_version")).fetchone()
    return int(row[0]) if row else 0
