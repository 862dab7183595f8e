"""``hearout check --online``: what keeps the desk from working is named before anybody waits for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.desk.slack import QueuePlace
from bot.desk.slack.check import SCOPES, missing
from bot.desk.slack.settings import DeskSettings
from tests.desk.scene import Desk, company

pytestmark = pytest.mark.anyio


def settings(desk: Desk, **changes: object) -> DeskSettings:
    """The company's desk, with something else."""
    return replace(desk.desk.settings, **changes)


async def test_a_desk_that_is_set_up_has_nothing_missing(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        assert await missing(desk.link, desk.desk.settings, (desk.help.id,)) == []


async def test_every_thing_that_is_missing_is_named(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        gone = desk.slack.world.add_channel("gone", [desk.mia])
        desk.slack.people.archive(gone, desk.mia)
        empty = desk.slack.world.add_group("empty", [])
        queues = (QueuePlace("support", gone.id, agents=(empty.id,)), QueuePlace("rest", "C0NOWHERE"))
        app = desk.slack.world.app
        desk.slack.world.app = replace(app, scopes=app.scopes - {"commands", "files:write"})
        found = await missing(desk.link, settings(desk, queues=queues, admins=()), ())
        assert any("lacks commands, files:write" in line for line in found)
        assert any(gone.id in line and "archived" in line for line in found)
        assert any("C0NOWHERE" in line and "not there" in line for line in found)
        assert any(empty.id in line and "no members" in line for line in found)
        assert any("nobody may act" in line for line in found)


async def test_a_token_that_opens_no_socket_and_people_who_cannot_act_are_named(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        app = desk.slack.world.app
        for token, error in (("xapp-wrong", "invalid_auth"), (app.bot_token, "not_allowed_token_type")):
            desk.link.settings = replace(desk.link.settings, app_token=token)
            (line,) = await missing(desk.link, desk.desk.settings, ())
            assert "HEAROUT_SLACK_APP_TOKEN" in line
            assert error in line
            assert not desk.slack.log.posts(), "nobody is told that the bot's own token was refused"
        desk.link.settings = replace(desk.link.settings, app_token=app.app_token)
        admins = ("U0NOBODY", desk.guest.id, desk.mia.id)
        found = await missing(desk.link, settings(desk, admins=admins), ())
        assert [line for line in found if desk.mia.id in line] == []
        assert len(found) == 2
        assert all("no full member" in line for line in found)


async def test_a_desk_without_a_channel_is_told(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        found = await missing(desk.link, settings(desk, queues=(), fallback_channel=""), ())
        assert any("no channel is named" in line for line in found)


def test_the_scopes_are_those_of_the_manifest() -> None:
    manifest = json.loads((Path(__file__).parents[2] / "deploy/slack-manifest.json").read_text())
    assert sorted(SCOPES) == sorted(manifest["oauth_config"]["scopes"]["bot"])
