"""``/hearout`` at top level (slash commands do not work in threads): status, search, next, pause, resume, digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.desk.acts import ActError
from bot.desk.slack.actions import NOT_KEPT
from bot.slack.text import escape
from bot.slack.trouble import Trouble
from bot.staff import Role
from bot.store.port import StoreError

if TYPE_CHECKING:
    from bot.desk.slack.actions import Actions, Actor

FOUND_MAX = 8
HELP = """*/hearout status* how the bot is, and what breaches next
*/hearout search* words, a name or a number: cases that have them
*/hearout next* take the most urgent case that nobody has
*/hearout pause*, */hearout resume* (admins) the bot says nothing of its own, or speaks again
*/hearout digest* (admins) the week's digest, now"""


class Commands:
    """Answers the slash command, to the person who typed it only."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    async def on_command(self, ack: Any, body: dict[str, Any]) -> None:
        """One command. The answer is ephemeral."""
        who = await self.actions.actor(body)
        if isinstance(who, str):
            await ack(text=who, response_type="ephemeral")
            return
        await ack()  # looking through a thousand cases takes longer than an acknowledgement should
        self.actions.slack.later(self.reply(who, body), "command")

    async def reply(self, who: Actor, body: dict[str, Any]) -> None:
        """Do it, and say what came of it."""
        verb, _, rest = str(body.get("text", "")).strip().partition(" ")
        try:
            text = await self.run(verb.lower(), rest.strip(), who, body)
        except ActError as error:
            text = error.message
        except StoreError:
            text = NOT_KEPT
        except Trouble as trouble:
            text = f"Slack did not take that ({escape(trouble.error)}). Please try again."
        self.actions.answer(body, text)

    async def run(self, verb: str, rest: str, who: Actor, body: dict[str, Any]) -> str:
        """Do what a command asks, and say what came of it. Raises ``ActError``."""
        home = self.actions.home
        match verb:
            case "status" | "":
                cases = await home.open_cases()
                lines = [await home.health()]
                lines += [await home.line(case) for case in home.breaching(cases)[:5]]
                return "\n".join(lines)
            case "search":
                return await self.search(rest)
            case "next":
                case = await home.take_next(who, str(body.get("trigger_id", "")))
                return f"You take the case of {escape(await self.actions.board.who(case))}: {await home.where(case)}"
            case "pause" | "resume":
                return await self.switch(verb, who)
            case "digest":
                self.admin(who)
                self.actions.slack.later(self.actions.publish_digest(), "digest")
                return "The digest is on its way."
            case "help":
                return HELP
            case _:
                return f"There is no “{escape(verb)}”.\n{HELP}"

    async def search(self, words: str) -> str:
        """Cases by words, customer or reference. Raises ``ActError``."""
        if not words:
            raise ActError("text", "Write what to look for: /hearout search 4471-22")
        found = await self.actions.board.store.conversations(search=words, limit=FOUND_MAX)
        if not found:
            return f"No case has “{escape(words)}”."
        return "\n".join([await self.actions.home.line(case) for case in found])

    async def switch(self, verb: str, who: Actor) -> str:
        """Silence the bot, or let it speak. Raises ``ActError``."""
        self.admin(who)
        controls = self.actions.controls
        if controls is None:
            raise ActError("text", "Pausing is not set up for this bot.")
        by = f"slack:{who.agent.id}"
        await self.actions.board.store.audit(by, verb, "the bot", self.actions.board.clock.now())
        return escape(await (controls.pause(by) if verb == "pause" else controls.resume(by)))

    @staticmethod
    def admin(who: Actor) -> None:
        """Raises ``ActError`` for everybody else."""
        if who.role is not Role.ADMIN:
            raise ActError("text", "Only admins can do that.")
