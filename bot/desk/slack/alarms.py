"""Calls to the desk: whom they ring, what they say, and what can be done about them with one click."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.desk.calls import TOLD, WHY, WORDS, Tone
from bot.desk.slack import kit
from bot.desk.slack.board import Board
from bot.desk.slack.cards import ACTION, case_block
from bot.desk.slack.kit import Block
from bot.slack.text import CHUNK_CHARS_MAX, chunks, cut, escape, group_mention, instant, link, mention
from bot.store.records import OutboxRow
from conversations.conversation import Conversation
from conversations.effects import Alarm, Audience

SIGNS = {Tone.DANGER: "🚨", Tone.WARNING: "⚠️", Tone.NOTE: "🔔"}
RISKS = frozenset({Alarm.RED_RISK, Alarm.AMBER_RISK, Alarm.FIRST_REPLY_ENDANGERED})
"""What rings at any hour; all else is quiet while nobody works."""
LOUD = frozenset({Alarm.RED_RISK, Alarm.FIRST_REPLY_ENDANGERED, Alarm.LEAD_NEEDED})
"""What is shown in the channel as well as in the case's thread."""
GROUPED = frozenset({Alarm.FIRST_REPLY_HELD, Alarm.FIRST_REPLY_ENDANGERED})
"""What a held topic's cases have in common."""
MENTIONS_MAX = 12
COPY_CHARS_MAX = 2_800


class Alarms:
    """Words and mentions for ``alarm`` and ``tell`` rows."""

    def __init__(self, board: Board) -> None:
        self.board = board

    async def line(self, row: OutboxRow, case: Conversation) -> str:
        """One line: whom, what, why."""
        alarm = Alarm(row.body["alarm"])
        tone, title, detail = WORDS[alarm]
        facts = shown_facts(row.body.get("facts") or {})
        rung = await self.rung(row, case, alarm)
        words = f"{SIGNS[tone]} *{title.format_map(facts)}* {detail.format_map(facts).strip()}"
        return f"{rung} {words}".strip()

    async def message(self, row: OutboxRow, case: Conversation) -> tuple[str, list[Block], bool]:
        """Text, blocks, and whether the channel shows it as well as the thread."""
        alarm = Alarm(row.body["alarm"])
        facts: Mapping[str, Any] = row.body.get("facts") or {}
        text = await self.line(row, case)
        blocks = [kit.section(text)]
        controls: list[Block] = []
        if words := str(facts.get("text") or ""):
            label = "Text to copy" if alarm in (Alarm.SEND_FAILED, Alarm.UNREACHABLE) else "Their words"
            parts = chunks(words, COPY_CHARS_MAX)
            blocks += [
                kit.section(f"*{label}*{'' if len(parts) == 1 else f' {n}/{len(parts)}'}\n```{escape(part)}```")
                for n, part in enumerate(parts[:4], 1)
            ]
        if alarm in (Alarm.SEND_FAILED, Alarm.FIRST_REPLY_ENDANGERED, Alarm.UNREACHABLE):
            controls.append(kit.button("I answered by hand…", f"{ACTION}answered_by_hand"))
            if where := self.board.post_link(case, case.last_turn):
                blocks.append(kit.context(link(where, "Open the post")))
        if draft := row.body.get("draft"):
            blocks.append(kit.section(f"*Draft*\n{escape(cut(str(draft), COPY_CHARS_MAX))}"))
            value = row.key if len(row.key) <= 2_000 else ""
            controls.append(kit.button("Send this draft", f"{ACTION}send_draft", value, "primary"))
            controls.append(kit.button("Change it first…", f"{ACTION}edit_draft", value))
        if (
            alarm
            in (Alarm.UNCLAIMED, Alarm.RED_RISK, Alarm.AMBER_RISK, Alarm.BACK_IN_QUEUE, Alarm.FIRST_REPLY_ENDANGERED)
            and case.owner is None
        ):
            controls.append(kit.button("Claim", f"{ACTION}claim", style="primary"))
        if alarm is Alarm.CHECK_BACK_BY_HAND:
            controls.append(kit.button("Record the answer…", f"{ACTION}record_answer"))
        if controls:
            blocks.append(kit.actions(case_block(case.key, case.version, "alarm"), controls))
        return cut(text, CHUNK_CHARS_MAX), blocks, alarm in LOUD and not self.in_incident(case, alarm)

    def in_incident(self, case: Conversation, alarm: Alarm) -> bool:
        """A held topic: the desk is called once for all of its cases (``held:topic``), so that each alone need not ring."""
        return alarm in GROUPED and case.owner is None and self.board.policy().is_held(case.topics)

    async def rung(self, row: OutboxRow, case: Conversation, alarm: Alarm) -> str:
        """Whom a call mentions: nobody outside working hours, unless somebody is in danger or the first reply is."""
        place = self.board.settings.place(case.queue)
        hours = self.board.policy().queue_named(case.queue).hours
        working = hours.is_open(self.board.clock.now())
        if self.in_incident(case, alarm):
            return "✋"
        if not working and alarm not in RISKS:
            return "🌙"
        agent = (row.body.get("agent") or {}).get("id")
        match Audience(row.body["audience"]):
            case Audience.OWNER:
                return mention(str(agent)) if agent else ""
            case Audience.QUEUE:
                entries = place.agents if working else place.on_call or place.leads
            case Audience.LEADS:
                entries = place.leads or place.agents
            case Audience.EVERYONE:
                entries = (*place.on_call, *place.leads, *place.agents)
        names = [entry if entry[:1] != "@" else "" for entry in dict.fromkeys(entries)]
        handles = [entry for entry in dict.fromkeys(entries) if entry[:1] == "@"]
        users = await self.board.people.ids(handles) if handles else []
        return " ".join(group_mention(entry) for entry in [*filter(None, names), *users][:MENTIONS_MAX])

    def told(self, row: OutboxRow, case: Conversation) -> str:
        """The answer to one agent whose act did nothing."""
        facts = row.body.get("facts") or {}
        reason = str(row.body["reason"])
        if reason == "not_now" and facts.get("promises_open"):
            return "Promises are still open: tick them first, or resolve “anyway”."
        return TOLD.get(reason, escape(reason)).format_map(shown_facts(facts))


def shown_facts(facts: Mapping[str, Any]) -> defaultdict[str, str]:
    """Facts as Slack shows them: instants in the reader's time, everything else inert. A missing one leaves nothing behind."""
    shown: defaultdict[str, str] = defaultdict(str)
    for name, value in facts.items():
        if value is None:
            continue
        if name.endswith("_at"):
            shown[name] = instant(datetime.fromisoformat(str(value)))
        elif name in ("why", "kind", "reason"):
            shown[name] = escape(WHY.get(str(value), str(value)).replace("_", " "))
        else:
            shown[name] = escape(cut(str(value), 600))
    return shown
