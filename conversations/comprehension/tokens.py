"""Text to words: cleaned, bounded, folded, with sentences and clauses, so that everything after it is simple and linear.

Two texts exist. The *clean* text is what a person would see (normalised, without invisible characters): evidence is cut from
it. The *words* are what rules compare: lower case, without accents, apostrophes and repeated letters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

HEAD_CHARS = 6_000
TAIL_CHARS = 2_000
"""A reading looks at this much of a text, from both ends: the longest post on X has 4,000 characters that anybody reads."""

KNOWN_MAX = 20_000
TAG_PARTS_MAX = 8
"""A tag of more parts ("#WhyOhWhy…") is one word."""

_INVISIBLE = dict.fromkeys(
    [
        173,
        847,
        1564,
        4447,
        4448,
        6068,
        6069,
        6158,
        *range(8203, 8208),
        *range(8234, 8239),
        *range(8288, 8304),
        12644,
        65279,
        65440,
        *range(917504, 917632),
    ]
)
_CONTROL = {code: " " for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: " "}
_QUOTES = {ord(mark): "'" for mark in "’‘ʼ´`′＇"} | {ord(mark): '"' for mark in "“”„«»"}
_CLEAN: dict[int, str | None] = {**_INVISIBLE, **_CONTROL, **_QUOTES, 0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
# Cyrillic and Greek letters that look Latin, read as Latin only inside a word that also has Latin letters.
_CONFUSABLE = str.maketrans(
    "аеорсухіјѕԁһӏАВЕКМНОРСТХІЈЅοαεικνρτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijsdhlABEKMHOPCTXIJSoaeikvptuxABEZHIKMNOPTYX"
)
_CONTROL_SEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f`]")
_MIXED_WORD = re.compile(r"[a-zA-Z]+[Ͱ-ԯ]|[Ͱ-ԯ]+[a-zA-Z]")
_LATIN_RUN = re.compile(r"[a-zA-ZͰ-ԯ]+")


def _fold_table() -> dict[int, str]:
    table = {}
    for code in [*range(0xC0, 0x250), *range(0x1E00, 0x1F00)]:
        base = unicodedata.normalize("NFD", chr(code))[0].lower()
        if base.isascii():
            table[code] = base
    table[ord("ø")] = table[ord("Ø")] = "o"
    table[ord("ł")] = table[ord("Ł")] = "l"
    table[ord("ı")] = "i"
    return table


_FOLD = _fold_table()
_FOLD_TOKEN = {ord("ß"): "ss", ord("æ"): "ae", ord("Æ"): "ae", ord("œ"): "oe", ord("Œ"): "oe"}
_TOKEN = re.compile(
    r"(?P<word>[^\W_]+(?:'[^\W_]+)*) ?"
    r"|(?P<end>\.(?![^\s.)\"'])[.!?…]*|[!?…][.!?…]*|[\n\r]+)"
    r"|(?P<clause>[,;:()|/]|(?:^|(?<=\s))[-–—]+(?=\s|$)|—)"
    r"|(?P<mention>@[\w.]*)"
    r"|(?P<tag>\#)"
    r"|(?P<emoji>[\u203C\u2049\u2190-\u21FF\u2300-\u27BF\u2900-\u297F\u2B00-\u2BFF\U0001F000-\U0001FAFF])"
)
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"]*", re.IGNORECASE)
_FACE = re.compile(r"(?:(?<![^\s\w.!?)])[:;=]|(?<![^\s.!?)])[8xX])['\-o^]?[()\[\]DPpdsS/\\|*3]+(?!\w)|<3")
"""Eyes that are letters or digits stand alone, or "expédition" and "(aged 18)" smile."""
_FACES = {
    ")": "☺",
    "]": "☺",
    "D": "☺",
    "P": "☺",
    "p": "☺",
    "(": "☹",
    "[": "☹",
    "/": "😕",
    "\\": "😕",
    "|": "😐",
    "*": "😘",
    "3": "❤",
}
_REPEATED = re.compile(r"(.)\1{2,}")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SKIN = dict.fromkeys([0xFE0F, 0xFE0E, 0x2640, 0x2642, *range(0x1F3FB, 0x1F400)])


def bounded(text: str) -> tuple[str, bool]:
    """The part of a text that is read, and whether something in the middle was left out."""
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text, False
    return f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}", True


def clean(text: str) -> str:
    """The text as a person sees it: normalised, without invisible or control characters, look-alikes made Latin.

    Never raises: lone surrogates become the replacement character.
    """
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = text.translate(_CLEAN).encode("utf-8", "replace").decode("utf-8")
        text = unicodedata.normalize("NFKC", text).translate(_CLEAN)
        if _MIXED_WORD.search(text):
            text = _LATIN_RUN.sub(_as_latin, text)
        return text
    return text.translate(_CLEAN) if _CONTROL_SEEN.search(text) else text


def _as_latin(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(_CONFUSABLE) if any("a" <= letter.lower() <= "z" for letter in word) else word


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text. ``start[i]:end[i]`` is word ``i`` in ``text``; ``sentence`` and ``clause`` number its parts.

    ``stop[i]`` is the punctuation that ended the sentence of the last word of each sentence, by sentence number.
    """

    text: str
    words: tuple[str, ...]
    start: tuple[int, ...]
    end: tuple[int, ...]
    sentence: tuple[int, ...]
    clause: tuple[int, ...]
    stop: Mapping[int, str]
    emoji: tuple[str, ...]
    capitals: int
    mentions: int
    links: int
    tags: int

    def evidence(self, first: int, last: int) -> str:
        """The customer's own words from word ``first`` up to, not with, word ``last``; at most 120 characters."""
        return self.text[self.start[first] : self.end[last - 1]][:120]

    @property
    def plain(self) -> tuple[str, ...]:
        """The words without emoji."""
        return tuple(word for word in self.words if word[0].isalnum())


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """A word as rules compare it: lower case, no accents, no apostrophes."""
    return word.translate(_FOLD).lower().translate(_FOLD_TOKEN).replace("'", "")


