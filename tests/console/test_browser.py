"""The two conversations every newcomer should be able to have, driven by clicking, as a newcomer would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from tests.console.browser import chromium, needs_chromium, shoot
from tests.console.kit import Program, monday, site

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
expect.set_options(timeout=15_000)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.browser, needs_chromium]
STATE = "#case .pill.state"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The address of a playground of its own, on a Monday morning."""
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(site(tmp_path)) as here:
        httpx.post(f"{here.url}/playground/clock", json={"to": monday()}, timeout=30).raise_for_status()
        yield here.url


class Clicking:
    """Somebody at the page. Every step waits for what it leads to, as a person would."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{url}/playground")
        self.alive()

    def state(self, name: str) -> None:
        """The case has come to this state."""
        expect(self.page.locator(STATE)).to_have_text(name)

        self.alive()

    def alive(self) -> None:
        """What has just appeared listens: a person is never fast enough to notice, a test is."""
        expect(self.page.locator("form:not([data-htmx-powered])")).to_have_count(0)

    def says(self, text: str) -> None:
        """The customer sends a message."""
        self.page.fill("#composer-text", text)
        self.page.press("#composer-text", "Enter")
        self.page.locator(".post.mine .text", has_text=text).first.wait_for()

    def picks(self, chip: str) -> None:
        """The customer sends ready-made words."""
        self.page.click(f".chip:has-text({chip!r})")
        self.page.locator(".post.mine .text", has_text=chip).first.wait_for()

    def jumps(self, to: str) -> None:
        """Follow the hint at the top: the clock goes on."""
        self.page.click(f"#jump-button:has-text({to!r})")

    def act(self, name: str) -> None:
        """Open the form of an act."""
        if not self.page.locator(f"#to-{name}").is_visible():
            self.page.click("#more")
        self.page.click(f"#to-{name}")
        self.page.wait_for_selector(f"#act-{name}")
        self.alive()

    def send(self, act: str, button: str = "button.primary") -> None:
        """Send the form of an act."""
        self.page.click(f"#act-{act} {button}")

    def heard(self, text: str) -> None:
        """The customer sees words of ours."""
        self.page.locator(".post.theirs .text", has_text=text).first.wait_for()
        self.alive()


def to_agent(person: Clicking) -> None:
    """A complaint, from the first post to an agent who has taken it."""
    page = person.page
    page.click("#example-parcel button")
    person.state("Listening")
    person.jumps("quiet time ends")
    person.heard("automated assistant")
    page.click("#tab-direct")
    page.wait_for_selector("#tab-direct[aria-current]")
    person.says("order 4471-22. it was a birthday present. for my daughter. the birthday was saturday.")
    person.jumps("quiet time ends")
    person.state("Reflecting")
    shoot(page, "laptop-reflecting")
    person.picks("yes, exactly")
    person.state("Waiting for an agent")
    person.jumps("Handed over")
    page.click("#act-claim button")
    person.state("With an agent")


def plan_to_promises(person: Clicking) -> None:
    """A plan, agreed, and kept."""
    page = person.page
    person.act("propose_plan")
    page.fill("#step1", "send it again by courier")
    page.fill("#step2", "refund you if it is not there by Friday")
    page.locator(".finding.fine").wait_for()
    shoot(page, "laptop-plan")
    person.send("propose_plan")
    person.state("Plan proposed")
    person.heard("send it again by courier")
    person.picks("ok that works")
    person.state("Keeping promises")
    person.jumps("Plan confirmed")
    page.locator("form[id^=tick]").first.locator("button").click()
    page.locator("form[id^=tick]").nth(1).wait_for(state="detached")
    page.locator("form[id^=tick]").first.locator("button").click()
    page.locator("form[id^=tick]").first.wait_for(state="detached")


def resolve(person: Clicking, done: str) -> None:
    """Resolved, and days later checked back."""
    person.act("resolve")
    person.page.fill("#done-text", done)
    person.send("resolve")
    person.state("Resolved")
    person.heard(done)
    person.jumps("check-back")
    person.state("Checking back")


def test_a_complaint_goes_all_the_way_to_satisfied(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    person = Clicking(page, url)
    shoot(page, "laptop-start")
    to_agent(person)
    person.act("reply")
    page.fill("#reply-text", "You should have read our terms. Please calm down.")
    page.locator(".finding.warning").first.wait_for()
    shoot(page, "laptop-guard")
    page.fill("#reply-text", "I have found your parcel in our depot. You hear from me today by 18:00.")
    page.locator(".finding.fine").wait_for()
    person.send("reply")
    person.heard("I have found your parcel")
    plan_to_promises(person)
    resolve(person, "your parcel was sent again by courier and has arrived")
    shoot(page, "laptop-checking-back")
    person.picks("yes, all good")
    person.state("Closed: satisfied")
    person.jumps("Farewell")
    page.locator(".turn.waiting").wait_for(state="detached")
    shoot(page, "laptop-closed")
    page.emulate_media(color_scheme="dark")
    shoot(page, "laptop-closed-dark")
    assert person.errors == []
    page.close()


def test_an_unhappy_check_back_reopens_and_a_second_round_satisfies(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="dark")
    person = Clicking(page, url)
    to_agent(person)
    plan_to_promises(person)
    resolve(person, "your parcel was sent again by courier")
    person.picks("no. still not fixed.")
    person.state("With an agent")
    page.locator("#case", has_text="Not happy yet").wait_for()
    page.locator(".facts", has_text="Round").wait_for()
    shoot(page, "laptop-second-round-dark")
    person.jumps("Reopened")
    resolve(person, "your money is on its way back to you")
    person.picks("yes, all good")
    person.state("Closed: satisfied")
    assert page.locator(".facts").inner_text().count("happy") >= 2
    assert person.errors == []
    page.close()


def test_the_whole_of_it_fits_a_phone(browser: Browser, url: str) -> None:
    for scheme in ("light", "dark"):
        page = browser.new_page(
            viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True, reduced_motion="reduce"
        )  # type: ignore[arg-type]
        person = Clicking(page, url)
        if scheme == "light":
            shoot(page, "phone-start")
            page.click("#example-smoke button")
            page.click("#pane-desk")
            person.state("Waiting for an agent")
            page.click("#pane-phone")
            page.click("#jump-button")
            person.heard("automated assistant")
            crowd(url, 12)
        for pane in ("phone", "desk", "why"):
            page.click(f"#pane-{pane}")
            page.wait_for_selector(f".{pane}-pane:visible")
            if pane == "phone":
                within(page, ".send")
                within(page, "#more-people summary")
            shoot(page, f"phone-{pane}-{scheme}", full=True)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), pane
        assert person.errors == []
        page.close()


def crowd(url: str, count: int) -> None:
    """Further customers, each with a case."""
    for n in range(count):
        body = {
            "customer": f"other-{n}",
            "name": f"Other {n}",
            "text": "my order never came, three weeks!",
            "id": f"o{n}",
        }
        httpx.post(f"{url}/playground/posts", json=body, timeout=30).raise_for_status()


def within(page: Page, selector: str) -> None:
    """It is wholly on the screen, and nothing lies over it."""
    box = page.locator(selector).bounding_box()
    size = page.viewport_size
    assert box is not None and size is not None, selector
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"], (selector, box)
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"], (selector, box)
    page.locator(selector).click(trial=True)


def test_a_crowd_fits_a_laptop_and_menus_close(browser: Browser, url: str) -> None:
    crowd(url, 9)
    page = browser.new_page(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    person = Clicking(page, url)
    page.goto(f"{url}/playground?customer=other-0")
    within(page, ".queue [aria-current]")  # the last of the list: it has scrolled there
    menu = page.locator("#more-acts[open]")
    page.click("#act-claim button")
    person.state("With an agent")
    for act in ("reply", "propose_plan", "snooze", "transfer"):
        person.act(act)
        expect(menu).to_have_count(0)
        expect(page.locator(".act-tabs > a:visible")).to_have_count(5 if act == "snooze" else 4)
        within(page, f"#act-{act} button.primary")
    for leave in (
        lambda: page.keyboard.press("Escape"),
        lambda: page.click("#desk-title"),
        lambda: page.click("#to-reply"),
    ):
        page.click("#more")
        expect(menu).to_have_count(1)
        leave()
        expect(menu).to_have_count(0)
    page.wait_for_selector("#act-reply")
    page.fill("#reply-text", "You should have read our terms. Please calm down.")
    page.locator(".finding.warning").first.wait_for()
    person.send("reply")
    page.locator("#act-reply [name=anyway]").nth(0).wait_for()
    within(page, "#act-reply button[name=anyway]")
    within(page, ".finding >> nth=0")
    crowd(url, 10)  # news: what was typed, and what is wrong with it, stays
    expect(page.locator("#shelf-cases")).to_have_text("Cases 10")
    assert page.input_value("#reply-text").startswith("You should")
    assert page.locator("#text-trouble").count() == 1
    assert page.evaluate("document.querySelector('.desk-pane').scrollTop") == 0
    assert person.errors == []
    page.close()


def test_what_is_typed_stays_while_the_page_changes(browser: Browser, url: str) -> None:
    page = browser.new_page()
    person = Clicking(page, url)
    page.click("#example-hold button")
    person.state("Listening")
    page.fill("#composer-text", "half a sentence")
    person.act("reply")
    page.type("#reply-text", "I am on it")
    before = page.locator(".case-line").count()
    for n in range(3):
        body = {"customer": f"other-{n}", "text": "my order never came, three weeks!", "id": f"o{n}"}
        httpx.post(f"{url}/playground/posts", json=body, timeout=30).raise_for_status()
    expect(page.locator(".case-line")).to_have_count(before + 3)
    assert page.input_value("#composer-text") == "half a sentence"
    assert page.input_value("#reply-text") == "I am on it"
    assert page.evaluate("document.activeElement.id") == "reply-text"
    page.click("#to-claim")
    page.click("#act-claim button")
    person.state("With an agent")
    person.act("propose_plan")
    page.fill("#due1", monday(9, 12)[:16])
    page.focus("#composer-text")
    day = page.locator("#now").get_attribute("data-now")
    httpx.post(f"{url}/playground/clock", json={"minutes": 1440}, timeout=30).raise_for_status()
    expect(page.locator("#now")).not_to_have_attribute("data-now", day or "")
    assert page.input_value("#due1") == monday(9, 12)[:16]
    assert person.errors == []
    page.close()


def test_what_is_typed_does_not_follow_to_somebody_else(browser: Browser, url: str) -> None:
    page = browser.new_page()
    person = Clicking(page, url)
    for name in ("hold", "parcel"):
        page.click("#person-tom" if name == "hold" else "#person-mara")
        page.click(f"#example-{name} button")
        person.state("Listening")
    person.act("reply")
    page.fill("#reply-text", "words for mara only")
    page.fill("#composer-text", "mara's own words")
    page.click("#person-tom")
    page.wait_for_selector("#person-tom[aria-current]")
    assert page.input_value("#composer-text") == ""
    person.act("reply")
    assert page.input_value("#reply-text") == ""
    page.fill("#reply-text", "I am on it, and write again today by 16:00.")
    person.send("reply")
    person.heard("I am on it")
    person.says("thanks, finally")
    page.click("#agent-ben")
    page.wait_for_selector("#agent-ben[aria-current]")
    said = {case["customer"]: [turn["text"] for turn in case["turns"]] for case in cases_at(url)}
    assert said["tom"][1:] == ["I am on it, and write again today by 16:00.", "thanks, finally"]
    assert len(said["mara"]) == 1
    assert person.errors == []
    page.close()


def cases_at(url: str) -> list[dict[str, Any]]:
    """The conversations, through the JSON door."""
    found: list[dict[str, Any]] = httpx.get(f"{url}/playground/state", timeout=30).json()["conversations"]
    return found


def test_a_double_click_posts_once(browser: Browser, url: str) -> None:
    page = browser.new_page()
    person = Clicking(page, url)
    page.dblclick("#example-hold button")
    person.state("Listening")
    page.fill("#composer-text", "and nobody called back")
    page.dblclick(".send")
    page.locator(".post.mine .text", has_text="and nobody called back").first.wait_for()
    expect(page.locator(".htmx-request")).to_have_count(0)
    state = httpx.get(f"{url}/playground/state", timeout=30).json()
    assert [len(case["turns"]) for case in state["conversations"]] == [2]
    page.route("**/playground/posts*", lambda route: route.fulfill(status=500, body="broken"))
    page.fill("#composer-text", "typed while it was broken")
    page.press("#composer-text", "Enter")
    page.locator("#offline").wait_for(state="visible")
    page.unroute("**/playground/posts*")
    assert page.input_value("#composer-text") == "typed while it was broken"  # the page is still there
    page.press("#composer-text", "Enter")
    page.locator("#offline").wait_for(state="hidden")
    expect(page.locator(".post.mine")).to_have_count(3)
    page.close()


def test_a_quick_second_click_does_not_undo_the_first(browser: Browser, url: str) -> None:
    page = browser.new_page()
    person = Clicking(page, url)
    page.click("#example-hold button")
    person.state("Listening")
    held: list[Route] = []
    fast = False
    page.route("**/playground/posts*", lambda request: request.continue_() if fast else held.append(request))
    page.evaluate("for (const n of [1, 2]) document.querySelector(`#chip-${n} button`).click()")
    page.locator("#chip-1.htmx-request").wait_for()
    fast = True
    for request in held:
        request.continue_()
    expect(page.locator(".post.mine")).to_have_count(3)
    assert person.errors == []
    page.close()


def test_it_can_be_used_by_keyboard_alone(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    person = Clicking(page, url)

    def tab_to(selector: str, presses: int = 60) -> None:
        for _ in range(presses):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to("#example-hold button")
    page.keyboard.press("Enter")
    person.state("Listening")
    page.keyboard.press("Tab")
    page.evaluate("document.querySelector('.skip').focus()")
    tab_to("#jump-button")
    page.keyboard.press("Enter")
    person.heard("automated assistant")
    page.evaluate("document.querySelector('.skip').focus()")
    page.keyboard.press("Enter")
    tab_to("#to-claim")
    tab_to("#act-claim button")
    page.keyboard.press("Enter")
    person.state("With an agent")
    assert person.errors == []
    page.close()


def test_the_page_says_when_the_program_is_gone_and_goes_on_when_it_is_back(browser: Browser, tmp_path: Path) -> None:
    program = Program(tmp_path)
    url = program.start()
    page = browser.new_page()
    Clicking(page, url)
    page.fill("#composer-text", "nobody answers my letters, this is the third week")
    program.kill()
    page.locator("#offline").wait_for(state="visible")
    page.press("#composer-text", "Enter")
    assert "nobody answers" in page.input_value("#composer-text")
    program.start(url.rpartition(":")[2])
    page.locator("#offline").wait_for(state="hidden", timeout=30_000)
    page.press("#composer-text", "Enter")
    page.locator(".post.mine .text", has_text="nobody answers").first.wait_for()
    page.close()
    program.stop()


CORPUS = (
    "<script>window.hurt=1</script>",
    "<img src=x onerror=window.hurt=1>",
    "<svg/onload=window.hurt=1>",
    '"><script>window.hurt=1</script>',
    "'\"><img src=x onerror=window.hurt=1>",
    "javascript:window.hurt=1",
    "<a href='javascript:window.hurt=1' id=bait>click</a>",
    "</textarea><script>window.hurt=1</script>",
    "<iframe srcdoc='<script>parent.hurt=1</script>'></iframe>",
    "<style>@import 'javascript:window.hurt=1'</style>",
    "{{ 7*7 }}{% for x in 'a' %}{{ x }}{% endfor %}",
    "<template hx type=partial hx-target='#live'>gone</template>",
    "<div hx-get='/playground/state' hx-trigger='load' hx-target='#live'>x</div>",
    "<button hx-on:click='window.hurt=1' autofocus onfocus=window.hurt=1>x</button>",
    "\u202e<script>window.hurt=1</script>",
    "<math><mtext></p><script>window.hurt=1</script>",
)


def test_hostile_texts_are_only_shown(browser: Browser, url: str) -> None:
    page = browser.new_page()
    person = Clicking(page, url)
    door = f"{url}/playground"
    for n, text in enumerate(CORPUS):
        words = f"my parcel never came, three weeks! {text}"
        body = {"customer": f"c{n}", "name": text[:60], "text": words, "id": f"p{n}"}
        httpx.post(f"{door}/posts", json=body, timeout=30).raise_for_status()
    httpx.post(f"{door}/clock", json={"minutes": 6}, timeout=30).raise_for_status()
    for aside in httpx.get(f"{door}/state", timeout=30).json()["asides"]:  # shown there first, then opened
        page.goto(f"{door}?customer={aside['customer']}")
        page.locator(".asides li", has_text="my parcel never came").first.wait_for(state="attached")
        httpx.post(f"{door}/asides", json={"sequence": aside["sequence"]}, timeout=30).raise_for_status()
    httpx.post(f"{door}/clock", json={"minutes": 6}, timeout=30).raise_for_status()
    keys = {case["customer"]: case["key"] for case in httpx.get(f"{door}/state", timeout=30).json()["conversations"]}
    for n, text in enumerate(CORPUS):
        key = keys[f"c{n}"]
        for act in ("set_reference", "dismiss") if n % 2 else ("set_reference", "reply"):
            body = {
                "act": act,
                "case": key,
                "id": f"{act}{n}",
                "reference": text[:80],
                "why": text,
                "text": text,
                "anyway": True,
            }
            assert httpx.post(f"{door}/acts", json=body, timeout=30).status_code == 200
        hostile = httpx.QueryParams(
            {"customer": text, "name": text, "tab": text, "act": text, "agent": text, "pane": text, "edit": text}
        )
        page.goto(f"{door}?{hostile}")
        page.goto(f"{door}?{httpx.QueryParams({'case': key})}")
        page.locator(".thread .text", has_text=text.split("\u202e")[-1][:20]).first.wait_for()
    page.fill("#composer-text", "<img src=x onerror=window.hurt=1>")
    page.press("#composer-text", "Enter")
    page.locator(".post.mine .text", has_text="onerror").last.wait_for()
    assert page.evaluate("window.hurt") is None
    assert "49" not in page.locator(".thread").inner_text()
    assert [error for error in person.errors if "Content Security Policy" in error] == []
    page.close()
