"""Block Kit, checked: slack_sdk's models for lengths and counts, and the rules that they leave to Slack.

Rules of https://docs.slack.dev/reference/block-kit. Refusals read like Slack's `response_metadata.messages`.
"""

import copy
import json
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, BlockElement
from slack_sdk.models.views import View

from tests.platforms.slack.values import Json

MESSAGE_BLOCKS_MAX = 50
VIEW_BLOCKS_MAX = 100
VIEW_BYTES_MAX = 250_000
FIELD_CHARS_MAX = 2_000
INPUT_CHARS_MAX = 3_000
CHOICES_MAX = {"radio_buttons": 10, "checkboxes": 10}
_VIEW_KEYS = frozenset(
    {
        "type",
        "title",
        "blocks",
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "clear_on_close",
        "notify_on_close",
        "external_id",
        "submit_disabled",
    }
)
_FREE_FORM = frozenset({"rich_text", "table", "file"})  # nested freely: the models are trusted with them


def message_problems(blocks: Any) -> list[str]:
    """Everything Slack would refuse in a message's blocks; empty when they are fine."""
    if not isinstance(blocks, list):
        return ["[ERROR] must be an array [json-pointer:/blocks]"]
    if len(blocks) > MESSAGE_BLOCKS_MAX:
        return [f"[ERROR] no more than {MESSAGE_BLOCKS_MAX} items allowed [json-pointer:/blocks]"]
    return list(_problems(blocks))


def view_problems(view: Any, *, home: bool) -> list[str]:
    """Everything Slack would refuse in a modal, or in an App Home."""
    if not isinstance(view, dict):
        return ["[ERROR] must be an object [json-pointer:/view]"]
    kind, blocks = ("home" if home else "modal"), view.get("blocks")
    problems = [f"[ERROR] invalid additional property: {key} [json-pointer:/view]" for key in view.keys() - _VIEW_KEYS]
    if view.get("type") != kind:
        problems.append(f"[ERROR] must be equal to `{kind}` [json-pointer:/view/type]")
    if not home and not isinstance(view.get("title"), dict):
        problems.append("[ERROR] missing required field: title [json-pointer:/view]")
    problems += [
        f"[ERROR] must be plain_text [json-pointer:/view/{key}]"
        for key in ("title", "submit", "close")
        if isinstance(view.get(key), dict) and view[key].get("type") != "plain_text"
    ]
    if not isinstance(blocks, list) or not 0 < len(blocks) <= VIEW_BLOCKS_MAX:
        return [
            *problems,
            f"[ERROR] between 1 and {VIEW_BLOCKS_MAX} items allowed [json-pointer:/view/blocks]",
        ]
    problems += _problems(blocks)
    if not home and any(block.get("type") == "input" for block in blocks) and not view.get("submit"):
        problems.append("[ERROR] missing required field: submit, since there are inputs [json-pointer:/view]")
    if not problems:
        try:
            View(**view).to_dict()
        except (SlackObjectFormationError, TypeError, ValueError) as error:
            problems.append(f"[ERROR] {error} [json-pointer:/view]")
    return problems


def chars(blocks: list[Json]) -> int:
    """How many characters of text the blocks carry in all."""
    return sum(len(node["text"]) for node in _nodes(blocks) if isinstance(node.get("text"), str))


def texts(blocks: tuple[Json, ...] | list[Json]) -> Iterator[str]:
    """Every mrkdwn text in the blocks: the ones in which control sequences work."""
    for node in _nodes(list(blocks)):
        if node.get("type") in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
            yield node["text"]


def named(blocks: list[Json], rng: Random) -> list[Json]:
    """A copy in which every block has a `block_id` and every control an `action_id`, as Slack fills them in."""
    filled = copy.deepcopy(blocks)
    for block in filled:
        if not block.get("block_id"):
            block["block_id"] = f"{rng.getrandbits(32):08x}"
        for element in elements(block):
            if element.get("type") not in (
                "image",
                "mrkdwn",
                "plain_text",
            ) and not element.get("action_id"):
                element["action_id"] = f"{rng.getrandbits(32):08x}"
    return filled


def elements(block: Json) -> list[Json]:
    """The interactive elements and the like of a block."""
    if block.get("type") in _FREE_FORM:
        return []
    found = [*block.get("elements", []), block.get("accessory"), block.get("element")]
    return [element for element in found if isinstance(element, dict)]


