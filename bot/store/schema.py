"""The schema as numbered scripts, the same for all databases, and how each database applies them.

In SQLite ``PRAGMA user_version`` is the number of the last one, readable without opening; in PostgreSQL it is the greatest in
``schema_version``. Instants are integers (codec.py). A script is never changed once it was released: add another.
"""

from __future__ import annotations

from bot.store.database import Database, Migrations

MIGRATIONS = Migrations("hearout")
APPLICATION_ID = 0x48454152
"""``PRAGMA application_id`` of our databases: "HEAR"."""

_FIRST = """
create table meta (key text primary key, value text not null) strict, without rowid;

create table customer (
  channel text not null, id text not null, handle text not null default '', muted integer not null default 0,
  primary key (id, channel)) strict, without rowid;
create index customer_handle on customer (handle);

create table conversation (
  id integer primary key, key text not null unique, channel text not null, account text not null,
  customer text not null, handle text not null, state text not null, version integer not null, wake_at integer,
  owner text, queue text not null, language text not null, split_from text,
  opened_at integer not null, closed_at integer, updated_at integer not null, document text not null,
  poison_count integer not null default 0, poison_error text, poison_at integer) strict;
create unique index conversation_unclosed on conversation (channel, account, customer)
  where state <> 'CLOSED' and split_from is null;
create index conversation_customer on conversation (channel, customer, account);
create index conversation_wake on conversation (wake_at) where wake_at is not null;
create index conversation_state on conversation (state, updated_at);
create index conversation_closed on conversation (closed_at) where closed_at is not null;
create index conversation_poison on conversation (poison_at) where poison_at is not null;

create table inbox (
  sequence integer primary key, channel text not null, external_id text not null, account text not null,
  customer text, about text, conversation text references conversation (key), kind text not null, post text,
  document text not null, profile text, reason text, at integer not null, read_at integer,
  unique (channel, external_id)) strict;
create index inbox_conversation on inbox (conversation) where conversation is not null;
create index inbox_unread on inbox (conversation) where conversation is not null and read_at is null;
create index inbox_aside on inbox (sequence) where conversation is null and reason is not null;
create index inbox_nowhere on inbox (at) where conversation is null;
create index inbox_stray on inbox (channel, about) where conversation is null and about is not null;
create index inbox_stranger on inbox (customer) where conversation is null and customer is not null;
create table erased (hash blob primary key) strict, without rowid;

create table turn (
  id integer primary key, conversation text not null references conversation (key), turn_id text not null,
  author text not null, place text not null, text text, posted_at integer not null, agent text, act text, template text,
  key text, url text, media integer not null, reading text, edited_at integer, deleted_at integer,
  unique (conversation, turn_id)) strict;
create index turn_post on turn (turn_id);

create table outbox (
  sequence integer primary key, key text not null unique, conversation text not null references conversation (key),
  channel text not null, account text not null, lane text not null, place text not null, kind text not null,
  rank integer not null, body text not null, created_at integer not null, author text, act text, template text,
  due_at integer not null, not_before integer not null, status text not null, attempt integer not null default 0,
  fence integer not null default 0, sending_until integer, unknown_since integer, external_id text, url text, reason
  text, updated_at integer not null) strict;
create index outbox_queue on outbox (status, lane, rank, due_at, sequence, not_before);
create index outbox_later on outbox (lane, not_before) where status = 'pending' and not_before > 0;
create index outbox_before on outbox (conversation, place) where status in ('pending', 'sending', 'unknown');
create index outbox_conversation on outbox (conversation);
create index outbox_words on outbox (channel, account, place, created_at) where kind = 'words';

create table lane (key text primary key, next_at integer not null, at_once integer not null) strict, without rowid;

create table label (
  id integer primary key, conversation text not null references conversation (key), agent text not null,
  complaint integer not null, text text not null, language text not null, at integer not null) strict;
create index label_conversation on label (conversation);

create table template (
  id text not null, version integer not null, language text not null, act text not null, surface text not null, topic
  text, situations text not null, source text not null, status text not null, author text not null, at integer not null,
  primary key (id, version)) strict, without rowid;

create table audit (
  id integer primary key, at integer not null, actor text not null, action text not null, subject text not null) strict;
create index audit_subject on audit (subject);
"""


_LEASES = """
create table lease (
  name text primary key, holder text not null, fence integer not null, ends_at integer not null) strict, without rowid;
"""

SCRIPTS = (_FIRST, _LEASES)
VERSION = len(SCRIPTS)
"""The schema this program knows."""


def statements(script: str) -> list[str]:
    """A script's statements, for SQLite."""
    return [part.strip() for part in script.split(";\n") if part.strip()]


def postgres_statements(script: str) -> list[str]:
    """A script's statements, for PostgreSQL: its names of the types, and no mention of how SQLite stores a table."""
    for ours, theirs in (
        ("integer primary key", "bigint generated by default as identity primary key"),
        (" integer", " bigint"),
        (" blob", " bytea"),
        (") strict, without rowid", ")"),
        (") strict", ")"),
    ):
        script = script.replace(ours, theirs)
    return statements(script)


def _apply(db: Database, number: int) -> None:
    """One statement at a time: ``executescript`` would commit the migration's transaction."""
    for statement in statements(SCRIPTS[number - 1]):
        db.execute(statement)
    db.execute(f"pragma user_version = {number}")


@MIGRATIONS()
def m0001_first(db: Database) -> None:
    """The tables of the first version."""
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    _apply(db, 1)


@MIGRATIONS()
def m0002_leases(db: Database) -> None:
    """What one process alone may do."""
    _apply(db, 2)
