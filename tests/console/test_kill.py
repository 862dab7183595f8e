"""200 conversations at once, and kill -9 ten times: nothing lost, nothing doubled.

The judge is the playground channel's append-only log, which stands for what a platform accepted. A client that gets no answer
sends the same request again with the same id, as a page or a platform would.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.console.kit import Program, monday

pytestmark = pytest.mark.anyio
CONVERSATIONS = 200
KILLS = 10
AT_ONCE = 16
SEED = 20_260_314
STORIES = (
    "40 minutes on hold AGAIN. joke of a company",
    "my parcel hasn't moved since the 3rd, three weeks now, and your chat hangs up on me. i want my money back",
)
FIRST_REPLIES = {"receive", "acknowledge", "reflect", "hand_over"}
LOOK_S = 0.001
"""Between two looks at how far it has come."""


class Clients:
    """Everybody who uses the playground while it is being killed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.port = "0"
        self.answered = 0
        self.again = 0
        self.kills = 0
        self.up = anyio.Event()

    @property
    def log(self) -> Path:
        """What was accepted."""
        return self.program.data / "playground-posts.jsonl"

    def said(self) -> int:
        """How many messages were accepted so far."""
        return self.log.read_bytes().count(b"\n") if self.log.exists() else 0

    async def start(self) -> None:
        """Start the program, on the same port as before."""
        url = await anyio.to_thread.run_sync(self.program.start, self.port)
        self.port = url.rpartition(":")[2]
        self.up.set()

    async def kill(self) -> None:
        """kill -9, and start it again."""
        self.kills += 1
        self.up = anyio.Event()
        await anyio.to_thread.run_sync(self.program.kill)
        await self.start()

    async def kill_at(self, progress: Callable[[], int], moments: Iterable[int]) -> None:
        """Kill it whenever it has come so far."""
        for moment in moments:
            while progress() < moment:  # noqa: ASYNC110 - what is watched is another process
                await anyio.sleep(LOOK_S)
            await self.kill()

    async def ask(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
        """Send a request until it is answered, with the same id each time."""
        while True:
            await self.up.wait()
            try:
                answer = await client.post(f"{self.program.url}/playground/{path}", json=body)
            except httpx.TransportError:
                self.again += 1
                await anyio.sleep(LOOK_S)
                continue
            assert answer.status_code == 200, answer.text
            self.answered += 1
            return

    async def all_ask(self, client: httpx.AsyncClient, path: str, bodies: list[dict[str, Any]]) -> None:
        """Many requests, some at a time."""
        limit = anyio.CapacityLimiter(AT_ONCE)

        async def one(body: dict[str, Any]) -> None:
            async with limit:
                await self.ask(client, path, body)

        async with anyio.create_task_group() as group:
            for body in bodies:
                group.start_soon(one, body)


async def while_killed(work: Callable[[], Awaitable[None]], killing: Callable[[], Awaitable[None]]) -> None:
    """Do the work while it is being killed."""
    async with anyio.create_task_group() as group:
        group.start_soon(killing)
        group.start_soon(work)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A playground that does not outlive its test."""
    made = Program(tmp_path)
    yield made
    made.kill()


async def test_nothing_is_lost_and_nothing_doubled(program: Program) -> None:
    chance = random.Random(SEED)
    clients = Clients(program)

    def moments(count: int, start: int, end: int) -> list[int]:
        return sorted(chance.sample(range(start + 1, end), count))

    async with httpx.AsyncClient(timeout=60.0) as client:
        await clients.start()
        await clients.ask(client, "clock", {"to": monday()})
        posts = [
            {"customer": f"c{n}", "text": STORIES[n % 2], "id": f"p{n}", "surface": ("public", "direct")[n % 3 == 0]}
            for n in range(CONVERSATIONS)
        ]
        done = clients.answered
        await while_killed(
            lambda: clients.all_ask(client, "posts", posts),
            lambda: clients.kill_at(lambda: clients.answered, moments(2, done, done + CONVERSATIONS)),
        )
        await while_killed(
            lambda: clients.ask(client, "clock", {"to": monday(hour=11)}),
            lambda: clients.kill_at(clients.said, moments(3, 0, CONVERSATIONS)),
        )
        keys = {f"c{n}": f"playground:brand:p{n}" for n in range(CONVERSATIONS)}
        claims = [
            {"act": "claim", "case": keys[f"c{n}"], "agent": "noor", "id": f"claim-{n}"} for n in range(CONVERSATIONS)
        ]
        done = clients.answered
        await while_killed(
            lambda: clients.all_ask(client, "acts", claims),
            lambda: clients.kill_at(lambda: clients.answered, moments(1, done, done + CONVERSATIONS)),
        )
        replies = [
            {
                "act": "reply",
                "case": keys[f"c{n}"],
                "agent": "noor",
                "id": f"reply-{n}",
                "text": answer_to(n),
                "anyway": True,
            }
            for n in range(CONVERSATIONS)
        ]
        done = clients.said()
        await while_killed(
            lambda: clients.all_ask(client, "acts", replies),
            lambda: clients.kill_at(clients.said, moments(3, done, done + CONVERSATIONS // 2)),
        )
        more = [post | {"text": "any news?", "id": f"q{n}"} for n, post in enumerate(posts)]
        done = clients.answered
        await while_killed(
            lambda: clients.all_ask(client, "posts", more),
            lambda: clients.kill_at(lambda: clients.answered, moments(1, done, done + CONVERSATIONS)),
        )
        await clients.ask(client, "clock", {"to": monday(hour=12)})
        state = (await client.get(f"{clients.program.url}/playground/state?limit=5000")).json()
    assert clients.program.stop() == 0
    assert clients.kills == KILLS
    judge([json.loads(line) for line in clients.log.read_text("utf-8").splitlines()], state)


def answer_to(n: int) -> str:
    """An agent's words, different for each conversation."""
    return f"I am on it, and write to you again today by 16:00. ({chr(97 + n // 26)}{chr(97 + n % 26)})"


def judge(log: list[dict[str, Any]], state: dict[str, Any]) -> None:
    """The log has each message once, and the database agrees with it."""
    assert [key for key, count in Counter(entry["key"] for entry in log).items() if count > 1] == []
    assert len({entry["id"] for entry in log}) == len(log)
    said: dict[str, list[dict[str, Any]]] = {}
    for entry in log:
        said.setdefault(entry["conversation"], []).append(entry)
    assert len(said) == len(state["conversations"]) == CONVERSATIONS
    for case in state["conversations"]:
        n = int(case["customer"][1:])
        words = said[case["key"]]
        assert case["key"] == f"playground:brand:p{n}"
        assert {entry["customer"] for entry in words} == {case["customer"]}
        assert [entry["act"] in FIRST_REPLIES for entry in words].count(True) == 1, words
        assert words[0]["author"] == "bot"
        assert [entry["text"] for entry in words if entry["author"] == "agent"] == [answer_to(n)]
        theirs = [turn["id"] for turn in case["turns"] if turn["author"] == "customer"]
        ours = [(turn["id"], turn["key"]) for turn in case["turns"] if turn["author"] != "customer"]
        assert theirs == [f"p{n}", f"q{n}"]
        assert sorted(ours) == sorted((entry["id"], entry["key"]) for entry in words)
        assert (case["state"], case["owner"]) == ("WITH_AGENT", "noor")
    left = {status: count for status, count in state["counts"]["outbox"].items() if status not in ("sent", "withdrawn")}
    assert left == {}
    assert (state["counts"]["unread"], state["counts"]["poisoned"], state["asides"]) == (0, 0, [])
