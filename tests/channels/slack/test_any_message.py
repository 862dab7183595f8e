"""Messages that Slack never described: none raises out of the intake, and the next customer is heard all the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desk.scene import company

pytestmark = pytest.mark.anyio
SAID: dict[str, Any] = {
    "type": "message", "channel_type": "channel", "text": "<@U0HEAROUT> nobody answers", "ts": "1790000000.000100", "team": "T1",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PART = st.dictionaries(st.sampled_from(["ts", "text", "user", "edited", "subtype", "bot_id"]), JSON, max_size=4)
FIELDS = st.sampled_from(
    [*SAID, "user", "subtype", "thread_ts", "files", "edited", "bot_id", "user_team", "deleted_ts", "event_ts", "latest_reply"]
)
CHANGES = st.dictionaries(FIELDS, JSON, max_size=3)
EVENTS = st.builds(
    lambda changes, subtype, message, before: SAID | subtype | {"message": message, "previous_message": before} | changes,
    CHANGES,
    st.sampled_from([{}, {}, {"subtype": "message_changed"}, {"subtype": "message_deleted", "deleted_ts": "1790000000.000100"}]),
    PART | JSON,
    PART | JSON,
)


@settings(max_examples=8, deadline=None)
@given(st.lists(EVENTS, min_size=40, max_size=60))
async def test_no_message_raises_and_the_next_is_heard(events: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with company(Path(folder)) as desk:
            for event in events:
                here = {"channel": desk.help.id, "user": desk.outsider.id} | event
                await desk.outside.on_message(here)
                await desk.outside.sweep.take(desk.help.id, here)
            await desk.writes("@hearout our export has been failing since the update and nobody answers")
            await desk.later(600)
            assert [answer for answer in desk.replies() if answer.thread_ts] != []
            assert (await desk.slack_case()).replied_at is not None
