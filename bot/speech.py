"""From what is to be said to the words: the brand's facts, the customer's language, time in words, and what was said lately."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.channels.port import Channel
from conversations.conversation import Author, Conversation, Step
from conversations.effects import Say
from conversations.errors import HearoutError
from conversations.ids import EffectKey
from conversations.policy import Policy
from conversations.wording import Wording
from conversations.wording.chooser import NoTemplate
from conversations.wording.request import Act, Rendered, Request, Situation, Surface
from conversations.wording.spoken import plan_text, spoken_hours, spoken_time

RECENT_MAX = 50
"""How many texts of an account are remembered, so that none is repeated word for word: a page of its timeline."""
PLACES_MAX = 512
"""Accounts and surfaces whose texts are remembered at a time."""


@dataclass(frozen=True)
class Brand:
    """What the admin says of the brand. ``helplines`` are by kind of risk; ``remedies`` the list that plans choose from."""

    name: str = "Hearout"
    signature: str = ""
    privacy_url: str = ""
    helplines: Mapping[str, str] = field(default_factory=dict)
    remedies: Sequence[str] = ()
    crm_url: str = ""

    def facts(self) -> dict[str, object]:
        """What a template may name of the brand; what is not configured is unknown."""
        named = {"brand": self.name, "signature": self.signature, "privacy_url": self.privacy_url}
        return {name: value for name, value in named.items() if value}


STARTS: Mapping[Act, str] = {
    Act.REFLECT: "Say back what you understood",
    Act.HOLDING: "Nobody has forgotten you",
    Act.PROMISE_UPDATE: "News of a promise",
    Act.CHECK_BACK: "Ask whether it helped",
    Act.REOPEN: "We go on",
    Act.FAREWELL: "Say goodbye",
}
"""Acts whose approved wording an agent may start a reply from, by the name that agents see."""


class Speech:
    """Words what the protocol wants said. Deterministic: the same conversation and effect get the same words."""

    def __init__(self, wording: Wording, brand: Brand, policy: Callable[[], Policy]) -> None:
        self.wording = wording
        self.brand = brand
        self.policy = policy
        self._recent: OrderedDict[tuple[str, str, Surface], deque[str]] = OrderedDict()

    def use(self, wording: Wording) -> None:
        """Speak from another wording from now on: an admin published one."""
        self.wording = wording

    def words(self, say: Say, case: Conversation, channel: Channel, key: EffectKey, now: datetime) -> Rendered:
        """The text for an effect. Raises ``NoTemplate`` or ``TemplateError`` where none can be worded."""
        rendered = self.render(say.act, say.surface, say.situations, say.facts, case, channel, now, seed=key)
        if say.author is Author.BOT:
            self.remember(case, say.surface, rendered.text)
        return rendered

    def other_words(self, say: Say, case: Conversation, channel: Channel, key: EffectKey, now: datetime) -> str | None:
        """A second wording of the same, for a platform that refuses repetitions; None where there is no other."""
        try:
            return self.render(say.act, say.surface, say.situations, say.facts, case, channel, now, f"{key}:other").text
        except NoTemplate:
            return None

    def draft(self, act: Act, facts: Mapping[str, Any], case: Conversation, channel: Channel, now: datetime) -> str:
        """Words that a human may send, change or drop."""
        known = {
            "promise_text": facts.get("promise"),
            "promise_due": facts.get("due_at"),
            "done_text": case.done_text or None,
        }
        surface = Surface.DIRECT if case.direct else case.last_surface
        return self.render(act, surface, (), known, case, channel, now, seed=f"{case.key}:draft").text

    def starts(self, case: Conversation, channel: Channel, now: datetime) -> list[tuple[str, str]]:
        """Where an agent's reply may start from: the approved wording for this case, in the customer's language, by name."""
        due = case.promises_open[0] if case.promises_open else None
        facts = {"promise": due.text, "due_at": due.due_at} if due else {}
        found = []
        for act, name in STARTS.items():
            if act is Act.PROMISE_UPDATE and due is None:
                continue
            try:
                found.append((name, self.draft(act, facts, case, channel, now)))
            except HearoutError:
                continue
        return found

    def render(
        self,
        act: Act,
        surface: Surface,
        situations: tuple[Situation, ...],
        facts: Mapping[str, Any],
        case: Conversation,
        channel: Channel,
        now: datetime,
        seed: str,
    ) -> Rendered:
        """A text by act, surface and what is known, in the customer's language or else the brand's first."""
        language = self.language(case)
        traits = channel.traits
        request = Request(
            act=act,
            surface=surface,
            language=language,
            seed=seed,
            topic=case.named_topic,
            situations=situations,
            facts=self.facts(facts, case, channel, surface, language, now),
            avoid=frozenset(self._recent.get((case.channel, case.account, surface), ())),
            weight_max=traits.public_chars_max if surface is Surface.PUBLIC else traits.direct_chars_max,
            assigned=case.key,
        )
        return self.wording.render(request)

    def language(self, case: Conversation) -> str:
        """The customer's language where we speak it, else the brand's first."""
        brand_first = self.policy().languages[0]
        for language in (case.language, brand_first, "en"):
            try:
                return self.wording.language(language)
            except NoTemplate:
                continue
        return "en"

    def facts(
        self,
        facts: Mapping[str, Any],
        case: Conversation,
        channel: Channel,
        surface: Surface,
        language: str,
        now: datetime,
    ) -> dict[str, object]:
        """Everything a template may name, instants and plans put into words."""
        policy = self.policy()
        time_zone = case.customer.time_zone or policy.time_zone
        queue = policy.queue_named(case.queue) if case.queue else policy.queues[0]
        known: dict[str, object] = {
            **self.brand.facts(),
            "agent": case.owner.name.split()[0] if case.owner and case.owner.name.strip() else None,
            "hours": spoken_hours(queue.hours, language),
            "dm_invite": surface is Surface.PUBLIC and not case.direct and channel.invites_direct(case, now),
            "dm_link": channel.direct_link(case),
        }
        for name, value in facts.items():
            if name == "risk":
                known["helpline"] = self.brand.helplines.get(str(value))
            elif name == "steps":
                steps: Sequence[Step] = value
                known["steps"] = plan_text(steps, now, language, time_zone)
            elif isinstance(value, datetime):
                known[name] = spoken_time(value, now, language, time_zone)
            else:
                known[name] = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return known

    def remember(self, case: Conversation, surface: Surface, text: str) -> None:
        """A text was written for this account: the next ones differ."""
        place = (case.channel, case.account, surface)
        texts = self._recent.setdefault(place, deque(maxlen=RECENT_MAX))
        texts.append(text)
        self._recent.move_to_end(place)
        while len(self._recent) > PLACES_MAX:
            self._recent.popitem(last=False)
