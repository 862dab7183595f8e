"""Who may see which page and do which act: every page of the console against every kind of person; denied by default."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from starlette.routing import Mount, Route

from bot.console.app import PAGES
from bot.staff import Role
from tests.console.office import URL, Office, office

pytestmark = pytest.mark.anyio
OPEN = {"/healthz", "/readyz", "/metrics"}
"""What machines ask; nothing of any customer is in it."""
FORMS = {
    "/incident/pause": {"on": "1"},
    "/incident/check-backs": {"on": "1"},
    "/incident/topics": {"topic": "delivery", "on": "1"},
    "/incident/updates": {"topic": "delivery", "text": "Late since 9:40. News here by 12:00.", "language": "en"},
    "/incident/answers": {"topic": "delivery", "text": "It is put right.", "language": "en", "form_id": "g1"},
    "/templates/{name}/drafts": {"source": "We hear you."},
    "/templates/{name}/publish": {"version": "1"},
    "/templates/{name}/variants": {"variant": "b"},
    "/templates/{name}/rehearse": {"source": "We hear you."},
    "/templates/{name}/look": {"source": "We hear you."},
}
STREAM = "/events"


async def ask(here: Office, browser: httpx.AsyncClient, method: str, path: str) -> int:
    """Ask for a page, or do an act, as the page's own form would."""
    case = await here.desk.case()
    address = path.replace("{key}", quote(case.key, safe="")).replace("{name}", "en.acknowledge.public.a")
    if method == "GET":
        return (await browser.get(address)).status_code
    return (await browser.post(address, data=FORMS.get(path, {}), headers={"origin": URL})).status_code


async def test_every_page_and_act_asks_for_its_role(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        await here.desk.handed_off()
        desk = here.desk
        people = {
            None: here.browser(),
            Role.NOBODY: await here.sign_in(desk.outsider),
            Role.AGENT: await here.sign_in(desk.mia),
            Role.ADMIN: await here.sign_in(desk.lena),
        }
        guest = await here.sign_in(desk.guest)
        for page in (page for page in PAGES if page.path != STREAM):
            for role, browser in people.items():
                status = await ask(here, browser, page.method, page.path)
                where = (page.method, page.path, role)
                if role is None:
                    assert status == (303 if page.method == "GET" else 401), where
                elif role < page.needs:
                    assert status == 403, where
                else:
                    assert status in (200, 303, 404, 422), where
            assert await ask(here, guest, page.method, page.path) == 403, page.path


async def test_nothing_is_open_but_what_says_so(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        addresses = {route.path: route for route in here.web.routes if isinstance(route, Route)}
        mounts = [route.path for route in here.web.routes if isinstance(route, Mount)]
        assert mounts == ["/static"]
        free = {page.path for page in (*PAGES, *here.gate.pages) if page.needs is Role.NOBODY}
        assert all(path.startswith("/sign-") for path in free)
        stranger = here.browser()
        for path in addresses.keys() - OPEN - free:
            answer = await stranger.get(path.replace("{key}", "k").replace("{name}", "n"))
            assert answer.status_code in (303, 401, 405), path
        assert (await stranger.get(STREAM, headers={"accept": "text/event-stream"})).status_code == 401


async def test_acts_are_written_down_with_who_did_them(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = await here.sign_in(here.desk.lena)
        await here.desk.handed_off()
        for path in (path for path in FORMS if path.startswith("/incident")):  # each turns a switch, or asks for an answer
            assert await ask(here, browser, "POST", path) == 303, path
        for path in ("reveal", "export"):
            assert await ask(here, browser, "POST", f"/conversations/{{key}}/{path}") == 200
        done = [action for actor, action in await here.audits() if here.desk.lena.id in actor]
        assert done == ["export", "reveal", "answer group", "switch", "switch", "switch", "switch", "sign in"]


async def test_a_post_from_another_site_is_refused_even_with_a_session(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = await here.sign_in(here.desk.lena)
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            answer = await browser.post("/incident/pause", data={"on": "1"}, headers=headers)
            assert answer.status_code == 403, headers
        assert here.desk.parts.switches.now.paused == ""


async def test_a_removed_agent_is_out_within_a_minute(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = await here.sign_in(here.desk.mia)
        assert (await browser.get("/")).status_code == 200
        here.desk.slack.world.change_group(here.desk.agents, [here.desk.tom])
        here.desk.clock.advance(59)
        answer = await browser.get("/")
        assert answer.status_code == 403
        assert "not for you" in answer.text.lower()


async def test_a_name_that_is_not_the_consoles_is_not_answered(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        browser = await here.sign_in(here.desk.lena)
        assert (await browser.get("/", headers={"host": "rebound.example"})).status_code == 421
