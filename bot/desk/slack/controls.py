"""What admins may switch from Slack, through the program's own switches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class SwitchControls:
    """Pause and resume. ``turn(actor, paused=…)`` is ``Switches.turn``; ``health`` says how the bot is, in a line."""

    def __init__(self, turn: Callable[..., Awaitable[None]], health: Callable[[], Awaitable[str]]) -> None:
        self.turn = turn
        self._health = health

    async def pause(self, by: str) -> str:
        """The bot says nothing of its own from now on; agents' words go out."""
        await self.turn(by, paused=by)
        return "The bot is paused: it says nothing of its own. Agents' words still go out."

    async def resume(self, by: str) -> str:
        """It speaks again."""
        await self.turn(by, paused="")
        return "The bot speaks again."

    async def health(self) -> str:
        """How the bot is."""
        return await self._health()