def tokenize(
    text: str,
    aliases: Mapping[str, tuple[str, ...]] | None = None,
    vocabulary: Collection[str] = frozenset(),
    known: dict[str, tuple[str, ...]] | None = None,
) -> Tokens:
    """The words of a clean text. ``aliases`` rewrites short forms ("u" to "you"); mentions and links are no words.

    ``known`` remembers the forms of written words between calls with the same aliases and vocabulary.
    """
    known = {} if known is None else known
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentences: list[int] = []
    clauses: list[int] = []
    stops: dict[int, str] = {}
    emoji: list[str] = []
    sentence = clause = capitals = mentions = links = tags = 0
    if "http" in text or "www." in text or "HTTP" in text:
        text, links = _URL.subn(lambda match: " " * len(match[0]), text)
    faces: dict[int, str] = {}
    if _FACE.search(text):
        for match in _FACE.finditer(text):
            faces[match.start()] = _FACES.get(match[0][-1], "☺")
        text_for_tokens = _FACE.sub(lambda match: "\u2639" + " " * (len(match[0]) - 1), text)
    else:
        text_for_tokens = text
    aliases = aliases or {}
    after_tag = False
    for match in _TOKEN.finditer(text_for_tokens):
        kind = match.lastgroup
        if kind == "word":
            raw = match[1]
            if raw[0] <= "Z" and len(raw) > 1 and raw.isupper() and raw.isalpha():
                capitals += 1
            forms = known.get(raw)
            if forms is None:
                forms = tuple(fold(alias) for word in _forms(raw, vocabulary) for alias in aliases.get(word, (word,)))
                if len(known) < KNOWN_MAX:
                    known[raw] = forms
            if after_tag:
                after_tag = False
                tags += 1
                parts = _CAMEL.findall(raw)
                if 1 < len(parts) <= TAG_PARTS_MAX:
                    forms = tuple(map(fold, parts))
            start, end = match.span(1)
            for form in forms:
                words.append(form)
                starts.append(start)
                ends.append(end)
                sentences.append(sentence)
                clauses.append(clause)
            continue
        after_tag = kind == "tag"
        if kind == "end":
            if words:
                stops[sentence] = stops.get(sentence, "") + match[0]
            sentence += 1
            clause += 1
        elif kind == "clause":
            clause += 1
        elif kind == "mention":
            mentions += 1
        elif kind == "emoji":
            mark = faces.get(match.start(), match[0]).translate(_SKIN)
            if mark:
                emoji.append(mark)
                sentence += 1
                clause += 1
                words.append(mark)
                starts.append(match.start())
                ends.append(match.end())
                sentences.append(sentence)
                clauses.append(clause)
                sentence += 1
    return Tokens(
        text, tuple(words), tuple(starts), tuple(ends), tuple(sentences), tuple(clauses), stops, tuple(emoji),
        capitals, mentions, links, tags,
    )  # fmt: skip


def _forms(raw: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    """The folded words of one written word: "j'ai" is two, "don't" is one, "soooo" is "so"."""
    if "'" in raw:
        head, _, tail = raw.partition("'")
        if (
            len(tail) >= 2
            and (len(head) == 1 or head.lower() in ("qu", "jusqu", "lorsqu", "puisqu"))
            and tail.lower() not in ("ll", "re", "ve")
        ):
            return (fold(head), fold(tail))
    word = fold(raw)
    if len(word) > 3 and _REPEATED.search(word) and not word[0].isdigit():
        once = _REPEATED.sub(r"\1", word)
        if once in vocabulary:
            return (once,)
        return (_REPEATED.sub(r"\1\1", word),)
    return (word,) if word else ()
