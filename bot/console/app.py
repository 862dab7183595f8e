"""The console as one Starlette application: pages, their files, live news and health."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot.console import cases, incident_acts, ops, overview, playground, wording, wording_acts
from bot.console.door import LOOPBACK, Door
from bot.console.frame import admitted, no
from bot.console.live import events
from bot.console.pages import HERE, Pages
from bot.console.parts import Running
from bot.console.people import Gate, Page
from bot.staff import Role
from bot.store.port import StoreUnavailable


class Files(StaticFiles):
    """Our own files. Their addresses carry a fingerprint, so that browsers may keep them."""

    def file_response(self, full_path: object, stat_result: object, scope: Scope, status_code: int = 200) -> Response:
        """See Starlette."""
        response = super().file_response(full_path, stat_result, scope, status_code)  # type: ignore[arg-type]
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if scope.get("query_string") else "no-cache"
        )
        return response


PAGES: tuple[Page, ...] = (
    Page("/events", "GET", events, Role.AGENT),
    *overview.PAGES,
    *incident_acts.PAGES,
    *cases.PAGES,
    *wording.PAGES,
    *wording_acts.PAGES,
)
"""Everything that can be asked of the console, each with the role it needs; there is no other way in."""
PLAYGROUND: tuple[Page, ...] = tuple(
    Page(path, method, endpoint, Role.ADMIN) for path, method, endpoint in playground.ROUTES
)


def web(
    app: Running,
    gate: Gate,
    more: Iterable[Page] = (),
    hosts: Collection[str] = LOOPBACK,
) -> Starlette:
    """The console of a running program. ``more`` are pages that only this program has; ``hosts`` the names it goes by."""
    pages = Pages()
    pages.env.globals["asset"] = asset
    extra = tuple(more)
    routes = [
        *(Route(p.path, admitted(p, gate), methods=[p.method]) for p in (*PAGES, *gate.pages, *extra)),
        *ops.routes(app),
        Mount("/static", Files(directory=HERE / "static")),
    ]
    handlers = {HTTPException: known_error, StoreUnavailable: unavailable}
    middleware = [Middleware(Door, hosts=hosts)]
    console = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)  # type: ignore[arg-type]
    console.state.parts = app
    console.state.pages = pages
    console.state.has_playground = bool(extra)
    console.state.glances = overview.glances(app)
    console.state.names = dict[str, str]()
    return console


FINGERPRINTS: dict[str, str] = {}


def asset(name: str) -> str:
    """The address of one of our files."""
    if name not in FINGERPRINTS:
        FINGERPRINTS[name] = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{FINGERPRINTS[name]}"


async def known_error(request: Request, error: HTTPException) -> Response:
    """A refusal in plain words."""
    answer = await no(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def unavailable(request: Request, error: StoreUnavailable) -> Response:
    """The database cannot be read or written for now."""
    words = f"The database cannot be reached for now: {error}. Nothing was lost; try again in a moment.\n"
    return PlainTextResponse(words, status_code=503, headers={"retry-after": "2"})
