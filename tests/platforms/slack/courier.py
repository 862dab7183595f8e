"""What the platform sends to the app, without a socket: queue, three seconds to acknowledge, retries, mischief.

A transport (the server, or a simulation) takes the attempts that are due, carries them, and says how each was
answered. An event that is not acknowledged with success is tried again after about 0, 1 and 5 minutes
(https://docs.slack.dev/apis/events-api#retries); an interaction is never tried again: the person sees an error.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from tests.platforms.slack.clock import Clock
from tests.platforms.slack.values import Json, Options

EVENTS, INTERACTIVE, COMMANDS = "events_api", "interactive", "slash_commands"


@dataclass(frozen=True)
class Delivery:
    """One payload for the app. `interaction` names the act of a person that waits for its answer."""

    id: int
    kind: str
    payload: Json
    interaction: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One try at a delivery; `envelope_id` is new for every try, the payload's `event_id` is not."""

    envelope_id: str
    delivery: Delivery
    sent_at: datetime
    retry_num: int = 0
    retry_reason: str | None = None

    def envelope(self) -> Json:
        """The Socket Mode envelope of this attempt."""
        frame: Json = {
            "envelope_id": self.envelope_id,
            "type": self.delivery.kind,
            "accepts_response_payload": self.delivery.kind != EVENTS,
            "payload": self.delivery.payload,
        }
        if self.delivery.kind == EVENTS:
            frame |= {
                "retry_attempt": self.retry_num,
                "retry_reason": self.retry_reason or "",
            }
        return frame


@dataclass(frozen=True)
class _Waiting:
    due_at: datetime
    delivery: Delivery
    retry_num: int = 0
    retry_reason: str | None = None


@dataclass
class Courier:
    """The queue to the app. `attempts` and `dropped` are histories for a test to read."""

    clock: Clock
    rng: Random
    options: Options
    on_answer: Callable[[Delivery, Json], None] = lambda delivery, payload: None
    on_failure: Callable[[Delivery, str], None] = lambda delivery, reason: None
    on_change: Callable[[], None] = lambda: None
    attempts: list[Attempt] = field(default_factory=list)
    acknowledged: list[Attempt] = field(default_factory=list)
    dropped: list[Delivery] = field(default_factory=list)
    _queue: list[_Waiting] = field(default_factory=list)
    _flying: dict[str, Attempt] = field(default_factory=dict)
    _held: list[_Waiting] | None = None
    _copies: int = 1
    _lose: int = 0
    _ids: int = 0
    _envelopes: int = 0

    def enqueue(self, kind: str, payload: Json, interaction: str | None = None) -> Delivery:
        """Queue a payload, to go at once."""
        self._ids += 1
        delivery = Delivery(self._ids, kind, json.loads(json.dumps(payload)), interaction)
        if kind == EVENTS and self._lose:
            self._lose -= 1
            self.dropped.append(delivery)
            return delivery
        copies, self._copies = self._copies, 1
        queue = self._queue if self._held is None else self._held
        queue.extend(_Waiting(self.clock.now(), delivery) for _ in range(copies))
        self.on_change()
        return delivery

    # ---- mischief

    def hold(self) -> None:
        """Keep new payloads back until `release`."""
        self._held = [] if self._held is None else self._held

    def release(self, order: Sequence[int] | str = "as_sent") -> None:
        """Let the held ones go: "as_sent", "reversed", "shuffled", or indices (an index twice is a duplicate)."""
        held, self._held = self._held or [], None
        if order == "reversed":
            held.reverse()
        elif order == "shuffled":
            self.rng.shuffle(held)
        elif order != "as_sent":
            held = [held[int(index)] for index in order]
        self._queue.extend(held)
        self.on_change()

    def duplicate_next(self, copies: int) -> None:
        """The next payload goes out `copies` times at once (same event_id)."""
        self._copies = copies

    def lose_next(self, count: int) -> None:
        """The next `count` events are never delivered; only a sweep of the history finds them."""
        self._lose = count

    # ---- for a transport

    @property
    def idle(self) -> bool:
        """True when nothing is in the air and nothing is due now."""
        now = self.clock.now()
        return not self._flying and not any(waiting.due_at <= now for waiting in self._queue)

    def next_due_at(self) -> datetime | None:
        """When the next attempt or time-out is due; None when nothing is waited for."""
        ack_within = timedelta(seconds=self.options.ack_within_s)
        instants = [waiting.due_at for waiting in self._queue]
        instants += [attempt.sent_at + ack_within for attempt in self._flying.values()]
        return min(instants, default=None)

    def take_due(self) -> list[Attempt]:
        """The attempts to carry now. Those in the air for more than three seconds are given up first."""
        now = self.clock.now()
        for attempt in list(self._flying.values()):
            if (now - attempt.sent_at).total_seconds() > self.options.ack_within_s:
                self.answered(attempt.envelope_id, ok=False, reason="timeout")
        due = [waiting for waiting in self._queue if waiting.due_at <= now]
        self._queue = [waiting for waiting in self._queue if waiting.due_at > now]
        return [self._launch(waiting, now) for waiting in due]

    def answered(
        self,
        envelope_id: str,
        *,
        ok: bool,
        payload: Json | None = None,
        reason: str = "http_error",
        retry: bool = True,
    ) -> None:
        """How an attempt ended. An answer after the three seconds, or a second one, changes nothing."""
        attempt = self._flying.pop(envelope_id, None)
        if attempt is None:
            return
        delivery = attempt.delivery
        if ok and (self.clock.now() - attempt.sent_at).total_seconds() > self.options.ack_within_s:
            ok, reason = False, "timeout"
        if ok:
            self.acknowledged.append(attempt)
            self.on_answer(delivery, payload or {})
        elif delivery.kind == EVENTS and retry and attempt.retry_num < len(self.options.retry_after_s):
            wait = timedelta(seconds=self.options.retry_after_s[attempt.retry_num])
            self._queue.append(_Waiting(self.clock.now() + wait, delivery, attempt.retry_num + 1, reason))
        else:
            self.dropped.append(delivery)
            self.on_failure(delivery, reason)
        self.on_change()

    def _launch(self, waiting: _Waiting, now: datetime) -> Attempt:
        self._envelopes += 1
        name = f"{self.rng.getrandbits(64):016x}-{self._envelopes}"
        attempt = Attempt(name, waiting.delivery, now, waiting.retry_num, waiting.retry_reason)
        self._flying[name] = attempt
        self.attempts.append(attempt)
        return attempt
