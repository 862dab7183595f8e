"""Modals and App Homes: what is open, who sees it, hashes that guard against races, and the values of their inputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.platforms.slack import blocks as kit
from tests.platforms.slack.values import ActRefused, Json, SlackError
from tests.platforms.slack.workspace import Workspace

STACK_MAX = 3


@dataclass(frozen=True)
class Shown:
    """A view as it is shown: `view` is what the app gave, with block and action ids filled in."""

    id: str
    user: str
    view: Json
    hash: str
    root_id: str
    previous_id: str | None = None


@dataclass
class Views:
    """Every open modal by id, in stacks by user, and every user's App Home."""

    world: Workspace
    shown: dict[str, Shown] = field(default_factory=dict)
    stacks: dict[str, list[str]] = field(default_factory=dict)
    homes: dict[str, Shown] = field(default_factory=dict)

    def top(self, user: str) -> Shown | None:
        """The modal that a person looks at."""
        stack = self.stacks.get(user)
        return self.shown[stack[-1]] if stack else None

    def check(self, view: Json, *, home: bool = False, but: str = "") -> None:
        """Refuse a view that Slack would not show. Raises invalid_arguments, view_too_large, duplicate_external_id."""
        problems = kit.view_problems(view, home=home)
        if problems:
            raise SlackError("invalid_arguments", response_metadata={"messages": problems})
        if len(json.dumps(view)) > kit.VIEW_BYTES_MAX:
            raise SlackError("view_too_large")
        external_id = view.get("external_id")
        taken = (s for s in [*self.shown.values(), *self.homes.values()] if s.id != but)
        if external_id and any(s.view.get("external_id") == external_id for s in taken):
            raise SlackError("duplicate_external_id")

    def open(self, user: str, view: Json) -> Shown:
        """Open a modal; an older one of the same person gives way to it."""
        self.close(user, everything=True)
        view_id = self.world.new_id("V")
        return self._put(Shown(view_id, user, self._read(view), self._hash(), view_id), stack=True)

    def push(self, user: str, view: Json) -> Shown:
        """Put a modal on top of the one the person looks at. Raises push_limit_reached."""
        top = self.top(user)
        if top is None:
            raise SlackError("not_found")
        if len(self.stacks[user]) >= STACK_MAX:
            raise SlackError("push_limit_reached")
        pushed = Shown(
            self.world.new_id("V"),
            user,
            self._read(view),
            self._hash(),
            top.root_id,
            top.id,
        )
        return self._put(pushed, stack=True)

    def update(self, view_id: str, external_id: str, view: Json, hash_: str) -> Shown:
        """Change an open modal (or a home, by its id). Raises not_found, hash_conflict."""
        everything = [*self.shown.values(), *self.homes.values()]
        old = next(
            (s for s in everything if s.id == view_id or (external_id and s.view.get("external_id") == external_id)),
            None,
        )
        if old is None:
            raise SlackError("not_found")
        if hash_ and hash_ != old.hash:
            raise SlackError("hash_conflict")
        home = old.id not in self.shown
        new = replace(old, view=self._read(view, home=home, but=old.id), hash=self._hash())
        if home:
            self.homes[old.user] = new
            return new
        return self._put(new)

    def publish(self, user: str, view: Json, hash_: str) -> Shown:
        """Set a person's App Home. Raises hash_conflict."""
        old = self.homes.get(user)
        if hash_ and (old is None or hash_ != old.hash):
            raise SlackError("hash_conflict")
        view_id = old.id if old else self.world.new_id("V")
        self.homes[user] = Shown(
            view_id,
            user,
            self._read(view, home=True, but=view_id),
            self._hash(),
            view_id,
        )
        return self.homes[user]

    def close(self, user: str, *, everything: bool = False) -> list[Shown]:
        """Close the top modal, or all of them, and say which."""
        stack = self.stacks.get(user, [])
        closed = [self.shown.pop(stack.pop())] if stack else []
        while everything and stack:
            closed.append(self.shown.pop(stack.pop()))
        return closed

    def json(self, shown: Shown, values: Json | None = None) -> Json:
        """A view as Slack tells it in answers and interactions."""
        view = shown.view
        app = self.world.app
        return {
            "id": shown.id,
            "team_id": self.world.team.id,
            "type": view["type"],
            "blocks": view["blocks"],
            "private_metadata": view.get("private_metadata", ""),
            "callback_id": view.get("callback_id", ""),
            "external_id": view.get("external_id", ""),
            "state": {"values": values or {}},
            "hash": shown.hash,
            "title": view.get("title"),
            "submit": view.get("submit"),
            "close": view.get("close"),
            "clear_on_close": view.get("clear_on_close", False),
            "notify_on_close": view.get("notify_on_close", False),
            "previous_view_id": shown.previous_id,
            "root_view_id": shown.root_id,
            "app_id": app.id,
            "app_installed_team_id": self.world.team.id,
            "bot_id": app.bot_id,
        }

    def _put(self, shown: Shown, *, stack: bool = False) -> Shown:
        self.shown[shown.id] = shown
        if stack:
            self.stacks.setdefault(shown.user, []).append(shown.id)
        return shown

    def _hash(self) -> str:
        return f"{int(self.world.now_s)}.{self.world.rng.getrandbits(32):08x}"

    def _read(self, view: Json, *, home: bool = False, but: str = "") -> Json:
        self.check(view, home=home, but=but)
        return {**view, "blocks": kit.named(view["blocks"], self.world.rng)}


