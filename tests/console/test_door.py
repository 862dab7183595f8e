"""Who may come in, what every answer says to the browser, and what becomes of bad input."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from bot.console.door import BODY_BYTES_MAX
from bot.console.forms import POST_CHARS_MAX
from tests.console.kit import Site, site

pytestmark = pytest.mark.anyio
COMPLAINT = "three weeks for a parcel and nobody answers, this is unbelievable"


async def test_every_answer_carries_the_security_headers(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for path in (
            "/playground",
            "/playground/state",
            "/healthz",
            "/static/console.css",
            "/nowhere",
            "/playground/acts",
        ):
            headers = (await here.client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert headers["x-frame-options"] == "DENY", path
            assert headers["x-content-type-options"] == "nosniff", path
            assert "server" not in headers, path


async def test_only_names_of_this_machine_are_answered(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        port = here.url.rpartition(":")[2]
        for host in ("localhost", f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert (await here.client.get("/healthz", headers={"host": host})).status_code == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::1", "10.0.0.1"):
            assert (await here.client.get("/healthz", headers={"host": host})).status_code == 421, host


async def test_a_post_from_elsewhere_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    elsewhere = [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ]
    async with site(tmp_path) as here:
        body = {"customer": "mara", "text": COMPLAINT, "id": "p1"}
        for headers in elsewhere:
            assert (await here.client.post("/playground/posts", headers=headers, json=body)).status_code == 403
            assert (await here.client.post("/playground/posts", headers=headers, data=body)).status_code == 403
        assert (await here.state())["conversations"] == []


async def test_our_own_pages_may_post(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        headers = {"origin": here.url, "sec-fetch-site": "same-origin"}
        body = {"customer": "mara", "text": COMPLAINT, "id": "p1", "surface": "public"}
        answer = await here.client.post("/playground/posts", headers=headers, data=body)
        assert answer.status_code == 303
        assert (await here.client.get(answer.headers["location"])).text.count(COMPLAINT) >= 2


@pytest.mark.parametrize(
    ("text", "status", "says"),
    [
        ("", 422, "write something"),
        (" \n\t\u200b ", 422, "write something"),
        ("\x00\x00", 422, "write something"),
        ("x" * 1_000_000, 422, f"at most {POST_CHARS_MAX:,}"),
        ("😡" * 30, 200, ""),
        ("هذا غير مقبول، أنتظر منذ ثلاثة أسابيع \u202e", 200, ""),
        ("my parcel never arrived \x00 three weeks \ud800 unbelievable", 200, ""),
        (COMPLAINT * 300, 200, ""),
    ],
    ids=["empty", "blank", "nul", "1 MB", "emoji", "rtl", "nul and surrogate", "long"],
)
async def test_texts_of_every_kind_are_taken_or_refused_in_words(
    tmp_path: Path, text: str, status: int, says: str
) -> None:
    async with site(tmp_path) as here:
        answer = await here.json("posts", customer="mara", text=text, id="p1")
        assert answer.status_code == status
        assert says in answer.text
        if status == 422:
            assert answer.json()["error"]["field"] == "text"
        page = await here.client.get("/playground?customer=mara")
        assert page.status_code == 200
        assert (await here.client.get("/readyz")).json()["ready"]
        assert (await here.state())["counts"]["poisoned"] == 0


async def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        form = {"customer": "mara", "text": "x" * (POST_CHARS_MAX + 1), "id": "p1", "surface": "public"}
        answer = await here.client.post("/playground/posts", data=form)
        assert answer.status_code == 422
        assert "at most 25,000 are taken" in answer.text
        assert "x" * 1000 in answer.text


WRONG = (
    ("posts", {"customer": "mara", "text": "hi"}, "id"),
    ("posts", {"customer": "<b>", "text": "hi", "id": "1"}, "customer"),
    ("posts", {"customer": "mara", "text": "hi", "id": "1", "surface": "fax"}, "surface"),
    ("posts", {"customer": "mara", "text": "hi", "id": "1", "media": "many"}, "media"),
    ("posts", {"customer": "mara", "text": "hi", "id": "1", "media": 99}, "media"),
    ("acts", {"act": "claim", "case": "none", "id": "1"}, "case"),
    ("acts", {"act": "explode", "case": "none", "id": "1"}, "act"),
    ("clock", {"to": "soon"}, "to"),
    ("clock", {"to": "9999-12-31T23:59:59-12:00"}, "to"),
    ("clock", {"minutes": "NaN"}, "minutes"),
    ("clock", {"minutes": -5}, "minutes"),
    ("clock", {"timer": "next"}, "timer"),
    ("customers", {"name": " "}, "name"),
)


async def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        for path, body, field in WRONG:
            answer = await here.json(path, **body)
            assert answer.status_code == 422, body
            assert answer.json()["error"]["field"] == field, body


async def test_bodies_that_are_no_form_are_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        kind = {"content-type": "application/json"}
        assert (await here.client.post("/playground/posts", content=b"{", headers=kind)).status_code == 422
        assert (await here.client.post("/playground/posts", content=b"[1]", headers=kind)).status_code == 422
        assert (await here.client.post("/playground/posts", content=b"&".join([b"a=1"] * 500))).status_code == 422
        assert (await here.client.post("/playground/posts", content=b"\xff\xfe=%ZZ")).status_code == 422
        assert (
            await here.client.get("/playground?case=%00&customer=%ff&tab=x&agent=y&act=z&pane=q")
        ).status_code == 200
        assert (await here.client.get("/playground/state?limit=many")).status_code == 422
        assert (await here.client.put("/playground/posts")).status_code == 405


async def test_a_body_without_end_is_cut_off(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        try:
            answer = await here.client.post("/playground/posts", content=b"text=" + b"x" * (BODY_BYTES_MAX + 1))
        except httpx.TransportError:
            return  # the server hung up before the client had sent everything
        assert answer.status_code == 413


async def test_news_come_as_a_stream(tmp_path: Path) -> None:
    async with site(tmp_path) as here, here.client.stream("GET", "/events") as stream:
        lines = stream.aiter_lines()
        assert "event: hello" in [await anext(lines), await anext(lines)]
        posting = asyncio.create_task(here.json("posts", customer="mara", text=COMPLAINT, id="p1"))
        async with asyncio.timeout(10):
            assert any([line == "event: changed" async for line in until_changed(lines)])
        assert (await posting).status_code == 200


async def until_changed(lines: object) -> object:
    """Lines of a stream up to the first change."""
    async for line in lines:  # type: ignore[attr-defined]
        yield line
        if line == "event: changed":
            return


async def test_the_fresh_page_holds_everything_by_itself(tmp_path: Path) -> None:
    """No inline script or style, nothing from anywhere else: what the policy forbids is not there to be forbidden."""
    async with site(tmp_path) as here:
        page = (await here.client.get("/playground")).text
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert page.count("<script") == page.count("defer></script>") == 2
        assert "https://" not in page
        for address in [part.split('"')[0] for part in page.split('="/static/')[1:]]:
            assert (await here.client.get(f"/static/{address}")).status_code == 200


async def health(here: Site) -> tuple[int, int]:
    """Alive and ready."""
    return (await here.client.get("/healthz")).status_code, (await here.client.get("/readyz")).status_code


async def test_health(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await here.json("posts", customer="mara", text=COMPLAINT, id="p1")
        assert await health(here) == (200, 200)
        here.app.worker.failures["engine"] = "disk full"
        assert await health(here) == (200, 503)
