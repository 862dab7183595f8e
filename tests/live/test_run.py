"""``hearout run`` as a company runs it: one process from a configuration file, X and Slack behind real sockets."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.kit import document
from tests.live.company import Company, company_of, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    """A company whose bot runs."""
    async with company_of(tmp_path) as made:
        await made.start()
        yield made


async def test_a_complaint_on_x_reaches_the_desk_in_slack_and_is_answered(company: Company) -> None:
    company.x.world.post(company.ada, "@acme three weeks for a parcel and nobody answers. it hasn't moved since the 3rd")
    await until(company.said, "no first reply on X")
    assert len(company.said()) == 1
    await until(company.cards, "no card at the desk")
    (card,) = company.cards()
    done = company.slack.people.click(company.mia, card, "hearout:claim")
    await until(lambda: done.status.name == "ACKNOWLEDGED", "the claim was not acknowledged")
    await until(lambda: "with an agent" in company.cards()[0].text, "the card does not show that it is taken")
    assert len(company.said()) == 1
    status = document(await company.ask("status", "--json"))
    assert status["spend"]["acme"]["usd"] > 0
    assert await company.stop() == 0, company.log.read_text()
    assert "Traceback" not in company.log.read_text()


async def test_killed_and_started_again_it_answers_once(company: Company) -> None:
    company.x.world.post(company.ada, "@acme 40 minutes on hold AGAIN. joke of a company")
    await until(company.said, "no first reply on X")
    await company.stop(signal.SIGKILL)
    other = company.x.world.add_user("bob")
    company.x.world.post(other, "@acme my parcel is two weeks late, this is ridiculous")
    await company.start()
    await until(lambda: len(company.said()) >= 2, "no reply after the restart")
    await until(lambda: len(company.cards()) >= 2, "the desk lacks a card")
    assert len(company.said()) == 2
    assert await company.stop() == 0


async def test_a_wrong_key_stops_x_and_not_the_rest(company: Company) -> None:
    await company.stop()
    company.brand.revoked = True
    await company.start()
    world = company.slack.world
    await until(lambda: any(m.user == world.app.bot_user for m in world.history(company.channel)), "no alert")
    assert company.process.returncode is None
    words = " ".join(m.text for m in company.slack.world.history(company.channel))
    assert "acme" in words
    assert await company.stop() == 0


async def test_check_asks_the_platforms_when_told_to(company: Company) -> None:
    await company.stop()
    fine = await company.ask("check", "--online")
    assert fine.returncode == 0, fine.stdout
    company.brand.revoked = True
    wrong = await company.ask("check", "--online")
    assert wrong.returncode == 1
    assert b"FAIL online: x.accounts.acme" in wrong.stdout
    assert company.brand.credentials.access_token_secret.encode() not in wrong.stdout + wrong.stderr
