"""The strict local X: a request in, an answer out, no sockets and no real time.

A request passes, in this order: route, planned fault, signature, credits, rate limits, permission, parameters, handler.
"""

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from tests.platforms.x import problems
from tests.platforms.x.call import Call
from tests.platforms.x.faults import Fault, Faults, Kind
from tests.platforms.x.limits import Limits
from tests.platforms.x.model import Accepted, Account, CallRecord, Json, Permission, Response
from tests.platforms.x.oauth import BadSignature, SignatureCheck, parse_header
from tests.platforms.x.params import check
from tests.platforms.x.problems import Problem
from tests.platforms.x.routes import APP, ROUTES, USER, Route
from tests.platforms.x.settings import Settings
from tests.platforms.x.streaming import Streams
from tests.platforms.x.world import World

_JSON = {"content-type": "application/json; charset=utf-8"}
_HTML = {"content-type": "text/html; charset=utf-8"}
_PERMISSIONS = tuple(Permission)
_CUT = Response(0, {}, b"", cut=True)


@dataclass(frozen=True, slots=True)
class _Request:
    route: Route
    args: dict[str, str]
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class XPlatform:
    """X API v2 with state. `world` is what tests act on, `accepted` the judge of "once".

    `clock` gives aware UTC instants; `rng` decides ids, lags and chances, so that a seed repeats everything.
    `base_url` is where clients believe to be: signatures must fit it, or the `Host` header where one is sent.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        rng: random.Random | None = None,
        settings: Settings | None = None,
        base_url: str = "https://api.x.com",
    ) -> None:
        rng = rng or random.Random(0)
        self.clock = clock
        self.settings = settings or Settings()
        self.base_url = base_url
        self.world = World(clock, rng, self.settings)
        self.streams = Streams(self.world)
        self.limits = Limits()
        self.faults = Faults(random.Random(rng.random()))
        self.calls: list[CallRecord] = []
        self.auth_failures: list[str] = []
        """Why requests were answered 401: X does not tell the client."""
        self._signatures = SignatureCheck()

    @property
    def accepted(self) -> tuple[Accepted, ...]:
        """Everything that the API took, in order. Posts made by hand are not in it."""
        return tuple(self.world.accepted)

    def handle(
        self, method: str, path: str, query: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Answer one request. `path` and `query` are raw, as they stand in the request line."""
        found = _find_route(method, path)
        if found is None:
            known = any(route.match(other, path) is not None for route in ROUTES for other in ("GET", "POST", "DELETE"))
            status, title = (405, "Method Not Allowed") if known else (404, "Not Found")
            self._record(f"{method} {path}", path, query, status, None, 0, None)
            return _refusal(problems.plain(status, title, title))
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        request = _Request(*found, method, path, query, lowered, body)
        fault = self.faults.due(request.route.name, path, self.clock())
        return self._serve(request) if fault is None else self._fail(request, fault)

    def calls_to(self, endpoint: str) -> list[CallRecord]:
        """The requests of one route, as `GET /2/users/:id/mentions`."""
        return [call for call in self.calls if call.endpoint == endpoint]

    # Going well

    def _serve(self, request: _Request, fault: Fault | None = None) -> Response:
        now = self.clock()
        account: Account | None = None
        headers: dict[str, str] = dict(_JSON)
        items = 0
        stream = None
        try:
            account = self._authenticate(request, now)
            if self.world.credits_depleted:
                raise problems.credits_depleted(account.id if account else "0")
            allowed, of_limits = self.limits.charge(request.route.name, account.id if account else None, now)
            headers |= of_limits
            if not allowed:
                raise problems.too_many_requests()
            if account and _PERMISSIONS.index(account.permission) < _PERMISSIONS.index(request.route.permission):
                raise problems.missing_permission()
            call = self._call(request, account, now)
            if request.route.handler is None:
                status, payload, stream = 200, b"", self.streams.open(call.params)
            else:
                status, answer = request.route.handler(call)
                items = len(answer["data"]) if isinstance(answer.get("data"), list) else int("data" in answer)
                payload = json.dumps(answer).encode()
        except Problem as problem:
            status, payload = problem.status, json.dumps(problem.body).encode()
        name = fault.kind.value if fault else None
        self._record(request.route.name, request.path, request.query, status, account, items, name)
        return Response(status, headers, payload, stream=stream)

    def _authenticate(self, request: _Request, now: datetime) -> Account | None:
        header = request.headers.get("authorization", "")
        try:
            if header.startswith("OAuth "):
                account, used = self._signed_by(request, header, now), USER
            elif header == f"Bearer {self.world.bearer_token}":
                account, used = None, APP
            else:
                raise BadSignature("no OAuth header and no known bearer token")
        except BadSignature as reason:
            self.auth_failures.append(f"{request.method} {request.path}: {reason}")
            raise problems.unauthorized() from reason
        if used not in request.route.auth:
            raise problems.unsupported_authentication(used, request.route.auth)
        return account

    def _signed_by(self, request: _Request, header: str, now: datetime) -> Account:
        base = urlsplit(self.base_url)
        url = f"{base.scheme}://{request.headers.get('host', base.netloc)}{request.path}"
        accounts = {account.credentials.access_token: account for account in self.world.accounts.values()}
        known = {token: account.credentials for token, account in accounts.items()}
        pairs = parse_qsl(request.query, keep_blank_values=True)
        keys = self._signatures.verify(request.method, url, pairs, header, known, now, self.settings.timestamp_skew_s)
        account = accounts[keys.access_token]
        if account.revoked or account.user.deleted:
            raise BadSignature(f"the token of @{account.user.username} was revoked")
        return account

    def _call(self, request: _Request, account: Account | None, now: datetime) -> Call:
        params = check(request.route.spec, parse_qsl(request.query, keep_blank_values=True))
        body: Json = {}
        if request.method == "POST":
            if not request.headers.get("content-type", "").startswith("application/json"):
                raise problems.plain(415, "Unsupported Media Type", "Content-Type must be application/json")
            try:
                body = json.loads(request.body)
            except ValueError:
                raise problems.invalid("Requests body is not valid JSON", "body", request.body[:50].hex()) from None
            if not isinstance(body, dict):
                raise problems.invalid("$: object expected", "body", str(body)[:50])
        return Call(self.world, self.streams, account, request.args, params, body, now, request.path)

    # Going wrong

    def _fail(self, request: _Request, fault: Fault) -> Response:
        if fault.kind is Kind.LATE:
            return Response(0, {}, b"", delay_s=fault.delay_s, resume=lambda: self._serve(request, fault))
        done = self._serve(request, fault) if fault.is_landing else None
        answer = self._faulty(request, fault, done)
        if done is None:
            self._record(request.route.name, request.path, request.query, answer.status, None, 0, fault.kind.value)
        elif done.stream and answer.stream is None:
            self.streams.close(done.stream)
        return answer

    def _faulty(self, request: _Request, fault: Fault, done: Response | None) -> Response:
        match fault.kind:
            case Kind.RESET | Kind.LOST_REPLY:
                return _CUT
            case Kind.HANG:
                return replace(_CUT, delay_s=math.inf)
            case Kind.DELAY:
                return replace(done or _CUT, delay_s=fault.delay_s)
            case Kind.INVALID_JSON:
                body = done.body if done else b'{"data":{"id":'
                return Response(200, _JSON, body[: len(body) // 2])
            case Kind.SERVER_ERROR:
                page = f"<html><head><title>{fault.status}</title></head><body><h1>Over capacity</h1></body></html>"
                return Response(fault.status, _HTML, page.encode())
            case Kind.TOO_MANY:
                account = self._claimed(request)
                used_up = self.limits.exhaust(request.route.name, account, self.clock())
                return _refusal(problems.too_many_requests(), used_up)
            case Kind.ERRORS_ONLY:
                body = json.dumps({"errors": [problems.missing("tweet", "id", "1")]}).encode()
                return Response(200, _JSON, body)
        return _refusal(_PROBLEMS[fault.kind])

    def _claimed(self, request: _Request) -> str | None:
        """Who the request says it is from; an injected 429 does not check the signature."""
        try:
            token = parse_header(request.headers.get("authorization", ""))["oauth_token"]
        except BadSignature:
            return None
        return token.partition("-")[0]

    def _record(
        self, endpoint: str, path: str, query: str, status: int, account: Account | None, items: int, fault: str | None
    ) -> None:
        who = account.id if account else None
        self.calls.append(CallRecord(self.clock(), endpoint, path, query, status, who, items, fault))


_PROBLEMS = {
    Kind.TOO_MANY_BARE: problems.too_many_requests(),
    Kind.UNAUTHORIZED: problems.unauthorized(),
    Kind.CREDITS_DEPLETED: problems.credits_depleted("0"),
    Kind.DUPLICATE: problems.forbidden(problems.DUPLICATE),
    Kind.NOT_MENTIONED: problems.forbidden(problems.NOT_MENTIONED),
    Kind.PERMANENT: problems.forbidden(problems.NOT_PERMITTED),
    Kind.NOT_FOUND: problems.not_found(),
}


def _refusal(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(problem.status, {**_JSON, **(headers or {})}, json.dumps(problem.body).encode())


def _find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    for route in ROUTES:
        args = route.match(method, path)
        if args is not None:
            return route, args
    return None
