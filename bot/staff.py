"""What people may do: the same at every desk and at the console."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """What somebody may do. Each role may do what those below it may."""

    NOBODY = 0
    AGENT = 1
    LEAD = 2
    ADMIN = 3
