"""What the console needs of the running program. ``bot.app.App`` is one, ``bot.app.Playground`` another; nothing here puts
parts together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from bot.channels.playground import PlaygroundChannel
from bot.channels.port import Channel
from bot.clock import Clock, SystemClock
from bot.delivery import Delivery
from bot.desk.acts import Acts
from bot.desk.incident import Incidents
from bot.intake import Intake
from bot.metrics import Metrics
from bot.speech import Speech
from bot.store.port import Store
from bot.switches import Switches
from bot.wordings import Wordings
from bot.worker import Worker


class Running(Protocol):
    """The parts of one running program."""

    @property
    def store(self) -> Store: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def switches(self) -> Switches: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def wordings(self) -> Wordings: ...
    @property
    def channels(self) -> Mapping[str, Channel]: ...
    @property
    def intake(self) -> Intake: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def acts(self) -> Acts: ...
    @property
    def worker(self) -> Worker: ...
    @property
    def speech(self) -> Speech: ...


class Parts(Running, Protocol):
    """The parts of one running playground."""

    @property
    def local_clock(self) -> SystemClock: ...
    @property
    def phone(self) -> PlaygroundChannel: ...

    async def jump(self, to: datetime) -> None:
        """Move the virtual clock forward, and keep it so."""
