"""What agents do in Slack: clicks, modals and the message shortcut become acts, after the role was checked at each of them.

An act is kept (``Acts.submit``) before Slack gets its answer. Its id comes from Slack's own: a retry, or a second
click on the same
rendering of a card, is one act. What cannot be done is said to the person who tried, where they look.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bot.desk.acts import ActError, Acts
from bot.desk.calls import TOLD
from bot.desk.card import CaseAct, acts_for
from bot.desk.incident import Incidents
from bot.desk.slack import forms, kit, modals
from bot.desk.slack.board import Board
from bot.desk.slack.cards import ACTION, STATES, case_of
from bot.desk.slack.digest import Digest
from bot.desk.slack.incident import PREFIX, Incidental
from bot.desk.slack.modals import Meta
from bot.desk.slack.replies import Replies, Starts
from bot.log import get_logger
from bot.slack.text import escape, mention
from bot.slack.trouble import Trouble
from bot.staff import Role
from bot.store.port import StoreError
from bot.store.records import Taken
from conversations.conversation import Agent, Conversation
from conversations.events import (
    AgentClaimed,
    AgentEvent,
    AgentLabelled,
    AgentMutedBot,
    AgentReopened,
    AgentReplied,
)
from conversations.ids import AgentId, ConversationKey, EffectKey
from conversations.protocol import State

DENIED = "Only agents of this desk can do that. An admin can add you to the agents' group."
OUTSIDER = "Only agents of this desk can do that. Guests, bots and people of other companies cannot be added."
UNSURE_WHO = "Slack did not tell us whether you are an agent, so nothing was done. Please try again in a moment."
NOT_KEPT = "This could not be saved, so nothing was done. Please try again in a moment."
GONE = "This case is not there any more: it was erased."

WAIT_S_MAX = 1.0
"""However many click: a card is drawn again after so long at the latest."""

OpenAside = Callable[[int], Awaitable[Taken]]
Payload = Mapping[str, Any]
Ack = Callable[..., Awaitable[Any]]
log = get_logger("desk.slack")

DIRECT: Mapping[str, Callable[[Agent], AgentEvent]] = {
    "claim": lambda agent: AgentClaimed(agent=agent),
    "mute_bot": lambda agent: AgentMutedBot(agent=agent),
    "reopen": lambda agent: AgentReopened(agent=agent),
    "not_complaint": lambda agent: AgentLabelled(agent=agent, complaint=False),
    "is_complaint": lambda agent: AgentLabelled(agent=agent, complaint=True),
}
"""Acts that need no more than the click."""


class Controls(Protocol):
    """What admins may switch, and health in words."""

    async def pause(self, by: str) -> str:
        """The bot says nothing of its own from now on. Returns what to tell."""

    async def resume(self, by: str) -> str:
        """It speaks again."""

    async def health(self) -> str:
        """How the bot is, in a line."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and what they may."""

    agent: Agent
    role: Role


