"""The console of ``hearout run``: a process on X and Slack, reached by the link it prints."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from bot.config import Config, sign_in_check
from tests.live.company import company_of, until

pytestmark = pytest.mark.anyio


async def test_an_admin_follows_the_printed_link_and_sees_the_company(tmp_path: Path) -> None:
    async with company_of(tmp_path) as company:
        await company.start()
        found = await until(lambda: re.search(r"(http://\S+)(/sign-in/link\?token=\S+)", company.log.read_text()), "no link")
        company.x.world.post(company.ada, "@acme three weeks for a parcel and nobody answers. it hasn't moved since the 3rd")
        await until(company.said, "no first reply on X")
        async with httpx.AsyncClient(base_url=found[1], headers={"accept": "text/html"}, timeout=30) as browser:
            assert (await browser.get("/")).headers["location"].startswith("/sign-in")
            assert (await browser.get(found[2])).status_code == 303
            page = (await browser.get("/")).text
            assert "@acme" in page  # what X costs
            assert "The breaker has stopped nothing" in page
            assert "/playground" not in page
            listed = (await browser.get("/conversations")).text
            (address,) = set(re.findall(r'href="(/conversations/[^"]+)"', listed))
            case = (await browser.get(address)).text
            assert "en.acknowledge.public" in case or "en.reflect.public" in case
            assert (await browser.get("/templates/en.acknowledge.public.a")).status_code == 200
            assert (await browser.post("/incident/pause", data={"on": "1"})).status_code == 303
            assert "The bot is paused" in (await browser.get("/")).text
            assert (await browser.get("/playground")).status_code == 404
            assert (await browser.get("/healthz")).status_code == 200
        assert await company.stop() == 0, company.log.read_text()
        assert "Traceback" not in company.log.read_text()


@pytest.mark.parametrize(
    ("console", "slack", "named"),
    [
        ({"host": "0.0.0.0"}, {}, ["console.host"]),
        ({"host": "0.0.0.0", "sign_in": "slack"}, {}, ["slack.enabled", "slack.client_id", "console.url"]),
        ({"sign_in": "slack", "url": "https://a.example"}, {"enabled": True, "client_id": "1.2"}, []),
        ({}, {}, []),
    ],
)
def test_a_configuration_that_would_leave_the_console_open_or_shut_is_refused(
    console: dict[str, object], slack: dict[str, object], named: list[str]
) -> None:
    mistakes = sign_in_check(Config.model_validate({"console": console, "slack": slack}))
    assert len(mistakes) == len(named)
    assert all(name in mistake for name, mistake in zip(named, mistakes, strict=True))


@pytest.mark.parametrize("url", ["hearout.example", "https://a.example/path", "ftp://a.example", "https://u@a.example"])
def test_the_consoles_address_is_a_plain_one(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Config.model_validate({"console": {"url": url}})
