"""How long a text is in the measure of the place it goes to, and how an agent's long words are split.

X counts weighted characters after NFC: 1 for the ranges of Latin, Greek, Cyrillic, Hebrew, Arabic and common
punctuation, 2 for the rest, 2 for a whole emoji, 23 for a URL whatever its length (X's published ``config/v3.json``).
The bot's own texts are never split: a shorter wording is chosen instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import regex

X_POST_WEIGHT_MAX = 280
X_DIRECT_CHARS_MAX = 10_000
SLACK_CHARS_MAX = 4_000
"""What Slack shows of a message's text before it cuts; longer is accepted up to 40,000 but not recommended."""

URL_WEIGHT = 23
_HEAVY = re.compile("[^\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")
_GRAPHEME = regex.compile(r"\X")
_SUFFIXES = frozenset(
    re.findall(
        r"\w+",
        "com net org info biz edu gov mil int app dev shop store online site tech blog cloud live news xyz club link "
        "page support help email global group media agency digital social world zone life work tools name mobi travel "
        "asia coop aero museum jobs pro tel cat",
    )
)
_URL = re.compile(
    r"(?<![\w@#$./-])(?P<scheme>https?://)?(?:[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.){1,8}(?P<suffix>[a-z]{2,24})(?![\w@-])"
    r"(?P<rest>(?::\d{1,5})?(?:[/?#][^\s<>\"'“”«»]{0,4096})?)",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?…)]}'\""


def weighted_length(text: str) -> int:
    """The length of a post as X counts it.

    A dotted name whose ending we do not know to be a top-level domain counts as text or as a URL, whichever is more:
    the answer may be too high, never too low.
    """
    text = unicodedata.normalize("NFC", text)
    if "." not in text:
        return _plain_weight(text)
    weight = 0
    end = 0
    for match in _URL.finditer(text):
        address = match.group().rstrip(_TRAILING)
        suffix = match["suffix"].lower()
        weight += _plain_weight(text[end : match.start()])
        certain = suffix in _SUFFIXES or len(suffix) == 2
        weight += URL_WEIGHT if certain else max(URL_WEIGHT, _plain_weight(address))
        end = match.start() + len(address)
    return weight + _plain_weight(text[end:])


def urls(text: str) -> list[tuple[int, int]]:
    """Where addresses stand in a text, as (start, end): everything that X would turn into a link."""
    found = []
    for match in _URL.finditer(text):
        suffix = match["suffix"].lower()
        if match["scheme"] or suffix in _SUFFIXES or (len(suffix) == 2 and match["rest"]):
            found.append((match.start(), match.start() + len(match.group().rstrip(_TRAILING))))
    return found


def _plain_weight(text: str) -> int:
    if not _HEAVY.search(text):
        return len(text)
    return sum(_grapheme_weight(cluster) for cluster in _GRAPHEME.findall(text))


def _grapheme_weight(cluster: str) -> int:
    if _HEAVY.search(cluster) and _EMOJI.search(cluster):
        return 2
    return sum(2 if _HEAVY.match(character) else 1 for character in cluster)


def split_text(text: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """An agent's words in parts of at most ``limit``, cut at a paragraph, sentence, word, or between graphemes.

    ``measure`` is ``weighted_length`` for X and ``len`` elsewhere. Raises ValueError if the limit is below 8.
    """
    if limit < 8:
        raise ValueError(f"limit = {limit}: at least 8")
    parts: list[str] = []
    rest = text.strip()
    while measure(rest) > limit:
        fitting = _longest_fitting(rest, limit, measure)
        cut = _best_cut(rest, fitting)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def _longest_fitting(text: str, limit: int, measure: Callable[[str], int]) -> int:
    """The length in characters of the longest beginning of whole graphemes that fits; at least one grapheme."""
    # A URL may be long in characters and short in weight, so the window is searched, not computed.
    ends = [match.end() for match in _GRAPHEME.finditer(text[: max(limit * 2, 8192)])]
    low, high = 1, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[: ends[middle - 1]].rstrip()) <= limit:
            low = middle
        else:
            high = middle - 1
    return ends[low - 1]


def _best_cut(text: str, fitting: int) -> int:
    """Where to cut within the first ``fitting`` characters; never inside a URL if there is another place."""
    if fitting >= len(text) or text[fitting].isspace():
        return fitting
    head = text[:fitting]
    for boundary in ("\n\n", "\n", ". ", "! ", "? ", "。", " "):
        at = head.rfind(boundary)
        if at >= fitting // 3:
            return at + len(boundary)
    at = head.rfind(" ")
    return at + 1 if at > 0 else fitting
