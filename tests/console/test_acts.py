"""Customers and agents through the playground's JSON door: once each, in order, and with words where something is missing."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from bot.console.acting import ACTS as FORMS
from bot.desk.card import ACTS as OFFERED
from bot.desk.card import CaseAct
from tests.console.kit import Site, monday, site

pytestmark = pytest.mark.anyio

STORY = "three weeks for a parcel, it hasn't moved since the 3rd and nobody answers. i want my money back"


async def forward(here: Site, **to: Any) -> None:
    """Move the clock; everything on the way has happened when it returns."""
    answer = await here.json("clock", **to)
    assert answer.status_code == 200, answer.text


async def acted(here: Site, act: str, act_id: str | None = None, customer: str = "mara", **fields: Any) -> str:
    """An agent acts; the state that follows."""
    case = await here.case(customer)
    answer = await here.json("acts", act=act, case=case["key"], id=act_id or f"{act}-{case['version']}", **fields)
    assert answer.status_code == 200, answer.text
    await forward(here, minutes=0)
    return str((await here.case(customer))["state"])


async def with_agent(here: Site) -> None:
    """A case that Noor owns."""
    await forward(here, to=monday())
    await here.json("posts", customer="mara", text=STORY, id="p1", surface="direct")
    await forward(here, minutes=10)
    assert await acted(here, "claim") == "WITH_AGENT"


async def test_a_post_sent_again_is_one_post(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await asyncio.gather(*(here.json("posts", customer="mara", text=STORY, id="p1") for _ in range(5)))
        await forward(here, minutes=0)
        assert [turn["id"] for turn in (await here.case())["turns"]] == ["p1"]


async def test_an_act_sent_again_is_one_act(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        case = await here.case()
        words = "I have your parcel here and send it again today by 18:00."
        body = {"act": "reply", "case": case["key"], "id": "r1", "text": words}
        await asyncio.gather(*(here.json("acts", **body) for _ in range(5)))
        await forward(here, minutes=1)
        assert [turn["text"] for turn in (await here.case())["turns"]].count(words) == 1


@pytest.mark.parametrize(("surface", "said"), [("direct", "as the customer will read it"), ("public", "for the record")])
async def test_the_form_says_who_reads_what_was_done(surface: str, said: str, tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await forward(here, to=monday())
        await here.json("posts", customer="mara", text=STORY, id="p1", surface=surface)
        await forward(here, minutes=10)
        await acted(here, "claim")
        page = await here.client.get("/playground", params={"act": "resolve", "case": (await here.case())["key"]})
        (label,) = re.findall(r'<label for="done-text">(.*?)</label>', page.text)
        assert said in label


async def test_the_whole_way_to_satisfied(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        steps = [{"text": "send it again by courier", "due_at": monday(1, 17)}]
        assert await acted(here, "propose_plan", steps=steps, remedy="a full refund") == "AWAITING_AGREEMENT"
        assert await acted(here, "record_agreement", where="on the telephone", words="yes do that") == "FULFILLING"
        assert await acted(here, "keep_promise", promise="1.1") == "FULFILLING"
        assert await acted(here, "set_reference", reference="4471") == "FULFILLING"
        assert await acted(here, "resolve", done_text="your parcel has arrived", check_back_days=2) == "RESOLVED"
        await forward(here, timer="check_back", case=(await here.case())["key"])
        assert (await here.case())["state"] == "CHECKING_BACK"
        assert await acted(here, "record_answer", satisfied="yes", words="all good") == "CLOSED"
        assert (await here.case())["outcome"] == "satisfied"
        assert await acted(here, "reopen") == "WITH_AGENT"


async def test_the_other_acts(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        assert await acted(here, "transfer", to="agent:ben", note="yours") == "WITH_AGENT"
        assert (await here.case())["owner"] == "ben"
        assert await acted(here, "snooze", until=monday(0, 12)) == "WITH_AGENT"
        assert await acted(here, "mute_bot") == "WITH_AGENT"
        assert await acted(here, "release", agent="ben") == "AWAITING_AGENT"
        assert await acted(here, "answered_by_hand", text="I called them") == "WITH_AGENT"
        assert await acted(here, "label", complaint="no") == "CLOSED"
        assert (await here.case())["outcome"] == "dismissed"


async def test_what_was_set_aside_can_be_opened(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("posts", customer="tom", text="@brand loving the new app icon 😍", id="p1")
        (aside,) = (await here.state())["asides"]
        page = await here.client.get("/playground?customer=tom")
        assert "Open a case" in page.text
        assert (await here.json("asides", sequence=aside["sequence"])).json()["opened"]
        assert not (await here.json("asides", sequence=aside["sequence"])).json()["opened"]
        await forward(here, minutes=0)
        assert (await here.case("tom"))["state"] == "LISTENING"
        assert (await here.state())["asides"] == []


async def test_customers_edit_and_delete(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("posts", customer="mara", text=STORY, id="p1")
        await here.json("posts", customer="mara", text="and it was a present", id="p2")
        await here.json("edits", post="p2", text="and it was a birthday present", id="e1")
        await here.json("deletions", post="p1")
        await forward(here, minutes=0)
        first, second = (await here.case())["turns"]
        assert (first["text"], second["text"]) == (None, "and it was a birthday present")
        await here.json("deletions", post="p2")
        await forward(here, minutes=0)
        assert (await here.case())["outcome"] == "withdrawn"


async def test_the_guard_holds_an_agents_words_up_until_a_second_click(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        case = await here.case()
        body = {
            "act": "reply",
            "case": case["key"],
            "id": "r1",
            "text": "You should have read our terms, please calm down.",
        }
        refused = await here.json("acts", **body)
        assert refused.status_code == 422
        assert {finding["rule"] for finding in refused.json()["error"]["findings"]} >= {"blame"}
        looked = await here.client.post(
            "/playground/review", data={"case": case["key"], "text": body["text"], "agent": "noor"}
        )
        assert "puts the fault on the customer" in looked.text
        assert (await here.json("acts", **body, anyway=True)).status_code == 200


async def test_personal_data_never_goes_out_in_public(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        case = await here.case()
        words = "I wrote to mara@example.com today at 15:00."
        body = {"act": "reply", "case": case["key"], "id": "r1", "text": words, "surface": "public"}
        for anyway in (False, True):
            answer = await here.json("acts", **body, anyway=anyway)
            assert answer.status_code == 422
            assert "personal_data" in answer.text
        assert (await here.json("acts", **body | {"surface": "direct"})).status_code == 200


async def test_missing_fields_of_acts_are_named(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        case = (await here.case())["key"]
        for act, fields, field in (
            ("reply", {}, "text"),
            ("propose_plan", {}, "steps"),
            ("propose_plan", {"steps": [{"text": "call you"}]}, "step 1"),
            ("propose_plan", {"steps": [{"text": "call you", "due_at": "2001-01-01T10:00"}]}, "step 1"),
            ("propose_plan", {"step1": "call you", "due1": monday(1), "remedy": "the moon"}, "remedy"),
            ("record_agreement", {"where": "", "words": "yes"}, "where"),
            ("resolve", {}, "done_text"),
            ("resolve", {"done_text": "done", "check_back_days": 400}, "check_back_days"),
            ("snooze", {}, "until"),
            ("snooze", {"until": "2001-01-01T10:00"}, "until"),
            ("transfer", {}, "to"),
            ("transfer", {"to": "agent:nobody"}, "to"),
            ("transfer", {"to": "agent:noor"}, "to"),
            ("transfer", {"to": "queue:nowhere"}, "to"),
            ("dismiss", {}, "why"),
            ("record_answer", {"satisfied": "maybe"}, "satisfied"),
            ("keep_promise", {}, "promise"),
            ("split", {}, "posts"),
            ("split", {"posts": ["nowhere"]}, "posts"),
            ("merge", {"other": "nowhere"}, "other"),
        ):
            answer = await here.json("acts", act=act, case=case, id=f"{act}-1", **fields)
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, field), (act, fields)


async def test_a_case_is_split_and_merged_again(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        case = (await here.case())["key"]
        await here.json("posts", customer="mara", text="And you charged my card twice.", id="p2", surface="direct")
        await forward(here, minutes=1)
        page = await here.client.get("/playground", params={"case": case, "act": "split"})
        assert 'value="p2"' in page.text
        answer = await here.json("acts", act="split", case=case, id="s", posts=["p2"])
        assert answer.status_code == 200, answer.json()
        await forward(here, minutes=0)
        cases = {entry["key"]: entry for entry in (await here.state())["conversations"]}
        assert len(cases) == 2
        other = next(key for key in cases if key != case)
        assert [turn["id"] for turn in cases[other]["turns"] if turn["author"] == "customer"] == ["p2"]
        assert "Split off" in (await here.client.get("/playground", params={"case": case})).text
        page = await here.client.get("/playground", params={"case": other, "act": "merge"})
        assert f'value="{case}"' in page.text
        answer = await here.json("acts", act="merge", case=other, id="m", other=case)
        assert answer.json()["case"] == case
        await forward(here, minutes=0)
        cases = {entry["key"]: entry for entry in (await here.state())["conversations"]}
        assert cases[other]["outcome"] == "merged"
        assert [turn["id"] for turn in cases[case]["turns"] if turn["author"] == "customer"] == ["p1", "p2"]


async def test_every_act_that_is_offered_has_its_form(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await with_agent(here)
        case = (await here.case())["key"]
        offered = set(
            re.findall(r'id="to-([a-z_]+)"', (await here.client.get("/playground", params={"case": case})).text)
        )
        assert offered >= {"reply", "propose_plan", "resolve", "transfer", "snooze", "release", "mute_bot"}
        for act in offered:
            page = await here.client.get("/playground", params={"case": case, "act": act})
            assert f'id="act-{act}"' in page.text, act


def test_every_act_can_be_read_from_a_form() -> None:
    assert set(FORMS) == set(CaseAct) == set().union(*OFFERED.values())
