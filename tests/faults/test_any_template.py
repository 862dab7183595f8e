"""Templates that nobody meant: each is judged or refused, and none makes the lint fall over."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.errors import TemplateError
from conversations.wording.lint import check_template
from conversations.wording.request import Act, Surface

PIECES = (
    *("{{", "}}", "{%", "%}", "{#", "#}", "[if", "]", "[optional", "[paragraph", "if", "else", "endif", "not", "and", "|bare"),
    *("brand", "topic_thing", "steps", "'", '"', "\\", "\n", " ", "We hear you.", "é", "😡", "\u202e", "\x00", "a" * 300),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_template_is_judged_or_refused(source: str) -> None:
    with suppress(TemplateError):
        findings = check_template(source, Act.ACKNOWLEDGE, "en", Surface.PUBLIC)
        assert all(0 <= finding.start <= finding.end <= len(source) + 1 for finding in findings)
