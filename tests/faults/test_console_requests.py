"""Requests that no page sends, made by Schemathesis from a description of every page: the console never falls over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from bot.console.app import PAGES, PLAYGROUND
from bot.console.people import Page
from bot.desk.card import CaseAct
from conversations.wording.packs import load_packs
from tests.console.kit import Program

ENDLESS = "/events"
"""A stream of news never ends; the rest of the tests of the console listen to it."""
KEY = "playground:brand:p1"
NAME = "de.acknowledge.public.a"
SOURCE = next(template.source for template in load_packs()["de"].templates if template.name == NAME)
RIGHT: dict[str, list[str]] = {
    "key": [KEY], "case": [KEY], "post": ["p1"], "id": ["p2", "q1"], "customer": ["mara"], "handle": ["mara"], "agent": ["noor"],
    "act": [act.value for act in CaseAct], "name": [NAME], "version": ["1"],
    "language": ["de", "en"], "topic": ["delivery"], "minutes": ["30"], "timer": ["next", "case"],
    "surface": ["public", "direct"], "text": ["We are sending a new one by Friday noon."],
    "source": [SOURCE], "to": ["", "1", "2027-03-01T10:00"],
    "remedy": ["refund"], "steps": [], "number": ["3"], "sequence": ["1"], "limit": ["50"], "media": ["1"], "anyway": ["on"],
    "on": ["on"], "group": ["on"], "publish": ["on"], "variant": ["kurz"], "promise": ["on"], "satisfied": ["on"],
    "q": ["parcel"], "check_back": ["on"], "check_back_days": ["4"], "done_text": ["Sent."],
    "other": ["playground:brand:p2"], "from": ["1"],
    "complaint": ["on"], "note": ["later"], "overridden": ["blame"], "page": ["2"], "posts": [], "reference": ["A1"],
    "remedy_due": ["2027-03-01"], "said": ["held"], "state": ["HANDED_OFF"], "until": ["2027-03-01T10:00"],
    "why": ["late"], "words": [],
}  # fmt: skip
"""The fields that some page knows, with values that it takes."""
USUAL: dict[str, tuple[str, ...]] = {
    "/playground/posts": ("customer", "id", "surface", "text"), "/playground/edits": ("post", "id", "text"),
    "/playground/deletions": ("post", "id"), "/playground/customers": ("name",),
    "/playground/acts": ("act", "case", "agent", "id"), "/playground/review": ("case", "text"),
    "/playground/asides": ("sequence",), "/incident/topics": ("topic",),
    "/incident/updates": ("topic", "language", "text"), "/incident/answers": ("topic", "language", "id", "text", "anyway"),
    "/incident/look": ("topic", "language", "text"), "/conversations/{key}/erase": ("handle",),
    "/templates/{name}/drafts": ("source",), "/templates/{name}/publish": ("version",), "/templates/{name}/look": ("source",),
    "/templates/{name}/rehearse": ("source",),
    "/templates/{name}/variants": ("variant",),
}  # fmt: skip
"""What a page's own form always sends; a browser's forms never lack these, so a request without them is soon refused."""
NASTY = [
    "<script>alert(1)</script>", "'; drop table conversation; --", "../../etc/passwd", "2026-13-45", "x" * 5000,
    "99999999999999999999", "\u00e9\U0001f621\u202e", "",
]  # fmt: skip
FILE = "/templates/{name}/rehearse-file"
"""The page that takes a file instead of fields."""
LAST = "POST /conversations/{key}/erase"
EXAMPLES_PER_PAGE = 30


def value(field: str, *others: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field's texts, or ``others``. What lies behind the format is ``sent``."""
    text = {"type": "string", "format": f"field-{field}"}
    return {"anyOf": [text, *others]} if others else text


def sent(field: str) -> st.SearchStrategy[str]:
    """What is sent in a field: mostly something right, so that a request gets far; something nasty; any text."""
    anything = st.sampled_from(NASTY) | st.text(max_size=60)
    return st.sampled_from(RIGHT[field]) | st.sampled_from(RIGHT[field]) | anything if RIGHT[field] else anything


