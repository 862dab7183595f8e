"""A change of wording, rehearsed: the same requests through the old and the new wording, side by side.

A wording changes no decision and no instant, so the conversations need not be lived through again: what was asked for is asked
once more. Each side remembers what it said lately on an account, as the bot does, so that it repeats nothing.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from bot.speech import RECENT_MAX
from bot.store.port import Store
from bot.wordings.asked import Asked, own_conversations
from conversations.wording import guard
from conversations.wording.chooser import NoTemplate, Wording
from conversations.wording.findings import Finding
from conversations.wording.length import weighted_length
from conversations.wording.request import Request

EXAMPLES_MAX = 200
"""How many pairs a comparison keeps, those that change first; its figures count all."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a wording says. ``length`` is in X's weighted characters, ``length_max`` the limit, None for none.

    ``text`` is empty where nothing fits; ``problem`` says why.
    """

    text: str
    template: str
    length: int
    length_max: int | None
    findings: tuple[Finding, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """One request through both wordings."""

    conversation: str
    at: datetime
    act: str
    surface: str
    language: str
    situations: tuple[str, ...]
    topic: str | None
    before: Side
    after: Side

    @property
    def changed(self) -> bool:
        """Whether the customer would read something else."""
        return self.before.text != self.after.text


@dataclass(frozen=True, slots=True)
class Figures:
    """One wording over all requests: texts, how many differ, their lengths, findings by rule, and requests that nothing fits."""

    texts: int
    distinct: int
    length_mean: float
    length_max: int
    findings: Mapping[str, int]
    unsayable: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a change would change. ``pairs`` holds at most ``EXAMPLES_MAX``, those that change first, in order of time."""

    asked: int
    changed: int
    conversations: int
    conversations_changed: int
    before: Figures
    after: Figures
    pairs: tuple[Pair, ...]

    @property
    def worse(self) -> bool:
        """Whether the new wording has more findings, or fits fewer requests, than the old one."""
        found = sum(self.after.findings.values()) > sum(self.before.findings.values())
        return found or self.after.unsayable > self.before.unsayable

    def to_json(self) -> dict[str, Any]:
        """The stable JSON form (``hearout rehearse --against … --json``)."""
        document = asdict(self)
        for pair, kept in zip(document["pairs"], self.pairs, strict=True):
            pair["changed"], pair["at"] = kept.changed, kept.at.isoformat()
            for name, side in (("before", kept.before), ("after", kept.after)):
                pair[name]["findings"] = [finding.to_json() for finding in side.findings]
        return document


def compare(asked: Iterable[Asked], old: Wording, new: Wording) -> Comparison:
    """The same requests through two wordings. Takes about a millisecond a request, most of it the tone guard."""
    sides = (_Teller(old), _Teller(new))
    pairs = []
    for entry in sorted(asked, key=lambda entry: (entry.at, entry.request.seed)):
        request = entry.request
        before, after = (side.say(entry) for side in sides)
        pairs.append(
            Pair(
                entry.conversation,
                entry.at,
                request.act.value,
                request.surface.value,
                request.language,
                tuple(situation.value for situation in request.situations),
                request.topic,
                before,
                after,
            )
        )
    changed = [pair for pair in pairs if pair.changed]
    shown = [*changed, *(pair for pair in pairs if not pair.changed)][:EXAMPLES_MAX]
    return Comparison(
        asked=len(pairs),
        changed=len(changed),
        conversations=len({pair.conversation for pair in pairs}),
        conversations_changed=len({pair.conversation for pair in changed}),
        before=_figures([pair.before for pair in pairs]),
        after=_figures([pair.after for pair in pairs]),
        pairs=tuple(shown),
    )


async def compare_own(store: Store, old: Wording, new: Wording, limit: int = 500) -> Comparison:
    """The brand's own latest conversations through two wordings; the loop is not held up."""
    asked = [entry async for entry in own_conversations(store, limit)]
    return await asyncio.to_thread(compare, asked, old, new)


class _Teller:
    """One wording with its memory of what it said lately."""

    def __init__(self, wording: Wording) -> None:
        self.wording = wording
        self.recent: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=RECENT_MAX))
        self.judged: dict[tuple[str, str], tuple[Finding, ...]] = {}

    def say(self, asked: Asked) -> Side:
        recent = self.recent[asked.line]
        request = replace(asked.request, avoid=frozenset(recent))
        try:
            rendered = self.wording.render(request)
        except NoTemplate as error:
            return Side("", "", 0, request.weight_max, problem=str(error))
        recent.append(rendered.text)
        text = rendered.text
        return Side(text, rendered.template, weighted_length(text), request.weight_max, self.judge(text, request))

    def judge(self, text: str, request: Request) -> tuple[Finding, ...]:
        key = (text, request.act.value)
        if key not in self.judged:
            self.judged[key] = tuple(
                guard.findings(text, request.language, request.surface, guard.Author.BOT, act=request.act)
            )
        return self.judged[key]


def _figures(sides: Sequence[Side]) -> Figures:
    said = [side for side in sides if side.text]
    findings: dict[str, int] = defaultdict(int)
    for side in said:
        for finding in side.findings:
            findings[finding.rule] += 1
    lengths = [side.length for side in said]
    return Figures(
        texts=len(said),
        distinct=len({side.text for side in said}),
        length_mean=round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
        length_max=max(lengths, default=0),
        findings=dict(sorted(findings.items())),
        unsayable=len(sides) - len(said),
    )
