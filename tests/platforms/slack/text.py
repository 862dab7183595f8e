"""Slack's text: what a person types, what an app sends, what is stored, and what of it rings or links.

Stored text escapes `&`, `<` and `>`; only control sequences such as `<@U1>` keep their angle brackets
(https://docs.slack.dev/messaging/formatting-message-text).
"""

import re
from collections.abc import Callable

CONTROL = re.compile(
    r"<(?:@[UW][A-Z0-9]+(?:\|[^<>]*)?"
    r"|\#[CGD][A-Z0-9]+(?:\|[^<>]*)?"
    r"|!(?:here|channel|everyone|group)(?:\|[^<>]*)?"
    r"|!subteam\^S[A-Z0-9]+(?:\|[^<>]*)?"
    r"|!date\^[^<>]*"
    r"|(?:https?://|mailto:|tel:)[^<>|]+(?:\|[^<>]*)?)>"
)
_PINGS = re.compile(r"<(@[UW][A-Z0-9]+|!here|!channel|!everyone|!group|!subteam\^S[A-Z0-9]+)(?:\|[^<>]*)?>")
_MASKED = re.compile(r"<((?:https?://|mailto:|tel:)[^<>|]+)\|([^<>]*)>")
_BARE_AMP = re.compile(r"&(?!(?:amp|lt|gt);)")
_TYPED = re.compile(r"https?://[^\s<>]+|[@#][\w.-]*\w")


def escaped(text: str) -> str:
    """Escape the three characters, all of them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def stored(sent: str) -> str:
    """What Slack keeps of an app's text: control sequences stay, stray `<`, `>` and `&` are escaped."""
    parts: list[str] = []
    end = 0
    for match in CONTROL.finditer(sent):
        parts += [_strays(sent[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, _strays(sent[end:])])


def typed(text: str, resolve: Callable[[str], str | None]) -> str:
    """What Slack keeps of a person's typing: names become mentions, URLs links, all else is escaped.

    `resolve` answers the control sequence of `@name` or `#name`, or None when nobody is called so.
    """
    parts: list[str] = []
    end = 0
    for match in _TYPED.finditer(text):
        word = match.group()
        sequence = f"<{escaped(word)}>" if word.startswith("http") else resolve(word)
        if sequence is not None:
            parts += [escaped(text[end : match.start()]), sequence]
            end = match.end()
    return "".join([*parts, escaped(text[end:])])


def pings(text: str) -> tuple[str, ...]:
    """Everything in a stored text that would notify somebody: `@U…`, `!channel`, `!subteam^S…`."""
    return tuple(match.group(1) for match in _PINGS.finditer(text))


def masked_links(text: str) -> tuple[tuple[str, str], ...]:
    """The links whose label hides where they go, as (target, label)."""
    return tuple((match.group(1), match.group(2)) for match in _MASKED.finditer(text))


def _strays(text: str) -> str:
    return _BARE_AMP.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
