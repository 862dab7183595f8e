"""Rehearsal: recorded conversations through the real engine on a virtual clock, to see what the bot would have said, and when.

Only the opening burst of each is replayed: the customer's turns up to the first turn of anybody else. The customer then says
nothing. All conversations run on one timeline, so that they meet each other as they would have.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.app import App, wire
from bot.channels.port import Accepted, Channel
from bot.clock import VirtualClock
from bot.config import Config
from bot.desk.playground import PlaygroundDesk
from bot.recordings import BadLine, Recorded, channel_of, read_files
from bot.store.records import Arrival, Lane, OutboxRow
from bot.store.sqlite import SqliteStore
from bot.virtual import VirtualRun
from bot.wordings import Comparison, FileRehearser, compare
from bot.wordings.asked import Asked, asked_of
from conversations.comprehension import Reader
from conversations.comprehension.reading import Complaint, Decision, Reading, ReadingContext
from conversations.conversation import Conversation, Customer
from conversations.events import CustomerPosted
from conversations.ids import ExternalId
from conversations.policy import ChannelTraits
from conversations.wording import Wording, guard
from conversations.wording.guard import Author as Speaker
from conversations.wording.length import weighted_length
from conversations.wording.request import Act, Surface
from conversations.wording.rules import Rule

INTERRUPTION_GAP_S = 1800.0
"""Posts further apart are no burst that could be interrupted (interfaces.md, ``rehearse``)."""
AFTERMATH = timedelta(hours=4)
"""How long the silence after the last post is watched: by then the desk has it, and it leaves the rehearsal."""
PLAN_ACTS = frozenset({Act.PROPOSE_PLAN.value, Act.CONFIRM_PLAN.value, Act.CONFIRM_RESOLUTION.value})


@dataclass(slots=True)
class Rehearsed:
    """What the bot did with one recorded conversation. ``said`` holds time, act, template, text and surface.

    ``asked`` is what it was asked to say, for another wording to be asked the same (``bot.wordings.compare``).
    """

    recorded: Recorded
    complaint: bool
    probability: float
    said: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    handed_off_at: datetime | None = None
    state: str = "SET_ASIDE"

    @property
    def first_reply_at(self) -> datetime | None:
        """When the first reply was accepted."""
        return self.said[0]["at"] if self.said else None

    @property
    def interrupted(self) -> bool:
        """Whether the bot spoke between two posts of the burst that are at most 30 minutes apart."""
        posts = [post.at for post in self.recorded.burst]
        return any(
            before <= said["at"] < after
            for said in self.said
            for before, after in pairwise(posts)
            if (after - before).total_seconds() <= INTERRUPTION_GAP_S
        )

    def to_json(self) -> dict[str, Any]:
        """A line of ``--out`` (interfaces.md)."""
        return {
            "id": self.recorded.id,
            "complaint": self.complaint,
            "probability": round(self.probability, 4),
            "burst": [post.at.isoformat() for post in self.recorded.burst],
            "first_reply_at": self.first_reply_at.isoformat() if self.first_reply_at else None,
            "said": [entry | {"at": entry["at"].isoformat()} for entry in self.said],
            "handed_off_at": self.handed_off_at.isoformat() if self.handed_off_at else None,
            "state": self.state,
            "interrupted": self.interrupted,
        }


# ---------------------------------------------------------------- running


class RecordingChannel:
    """Accepts everything at once and remembers it."""

    quarantine_s = 0.0
    sending_s = 5.0
    lanes: Sequence[Lane] = ()

    def __init__(self, name: str, clock: VirtualClock, said: Callable[[OutboxRow, datetime], None]) -> None:
        self.name = name
        self.traits = ChannelTraits(
            unprompted_public=name != "x", public_chars_max=280 if name == "x" else None, direct_chars_max=10_000
        )
        self.clock = clock
        self.said = said
        self.count = 0

    def lane(self, conversation: Conversation, place: str) -> str:
        """No limits: each conversation has its own."""
        return f"{conversation.key}:{place}"

    def invites_direct(self, conversation: Conversation, now: datetime) -> bool:
        """As on X with direct messages."""
        return self.name == "x"

    def direct_link(self, conversation: Conversation) -> str | None:
        """None."""
        return None

    async def send(self, row: OutboxRow, conversation: Conversation) -> Accepted:
        """Accepted at once."""
        now = self.clock.now()
        self.said(row, now)
        self.count += 1
        return Accepted(ExternalId(f"said-{self.count}"), now)

    async def find_sent(self, row: OutboxRow, conversation: Conversation) -> Accepted | None:
        """Nothing is ever unknown here."""
        return None

    async def run(self) -> None:
        """Nothing comes in by itself."""

    async def close(self) -> None:
        """Nothing to let go of."""


async def rehearse(
    recorded: Sequence[Recorded],
    config: Config,
    channel_name: str,
    *,
    wording: Wording | None = None,
    assume_complaint: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[Rehearsed]:
    """Run recorded conversations through the engine; ``progress`` is told how many posts were replayed."""
    results = {entry.id: Rehearsed(entry, False, 0.0) for entry in recorded}
    by_conversation: dict[str, str] = {}
    posts = sorted(
        ((post.at, entry, n) for entry in recorded for n, post in enumerate(entry.burst)),
        key=lambda p: (p[0], p[1].id, p[2]),
    )
    if not posts:
        return []
    clock = VirtualClock(posts[0][0])

    def said(row: OutboxRow, at: datetime) -> None:
        result = results[by_conversation[row.conversation]]
        if (asked := asked_of(row)) is not None:
            result.asked.append(replace(asked, conversation=result.recorded.id, at=at))
        result.said.append(
            {
                "at": at,
                "act": row.act,
                "template": row.template,
                "text": row.body["text"],
                "surface": row.place.value,
                "language": row.body.get("language", "en"),
            }
        )

    channel = RecordingChannel(channel_name, clock, said)
    channels: dict[str, Channel] = {channel.name: channel}
    reader = Reader.default()
    with tempfile.TemporaryDirectory(prefix="hearout-rehearsal-") as folder:
        store = await SqliteStore.open(Path(folder) / "rehearsal.db")
        policy = config.domain_policy({channel.name: channel.traits})
        app = wire(config, store, clock, channels, PlaygroundDesk(clock), reader, wording or Wording.default(), policy)
        run = VirtualRun(clock, store, app.engine, app.delivery)
        try:
            over: deque[tuple[datetime, Rehearsed]] = deque()
            for done, (at, entry, n) in enumerate(posts, 1):
                while over and over[0][0] <= at:
                    ends_at, result = over.popleft()
                    await run.advance_to(ends_at)
                    await leave(store, result, customer_id(result.recorded))
                await run.advance_to(at)
                if n == len(entry.burst) - 1:
                    over.append((at + AFTERMATH, results[entry.id]))
                await take(app, entry, n, channel_name, assume_complaint, results[entry.id], by_conversation)
                progress(done)
            for ends_at, result in over:
                await run.advance_to(ends_at)
                await leave(store, result, customer_id(result.recorded))
        finally:
            await store.close()
    return list(results.values())


async def compare_on(
    recorded: Sequence[Recorded],
    config: Config,
    channel_name: str,
    old: Wording,
    new: Wording,
    *,
    assume_complaint: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> Comparison:
    """Recorded conversations through two wordings: lived through once, then asked of both."""
    results = await rehearse(
        recorded, config, channel_name, wording=old, assume_complaint=assume_complaint, progress=progress
    )
    return compare([asked for result in results for asked in result.asked], old, new)


def file_rehearser(config: Config) -> FileRehearser:
    """What ``Wordings.rehearse_file`` calls: a file's conversations through two wordings, in a thread of its own."""

    async def rehearse_file(file: Path, file_format: str, old: Wording, new: Wording) -> Comparison:
        def run() -> Comparison:
            recorded, _bad = read_files([file], file_format)
            return asyncio.run(compare_on(recorded, config, channel_of(file_format), old, new, assume_complaint=True))

        return await asyncio.to_thread(run)

    return rehearse_file


