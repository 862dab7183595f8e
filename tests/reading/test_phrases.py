"""The notation of cues, and packs that cannot be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from conversations.comprehension.pack import load_pack, load_packs
from conversations.comprehension.phrases import PhraseError, Phrases, expand
from conversations.comprehension.tokens import clean, tokenize
from conversations.errors import LanguagePackError


def found(phrase: str, text: str) -> list[str]:
    phrases = Phrases({"who": ["boss", "agent*"]}, {})
    phrases.add(phrase, "mark")
    tokens = tokenize(clean(text))
    return [" ".join(tokens.words[hit.first : hit.last]) for hit in phrases.find(tokens)]


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("hung up", "they hung up again", ["hung up"]),
        ("hung up", "they hung. up again", []),
        ("deliver*", "undelivered deliveries", ["deliveries"]),
        ("talk to (a|the)? <who>", "let me talk to your agents, talk to the boss", ["talk to the boss"]),
        ("speak .. <who>", "speak with one of your agents", []),
        ("speak .. <who>", "speak with your agents", ["speak with your agents"]),
        ("# weeks", "3 weeks", ["3 weeks"]),
        ("^ yes", "yes. oh yes", ["yes"]),
        ("^^ stop $$", "stop!", ["stop"]),
        ("^^ stop $$", "stop it", []),
        ("works $", "it works, it works. ok", ["works"]),
        ("DON'T", "dont", ["dont"]),
        ("(a b|c) d", "c d a b d", ["c d", "a b d"]),
    ],
)
def test_notation(phrase: str, text: str, expected: list[str]) -> None:
    assert found(phrase, text) == expected


@pytest.mark.parametrize("phrase", ["(a|b", "a)", "(a|)", "<nobody>", ".. a", "a $ b", "$", "?!"])
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError):
        found(phrase, "a")


def test_groups_that_multiply_are_refused() -> None:
    with pytest.raises(PhraseError, match="split it"):
        expand("(a b|c d|e f|g h|i j|k l|m n|o p|q r|s t) " * 5)


def test_every_language_has_the_same_topics_cues_and_risks() -> None:
    packs = load_packs()
    assert [pack.code for pack in packs] == ["en", "de", "es", "fr", "pt"]
    for pack in packs[1:]:
        assert pack.topics == packs[0].topics
        assert pack.risk_levels == packs[0].risk_levels
        assert pack.weights is not None


def test_a_broken_folder_says_where_and_why(tmp_path: Path) -> None:
    folder = tmp_path / "xx"
    folder.mkdir()
    with pytest.raises(LanguagePackError, match=r"xx/language\.toml"):
        load_pack(folder, ())
    (folder / "language.toml").write_text('name = "X"\nhints = []\nsmall = []\nnegators = []\n')
    with pytest.raises(LanguagePackError, match="open_ends"):
        load_pack(folder, ())


@pytest.mark.parametrize(("text", "words"), [
    ("mon expédition", ("mon", "expedition")),
    ("fixd at last", ("fixd", "at", "last")),
    ("(aged 18)", ("aged", "18")),
])  # fmt: skip
def test_letters_and_digits_inside_a_word_are_no_face(text: str, words: tuple[str, ...]) -> None:
    assert tokenize(clean(text)).words == words
    assert len(tokenize(clean("great xD")).words) == 2
