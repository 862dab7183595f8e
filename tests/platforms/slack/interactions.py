"""People's clicks, submissions and commands on their way to the app, and what the app answers.

An act makes an `Interaction`; its `status` and `answer` tell how the app took it. A modal's answer is honoured:
`errors` keep it open, `update` and `push` change it, `clear` closes all, an empty answer closes it.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from tests.platforms.slack import blocks as kit
from tests.platforms.slack import text as wording
from tests.platforms.slack.courier import COMMANDS, INTERACTIVE, Courier, Delivery
from tests.platforms.slack.events import Newsroom
from tests.platforms.slack.log import Did
from tests.platforms.slack.values import (
    Channel,
    Json,
    Message,
    Response,
    SlackError,
    User,
)
from tests.platforms.slack.views import Shown, Views
from tests.platforms.slack.workspace import Workspace


class Status(StrEnum):
    """How an interaction went, as the person saw it."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"  # the person saw an error of Slack: no answer in three seconds, an error, a bad answer


@dataclass
class Interaction:
    """One act of a person that the app must acknowledge within three seconds."""

    id: str
    user: str
    payload: Json
    view: Shown | None = None
    status: Status = Status.PENDING
    failure: str = ""
    answer: Json = field(default_factory=dict)

    @property
    def trigger_id(self) -> str:
        """The trigger that opens a modal for three seconds."""
        return str(self.payload["trigger_id"])

    @property
    def errors(self) -> dict[str, str]:
        """What the app found wrong with a modal's inputs, by block id."""
        errors = self.answer.get("errors", {}) if self.answer.get("response_action") == "errors" else {}
        return {str(block): str(problem) for block, problem in errors.items()}


@dataclass
class _Trigger:
    user: str
    issued_s: float
    used: bool = False


@dataclass
class _ResponseUrl:
    channel: str
    user: str
    issued_s: float
    message: Message | None
    ephemeral: bool
    uses: int = 0


