"""The Slack desk under load: how fast a click is acknowledged, and how soon a card is up.

``python -m tests.benchmarks.slack [--cases N] [--clicks N] [--http] [--json]``

The real desk, store, engine and delivery talk to the strict local Slack over loopback, in one process: its work is in
the figures as well, so they are an upper bound. Targets: an interaction is acknowledged within 200 ms at p99 with
1,000 open cases; on an idle lane a card is up within 1 s of the handoff. Slack's limits are off while cases are made
and on while cards are timed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import tempfile
import time
from pathlib import Path

import structlog

from bot.store.records import Lane
from conversations.conversation import Customer
from conversations.wording.request import Surface
from tests.desk.scene import STORY, Desk, company
from tests.platforms.slack.interactions import Interaction, Status
from tests.platforms.slack.values import ActRefused

CARDS = 20
"""Handoffs that are timed one by one."""


async def fill(desk: Desk, cases: int) -> None:
    """Open cases, all handed off, all with their cards up."""
    desk.slack.limits.enabled = False
    for n in range(cases):
        await desk.phone.post(Customer(f"b{n}", f"b{n}", f"Customer {n}"), STORY, Surface.PUBLIC, f"b{n}")
    for seconds in (0, 901, 1_801):
        desk.clock.advance(seconds)
        while await desk.parts.engine.decide_due(500):
            pass
        await deliver(desk)


async def deliver(desk: Desk) -> None:
    """Everything that may leave, without the pace of Slack: otherwise a thousand cards would take hours of the clock."""

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    slowly, desk.link.sleep = desk.link.sleep, at_once
    lane = Lane(f"slack:{desk.channel.id}", None, 8)
    while True:
        await desk.parts.store.set_lane(lane)
        sent = await desk.parts.delivery.drain(500)
        await desk.parts.delivery.settle()
        if not sent and not await desk.parts.engine.decide_due(500):
            break
    desk.link.sleep = slowly


async def acknowledged(desk: Desk, act: Interaction) -> float:
    """Milliseconds until Slack had its answer."""
    began = time.perf_counter()
    await desk.server.until(lambda: act.status is not Status.PENDING)
    if act.status is not Status.ACKNOWLEDGED:
        raise SystemExit(f"an interaction failed: {act.failure}")
    return (time.perf_counter() - began) * 1e3


async def clicks(desk: Desk, count: int) -> dict[str, list[float]]:
    """Clicks one after another, and twenty at once: claims, forms, submissions, the command."""
    people, took = desk.slack.people, {"claim": [], "form": [], "submit": [], "command": [], "burst": []}  # type: dict[str, list[float]]
    cards = desk.cards()
    for n in range(count):
        card = cards[n % len(cards)]
        try:
            took["form"].append(await acknowledged(desk, people.click(desk.mia, card, "hearout:reply")))
            view = desk.slack.views.top(desk.mia.id)
            took["submit"].append(
                await acknowledged(desk, people.submit(desk.mia, {"text0": "It comes by 18:00."}, view=view))
            )
            people.close(desk.mia, everything=True)
            took["claim"].append(await acknowledged(desk, people.click(desk.mia, card, "hearout:claim")))
        except ActRefused:
            continue
        if n % 10 == 0:
            took["command"].append(
                await acknowledged(desk, people.command(desk.mia, desk.channel, "/hearout", "status"))
            )
            desk.clock.advance(1)
            await deliver(desk)
            cards = desk.cards()
    for _ in range(max(1, count // 20)):
        free = [card for card in desk.cards() if "hearout:claim" in str(card.blocks)][-20:]
        acts = [people.click(desk.tom, card, "hearout:claim") for card in free]
        took["burst"] += await asyncio.gather(*(acknowledged(desk, act) for act in acts))
        desk.clock.advance(1)
        await deliver(desk)
    return took


async def cards_up(desk: Desk) -> list[float]:
    """Milliseconds from the decision that hands off to the card's being accepted, the lane idle."""
    desk.slack.limits.enabled = True
    took = []
    for n in range(CARDS):
        desk.clock.advance(5)
        await desk.phone.post(
            Customer(f"k{n}", f"k{n}", f"New {n}"), "I want a human, now. " + STORY, Surface.PUBLIC, f"k{n}"
        )
        before = len(desk.slack.log.posts(desk.channel.id))
        began = time.perf_counter()
        await desk.parts.engine.decide_due()
        while len(desk.slack.log.posts(desk.channel.id)) == before:
            await desk.parts.delivery.drain()
            await desk.parts.delivery.settle()
        took.append((time.perf_counter() - began) * 1e3)
        await deliver(desk)
    return took


async def measure(cases: int, count: int, http: bool) -> dict[str, float]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder:
        async with company(Path(folder), http=http) as desk:
            desk.desk.warm()
            began = time.perf_counter()
            await fill(desk, cases)
            made_s = time.perf_counter() - began
            took = await clicks(desk, count)
            up = await cards_up(desk)
    result: dict[str, float] = {"cases": cases, "made_s": round(made_s, 1)}
    for name, values in took.items():
        if values:
            result |= {f"{name}_p50_ms": round(statistics.median(values), 1), f"{name}_p99_ms": round(worst(values), 1)}
    every = [value for values in took.values() for value in values]
    return result | {
        "ack_p99_ms": round(worst(every), 1),
        "card_p50_ms": round(statistics.median(up), 1),
        "card_max_ms": round(max(up), 1),
    }


def worst(values: list[float]) -> float:
    """The 99th percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--clicks", type=int, default=100)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    result = asyncio.run(measure(options.cases, options.clicks, options.http))
    print(json.dumps(result) if options.json else "\n".join(f"{name}: {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
