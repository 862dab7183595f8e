"""A case is split, and two become one, in the strict local Slack: nothing is lost or doubled, and cards say where it went."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.desk.acts import ActError
from bot.store.records import Arrival
from conversations.comprehension import Reader
from conversations.comprehension.reading import ReadingContext
from conversations.conversation import Conversation, Customer, Outcome
from conversations.events import AgentMerged, CustomerPosted, PostDeleted
from conversations.ids import ExternalId
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.desk.scene import Desk, company
from tests.platforms.slack.acts import ActRefused

pytestmark = pytest.mark.anyio
SECOND = "And another thing: you charged my card twice for the delivery fee, I want that money back."


async def cases(desk: Desk) -> dict[str, Conversation]:
    """All conversations, by key."""
    return {case.key: case for case in await desk.parts.store.conversations(limit=20)}


async def two_matters(desk: Desk) -> None:
    """Mia has a case with two posts, the second about another matter."""
    await desk.handed_off()
    await desk.claim(desk.mia)
    await desk.complain(SECOND)
    await desk.work()


async def split(desk: Desk, *posts: str) -> Conversation:
    """Mia splits posts off; the new case."""
    before = await cases(desk)
    await desk.click(desk.mia, "split")
    await desk.submit(desk.mia, {"posts": list(posts)})
    await desk.work(3_600)
    (new,) = [case for key, case in (await cases(desk)).items() if key not in before]
    return new


async def turns(desk: Desk, case: Conversation) -> list[str]:
    """The customer's posts in a case."""
    return [turn.id for turn in await desk.parts.store.turns(case.key) if turn.author.value == "customer"]


