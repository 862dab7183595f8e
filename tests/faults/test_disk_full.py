"""A disk that is really full: a small file system in memory. Intake refuses, what was acknowledged stays, and it goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.port import StoreUnavailable
from bot.store.sqlite import SqliteStore
from tests.contracts.examples import NOW, at, open_or_join, post, read_all

pytestmark = pytest.mark.anyio
SIZE = "2m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


async def fill(store: SqliteStore) -> list[str]:
    """Take in posts until the disk is full. Returns what was acknowledged."""
    acknowledged: list[str] = []
    while len(acknowledged) < 5000:
        name = f"p{len(acknowledged)}"
        try:
            await store.take_in([post(name, f"c{name}", text="late " * 50)], open_or_join, at(len(acknowledged)))
        except StoreUnavailable:
            return acknowledged
        acknowledged.append(name)
    raise AssertionError("the disk was not small")


async def test_a_full_disk_refuses_and_resumes(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_200_000)
    store = await SqliteStore.open(small_disk / "hearout.db", holder="a test")
    acknowledged = await fill(store)
    assert acknowledged
    with pytest.raises(StoreUnavailable, match="full"):
        await store.take_in([post(f"more-{n}", f"c-{n}", text="late " * 50) for n in range(200)], open_or_join, NOW)
    assert len(await store.conversations(limit=10_000)) == len(acknowledged)
    ballast.unlink()
    taken = await store.take_in([post(key, f"c{key}") for key in acknowledged], open_or_join, NOW)
    assert not any(entry.new for entry in taken), "what was acknowledged before is known"
    assert (await store.take_in([post("after", "c-after")], open_or_join, NOW))[0].new
    assert await store.decide_due(at(10_000), 10_000, read_all) == len(acknowledged) + 1
    assert await store.check() == []
    await store.close()
