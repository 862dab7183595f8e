"""What the playground's page says at each turn: what is next, whose words they are, and in any script."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from bot.console.cast import CUSTOMERS, EXAMPLES, REPLIES, invented
from bot.console.sayings import SAYINGS
from bot.console.texts import REASONS, direction, isolated, percent, reason
from tests.console.kit import Site, monday, site
from tests.console.test_acts import STORY, acted, forward, with_agent

pytestmark = pytest.mark.anyio

ARABIC = "طلبت هاتفًا قبل ثلاثة أسابيع ولم يصل حتى الآن، خدمة سيئة"
HTMX = {"HX-Request": "true"}


async def shown(here: Site, **spot: str) -> str:
    """The page at a spot, as text."""
    return unescape((await here.client.get("/playground", params=spot)).text)


async def hinted(here: Site, **spot: str) -> str:
    """The banner's sentence, without marks of direction."""
    found = re.search(r'id="hint">(.*?)</p>', await shown(here, **spot), re.S)
    assert found is not None
    return re.sub("[\u2068\u2069]", "", found[1])


async def agreed(here: Site, **fields: Any) -> None:
    """A plan that was agreed, with a promise for Tuesday."""
    steps = {"step1": "send it again by courier", "due1": monday(1, 17)}
    assert await acted(here, "propose_plan", **steps | fields) == "AWAITING_AGREEMENT"
    assert await acted(here, "record_agreement", where="on the telephone", words="yes do that") == "FULFILLING"


