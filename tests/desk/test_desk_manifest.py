"""The manifest asks for what the code uses, and for no more; the local Slack gives the app the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.platforms.slack.values import BOT_SCOPES, SUBSCRIPTIONS

ROOT = Path(__file__).parents[2]
MANIFEST = json.loads((ROOT / "deploy/slack-manifest.json").read_text())


def test_scopes_and_events_are_those_of_the_local_slack() -> None:
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == BOT_SCOPES
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == SUBSCRIPTIONS
    assert MANIFEST["settings"]["socket_mode_enabled"] is True


def test_the_shortcut_and_the_command_are_those_that_are_listened_to() -> None:
    code = "".join(path.read_text() for path in (ROOT / "bot/desk/slack").glob("*.py"))
    (shortcut,) = MANIFEST["features"]["shortcuts"]
    (command,) = MANIFEST["features"]["slash_commands"]
    assert f'app.shortcut("{shortcut["callback_id"]}")' in code
    assert f'app.command("{command["command"]}")' in code


def test_every_event_that_is_listened_to_is_subscribed() -> None:
    files = [*(ROOT / "bot/desk/slack").glob("*.py"), *(ROOT / "bot/channels/slack").glob("*.py")]
    named = {name for path in files for name in re.findall(r'app\.event\("(\w+)"\)', path.read_text())}
    subscribed = {event.partition(".")[0] for event in SUBSCRIPTIONS}
    assert named <= subscribed


def test_the_guide_names_every_secret_and_the_manifest() -> None:
    guide = (ROOT / "docs/slack.md").read_text()
    for word in (
        "deploy/slack-manifest.json",
        "HEAROUT_SLACK_BOT_TOKEN",
        "HEAROUT_SLACK_APP_TOKEN",
        "HEAROUT_SLACK_SIGNING_SECRET",
    ):
        assert word in guide