async def take(
    app: App,
    entry: Recorded,
    n: int,
    channel: str,
    assume_complaint: bool,
    result: Rehearsed,
    by_conversation: dict[str, str],
) -> None:
    """Replay one post."""
    post = entry.burst[n]
    reading = app.reader.read(post.text, ReadingContext(channel=channel, handles=(entry.brand,)))
    if n == 0:
        result.probability = reading.complaint.probability
        result.complaint = assume_complaint or reading.complaint.decision is not Decision.NO
    if assume_complaint:
        reading = assumed(reading)
    event = CustomerPosted(
        id=ExternalId(f"{entry.id}:{n}"), posted_at=post.at, surface=Surface.PUBLIC, text=post.text, reading=reading
    )
    by_conversation[f"{channel}:{entry.brand}:{event.id}"] = entry.id
    arrival = Arrival(
        channel=channel,
        account=entry.brand,
        id=event.id,
        event=event,
        at=post.at,
        customer=Customer(id=customer_id(entry)),
    )
    await app.intake([arrival])


def assumed(reading: Reading) -> Reading:
    """The reading, taken for a complaint."""
    return replace(reading, complaint=Complaint(max(reading.complaint.probability, 0.99), Decision.YES, ("assumed",)))


async def leave(store: SqliteStore, result: Rehearsed, customer: str) -> None:
    """Write down where a conversation stands at its end; its rows go, so that nobody is called to it for weeks."""
    for case in await store.conversations(customer=customer):
        result.state = case.state.value
        result.handed_off_at = case.handed_off_at
    await store.erase_customer(customer, result.recorded.burst[-1].at)


