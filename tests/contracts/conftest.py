"""One suite, every backend: a fixture chooses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.port import Store
from tests.contracts.backends import Backend, SqliteBackend


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """An empty database of each kind."""
    return SqliteBackend(tmp_path)


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    """A store on an empty database."""
    opened = await backend.open()
    yield opened
    await opened.close()
