"""sqlite-utils' Database, imported without what it imports for features that are not used here.

sqlite-utils looks for numpy and pandas, to adapt their types. Where they happen to be installed, that costs a process 15 MB and
a third of a second, so they are hidden from it while it is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

HIDDEN = ("numpy", "pandas")


@contextmanager
def hidden() -> Iterator[None]:
    """Make modules that nobody has imported yet look as if they were not installed."""
    names = [name for name in HIDDEN if name not in sys.modules]
    for name in names:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


with hidden():
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

__all__ = ["Database", "Migrations"]
