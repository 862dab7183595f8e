"""Slack's rate limits, counted on the platform's clock (https://docs.slack.dev/apis/web-api/rate-limits)."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.platforms.slack.values import SlackError

_TIER_20 = "apps.connections.open conversations.list users.list usergroups.list usergroups.users.list"
_TIER_50 = (
    "chat.update chat.delete conversations.history conversations.replies conversations.info conversations.open "
    "conversations.join reactions.add reactions.remove team.info"
)
_TIER_100 = (
    "chat.postEphemeral users.info views.open views.update views.push views.publish conversations.members "
    "files.info files.getUploadURLExternal files.completeUploadExternal"
)
PER_MINUTE = {
    name: per_minute
    for names, per_minute in ((_TIER_20, 20), (_TIER_50, 50), (_TIER_100, 100))
    for name in names.split()
}


@dataclass
class Limits:
    """Counts calls and refuses those over a limit with 429 and `Retry-After` (whole seconds).

    `post_burst` messages may go to one channel at once, then one a second; Slack tolerates "short bursts" without a
    number, so the strict default is 1. `posts_per_minute` holds for the workspace.
    """

    per_minute: Mapping[str, int] = field(default_factory=lambda: dict(PER_MINUTE))
    post_burst: int = 1
    posts_per_minute: int = 300
    enabled: bool = True
    refused: int = 0
    _calls: dict[str, deque[float]] = field(default_factory=dict)
    _level: dict[str, tuple[float, float]] = field(default_factory=dict)

    def count(self, method: str, now_s: float) -> None:
        """Count one call of `method`."""
        per_minute = self.per_minute.get(method)
        if per_minute is not None:
            self._window(method, per_minute, now_s)

    def count_post(self, channel: str, now_s: float) -> None:
        """Count one message to `channel`: a leaking bucket per channel, a window per workspace."""
        if not self.enabled:
            return
        level, at_s = self._level.get(channel, (0.0, now_s))
        level = max(0.0, level - max(0.0, now_s - at_s))
        if level + 1.0 > self.post_burst + 1e-6:
            self._refuse(level + 1.0 - self.post_burst)
        self._window("posts", self.posts_per_minute, now_s)
        self._level[channel] = (level + 1.0, now_s)

    def _window(self, key: str, per_minute: int, now_s: float) -> None:
        if not self.enabled:
            return
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now_s - 60.0:
            calls.popleft()
        if len(calls) >= per_minute:
            self._refuse(calls[0] + 60.0 - now_s)
        calls.append(now_s)

    def _refuse(self, wait_s: float) -> None:
        self.refused += 1
        raise SlackError(
            "ratelimited",
            status=429,
            headers={"Retry-After": str(max(1, math.ceil(wait_s - 1e-6)))},
        )
