"""One signed webhook: what became of cases, for other systems. It leaves through the outbox, like everything else.

The body is JSON; ``X-Hearout-Signature`` is ``sha256=`` and the hex HMAC-SHA256 of ``{timestamp}.{body}`` under the shared
secret, and ``X-Hearout-Timestamp`` the seconds since 1970. ``X-Hearout-Id`` is the same for every try of one message:
receivers drop repeats by it, so a try whose outcome is unknown may be made again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.channels.port import Accepted, Rejected, Transient
from bot.clock import Clock
from bot.store.records import OutboxRow
from conversations.conversation import Conversation
from conversations.ids import ExternalId
from conversations.protocol import State

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_S = 10.0
RETRY_S = 60.0

OCCASIONS: Mapping[State, str] = {
    State.AWAITING_AGENT: "handed_off",
    State.FULFILLING: "agreed",
    State.RESOLVED: "resolved",
    State.CHECKING_BACK: "checked_back",
    State.CLOSED: "closed",
}
"""What is told when a case comes into a state; opening is told with its first decision."""


def occasion(before: Conversation, after: Conversation) -> str | None:
    """What has happened to a case that others should hear of, or None."""
    if before.version == 0:
        return "opened"
    return OCCASIONS.get(after.state) if after.state is not before.state else None


def body_of(case: Conversation, what: str, at: str) -> dict[str, Any]:
    """What is told: no words of the customer, and nothing that the desk keeps to itself."""
    return {
        "event": what,
        "at": at,
        "conversation": case.key,
        "channel": case.channel,
        "account": case.account,
        "customer": case.customer.id,
        "language": case.language,
        "topics": list(case.topics),
        "state": case.state.value,
        "outcome": case.outcome.value if case.outcome else None,
        "owner": case.owner.name if case.owner else None,
        "reference": case.reference,
        "remedy": case.plan.remedy if case.plan and case.plan.agreed_at else None,
        "rounds": case.rounds,
    }


class Webhook:
    """Posts to one address."""

    sending_s = TIMEOUT_S

    def __init__(self, url: str, secret: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        self.url = url
        self.secret = secret.encode()
        self.session = session
        self.clock = clock

    async def post(self, row: OutboxRow) -> Accepted:
        """Post one row. Raises ``Transient`` for anything that may pass, ``Rejected`` for a plain refusal (4xx)."""
        import aiohttp  # 0.3 s and 15 MB that only a webhook needs

        now = self.clock.now()
        body = json.dumps(dict(row.body), ensure_ascii=False, sort_keys=True).encode()
        timestamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Hearout-Id": row.key,
            "X-Hearout-Timestamp": timestamp,
            "X-Hearout-Signature": signature(self.secret, timestamp, body),
        }
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self.session.post(
                self.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Transient(f"webhook: {type(error).__name__}", RETRY_S, pause_lane=True) from error
        if 200 <= status < 300:
            return Accepted(ExternalId(row.key), now)
        if status in (408, 425, 429) or status >= 500:
            raise Transient(f"webhook: HTTP {status}", RETRY_S, pause_lane=True)
        raise Rejected(f"webhook: HTTP {status}")


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The signature of a body, for sender and receiver."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
