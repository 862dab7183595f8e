"""A program that dies in the middle of a decision: ``python -m tests.contracts.crash URL``. Exit code 9."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator

from bot.store.records import Claimed, Decision
from tests.contracts.backends import open_url
from tests.contracts.examples import NOW, at, deciding, open_or_join, post, row


class Fatal(tuple[str, ...]):
    """Whoever looks inside dies: no clean-up, no flush, no rollback, as a kill -9 does it."""

    def __iter__(self) -> Iterator[str]:
        os._exit(9)


def die(claimed: Claimed) -> Decision:
    """A decision whose last part is fatal: the rest is written by then."""
    outbox = (row(claimed.conversation.key, "never"),)
    return deciding(outbox=outbox, audit=Fatal(("never",)))(claimed)


async def main(url: str) -> None:
    """Acknowledge one decision, then die in the next."""
    store = await open_url(url)
    first, second = post("1"), post("2", "c2")
    await store.take_in([first], open_or_join, NOW)
    await store.decide_due(NOW, 10, lambda claimed: deciding(outbox=(row(claimed.conversation.key, "first"),))(claimed))
    await store.take_in([second], open_or_join, at(1))
    await store.decide_due(at(1), 10, die)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
