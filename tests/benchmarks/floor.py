"""The floor of the whole-bot benchmark: real libraries around the least that could be called durable, with our own words.

``python floor.py PEERS PORT DB CALLBACK``

``ref_libs`` of the shared peers (slack_bolt in, transitions decides, sqlite3 keeps, slack_sdk out) with one thing more: each
message is read, its answer is rendered, and the answer is looked over, inline, as Hearout does it. What Hearout adds on top
(conversations, clocks, the desk, the outbox with its read-back) is what the benchmark measures. ``PEERS`` is the folder of
the peers: its ``ref_core`` is the durable core.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

from aiohttp import ClientSession, web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from transitions import Machine

from conversations.comprehension import Reader
from conversations.comprehension.reading import ReadingContext
from conversations.wording import Wording, guard
from conversations.wording.request import Act, Request, Situation, Surface

STATES = [f"s{n}" for n in range(12)]


class Model:
    """What the machine moves: thrown away after each event."""

    state = "s3"

    def ok(self) -> bool:
        """The one guard."""
        return True

    def done(self) -> None:
        """The one effect."""


MACHINE = Machine(
    None,
    states=STATES,
    initial="s0",
    auto_transitions=False,
    transitions=[
        {"trigger": "msg", "source": STATES[n], "dest": STATES[(n + 1) % 12], "conditions": "ok", "after": "done"}
        for n in range(12)
    ],
)


class Words:
    """Reads a message and words the answer."""

    def __init__(self) -> None:
        self.reader, self.wording = Reader.default(), Wording.default()
        self.count = 0

    def answer(self, text: str) -> str:
        """Read, render, look over."""
        self.count += 1
        reading = self.reader.read(text, ReadingContext(channel="slack"))
        topic = reading.topics[0].name if reading.topics else None
        facts = {"brand": "Our brand", "quote": reading.quotable, "wish": reading.wish}
        request = Request(
            act=Act.REFLECT,
            surface=Surface.DIRECT,
            language=reading.language,
            seed=str(self.count),
            topic=topic,
            situations=(Situation.FIRST_REPLY,),
            facts=facts,
        )
        words = self.wording.render(request).text
        guard.findings(words, reading.language, Surface.DIRECT, guard.Author.BOT, act=Act.REFLECT)
        return words


def main() -> None:
    """Serve until killed."""
    peers, port, path, base = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    sys.path.insert(0, peers)
    core: Any = importlib.import_module("ref_core")
    core.open_db(path)
    todo, wake, execute, words = core.todo, core.wake, core.x, Words()
    client = AsyncWebClient(token="xoxb-1", base_url=f"{base}/api/")
    app = AsyncApp(signing_secret="sec", client=client, process_before_response=True)

    def handle(body: dict[str, Any]) -> Any:
        MACHINE.events["msg"].trigger(Model())
        written = core.handle(body)
        return written and (written[0], words.answer(body["event"]["text"]), written[2])

    @app.event("message")
    async def message(body: dict[str, Any]) -> None:
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        todo.append((kept, body))
        wake.set()
        await kept

    async def writer() -> None:
        sent: list[int] = []
        posts: set[asyncio.Task[None]] = set()

        async def post(channel: str, text: str, row: int) -> None:
            await client.chat_postMessage(channel=channel, text=text)
            sent.append(row)
            wake.set()

        while True:
            await wake.wait()
            wake.clear()
            batch, todo[:] = todo[:], []
            done, sent[:] = sent[:], []
            execute("begin immediate")
            out = [(kept, handle(body)) for kept, body in batch]
            for row in done:
                execute("update outbox set status='sent' where id=?", (row,))
            execute("commit")
            for kept, written in out:
                kept.set_result(None)
                if written:
                    task = asyncio.create_task(post(*written))
                    posts.add(task)
                    task.add_done_callback(posts.discard)

    async def life(_: web.Application) -> Any:
        client.session = ClientSession()
        writing = asyncio.create_task(writer())
        yield
        writing.cancel()

    served = app.web_app(path="/slack/events")
    served.cleanup_ctx.append(life)
    web.run_app(served, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
