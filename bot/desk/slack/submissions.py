"""Modals that were submitted, and the message shortcut: from what was filled in to an act, or to what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.desk.acts import ActError
from bot.desk.card import CaseAct
from bot.desk.slack import kit, modals
from bot.desk.slack.actions import GONE, NOT_KEPT, UNSURE_WHO, Ack, Payload
from bot.desk.slack.forms import block_of, event_of, plan_of
from bot.desk.slack.forms import text as text_of
from bot.desk.slack.incident import PREFIX
from bot.desk.slack.modals import Meta
from bot.log import get_logger
from bot.slack.text import escape, plain
from bot.slack.trouble import Trouble
from bot.staff import Role
from bot.store.port import StoreError
from conversations.conversation import Agent, Conversation
from conversations.events import AgentEvent, AgentReleased, AgentReplied, AgentResolved, AgentTransferred
from conversations.ids import AgentId, ConversationKey
from conversations.protocol import State
from conversations.wording import guard
from conversations.wording.request import Surface
from conversations.wording.spoken import plan_text

if TYPE_CHECKING:
    from bot.desk.slack.actions import Actions, Actor

log = get_logger("desk.slack")


class Submissions:
    """Does what forms ask."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.board = actions.board
        self.slack = actions.slack
        self.replies = actions.replies

    async def on_view(self, ack: Ack, body: dict[str, Any]) -> None:
        """A modal was submitted (or closed, where it asked to hear of it)."""
        shown = body["view"]
        meta = Meta.load(str(shown.get("private_metadata", "")))
        if body.get("type") != "view_submission" or meta is None or meta.act in ("notice", "reveal"):
            await ack()
            return
        who = await self.actions.actor(body)
        if isinstance(who, str):
            await ack(response_action="update", view=modals.notice("Not allowed", who))
            return
        try:
            answer = await self.submitted(meta, shown, body, who)
        except ActError as error:
            block = block_of(error, meta.act, shown.get("blocks") or [])
            if block is None:
                await ack(response_action="update", view=modals.notice("Not possible", escape(error.message)))
            else:
                await ack(response_action="errors", errors={block: error.message[:2_000]})
        except StoreError:
            await ack(response_action="update", view=modals.notice("Not saved", NOT_KEPT))
        except Trouble as trouble:
            log.warning("a modal failed", act=meta.act, error=str(trouble))
            await ack(response_action="update", view=modals.notice("Not done", UNSURE_WHO))
        else:
            await (ack(response_action="update", view=answer) if answer is not None else ack())

    async def submitted(self, meta: Meta, shown: Payload, body: Payload, who: Actor) -> dict[str, Any] | None:
        """Do what the form asks; a view to show next, or None when it is done. Raises ``ActError``."""
        given = modals.values(shown.get("state"))
        act_id = f"slack:view:{shown['id']}"
        if meta.act.startswith(PREFIX):
            return await self.actions.incident.submitted(meta, given, body, who)
        if meta.act == "end_shift":
            await self.end_shift(given, who, act_id)
            return None
        case = await self.board.store.conversation(ConversationKey(meta.case))
        if case is None:
            raise ActError("case", GONE)
        if case.state is State.CLOSED and meta.act != CaseAct.SET_REFERENCE:
            raise ActError("case", "This case was closed meanwhile. Nothing was sent or changed. Reopen it first.")
        if meta.act in ("reply", "edit_draft", "send_to_customer"):
            return await self.reply(meta, case, given, who, act_id)
        if meta.act == CaseAct.PROPOSE_PLAN:
            return await self.plan(meta, case, given, who, act_id)
        if meta.act == CaseAct.MERGE:
            assert self.actions.acts is not None, "the desk is not bound"
            other = ConversationKey(json.loads(meta.source)[int(given.get("other") or 0)])
            await self.actions.acts.merge(case, other, who.agent, act_id)
            return None
        if (
            meta.act == CaseAct.RECORD_ANSWER
            and case.rounds >= self.board.policy().check_back_rounds_max
            and who.role < Role.LEAD
        ):
            raise ActError("satisfied", "The rounds are used up: a lead decides how this case ends.")
        to = await self.colleague(given.get("to_agent"))
        now = self.board.clock.now()
        event = event_of(meta.act, given, who.agent, case, self.board.settings, now, act_id, to)
        if isinstance(event, AgentResolved) and (view := self.resolving(meta, case, event)) is not None:
            return view
        await self.actions.submit(case, event, act_id)
        return None

    def resolving(self, meta: Meta, case: Conversation, event: AgentResolved) -> dict[str, Any] | None:
        """What was done is read in a direct message, never in public: the guard's findings are shown once before it leaves.
        None: nothing stands against it. Raises ``ActError`` while promises are open: here what was written is not lost."""
        if case.promises_open and not event.anyway:
            raise ActError(
                "anyway", "Promises are still open: tick this, or close the form and say what was kept first."
            )
        if case.last_surface is not Surface.DIRECT:
            return None
        policy, now = self.board.policy(), self.board.clock.now()
        language = case.language if case.language != "und" else policy.languages[0]
        findings = guard.findings(event.done_text, language, Surface.DIRECT, customer_language=language)
        seen = self.replies.seen(event.done_text, Surface.DIRECT, None)
        if not findings or meta.seen == seen:
            return None
        return modals.simple(meta.act, case, self.board.settings, policy, now, findings, seen)

    async def colleague(self, user: str | None) -> Agent | None:
        """The agent that was chosen. Raises ``ActError`` for somebody who is none."""
        if not user:
            return None
        if await self.board.people.role(user, self.slack.team) is Role.NOBODY:
            raise ActError("to_agent", "This person is no agent of this desk: choose one who is")
        return Agent(AgentId(user), await self.board.people.name(user))

    async def reply(
        self, meta: Meta, case: Conversation, given: Mapping[str, Any], who: Actor, act_id: str
    ) -> dict[str, Any] | None:
        """Words to the customer: shown exactly as they will be sent, then sent."""
        words = self.replies.outgoing(text_of(given, f"text{meta.n}"))
        surface = Surface(given["surface"]) if given.get("surface") else None
        field = f"text{meta.n}"
        if not words:
            raise ActError(field, "write something here")
        review, findings, other = await self.replies.review(case, words, surface, who.agent)
        self.replies.refuse(findings, field)
        seen = self.replies.seen(words, surface or case.last_surface, other)
        if meta.seen != seen:
            meta = replace(meta, seen=seen)
            return modals.reply(
                meta,
                case,
                self.replies.starts(case),
                text=words,
                surface=surface,
                review=review,
                findings=findings,
                other=other,
            )
        overridden = tuple(dict.fromkeys(finding.rule for finding in findings))
        self.replies.answering(case.key, who.agent)
        event = AgentReplied(agent=who.agent, text=words, surface=surface, overridden=overridden)
        await self.actions.submit(case, event, f"slack:draft:{meta.source}" if meta.source else act_id)
        return None

    async def plan(
        self, meta: Meta, case: Conversation, given: Mapping[str, Any], who: Actor, act_id: str
    ) -> dict[str, Any] | None:
        """A plan: its steps are shown as the customer reads them, then it is proposed."""
        assert self.actions.acts is not None, "the desk is not bound"
        policy, now = self.board.policy(), self.board.clock.now()
        event = plan_of(given, meta.n, who.agent, self.board.settings)
        self.actions.acts.check(event, now)
        language = case.language if case.language != "und" else policy.languages[0]
        words = "\n".join(step.text for step in event.steps)
        findings = guard.findings(words, language, case.last_surface, guard.Author.PLAN, customer_language=language)
        seen = hashlib.sha256(repr((event.steps, event.remedy)).encode()).hexdigest()[:24]
        if meta.seen != seen:
            preview = plan_text(event.shown_steps, now, language, case.customer.time_zone or policy.time_zone)
            return modals.plan(replace(meta, seen=seen), case, self.board.settings, findings, preview)
        overridden = tuple(dict.fromkeys(finding.rule for finding in findings))
        await self.actions.submit(case, replace(event, overridden=overridden), act_id)
        return None

    async def end_shift(self, given: Mapping[str, Any], who: Actor, act_id: str) -> None:
        """Hand over every case of an agent, with a note."""
        note = text_of(given, "note")
        if not note:
            raise ActError("note", "write what they need to know")
        to = await self.colleague(given.get("to_agent"))
        if to is not None and to.id == who.agent.id:
            raise ActError("to_agent", "that is you: choose somebody else, or nobody")
        mine = await self.actions.home.mine(who)  # where the customer was asked, whoever is there takes up the answer
        handed = [case for case in mine if case.state is not State.CHECKING_BACK]
        self.actions.home.expect(who, *handed)
        for case in handed:
            event: AgentEvent = AgentReleased(agent=who.agent, note=note)
            if to is not None and case.state is not State.RESOLVED:  # that waits for its date: the queue is asked then
                event = AgentTransferred(agent=who.agent, to_agent=to, note=note)
            await self.actions.submit(case, event, f"{act_id}:{case.key}")

    # ---------------------------------------------------------------- the message shortcut

    async def on_shortcut(self, ack: Ack, body: dict[str, Any]) -> None:
        """ "Send to customer": a message of the thread, shown as it will be sent, and only then sent."""
        who = await self.actions.actor(body)
        if isinstance(who, str):
            self.actions.answer(body, who)
            await ack()
            return
        try:
            await self.shortcut(body, who)
        except ActError as error:
            self.actions.answer(body, error.message)
        except StoreError:
            self.actions.answer(body, NOT_KEPT)
        except Trouble as trouble:
            self.actions.answer(body, f"Slack did not take that ({escape(trouble.error)}). Please try again.")
        await ack()

    async def shortcut(self, body: dict[str, Any], who: Actor) -> None:
        """Open the preview. Raises ``ActError``."""
        message = body["message"]
        channel, root = str(body["channel"]["id"]), str(message.get("thread_ts") or message["ts"])
        key = await self.board.records.case_at(channel, root)
        case = await self.board.store.conversation(key) if key else None
        if case is None:
            raise ActError("case", "Use this on a message in the thread of a case.")
        if message.get("bot_id"):
            raise ActError("case", "This message is the bot's own: it shows what was said, and is not sent again.")
        self.actions.still_possible(CaseAct.REPLY, case, who)
        text = self.replies.outgoing(plain(str(message.get("text", "")), self.board.people.known_name))
        if not text:
            raise ActError("case", "There are no words in this message: files are not sent to customers.")
        if len(text) > kit.INPUT_CHARS_MAX:
            raise ActError("case", f"{len(text)} characters: at most {kit.INPUT_CHARS_MAX} can be sent at once.")
        review, findings, other = await self.replies.review(case, text, None, who.agent)
        note = "📎 The message's files are not sent." if message.get("files") else ""
        refused = self.replies.refused(findings)
        seen = "" if refused else self.replies.seen(text, case.last_surface, other)
        meta = Meta("send_to_customer", case.key, case.version, seen)
        view = modals.reply(
            meta, case, self.replies.starts(case), text=text, review=review, findings=findings, other=other, note=note
        )
        await self.actions.open_view(body, view)