def _problems(blocks: list[Any]) -> Iterator[str]:
    block_ids: set[str] = set()
    for index, block in enumerate(blocks):
        pointer = f"[json-pointer:/blocks/{index}]"
        if not isinstance(block, dict):
            yield f"[ERROR] must be an object {pointer}"
            continue
        name = block.get("block_id")
        if name is not None and name in block_ids:
            yield f"[ERROR] block_id already exists: {name} {pointer}"
        block_ids.add(str(name))
        yield from (f"[ERROR] {problem} {pointer}" for problem in _remembered(json.dumps(block)))


@lru_cache(maxsize=4096)
def _remembered(block: str) -> tuple[str, ...]:
    # The models take 0.3 ms a block, and a card's blocks come again with every update of it.
    return tuple(_block_problems(json.loads(block)))


def _block_problems(block: Json) -> Iterator[str]:
    if any(node.get("type") in ("plain_text", "mrkdwn") and node.get("text") == "" for node in _nodes(block)):
        yield "must be more than 0 characters"
        return
    try:
        parsed = Block.parse(block)
        if parsed is None:
            yield f"unsupported type: {block.get('type')}"
            return
        parsed.to_dict()
    except (
        SlackObjectFormationError,
        TypeError,
        ValueError,
        AttributeError,
        KeyError,
    ) as error:
        yield f"{type(error).__name__}: {error}"
        return
    for key in block.keys() - set(parsed.attributes):
        yield f"invalid additional property: {key}"
    if block["type"] == "header" and not _is_text(block.get("text"), "plain_text"):
        yield "a header's text must be plain_text"
    if block["type"] == "section" and block.get("text") is not None and not _is_text(block["text"]):
        yield "a section's text must be a text object"
    for text in block.get("fields") or []:
        if not _is_text(text) or len(text["text"]) > FIELD_CHARS_MAX:
            yield f"a field must be a text object of at most {FIELD_CHARS_MAX} characters"
    if block["type"] in ("actions", "context") and not block.get("elements"):
        yield "must have at least one element"
    action_ids: set[str] = set()
    for element in elements(block):
        action_id = element.get("action_id")
        if action_id is not None and action_id in action_ids:
            yield f"action_id already exists in this block: {action_id}"
        action_ids.add(str(action_id))
        yield from _element_problems(block["type"], element)


def _element_problems(block_type: str, element: Json) -> Iterator[str]:
    if block_type == "context":
        if element.get("type") != "image" and not _is_text(element):
            yield f"unsupported element in a context: {element.get('type')}"
        return
    try:
        parsed = BlockElement.parse(element)
        if parsed is None:
            yield f"unsupported element: {element.get('type')}"
            return
        parsed.to_dict()
    except (
        SlackObjectFormationError,
        TypeError,
        ValueError,
        AttributeError,
        KeyError,
    ) as error:
        yield f"{type(error).__name__}: {error}"
        return
    kind = element["type"]
    if kind == "button" and not _is_text(element.get("text"), "plain_text"):
        yield "a button's text must be plain_text"
    choices = [
        *element.get("options", []),
        *(o for g in element.get("option_groups", []) for o in g.get("options", [])),
    ]
    if len(element.get("options", [])) > CHOICES_MAX.get(kind, 100):
        yield f"no more than {CHOICES_MAX[kind]} options allowed"
    values = [choice.get("value") for choice in choices]
    if len(values) != len(set(values)):
        yield "options must have unique values"
    for initial in [
        element.get("initial_option"),
        *(element.get("initial_options") or []),
    ]:
        if initial is not None and kind != "external_select" and initial not in choices:
            yield "an initial option must be one of the options"
    if kind == "plain_text_input":
        if len(element.get("initial_value") or "") > (element.get("max_length") or INPUT_CHARS_MAX):
            yield "initial_value is longer than max_length"
        if not 1 <= (element.get("max_length") or 1) <= INPUT_CHARS_MAX:
            yield f"max_length must be between 1 and {INPUT_CHARS_MAX}"


def _is_text(value: Any, *kinds: str) -> bool:
    return (
        isinstance(value, dict)
        and value.get("type") in (kinds or ("plain_text", "mrkdwn"))
        and isinstance(value.get("text"), str)
        and bool(value["text"])
    )


def _nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from _nodes(child)
