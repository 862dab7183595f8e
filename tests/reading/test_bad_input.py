"""Any string is read: bounded, the same each time, and without an exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.comprehension import Reader
from conversations.comprehension.reader import TOO_LONG
from conversations.comprehension.tokens import HEAD_CHARS, TAIL_CHARS, bounded, clean, tokenize

READER = Reader.default()
ANY = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=300)


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_any_text_is_read_and_the_spans_are_inside(text: str) -> None:
    assert faults(text) == []


def faults(text: str) -> list[str]:
    """Read it, and say what does not hold that must hold of every reading."""
    reading = READER.read(text)
    found = [] if READER.read(text) == reading else ["read another way the second time"]
    if not 0 <= reading.complaint.probability <= 1:
        found.append(f"probability {reading.complaint.probability}")
    if not 0 <= reading.intensity <= 1:
        found.append(f"intensity {reading.intensity}")
    bounds = [edge for span in reading.private for edge in (span.start, span.end)]
    if bounds != sorted(bounds) or any(not 0 <= s.start < s.end <= len(text) for s in reading.private):
        found.append(f"private spans {reading.private} of {len(text)} characters")
    if reading.masked.encode("utf-8", "replace").decode("utf-8") != reading.masked:
        found.append("masked words that cannot be written down")
    return found


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_that_decode(data: bytes) -> None:
    assert faults(data.decode("utf-8", "replace")) == []
    assert faults(data.decode("latin-1")) == []
    assert faults(data.decode("utf-8", "surrogateescape")) == []


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1 ",
        "a@",
        "a@a.",
        "so late ",
        "((((",
        "1/",
        "😡",
        "\u200b",
        "\x00",
        "\ud800",
        "no " * 30,
        "#a",
        "order 1",
        "я",
        "GB82 ",
        "!",
        "'",
        "a'",
    ],
)
def test_a_megabyte_reads_a_bounded_part_and_says_so(unit: str) -> None:
    reading = READER.read(unit * (1_000_000 // len(unit)))
    assert TOO_LONG in reading.complaint.why or reading.complaint.why == (TOO_LONG,)
    assert len(reading.masked) < 500_000


def test_only_head_and_tail_of_a_long_text_are_read() -> None:
    part, cut = bounded("x" * 20_000)
    assert cut
    assert len(part) == HEAD_CHARS + TAIL_CHARS + 1


@pytest.mark.parametrize(
    "written",
    [
        "th\u200bis is t\u00aderrible",
        "thіs іs tеrrible",
        "ＴＨＩＳ　ＩＳ　ＴＥＲＲＩＢＬＥ",
        "this is terrible\u202e",
        "thís ís terrïble",
        "this is terribleeeee",
    ],
)
def test_disguised_words_are_the_same_words(written: str) -> None:
    vocabulary = {"this", "is", "terrible"}
    assert tokenize(clean(written), vocabulary=vocabulary).words == ("this", "is", "terrible")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I don't", ("i", "dont")),
        ("j'ai l'impression", ("j", "ai", "l", "impression")),
        ("größe", ("grosse",)),
        ("#WorstServiceEver", ("worst", "service", "ever")),
        ("see www.example.com/a?b @brand ok", ("see", "ok")),
        ("fine :)", ("fine", "☺")),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert tokenize(clean(text)).words == words
