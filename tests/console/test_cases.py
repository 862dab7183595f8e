"""Conversations in the console: search and filters, the page of one, masked data and its reveal, export, erasure."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.console.cases import Search
from tests.console.kit import Site, monday, site

pytestmark = pytest.mark.anyio
PRIVATE = "aisha.khan@example.org"
STORIES = {
    "aisha": f"you charged me twice for order 4471-22, write to {PRIVATE}, i want one of them back",
    "mara": "three weeks for a parcel, it hasn't moved since the 3rd and nobody answers",
    "rita": "your power bank started smoking next to my kid's bed tonight",
}


async def stories(here: Site) -> None:
    """Three customers with three stories."""
    await here.json("clock", to=monday())
    for n, (customer, text) in enumerate(STORIES.items()):
        await here.json("posts", customer=customer, text=text, id=f"p{n}", surface="direct")
    await here.json("clock", minutes=10)


async def found(here: Site, query: str) -> set[str]:
    """Who is found."""
    page = await here.client.get(f"/conversations?{query}")
    assert page.status_code == 200
    cases = {case["customer"]: case["key"] for case in (await here.state())["conversations"]}
    return {customer for customer, key in cases.items() if f"/conversations/{key.replace(':', '%3A')}" in page.text}


async def test_conversations_are_found_by_words_and_filters(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await stories(here)
        assert await found(here, "") == set(STORIES)
        assert await found(here, "q=charged") == {"aisha"}
        assert await found(here, "q=mara") == {"mara"}
        assert await found(here, "q=nothing+like+it") == set()
        assert await found(here, "risk=any") == {"rita"}
        assert await found(here, "risk=red&state=AWAITING_AGENT") == {"rita"}
        assert await found(here, "state=CLOSED") == set()
        assert "a person is needed now" in (await here.client.get("/")).text
        assert await found(here, "state=open") == set(STORIES)
        assert await found(here, "channel=x") == set()
        assert await found(here, "owner=-") == set(STORIES)
        assert await found(here, "owner=noor") == set()
        assert await found(here, "page=99999999&state=%00&risk=%3Cb%3E") == set(STORIES)
        key = (await here.case("rita"))["key"]
        await here.json("acts", act="claim", case=key, id="claim1")
        await here.json("clock", minutes=0)
        assert await found(here, "owner=noor") == {"rita"}


def test_an_address_says_no_more_than_what_was_asked() -> None:
    assert Search().url() == "/conversations"
    assert Search.of({"q": "a b", "page": "2"}).url() == "/conversations?q=a+b&page=2"
    assert Search.of({"q": "a", "page": "2"}).url(page=1) == "/conversations?q=a"


async def test_personal_data_is_masked_until_somebody_asks_and_that_is_written_down(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await stories(here)
        key = (await here.case("aisha"))["key"]
        for address in ("/", "/conversations", f"/conversations/{key}"):
            assert PRIVATE not in (await here.client.get(address)).text, address
        shown = await here.client.post(f"/conversations/{key}/reveal")
        assert PRIVATE in shown.text
        assert PRIVATE not in (await here.client.get(f"/conversations/{key}")).text
        (line,) = [line for line in await here.app.store.audits() if line["action"] == "reveal"]
        assert (line["actor"], line["subject"]) == ("playground:you", key)


async def test_the_page_says_what_happened_and_why(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await stories(here)
        page = (await here.client.get(f"/conversations/{(await here.case('mara'))['key']}")).text
        assert "en.acknowledge.direct" in page or "en.reflect.direct" in page
        for words in ("the customer had been quiet", "A complaint", "sent", "Which way it went", "after 2 min"):
            assert words in page, words
        assert (await here.client.get("/conversations/none")).status_code == 404


async def test_a_customer_is_exported_and_then_erased(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await stories(here)
        key = (await here.case("aisha"))["key"]
        export = await here.client.post(f"/conversations/{key}/export")
        assert export.headers["content-disposition"] == 'attachment; filename="customer-aisha.json"'
        assert PRIVATE in export.text
        wrong = await here.client.post(f"/conversations/{key}/erase", data={"handle": "somebody"})
        assert wrong.status_code == 422
        assert len((await here.state())["conversations"]) == 3
        gone = await here.client.post(f"/conversations/{key}/erase", data={"handle": "@Aisha"})
        assert gone.headers["location"] == "/conversations?said=erased"
        assert {case["customer"] for case in (await here.state())["conversations"]} == {"mara", "rita"}
        lines = [(line["action"], line["subject"]) for line in await here.app.store.audits()]
        assert ("erase", "1 conversations") in lines
        assert not any("aisha" in subject for _, subject in lines)
