"""Fixtures that every test may use."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only: it is the loop the program runs on."""
    return "asyncio"
