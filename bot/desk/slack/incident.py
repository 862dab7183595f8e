"""Incident mode in Slack: a storm's message with its buttons, the admins' part of the App Home, and the forms behind them.

Switches are an admin's; answering a group is a lead's. What customers would read is shown before it is switched on or sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.desk.acts import ActError
from bot.desk.incident import ANSWER_CHARS_MAX, UPDATE_CHARS_MAX, Incident, Incidents, Look, Topic
from bot.desk.slack import kit
from bot.desk.slack.cards import ACTION
from bot.desk.slack.kit import Block
from bot.desk.slack.modals import Meta, findings_blocks, view
from bot.slack.text import cut, escape, quoted
from bot.staff import Role

if TYPE_CHECKING:
    from bot.desk.slack.actions import Actions, Actor

PREFIX = "incident_"
SHOWN_MAX = 4
"""Topics on the App Home: a view holds a hundred blocks."""
CALLS = ("storm:", "held:")
"""Alerts about a topic: they come with its buttons."""


class Incidental:
    """Answers the buttons and forms of incident mode."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.slack = actions.slack
        self.room: Incidents | None = None

    @property
    def incidents(self) -> Incidents:
        """The acts. Raises ``ActError`` where they were not set up."""
        if self.room is None:
            raise ActError("case", "Incident mode is not set up for this bot.")
        return self.room

    # ---------------------------------------------------------------- what is shown

    async def home(self, who: Actor) -> list[Block]:
        """The admins' part of the App Home."""
        if self.room is None or who.role < Role.LEAD:
            return []
        state = await self.room.state()
        found = [kit.divider(), kit.section(f"*Incidents*\n{switches_line(state)}")]
        if who.role is Role.ADMIN:
            found.append(kit.actions("incident", switch_buttons(state)))
        for topic in state.topics[:SHOWN_MAX]:
            found += topic_blocks(topic, admin=who.role is Role.ADMIN)
        if who.role is Role.ADMIN and (names := state.names):
            options = [kit.option(name.replace("_", " "), name) for name in names]
            found.append(kit.actions("incident_other", [kit.menu(f"{ACTION}{PREFIX}topic", "Another topic…", options)]))
        return found

    async def call(self, kind: str, words: str) -> list[Block]:
        """Blocks of an alert about a topic, with what can be done; empty for any other alert."""
        if self.room is None or not kind.startswith(CALLS):
            return []
        name = kind.partition(":")[2]
        try:
            return [kit.section(words), *topic_blocks(await self.room.topic(name), admin=True)]
        except ActError:
            return []

    # ---------------------------------------------------------------- clicks

    async def clicked(self, name: str, action: Mapping[str, Any], body: dict[str, Any], who: Actor) -> None:
        """One click. Raises ``ActError``."""
        act = name.removeprefix(PREFIX)
        topic = str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
        self.allowed(act, who)
        by = f"slack:{who.agent.id}"
        match act:
            case "update" | "answer":
                await self.actions.open_view(body, await self.form(act, topic, who))
                return
            case "topic":
                blocks = topic_blocks(await self.incidents.topic(topic), admin=True)
                await self.actions.open_view(body, view(Meta("notice"), blocks, None))
                return
            case "hold" | "release":
                await self.incidents.hold(topic, act == "hold", by)
                said = "now wait for a person" if act == "hold" else "go out again, within five minutes"
                words = f"First replies about {escape(topic)} {said}."
            case "stop_check_backs" | "resume_check_backs":
                await self.incidents.pause_check_backs(act == "stop_check_backs", by)
                words = "Nobody is asked whether they are happy." if act == "stop_check_backs" else "Check-backs go on."
            case "pause" | "resume":
                words = await self.actions.commands.switch(act, who)
            case _:
                raise ActError("case", "This button is from an older version of the app.")
        if (body.get("view") or {}).get("type") != "modal":
            self.actions.answer(body, words)
        self.slack.later(self.refresh(body, topic, who), "incident")

    def allowed(self, act: str, who: Actor) -> None:
        """Raises ``ActError`` for whom an act is not meant."""
        if who.role < (Role.LEAD if act == "answer" else Role.ADMIN):
            raise ActError("case", "Only leads can do that." if act == "answer" else "Only admins can do that.")

    async def refresh(self, body: dict[str, Any], topic: str, who: Actor) -> None:
        """What was clicked shows how things stand now. Raises ``Trouble``."""
        client, shown = self.slack.client, body.get("view") or {}
        if shown.get("type") == "modal":
            blocks = topic_blocks(await self.incidents.topic(topic), admin=True)
            made = view(Meta("notice"), blocks, None)
            await self.slack.ask("views.update", client.views_update(view_id=shown["id"], view=made))
        elif shown:
            await self.actions.home.publish(who)
        elif body.get("message") and topic:
            text = str(body["message"].get("text", ""))
            blocks = [kit.section(text), *topic_blocks(await self.incidents.topic(topic), admin=True)]
            await self.slack.respond(
                str(body["response_url"]), {"replace_original": True, "text": text, "blocks": blocks}
            )

    # ---------------------------------------------------------------- forms

    async def form(
        self, act: str, topic: str, who: Actor, given: Mapping[str, Any] | None = None, look: Look | None = None
    ) -> Block:
        """The form of an update or of a group's answer; with a ``look``, what would be said and to how many."""
        state, found = await self.incidents.state(), await self.incidents.topic(topic)
        counts = dict(found.languages)
        names = list(state.languages if act == "update" else counts) or list(state.languages)
        language = str((given or {}).get("language") or names[0])
        options = [kit.option(f"{name} ({counts.get(name, 0)} open)", name) for name in names[:100]]
        chosen = next((option for option in options if option["value"] == language), options[0])
        text = str((given or {}).get("text") or (found.updates.get(language, "") if act == "update" else ""))
        chars = UPDATE_CHARS_MAX if act == "update" else ANSWER_CHARS_MAX
        hint = UPDATE_HINT if act == "update" else ANSWER_HINT
        update = act == "update"
        blocks = [
            kit.section(f"*{escape(topic.replace('_', ' '))}*: {found.open} open, {found.waiting} without a first reply"),
            kit.field("language", "In which language?", kit.menu("language", "Language", options, chosen)),
            kit.field(
                "text", "The update" if update else "Your words", kit.line(text, multiline=True, chars_max=chars),
                optional=update, hint=hint,
            ),
        ]  # fmt: skip
        seen, label = "", "Preview"
        if look is not None:
            seen = digest(topic, language, text, look.count)
            blocks += preview(look, update=update)
            label = "Say it" if update else f"Send to {look.count}"
        return view(Meta(f"{PREFIX}{act}", source=topic, seen=seen), blocks, label)

    async def submitted(
        self, meta: Meta, given: Mapping[str, Any], body: Mapping[str, Any], who: Actor
    ) -> Block | None:
        """A form was submitted: shown first, then done. Raises ``ActError``."""
        act, topic = meta.act.removeprefix(PREFIX), meta.source
        self.allowed(act, who)
        language, text = str(given.get("language") or ""), str(given.get("text") or "").strip()
        if act == "update":
            if not text:
                await self.incidents.set_update(topic, language, "", f"slack:{who.agent.id}")
                return None
            look = self.incidents.look_at_update(topic, language, text)
            if meta.seen != digest(topic, language, text, look.count):
                return await self.form(act, topic, who, given, look)
            await self.incidents.set_update(topic, language, text, f"slack:{who.agent.id}")
            return None
        look = await self.incidents.look_at_answer(topic, language, text, who.agent)
        if meta.seen != digest(topic, language, text, look.count):
            return await self.form(act, topic, who, given, look)
        count = await self.incidents.answer(topic, language, text, who.agent, f"slack:{body['view']['id']}")
        self.slack.later(self.carry_on(body, count), "group answer")
        return None

    async def carry_on(self, body: Mapping[str, Any], count: int) -> None:
        """Give the answer now, and say so."""
        await self.incidents.carry_on()
        customers = "1 customer" if count == 1 else f"{count} customers"
        plain = {key: value for key, value in body.items() if key != "view"}
        self.actions.answer(plain, f"Your answer is on its way to {customers}. Their cases are yours now.")


