"""Seeded agents: slow, double-clicking, contradictory, absent, two at once. They act through ``Acts``, as every desk does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from bot.desk.acts import ActError, Acts
from bot.store.port import StoreError
from bot.store.records import Kind
from conversations.conversation import Agent, CheckBackBy, Conversation, Step
from conversations.events import (
    AgentClaimed,
    AgentDismissed,
    AgentEvent,
    AgentLabelled,
    AgentMutedBot,
    AgentProposedPlan,
    AgentRecordedAgreement,
    AgentRecordedAnswer,
    AgentReleased,
    AgentReopened,
    AgentReplied,
    AgentResolved,
    AgentSetReference,
    AgentSnoozed,
    AgentTransferred,
    BrandAnsweredElsewhere,
    PromiseKept,
)
from conversations.ids import AgentId, ConversationKey, ExternalId
from conversations.protocol import State
from tests.simulation.desk import Office
from tests.simulation.people import choose
from tests.simulation.texts import SECRET
from tests.simulation.world import World

ACTS_MAX = 40
"""Acts on one case: a contradictory office would go on for ever."""

CHOICES: dict[State, tuple[tuple[str, int], ...]] = {
    State.LISTENING: (("claim", 3), ("dismiss", 1), ("label", 1), ("", 3), ("elsewhere", 1)),
    State.REFLECTING: (("claim", 3), ("reply", 1), ("mute", 1), ("", 3)),
    State.AWAITING_AGENT: (
        ("claim", 10), ("reply", 3), ("transfer", 1), ("snooze", 1), ("dismiss", 1), ("label", 1), ("elsewhere", 1),
        ("answer", 1), ("", 2),
    ),
    State.WITH_AGENT: (
        ("reply", 5), ("plan", 6), ("resolve", 4), ("release", 1), ("transfer", 1), ("snooze", 1), ("mute", 1),
        ("reference", 1), ("claim", 1), ("agreement", 1), ("dismiss", 1), ("answer", 1), ("", 2),
    ),
    State.AWAITING_AGREEMENT: (("agreement", 3), ("reply", 1), ("plan", 1), ("resolve", 1), ("", 4)),
    State.FULFILLING: (("kept", 6), ("resolve", 3), ("reply", 1), ("plan", 1), ("release", 1), ("", 2)),
    State.RESOLVED: (("answer", 1), ("reopen", 1), ("reply", 1), ("", 6)),
    State.CHECKING_BACK: (("answer", 2), ("", 4)),
    State.CLOSED: (("reopen", 1), ("claim", 1), ("", 12)),
}  # fmt: skip
"""What an agent may do with a case in each state, with weights; empty: nothing."""


class Reach(Protocol):
    """How agents reach the program that runs at the moment."""

    def submit(self, do: Callable[[Acts], Coroutine[Any, Any, None]]) -> bool:
        """Run something in it; False: it is down."""

    def case(self, key: ConversationKey) -> Conversation | None:
        """What the desk shows of a case."""


@dataclass(frozen=True, slots=True)
class Temper:
    """How the agents of a scenario are. Spans in seconds."""

    slow_s: float = 600.0
    double_click: float = 0.1
    two_at_once: float = 0.1
    absent: float = 0.2


class AgentsAtWork:
    """The agents of a world."""

    def __init__(self, world: World, office: Office, reach: Reach, temper: Temper) -> None:
        self.world = world
        self.reach = reach
        self.temper = temper
        self.rng = world.rng("agents")
        self.agents = [Agent(AgentId(f"U{n}"), f"Agent{n} Family{n}") for n in range(1, 5)]
        self.counts: dict[str, int] = {}
        self.planned: dict[str, float] = {}
        self.serial = 0
        office.on_shown = self.saw

    def saw(self, case: str, kind: Kind) -> None:
        """Something appeared at the desk: somebody may have a look."""
        if self.planned.get(case, -1.0) > self.world.t or self.counts.get(case, 0) >= ACTS_MAX:
            return
        rng = self.rng
        if rng.random() < self.temper.absent:
            wait_s = rng.uniform(6.0, 30.0) * 3600.0
        else:
            wait_s = rng.choice((2.0, 30.0, 300.0, 1.0)) * rng.uniform(0.5, 1.5) + rng.expovariate(
                1 / self.temper.slow_s
            )
        self.planned[case] = self.world.t + wait_s
        self.world.after(wait_s, partial(self.look, case))

    def look(self, case: str) -> None:
        """An agent opens a case and decides what to do."""
        found = self.reach.case(ConversationKey(case))
        if found is None:
            return
        what = choose(self.rng, CHOICES[found.state])
        if not what:
            return
        agent = found.owner if found.owner and self.rng.random() < 0.7 else self.rng.choice(self.agents)
        self.act(found, agent, what)
        if self.rng.random() < self.temper.two_at_once:
            other = self.rng.choice(self.agents)
            self.act(found, other, choose(self.rng, CHOICES[found.state]) or "claim")
        if self.rng.random() < 0.5:
            wait_s = self.rng.expovariate(1 / 7200.0)
            self.planned[case] = self.world.t + wait_s
            self.world.after(wait_s, partial(self.look, case))

    def act(self, case: Conversation, agent: Agent, what: str) -> None:
        """Click."""
        event = self.event(case, agent, what)
        if event is None:
            return
        self.counts[case.key] = self.counts.get(case.key, 0) + 1
        self.serial += 1
        act_id = f"act-{self.serial}"
        self.world.write(f"{agent.id} {what} {case.key}")
        self.submit(case.key, event, act_id)
        if self.rng.random() < self.temper.double_click:
            self.world.after(self.rng.choice((0.0, 0.2)), partial(self.submit, case.key, event, act_id))

    def submit(
        self, case: ConversationKey, event: AgentEvent | BrandAnsweredElsewhere, act_id: str, tries: int = 0
    ) -> None:
        """Hand it in; when the program is down the agent clicks again later, a few times."""
        again = partial(self.submit, case, event, act_id, tries + 1)

        async def hand_in(acts: Acts) -> None:
            try:
                await acts.submit(case, event, act_id)
            except ActError:
                return
            except StoreError:
                if tries < 5:
                    self.world.after(60.0, again)

        if not self.reach.submit(hand_in) and tries < 5:
            self.world.after(60.0, again)

    def event(self, case: Conversation, agent: Agent, what: str) -> AgentEvent | BrandAnsweredElsewhere | None:
        """What a click means."""
        rng, now = self.rng, self.world.now
        self.serial += 1
        note = f"{SECRET} {self.serial}"
        match what:
            case "claim":
                return AgentClaimed(agent=agent)
            case "reply":
                return AgentReplied(agent=agent, text=f"We are looking into it for you. ({self.serial})")
            case "elsewhere":
                return BrandAnsweredElsewhere(
                    id=ExternalId(f"else-{self.serial}"), answered_at=now, surface=case.last_surface,
                    text=f"Answered by hand {self.serial}", agent=agent if rng.random() < 0.5 else None,
                )  # fmt: skip
            case "dismiss":
                return AgentDismissed(agent=agent, why=note)
            case "label":
                return AgentLabelled(agent=agent, complaint=rng.random() < 0.6)
            case "mute":
                return AgentMutedBot(agent=agent)
            case "transfer":
                return AgentTransferred(agent=agent, to_agent=rng.choice(self.agents), note=note)
            case "snooze":
                return AgentSnoozed(agent=agent, until=now + timedelta(hours=rng.uniform(0.5, 30.0)))
            case "release":
                return AgentReleased(agent=agent, note=note)
            case "reference":
                return AgentSetReference(agent=agent, reference=note)
            case "reopen":
                return AgentReopened(agent=agent)
            case "answer":
                return AgentRecordedAnswer(agent=agent, satisfied=rng.choice((True, False, None)), words=note)
            case "agreement":
                return AgentRecordedAgreement(agent=agent, where="telephone", words=note)
            case "plan":
                dates = [now + timedelta(hours=rng.uniform(1.0, 60.0)) for _ in range(rng.randint(1, 3))]
                steps = tuple(Step(f"step {self.serial}.{n}", due_at) for n, due_at in enumerate(dates, 1))
                return AgentProposedPlan(agent=agent, steps=steps)
            case "kept":
                return PromiseKept(agent=agent, promise=case.promises_open[0].id) if case.promises_open else None
            case "resolve":
                return AgentResolved(
                    agent=agent, done_text=f"a new one was sent ({self.serial})", check_back=rng.choice(tuple(CheckBackBy)),
                    check_back_days=rng.choice((None, 0.5, 1.0)), anyway=rng.random() < 0.5,
                )  # fmt: skip
        return None
