"""Who is at the browser, and what they may do. Denied unless something says otherwise; asked anew at every request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from bot.staff import Role
from conversations.conversation import Agent
from conversations.errors import HearoutError
from conversations.ids import AgentId


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the console. ``how`` they came in: ``slack``, ``link`` or ``playground``."""

    id: str
    name: str
    role: Role
    how: str

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"{self.how}:{self.id}"

    @property
    def agent(self) -> Agent:
        """As the desk knows them."""
        return Agent(AgentId(self.id), self.name)

    @property
    def is_admin(self) -> bool:
        """Whether they may change what the bot does."""
        return self.role >= Role.ADMIN


class StaffUnknown(HearoutError):
    """It cannot be found out at the moment what somebody may do: then they may do nothing."""


class Staff(Protocol):
    """Who may do what, by Slack user and workspace."""

    async def role(self, user: str, team: str) -> Role:
        """The role as it is now. Raises ``StaffUnknown``."""


@dataclass(frozen=True, slots=True)
class Page:
    """One request that the console answers, and what one has to be for it. ``Role.NOBODY``: everybody, signed in or not."""

    path: str
    method: str
    endpoint: Callable[[Request], Awaitable[Response]]
    needs: Role


class Gate(Protocol):
    """Tells who is at the browser."""

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages of signing in."""

    async def person(self, request: Request) -> Person | None:
        """Who it is, None for a stranger. Raises ``StaffUnknown``."""


class PlaygroundGate:
    """The playground: invented customers on this machine's own loopback, so whoever is there is its admin."""

    pages: tuple[Page, ...] = ()

    async def person(self, request: Request) -> Person | None:
        """The one who plays."""
        return Person("you", "You", Role.ADMIN, "playground")
