"""The judge: hands what happens to the invariants, in the order in which it was committed."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.records import Arrival
from conversations.policy import Policy
from tests.simulation.channel import Platform
from tests.simulation.facts import Facts
from tests.simulation.invariants import ALL
from tests.simulation.journal import Change, Journal
from tests.simulation.process import Decided
from tests.simulation.wire import Sent
from tests.simulation.world import MachineClock, World
from tests.simulation.x_town import XTown


class Judge:
    """All invariants over one run."""

    def __init__(self, world: World, clock: MachineClock, platform: Platform | XTown, policy: Policy) -> None:
        self.world = world
        self.journal = Journal()
        self.facts = Facts(world, clock, self.journal, platform, policy, self.settle)
        self.invariants = [invariant(self.facts) for invariant in ALL]
        self.proposed: dict[tuple[str, int], Decided] = {}
        self.changes = 0

    def acknowledged(self, arrivals: Sequence[Arrival]) -> None:
        """Intake answered that it has these."""
        ids = [f"{arrival.channel} {arrival.id}" for arrival in arrivals]
        for invariant in self.invariants:
            invariant.acknowledged(ids)

    def decided(self, decided: Decided) -> None:
        """A decision was made; it counts once it is committed."""
        case = decided.decision.conversation
        self.proposed[case.key, case.version] = decided

    def sent(self, sent: Sent) -> None:
        """A channel's platform accepted something. What was committed before it is taken in first."""
        self.settle()
        for invariant in self.invariants:
            invariant.sent(sent)
        self.facts.answered.add(self.facts.row(sent.key).conversation)

    def shown(self, sent: Sent) -> None:
        """The desk shows something."""
        for invariant in self.invariants:
            invariant.shown(sent)

    def settle(self) -> None:
        """Take in what was committed."""
        for change in self.journal.news():
            self.changes += 1
            self.world.write(f"commit {change.what} {change.subject} {change.was}>{change.became} {change.number}")
            self.note(change)
            for invariant in self.invariants:
                invariant.changed(change)

    def note(self, change: Change) -> None:
        """Keep the facts."""
        facts = self.facts
        if change.what == "outbox":
            facts.row(change.subject)
        elif change.what == "case":
            facts.states[change.subject] = str(change.became)
            facts.forget(change.subject)
            if change.became == "CLOSED":
                facts.closed.add(change.subject)
            decided = self.proposed.pop((change.subject, change.number), None)
            if decided is not None:
                for invariant in self.invariants:
                    invariant.decided(decided)

    def stepped(self) -> None:
        """Everything has come to rest."""
        self.settle()
        for invariant in self.invariants:
            invariant.stepped()

    def restarted(self) -> None:
        """A process is about to start, or the run is over."""
        self.settle()
        for invariant in self.invariants:
            invariant.restarted()
