"""Finding what we may have sent: the same words, as X gives them back, in answer to the same posts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from bot.channels.x.parse import Message, Post, Unreadable

_NAMES = re.compile(r"^(?:@[A-Za-z0-9_]{1,40}\s+)+")
_LINK = re.compile(r"https?://\S+|(?<![\w@])(?:[a-z0-9-]+\.)+[a-z]{2,24}(?:/\S*)?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def said(text: str) -> str:
    """A text as it is compared with what X gives back: no leading names, links alike, spaces and case levelled."""
    text = unicodedata.normalize("NFC", text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return " ".join(_LINK.sub("(link)", _NAMES.sub("", text.strip())).casefold().split())


def alike(text: str) -> str:
    """What two texts have in common that X would call near-identical: their words, without names, links, figures and
    marks."""
    return " ".join(_WORD.findall(said(text)))


def same(ours: str, theirs: str) -> bool:
    """Whether X shows these words of ours, perhaps cut."""
    one, other = said(ours), said(theirs)
    if one == other:
        return True
    head, mark, _ = other.partition("…")
    return bool(mark) and len(head) >= 40 and one.startswith(head.rstrip())


def reply_among(
    rows: Iterable[Post | Unreadable], text: str, targets: AbstractSet[str], taken: AbstractSet[str]
) -> Post | None:
    """The reply with these words to one of these posts that is not known to be another message."""
    for row in rows:
        if isinstance(row, Post) and row.reply_to in targets and row.id not in taken and same(text, row.text):
            return row
    return None


def message_among(
    rows: Iterable[Message | Unreadable], text: str, sender: str, since: datetime, taken: AbstractSet[str]
) -> Message | None:
    """The direct message of ours with these words, from an instant on, that is not known to be another one."""
    for row in rows:
        if not isinstance(row, Message) or row.sender is None or row.sender.id != sender or row.id in taken:
            continue
        if (row.sent_at is None or row.sent_at >= since) and same(text, row.text):
            return row
    return None