@dataclass
class Interactions:
    """Sends interactions, and applies their answers, triggers and response_urls."""

    world: Workspace
    courier: Courier
    newsroom: Newsroom
    views: Views
    sent: dict[str, Interaction] = field(default_factory=dict)
    _triggers: dict[str, _Trigger] = field(default_factory=dict)
    _urls: dict[str, _ResponseUrl] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.courier.on_answer = self._answered
        self.courier.on_failure = self._failed

    # ---- sending

    def interact(self, user: User, payload: Json, *, view: Shown | None = None) -> Interaction:
        """Send an interactive payload; who acts, the app and a trigger are filled in."""
        app = self.world.app
        team = self.world.teams[user.team_id]
        payload |= {
            "user": {
                "id": user.id,
                "username": user.name,
                "name": user.name,
                "team_id": user.team_id,
            },
            "api_app_id": app.id,
            "token": app.verification_token,
            "team": {"id": team.id, "domain": team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self.new_trigger(user.id),
        }
        return self._send(INTERACTIVE, user, payload, view)

    def command(self, user: User, channel: Channel, command: str, text: str) -> Interaction:
        """Send a slash command."""
        app, team = self.world.app, self.world.team
        payload = {
            "token": app.verification_token,
            "team_id": team.id,
            "team_domain": team.domain,
            "channel_id": channel.id,
            "channel_name": channel.name or "directmessage",
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": app.id,
            "is_enterprise_install": "false",
            "response_url": self.new_response_url(channel.id, user.id),
            "trigger_id": self.new_trigger(user.id),
        }
        return self._send(COMMANDS, user, payload, None)

    def _send(self, kind: str, user: User, payload: Json, view: Shown | None) -> Interaction:
        interaction = Interaction(self.world.new_id("I"), user.id, payload, view)
        self.sent[interaction.id] = interaction
        self.courier.enqueue(kind, payload, interaction.id)
        return interaction

    # ---- triggers

    def new_trigger(self, user: str) -> str:
        """A trigger that is good once, for three seconds."""
        trigger = (
            f"{self.world.rng.getrandbits(40)}.{self.world.rng.getrandbits(40)}.{self.world.rng.getrandbits(64):x}"
        )
        self._triggers[trigger] = _Trigger(user, self.world.now_s)
        return trigger

    def use_trigger(self, trigger_id: str) -> str:
        """Use a trigger up and say whose it is. Raises invalid_, exchanged_ or expired_trigger_id."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.world.now_s - trigger.issued_s > self.world.options.trigger_life_s:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    # ---- response_url

    def new_response_url(
        self,
        channel: str,
        user: str,
        message: Message | None = None,
        *,
        ephemeral: bool = False,
    ) -> str:
        """A URL to answer an interaction at, five times in half an hour."""
        token = f"{self.world.rng.getrandbits(96):024x}"
        self._urls[token] = _ResponseUrl(channel, user, self.world.now_s, message, ephemeral)
        return f"{self.world.base_url}response/{token}"

    def respond(self, token: str, body: Json) -> Response:
        """A POST to a response_url: a new message, or the original replaced or deleted."""
        url = self._urls.get(token)
        limits = self.world.options
        if url is None or self.world.now_s - url.issued_s > limits.response_url_life_s:
            return Response(404, {}, {"ok": False, "error": "expired_url"})
        if url.uses >= limits.response_url_uses_max:
            return Response(404, {}, {"ok": False, "error": "used_url"})
        url.uses += 1
        problems = kit.message_problems(body.get("blocks") or [])
        if problems:
            return Response(400, {}, {"ok": False, "error": "invalid_blocks", "errors": problems})
        original = url.message
        if original is not None and body.get("delete_original"):
            self._replace_original(url, original, None)
        elif original is not None and body.get("replace_original"):
            self._replace_original(url, original, body)
        elif not body.get("text") and not body.get("blocks"):
            return Response(400, {}, {"ok": False, "error": "no_text"})
        else:
            self._say(url, body, "response_url")
        return Response(200, {}, {"ok": True})

    def _replace_original(self, url: _ResponseUrl, original: Message, body: Json | None) -> None:
        did = Did.DELETE if body is None else Did.UPDATE
        fields: Json = {"channel": url.channel, "ts": original.ts}
        if body is not None:
            fields |= {
                "text": body.get("text", ""),
                "blocks": tuple(body.get("blocks") or ()),
            }
        self.world.log.append(self.world.clock.now(), did, "response_url", **fields)
        if url.ephemeral:
            self.world.ephemerals.pop(original.ts, None)
            return
        current = self.world.messages[url.channel].get(original.ts)
        if current is None:
            return
        if body is None:
            self.newsroom.remove(current)
            return
        blocks = tuple(kit.named(body.get("blocks") or [], self.world.rng))
        self.newsroom.revise(
            current,
            replace(current, text=wording.stored(body.get("text") or ""), blocks=blocks),
        )

    def _say(self, url: _ResponseUrl, body: Json, via: str) -> None:
        app, world = self.world.app, self.world
        blocks = tuple(kit.named(body.get("blocks") or [], world.rng))
        message = Message(
            channel=url.channel,
            ts=world.new_ts(),
            user=app.bot_user,
            team_id=world.team.id,
            text=wording.stored(body.get("text") or ""),
            blocks=blocks,
            thread_ts=body.get("thread_ts"),
            bot_id=app.bot_id,
            app_id=app.id,
        )
        seen_by_all = body.get("response_type") == "in_channel"
        if seen_by_all:
            self.newsroom.publish(message)
        else:
            world.ephemerals[message.ts] = message
        world.log.append(
            world.clock.now(),
            Did.POST if seen_by_all else Did.EPHEMERAL,
            via,
            channel=url.channel,
            ts=message.ts,
            thread_ts=message.thread_ts,
            user=None if seen_by_all else url.user,
            text=message.text,
            blocks=blocks,
        )

    # ---- answers

    def _failed(self, delivery: Delivery, reason: str) -> None:
        if delivery.interaction is not None:
            interaction = self.sent[delivery.interaction]
            interaction.status, interaction.failure = Status.FAILED, reason

    def _answered(self, delivery: Delivery, answer: Json) -> None:
        if delivery.interaction is None:
            return
        interaction = self.sent[delivery.interaction]
        interaction.answer = answer
        interaction.status = Status.ACKNOWLEDGED
        try:
            if delivery.kind == COMMANDS and (answer.get("text") or answer.get("blocks")):
                token = str(interaction.payload["response_url"]).rpartition("/")[2]
                self._say(self._urls[token], answer, "ack")
            elif interaction.payload.get("type") == "view_submission":
                self._apply(interaction, answer)
        except SlackError as error:
            interaction.status, interaction.failure = Status.FAILED, error.error

    def _apply(self, interaction: Interaction, answer: Json) -> None:
        shown = interaction.view
        if shown is None or shown.id not in self.views.shown:
            return
        action = answer.get("response_action")
        if action == "errors":
            inputs = {block["block_id"] for block in shown.view["blocks"] if block["type"] == "input"}
            if not answer.get("errors") or not set(answer["errors"]) <= inputs:
                raise SlackError("errors_name_no_input_block")
        elif action == "update":
            self.views.update(shown.id, "", answer.get("view", {}), "")
        elif action == "push":
            self.views.push(interaction.user, answer.get("view", {}))
        elif action in (None, "clear"):
            clear = action == "clear" or bool(shown.view.get("clear_on_close"))
            self.views.close(interaction.user, everything=clear)
        else:
            raise SlackError("unknown_response_action")
