"""The strict local Slack, without a socket: state, methods, people, and everything that can go wrong.

`SlackPlatform(clock, rng).handle("chat.postMessage", headers, params)` answers one call of the Web API. It does no
I/O and reads no time but the clock's: `server.py` puts it behind real HTTP and WebSockets, a simulation behind the
HTTP client's session. What the platform sends to the app waits in `courier` for whoever carries it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from tests.platforms.slack.acts import Acts
from tests.platforms.slack.clock import Clock
from tests.platforms.slack.courier import Courier
from tests.platforms.slack.events import Newsroom
from tests.platforms.slack.faults import Fault, Faults, Trouble
from tests.platforms.slack.interactions import Interactions
from tests.platforms.slack.limits import Limits
from tests.platforms.slack.log import Log
from tests.platforms.slack.methods import METHODS
from tests.platforms.slack.methods.base import Desk
from tests.platforms.slack.oidc import SignIn
from tests.platforms.slack.sockets import SocketHub
from tests.platforms.slack.values import (
    App,
    Call,
    Json,
    Options,
    Response,
    SlackError,
    Wire,
)
from tests.platforms.slack.views import Views
from tests.platforms.slack.workspace import Workspace

_HTML = "<!DOCTYPE html><html><body>Service Unavailable</body></html>"


class SlackPlatform:
    """A Slack with one app installed.

    `world` state and set-up · `people` what people and admins do · `log` what was accepted · `faults` what goes wrong ·
    `limits` rate limits · `courier` payloads for the app · `sockets` Socket Mode · `views` modals and homes ·
    `interactions` triggers and response_urls · `sign_in` OpenID Connect · `calls` how often each method was called.
    """

    def __init__(
        self,
        clock: Clock,
        rng: Random,
        *,
        app: App | None = None,
        options: Options | None = None,
    ) -> None:
        self.clock = clock
        self.world = Workspace(clock, rng, app or App(), options or Options())
        self.courier = Courier(clock, rng, self.world.options)
        self.newsroom = Newsroom(self.world, self.courier)
        self.views = Views(self.world)
        self.interactions = Interactions(self.world, self.courier, self.newsroom, self.views)
        self.people = Acts(self.world, self.newsroom, self.interactions, self.views)
        self.sockets = SocketHub(clock, rng, self.world.options)
        self.faults = Faults(Random(rng.getrandbits(64)))
        self.limits = Limits()
        self.sign_in = SignIn(self.world)
        self.calls: Counter[str] = Counter()
        self._desk = Desk(
            self.world,
            self.newsroom,
            self.views,
            self.interactions,
            self.sockets,
            self.limits,
        )

    @property
    def log(self) -> Log:
        """What the platform accepted, append-only."""
        return self.world.log

    def handle(self, api_method: str, headers: Mapping[str, str], params: Mapping[str, Any]) -> Response:
        """Answer one Web API call. `params` are the arguments, decoded from JSON, form and query alike."""
        self.calls[api_method] += 1
        lowered = {name.lower(): value for name, value in headers.items()}
        fault = self.faults.strike(api_method)
        if fault is None:
            return self._work(api_method, lowered, params)
        done = fault.done or fault.trouble in (Trouble.LOST_REPLY, Trouble.DELAY)
        answer = self._work(api_method, lowered, params) if done else None
        return _troubled(fault, answer)

    def route(
        self,
        path: str,
        headers: Mapping[str, str],
        params: Mapping[str, Any],
        content: bytes = b"",
    ) -> Response:
        """Answer any request by its path: `/api/<method>`, `/response/…`, `/upload/…`, `/files-pri/…`, `/openid/…`."""
        family, _, rest = path.lstrip("/").partition("/")
        if family == "api":
            return self.handle(rest, headers, params)
        if family == "response":
            self.calls["response_url"] += 1
            fault = self.faults.strike("response_url")
            done = fault is None or fault.done or fault.trouble in (Trouble.LOST_REPLY, Trouble.DELAY)
            answer = self.interactions.respond(rest, dict(params)) if done else None
            return (
                answer if fault is None and answer is not None else _troubled(fault or Fault("", Trouble.RESET), answer)
            )
        if family == "upload":
            return self._upload(rest, content)
        if family == "files-pri":
            return self._download(rest, {name.lower(): value for name, value in headers.items()})
        if path.lstrip("/") == "openid/connect/authorize":
            return self.sign_in.authorize({name: str(value) for name, value in params.items()})
        if path.lstrip("/") == "openid/connect/keys":
            return Response(200, {}, self.sign_in.signer.jwks())
        if path.lstrip("/") == ".well-known/openid-configuration":
            return Response(200, {}, self.sign_in.configuration())
        return Response(404, {}, "not found")

    def _work(self, name: str, headers: Mapping[str, str], params: Mapping[str, Any]) -> Response:
        try:
            self.limits.count(name, self.world.now_s)
            if name == "openid.connect.token":
                return Response(200, {}, {"ok": True, **self.sign_in.token(headers, params)})
            token = _token(headers, params)
            if name == "openid.connect.userInfo":
                return Response(200, {}, {"ok": True, **self.sign_in.user_info(token)})
            method = METHODS.get(name)
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            call = Call(name, params, self._scopes(token, method.token))
            if method.scopes:
                call.need_scope(*method.scopes)
            answer = method.run(self._desk, call)
        except SlackError as error:
            return Response(
                error.status,
                error.headers,
                {"ok": False, "error": error.error, **error.extra},
            )
        return Response(
            200,
            {"X-OAuth-Scopes": ",".join(sorted(call.scopes))},
            {"ok": True, **answer},
        )

    def _scopes(self, token: str, wanted: str) -> frozenset[str]:
        app = self.world.app
        if not token:
            raise SlackError("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise SlackError("invalid_auth")
        if token == app.bot_token and self.world.token_error:
            raise SlackError(self.world.token_error)
        if (token == app.app_token) != (wanted == "app"):
            raise SlackError("not_allowed_token_type")
        return app.app_scopes if token == app.app_token else app.scopes

    def _upload(self, file_id: str, content: bytes) -> Response:
        expected = self.world.uploads.get(file_id)
        if expected is None:
            return Response(404, {}, "not found")
        if len(content) != expected:
            return Response(400, {}, f"expected {expected} bytes, got {len(content)}")
        del self.world.uploads[file_id]
        self.world.files[file_id] = replace(self.world.files[file_id], content=content)
        return Response(200, {"Content-Type": "text/plain"}, f"OK - {expected}")

    def _download(self, rest: str, headers: Mapping[str, str]) -> Response:
        file = self.world.files.get(rest.partition("/")[0])
        if file is None:
            return Response(404, {}, "not found")
        if _token(headers, {}) != self.world.app.bot_token or self.world.token_error:
            return Response(302, {"Location": "https://slack.invalid/signin"}, "")
        return Response(200, {"Content-Type": file.mimetype}, file.content)


def _token(headers: Mapping[str, str], params: Mapping[str, Any]) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value if kind.lower() == "bearer" else str(params.get("token") or "")


def _troubled(fault: Fault, answer: Response | None) -> Response:
    """The answer as it comes out of a fault; `answer` is what the work answered, None when it was not done."""
    reply = answer or Response(503, {}, _HTML)
    wait = {"Retry-After": str(fault.retry_after_s)}
    match fault.trouble:
        case Trouble.LOST_REPLY | Trouble.RESET:
            return replace(reply, wire=Wire.CUT)
        case Trouble.DELAY:
            return replace(reply, delay_s=fault.delay_s)
        case Trouble.HANG:
            return replace(reply, wire=Wire.HANG)
        case Trouble.RATE_LIMITED:
            return Response(429, wait, _error("ratelimited"))
        case Trouble.RATELIMITED_BODY:
            return Response(200, wait, _error("ratelimited"))
        case Trouble.SERVER_ERROR:
            return Response(fault.status, {"Content-Type": "text/html"}, _HTML)
        case Trouble.FATAL_ERROR | Trouble.INTERNAL_ERROR:
            return Response(200, {}, _error(fault.trouble.value))
        case Trouble.API_ERROR:
            return Response(200, {}, _error(fault.error))


def _error(name: str) -> Json:
    return {"ok": False, "error": name}
