"""Bad input at the desk: a clear answer to whoever acted, where they look; nothing lost, nothing sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.store.port import StoreUnavailable
from bot.store.records import Kind, Status
from conversations.conversation import Customer
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.desk.scene import STORY, company
from tests.platforms.slack.faults import Fault, Trouble

pytestmark = pytest.mark.anyio


async def test_the_loser_of_a_claim_is_told_who_won(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        card = desk.card()
        for user in (desk.tom, desk.mia):  # both before anything is decided
            desk.slack.people.click(user, card, "hearout:claim")
        await desk.work()
        owner = (await desk.case()).owner
        assert owner is not None
        loser = desk.mia if owner.id == desk.tom.id else desk.tom
        assert f"{owner.name} was faster and owns this case." in desk.told(loser)[-1].text


async def test_the_loser_outside_the_channel_is_told_directly(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        card = desk.card()
        for user in (desk.tom, desk.mia):
            desk.slack.people.click(user, card, "hearout:claim")
        await desk.server.settled()
        desk.slack.world.change_members(desk.channel, drop=[desk.tom, desk.mia])
        await desk.work()
        assert any("was faster" in e.text for e in desk.slack.log.posts() if desk.slack.world.channels[e.channel].user)


async def test_an_old_card_explains_itself_and_is_brought_up_to_date(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        old = desk.card()
        await desk.claim(desk.tom)
        await desk.click(desk.mia, "claim", old)
        assert "Tom was faster" in desk.told(desk.mia)[-1].text
        await desk.click(desk.tom, "dismiss")
        await desk.submit(desk.tom, {"why": "a joke"})
        await desk.work()
        assert (await desk.case()).state is State.CLOSED
        await desk.click(desk.mia, "reply", old)
        assert "closed meanwhile" in desk.told(desk.mia)[-1].text
        assert desk.slack.views.top(desk.mia.id) is None


async def test_a_double_click_is_one_act(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        card = desk.card()
        for _ in range(3):
            desk.slack.people.click(desk.mia, card, "hearout:claim")
        await desk.work()
        assert (await desk.case()).state is State.WITH_AGENT
        assert [row for row in await desk.rows() if row.kind is Kind.TELL] == []
        assert desk.told(desk.mia) == []


async def test_buttons_go_at_once_when_a_case_is_being_claimed(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.click(desk.mia, "claim")
        now = desk.card()
        assert "is taking this case" in str(now.blocks)
        assert all(block["type"] != "actions" for block in now.blocks)
        await desk.work()
        assert any(block["type"] == "actions" for block in desk.card().blocks)
        assert "is taking" not in str(desk.card().blocks)


async def test_a_submission_that_is_delivered_twice_is_sent_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "reply")
        await desk.submit(desk.mia, {"text0": "It comes tomorrow by 18:00."})
        desk.slack.courier.duplicate_next(3)
        await desk.submit(desk.mia)
        await desk.work()
        assert desk.wire.count("It comes tomorrow by 18:00.") == 1


async def test_a_modal_submitted_after_the_case_was_closed(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.click(desk.mia, "reply")
        await desk.submit(desk.mia, {"text0": "It comes tomorrow by 18:00."})
        await desk.click(desk.tom, "dismiss")
        await desk.submit(desk.tom, {"why": "a joke"})
        await desk.work()
        late = await desk.submit(desk.mia)
        assert "closed meanwhile" in late.errors["text0"]
        await desk.work()
        assert "It comes tomorrow by 18:00." not in desk.wire


async def test_a_plan_with_a_date_in_the_past_or_without_one(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "propose_plan")
        now = int(desk.clock.now().timestamp())
        past = await desk.submit(desk.mia, {"step1": "Send it again", "due1": now - 60})
        assert "has passed" in past.errors["due1"]
        dateless = await desk.submit(desk.mia, {"step1": "Send it again"})
        assert "give it a date" in dateless.errors["due1"]
        stepless = await desk.submit(desk.mia, {"step1": "Send it again", "due1": now + 999, "due2": now + 999})
        assert "say what" in stepless.errors["step2"]
        far = await desk.submit(desk.mia, {"step1": "Send it again", "due1": now + 400 * 86_400})
        assert "year" in far.errors["due1"]
        await desk.work()
        assert (await desk.case()).plan is None


async def test_more_steps_can_be_added_and_what_was_written_stays(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "propose_plan")
        desk.slack.people.click_view(desk.mia, "hearout:add_step", inputs={"step1": "One"})
        await desk.server.settled()
        due = int(desk.clock.now().timestamp()) + 9_000
        plan = {f"step{n}": f"Do thing {n}" for n in (1, 2, 3)} | {f"due{n}": due for n in (1, 2, 3)}
        await desk.submit(desk.mia, plan)
        await desk.submit(desk.mia, plan)
        await desk.work()
        case = await desk.case()
        assert case.plan is not None
        assert [step.text for step in case.plan.steps] == ["Do thing 1", "Do thing 2", "Do thing 3"]


async def test_the_guard_shows_what_it_found_and_sending_anyway_is_recorded(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        blame = "You should have read the terms before you ordered."
        await desk.click(desk.mia, "reply")
        await desk.submit(desk.mia, {"text0": blame})
        shown = desk.slack.views.top(desk.mia.id)
        assert shown is not None
        assert shown.view["submit"]["text"] == "Send anyway"
        assert "fault on the customer" in str(shown.view)
        assert blame in str(shown.view["blocks"][-4:]) or blame in str(shown.view)
        assert blame not in desk.wire
        await desk.submit(desk.mia, {"text0": blame + " Sorry."})  # changed words are shown again
        assert desk.slack.views.top(desk.mia.id) is not None
        await desk.submit(desk.mia)
        await desk.work()
        assert desk.wire[-1] == blame + " Sorry."


async def test_personal_data_in_public_is_refused(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "reply")
        refused = await desk.submit(desk.mia, {"text0": "Is sue.miller@example.org still your address?"})
        assert "personal data" in refused.errors["text0"]


async def test_another_language_than_the_customers_is_held_up(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off(
            "llevo tres semanas esperando mi paquete y nadie contesta, qué vergüenza, quiero mi dinero"
        )
        await desk.claim(desk.mia)
        assert (await desk.case()).language == "es"
        await desk.click(desk.mia, "reply")
        await desk.submit(
            desk.mia, {"text0": "We have found your parcel and it arrives tomorrow by 18:00 with a courier."}
        )
        assert "another language" in str(desk.slack.views.top(desk.mia.id))


async def test_a_template_is_a_starting_point(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "reply")
        desk.slack.people.click_view(desk.mia, "hearout:template", "0")
        await desk.server.settled()
        await desk.submit(desk.mia)
        assert "leaves today by courier" in str(desk.slack.views.top(desk.mia.id))
        assert len(desk.wire) == 1


async def test_a_customers_text_is_inert_everywhere(tmp_path: Path) -> None:
    bait = "<!channel> <!here> <@U0HEAROUT> <!subteam^S1> <https://evil.example|your bank> & <b> @channel \u202egnp.exe"
    async with company(tmp_path) as desk:
        await desk.handed_off(f"{STORY} I want {bait}", customer=Customer("c9", "x", bait))
        await desk.claim(desk.mia)
        await desk.complain(f"and again {bait}", customer=Customer("c9", "x", bait))
        desk.slack.people.open_home(desk.mia)
        await desk.server.settled()
        await desk.link.settle()
        world = desk.slack.world
        for message in [*world.history(desk.channel), *world.history(desk.fallback)]:
            pings = set(world.pings(message)) - {f"@{desk.mia.id}", f"!subteam^{desk.agents.id}"}
            assert pings == set()
            assert [link for link in world.masked_links(message) if "evil" in str(link)] == []
            assert "\u202e" not in str(message.blocks) + message.text
        home = str(desk.slack.views.homes[desk.mia.id].view)
        assert "<!channel>" not in home
        assert "<https://evil" not in home


async def test_handing_over_to_somebody_who_is_no_agent(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "transfer")
        for user in (desk.outsider, desk.guest, desk.stranger):
            refused = await desk.submit(desk.mia, {"to_agent": user.id, "note": "please"})
            assert "no agent" in refused.errors["to_agent"]
        nobody = await desk.submit(desk.mia, {"note": "please"})
        assert nobody.errors
        await desk.submit(desk.mia, {"to_agent": desk.tom.id, "note": "please <!here>"})
        await desk.work()
        owner = (await desk.case()).owner
        assert owner is not None
        assert owner.name == "Tom"
        assert any(f"<@{desk.tom.id}>" in m.text and "please @here" in m.text for m in desk.thread())


async def test_a_store_that_is_full_is_said_and_nothing_is_half_done(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()

        async def full(arrivals: Any) -> Any:
            raise StoreUnavailable("disk full")

        kept, desk.parts.acts.take_in = desk.parts.acts.take_in, full
        await desk.click(desk.mia, "claim")
        assert "could not be saved" in desk.told(desk.mia)[-1].text
        await desk.click(desk.mia, "set_reference")
        answer = await desk.submit(desk.mia, {"reference": "4471-22"})
        assert "could not be saved" in str(answer.answer)
        desk.parts.acts.take_in = kept
        await desk.click(desk.mia, "claim")
        await desk.work()
        assert (await desk.case()).owner is not None


async def test_a_revoked_token_loses_nothing(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.slack.people.revoke_tokens()
        await desk.complain("and still nothing")
        assert desk.link.token_error is not None
        assert await desk.rows(Status.PENDING)
        desk.slack.world.token_error = None
        await desk.work(600)
        assert any("and still nothing" in message.text for message in desk.thread())
        assert await desk.rows(Status.FAILED) == []


async def test_the_drafts_of_alarms_are_sent_with_one_click_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "propose_plan")
        due = int(desk.clock.now().timestamp()) + 7_200
        plan = {"step1": "Send the parcel again by courier", "due1": due}
        await desk.submit(desk.mia, plan)
        await desk.submit(desk.mia, plan)
        await desk.work()
        await desk.complain("ok that works")
        await desk.later(7_300)
        overdue = next(m for m in desk.thread() if "overdue" in m.text)
        sent = len(desk.wire)
        for _ in range(2):
            await desk.click(desk.mia, "send_draft", overdue)
        if desk.slack.views.top(desk.mia.id):
            await desk.submit(desk.mia)
        await desk.work()
        assert len(desk.wire) == sent + 1


async def test_outside_working_hours_only_danger_rings(tmp_path: Path) -> None:
    from conversations.deadlines import BusinessHours
    from conversations.policy import Queue
    from tests.desk.scene import policy_of

    closed = BusinessHours("UTC", ((),) * 7)
    async with company(tmp_path, policy=policy_of(queues=(Queue(name="support", hours=closed),))) as desk:
        await desk.handed_off()
        await desk.claim(desk.mia)
        await desk.click(desk.mia, "release")
        await desk.submit(desk.mia, {"note": "I am off"})
        await desk.work()
        assert desk.alarmed("Back in the queue")
        assert all(desk.slack.world.pings(message) == () for message in desk.thread())
        await desk.complain("it started smoking and burned my hand")
        danger = next(m for m in desk.thread() if "Danger" in m.text)
        assert f"@{desk.tom.id}" in desk.slack.world.pings(danger)
        assert danger.subtype == "thread_broadcast"


async def test_blocks_are_small_whatever_the_case_holds(tmp_path: Path) -> None:
    from bot.desk.slack import kit

    async with company(tmp_path) as desk:
        await desk.handed_off("My parcel is missing. " + "&<>" * 5_000)
        for n in range(60):
            await desk.phone.post(desk.customer, "<&> " * 200 + f"{n}", Surface.PUBLIC, f"b{n}")
        await desk.work(600)
        card = desk.card()
        assert len(card.blocks) <= 50
        assert kit.chars(list(card.blocks)) <= 13_200
        assert await desk.rows(Status.REJECTED) == []


async def test_slack_refuses_a_modal_and_the_agent_is_told(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await desk.handed_off()
        desk.slack.faults.add(Fault("views.open", Trouble.API_ERROR, nth=1, error="expired_trigger_id"))
        await desk.click(desk.mia, "reply")
        assert "expired_trigger_id" in desk.told(desk.mia)[-1].text