UPDATE_HINT = "What is known, and when there is news. It stands in the first reply, in place of the bot's own words."
ANSWER_HINT = "Each customer gets it once. Cases that somebody else has are left to them."


def digest(topic: str, language: str, text: str, count: int) -> str:
    """What was shown: if anything of it changes, it is shown again."""
    return hashlib.sha256("\0".join((topic, language, text, str(count))).encode()).hexdigest()[:24]


def preview(look: Look, *, update: bool) -> list[Block]:
    """What would be said, to whom, and what the guard found."""
    customers = "1 customer" if look.count == 1 else f"{look.count} customers"
    head = "*First replies will read like this*" if update else f"*This goes to {customers}, each once*"
    left = f" {look.left} of others {'is' if look.left == 1 else 'are'} left to them." if look.left else ""
    blocks = [kit.divider(), kit.section(head + left)]
    blocks += [kit.section(quoted(text)) for text in look.texts[:6]]
    return blocks + findings_blocks(look.findings)


def switches_line(state: Incident) -> str:
    """How the switches stand, in a line."""
    parts = [f"⏸ the bot is paused ({escape(state.paused)})" if state.paused else "the bot runs"]
    parts.append("⏸ check-backs are paused" if state.check_backs_paused else "check-backs go out")
    return " · ".join(parts)


def switch_buttons(state: Incident) -> list[Block]:
    """The switches that are about no topic."""
    bot = ("Let the bot speak", "resume") if state.paused else ("Pause the bot", "pause")
    asks = (
        ("Resume check-backs", "resume_check_backs")
        if state.check_backs_paused
        else ("Pause check-backs", "stop_check_backs")
    )
    return [kit.button(label, f"{ACTION}{PREFIX}{act}") for label, act in (asks, bot)]


def topic_blocks(topic: Topic, *, admin: bool) -> list[Block]:
    """A topic with its buttons."""
    facts = [f"{topic.open} open", f"{topic.waiting} without a first reply"]
    if topic.storm:
        facts.insert(0, f"🌩 {topic.recent} in half an hour (usual: {topic.usual:g})")
    if topic.held:
        facts.append("✋ first replies are on hold")
    facts += [f"📢 {language}: “{escape(cut(text, 150))}”" for language, text in topic.updates.items()]
    controls: list[Block] = []
    if admin:
        held = ("Release the first replies", "release") if topic.held else ("Hold the first replies", "hold")
        controls = [
            kit.button(held[0], f"{ACTION}{PREFIX}{held[1]}", topic.name),
            kit.button(
                "Change the update…" if topic.updates else "Set an update…", f"{ACTION}{PREFIX}update", topic.name
            ),
        ]
    if topic.open:
        controls.append(kit.button("Answer the group…", f"{ACTION}{PREFIX}answer", topic.name))
    name = escape(topic.name.replace("_", " "))
    blocks = [kit.section(f"*{name}* · {' · '.join(facts)}")]
    return [*blocks, kit.actions(f"incident|{topic.name}"[:200], controls)] if controls else blocks
