"""The App Home: my cases, the queue, what breaches next, what triage was unsure of or set aside, and health."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.desk.acts import ActError
from bot.desk.card import Heat, heat_of
from bot.desk.slack import kit, modals
from bot.desk.slack.cards import ACTION, HEATS, STATES, case_block
from bot.desk.slack.kit import Block
from bot.slack.text import cut, escape, instant, link, quoted
from bot.staff import Role
from bot.store.records import Aside
from conversations.comprehension.reading import Decision
from conversations.conversation import Conversation
from conversations.events import AgentClaimed, CustomerPosted
from conversations.ids import ConversationKey
from conversations.protocol import State

if TYPE_CHECKING:
    from bot.desk.slack.actions import Actions, Actor

OWNED = (State.WITH_AGENT, State.AWAITING_AGREEMENT, State.FULFILLING, State.RESOLVED, State.CHECKING_BACK)
UNOWNED = (State.LISTENING, State.REFLECTING, State.AWAITING_AGENT)
PAGE = 100
LOOK_MAX = 2_000
"""Open cases that are looked through for lists."""
EXPECTED_MAX = 1_000
SHOWN_MAX = 8
"""Entries of each list: a view holds a hundred blocks."""
NOISE = "does not mention us, and belongs to no open conversation"
"""Talk in a shared channel that was never meant for us: kept, but not listed."""
HEAT_ORDER = tuple(Heat)


class Home:
    """Builds and publishes the App Home, and answers its buttons."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.board = actions.board
        self.slack = actions.slack
        self._expected: dict[ConversationKey, dict[Actor, int]] = {}

    # ---------------------------------------------------------------- listening

    async def on_opened(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Somebody opened the app's home."""
        if event.get("tab", "home") != "home":
            return
        user = str(event["user"])
        self.slack.later(self.publish_for(user, self.slack.team), "home")

    async def clicked(self, name: str, action: Mapping[str, Any], body: dict[str, Any], who: Actor) -> None:
        """Buttons that are about no single case."""
        match name:
            case "take_next":
                self.slack.later(self.give_next(who, str(action.get("action_ts", "")), body), "take next")
                return
            case "end_shift":
                await self.actions.open_view(body, modals.end_shift(len(await self.mine(who)), self.board.policy()))
                return
            case "open_aside":
                assert self.actions.open_aside is not None, "the desk is not bound"
                taken = await self.actions.open_aside(int(str(action.get("value", "0"))))
                self.actions.answer(
                    body, "A case is open now." if taken.new else "Somebody has opened this one already."
                )
            case "refresh":
                pass
            case _:
                raise ActError("case", "This button is from an older version of the app.")
        if body.get("view"):
            self.slack.later(self.publish(who), "home")

    # ---------------------------------------------------------------- acts

    async def open_cases(self) -> list[Conversation]:
        """Everything that is not closed, as far as lists look."""
        states = [state.value for state in State if state is not State.CLOSED]
        found: list[Conversation] = []
        while len(found) < LOOK_MAX:  # page by page, so that clicks are answered in between
            page = await self.board.store.conversations(states=states, limit=PAGE, offset=len(found))
            found += page
            if len(page) < PAGE:
                break
            await asyncio.sleep(0)
        return list({case.key: case for case in found}.values())

    async def mine(self, who: Actor) -> list[Conversation]:
        """The cases of an agent that are not closed."""
        return [case for case in await self.open_cases() if case.owner is not None and case.owner.id == who.agent.id]

    def waiting(self, cases: Sequence[Conversation]) -> list[Conversation]:
        """The queue: what anybody may take, the most urgent first."""
        now = self.board.clock.now()
        free = [
            case
            for case in cases
            if case.owner is None
            and case.on_desk
            and (case.snoozed_until is None or case.snoozed_until <= now)
            and case.state not in (State.RESOLVED, State.CHECKING_BACK)
        ]
        return sorted(free, key=self.urgency)

    def urgency(self, case: Conversation) -> tuple[int, int, datetime, datetime]:
        """Danger and waiting time decide, never reach."""
        heat = heat_of(case, self.board.policy(), self.board.clock.now())
        return HEAT_ORDER.index(heat), -case.priority, breach_of(case) or case.first_posted_at, case.first_posted_at

    async def take_next(self, who: Actor, stamp: str) -> Conversation:
        """Claim the most urgent case that nobody has. Raises ``ActError`` when there is none."""
        waiting = self.waiting(await self.open_cases())
        if not waiting:
            raise ActError("case", "The queue is empty.")
        case = waiting[0]
        await self.actions.submit(case, AgentClaimed(agent=who.agent), f"slack:{who.agent.id}:next:{case.key}:{stamp}")
        return case

    async def give_next(self, who: Actor, stamp: str, body: dict[str, Any]) -> None:
        """Take the next case for somebody who clicked, and show it."""
        try:
            case = await self.take_next(who, stamp)
        except ActError as error:
            self.actions.answer(body, error.message)
        else:
            self.actions.answer(
                body, f"You take the case of {escape(await self.board.who(case))}: {await self.where(case)}"
            )
            self.expect(who, case)

    def expect(self, who: Actor, *cases: Conversation) -> None:
        """Somebody acted from their home: it is shown again once the card says what became of it, so that no button stands
        there that was clicked already."""
        while len(self._expected) >= EXPECTED_MAX:
            self._expected.pop(next(iter(self._expected)))
        for case in cases:
            self._expected.setdefault(case.key, {})[who] = case.version

    def decided(self, case: Conversation) -> None:
        """A card was brought up to date: the homes that wait for it are as well, each once all it waits for has come."""
        waiting = self._expected.get(case.key, {})
        done = [who for who, version in waiting.items() if case.version > version]
        for who in done:
            del waiting[who]
            if not any(who in others for others in self._expected.values()):
                self.slack.later(self.publish(who), "home")
        if not waiting:
            self._expected.pop(case.key, None)

    async def where(self, case: Conversation) -> str:
        """A link to the case's card."""
        record = await self.board.records.get(case.key)
        url = self.slack.permalink(record.channel, record.ts) if record.up else None
        return link(url, "open the card") if url else "its card comes in a moment"

    # ---------------------------------------------------------------- the view

    async def publish_for(self, user: str, team: str) -> None:
        """Show somebody their home: agents their work, everybody else a sentence."""
        who = await self.actions.actor({"user": {"id": user, "team_id": team}})
        if isinstance(who, str):
            await self.show(user, [kit.section(escape(who))])
        else:
            await self.publish(who)

    async def publish(self, who: Actor) -> None:
        """Show an agent their home. Raises ``Trouble``."""
        await self.show(who.agent.id, await self.blocks(who))

    async def show(self, user: str, blocks: list[Block]) -> None:
        """Publish a view. Raises ``Trouble``."""
        client = self.slack.client
        await self.slack.ask(
            "views.publish", client.views_publish(user_id=user, view={"type": "home", "blocks": blocks[:100]})
        )

    async def blocks(self, who: Actor) -> list[Block]:
        """Everything on the home."""
        cases = await self.open_cases()
        waiting = self.waiting(cases)
        mine = sorted((c for c in cases if c.owner is not None and c.owner.id == who.agent.id), key=self.urgency)
        found: list[Block] = [kit.header(f"{len(mine)} with you, {len(waiting)} in the queue")]
        controls = [
            kit.button("Take next", f"{ACTION}take_next", style="primary"),
            kit.button("Refresh", f"{ACTION}refresh"),
        ]
        if mine:
            controls.append(kit.button("End my shift…", f"{ACTION}end_shift"))
        found.append(kit.actions("home", controls))
        found.append(kit.context(await self.health()))
        found += await self.actions.incident.home(who)
        found += await self.listed("My cases", mine, "mine", claim=False)
        found += await self.listed("The queue", waiting, "queue", claim=True)
        found += await self.listed("Breaches next", self.breaching(cases), "next", claim=False)
        unsure = [c for c in cases if c.triage is Decision.UNSURE and c.label is None and c.owner is None]
        found += await self.unsure(sorted(unsure, key=self.urgency))
        found += self.aside([a for a in await self.board.store.asides(100) if a.reason != NOISE])
        if who.role is Role.ADMIN:
            found += await self.templates()
        return found

    async def health(self) -> str:
        """How the bot is, in a line."""
        counts = await self.board.store.counts()
        parts = [f"{sum(n for state, n in counts.by_state.items() if state != State.CLOSED.value)} open cases"]
        troubles = ("pending", "unknown", "failed", "rejected", "refused")
        parts += [f"{counts.outbox[status]} messages {status}" for status in troubles if counts.outbox.get(status)]
        if counts.poisoned:
            parts.append(f"⚠️ {counts.poisoned} conversations cannot be decided")
        if self.slack.token_error:
            parts.append(f"⚠️ Slack refuses our token ({escape(self.slack.token_error)})")
        if self.board.gone:
            parts.append(f"⚠️ channels gone: {escape(', '.join(sorted(self.board.gone)))}")
        if self.actions.controls is not None:
            parts.append(escape(await self.actions.controls.health()))
        return " · ".join(parts)

    def breaching(self, cases: Sequence[Conversation]) -> list[Conversation]:
        """Cases by the clock that ends next."""
        return sorted((c for c in cases if breach_of(c) is not None), key=lambda c: breach_of(c) or c.first_posted_at)

    async def listed(self, title: str, cases: Sequence[Conversation], part: str, *, claim: bool) -> list[Block]:
        """A list of cases."""
        if not cases:
            return [kit.divider(), kit.section(f"*{title}*\n_nothing_")]
        found = [kit.divider(), kit.section(f"*{title}* ({len(cases)})")]
        for case in cases[:SHOWN_MAX]:
            found.append(kit.section(await self.line(case)))
            if claim:
                found.append(
                    kit.actions(case_block(case.key, case.version, part), [kit.button("Claim", f"{ACTION}claim")])
                )
        return found

    async def line(self, case: Conversation) -> str:
        """A case in two lines."""
        heat = HEATS[heat_of(case, self.board.policy(), self.board.clock.now())]
        topics = escape(kit.topics(case.topics)) or "a complaint"
        breach = breach_of(case)
        due = f" · ends {instant(breach)}" if breach else ""
        story = " ".join(turn.reading.masked for turn in case.story)
        who, where = escape(await self.board.who(case)), await self.where(case)
        return f"{heat} · *{topics}* · {who} · {STATES[case.state]}{due} · {where}\n{escape(cut(story, 200))}"

    async def unsure(self, cases: Sequence[Conversation]) -> list[Block]:
        """What triage was not sure of: one click teaches it."""
        if not cases:
            return []
        found = [kit.divider(), kit.section(f"*Is it a complaint?* ({len(cases)})")]
        for case in cases[:SHOWN_MAX]:
            found.append(kit.section(await self.line(case)))
            labels = [
                kit.button("It is a complaint", f"{ACTION}is_complaint"),
                kit.button("Not a complaint", f"{ACTION}not_complaint"),
            ]
            found.append(kit.actions(case_block(case.key, case.version, "unsure"), labels))
        return found

    def aside(self, asides: Sequence[Aside]) -> list[Block]:
        """What was set aside: one click opens a case."""
        if not asides:
            return []
        found = [kit.divider(), kit.section(f"*Set aside* ({len(asides)})")]
        for aside in asides[:SHOWN_MAX]:
            words = aside.event.reading.masked if isinstance(aside.event, CustomerPosted) else ""
            found.append(kit.section(f"{quoted(cut(words, 300))}\n_{escape(cut(aside.reason, 150))}_"))
            value = str(aside.sequence)
            found.append(kit.actions(f"aside|{value}", [kit.button("Open a case", f"{ACTION}open_aside", value)]))
        return found

    async def templates(self) -> list[Block]:
        """The admins' wording: what is published and what is drafted."""
        versions = await self.board.store.templates()
        lines = [
            f"`{escape(v.id)}` v{v.version} · {v.status} · {escape(v.act)} · {v.language}"
            for v in versions
            if v.status != "retired"
        ]
        text = "\n".join(lines[:30]) or "_only the shipped ones; write your own in the console_"
        return [kit.divider(), kit.section(f"*Templates*\n{text}")]


def breach_of(case: Conversation) -> datetime | None:
    """When the next of a case's clocks ends."""
    ends = [p.due_at for p in case.promises_open if p.due_at is not None]
    if case.answer_due_at is not None:
        ends.append(case.answer_due_at)
    if case.replied_at is None and (
        alarm := next((t.due_at for t in case.timers if t.name.value == "first_reply"), None)
    ):
        ends.append(alarm)
    return min(ends, default=None)
