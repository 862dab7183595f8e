"""One suite, every backend: a fixture chooses."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store.port import Store
from tests.contracts.backends import Backend, PostgresServer, SqliteBackend


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; the tests that need it are skipped, with the reason, where it cannot start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the wheel's helpers warn of is not ours to mend
        try:
            server = PostgresServer()
        except Exception as error:
            pytest.skip(f"no PostgreSQL server can be started here: {type(error).__name__}: {error}")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return SqliteBackend(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return await server.database()


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    """A store on an empty database."""
    opened = await backend.open()
    yield opened
    await opened.close()
