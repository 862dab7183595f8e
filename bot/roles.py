"""What one process does where several share the work: ``hearout run --role …``."""

from __future__ import annotations

from enum import StrEnum


class ProcessRole(StrEnum):
    """Everything, or a part. Slack's signed requests are taken by any of them, in HTTP mode."""

    ALL = "all"
    WORKER = "worker"
    INTAKE = "intake"
    CONSOLE = "console"

    @property
    def decides(self) -> bool:
        """Runs the engine: any number may."""
        return self in (ProcessRole.ALL, ProcessRole.WORKER)

    @property
    def delivers(self) -> bool:
        """Sends: any number may. What belongs to an account of X leaves where that account's lease is."""
        return self is not ProcessRole.CONSOLE

    @property
    def listens(self) -> bool:
        """Reads from the platforms and keeps connections to them: each of these by one process at a time."""
        return self in (ProcessRole.ALL, ProcessRole.INTAKE)
