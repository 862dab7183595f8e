"""Labels teach the triage, and only when they are told to."""

import asyncio

import pytest

from bot.store.sqlite import SqliteStore
from bot.triage_weights import learned_reader
from conversations.comprehension import Reader
from conversations.conversation import Customer
from conversations.events import AgentLabelled
from conversations.wording.request import Surface
from tests.cli.kit import hearout
from tests.protocol.kit import NOOR

pytest.importorskip("sklearn")


def test_nothing_is_learned_without_labels(tmp_path):
    hearout("migrate", cwd=tmp_path)
    done = hearout("learn", cwd=tmp_path)
    assert done.returncode == 1
    assert b"no labels yet" in done.stdout


def test_labels_change_the_triage_only_with_yes(tmp_path):
    from bot.app import playground

    text = "the widget of my {} shows purple zebras on number {}"

    async def label():
        async with playground(tmp_path, database="hearout.db") as app:
            for n in range(60):
                complaint = n % 2 == 0
                words = text.format("order" if complaint else "cousin", n) + (" since the update" if complaint else " lol")
                await app.phone.post(Customer(f"c{n}"), f"my parcel is late and {words}", Surface.PUBLIC, f"p{n}")
            while await app.engine.decide_due():
                pass
            for case in await app.store.conversations(limit=100):
                number = int(case.customer.id[1:])
                await app.acts.submit(case.key, AgentLabelled(agent=NOOR, complaint=number % 2 == 0), f"a{number}")
            while await app.engine.decide_due():
                pass
            assert len(await app.store.labels()) == 60

    asyncio.run(label())
    shown = hearout("learn", cwd=tmp_path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert b"before:" in shown.stdout
    assert b"nothing was changed" in shown.stdout

    async def weights():
        store = await SqliteStore.open(tmp_path / "hearout.db", read_only=True)
        try:
            return dict((await learned_reader(store)).weights)
        finally:
            await store.close()

    assert asyncio.run(weights()) == dict(Reader.default().weights)
    learned = hearout("learn", "--yes", cwd=tmp_path)
    assert learned.returncode == 0, learned.stderr
    assert asyncio.run(weights()) != dict(Reader.default().weights)
