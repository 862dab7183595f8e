"""News as they happen: a stream of server-sent events that says *that* something changed. The page then asks for itself again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from bot.console.parts import Running

GATHER_S = 0.08
"""Changes that come closer together than this are told once."""
PING_S = 15
"""A comment now and then, so that a browser notices when we are gone."""
LOOK_UP_S = 5.0
"""How often a stream that has nothing to say looks whether the program is stopping."""


async def news(app: Running) -> AsyncIterator[ServerSentEvent]:
    """One ``changed`` for each moment in which something changed; its data is the count of rings."""
    bell = app.worker.bell
    heard = bell.rings
    yield ServerSentEvent(event="hello", data=str(heard), retry=500)
    while not app.worker.stopping.is_set():
        rings = await bell.heard(heard, LOOK_UP_S)
        if rings == heard:
            continue
        await asyncio.sleep(GATHER_S)
        heard = bell.rings
        yield ServerSentEvent(event="changed", data=str(heard))


async def events(request: Request) -> Response:
    """The stream for one browser."""
    return EventSourceResponse(news(request.app.state.parts), ping=PING_S)
