"""The program's log lines are not what these tests look at."""

from collections.abc import Iterator

import pytest
import structlog

from bot import log


@pytest.fixture(autouse=True, scope="package")
def _quiet() -> Iterator[None]:
    log.configure("critical")
    yield
    structlog.reset_defaults()
