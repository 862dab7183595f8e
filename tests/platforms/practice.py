"""A place to practise: both stand-ins at once, a brand, a desk with two agents, and one line for whatever people do.

The stand-ins are the ones that the tests use, so what is refused here is refused by the platforms as well.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.platforms.slack import blocks as kit
from tests.platforms.slack.clock import RealClock
from tests.platforms.slack.platform import SlackPlatform
from tests.platforms.slack.server import SlackServer
from tests.platforms.slack.values import ActRefused, App, Json, Message
from tests.platforms.x.model import User
from tests.platforms.x.platform import XPlatform
from tests.platforms.x.server import XServer

HELP = """What people do, one line each:
    post NAME TEXT            a customer posts on X (write @acme to be heard)
    answer NAME TEXT          a customer replies to what the bot last wrote to them
    dm NAME TEXT              a customer writes a direct message
    storm NUMBER TEXT         so many customers post the same
    delete NAME               a customer deletes their last post
    x                         what the bot sent on X
    desk                      what stands at the desk, with the buttons
    click NAME NUMBER BUTTON [CHOICE]   mia (an agent) or lena (an admin) presses a button of message NUMBER
    form NAME                 the form that is open
    submit NAME [FIELD=VALUE; …]        what stood there stays; an instant in Unix seconds
    command NAME TEXT         /hearout TEXT
    help"""

FOLLOWERS_SPREAD = 6
"""The customers of a storm have 1, 10, … 100,000 followers, so that the report has something to compare."""

CONFIG = """[brand]
name = "Acme"
shadow = true

[[x.accounts]]
name = "acme"
api_url = "{x_url}"
poll_s = 2

[slack]
api_url = "{slack_url}"

[slack.desk]
fallback_channel = "{desk}"
admins = ["{admin}"]

[[slack.desk.queues]]
name = "our support team"
channel = "{desk}"
agents = ["{agents}"]
leads = ["{admin}"]
on_call = ["{admin}"]

