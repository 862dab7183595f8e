"""What machines ask of a running bot: is it alive, is it ready, its figures; and the door for Slack's signed requests.

Slack's requests come through a balancer under any host name and are proved by their signature, so they pass beside the
console's door; everything else passes through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.clock import Clock
from bot.metrics import Metrics
from bot.store.port import Store, StoreUnavailable
from bot.worker import Worker

SLACK_EVENTS = "/slack/events"


class Running(Protocol):
    """The parts of a running program that machines ask about."""

    @property
    def store(self) -> Store: ...
    @property
    def worker(self) -> Worker: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def clock(self) -> Clock: ...


def routes(app: Running) -> list[BaseRoute]:
    """``/healthz``, ``/readyz`` and ``/metrics``."""

    async def alive(request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(request: Request) -> Response:
        wrong: dict[str, str] = dict(app.worker.failures)
        try:
            await app.store.next_wake_at()
        except StoreUnavailable as error:
            wrong["store"] = str(error)
        fine = app.worker.ready and not wrong
        return JSONResponse({"ready": fine, "failures": wrong}, status_code=200 if fine else 503)

    async def metrics(request: Request) -> Response:
        text = await app.metrics.text(app.store, app.clock.now().timestamp())
        return Response(text, media_type="text/plain; version=0.0.4")

    return [Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)]


def beside(console: ASGIApp, signed: Sequence[BaseRoute]) -> ASGIApp:
    """The console, with Slack's signed requests beside it."""
    slack = Starlette(routes=list(signed))

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        inner = slack if signed and scope["type"] == "http" and scope["path"] == SLACK_EVENTS else console
        await inner(scope, receive, send)

    return either
