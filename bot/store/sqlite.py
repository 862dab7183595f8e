"""The Store on SQLite: one file, WAL, FULL, one writer with group commit inside the event loop.

Everything runs on the loop's thread: a transaction never spans an ``await``, so one connection serves reading and
writing, and a read sees exactly what was committed. Long looks can be sent to a thread with a connection of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from bot.crash_points import reached
from bot.store import (
    sqlite_decide,
    sqlite_deliver,
    sqlite_erase,
    sqlite_intake,
    sqlite_look,
)
from bot.store.codec import clean, instant_or_none, micros
from bot.store.lock import FileLock
from bot.store.port import Decider, Router, StoreUnavailable
from bot.store.records import (
    Arrival,
    Aside,
    Counts,
    Lane,
    OutboxRow,
    Poisoned,
    Report,
    Taken,
    TemplateVersion,
    TurnRecord,
)
from bot.store.rows import TEMPLATE_COLUMNS, marks, template_of, template_params
from bot.store.sqlite_file import connect, prepare
from bot.store.sqlite_intake import Execute
from bot.store.writer import Writer, is_busy, translate
from conversations.conversation import Conversation
from conversations.ids import ConversationKey, EffectKey

T = TypeVar("T")
P = ParamSpec("P")

CHECKPOINT_RETRY_S = 0.05
CHECKPOINT_TRIES = 100


class SqliteStore:
    """See ``bot.store.port.Store``."""

    def __init__(self, db: Database, path: Path | None, lock: FileLock | None, looking: Database | None) -> None:
        self._db = db
        self._path = path
        self._lock = lock
        self._looking = looking
        self._looking_turn = asyncio.Lock()
        self._x: Execute = db.conn.execute
        self._writer = Writer(db.conn)

    @classmethod
    async def open(
        cls, path: str | Path, *, holder: str | None = None, read_only: bool = False, look_in_thread: bool = False
    ) -> SqliteStore:
        """Open a database, make or migrate it where needed.

        With a ``holder`` ("run", "the playground") the database's lock is taken: one such process at a time. Without
        one the store works beside a running process. ``read_only`` never writes and wants an existing, migrated file.
        ``look_in_thread`` keeps long looks (lists, counts, checks, exports) off the event loop.
        Raises ``StoreInUse``, ``StoreTooNew``, ``StoreUnavailable``, and ``StoreError`` for a file that is not ours.
        """
        if str(path) == ":memory:":
            return cls(prepare(Path(":memory:"), None, read_only=False)[0], None, None, None)
        path = Path(path)
        try:
            reached("store: before open")
            db, lock = prepare(path, holder, read_only=read_only)
            reached("store: after open")
            looking = connect(path, read_only=True) if look_in_thread else None
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"{path}: {error}") from error
        return cls(db, path, lock, looking)

    async def close(self) -> None:
        """See ``Store.close``."""
        await self._writer.close()
        if self._looking is not None:
            async with self._looking_turn:
                self._looking.conn.close()
        self._db.conn.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def database(self) -> Database:
        """The connection, for reports and the console's own queries: reading only."""
        return self._db

    # ---- how it is run

    async def _write(self, do: Callable[Concatenate[Execute, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._writer.write(lambda attempt: do(attempt.x, *args, **kwargs))

    def _read(self, do: Callable[Concatenate[Execute, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A short look, on the loop's thread."""
        try:
            return do(self._x, *args, **kwargs)
        except sqlite3.Error as error:
            raise translate(error) from error

    async def _look(self, do: Callable[Concatenate[Execute, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A look that may take long."""
        if self._looking is None:
            return self._read(do, *args, **kwargs)
        execute = self._looking.conn.execute
        try:
            async with self._looking_turn:
                return await asyncio.to_thread(lambda: do(execute, *args, **kwargs))
        except sqlite3.Error as error:
            raise translate(error) from error

    # ---- intake

    async def take_in(self, arrivals: Sequence[Arrival], route: Router, now: datetime) -> list[Taken]:
        """See ``Store.take_in``."""
        return await self._write(sqlite_intake.take_in, arrivals, route, micros(now))

    async def open_aside(self, sequence: int, route: Router, now: datetime) -> Taken:
        """See ``Store.open_aside``."""
        return await self._write(sqlite_intake.open_aside, sequence, route, micros(now))

    # ---- engine

    async def decide_due(self, now: datetime, limit: int, decide: Decider) -> int:
        """See ``Store.decide_due``."""
        at = micros(now)
        return await self._writer.write(lambda attempt: sqlite_decide.decide_due(attempt, at, limit, decide))

    async def next_wake_at(self) -> datetime | None:
        """See ``Store.next_wake_at``."""
        sql = "select min(wake_at) from conversation where wake_at is not null"
        return instant_or_none(self._read(lambda x: x(sql).fetchone()[0]))

    # ---- delivery

    async def claim_deliveries(self, now: datetime, sending_s: float, limit: int) -> list[OutboxRow]:
        """See ``Store.claim_deliveries``."""
        return await self._write(sqlite_deliver.claim, micros(now), int(sending_s * 1_000_000), limit)

    async def expire_sending(self, now: datetime, quarantine_s: Mapping[str, float]) -> int:
        """See ``Store.expire_sending``."""
        return await self._write(sqlite_deliver.expire, micros(now), quarantine_s)

    async def report_deliveries(self, reports: Sequence[Report]) -> list[bool]:
        """See ``Store.report_deliveries``."""
        return await self._write(sqlite_deliver.report, reports)

    async def next_delivery_at(self, now: datetime) -> datetime | None:
        """See ``Store.next_delivery_at``."""
        return instant_or_none(self._read(sqlite_deliver.next_at, micros(now)))

    async def set_lane(self, lane: Lane) -> None:
        """See ``Store.set_lane``."""
        await self._write(sqlite_deliver.set_lane, lane)

    # ---- looking

    async def conversation(self, key: ConversationKey) -> Conversation | None:
        """See ``Store.conversation``."""
        return self._read(sqlite_look.conversation, key)

    async def conversations(
        self, *, states: Sequence[str] = (), search: str = "", customer: str = "", limit: int = 100, offset: int = 0
    ) -> list[Conversation]:
        """See ``Store.conversations``."""
        return await self._look(sqlite_look.conversations, states, search, customer, limit, offset)

    async def turns(self, key: ConversationKey) -> list[TurnRecord]:
        """See ``Store.turns``."""
        return self._read(sqlite_look.turns, key)

    async def turn(self, key: ConversationKey, turn_id: str) -> TurnRecord | None:
        """See ``Store.turn``."""
        return self._read(sqlite_look.turn, key, turn_id)

    async def outbox(
        self, *, conversation: ConversationKey | None = None, statuses: Sequence[str] = (), limit: int = 200
    ) -> list[OutboxRow]:
        """See ``Store.outbox``."""
        return self._read(sqlite_look.outbox, conversation, statuses, limit)

    async def outbox_row(self, key: EffectKey) -> OutboxRow | None:
        """See ``Store.outbox_row``."""
        return self._read(sqlite_look.outbox_row, key)

    async def sent_words(self, channel: str, account: str, place: str, since: datetime, limit: int) -> list[OutboxRow]:
        """See ``Store.sent_words``."""
        return self._read(sqlite_look.sent_words, channel, account, place, micros(since), limit)

    async def asides(self, limit: int = 100) -> list[Aside]:
        """See ``Store.asides``."""
        return self._read(sqlite_look.asides, limit)

    async def counts(self) -> Counts:
        """See ``Store.counts``."""
        return await self._look(sqlite_look.counts)

    async def poisoned(self, limit: int = 100) -> list[Poisoned]:
        """See ``Store.poisoned``."""
        return self._read(sqlite_look.poisoned, limit)

    async def labels(self) -> list[Mapping[str, Any]]:
        """See ``Store.labels``."""
        return await self._look(sqlite_look.labels)

    # ---- the admins' wording

    async def add_template(self, template: TemplateVersion) -> TemplateVersion:
        """See ``Store.add_template``."""
        return await self._write(_add_template, template)

    async def set_template_status(self, template: str, version: int, status: str) -> bool:
        """See ``Store.set_template_status``."""
        return await self._write(_set_template_status, template, version, status)

    async def templates(self, *, template: str | None = None, status: str | None = None) -> list[TemplateVersion]:
        """See ``Store.templates``."""
        return self._read(sqlite_look.templates, template, status)

    # ---- small things

    async def get_meta(self, key: str) -> str | None:
        """See ``Store.get_meta``."""
        row = self._read(lambda x: x("select value from meta where key=?", (key,)).fetchone())
        return row[0] if row else None

    async def set_meta(self, key: str, value: str) -> None:
        """See ``Store.set_meta``."""
        sql = "insert into meta (key, value) values (?,?) on conflict (key) do update set value=excluded.value"
        await self._write(lambda x: x(sql, (key, clean(value))))

    async def audit(self, actor: str, action: str, subject: str, now: datetime) -> None:
        """See ``Store.audit``."""
        sql = "insert into audit (at, actor, action, subject) values (?,?,?,?)"
        await self._write(lambda x: x(sql, (micros(now), clean(actor), clean(action), clean(subject))))

    async def audits(self, limit: int = 200) -> list[Mapping[str, Any]]:
        """See ``Store.audits``."""
        return self._read(sqlite_look.audits, limit)

    async def export_customer(self, customer: str) -> Mapping[str, Any]:
        """See ``Store.export_customer``."""
        return await self._look(sqlite_look.export, customer)

    async def erase_customer(self, customer: str, now: datetime) -> int:
        """See ``Store.erase_customer``. The write-ahead log is emptied as well, so that no file holds any of it."""
        erased = await self._write(sqlite_erase.erase, customer, micros(now))
        await self._empty_log()
        return erased

    async def forget(self, closed_before: datetime, aside_before: datetime, limit: int = 200) -> int:
        """See ``Store.forget``."""
        return await self._write(sqlite_erase.forget, micros(closed_before), micros(aside_before), limit)

    async def _empty_log(self) -> None:
        """Move the write-ahead log into the file and truncate it, as soon as no reader is in the way."""
        for _ in range(CHECKPOINT_TRIES):
            try:
                busy = self._x("pragma wal_checkpoint(truncate)").fetchone()[0]
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise translate(error) from error
                busy = 1
            if not busy:
                return
            await asyncio.sleep(CHECKPOINT_RETRY_S)
        raise StoreUnavailable(
            "the rows are erased, but a reader keeps their last copy in the write-ahead log: erase again later"
        )

    async def check(self) -> list[str]:
        """See ``Store.check``."""
        return await self._look(sqlite_look.check, self._path)


def _add_template(x: Execute, template: TemplateVersion) -> TemplateVersion:
    number = x("select coalesce(max(version), 0) + 1 from template where id=?", (template.id,)).fetchone()[0]
    draft = template_of((*template_params(template)[:1], number, *template_params(template)[2:]))
    x(f"insert into template ({TEMPLATE_COLUMNS}) values ({marks(11)})", template_params(draft))
    return draft


def _set_template_status(x: Execute, template: str, version: int, status: str) -> bool:
    changed = x("update template set status=? where id=? and version=?", (status, template, version)).rowcount == 1
    if changed and status == "published":
        x("update template set status='retired' where id=? and version<>? and status='published'", (template, version))
    return changed