def state_values(blocks: list[Json], given: Mapping[str, Any], *, submit: bool = False) -> Json:
    """The `state.values` of inputs, from `given` (action_id → what the person chose) over what was preset.

    A choice is named by its option's value; several by a list. Raises: ActRefused, as the client would, for an action
    that is not there, an unknown choice, a text over its length, or (with `submit`) a required input left empty.
    """
    left = dict(given)
    values: Json = {}
    for block in blocks:
        for element in kit.elements(block):
            action_id = element.get("action_id")
            if action_id is None or element.get("type") in (
                "button",
                "overflow",
                "image",
            ):
                continue
            chosen = left.pop(action_id) if action_id in left else _preset(element)
            state, empty = _state(element, chosen)
            if submit and block["type"] == "input" and empty and not block.get("optional"):
                raise ActRefused(f"the input {action_id!r} is required and was left empty")
            values.setdefault(block["block_id"], {})[action_id] = state
    if left:
        raise ActRefused(f"there is no input {sorted(left)} in this view")
    return values


def _preset(element: Json) -> Any:
    kind = element["type"]
    if kind in ("static_select", "radio_buttons"):
        return (element.get("initial_option") or {}).get("value")
    if kind in ("checkboxes", "multi_static_select"):
        return [option["value"] for option in element.get("initial_options") or []]
    return next((value for key, value in element.items() if key.startswith("initial_")), None)


_SINGLE = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}


def _state(element: Json, chosen: Any) -> tuple[Json, bool]:
    kind = element["type"]
    if kind in _SINGLE:
        if kind == "plain_text_input" and isinstance(chosen, str):
            low, high = (
                element.get("min_length") or 0,
                element.get("max_length") or kit.INPUT_CHARS_MAX,
            )
            if not low <= len(chosen) <= high and chosen:
                raise ActRefused(f"{element['action_id']!r} takes {low} to {high} characters, not {len(chosen)}")
        chosen = None if chosen == "" else chosen
        return {"type": kind, _SINGLE[kind]: chosen}, chosen in (None, [])
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    options = {option.get("value"): option for option in [*element.get("options", []), *grouped]}
    several = kind in ("checkboxes", "multi_static_select")
    names = (chosen or []) if several else [chosen] if chosen is not None else []
    missing = [name for name in names if name not in options]
    if missing:
        raise ActRefused(f"{element['action_id']!r} has no option {missing}")
    picked = [options[name] for name in names]
    if several:
        return {"type": kind, "selected_options": picked}, not picked
    return {"type": kind, "selected_option": picked[0] if picked else None}, not picked
