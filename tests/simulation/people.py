"""Seeded customers: bursts, edits, deletions, second thoughts, opt-outs, danger, auto-responders, in five languages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random

from conversations.wording.request import Surface
from tests.simulation.channel import Platform
from tests.simulation.texts import pool
from tests.simulation.wire import Sent
from tests.simulation.world import World
from tests.simulation.x_town import XTown

POSTS_MAX = 25
AUTO_POSTS_MAX = 40
"""Auto-responders answer everything; with more than this the run would be about nothing else."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One customer of a scenario: when they begin, and their temper. Everything else follows from their own chance."""

    name: str
    begins_s: float
    temper: str
    language: str
    surface: Surface


TEMPERS = (
    ("plain", 30),
    ("burst", 25),
    ("second thoughts", 12),
    ("talker", 10),
    ("silent", 8),
    ("opts out", 5),
    ("danger", 4),
    ("auto", 2),
    ("blocks", 3),
    ("returns", 6),
    ("chat", 3),
    ("private", 4),
)

ANSWERS: dict[str, tuple[tuple[str, int], ...]] = {
    "acknowledge": (("more", 4), ("complaint", 3), ("", 3), ("wish", 2)),
    "receive": (("complaint", 3), ("", 4)),
    "reflect": (("confirm", 4), ("correct", 2), ("wish", 3), ("", 3), ("human", 1), ("more", 1)),
    "hand_over": (("", 6), ("thanks", 2), ("more", 1), ("irony", 1)),
    "holding": (("", 3), ("more", 1)),
    "propose_plan": (("agree", 5), ("decline", 2), ("maybe", 2), ("", 2)),
    "confirm_plan": (("thanks", 3), ("", 3)),
    "confirm_resolution": (("thanks", 3), ("", 4), ("unhappy", 2)),
    "check_back": (("happy", 4), ("unhappy", 3), ("maybe", 1), ("", 3)),
    "reopen": (("more", 2), ("", 3)),
    "agent": (("thanks", 2), ("more", 2), ("", 3), ("maybe", 1)),
}
"""What customers may answer to each of our acts, with weights; empty: nothing."""


def choose(rng: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    """One of some weighted names."""
    return rng.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


class Someone:
    """One customer."""

    def __init__(self, world: World, platform: Platform | XTown, plan: Plan) -> None:
        self.world = world
        self.platform = platform
        self.plan = plan
        self.rng = world.rng(f"customer {plan.name}")
        zone = self.rng.choice((None, "Europe/Berlin", "America/New_York", "Asia/Kolkata"))
        self.who = platform.enrol(plan.name, zone)
        self.posts: list[str] = []
        self.surface = plan.surface
        world.at(plan.begins_s, self.begin)

    def begin(self) -> None:
        """The first burst."""
        rng, temper = self.rng, self.plan.temper
        first = {"danger": "complaint", "chat": "chat", "private": "private"}.get(temper, "complaint")
        self.say(first)
        more = {"burst": rng.randint(1, 4), "talker": rng.randint(2, 5)}.get(temper, int(rng.random() < 0.2))
        wait_s = 0.0
        for _ in range(more):
            wait_s += rng.choice((5.0, 20.0, 45.0, 90.0, 240.0, 600.0)) * rng.uniform(0.5, 1.5)
            self.world.after(wait_s, partial(self.say, rng.choice(("more", "more", "wish", "complaint"))))
        if temper == "danger":
            self.world.after(rng.choice((0.0, 30.0, 4000.0)), partial(self.say, "danger"))
        if temper == "blocks":
            self.world.after(rng.uniform(0.0, 900.0), self.block)
        if temper == "second thoughts":
            self.world.after(rng.choice((3.0, 40.0, 299.0, 301.0, 4000.0)), self.think_again)
        if temper == "returns":
            self.world.after(rng.uniform(1.0, 9.0) * 86400.0, partial(self.say, "complaint"))

    def say(self, meaning: str) -> None:
        """Post something."""
        if len(self.posts) >= (AUTO_POSTS_MAX if self.plan.temper == "auto" else POSTS_MAX):
            return
        text = self.rng.choice(pool(self.plan.language, meaning)).replace("{n}", str(len(self.posts)))
        reply_to = self.posts[-1] if self.posts and self.rng.random() < 0.5 else None
        media = int(self.rng.random() < 0.1)
        self.posts.append(self.platform.write(self.who, text, self.surface, reply_to, media))

    def think_again(self) -> None:
        """Edit or delete what was posted."""
        if not self.posts:
            return
        post = self.rng.choice(self.posts)
        if post in self.platform.deleted:
            return
        if self.rng.random() < 0.5:
            self.platform.edit(post, self.rng.choice(pool(self.plan.language, "complaint")) + " (edited)")
        else:
            self.platform.delete(post)
            if self.rng.random() < 0.5:
                self.world.after(self.rng.uniform(1.0, 400.0), partial(self.say, "complaint"))

    def block(self) -> None:
        """From now on nothing of ours is taken."""
        self.platform.block(self.who.id)
        self.world.write(f"{self.who.id} blocks us")

    def read(self, sent: Sent, act: str) -> None:
        """Something of ours has arrived."""
        rng, temper = self.rng, self.plan.temper
        if temper == "auto":
            self.world.after(rng.uniform(0.5, 3.0), partial(self.say, "auto"))
            return
        if temper == "silent":
            return
        if temper == "opts out" and rng.random() < 0.6:
            self.world.after(rng.uniform(5.0, 900.0), partial(self.say, "opt_out"))
            return
        if sent.place == "public" and rng.random() < 0.5:
            self.surface = Surface.DIRECT
        meaning = choose(rng, ANSWERS.get(act, (("", 1),)))
        if meaning:
            wait_s = rng.choice((1.0, 30.0, 119.0, 600.0, 3600.0, 8 * 3600.0)) * rng.uniform(0.9, 1.1)
            self.world.after(wait_s, partial(self.say, meaning))
            if temper == "second thoughts" and rng.random() < 0.3:
                self.world.after(wait_s + rng.uniform(1.0, 200.0), self.think_again)
