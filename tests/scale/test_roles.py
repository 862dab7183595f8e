"""Several processes on one PostgreSQL: each does its part, one that dies or falls silent is replaced, nothing is said twice."""

from __future__ import annotations

import asyncio
import signal
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store.opening import open_url
from tests.cli.kit import document, hearout
from tests.live.company import Company, Process, company_of, until
from tests.scale.cut import measure

pytestmark = pytest.mark.anyio
LEASE_S = 2.0
COMPLAINTS = (
    "@acme three weeks for a parcel and nobody answers. it hasn't moved since the 3rd",
    "@acme 40 minutes on hold AGAIN. joke of a company",
    "@acme you charged me twice and nobody answers my mails",
)


async def complain(company: Company, number: int) -> None:
    """Somebody new complains, and is answered once."""
    company.x.world.post(company.x.world.add_user(f"customer{number}"), COMPLAINTS[number])
    await until(lambda: len(company.said()) > number, f"no reply to complaint {number}")


async def holder(company: Company, name: str, *but: Process) -> Process:
    """The process that holds a lease, if need be once others are out of it."""
    store = await open_url(company.url, read_only=True)
    try:
        for _ in range(600):
            held = {lease.name: lease.holder for lease in await store.leases(datetime.now(UTC))}
            pid = int(held[name].split(":")[1]) if name in held else 0
            found = [process for process in company.processes if process.pid == pid and process not in but]
            if found:
                return found[0]
            await asyncio.sleep(0.05)
    finally:
        await store.close()
    raise AssertionError(f"nobody else took the lease {name}")


async def test_parts_share_the_work_and_the_dead_are_replaced(url: str, tmp_path: Path) -> None:
    async with company_of(tmp_path, url, lease_s=LEASE_S) as company:
        for role in ("intake", "intake", "worker", "worker"):
            await company.start("--role", role)
        await complain(company, 0)
        await until(company.cards, "no card at the desk")
        done = company.slack.people.click(company.mia, company.cards()[0], "hearout:claim")
        await until(lambda: done.status.name == "ACKNOWLEDGED", "the claim was not acknowledged")
        await until(lambda: "with an agent" in company.cards()[0].text, "the card does not show that it is taken")
        status = document(await company.ask("status", "--json"))
        assert {name.split(":")[0] for name in status["leases"]} >= {"x", "desk", "process", "duty"}
        reader = await holder(company, "x:acme")
        await company.stop(signal.SIGKILL, reader)
        await company.stop(signal.SIGKILL, company.processes[2])
        assert await holder(company, "x:acme", reader) in company.processes[:2]
        await complain(company, 1)
        await until(lambda: len(company.cards()) == 2, "the desk lacks a card")
        for process in company.processes:
            if process.returncode is None:
                assert await company.stop(signal.SIGTERM, process) == 0, company.log.read_text()
        assert len(company.said()) == 2
        assert "Traceback" not in company.log.read_text()


async def test_a_process_that_was_paused_finds_that_it_was_replaced(url: str, tmp_path: Path) -> None:
    async with company_of(tmp_path, url, lease_s=LEASE_S) as company:
        await company.start()
        await complain(company, 0)
        await company.start()
        paused = await holder(company, "x:acme")
        paused.send_signal(signal.SIGSTOP)
        other = await holder(company, "x:acme", paused)
        await complain(company, 1)
        paused.send_signal(signal.SIGCONT)
        await until(lambda: "lease lost" in company.log.read_text(), "the paused process did not notice")
        await complain(company, 2)
        assert await holder(company, "x:acme") is other
        assert len(company.said()) == 3


async def test_slack_calls_whichever_process_is_behind_the_balancer(url: str, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    events_url = f"http://127.0.0.1:{port}/slack/events"
    async with company_of(tmp_path, url, lease_s=LEASE_S, mode="http", events_url=events_url) as company:
        await company.start("--role", "console", port=port)
        await company.start("--role", "intake")
        await company.start("--role", "worker")
        await complain(company, 0)
        await until(company.cards, "no card at the desk")
        done = company.slack.people.click(company.mia, company.cards()[0], "hearout:claim")
        await until(lambda: done.status.name == "ACKNOWLEDGED", "the claim was not acknowledged")
        await until(lambda: "with an agent" in company.cards()[0].text, "the card does not show that it is taken")
        assert len(company.cards()) == 1


async def test_24_the_database_is_cut_off_and_comes_back(url: str, tmp_path: Path) -> None:
    found = await measure(tmp_path, url, 3.0)
    assert found.good, found


def test_a_part_without_postgresql_is_bad_usage(tmp_path: Path) -> None:
    done = hearout("run", "--role", "worker", cwd=tmp_path)
    assert done.returncode == 2
    assert b"PostgreSQL" in done.stderr
