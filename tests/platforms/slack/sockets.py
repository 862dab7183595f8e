"""Socket Mode without a socket: tickets that are good once, the open connections, and which of them misbehave."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from tests.platforms.slack.clock import Clock
from tests.platforms.slack.values import Json, Options


class DeadTicket(Exception):
    """The ticket is unknown, used, too old or was declared dead: the handshake is refused with 408."""


@dataclass
class Socket:
    """One connection. `deaf`: what is routed to it never arrives. `half_open`: it neither sends nor answers pings."""

    id: int
    opened_at: datetime
    deaf: bool = False
    half_open: bool = False
    pings: int = 0


@dataclass
class SocketHub:
    """Issues tickets, and routes each payload to any one of the open sockets, as Slack does."""

    clock: Clock
    rng: Random
    options: Options
    open: dict[int, Socket] = field(default_factory=dict)
    handshakes: int = 0
    refused: int = 0
    _tickets: dict[str, datetime] = field(default_factory=dict)
    _dead: int = 0

    def issue(self) -> str:
        """A ticket for one handshake."""
        ticket = f"{self.rng.getrandbits(128):032x}"
        self._tickets[ticket] = self.clock.now()
        return ticket

    def kill_tickets(self, coming: int = 0) -> None:
        """Declare every ticket out there dead, and the next `coming` that are presented too."""
        self._tickets.clear()
        self._dead = coming

    def redeem(self, ticket: str) -> Socket:
        """Open a connection. Raises: DeadTicket."""
        issued_at = self._tickets.pop(ticket, None)
        age_s = 0.0 if issued_at is None else (self.clock.now() - issued_at).total_seconds()
        if self._dead or issued_at is None or age_s > self.options.ticket_life_s:
            self._dead = max(0, self._dead - 1)
            self.refused += 1
            raise DeadTicket(ticket)
        self.handshakes += 1
        socket = Socket(self.handshakes, self.clock.now())
        self.open[socket.id] = socket
        return socket

    def close(self, socket: Socket) -> None:
        """Forget a connection."""
        self.open.pop(socket.id, None)

    def route(self) -> Socket | None:
        """Any open socket; None when there is none."""
        return self.rng.choice(list(self.open.values())) if self.open else None

    def hello(self, app_id: str) -> Json:
        """The first frame of a connection."""
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": {
                "host": "applink-local",
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": app_id},
        }
