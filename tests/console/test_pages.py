"""The console's pages in a real browser: hostile texts are only shown, everybody can use them, and they are quick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from tests.console.browser import chromium, needs_chromium, shoot
from tests.console.kit import Site, monday, site
from tests.console.season import STORIES, Season

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
expect.set_options(timeout=15_000)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, needs_chromium]

HOSTILE = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "\"><svg onload=window.pwned=1>",
    "' autofocus onfocus=window.pwned=1 x='",
    "</textarea><script>window.pwned=1</script>",
    "</title><script>window.pwned=1</script>",
    "javascript:window.pwned=1",
    "<a href='javascript:window.pwned=1'>click</a>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "<form action=//evil.example><button>x</button></form>",
    "<div hx-get='/playground/state' hx-trigger='load'>x</div>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "{{7*7}}{% for x in range(9) %}x{% endfor %}",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.pwned=1>",
    "\u202e<b onmouseover=window.pwned=1>\u202d",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "<style>body{display:none}</style>",
)
PAGES = ("/", "/conversations", "/templates", "/templates/en.acknowledge.public.a", "/playground")


async def hostile(here: Site) -> None:
    """Every text as a complaint, a name, an agent's words, a draft's source and a page's address."""
    await here.json("clock", to=monday())
    for n, text in enumerate(HOSTILE):
        words = f"my parcel never arrived {text} three weeks and nobody answers"
        await here.json("posts", customer=f"h{n}", name=text[:60], text=words, id=f"h{n}", surface="direct")
    await here.json("clock", minutes=10)
    for n, text in enumerate(HOSTILE[:4]):
        case = await here.case(f"h{n}")
        await here.json("acts", act="claim", case=case["key"], id=f"claim{n}")
        await here.json("acts", act="reply", case=case["key"], id=f"reply{n}", text=f"I look into it. {text}", anyway=True)
        await here.json("acts", act="set_reference", case=case["key"], id=f"reference{n}", reference=text[:80])
    await here.json("clock", minutes=2)
    source = (await here.app.wordings.entry("en.acknowledge.public.a")).source
    for text in (text for text in HOSTILE if "{%" not in text):
        draft = f"{source}\n{text}"
        await here.client.post("/templates/en.acknowledge.public.a/drafts", data={"source": draft})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_hostile_texts_run_nothing_and_leave_for_nowhere(browser: Browser, tmp_path: Path) -> None:
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(site(tmp_path)) as here:
        portal.call(hostile, here)
        keys = [case["key"] for case in portal.call(here.state)["conversations"]]
        page = browser.new_page()
        page.set_default_timeout(15_000)
        outside: list[str] = []
        page.on("request", lambda request: None if request.url.startswith(here.url) else outside.append(request.url))
        page.on("dialog", lambda dialog: outside.append(dialog.message))
        searches = [f"/conversations?{httpx.QueryParams(q=text, topic=text, owner=text)}" for text in HOSTILE[:3]]
        for path in (*PAGES, *(f"/conversations/{key}" for key in keys), *searches):
            answer = page.goto(f"{here.url}{path}")
            assert answer is not None
            assert answer.status == 200, path
            assert page.evaluate("window.pwned") is None, path
            assert page.locator("#live script, #live iframe, #live [onerror], #live base").count() == 0, path
        for text in HOSTILE[::2]:
            page.goto(f"{here.url}/templates/en.acknowledge.public.a")
            page.fill("#source", f"{text}\nWe're sorry about {{{{ topic_thing }}}}.")
            page.dispatch_event("#source", "input")
            page.locator("#look .diff").wait_for()
            assert page.evaluate("window.pwned") is None, text
        assert outside == []


async def shown(here: Site) -> str:
    """Something on every page; the key of a conversation."""
    season = Season(here)
    await season.day(0, 3)
    for name, text in STORIES[:2]:
        await season.complains(name, text)
    await here.json("clock", minutes=10)
    source = (await here.app.wordings.entry("en.acknowledge.public.a")).source
    await here.client.post("/templates/en.acknowledge.public.a/drafts", data={"source": source + "\nWe read it all."})
    return str((await here.state())["conversations"][-1]["key"])


def test_everybody_can_use_every_page(browser: Browser, tmp_path: Path) -> None:
    """axe finds no fault that is serious or worse, in light and dark; nothing is wider than a phone."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(site(tmp_path)) as here:
        key = portal.call(shown, here)
        paths = {
            "overview": "/",
            "conversations": "/conversations",
            "conversation": f"/conversations/{key}",
            "templates": "/templates",
            "editor": "/templates/en.acknowledge.public.a",
            "missing": "/conversations/none",
        }
        looks = {
            "light": {"viewport": {"width": 1440, "height": 900}},
            "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
            "phone": {"viewport": {"width": 390, "height": 844}},
        }
        faults: list[tuple[str, ...]] = []
        for look, options in looks.items():
            page = browser.new_page(reduced_motion="reduce", **options)  # type: ignore[arg-type]
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            for name, path in paths.items():
                page.goto(f"{here.url}{path}")
                page.evaluate("document.querySelectorAll('details').forEach((menu) => { menu.open = true; })")
                faults += [
                    (name, look, fault["id"], str(node["target"]))
                    for fault in (axe.run(page).response["violations"] if look != "phone" else ())  # its colours are light's
                    if fault["impact"] in ("serious", "critical")
                    for node in fault["nodes"]
                ]
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    faults.append((name, look, "wider than the screen"))
                shoot(page, f"{name}-{look}", full=True)
            assert errors == []
            page.close()
        assert faults == []


def test_the_pages_work_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(site(tmp_path)) as here:
        portal.call(shown, here)
        page = browser.new_page()
        page.goto(here.url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.goto(f"{here.url}/conversations")
        page.keyboard.press("/")
        page.keyboard.type("parcel")
        page.keyboard.press("Enter")
        page.wait_for_url("**/conversations?q=parcel**")
        page.focus(".cases .who a")
        page.keyboard.press("Enter")
        expect(page.locator("#said-title")).to_be_visible()


def test_a_page_follows_what_happens_and_waits_for_whoever_types(browser: Browser, tmp_path: Path) -> None:
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(site(tmp_path)) as here:
        portal.call(shown, here)
        page = browser.new_page()
        page.goto(f"{here.url}/conversations")
        rows = page.locator(".cases tbody tr")
        expect(rows).to_have_count(5)
        portal.call(lambda: here.json("posts", customer="new", text=STORIES[0][1], id="new1", surface="direct"))
        expect(rows).to_have_count(6)
        page.fill("input[type=search]", "half a wor")
        portal.call(lambda: here.json("posts", customer="newer", text=STORIES[1][1], id="new2", surface="direct"))
        page.wait_for_timeout(2600)
        assert page.input_value("input[type=search]") == "half a wor"
        expect(rows).to_have_count(6)
