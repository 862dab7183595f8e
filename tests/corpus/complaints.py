"""Learns what a complaint is like from posts by many authors, and from the patterns: ``python -m tests.corpus.complaints``.

The linear triage (``train.py``) knows angry words; these posts are mostly told without any. One network for all languages.
Needs numpy and scipy (development only).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conversations.comprehension import Reader
from conversations.comprehension.network import Network
from conversations.comprehension.pack import LanguagePack
from conversations.comprehension.triage import COMPLAINT
from tests.corpus import network
from tests.corpus.generate import generate
from tests.corpus.traces import Row, found_in, write, written

EACH = 10
"""How often a pattern is spelt out."""
PATTERN_WEIGHT = 0.3
"""What such a text counts beside one that an author wrote; they hold the angry words that authors left out."""
HIDDEN = 32
"""Hidden numbers: for one label half as many as for the answers are enough."""


def authors() -> Iterator[tuple[Row, str]]:
    """What people wrote by hand, and who."""
    for entry in written("people/complaints.jsonl"):
        labels = frozenset({COMPLAINT} if entry["complaint"] else ())
        yield Row(entry["language"], entry["text"], labels, source=entry["id"]), entry["author"]


def patterns(code: str) -> Iterator[tuple[Row, str]]:
    """The patterns of a language, spelt out; nobody's."""
    for sample in generate(code, EACH):
        yield Row(code, sample.text, frozenset({COMPLAINT} if sample.complaint else ()), weight=PATTERN_WEIGHT), ""


class Material:
    """All rows, who wrote them, and their signs, found once."""

    def __init__(self, packs: Mapping[str, LanguagePack]) -> None:
        some = [*authors(), *(row for code in packs for row in patterns(code))]
        self.packs = packs
        self.rows = [row for row, _ in some]
        self.authors = [author for _, author in some]
        self.found = found_in(packs, self.rows)

    def learn(self, without: str | None = None) -> dict[str, Network]:
        """The weights by language, learnt from all authors but one."""
        kept = [index for index, author in enumerate(self.authors) if without is None or author != without]
        rows, found = [self.rows[index] for index in kept], [self.found[index] for index in kept]
        return network.fit({code: pack.senses for code, pack in self.packs.items()}, rows, found, (COMPLAINT,), {}, hidden=HIDDEN)


if __name__ == "__main__":
    write(Material(Reader.default().packs).learn(), "complaints.json")
