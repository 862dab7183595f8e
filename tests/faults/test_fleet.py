"""kill -9 among four processes on PostgreSQL: a handful on every commit; for more ``python -m tests.faults.fleet``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.backends import PostgresServer
from tests.contracts.conftest import postgres
from tests.faults.fleet import run

__all__ = ["postgres"]
pytestmark = pytest.mark.anyio


async def test_a_handful_of_kills_loses_and_doubles_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    report = await run(tmp_path, (await postgres.database()).url, kills=6, processes=4, pauses=0.2)
    assert report.good, (report, (tmp_path / "log").read_text(errors="replace")[-4000:])
    assert report.kills == 6
