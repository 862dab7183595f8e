"""Signing in: with Slack, by a one-time link, and every way in which somebody might get in who should not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from bot.console.session import Cookies
from bot.console.sign_in import inside
from tests.console.office import SECRET, URL, Office, office

pytestmark = pytest.mark.anyio
SESSION = "__Host-hearout_session"
SIGN_IN = "__Host-hearout_sign_in"


async def enters(browser: httpx.AsyncClient) -> bool:
    """Whether the browser is let in."""
    answer = await browser.get("/")
    assert answer.status_code in (200, 303), answer.text
    return answer.status_code == 200


async def test_an_agent_signs_in_with_slack_and_out_again(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = await here.sign_in(here.desk.mia)
        page = await browser.get("/")
        assert "Mia" in page.text
        assert (f"slack:{here.desk.mia.id}", "sign in") in await here.audits()
        assert (await browser.post("/sign-out", headers={"origin": URL})).headers["location"] == "/sign-in"
        assert not await enters(browser)


async def test_the_cookie_is_ours_alone(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = here.browser()
        answer = await browser.get(await here.to_slack(browser, here.desk.mia))
        cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(SESSION))
        for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert flag in cookie, flag
        assert "domain" not in cookie.lower()


async def test_one_goes_on_to_the_page_one_wanted_and_nowhere_else(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = here.browser()
        wanted = await browser.get("/conversations?state=open")
        assert wanted.headers["location"] == "/sign-in?next=%2Fconversations%3Fstate%3Dopen"
        back = await here.to_slack(browser, here.desk.mia, next="/conversations?state=open")
        assert (await browser.get(back)).headers["location"] == "/conversations?state=open"
        back = await here.to_slack(browser, here.desk.mia, next="https://evil.example/")
        assert (await browser.get(back)).headers["location"] == "/"


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\nb", "", "/sign-out"],
)
def test_only_addresses_of_the_console_are_gone_on_to(address: str) -> None:
    assert inside(address) == "/"


async def test_a_sign_in_that_was_begun_elsewhere_or_long_ago_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        # an attacker's code in the victim's browser: no cookie, or the cookie of another sign-in
        attacker, victim = here.browser(), here.browser()
        stolen = await here.to_slack(attacker, here.desk.lena)
        assert (await victim.get(stolen)).status_code == 403
        await here.to_slack(victim, here.desk.mia)
        assert (await victim.get(stolen)).status_code == 403
        assert not await enters(victim)
        # our own code with a forged state, without any, and nothing at all
        forgeries = (
            lambda back: back.replace("state=", "state=x"),
            lambda back: re.sub(r"state=[^&]*&?", "", back),
            lambda back: back.partition("?")[0],
        )
        for forge in forgeries:
            again = here.browser()
            forged = forge(await here.to_slack(again, here.desk.mia))
            assert (await again.get(forged)).status_code == 403, forged
            assert not await enters(again)
        # too slow
        slow = here.browser()
        back = await here.to_slack(slow, here.desk.mia)
        here.desk.clock.advance(601)
        assert (await slow.get(back)).status_code == 403
        # a code is good once
        once = here.browser()
        back = await here.to_slack(once, here.desk.mia)
        begun = once.cookies[SIGN_IN]
        assert (await once.get(back)).status_code == 303
        twice = here.browser()
        twice.cookies.set(SIGN_IN, begun, domain="hearout.example")
        assert (await twice.get(back)).status_code == 403
        assert not await enters(twice)


async def test_cancelling_signs_nobody_in(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = here.browser()
        answer = await browser.get(await here.to_slack(browser, None))
        assert answer.status_code == 403
        assert "cancelled" in answer.text
        assert not await enters(browser)


TAMPERED: tuple[dict[str, Any], ...] = (
    {"aud": "another.app"},
    {"iss": "https://evil.example"},
    {"exp": 1_000_000_000},
    {"exp": None},
    {"nonce": "another"},
    {"nonce": None},
    {"https://slack.com/team_id": "T0OTHER"},
    {"https://slack.com/team_id": None},
)


@pytest.mark.parametrize("claims", TAMPERED, ids=str)
async def test_every_claim_of_the_token_is_checked(tmp_path: Path, claims: dict[str, Any]) -> None:
    async with office(tmp_path) as here:
        here.desk.slack.sign_in.tamper = claims
        browser = here.browser()
        assert (await browser.get(await here.to_slack(browser, here.desk.lena))).status_code == 403
        assert not await enters(browser)


async def test_a_token_that_slack_did_not_sign_is_refused(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        signer = here.desk.slack.sign_in.signer
        rightly = signer.sign
        for forge in (
            lambda token: jwt.encode(jwt.decode(token, options={"verify_signature": False}), "k" * 32, "HS256"),
            lambda token: jwt.encode(jwt.decode(token, options={"verify_signature": False}), None, "none"),
            lambda token: token[:-8] + "AAAAAAAA",
            lambda token: "nonsense",
        ):
            signer.sign = lambda claims, forge=forge: forge(rightly(claims))  # type: ignore[method-assign]
            browser = here.browser()
            assert (await browser.get(await here.to_slack(browser, here.desk.lena))).status_code == 403
            assert not await enters(browser)


async def test_another_workspace_is_refused_and_written_down(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = here.browser()
        answer = await browser.get(await here.to_slack(browser, here.desk.stranger))
        assert answer.status_code == 403
        assert "another Slack workspace" in answer.text
        assert ("slack:somebody", "sign in refused") in await here.audits()
        assert not await enters(browser)


def cookie(here: Office, **claims: Any) -> str:
    """A session as ours are made, but for what is given."""
    facts = {"how": "link", "name": "Admin", "aud": "session", "exp": int(here.desk.clock.now().timestamp()) + 60}
    kept = {name: value for name, value in {**facts, **claims}.items() if value is not None}
    return jwt.encode(kept, here.gate.cookies.key, "HS256")


async def test_a_session_that_is_not_ours_is_none(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        right = cookie(here)
        elsewhere = Cookies("another secret", here.desk.clock)
        forged = (
            jwt.encode(jwt.decode(right, options={"verify_signature": False}), elsewhere.key, "HS256"),
            jwt.encode(jwt.decode(right, options={"verify_signature": False}), None, "none"),
            cookie(here, aud="sign_in"),
            cookie(here, exp=None),
            cookie(here, exp=int(here.desk.clock.now().timestamp()) - 1),
            cookie(here, how="trust me"),
            right[:-4],
            "",
            SECRET,
        )
        for value in forged:
            browser = here.browser()
            browser.cookies.set(SESSION, value, domain="hearout.example")
            assert not await enters(browser), value
        browser = here.browser()
        browser.cookies.set(SESSION, right, domain="hearout.example")
        assert await enters(browser)


async def test_a_session_ends_after_a_working_day(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = await here.by_link()
        assert await enters(browser)
        here.desk.clock.advance(12 * 3600 + 1)
        assert not await enters(browser)


async def test_a_link_works_once_and_not_for_long(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        address = here.printed[0].removeprefix(URL)
        assert (await here.browser().head(address)).status_code == 403
        await here.by_link()
        again = here.browser()
        assert (await again.get(address)).status_code == 403
        assert not await enters(again)
        assert (await again.get("/sign-in/link?token=")).status_code == 403
        here.desk.clock.advance(60)
        assert (await again.post("/sign-in/link", headers={"origin": URL})).status_code == 200
        here.desk.clock.advance(31 * 60)
        assert (await again.get(here.printed[1].removeprefix(URL))).status_code == 403
        assert "token=" not in (await again.get("/sign-in")).text


async def test_links_are_not_printed_faster_than_people_ask(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = here.browser()
        for _ in range(5):
            await browser.post("/sign-in/link", headers={"origin": URL})
        assert len(here.printed) == 1
        assert (await browser.post("/sign-in/link", headers={"origin": "https://evil.example"})).status_code == 403


async def test_nobody_comes_in_while_slack_is_silent(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = here.browser()
        back = await here.to_slack(browser, here.desk.mia)
        here.signing.api_url = "http://127.0.0.1:9/api/"
        answer = await browser.get(back)
        assert answer.status_code == 503
        assert not await enters(browser)