for field in RIGHT:
    schemathesis.openapi.format(f"field-{field}", sent(field))


def described(pages: Iterable[Page]) -> dict[str, Any]:
    """The pages as an OpenAPI document: every field that any page knows may be sent to each."""
    texts = {field: value(field) for field in RIGHT}
    things = (
        {"type": "array", "items": {"type": ["string", "object", "number"]}},
        {"type": ["number", "boolean", "null", "object"]},
    )
    paths: dict[str, dict[str, Any]] = {}
    for page in pages:
        places = [
            {"name": name, "in": "path", "required": True, "schema": value(name)}
            for name in re.findall(r"\{(\w+)", page.path)
        ]
        operation: dict[str, Any] = {"parameters": places, "responses": {"default": {"description": "any"}}}
        if page.method == "GET":
            places += [{"name": field, "in": "query", "schema": schema} for field, schema in texts.items()]
        else:
            usual = [*USUAL.get(page.path, ())]
            typed = {"type": "object", "properties": texts, "required": usual, "additionalProperties": False}
            loose = {"type": "object", "properties": {name: value(name, *things) for name in RIGHT}, "required": usual}
            bodies = {"application/x-www-form-urlencoded": typed, "application/json": {"anyOf": [loose, *things]}}
            operation["requestBody"] = {"content": {kind: {"schema": schema} for kind, schema in bodies.items()}}
        paths.setdefault(page.path, {})[page.method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "Hearout's console", "version": "1"}, "paths": paths}


SCHEMA = schemathesis.openapi.from_dict(described(page for page in (*PAGES, *PLAYGROUND) if page.path != ENDLESS))


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a playground, a program of its own, that holds a case and a published text."""
    program = Program(tmp_path_factory.mktemp("playground"))
    try:
        url = program.start()
        story = {"id": "p1", "customer": "mara", "text": "my parcel is three weeks late and nobody answers"}
        assert httpx.post(f"{url}/playground/posts", json=story).is_success
        assert httpx.post(f"{url}/templates/{NAME}/drafts", data={"source": SOURCE, "publish": "on"}).status_code == 303
        yield url
        assert httpx.get(url, follow_redirects=True).status_code == 200
    finally:
        code = program.stop()
    assert code == 0


def right(operation: Any, console: str) -> dict[str, Any]:
    """What a page's own form would send: the first of the right values of each field that it needs."""
    address = operation.path.format(**{name: RIGHT[name][0] for name in re.findall(r"\{(\w+)", operation.path)})
    made: dict[str, Any] = {"method": operation.method, "url": console + address}
    if operation.path == FILE:
        head = {"source": SOURCE, "format": "threads", "file": "last-month.jsonl"}
        thread = {"id": "1", "turns": [{"role": "customer", "t": 0, "text": "my parcel is late"}]}
        made["content"] = "\n".join(map(json.dumps, (head, thread)))
    elif operation.method == "post":
        made["data"] = {field: RIGHT[field][0] for field in USUAL.get(operation.path, ())}
    return made


def operations() -> list[Any]:
    """Every page, as Schemathesis knows it; the case is erased at the end."""
    return sorted(
        (result.ok() for result in SCHEMA.get_all_operations()), key=lambda operation: operation.label == LAST
    )


def test_every_page_is_described() -> None:
    assert len(operations()) == len(PAGES) + len(PLAYGROUND) - 1


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_no_request_makes_the_console_fall_over(operation: Any, console: str) -> None:
    first = httpx.request(**right(operation, console))
    assert first.status_code in (200, 303), first.text

    @settings(max_examples=EXAMPLES_PER_PAGE, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
              suppress_health_check=list(HealthCheck), database=None)  # fmt: skip
    @given(case=operation.as_strategy())
    def fall_over(case: Any) -> None:
        case.validate_response(case.call(base_url=console, allow_redirects=False), checks=[not_a_server_error])

    fall_over()
