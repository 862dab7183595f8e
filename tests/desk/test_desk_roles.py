"""Who may act at the desk: role × act, checked at every act, denied by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.staff import Role
from conversations.protocol import State
from tests.desk.scene import Desk, company
from tests.platforms.slack.faults import Fault, Trouble

pytestmark = pytest.mark.anyio

ACTORS = ("mia", "lena", "outsider", "guest", "stranger", "robot")
ALLOWED = {"mia": Role.AGENT, "lena": Role.ADMIN}
CLICKS = ("claim", "reply", "transfer", "snooze", "dismiss", "mute_bot", "not_complaint", "set_reference")


@pytest.mark.parametrize("actor", ACTORS)
async def test_role_by_act(tmp_path: Path, actor: str) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        user = getattr(desk, actor)
        card = desk.card()
        may = actor in ALLOWED
        assert await desk.desk.people.role(user.id, user.team_id) == ALLOWED.get(actor, Role.NOBODY)
        before = await desk.case()
        for act in CLICKS:
            shown = len(desk.told(user))
            await desk.click(user, act, card)
            top = desk.slack.views.top(user.id)
            if may:
                assert top is not None or act in ("claim", "mute_bot", "not_complaint")
                desk.slack.people.close(user, everything=True)
            else:
                assert top is None
                assert len(desk.told(user)) == shown + 1
                assert "Only agents" in desk.told(user)[-1].text
        await desk.work()
        after = await desk.case()
        assert (after.version != before.version) is may


@pytest.mark.parametrize("actor", ["outsider", "guest", "stranger", "robot"])
async def test_a_modal_of_an_agent_does_not_help_others(tmp_path: Path, actor: str) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        user = getattr(desk, actor)
        await desk.click(desk.mia, "reply")
        view = desk.slack.views.top(desk.mia.id)
        assert view is not None
        forged = desk.slack.views.open(user.id, dict(view.view))
        sent = await desk.submit(user, {"text0": "hello from nobody"}, view=forged)
        assert "Only agents" in str(sent.answer)
        await desk.work()
        assert "hello from nobody" not in desk.wire


@pytest.mark.parametrize("actor", ACTORS)
async def test_the_command_and_the_home(tmp_path: Path, actor: str) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        user = getattr(desk, actor)
        if user.team_id == desk.slack.world.team.id:
            for verb in ("status", "pause"):
                desk.slack.people.command(user, desk.channel, "/hearout", verb)
                await desk.server.settled()
                await desk.link.settle()
            status, pause = (entry.text for entry in desk.told(user)[-2:])
            assert ("Only agents" in status) is (actor not in ALLOWED)
            assert ("Only admins" in pause) is (actor == "mia")
        desk.slack.people.open_home(user)
        await desk.server.settled()
        await desk.link.settle()
        home = desk.slack.views.homes.get(user.id)
        if home is not None:
            assert ("missing for three weeks" in str(home.view)) is (actor in ALLOWED)


async def test_a_removed_agent_is_denied_within_a_minute(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.click(desk.mia, "snooze")
        assert desk.slack.views.top(desk.mia.id) is not None
        desk.slack.people.close(desk.mia)
        desk.slack.world.change_group(desk.agents, [desk.tom])
        desk.clock.advance(59)
        await desk.click(desk.mia, "claim")
        await desk.work()
        assert (await desk.case()).state is State.AWAITING_AGENT
        assert "Only agents" in desk.told(desk.mia)[-1].text


async def test_a_deactivated_agent_and_one_who_became_a_guest_are_denied(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.slack.world.change_user(desk.mia, deleted=True)
        desk.slack.world.change_user(desk.tom, is_restricted=True)
        desk.clock.advance(60)
        for user in (desk.mia, desk.tom):
            await desk.click(user, "claim")
        await desk.work()
        assert (await desk.case()).owner is None


async def test_when_slack_cannot_say_who_it_is_nobody_may_act(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.clock.advance(60)
        desk.slack.faults.add(Fault("usergroups.users.list", Trouble.SERVER_ERROR))
        await desk.click(desk.mia, "claim")
        await desk.work()
        assert (await desk.case()).owner is None
        assert "did not tell us" in desk.told(desk.mia)[-1].text


async def test_a_slack_without_user_groups_goes_by_ids(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.clock.advance(60)
        desk.slack.faults.add(Fault("usergroups.users.list", Trouble.API_ERROR, error="unknown_method"))
        desk.slack.faults.add(Fault("users.info", Trouble.API_ERROR, error="unknown_method"))
        card = desk.card()
        await desk.click(desk.lena, "claim", card)
        await desk.click(desk.mia, "claim", card)
        await desk.work()
        case = await desk.case()
        assert case.owner is not None
        assert case.owner.id == desk.lena.id


async def test_groups_may_be_named_by_handle(tmp_path: Path) -> None:
    async with company(tmp_path, admins=("@agents",)) as desk:
        assert await desk.desk.people.role(desk.mia.id, desk.slack.world.team.id) is Role.ADMIN


async def test_many_who_ask_at_once_ask_slack_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.clock.advance(60)
        before = desk.slack.calls["usergroups.users.list"]
        for _ in range(20):
            desk.slack.people.click(desk.mia, desk.card(), "hearout:reply")
        await desk.server.settled()
        assert desk.slack.calls["usergroups.users.list"] == before + 1


async def roles(desk: Desk) -> dict[str, Role]:
    """The role of everybody."""
    return {name: await desk.desk.people.role(getattr(desk, name).id, getattr(desk, name).team_id) for name in ACTORS}


async def test_what_was_believed_is_not_believed_for_ever(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        first = await roles(desk)
        assert first["mia"] is Role.AGENT
        desk.slack.world.change_group(desk.agents, [])
        desk.clock.advance(30)
        assert (await roles(desk))["mia"] is Role.AGENT  # fresh enough, and asked again meanwhile
        await desk.link.settle()
        assert (await roles(desk))["mia"] is Role.NOBODY
