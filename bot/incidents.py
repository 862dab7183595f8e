"""Incident mode: hold a topic's first replies, give them one shared update, pause check-backs, answer a group as a whole.

Each act turns a switch that outlives a restart (``switches``), or asks for an answer that is carried on with after one. All are
in the audit log. While a topic is held, one call tells how many first replies wait and when the first window ends.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.channels.port import Channel
from bot.clock import Clock
from bot.desk.acts import OPEN_STATES, ActError, Acts, written
from bot.desk.incident import ANSWER_CHARS_MAX, UPDATE_CHARS_MAX, Incident, Look, Topic, others
from bot.desk.port import Desk
from bot.log import get_logger
from bot.speech import Speech
from bot.store.port import Store
from bot.storms import BASELINE, SPAN, Storm, StormWatch, answer_group, group_of
from bot.switches import Switches
from conversations.conversation import Agent, Conversation
from conversations.ids import AgentId, ConversationKey
from conversations.wording import guard
from conversations.wording.chooser import NoTemplate
from conversations.wording.findings import Finding, Severity
from conversations.wording.length import weighted_length
from conversations.wording.request import Act, Request, Situation, Surface

SINCE = BASELINE + SPAN
"""How far back a group reaches."""
CASES_MAX = 5_000
PAGE = 100
TOPICS_MAX = 4
"""Topics without a storm or a switch that are shown, the most frequent first."""
ANSWERS_META = "incident.answers"
"""Answers to groups that are not finished: what is asked for survives a crash."""
SAMPLES = 5
"""Wordings of the first reply that a preview shows, and all of which must hold the update."""


log = get_logger("incidents")


class IncidentRoom:
    """See ``bot.desk.incident.Incidents``."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        switches: Switches,
        storms: StormWatch,
        acts: Acts,
        speech: Speech,
        channels: Mapping[str, Channel],
        desk: Desk,
    ) -> None:
        self.store = store
        self.clock = clock
        self.switches = switches
        self.storms = storms
        self.acts = acts
        self.speech = speech
        self.channels = channels
        self.desk = desk

    # ---------------------------------------------------------------- looking

    async def state(self) -> Incident:
        """See ``Incidents.state``."""
        now, switched = self.clock.now(), self.switches.now
        cases = await self.recent()
        storms = {storm.topic: storm for storm in self.storms.blowing(now)}
        frequent = Counter(topic for case in cases for topic in case.topics[:1]).most_common(TOPICS_MAX)
        updated = (name.partition("@")[0] for name in switched.updates)
        names = dict.fromkeys([*storms, *switched.held_topics, *updated, *(name for name, _ in frequent)])
        known = sorted({*names, *(name for pack in self.speech.wording.packs.values() for name in pack.nouns)})
        return Incident(
            paused=switched.paused,
            check_backs_paused=switched.check_backs_paused,
            topics=tuple(self.described(name, cases, storms.get(name)) for name in names),
            languages=self.switches.policy().languages,
            names=tuple(known),
        )

    async def topic(self, name: str) -> Topic:
        """See ``Incidents.topic``."""
        storms = {storm.topic: storm for storm in self.storms.blowing(self.clock.now())}
        return self.described(name, await self.recent(), storms.get(name))

    async def recent(self) -> list[Conversation]:
        """Open cases that an incident of today may have caused."""
        since = self.clock.now() - SINCE
        found: dict[str, Conversation] = {}
        for offset in range(0, CASES_MAX, PAGE):  # page by page, so that other work is done in between
            page = await self.store.conversations(states=OPEN_STATES, limit=PAGE, offset=offset)
            found |= {case.key: case for case in page if case.opened_at >= since}
            if len(page) < PAGE:
                break
            await asyncio.sleep(0)
        return list(found.values())

    def described(self, name: str, cases: list[Conversation], storm: Storm | None) -> Topic:
        """A topic as a desk shows it."""
        switched = self.switches.now
        first = self.switches.policy().languages[0]
        group = group_of(cases, name, self.clock.now() - SINCE)
        updates = {}
        for key, text in switched.updates.items():
            topic, _, language = key.partition("@")
            if topic == name:
                updates[language or first] = text
        return Topic(
            name=name,
            storm=storm is not None,
            recent=storm.count if storm else 0,
            usual=storm.usual if storm else 0.0,
            held=name in switched.held_topics,
            open=len(group),
            waiting=sum(case.replied_at is None for case in group),
            updates=updates,
            languages=tuple(Counter(self.spoken(case) for case in group).most_common()),
        )

    def spoken(self, case: Conversation) -> str:
        """The language a case is answered in."""
        return case.language if case.language != "und" else self.switches.policy().languages[0]

    # ---------------------------------------------------------------- switches

    async def hold(self, topic: str, on: bool, by: str) -> None:
        """See ``Incidents.hold``."""
        rest = others(self.switches.now.held_topics, named(topic))
        await self.switches.turn(by, held_topics=(*rest, topic) if on else rest)

    async def pause_check_backs(self, on: bool, by: str) -> None:
        """See ``Incidents.pause_check_backs``."""
        await self.switches.turn(by, check_backs_paused=on)

    def look_at_update(self, topic: str, language: str, text: str) -> Look:
        """See ``Incidents.look_at_update``."""
        words = " ".join(text.split())
        written("text", words, UPDATE_CHARS_MAX)
        found = guard.findings(words, language, Surface.PUBLIC, guard.Author.BOT, act=Act.ACKNOWLEDGE)
        texts: list[str] = []
        for surface, weight_max in self.places():
            rendered = ""
            for n in range(SAMPLES):
                rendered = self.first_reply(topic, language, words, surface, weight_max, f"look {n}")
                if words not in rendered:
                    raise ActError(
                        "text", f"this leaves no room for the rest of a first reply ({surface.value}): shorten it"
                    )
                found += guard.findings(rendered, language, surface, guard.Author.BOT, act=Act.ACKNOWLEDGE)
            texts.append(rendered)
        distinct = {(finding.rule, finding.message): finding for finding in found}
        return Look(tuple(dict.fromkeys(texts)), tuple(distinct.values()))

    def places(self) -> list[tuple[Surface, int | None]]:
        """Where first replies go, each with its limit."""
        found: dict[tuple[Surface, int | None], None] = {}
        for channel in self.channels.values():
            found[Surface.PUBLIC, channel.traits.public_chars_max] = None
            found[Surface.DIRECT, channel.traits.direct_chars_max] = None
        return list(found)

    def first_reply(
        self, topic: str, language: str, update: str, surface: Surface, weight_max: int | None, seed: str
    ) -> str:
        """A first reply with an update; empty where none can be worded."""
        facts = {"brand": self.speech.brand.name, "incident_update": update}
        situations = (Situation.FIRST_REPLY, Situation.INCIDENT)
        request = Request(Act.ACKNOWLEDGE, surface, language, seed, topic, situations, facts, weight_max=weight_max)
        try:
            return self.speech.wording.render(request).text
        except NoTemplate:
            return ""

    async def set_update(self, topic: str, language: str, text: str, by: str) -> None:
        """See ``Incidents.set_update``. Raises ``ActError`` for words that the guard refuses."""
        first = self.switches.policy().languages[0]
        key = named(topic) if language == first else f"{named(topic)}@{language}"
        rest = {name: words for name, words in self.switches.now.updates.items() if name != key}
        words = " ".join(text.split())
        if words:
            refuse(self.look_at_update(topic, language, words).findings)
            rest[key] = words
        await self.switches.turn(by, updates=rest)

    # ---------------------------------------------------------------- answering a group

    async def group(self, topic: str, language: str, agent: Agent) -> tuple[list[Conversation], int]:
        """The cases that an agent's answer would reach, each customer once, and how many are left to others."""
        cases = group_of(await self.recent(), topic, self.clock.now() - SINCE)
        meant = [case for case in cases if self.spoken(case) == language]
        free = [case for case in meant if case.owner is None or case.owner.id == agent.id]
        once = {(case.channel, case.customer.id): case for case in reversed(free)}
        return sorted(once.values(), key=lambda case: case.opened_at), len(meant) - len(free)

    async def look_at_answer(self, topic: str, language: str, text: str, agent: Agent) -> Look:
        """See ``Incidents.look_at_answer``."""
        written("text", text, ANSWER_CHARS_MAX)
        cases, left = await self.group(topic, language, agent)
        public = any(case.last_surface is Surface.PUBLIC for case in cases)
        surface = Surface.PUBLIC if public else Surface.DIRECT
        found = guard.findings(text, language, surface, customer_language=language)
        for case in cases:
            most, weight = self.room(case, text)
            if most is not None and weight > most:
                raise ActError("text", f"{weight} of {most} characters: too long for some of this group, shorten it")
        return Look((text,), tuple(found), len(cases), left)

    def room(self, case: Conversation, text: str) -> tuple[int | None, int]:
        """How many characters a case's channel takes where it is answered, and how many a text has."""
        traits, public = self.channels[case.channel].traits, case.last_surface is Surface.PUBLIC
        weight = weighted_length(text) if case.channel == "x" and public else len(text)
        return traits.public_chars_max if public else traits.direct_chars_max, weight

    async def answer(self, topic: str, language: str, text: str, agent: Agent, group: str) -> int:
        """See ``Incidents.answer``. What is asked for is kept first, and carried on with after a crash."""
        refuse((await self.look_at_answer(topic, language, text, agent)).findings)
        cases, _ = await self.group(topic, language, agent)
        asked = {"group": group, "text": text, "agent": [agent.id, agent.name], "cases": [case.key for case in cases]}
        waiting = [entry for entry in await self.unfinished() if entry["group"] != group]
        await self.store.set_meta(ANSWERS_META, json.dumps([*waiting, asked], ensure_ascii=False))
        about = f"{topic}, {language}: {len(cases)} cases"
        await self.store.audit(str(agent.id), "answer group", about, self.clock.now())
        return len(cases)

    async def unfinished(self) -> list[dict[str, Any]]:
        """Answers that were asked for and are not through."""
        found: list[dict[str, Any]] = json.loads(await self.store.get_meta(ANSWERS_META) or "[]")
        return found

    async def carry_on(self) -> int:
        """Give the answers that were asked for. Each reaches a case once, however often this is interrupted."""
        count = 0
        for entry in await self.unfinished():
            agent = Agent(AgentId(entry["agent"][0]), entry["agent"][1])
            found = [await self.store.conversation(ConversationKey(key)) for key in entry["cases"]]
            for case in filter(None, found):
                try:
                    count += await answer_group(self.acts, [case], agent, entry["text"], entry["group"])
                except ActError as error:
                    log.warning("left out of a group's answer", conversation=case.key, error=str(error))
            rest = [other for other in await self.unfinished() if other["group"] != entry["group"]]
            await self.store.set_meta(ANSWERS_META, json.dumps(rest, ensure_ascii=False))
        return count

    # ---------------------------------------------------------------- duties

    async def watch(self) -> None:
        """Say how many first replies of a held topic wait, once their first window is about to end."""
        policy, now = self.switches.policy(), self.clock.now()
        for topic in policy.held_topics:
            ends = [
                case.first_posted_at + timedelta(seconds=policy.window_s)
                for case in group_of(await self.recent(), topic, now - SINCE)
                if case.replied_at is None
            ]
            if ends and min(ends) - timedelta(seconds=policy.held_alarm_s) <= now:
                await self.desk.alert(f"held:{topic}", held_words(topic, len(ends), min(ends), now))


def held_words(topic: str, count: int, ends_at: datetime, now: datetime) -> str:
    """What the desk is told of first replies on hold."""
    minutes = int((ends_at - now).total_seconds() // 60)
    when = f"ends in {minutes} minutes" if minutes > 0 else "has ended"
    waiting = "1 first reply waits" if count == 1 else f"{count} first replies wait"
    return f"{waiting} about {topic}, which is on hold; the first window {when}. Release them, or answer the group."


def named(topic: str) -> str:
    """A topic that is there. Raises ``ActError``."""
    if not topic.strip() or "@" in topic:
        raise ActError("topic", "choose a topic")
    return topic


def refuse(findings: tuple[Finding, ...]) -> None:
    """Raises ``ActError`` with the first finding that stops words."""
    stopped = next((finding for finding in findings if finding.severity is Severity.REFUSED), None)
    if stopped is not None:
        raise ActError("text", f"{stopped.message}. {stopped.suggestion}".strip())