class Acknowledging:
    """Clicks that Slack waits for an answer to: cards are drawn when there are none, for drawing takes longer than an answer."""

    def __init__(self) -> None:
        self.count = 0
        self.none = asyncio.Event()
        self.none.set()

    def __enter__(self) -> None:
        self.count += 1
        self.none.clear()

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        if not self.count:
            self.none.set()

    async def over(self) -> None:
        """Wait until every click has its answer, but not for ever."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.none.wait(), WAIT_S_MAX)
        await asyncio.sleep(0)  # the answer itself leaves first


class Actions:
    """Listens to what people do at the desk."""

    def __init__(self, board: Board, digest: Digest) -> None:
        self.board = board
        self.slack = board.slack
        self.publish_digest = digest.publish
        self.acts: Acts | None = None
        self.open_aside: OpenAside | None = None
        self.controls: Controls | None = None
        self.replies = Replies(board)
        self.incident = Incidental(self)
        self.acknowledging = Acknowledging()

    def bind(
        self,
        acts: Acts,
        open_aside: OpenAside,
        controls: Controls | None,
        approved: Starts | None = None,
        incidents: Incidents | None = None,
    ) -> None:
        """Take the doors and listen."""
        from bot.desk.slack.commands import Commands
        from bot.desk.slack.home import Home
        from bot.desk.slack.submissions import Submissions

        self.acts, self.open_aside, self.controls = acts, open_aside, controls
        self.replies.acts, self.replies.approved = acts, approved
        self.incident.room = incidents
        self.home = Home(self)
        self.commands = Commands(self)
        self.submissions = Submissions(self)
        app = self.slack.app
        app.action(re.compile(f"^{ACTION}"))(self.on_action)
        app.view(re.compile(f"^{modals.VIEW}"))(self.submissions.on_view)
        app.shortcut("send_to_customer")(self.submissions.on_shortcut)
        app.command("/hearout")(self.commands.on_command)
        app.event("app_home_opened")(self.home.on_opened)
        for kind in ("channel_archive", "group_archive"):
            app.event(kind)(self.on_archived)
        for kind in ("channel_unarchive", "group_unarchive"):
            app.event(kind)(self.on_unarchived)
        app.event("channel_id_changed")(self.on_renumbered)
        for kind in ("tokens_revoked", "app_uninstalled"):
            app.event(kind)(self.on_signed_out)

    # ---------------------------------------------------------------- who

    async def actor(self, body: Payload) -> Actor | str:
        """Who acts; or, in words, why they may not."""
        user = body.get("user") or {"id": body.get("user_id", ""), "team_id": body.get("team_id", "")}
        team = user.get("team_id") or (body.get("team") or {}).get("id") or ""
        try:
            role = await self.board.people.role(str(user.get("id", "")), str(team))
            if role is Role.NOBODY:
                known = self.board.people.known(str(user.get("id", "")))
                own = team == self.slack.team and (known is None or known.own)
                return DENIED if own else OUTSIDER
            name = await self.board.people.name(str(user["id"]))
        except Trouble as trouble:
            log.warning("role unknown", error=str(trouble))
            return UNSURE_WHO
        return Actor(Agent(AgentId(str(user["id"])), name), role)

    # ---------------------------------------------------------------- clicks

    async def on_action(self, ack: Ack, body: dict[str, Any]) -> None:
        """A button or a menu, on a card, in a modal or in the App Home."""
        action = body["actions"][0]
        name = str(action["action_id"]).removeprefix(ACTION)
        if name == "more":
            name = str((action.get("selected_option") or {}).get("value", ""))
        with self.acknowledging:
            who = await self.actor(body)
            if isinstance(who, str):
                self.answer(body, who)
            else:
                try:
                    await self.clicked(name, action, body, who)
                except ActError as error:
                    self.answer(body, error.message)
                except StoreError:
                    self.answer(body, NOT_KEPT)
                except Trouble as trouble:
                    self.answer(body, f"Slack did not take that ({escape(trouble.error)}). Please try again.")
            await ack()

    async def clicked(self, name: str, action: Payload, body: dict[str, Any], who: Actor) -> None:
        """One click by somebody who may click."""
        if body.get("view") and await self.in_view(name, action, body, who):
            return
        found = case_of(str(action.get("block_id", "")))
        if name.startswith(PREFIX):
            await self.incident.clicked(name, action, body, who)
            return
        if found is None:
            await self.home.clicked(name, action, body, who)
            return
        key, version = ConversationKey(found[0]), found[1]
        case = await self.board.store.conversation(key)
        if case is None:
            raise ActError("case", GONE)
        if name == "send_draft":
            await self.send_draft(str(action.get("value", "")), case, body, who)
        elif name in DIRECT:
            await self.act_at_once(name, case, version, body, who)
        else:
            self.still_possible(name, case, who)
            await self.open_modal(name, case, body, who, str(action.get("value", "")))

    async def act_at_once(self, name: str, case: Conversation, version: int, body: dict[str, Any], who: Actor) -> None:
        """An act without a form."""
        try:
            self.still_possible(name, case, who)
        except ActError:
            self.show_again(case)
            raise
        event = DIRECT[name](who.agent)
        await self.submit(case, event, f"slack:{who.agent.id}:{name}:{case.key}:{version}")
        if body.get("message") and name == "claim":
            self.board.touched.add(case.key)
            self.slack.later(self.show_pending(case, body, who), "pending claim")
        elif body.get("view"):
            self.home.expect(who, case)

    def still_possible(self, name: str, case: Conversation, who: Actor) -> None:
        """Whether the act makes sense in the case as it is now. Raises ``ActError`` with why not: the card was out of date."""
        act = "label" if name in ("not_complaint", "is_complaint") else name
        if name in ("reveal", "edit_draft", "send_to_customer"):
            return
        possible = acts_for(case, who.agent.id, self.board.policy())
        if act in possible or (act == CaseAct.ANSWERED_BY_HAND and case.state is not State.CLOSED):
            return
        if act == CaseAct.CLAIM and case.owner is not None:
            mine = case.owner.id == who.agent.id
            raise ActError("case", TOLD["already_yours" if mine else "taken"].format(owner=escape(case.owner.name)))
        if case.state is State.CLOSED:
            raise ActError("case", "This case was closed meanwhile. Reopen it first.")
        owner = f", {case.owner.name} has it" if case.owner else ""
        raise ActError("case", f"This card was out of date. The case is now: {STATES[case.state]}{escape(owner)}.")

    async def show_pending(self, case: Conversation, body: dict[str, Any], who: Actor) -> None:
        """The buttons go at once, so that nobody clicks again; the card itself follows when the claim is decided."""
        await self.acknowledging.over()
        closing = f"⏳ {mention(who.agent.id)} is taking this case…"
        blocks, text, _ = await self.board.render(case, closing)
        record = await self.board.records.get(case.key)
        if (body.get("container") or {}).get("message_ts") == record.ts and case.key in self.board.touched:
            await self.slack.respond(
                str(body["response_url"]), {"replace_original": True, "text": text, "blocks": blocks}
            )

    def show_again(self, case: Conversation) -> None:
        """A stale card is brought up to date, whoever noticed it."""
        self.board.touched.add(case.key)
        self.slack.later(self.refreshed(case), "stale card")

    async def refreshed(self, case: Conversation) -> None:
        """Draw a card again. Raises ``Trouble``."""
        await self.acknowledging.over()
        await self.board.refresh(case)

    def decided(self, case: Conversation) -> None:
        """What was asked of a case has been decided, and its card shows it."""
        if self.acts is not None:
            self.home.decided(case)

    async def submit(self, case: Conversation, event: Any, act_id: str) -> None:
        """Through the one door."""
        assert self.acts is not None, "the desk is not bound"
        await self.acts.submit(case.key, event, act_id)

    async def send_draft(self, alarm: str, case: Conversation, body: dict[str, Any], who: Actor) -> None:
        """The words an alarm offered: one click sends them, once."""
        text = await self.draft(alarm, case)
        if case.state is State.CLOSED:
            raise ActError("case", "This case was closed meanwhile. Reopen it first.")
        review, findings, other = await self.replies.review(case, text, None, who.agent)
        if findings or other is not None or len(review.parts) > 1:
            meta = Meta(
                "edit_draft", case.key, case.version, self.replies.seen(text, case.last_surface, other), 0, alarm
            )
            await self.open_view(
                body,
                modals.reply(
                    meta, case, self.replies.starts(case), text=text, review=review, findings=findings, other=other
                ),
            )
            return
        self.replies.answering(case.key, who.agent)
        await self.submit(case, AgentReplied(agent=who.agent, text=text), f"slack:draft:{alarm}")
        self.answer(body, "Sent: see the thread.")

    async def draft(self, alarm: str, case: Conversation) -> str:
        """The draft of an alarm. Raises ``ActError``."""
        row = await self.board.store.outbox_row(EffectKey(alarm))
        text = str(row.body.get("draft") or "") if row is not None and row.conversation == case.key else ""
        if not text:
            raise ActError("case", "This draft is not there any more: write a reply instead.")
        return text

    # ---------------------------------------------------------------- modals

    async def open_modal(
        self, name: str, case: Conversation, body: dict[str, Any], who: Actor, value: str = ""
    ) -> None:
        """Open the form of an act."""
        settings, policy, now = self.board.settings, self.board.policy(), self.board.clock.now()
        meta = Meta(name, case.key, case.version)
        match name:
            case "reply":
                view = modals.reply(meta, case, self.replies.starts(case))
            case "edit_draft":
                text = await self.draft(value, case)
                view = modals.reply(replace(meta, source=value), case, self.replies.starts(case), text=text)
            case "propose_plan":
                known = len(case.plan.steps) if case.plan is not None and case.plan.agreed_at is None else 0
                view = modals.plan(
                    replace(meta, n=min(max(modals.STEPS_FIRST, known), modals.STEPS_MAX)), case, settings
                )
            case "merge":
                assert self.acts is not None, "the desk is not bound"
                view = modals.merge(case, await self.acts.others(case))
            case "reveal":
                await self.board.store.audit(f"slack:{who.agent.id}", "reveal personal data", case.key, now)
                view = modals.reveal(case, await self.board.store.turns(case.key))
            case _:
                if (
                    name == CaseAct.RECORD_ANSWER
                    and case.rounds >= policy.check_back_rounds_max
                    and who.role < Role.LEAD
                ):
                    raise ActError("case", "The rounds are used up: a lead decides how this case ends.")
                view = modals.simple(name, case, settings, policy, now)
        await self.open_view(body, view)

    async def open_view(self, body: Payload, view: dict[str, Any]) -> None:
        """Open a modal; on top of another one where there is one. Raises ``Trouble``."""
        client, trigger = self.slack.client, str(body["trigger_id"])
        if (body.get("view") or {}).get("type") == "modal":
            await self.slack.ask("views.push", client.views_push(trigger_id=trigger, view=view))
        else:
            await self.slack.ask("views.open", client.views_open(trigger_id=trigger, view=view))

    async def in_view(self, name: str, action: Payload, body: dict[str, Any], who: Actor) -> bool:
        """Controls inside our modals. False: it was something else."""
        shown = body["view"]
        meta = Meta.load(str(shown.get("private_metadata", "")))
        if meta is None or name not in ("add_step", "template"):
            return False
        case = await self.board.store.conversation(ConversationKey(meta.case))
        if case is None:
            raise ActError("case", GONE)
        if name == "add_step":
            view = modals.plan(replace(meta, n=min(meta.n + 1, modals.STEPS_MAX), seen=""), case, self.board.settings)
        else:
            chosen = int((action.get("selected_option") or {}).get("value", 0))
            starts = self.replies.starts(case)
            text = starts[chosen][1] if chosen < len(starts) else ""
            typed = forms.text(modals.values(shown.get("state")), f"text{meta.n}")
            if typed and all(typed != start.strip() for _, start in starts):  # an agent's own words are not thrown away
                text = f"{text}\n\n{typed}"[: kit.INPUT_CHARS_MAX]
            view = modals.reply(replace(meta, n=meta.n + 1, seen=""), case, starts, text=text)
        client = self.slack.client
        await self.slack.ask(
            "views.update", client.views_update(view_id=shown["id"], hash=shown.get("hash"), view=view)
        )
        return True

    # ---------------------------------------------------------------- answers, and what admins do to channels

    def answer(self, body: Payload, text: str) -> None:
        """Say something to the person who acted, where they look. Best effort, after the acknowledgement."""
        self.slack.later(self._answer(body, text), "answer")

    async def _answer(self, body: Payload, text: str) -> None:
        if (body.get("view") or {}).get("type") == "modal":
            client = self.slack.client
            view = modals.notice("Not possible", text)
            await self.slack.ask("views.push", client.views_push(trigger_id=str(body["trigger_id"]), view=view))
            return
        url = body.get("response_url")
        said = {"response_type": "ephemeral", "replace_original": False, "text": text}
        if url and await self.slack.respond(str(url), said):
            return
        user = str((body.get("user") or {}).get("id") or body.get("user_id") or "")
        client = self.slack.client
        await self.slack.ask("chat.postMessage", client.chat_postMessage(channel=user, text=text, unfurl_links=False))

    async def on_archived(self, event: dict[str, Any]) -> None:
        """A desk channel was archived."""
        places = {queue.channel for queue in self.board.settings.queues} | {self.board.settings.fallback_channel}
        if event.get("channel") in places:
            await self.board.channel_gone(str(event["channel"]), "is_archived")

    async def on_unarchived(self, event: dict[str, Any]) -> None:
        """It is back."""
        self.board.channel_back(str(event.get("channel", "")))

    async def on_renumbered(self, event: dict[str, Any]) -> None:
        """A channel has a new id (Slack Connect does that)."""
        await self.board.channel_renumbered(str(event["old_channel_id"]), str(event["new_channel_id"]))

    async def on_signed_out(self, event: dict[str, Any]) -> None:
        """Our token was revoked or the app removed."""
        await self.slack.signed_out(str(event.get("type", "")))
