"""Nonsense at the doors: templates that nobody meant, and requests that no page sends. Nothing may fall over."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.console.app import PAGES, PLAYGROUND
from conversations.errors import TemplateError
from conversations.wording.lint import check_template
from conversations.wording.request import Act, Surface
from tests.console.kit import site

PIECES = (
    *("{{", "}}", "{%", "%}", "{#", "#}", "[if", "]", "[optional", "[paragraph", "if", "else", "endif", "not", "and", "|bare"),
    *("brand", "topic_thing", "steps", "'", '"', "\\", "\n", " ", "We hear you.", "é", "😡", "\u202e", "\x00", "a" * 300),
)
NASTY = ("", " ", "0", "-1", "99999999999999999999", "null", "../../etc/passwd", "<script>alert(1)</script>", "%00", "é😡\u202e",
         "'; drop table conversation; --", "x" * 5000, "2026-13-45", "true", "playground:playground:p1")  # fmt: skip
BODIES = (b"", b"{", b"[]", b"null", b'"x"', b'{"a":', b"\xff\xfe", b'{"text": 5}', b'{"customer": {}}')
REQUESTS_PER_ROUTE = 6


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_template_is_judged_or_refused(source: str) -> None:
    with suppress(TemplateError):
        findings = check_template(source, Act.ACKNOWLEDGE, "en", Surface.PUBLIC)
        assert all(0 <= finding.start <= finding.end <= len(source) + 1 for finding in findings)


@pytest.mark.anyio
async def test_no_request_makes_the_console_fall_over(tmp_path: Path) -> None:
    rng = Random(11)
    async with site(tmp_path) as page:
        await page.json("post", customer="mara", text="my parcel is three weeks late and nobody answers")
        seen: set[int] = set()
        for route in (*PAGES, *PLAYGROUND):
            for _ in range(REQUESTS_PER_ROUTE):
                path = re.sub(r"\{[^}]+\}", lambda _: quote(rng.choice(NASTY)) or "x", route.path)
                fields = {rng.choice(("customer", "text", "case", "act", "at", "q", "state", "page", "id", "version", "to", "by"))
                          : rng.choice(NASTY) for _ in range(rng.randrange(5))}  # fmt: skip
                if route.method == "GET":
                    if route.path.endswith("/events"):
                        continue  # a stream never ends
                    answer = await page.client.get(path, params=fields)
                elif rng.random() < 0.5:
                    answer = await page.client.post(path, data=fields)
                else:
                    headers = {"content-type": "application/json"}
                    answer = await page.client.post(path, content=rng.choice(BODIES), headers=headers)
                assert answer.status_code < 500, f"{route.method} {path} {fields}: {answer.text[:300]}"
                seen.add(answer.status_code)
        assert {200, 404, 422} <= seen
        assert (await page.client.get("/")).status_code == 200