def customer_id(entry: Recorded) -> str:
    """Each recorded conversation stands for itself: the same person's next one is not joined to it."""
    return f"{entry.customer}/{entry.id}"  # no colon: the store takes what stands before one for a channel


# ---------------------------------------------------------------- the summary


def summary(results: Iterable[Rehearsed], config: Config, bad: Sequence[BadLine] = ()) -> dict[str, Any]:
    """The figures of interfaces.md, ``rehearse``. Seconds are rounded to a tenth."""
    everything = list(results)
    complaints = [result for result in everything if result.complaint]
    answered = [result for result in complaints if result.first_reply_at]
    first = sorted((r.said[0]["at"] - r.recorded.burst[0].at).total_seconds() for r in answered)
    waits = sorted((r.said[0]["at"] - last_before(r)).total_seconds() for r in answered)
    said = [(result, entry) for result in everything for entry in result.said]
    in_time = sum(1 for s in first if s <= config.policy.window_s)
    findings = [(result, entry, found) for result, entry in said for found in judge(entry)]
    before_handoff = sum(
        1
        for result, entry in said
        if (result.handed_off_at is None or entry["at"] <= result.handed_off_at)
        and (entry["act"] in PLAN_ACTS or any(found is Rule.PROPOSAL for found in judge(entry)))
    )
    return {
        "threads": len(everything),
        "complaints": len(complaints),
        "answered": len(answered),
        "within_window": in_time,
        "first_reply_s": {"p50": at_share(first, 0.5), "p95": at_share(first, 0.95), "max": at_share(first, 1.0)},
        "wait_s": {
            "mean": round(sum(waits) / len(waits), 1) if waits else None,
            "p50": at_share(waits, 0.5),
            "p95": at_share(waits, 0.95),
        },
        "interrupted": sum(1 for result in everything if result.interrupted),
        "proposals_before_handoff": before_handoff,
        "over_length": sum(
            1 for _, entry in said if entry["surface"] == "public" and weighted_length(entry["text"]) > 280
        ),
        "guard_findings": len(findings),
        "texts_distinct": len({entry["text"] for _, entry in said}),
        "handed_off": sum(1 for result in complaints if result.handed_off_at is not None),
        "identical_neighbours": identical_neighbours(said),
        "malformed_lines": len(bad),
    }


def last_before(result: Rehearsed) -> datetime:
    """The customer's last post before the first reply."""
    reply_at = result.said[0]["at"]
    return max(post.at for post in result.recorded.burst if post.at <= reply_at)


def judge(entry: dict[str, Any]) -> list[Rule]:
    """What the tone guard finds in a text of the bot."""
    found = guard.findings(
        entry["text"], entry["language"], Surface(entry["surface"]), Speaker.BOT, act=Act(entry["act"])
    )
    return [Rule(finding.rule) for finding in found]


def identical_neighbours(said: Sequence[tuple[Rehearsed, dict[str, Any]]]) -> int:
    """How many texts follow the very same text on the same account and surface."""
    last: dict[tuple[str, str], str] = {}
    count = 0
    for result, entry in sorted(said, key=lambda pair: pair[1]["at"]):
        place = (result.recorded.brand, entry["surface"])
        count += last.get(place) == entry["text"]
        last[place] = entry["text"]
    return count


def at_share(values: Sequence[float], share: float) -> float | None:
    """The value below which that share of the sorted values lies."""
    if not values:
        return None
    return round(values[min(len(values) - 1, int(share * len(values)))], 1)
