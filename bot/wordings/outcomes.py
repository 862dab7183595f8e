"""Variants with outcomes: what became of the conversations in which each variant of a template was said.

A conversation keeps one variant, by a hash of its key, so nobody chooses who reads what. The intervals are Wilson's (1927), which
hold for small numbers and for shares near 0 and 1. They do not correct for looking again and again: decide on a number first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from bot.store.port import Store
from conversations.conversation import Conversation
from conversations.ids import ConversationKey
from conversations.wording.request import TemplateUse

Z_95 = 1.959964
"""The normal quantile of a two-sided interval of 95 %."""
ENOUGH_MIN = 50
"""Under so many conversations a share's interval is wider than ± 13 points: not enough to tell variants apart."""


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``of``; ``low`` and ``high`` bound the share with 95 % confidence. ``enough`` is False under ENOUGH_MIN."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """The share, None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def enough(self) -> bool:
        """Whether there are enough to say anything."""
        return self.of >= ENOUGH_MIN

    @classmethod
    def over(cls, outcomes: Sequence[bool]) -> Share:
        """The share of the ones that hold."""
        count, of = sum(outcomes), len(outcomes)
        return cls(count, of, *wilson(count, of))


@dataclass(frozen=True, slots=True)
class VariantOutcome:
    """One version of one variant. A conversation counts for the version that it met first.

    ``in_time`` first replies accepted within the window, of all; ``went_on`` customers who wrote again after these words, of
    all; ``agreed`` plans agreed to, of those proposed; ``satisfied`` check-backs answered so, of those answered.
    """

    name: str
    version: str
    conversations: int
    in_time: Share
    went_on: Share
    agreed: Share
    satisfied: Share
    first_at: datetime
    last_at: datetime

    @property
    def enough(self) -> bool:
        """Whether there are enough conversations to say anything."""
        return self.conversations >= ENOUGH_MIN


def wilson(count: int, of: int, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share; (0, 1) of nothing. Raises ValueError unless 0 <= count <= of."""
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of}")
    if of == 0:
        return 0.0, 1.0
    share = count / of
    middle = share + z * z / (2 * of)
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


async def outcomes(store: Store, place: str, window_s: float, since: datetime | None = None) -> list[VariantOutcome]:
    """What became of each variant and version of a place (``Place.shared``, e.g. ``en.acknowledge.public``), by name."""
    met: dict[ConversationKey, tuple[TemplateUse, datetime]] = {}
    for used in await store.template_uses(f"{place}.", since):
        use = TemplateUse.parse(used.template)
        if use.name.rpartition(".")[0] == place:  # not a place that is more specific
            met.setdefault(used.conversation, (use, used.at))
    groups: dict[tuple[str, str], list[tuple[Conversation, datetime]]] = {}
    for key, (use, at) in met.items():
        case = await store.conversation(key)
        if case is not None:
            groups.setdefault((use.name, use.version), []).append((case, at))
    window = timedelta(seconds=window_s)
    return [_outcome(name, version, cases, window) for (name, version), cases in sorted(groups.items())]


def _outcome(
    name: str, version: str, cases: Sequence[tuple[Conversation, datetime]], window: timedelta
) -> VariantOutcome:
    answers = [
        next((answer.satisfied for answer in reversed(case.answers) if answer.satisfied is not None), None)
        for case, _ in cases
    ]
    instants = [at for _, at in cases]
    return VariantOutcome(
        name=name,
        version=version,
        conversations=len(cases),
        in_time=Share.over(
            [case.replied_at is not None and case.replied_at - case.first_posted_at <= window for case, _ in cases]
        ),
        went_on=Share.over([case.last_posted_at is not None and case.last_posted_at > at for case, at in cases]),
        agreed=Share.over([case.plan.agreed_at is not None for case, _ in cases if case.plan is not None]),
        satisfied=Share.over([answer for answer in answers if answer is not None]),
        first_at=min(instants),
        last_at=max(instants),
    )
