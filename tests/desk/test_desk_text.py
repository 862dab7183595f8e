"""Slack's text: whatever comes from outside is inert, nothing is lost, and every payload keeps Block Kit's limits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.slack import kit
from bot.slack.text import (
    CHUNK_CHARS_MAX,
    chunks,
    cut,
    escape,
    escaped_chars,
    group_mention,
    instant,
    link,
    mention,
    plain,
    quoted,
    unescape,
    visible,
)
from tests.platforms.slack import blocks as rules
from tests.platforms.slack import text as theirs

CORPUS = (
    "<!channel>", "<!here|here>", "<!everyone>", "<@U0123ABCD>",
    "<@W0123ABCD|sue>", "<!subteam^S0123ABCD>", "<#C0123ABCD|general>",
    "<https://evil.example|your bank>", "<mailto:a@b.c|click>", "<tel:110|police>", "<!date^0^{date}^https://evil.example|now>",
    "&lt;!channel&gt;", "&amp;lt;!here&amp;gt;", "<<!here>>", "<!here\n>",
    "\u202e<!here>", "<\u200b!here>", "<!h\u00adere>", "`<!here>`",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from([*CORPUS, "<", ">", "&", "|", "!here", "@U1", " "]), max_size=30).map("".join),
)


@pytest.mark.parametrize("text", CORPUS)
def test_the_corpus_is_inert(text: str) -> None:
    for shown in (escape(text), quoted(text), link("https://ours.example", text), mention(text), group_mention(text)):
        stored = theirs.stored(shown)
        if not shown.startswith("<https://ours.example|"):
            assert theirs.masked_links(stored) == ()
        if shown not in (f"<@{text}>", f"<!subteam^{text}>"):
            assert theirs.pings(stored) == ()


@given(TEXTS)
def test_escaped_text_never_rings_and_reads_as_it_was(text: str) -> None:
    stored = theirs.stored(escape(text))
    assert theirs.pings(stored) == ()
    assert theirs.masked_links(stored) == ()
    assert theirs.CONTROL.search(stored) is None
    assert unescape(stored) == visible(text)


@given(TEXTS, st.integers(min_value=20, max_value=200))
def test_chunks_fit_and_lose_nothing_but_blanks(text: str, chars_max: int) -> None:
    parts = chunks(text, chars_max)
    assert all(len(escape(part)) <= chars_max for part in parts)
    assert "".join("".join(parts).split()) == "".join(visible(text).split())


@given(TEXTS)
def test_plain_words_hold_no_control_sequence(text: str) -> None:
    words = plain(theirs.stored(escape(text)))
    assert words == visible(text).strip()
    assert theirs.CONTROL.search(escape(words)) is None


@given(st.text(max_size=8_000))
def test_lengths(text: str) -> None:
    assert escaped_chars(visible(text)) == len(escape(text))
    shown = kit.shortened(escape(text), 300)
    assert 0 < len(shown) <= 300
    assert shown.count("<") == 0
    assert theirs.stored(shown) == shown
    assert len(cut(text, 50)) <= 50


@given(st.text(max_size=4_000))
def test_blocks_keep_slacks_limits(text: str) -> None:
    safe = escape(text) or "x"
    blocks = [
        kit.header(text or "x"),
        kit.section(safe),
        kit.fields([safe, safe]),
        kit.context(*[safe] * 12),
        kit.actions("case|1||" + text[:300], [kit.button(text or "x", f"a{n}", "v") for n in range(30)]),
    ]
    assert rules.message_problems(blocks) == []
    view = kit.modal("hearout:x", text or "x", [kit.field("f", "Label", kit.line(text))], submit="Go")
    assert rules.view_problems(view, home=False) == []


@pytest.mark.parametrize("stored", ["<@U1> hi <@U2|bob>", "<!here> <https://a.b|c>", "<#C1|x> &lt;&gt;&amp;"])
def test_plain_reads_control_sequences(stored: str) -> None:
    said = plain(stored, {"U1": "Mia"}.get)
    assert "<@" not in said
    assert "U1" not in said


def test_our_own_sequences_are_well_formed() -> None:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    for sequence in (instant(at), mention("U0123"), group_mention("S0123"), link("https://a.b/c", "c|d<e>")):
        assert theirs.stored(sequence) == sequence
    assert link("javascript:alert(1)", "x") == "x"
    assert link("https://a b", "x") == "x"
    assert CHUNK_CHARS_MAX < 4_000


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("hey <@U0US> our export fails", "hey our export fails"),
        ("<@U0US> our export fails", "our export fails"),
        ("our export fails <@U0US|hearout>", "our export fails"),
        ("hello <@U0US>, <@U1> and I wait\n<@U0US> hello?", "hello, @Mia and I wait\nhello?"),
    ],
)
def test_our_own_name_leaves_no_gap(stored: str, read: str) -> None:
    assert plain(stored, {"U1": "Mia"}.get, "U0US") == read
