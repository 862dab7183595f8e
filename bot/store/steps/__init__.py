"""What each call of the port does, statement by statement, told once for all databases.

A call is a generator: it yields statements and is sent rows, and knows of no connection (the sans-IO way). SQLite runs it on the
event loop's thread (``run``), PostgreSQL runs it asynchronously (``postgres.py``).

Statements are SQL that both understand, with ``?`` for values. A few words are put into each database's own (``to_sqlite``,
``to_postgres``): ``least``, ``greatest``, ``for update …``, ``next_sequence()``, and how JSON is read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
Statement = tuple[str, tuple[Any, ...]]
Batch = list[Statement]
"""Statements that need not wait for each other. What is sent back are the rows of the last."""

Rows = list[Any]
Steps = Generator[Statement | Batch, Rows, T]

_SQLITE = (
    ("least(", "min("),
    ("greatest(", "max("),
    (" for update of outbox skip locked", ""),
    (" for update skip locked", ""),
    (" for update", ""),
    ("next_sequence()", "(select max(sequence) + 1 from inbox)"),
)
_POSTGRES = (
    ("%", "%%"),
    ("?", "%s"),
    ("next_sequence()", "nextval(pg_get_serial_sequence('inbox', 'sequence'))"),
    (" like ", " ilike "),
    ("document ->> '$.customer.name'", "document::json #>> '{customer,name}'"),
    ("document ->> '$.reference'", "document::json ->> 'reference'"),
)


@cache
def to_sqlite(sql: str) -> str:
    """The statement in SQLite's words."""
    return _translated(sql, _SQLITE)


@cache
def to_postgres(sql: str) -> str:
    """The statement in PostgreSQL's words, with psycopg's placeholders."""
    return _translated(sql, _POSTGRES)


def _translated(sql: str, words: tuple[tuple[str, str], ...]) -> str:
    for ours, theirs in words:
        sql = sql.replace(ours, theirs)
    return sql


def run(execute: Callable[..., sqlite3.Cursor], steps: Steps[T]) -> T:
    """Run on a SQLite connection. What a statement raises goes to the caller, past the steps."""
    rows: Rows = []
    try:
        step = next(steps)
        while True:
            for sql, params in step if isinstance(step, list) else (step,):
                rows = execute(to_sqlite(sql), params).fetchall()
            step = steps.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result
