"""A PostgreSQL server for these tests."""

from __future__ import annotations

import pytest

from tests.contracts.backends import PostgresServer
from tests.contracts.conftest import postgres

__all__ = ["postgres"]


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    """An empty, migrated database."""
    return (await postgres.database()).url
