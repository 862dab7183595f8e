"""Slack's text: ours made safe for it, and its made plain.

Slack reads ``&``, ``<`` and ``>`` as control characters: ``<!channel>`` rings everybody, ``<https://a|b>`` hides
where it leads. A text
that came from outside is escaped whole; only this module and ``mention``/``instant`` below ever write a control sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import regex

CHUNK_CHARS_MAX = 3_900
"""Slack advises 4,000 characters a message (and refuses longer updates)."""
_SEQUENCE = re.compile(r"<([^<>\n]*)>")
_NAMED = {"here": "@here", "channel": "@channel", "everyone": "@everyone", "group": "@group"}
_ID = re.compile(r"[UWB][A-Z0-9]{2,}")
_HIDDEN = regex.compile(r"[[\p{Cc}\p{Cf}\p{Co}\p{Cs}]--[\n\t\u200d]]", regex.V1)


def escape(text: str) -> str:
    """A text from outside, inert: no mention, no link with a label, no direction tricks."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The three characters as they were typed."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def visible(text: str) -> str:
    """Without control characters and invisible marks that turn or hide text (line breaks and joiners of emoji stay)."""
    return str(_HIDDEN.sub("", text))


def plain(text: str, name_of: Callable[[str], str | None] = lambda _: None, ours: str = "") -> str:
    """Slack's stored text as people read it: no ids, links by their address, mentions by name. ``ours``: our own id, left out."""

    def said(match: re.Match[str]) -> str:
        body, _, label = match[1].partition("|")
        if body.startswith("@"):
            name = label or name_of(body[1:]) or "somebody"
            return "@" + name.lstrip("@")
        if body.startswith("#"):
            return "#" + (label or "channel").lstrip("#")
        if body.startswith("!date"):
            return label
        if body.startswith("!subteam"):
            return "@" + (label or "team").lstrip("@")
        if body.startswith("!"):
            return _NAMED.get(body[1:], label or body[1:])
        if re.match(r"[a-z][a-z0-9+.-]*:", body, re.IGNORECASE):
            address = body.removeprefix("mailto:").removeprefix("tel:")
            return address if not label or label in (body, address) or label in body else f"{label} ({address})"
        return match[0]

    if ours:  # with one of the spaces around it, so that "hey @us our parcel" leaves no gap
        name = rf"<@{re.escape(ours)}(?:\|[^>]*)?>"
        text = re.sub(rf"(?<!\S){name}[ \t]|[ \t]?{name}", "", text)
    return unescape(_SEQUENCE.sub(said, text)).strip()


def mention(user: str) -> str:
    """Rings one person of ours. Only ids of Slack's form pass."""
    return f"<@{user}>" if _ID.fullmatch(user) else escape(user)


def group_mention(entry: str) -> str:
    """Rings a user group or a person that the configuration names."""
    return f"<!subteam^{entry}>" if re.fullmatch(r"S[A-Z0-9]{2,}", entry) else mention(entry)


def instant(at: datetime, form: str = "{date_short_pretty} {time}") -> str:
    """An instant that Slack shows in each reader's own time zone; the fallback is UTC."""
    return f"<!date^{int(at.timestamp())}^{form}|{at:%Y-%m-%d %H:%M} UTC>"


def ago(at: datetime) -> str:
    """The same, told as "3 minutes ago" where Slack can."""
    return instant(at, "{ago}")


def link(url: str, label: str) -> str:
    """A link of our own making; an address that is none of the web's becomes words."""
    if not re.match(r"https?://[^\s<>|]+$", url):
        return escape(label)
    return f"<{url}|{escape(label).replace('|', '¦')}>"


def chunks(text: str, chars_max: int = CHUNK_CHARS_MAX) -> list[str]:
    """A long text in parts that each fit once escaped, cut at lines or words where possible; nothing is lost but
    blanks at a cut."""
    parts: list[str] = []
    rest = visible(text)
    while escaped_chars(rest) > chars_max:
        fits = _fitting(rest, chars_max)
        head = rest[:fits]
        at = max(head.rfind("\n"), head.rfind(" "))
        end = at + 1 if at > fits // 2 else fits
        parts.append(rest[:end].rstrip())
        rest = rest[end:]
    return [*parts, rest] if rest.strip() or not parts else parts


def escaped_chars(text: str) -> int:
    """The length of a visible text once it is escaped."""
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def _fitting(text: str, chars_max: int) -> int:
    """How many characters of a text fit once they are escaped; at least one."""
    low, high = 1, min(len(text), chars_max)
    while low < high:
        middle = (low + high + 1) // 2
        if escaped_chars(text[:middle]) <= chars_max:
            low = middle
        else:
            high = middle - 1
    return low


def cut(text: str, chars_max: int) -> str:
    """A text that is shortened where it must be, and says so."""
    return text if len(text) <= chars_max else text[: chars_max - 1].rstrip() + "…"


def quoted(text: str) -> str:
    """Somebody's words, escaped, each line marked as a quotation."""
    return "\n".join(f"> {line}" for line in escape(text).split("\n"))
