"""Fixtures that every test may use, and how hypothesis looks for examples."""

import os

import pytest
from hypothesis import settings

# The gate says the same of the same code every time. HEAROUT_EXPLORE=1 looks at new examples instead.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("explore" if os.environ.get("HEAROUT_EXPLORE") else "repeatable")


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only: it is the loop the program runs on."""
    return "asyncio"
