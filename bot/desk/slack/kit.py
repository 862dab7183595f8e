"""Block Kit in small: builders that keep Slack's limits, so that nothing we show is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.slack.text import cut

Block = dict[str, Any]
SECTION_CHARS_MAX = 3_000
FIELD_CHARS_MAX = 2_000
HEADER_CHARS_MAX = 150
BUTTON_CHARS_MAX = 75
OPTION_CHARS_MAX = 75
PLACEHOLDER_CHARS_MAX = 150
TITLE_CHARS_MAX = 24
INPUT_CHARS_MAX = 3_000
BLOCK_ID_CHARS_MAX = 255
MESSAGE_CHARS_MAX = 13_000
"""Characters of all blocks of one message: Slack refuses more than about 13,200 (slackapi/bolt-js#2509)."""


def words(text: str) -> Block:
    """A plain text object."""
    return {"type": "plain_text", "text": text, "emoji": True}


def markdown(text: str) -> Block:
    """A formatted text object; what comes from outside must be escaped already. Nothing in it becomes a link by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Block:
    """A headline."""
    return {"type": "header", "text": words(cut(text, HEADER_CHARS_MAX))}


def section(text: str, accessory: Block | None = None) -> Block:
    """A paragraph."""
    block: Block = {"type": "section", "text": markdown(shortened(text, SECTION_CHARS_MAX))}
    return block | {"accessory": accessory} if accessory else block


def fields(texts: Sequence[str]) -> Block:
    """Up to ten short facts in two columns."""
    return {"type": "section", "fields": [markdown(shortened(text, FIELD_CHARS_MAX)) for text in texts[:10]]}


def context(*texts: str) -> Block:
    """Small print, at most ten pieces."""
    return {"type": "context", "elements": [markdown(shortened(text, FIELD_CHARS_MAX)) for text in texts[:10]]}


def divider() -> Block:
    """A line."""
    return {"type": "divider"}


def button(
    label: str, action_id: str, value: str = "", style: str | None = None, confirm: Block | None = None
) -> Block:
    """A button; ``style`` is ``primary`` or ``danger``."""
    block: Block = {"type": "button", "text": words(cut(label, BUTTON_CHARS_MAX)), "action_id": action_id}
    if value:
        block["value"] = value
    if style:
        block["style"] = style
    return block | {"confirm": confirm} if confirm else block


def sure(title: str, text: str, yes: str) -> Block:
    """A question before an act that cannot be taken back."""
    return {"title": words(title), "text": words(text), "confirm": words(yes), "deny": words("Cancel")}


def option(label: str, value: str) -> Block:
    """One choice of a menu."""
    return {"text": words(cut(label, OPTION_CHARS_MAX)), "value": value}


def menu(action_id: str, placeholder: str, options: Sequence[Block], initial: Block | None = None) -> Block:
    """A menu of up to a hundred choices."""
    block: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": words(cut(placeholder, PLACEHOLDER_CHARS_MAX)),
        "options": list(options[:100]),
    }
    return block | {"initial_option": initial} if initial else block


def several(placeholder: str, options: Sequence[Block]) -> Block:
    """A choice of any number among up to a hundred."""
    return {
        "type": "multi_static_select",
        "placeholder": words(cut(placeholder, PLACEHOLDER_CHARS_MAX)),
        "options": list(options[:100]),
    }


def radio(action_id: str, options: Sequence[Block], initial: Block | None = None) -> Block:
    """A choice of one among at most ten."""
    block: Block = {"type": "radio_buttons", "action_id": action_id, "options": list(options[:10])}
    return block | {"initial_option": initial} if initial else block


def actions(block_id: str, elements: Sequence[Block]) -> Block:
    """A row of controls."""
    return {"type": "actions", "block_id": block_id[:BLOCK_ID_CHARS_MAX], "elements": list(elements[:25])}


def topics(names: Sequence[str]) -> str:
    """Topics as people read them."""
    return ", ".join(name.replace("_", " ") for name in names)


def field(
    name: str, label: str, element: Block, *, optional: bool = False, hint: str = "", dispatch: bool = False
) -> Block:
    """An input of a modal; its block id and action id are ``name``, so that errors and answers are found by it."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": words(label),
        "element": {**element, "action_id": name},
        "optional": optional,
    }
    if hint:
        block["hint"] = words(hint)
    if dispatch:
        block["dispatch_action"] = True
    return block


def line(
    initial: str = "", *, multiline: bool = False, placeholder: str = "", chars_max: int = INPUT_CHARS_MAX
) -> Block:
    """A text input."""
    block: Block = {"type": "plain_text_input", "multiline": multiline, "max_length": chars_max}
    if initial:
        block["initial_value"] = initial[:chars_max]
    if placeholder:
        block["placeholder"] = words(cut(placeholder, PLACEHOLDER_CHARS_MAX))
    return block


def modal(
    callback_id: str, title: str, blocks: Sequence[Block], *, submit: str | None = None, metadata: str = ""
) -> Block:
    """A modal view."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": words(cut(title, TITLE_CHARS_MAX)),
        "close": words("Close"),
        "blocks": list(blocks[:100]),
        "private_metadata": metadata,
    }
    return view | {"submit": words(cut(submit, TITLE_CHARS_MAX))} if submit else view


def shortened(text: str, chars_max: int) -> str:
    """An escaped text that fits: never cut inside an entity or a control sequence."""
    if len(text) <= chars_max:
        return text or "\u200b"
    head = text[: chars_max - 1]
    for opening, closing in (("<", ">"), ("&", ";")):
        at = head.rfind(opening)
        if at > head.rfind(closing) and at >= 0 and len(head) - at < 300:
            head = head[:at]
    return head.rstrip() + "…"


def chars(blocks: Sequence[Block]) -> int:
    """Characters of text in all of the blocks."""
    total = 0
    for value in blocks:
        for child in value.values():
            if isinstance(child, dict):
                total += chars([child])
            elif isinstance(child, list):
                total += chars([entry for entry in child if isinstance(entry, dict)])
        if isinstance(value.get("text"), str):
            total += len(value["text"])
    return total
