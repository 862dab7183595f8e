"""Named places at which the simulation may kill the program: before and after every commit and every outside call.

Off (the default) a point costs one comparison. The names are in ``POINTS``; a test reaches every one of them.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = (
    "intake: before commit",
    "intake: after commit",
    "engine: before commit",
    "engine: inside commit",
    "engine: after commit",
    "delivery: before claim",
    "delivery: after claim",
    "delivery: before send",
    "delivery: after send",
    "delivery: before look",
    "delivery: after look",
    "delivery: before report",
    "delivery: after report",
    "store: before open",
    "store: after open",
    "store: before commit",
    "store: after commit",
)
"""Every point there is."""

_hook: Callable[[str], None] | None = None


def reached(point: str) -> None:
    """The program has come to this point."""
    if _hook is not None:
        _hook(point)


def set_hook(hook: Callable[[str], None] | None) -> None:
    """Be told of every point that is reached; None turns it off. The hook may raise what ends the program."""
    global _hook  # the one switch of a process: points lie in code that knows of no simulation
    _hook = hook
