"""A new admin changes a sentence: sees how it looks, is stopped from a mistake, rehearses, publishes, and takes it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from tests.console.browser import chromium, needs_chromium, shoot
from tests.console.kit import monday, site

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
expect.set_options(timeout=15_000)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, needs_chromium]
WRONG = "Sie haben etwas falsch gemacht, aber es tut uns leid."
STORY = "@ourbrand seit drei Wochen warte ich auf mein Paket und niemand antwortet mir. Unglaublich."
NAME = "de.acknowledge.public.a"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def past(folder: Path, count: int = 12) -> Path:
    """A file of recorded threads."""
    lines = []
    for n in range(count):
        turn = {"id": str(n), "author": f"c{n}", "role": "customer", "t": f"2026-03-02T10:{n:02}:00Z", "parent": None}
        lines.append(json.dumps({"root": str(n), "customer": f"c{n}", "brand": "b", "turns": [turn | {"text": STORY}]}))
    path = folder / "last-month.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_a_new_admin_changes_a_sentence_and_takes_it_back(browser: Browser, tmp_path: Path) -> None:
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(site(tmp_path / "data")) as here,
    ):
        portal.call(lambda: here.json("clock", to=monday()))
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.set_default_timeout(20_000)
        page.on("dialog", lambda dialog: dialog.accept())

        # find the German acknowledgement
        page.goto(here.url)
        page.get_by_role("link", name="Templates").click()
        page.get_by_role("link", name="German").click()
        page.locator(f"a[href='/templates/{NAME}']").click()
        source = page.locator("#source")
        default = source.input_value()
        kept = "\n\n".join(part for n, part in enumerate(default.split("\n\n")) if n)  # only our own first sentence is left

        # a mistake is seen at once, with its line and how the post would look
        source.fill(f"{WRONG}\n\n{kept}")
        expect(page.locator("#look .finding.refused").first).to_be_visible()
        expect(page.locator(".screen-look.x_post .text")).to_contain_text(WRONG)
        expect(page.locator(".screen-look.x_post footer")).to_contain_text("of 280")
        shoot(page, "editor-finding")
        page.get_by_role("button", name="Save and publish").click()
        expect(page.get_by_role("alert").first).to_contain_text("cannot be published")
        assert page.locator("#source").input_value().startswith(WRONG)

        # put right: nothing to object to
        page.locator("#source").fill(f"{NEW_SENTENCES}\n\n{kept}")
        expect(page.locator("#look .finding.fine")).to_be_visible()
        expect(page.locator("#look .diff .added").first).to_be_visible()
        first = page.locator(".screen-look.x_post .text").inner_text()
        page.get_by_role("button", name="Another phrasing").click()
        expect(page.locator(".screen-look.x_post .text")).not_to_have_text(first)

        # rehearsed on a file, old and new side by side
        page.set_input_files("#rehearse-file", past(tmp_path))
        expect(page.locator("#rehearsal-title")).to_have_text("Rehearsed on 12 conversations")
        expect(page.locator("#rehearsal .pair").first).to_contain_text("on Herzen")
        shoot(page, "editor-rehearsed", full=True)

        # kept, then published
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_role("status").first).to_contain_text("The draft is kept")
        page.get_by_role("button", name="Publish draft 2").click()
        expect(page.get_by_role("status").first).to_contain_text("Published")
        shoot(page, "editor-published", full=True)

        # the playground says it
        page.get_by_role("link", name="Playground").click()
        page.fill("#composer-text", STORY)
        page.press("#composer-text", "Enter")
        page.locator(".post.mine .text", has_text="seit drei Wochen").first.wait_for()
        page.click("#jump-button")
        expect(page.locator(".post.theirs .text").first).to_contain_text("on Herzen")

        # and why is on the conversation's page
        page.get_by_role("link", name="Conversations").click()
        page.locator(".cases .who a").first.click()
        page.locator(".because summary").first.click()
        expect(page.locator(".because").first).to_contain_text(f"{NAME}, version 2")

        # taken back: what comes with Hearout is in force again
        page.locator(".because a").first.click()
        page.get_by_role("button", name="Roll back", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("Rolled back")
        expect(page.locator("#source")).to_have_value(default)
        assert not portal.call(here.app.wordings.entry, NAME).published


NEW_SENTENCES = """\
Von Herzen: Das tut uns leid.
Ihren Ärger lesen wir von Herzen, und er tut uns leid.
Von Herzen: Was Sie hier schreiben, tut uns leid.
Es tut uns leid, von Herzen, dass Sie uns so schreiben müssen.
Wie es Ihnen mit uns geht, tut uns leid. Das sagen wir von Herzen.
So viel Frust, das tut uns leid, und zwar von Herzen."""
"""Six ways to say it, so that no public post reads like a form letter."""
