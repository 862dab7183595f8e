"""What was really committed: triggers in the simulated database write every change down, in the transaction that makes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

TRIGGERS = """
create table if not exists sim_journal (
  id integer primary key autoincrement, what text not null, subject text not null, was text, became text,
  number integer, a integer, b integer) strict;
create trigger if not exists sim_out_new after insert on outbox begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('outbox', new.key, null, new.status, new.attempt, new.not_before, new.sending_until); end;
create trigger if not exists sim_out after update of status, attempt, fence, not_before on outbox begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('outbox', new.key, old.status, new.status, new.attempt, new.not_before, new.sending_until); end;
create trigger if not exists sim_case_new after insert on conversation begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('case', new.key, null, new.state, new.version, new.wake_at, new.poison_count); end;
create trigger if not exists sim_case after update of version, wake_at, poison_count on conversation begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('case', new.key, old.state, new.state, new.version, new.wake_at, new.poison_count); end;
create trigger if not exists sim_inbox_new after insert on inbox begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('inbox', new.channel || ' ' || new.external_id, null, new.conversation, new.sequence, new.read_at, null); end;
create trigger if not exists sim_inbox after update of read_at, conversation on inbox begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('inbox', new.channel || ' ' || new.external_id, old.conversation, new.conversation, new.sequence, new.read_at,
    old.read_at); end;
create trigger if not exists sim_inbox_gone after delete on inbox begin
  insert into sim_journal (what, subject, was, became, number, a, b)
  values ('gone', old.channel || ' ' || old.external_id, old.conversation, null, old.sequence, null, null); end;
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change. ``number`` is the attempt, the version or the sequence; ``a`` and ``b`` what the triggers say."""

    id: int
    what: str
    subject: str
    was: str | None
    became: str | None
    number: int
    a: int | None
    b: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A row of the outbox as it was written."""

    key: str
    conversation: str
    place: str
    kind: str
    author: str | None
    act: str | None
    body: str
    rank: int


class Journal:
    """Reads the changes of one database file, beside the program."""

    def __init__(self) -> None:
        self.last = 0
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def install(self, path: Path) -> None:
        """Put the triggers in place, where they are not yet; and read from this file from now on."""
        self.close()
        with closing(sqlite3.connect(path, isolation_level=None)) as writing:
            writing.executescript(TRIGGERS)
        self._connection = sqlite3.connect(path, isolation_level=None)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._version = -1

    def news(self) -> Iterator[Change]:
        """What was committed since the last call, in order."""
        connection = self._connection
        if connection is None:
            return
        version = connection.execute("pragma data_version").fetchone()[0]
        if version == self._version:
            return
        self._version = version
        columns = "id, what, subject, was, became, number, a, b"
        for row in connection.execute(
            f"select {columns} from sim_journal where id>? order by id", (self.last,)
        ).fetchall():
            change = Change(*row)
            self.last = change.id
            yield change

    def written(self, key: str) -> Written:
        """A row of the outbox."""
        assert self._connection is not None
        columns = "key, conversation, place, kind, author, act, body, rank"
        return Written(*self._connection.execute(f"select {columns} from outbox where key=?", (key,)).fetchone())

    def document(self, conversation: str) -> str | None:
        """A conversation's document."""
        if self._connection is None:
            return None
        row = self._connection.execute("select document from conversation where key=?", (conversation,)).fetchone()
        return row[0] if row else None

    def inbox(self) -> set[str]:
        """Everything that intake keeps."""
        if self._connection is None:
            return set()
        rows = self._connection.execute("select channel || ' ' || external_id from inbox")
        return {row[0] for row in rows}

    def alarmed(self, conversation: str, alarm: str) -> bool:
        """Whether the desk was called about this."""
        assert self._connection is not None
        sql = "select 1 from outbox where conversation=? and kind='alarm' and json_extract(body, '$.alarm')=? limit 1"
        return self._connection.execute(sql, (conversation, alarm)).fetchone() is not None