async def test_what_was_set_aside_is_said_with_the_way_on(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("posts", customer="tom", text="@brand loving the new app icon 😍", id="p1")
        page = await shown(here, customer="tom")
        assert "was set aside as no complaint" in await hinted(here, customer="tom")
        assert page.count("Open a case: the bot will write") == 2  # in the banner and in the list
        assert "against it: praise" in page and "− " not in page
        assert "was set aside" not in await hinted(here, customer="mara")


async def test_one_deadline_and_what_it_is(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("posts", customer="mara", text=STORY, id="p1", surface="direct")
        page = await shown(here, customer="mara")
        assert "first reply promised" in page and "promised by" in page
        assert "1 h 30 min" not in page.partition('id="why"')[0]
        await here.json("posts", customer="aisha", text=EXAMPLES[2].text.format(brand="brand"), id="p2")
        await forward(here, minutes=0)
        assert "a person is needed now" in await shown(here, customer="aisha")


async def test_the_banner_names_the_promise_and_says_when_it_is_overdue(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        await agreed(here)
        assert "Next promise: “send it again by courier”, due in 1 day" in await hinted(here, customer="mara")
        await forward(here, to=monday(1, 18))
        assert "A promise is overdue: “send it again by courier” was due 1 h ago" in await hinted(here, customer="mara")
        assert await acted(here, "keep_promise", promise="1.1") == "FULFILLING"
        assert "Every promise is kept" in await hinted(here, customer="mara")


async def test_drafted_words_are_sent_once_and_then_no_more_offered(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        await agreed(here)
        await forward(here, to=monday(1, 18))
        ids = re.findall(r'name="form_id" value="(draft-\w+)"', await shown(here, customer="mara"))
        assert len(ids) == 1
        assert ids == re.findall(r'name="form_id" value="(draft-\w+)"', await shown(here, customer="mara"))
        case = (await here.case())["key"]
        body = {"act": "reply", "case": case, "text": "It is late, and I am on it.", "form_id": ids[0], "anyway": "1"}
        for _ in range(2):
            assert (await here.client.post("/playground/acts", data=body)).status_code == 303
        await forward(here, minutes=1)
        assert [turn["text"] for turn in (await here.case())["turns"]].count(body["text"]) == 1
        assert "Send the drafted words" not in await shown(here, customer="mara")
        assert "Mara Lindt has heard of it: tick it" in await hinted(here, customer="mara")


async def test_snoozed_and_muted_are_seen(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        assert await acted(here, "snooze", until=monday(0, 16)) == "WITH_AGENT"
        assert "The case is snoozed" in await hinted(here, customer="mara")
        assert "Snoozed until" in await shown(here, customer="mara")
        await forward(here, to=monday(0, 17))
        assert "You have the case" in await hinted(here, customer="mara")
        assert "Noor has the case" in await hinted(here, customer="mara", agent="ben")
        assert await acted(here, "mute_bot") == "WITH_AGENT"
        assert "The bot is muted" in await hinted(here, customer="mara")
        assert "Bot muted" in await shown(here, customer="mara")


async def test_an_unclear_yes_is_recorded_with_the_customers_words(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        await acted(here, "propose_plan", step1="send it again by courier", due1=monday(1, 17))
        await here.json("posts", customer="mara", text="hmm, I suppose so, go ahead then", id="p2", surface="direct")
        await forward(here, minutes=0)
        assert "Record an agreement" in await hinted(here, customer="mara")
        page = await shown(here, customer="mara", act="record_agreement")
        assert 'value="hmm, I suppose so, go ahead then"' in page and 'value="in this conversation"' in page


@pytest.mark.parametrize(
    ("by", "before", "after"),
    [
        ("hand", "you ask Mara Lindt when it is time", "Ask Mara Lindt now whether it helped"),
        ("nobody", "Nobody asks whether it helped: the case closes by itself", "Closed: no answer"),
        ("bot", "the bot asks Mara Lindt whether it helped", "was asked whether they are happy"),
    ],
)
async def test_who_checks_back(tmp_path: Path, by: str, before: str, after: str) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        assert await acted(here, "resolve", done_text="it has arrived", check_back=by, check_back_days=2) == "RESOLVED"
        assert before in await hinted(here, customer="mara")
        await forward(here, timer="check_back", case=(await here.case())["key"])
        assert after in await hinted(here, customer="mara")


async def test_a_make_good_is_part_of_the_plan_that_is_agreed_to(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        await agreed(here, remedy="a full refund", remedy_due=monday(2, 12))
        case = await here.case()
        assert [promise["text"] for promise in case["promises"]] == ["send it again by courier", "a full refund"]


async def test_what_was_understood_are_the_latest_words(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("posts", customer="mara", text=STORY, id="p1", surface="direct")
        await forward(here, minutes=10)
        case = await here.case()
        ours = next(turn["text"] for turn in case["turns"] if turn["author"] == "bot")
        understood = (await shown(here, customer="mara")).partition('id="understood"')[2].partition("</div>")[0]
        assert "three weeks for a parcel" in understood and ours[:30] not in understood


async def test_a_name_in_another_script_stays(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        answer = await here.client.post("/playground/customers", data={"name": "يوسف حداد"})
        page = unescape((await here.client.get(answer.headers["location"])).text)
        again = re.search(r'data-url="([^"]+)"', page)
        assert again is not None
        page = unescape((await here.client.get(unescape(again[1]))).text)  # as the page asks for itself again
        assert page.count("يوسف حداد") >= 3 and "D98Ad9" not in page
        body = dict(
            re.findall(r'name="(customer|name|surface|form_id)" value="([^"]*)"', page.partition('id="composer"')[2])
        )
        await here.client.post("/playground/posts", data=body | {"text": f"@brand {ARABIC}"})
        await forward(here, minutes=0)
        page = await shown(here, customer=body["customer"])
        assert "@يوسف_حداد" in page and 'dir="rtl"' in page and "Arabic" in page
        assert 'class="chip"' not in page


async def test_a_mistake_is_an_answer_to_htmx_and_an_error_to_others(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for headers, status in ((HTMX, 200), ({}, 422)):
            answer = await here.client.post("/playground/posts", data={"customer": "mara", "text": ""}, headers=headers)
            assert answer.status_code == status
            assert "write something" in answer.text and 'data-trouble="post"' in answer.text


def test_people_who_are_made_up() -> None:
    assert invented("Lucía  Pérez").id == "lucia-perez"
    assert invented("Mara") == CUSTOMERS[0]
    assert invented("山田 太郎").name == "山田 太郎"
    assert invented("山田 太郎").handle == "山田_太郎"
    assert re.fullmatch(r"[\w.:@-]{1,120}", invented("😀" * 60).id)
    assert invented("Jo 山").id != invented("Jo").id


def test_texts_run_their_own_way() -> None:
    assert direction(f"@brand {ARABIC}") == "rtl"
    assert direction("@brand https://x.test 12 hello") == direction("") == direction(None) == "ltr"
    assert isolated("Mara") == "Mara"
    assert isolated("حداد") == "\u2068حداد\u2069"


def test_reasons_and_shares_in_words() -> None:
    assert reason("− none complaint") == f"against it: {REASONS['none complaint']}"
    assert reason("+ waiting or lateness: “three weeks”") == "for it: waiting or lateness, “three weeks”"
    assert reason("does not mention us") == "does not mention us"
    assert [percent(share) for share in (0.0, 0.034, 0.5, 0.999)] == ["under 1%", "3%", "50%", "over 99%"]


def test_every_language_has_something_to_say_in_every_state() -> None:
    assert all(set(table) == set(REPLIES) for table in SAYINGS.values())