async def test_another_matter_becomes_a_case_of_its_own_with_links_both_ways(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        said = len(desk.wire)
        new = await split(desk, "p2")
        old = await desk.case()
        assert (await turns(desk, old), await turns(desk, new)) == (["p1"], ["p2"])
        assert (new.state, new.owner, new.split_from) == (State.AWAITING_AGENT, None, old.key)
        assert new.answer_due_at is not None, "its own clock"
        assert old.owner is not None
        assert old.owner.id == desk.mia.id
        first, second = desk.cards()
        assert "charged my card twice" in str(second.blocks)
        assert "charged my card twice" not in str(first.blocks)
        link = desk.link.permalink(desk.channel.id, first.ts)
        assert link is not None
        assert link in str(second.blocks)
        assert str(desk.link.permalink(desk.channel.id, second.ts)) in str(first.blocks)
        assert any("charged my card twice" in message.text for message in desk.thread(second))
        assert len(desk.wire) - said <= 1
        assert all(row.status.value == "sent" for row in await desk.rows())


async def test_two_cases_become_one_and_later_posts_reach_it(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        new = await split(desk, "p2")
        await desk.click(desk.tom, "claim", desk.card(1))
        await desk.work()
        await desk.click(desk.tom, "merge", desk.card(1))
        await desk.submit(desk.tom, {"other": "0"})
        await desk.work()
        old, gone = await desk.case(), (await cases(desk))[new.key]
        assert (gone.state, gone.outcome, gone.merged_into) == (State.CLOSED, Outcome.MERGED, old.key)
        assert await turns(desk, old) == ["p1", "p2"]
        assert await turns(desk, gone) == []
        assert "goes on in" in str(desk.card(1).blocks)
        assert str(desk.link.permalink(desk.channel.id, desk.card().ts)) in str(desk.card(1).blocks)
        assert "charged my card twice" in str(desk.card().blocks)
        assert desk.alarmed("merged into this one by Tom")
        assert sum("charged my card twice" in message.text for message in desk.thread()) == 2, "when it came, and now"
        assert old.owner is not None
        assert old.owner.id == desk.mia.id, "the one that goes on keeps its owner"
        await desk.complain("Hello? Anybody there?")
        assert await turns(desk, await desk.case()) == ["p1", "p2", "p3"]
        assert len(await cases(desk)) == 2
        with pytest.raises(ActRefused):
            await desk.click(desk.tom, "claim", desk.card(1))


async def test_the_older_case_goes_on_whichever_card_was_clicked(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        new = await split(desk, "p2")
        await desk.click(desk.mia, "merge", desk.card())
        await desk.submit(desk.mia, {"other": "0"})
        await desk.work()
        assert (await cases(desk))[new.key].outcome is Outcome.MERGED
        assert (await desk.case()).is_open


async def test_edits_and_deletions_follow_and_no_thread_keeps_the_words(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        new = await split(desk, "p2")
        await desk.phone.edit("p2", "You charged my card twice, 4.90 each time.")
        await desk.work()
        assert any("4.90" in message.text for message in desk.thread(desk.card(1)))
        assert not any("4.90" in message.text for message in desk.thread(desk.card()))
        await desk.phone.delete("p2")
        await desk.work()
        everywhere = [message.text for card in desk.cards() for message in desk.thread(card)]
        assert not any("charged my card twice" in text for text in everywhere)
        assert any("missing for three weeks" in text for text in everywhere), "what was not deleted stays"
        assert (await cases(desk))[new.key].story == ()


async def test_words_on_their_way_arrive_in_the_case_that_goes_on(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        new = await split(desk, "p2")
        await desk.click(desk.tom, "claim", desk.card(1))
        await desk.work()
        await desk.click(desk.tom, "reply", desk.card(1))
        await desk.submit(desk.tom, {"text0": "The fee goes back to your card tomorrow at 12:00."})
        await desk.submit(desk.tom)
        await desk.parts.engine.decide_due()
        await desk.parts.acts.merge(new, (await desk.case()).key, (await desk.case()).owner, "m")  # type: ignore[arg-type]
        await desk.work()
        assert desk.wire[-1] == "The fee goes back to your card tomorrow at 12:00."
        assert desk.wire.count("The fee goes back to your card tomorrow at 12:00.") == 1
        said = [turn.text for turn in await desk.parts.store.turns((await desk.case()).key)]
        assert "The fee goes back to your card tomorrow at 12:00." in said
        assert (await desk.case()).words_out == ()


async def test_what_cannot_be_split_or_merged_says_why(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        await desk.click(desk.mia, "split")
        refused = await desk.submit(desk.mia, {"posts": ["p1", "p2"]})
        assert "something must stay" in refused.errors["posts"]
        await desk.work()
        assert len(await cases(desk)) == 1
        with pytest.raises(ActRefused):
            await desk.click(desk.mia, "merge")  # nothing to merge with: it is not offered


async def test_what_cannot_be_merged_is_refused_at_the_door(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        new = await split(desk, "p2")
        old, acts = await desk.case(), desk.parts.acts
        assert old.owner is not None
        with pytest.raises(ActError, match="the older case goes on"):
            await acts.submit(old.key, AgentMerged(agent=old.owner, into=new.key), "a")
        with pytest.raises(ActError, match="not this customer's"):
            await acts.submit(new.key, AgentMerged(agent=old.owner, into=new.key), "b")
        await desk.handed_off(customer=Customer("c9", "x", "Xenia"))
        with pytest.raises(ActError, match="not this customer's"):
            await acts.submit(new.key, AgentMerged(agent=old.owner, into=(await desk.case("p3")).key), "c")
        await desk.click(desk.tom, "claim", desk.card(1))
        await desk.work()
        await desk.click(desk.tom, "propose_plan", desk.card(1))
        plan = {"step1": "The fee goes back", "due1": int(desk.clock.now().timestamp()) + 7_200}
        await desk.submit(desk.tom, plan)
        await desk.submit(desk.tom, plan)
        await desk.work()
        with pytest.raises(ActError, match="finish that first"):
            await acts.submit(new.key, AgentMerged(agent=old.owner, into=old.key), "d")


async def test_a_post_that_comes_in_the_instant_of_the_merge_is_passed_on_once(tmp_path: Path) -> None:
    async with company(tmp_path) as desk:
        await two_matters(desk)
        new = await split(desk, "p2")
        old = await desk.case()
        assert old.owner is not None
        text = "The fee was four-ninety, twice."
        event = CustomerPosted(
            id=ExternalId("p9"),
            posted_at=desk.clock.now(),
            surface=Surface.PUBLIC,
            text=text,
            reading=Reader.default().read(text, ReadingContext(channel="playground")),
        )
        post = Arrival(
            channel="playground", account=old.account, id=event.id, event=event, at=desk.clock.now(), conversation=new.key
        )
        await desk.parts.acts.merge(new, old.key, old.owner, "m")
        await desk.parts.intake([post])  # to the one that is about to go
        await desk.parts.intake([post])
        await desk.work()
        assert await turns(desk, await desk.case()) == ["p1", "p2", "p9"]
        assert await turns(desk, new) == []
        assert sum("four-ninety" in message.text for message in desk.thread()) == 1
        gone = PostDeleted(id=event.id, deleted_at=desk.clock.now())
        deletion = Arrival(
            channel="playground", account=old.account, id=ExternalId("d9"), event=gone, at=desk.clock.now(), about=event.id
        )
        await desk.parts.intake([deletion])
        await desk.work()
        assert not any("four-ninety" in message.text for card in desk.cards() for message in desk.thread(card))
        assert "four-ninety" not in str(await desk.parts.store.export_customer(old.customer.id))
