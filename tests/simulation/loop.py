"""An event loop on virtual time, one per simulated process: nothing sleeps, and a process that dies takes its loop with it.

The loop does not run by itself: the world calls ``run_ready`` at each instant. What a killed process still had to do is in its
loop, which nobody runs any more: a kill -9, without clean-up. A frozen process is a loop that is not run for a while.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

CALLBACKS_MAX = 200_000
"""Callbacks at one instant: more is a livelock (no process does so much without waiting)."""


BURIALS_MAX = 10


class Livelock(Exception):
    """A process that does not come to rest at an instant."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """The part of asyncio that the program uses, on a time that is handed in. ``time()`` is in seconds since the world began."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._serial = 0
        self.dead = False
        self.halted = False
        """Set while the process gets no time: what is ready stays ready."""
        self.tasks: list[asyncio.Task[Any]] = []
        self.errors: list[str] = []
        """What nobody caught."""

    # ---------------------------------------------------------------- the world's side

    def next_at(self) -> float | None:
        """When this loop next has something to do; None: never by itself."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if self._ready:
            return self._time()
        return self._timers[0][0] if self._timers else None

    def run_ready(self) -> int:
        """Run everything that is due now, and what follows from it. Returns how many callbacks ran.

        Raises ``SystemExit`` (a crash) straight through, and ``Livelock``.
        """
        count = 0
        events._set_running_loop(self)
        try:
            while not self.dead and not self.halted:
                now = self._time()
                while self._timers and self._timers[0][0] <= now:
                    _, _, timer = heapq.heappop(self._timers)
                    if not timer.cancelled():
                        self._ready.append(timer)
                if not self._ready:
                    break
                for _ in range(len(self._ready)):
                    if self.halted:
                        break
                    handle = self._ready.popleft()
                    if not handle.cancelled():
                        handle._run()
                        count += 1
                if count > CALLBACKS_MAX:
                    raise Livelock(f"{count} callbacks at one instant")
        finally:
            events._set_running_loop(None)
        return count

    def kill(self) -> None:
        """Nothing of this loop ever runs again."""
        self.dead = True
        self._ready.clear()
        self._timers.clear()
        self.tasks = [task for task in self.tasks if not task.done()]
        for task in self.tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]

    def bury(self) -> None:
        """Take apart what a dead process left, once nothing can come of it any more: nothing is said of it later."""
        self.kill()
        events._set_running_loop(self)
        try:
            for task in self.tasks:
                coroutine: Any = task.get_coro()
                for _ in range(BURIALS_MAX):
                    try:
                        coroutine.close()
                        break
                    except (Exception, asyncio.CancelledError):  # it tried to go on: again
                        continue
        finally:
            events._set_running_loop(None)
        self.tasks = []

    # ---------------------------------------------------------------- asyncio's side

    def time(self) -> float:
        """See asyncio."""
        return self._time()

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """See asyncio."""
        handle = asyncio.Handle(callback, args, self, context)
        if not self.dead:
            self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self.dead:
            self._serial += 1
            heapq.heappush(self._timers, (when, self._serial, handle))
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """See asyncio."""
        return self.call_at(self._time() + max(0.0, delay), callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is dropped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """See asyncio."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        """See asyncio."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append(task)
        if len(self.tasks) > 2000:
            self.tasks = [other for other in self.tasks if not other.done()]
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody caught is kept for the judge."""
        if not self.dead:
            self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        """See asyncio."""
        return False

    def is_running(self) -> bool:
        """See asyncio."""
        return not self.dead

    def is_closed(self) -> bool:
        """See asyncio."""
        return self.dead