[policy.quiet_s]              # for practice only: the bot waits 10 seconds where it would wait minutes
public = 10
direct = 10
slack = 10
"""


class Practice:
    """The two platforms, and what people do on them."""

    def __init__(self, x: XPlatform, x_url: str, slack: SlackPlatform, slack_url: str) -> None:
        self.x, self.x_url, self.slack, self.slack_url = x, x_url, slack, slack_url
        world = slack.world
        self.brand = x.world.add_account("acme")
        self.staff = {name: world.add_user(name) for name in ("mia", "lena")}
        self.agents = world.add_group("agents", self.staff.values())
        self.desk = world.add_channel("desk", self.staff.values())
        self._customers = 0
        self._typed: dict[str, dict[str, Any]] = {}
        """What stands in the form that a person has open: Slack keeps it when a form changes under one's hands."""

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the configuration, unless one is there, and the secrets, which only the owner may read."""
        folder.mkdir(parents=True, exist_ok=True)
        config, secrets = folder / "config.toml", folder / "secrets.env"
        if not config.exists():
            config.write_text(
                CONFIG.format(
                    x_url=self.x_url,
                    slack_url=self.slack_url,
                    desk=self.desk.id,
                    admin=self.staff["lena"].id,
                    agents=self.agents.id,
                )
            )
        keys, app = self.brand.credentials, self.slack.world.app
        secrets.touch(mode=0o600)
        secrets.write_text(
            f"HEAROUT_X_CONSUMER_KEY={keys.consumer_key}\nHEAROUT_X_CONSUMER_SECRET={keys.consumer_secret}\n"
            f"HEAROUT_X_ACCESS_TOKEN={keys.access_token}\nHEAROUT_X_ACCESS_TOKEN_SECRET={keys.access_token_secret}\n"
            f"HEAROUT_SLACK_BOT_TOKEN={app.bot_token}\nHEAROUT_SLACK_APP_TOKEN={app.app_token}\n"
            f"HEAROUT_SLACK_SIGNING_SECRET={app.signing_secret}\n"
        )
        return config, secrets

    def do(self, line: str) -> Iterator[str]:
        """Do what a line says; the words tell what came of it, or why it could not be done."""
        verb, _, rest = line.strip().partition(" ")
        act: Callable[[str], Iterator[str]] | None = self._acts().get(verb)
        if act is None:
            yield HELP
            return
        try:
            yield from act(rest.strip())
        except (ActRefused, LookupError, ValueError) as error:
            yield f"{verb}: {error}"

    def _acts(self) -> dict[str, Callable[[str], Iterator[str]]]:
        return {
            "post": self._post,
            "answer": self._answer,
            "dm": self._dm,
            "storm": self._storm,
            "delete": self._delete,
            "x": self._sent,
            "desk": self._cards,
            "click": self._click,
            "form": self._form,
            "submit": self._submit,
            "command": self._command,
        }

    # ---- on X

    def _customer(self, name: str) -> User:
        return self.x.world.user_named(name) or self.x.world.add_user(name)

    def _post(self, rest: str) -> Iterator[str]:
        name, _, text = rest.partition(" ")
        yield f"post {self.x.world.post(self._customer(name), text).id}"

    def _answer(self, rest: str) -> Iterator[str]:
        name, _, text = rest.partition(" ")
        mine = {post.id for post in self.x.world.posts.values() if post.author_id == self._customer(name).id}
        to_me = [one for one in self.x.accepted if one.reply_to_id in mine]
        if not to_me:
            raise LookupError(f"the bot has not written to {name} in public")
        parent = self.x.world.posts[to_me[-1].id]
        yield f"post {self.x.world.post(self._customer(name), f'@acme {text}', reply_to=parent).id}"

    def _dm(self, rest: str) -> Iterator[str]:
        name, _, text = rest.partition(" ")
        yield f"message {self.x.world.dm(self._customer(name), self.brand.user, text).id}"

    def _storm(self, rest: str) -> Iterator[str]:
        number, _, text = rest.partition(" ")
        for n in range(int(number)):
            self._customers += 1
            name = f"customer{self._customers}"
            self.x.world.add_user(name, followers_count=10 ** (n % FOLLOWERS_SPREAD))
            self.x.world.post(self._customer(name), text)
        yield f"{number} posts"

    def _delete(self, name: str) -> Iterator[str]:
        posts = [p for p in self.x.world.posts.values() if p.author_id == self._customer(name).id and not p.deleted]
        if not posts:
            raise LookupError(f"{name} has no post")
        self.x.world.delete(posts[-1])
        yield f"deleted {posts[-1].id}"

    def _sent(self, _: str) -> Iterator[str]:
        world = self.x.world
        for one in self.x.accepted:
            to = one.recipient_id or (world.posts[one.reply_to_id].author_id if one.reply_to_id else None)
            who = world.users[to].username if to else "everybody"
            yield f"{one.at:%H:%M:%S} {one.kind} to {who}: {one.text}"
        yield f"{len(self.x.accepted)} in all"

    # ---- at the desk

    def _cards(self, _: str) -> Iterator[str]:
        for number, message in enumerate(self._shown()):
            indent = "      " if message.is_reply else ""
            yield f"{indent}[{number}] {seen(message)}"
            for element in controls(message.blocks):
                yield f"{indent}      ({element})"

    def _shown(self) -> list[Message]:
        world = self.slack.world
        private = (message for message in world.ephemerals.values() if message.channel == self.desk.id)
        return sorted([*world.history(self.desk), *private], key=lambda message: message.ts)

    def _click(self, rest: str) -> Iterator[str]:
        name, number, button, *choice = rest.split(maxsplit=3)
        self._typed.pop(name, None)
        self.slack.people.click(self.staff[name], self._shown()[int(number)], button, choice[0] if choice else None)
        yield "clicked; next: desk, or form"

    def _form(self, name: str) -> Iterator[str]:
        shown = self.slack.views.top(self.staff[name].id)
        if shown is None:
            raise LookupError(f"{name} has no form open")
        yield str(shown.view["title"]["text"])
        for block in shown.view["blocks"]:
            yield f"  {words_of(block)}"
        for element in controls(shown.view["blocks"]):
            yield f"      ({element})"

    def _submit(self, rest: str) -> Iterator[str]:
        name, _, fields = rest.partition(" ")
        shown = self.slack.views.top(self.staff[name].id)
        if shown is None:
            raise LookupError(f"{name} has no form open")
        fields_there = (one for block in shown.view["blocks"] for one in kit.elements(block) if "action_id" in one)
        kinds = {str(one["action_id"]): str(one["type"]) for one in fields_there}
        pairs = (field.partition("=") for field in fields.split(";") if field.strip())
        typed = {key.strip(): typed_in(kinds.get(key.strip(), ""), value.strip()) for key, _, value in pairs}
        inputs = self._typed[name] = self._typed.get(name, {}) | typed
        self.slack.people.submit(self.staff[name], {key: value for key, value in inputs.items() if key in kinds})
        yield "submitted; next: desk, or form if it asks for more"

    def _command(self, rest: str) -> Iterator[str]:
        name, _, text = rest.partition(" ")
        self.slack.people.command(self.staff[name], self.desk, "/hearout", text)
        yield "typed; next: desk"


def typed_in(kind: str, value: str) -> Any:
    """What a field of a form holds after this was typed: an instant in Unix seconds, a list of boxes, or the words."""
    match kind:
        case "datetimepicker":
            return int(value)
        case "checkboxes":
            return [value]
        case _:
            return value


def words_of(block: Json) -> str:
    """The words of a block."""
    texts = [block.get("text"), block.get("label"), *block.get("fields", []), *block.get("elements", [])]
    return " · ".join(str(one["text"]) for one in texts if isinstance(one, dict) and isinstance(one.get("text"), str))


def controls(blocks: Any) -> Iterator[str]:
    """What can be pressed or filled in, by its name."""
    for block in blocks:
        for element in kit.elements(block):
            if name := element.get("action_id"):
                choices = [str(option["value"]) for option in element.get("options", ())]
                value = [str(element["value"])] if element["type"] == "button" and element.get("value") else []
                yield " ".join([name, *choices, *value])


def seen(message: Message) -> str:
    """A message as it is read."""
    return "\n          ".join([message.text, *(words_of(block) for block in message.blocks if words_of(block))])


@asynccontextmanager
async def opened(x_port: int = 0, slack_port: int = 0) -> AsyncIterator[Practice]:
    """Both platforms on loopback. The keys, tokens and ids of Slack are the same at every start."""
    x = XPlatform(lambda: datetime.now(UTC), random.Random(7))
    slack = SlackPlatform(RealClock(), random.Random(7), app=App())
    server = SlackServer(slack, port=slack_port)
    async with XServer(x, port=x_port) as x_url, server:
        yield Practice(x, x_url, slack, server.api_url)
