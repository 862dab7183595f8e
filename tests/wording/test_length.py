"""Length as X counts it, and long words in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.wording.length import split_text, urls, weighted_length


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("hello", 5),
        ("Grüße, señor, là-bas, não", 25),
        ("cafe\u0301", 4),
        ("日本語", 6),
        ("😀", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("“quoted” – and … dots", 22),
        ("https://example.com", 23),
        ("https://example.com/" + "a" * 200, 23),
        ("see https://example.com/a?b=c.", 28),
        ("example.com", 23),
        ("at example.com, today", 23 + 10),
        ("(https://t.co/abc)", 25),
        ("e.g. this", 9),
        ("me@example.com", 14),
        ("4.5 and 16.30", 13),
        ("x" * 280, 280),
        ("漢" * 140, 280),
    ],
)
def test_weights(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_an_unknown_ending_never_counts_too_little() -> None:
    assert weighted_length("sentence.Another") >= 23
    assert weighted_length("aaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb") >= 41


def test_where_links_stand() -> None:
    assert [("See example.com and https://a.example/x!"[a:b]) for a, b in urls("See example.com and https://a.example/x!")] == [
        "example.com", "https://a.example/x",
    ]  # fmt: skip
    assert not urls("The end.Next sentence, 4.30 pm, e.g. this, me@example.com")


def test_words_are_cut_at_the_best_place() -> None:
    assert split_text("One two. Three four.", 12) == ["One two.", "Three four."]
    assert split_text("First part\n\nsecond part", 14) == ["First part", "second part"]
    assert split_text("a" * 20, 8) == ["a" * 8, "a" * 8, "aaaa"]
    assert split_text("short", 280) == ["short"]
    assert split_text("  ", 280) == []


def test_150_characters_of_weight_300_become_two_posts() -> None:
    parts = split_text("漢" * 150, 280, weighted_length)
    assert [weighted_length(part) for part in parts] == [280, 20]


def test_a_family_is_not_torn_apart() -> None:
    family = "👨‍👩‍👧‍👦"
    parts = split_text(family * 10, 8, weighted_length)
    assert all(part == family * 4 for part in parts[:-1])
    assert "".join(parts) == family * 10


def test_a_limit_that_fits_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        split_text("hello", 3)


@given(st.text(alphabet=st.sampled_from("ab .\n漢😀👍🏽éx/:@"), max_size=400), st.integers(10, 60))
def test_parts_fit_and_lose_nothing_but_spaces(text: str, limit: int) -> None:
    parts = split_text(text, limit, weighted_length)
    assert all(weighted_length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_megabyte_is_measured_in_linear_time() -> None:
    assert weighted_length("a." * 500_000) > 0
    assert weighted_length("http://" * 100_000) > 0
