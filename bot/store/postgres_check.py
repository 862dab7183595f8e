"""What a PostgreSQL server is like, for ``hearout doctor``: its version, how far away it is, and what its clock says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import psycopg

from bot.store.port import StoreUnavailable
from bot.store.postgres_signal import NETWORK

PROBES = 9


@dataclass(frozen=True, slots=True)
class Server:
    """``version`` as PostgreSQL counts (160004 is 16.4); ``clock_ahead_s`` is the server's clock less ours."""

    version: int
    round_trip_ms: float
    clock_ahead_s: float
    connections_max: int
    standby: bool


async def examine(url: str) -> Server:
    """Ask a server about itself. Raises ``StoreUnavailable``."""
    try:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, **NETWORK) as connection:
            took = []
            for _ in range(PROBES):
                began = time.perf_counter()
                row = await (await connection.execute("select clock_timestamp()")).fetchone()
                took.append(time.perf_counter() - began)
            assert row is not None
            ahead_s = (row[0] - datetime.now(UTC)).total_seconds() + took[-1] / 2
            asked = "select current_setting('max_connections')::int, pg_is_in_recovery()"
            facts = await (await connection.execute(asked)).fetchone()
            assert facts is not None
            return Server(connection.info.server_version, median(took) * 1000, ahead_s, facts[0], facts[1])
    except psycopg.Error as error:
        raise StoreUnavailable(str(error)) from error
