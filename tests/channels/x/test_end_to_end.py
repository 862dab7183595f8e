"""A complaint from the mention to the check-back, through the real program and the real client library."""

from datetime import timedelta

import pytest

from conversations.conversation import Outcome, Step
from conversations.events import (
    AgentClaimed,
    AgentProposedPlan,
    AgentReplied,
    AgentResolved,
    PromiseKept,
)
from conversations.protocol import State
from tests.channels.x.rig import KIM, Rig, rig, texts

pytestmark = pytest.mark.anyio


async def complaint_heard(r: Rig) -> None:
    """Mention, first reply in public, the story told in direct messages, handed over."""
    mention = r.says()
    await r.advance(420)
    (first,) = r.replies_to(mention)
    assert "automated" in first.text
    assert first.kind == "post"
    assert (await r.case()).replied_at is not None
    r.messages("I ordered a kettle on the 3rd, it never came, and I would like my money back please")
    await r.advance(300)
    assert (await r.case()).direct
    assert r.accepted[1].kind == "dm"
    assert r.accepted[1].recipient_id == r.ada.id
    r.messages("Yes exactly, that is right. I want a refund.")
    await r.advance(300)
    assert (await r.case()).state is State.AWAITING_AGENT


async def test_a_complaint_runs_from_the_mention_to_the_check_back() -> None:
    async with rig() as r:
        await complaint_heard(r)
        await r.act(AgentClaimed(agent=KIM))
        await r.act(AgentReplied(agent=KIM, text="Hello Ada, this is Kim. I have found your order."))
        await r.advance(60)
        assert r.accepted[-1].text == "Hello Ada, this is Kim. I have found your order."
        step = Step("The full price goes back to your card", r.now() + timedelta(days=2))
        await r.act(AgentProposedPlan(agent=KIM, steps=(step,), remedy="a full refund"))
        await r.advance(60)
        assert "full price" in r.accepted[-1].text
        assert (await r.case()).state is State.AWAITING_AGREEMENT
        r.messages("Yes, I agree, please do that")
        await r.advance(300)
        case = await r.case()
        assert case.state is State.FULFILLING
        assert case.plan is not None
        assert case.plan.agreed_words
        await r.act(PromiseKept(agent=KIM, promise=case.promises[0].id))
        await r.act(AgentResolved(agent=KIM, done_text="The refund was made", check_back_days=1))
        await r.advance(120)
        assert (await r.case()).state is State.RESOLVED
        said = len(r.accepted)
        await r.advance(4 * 86_400, step_s=1800)
        assert (await r.case()).state is State.CHECKING_BACK
        assert len(r.accepted) == said + 1
        assert r.accepted[-1].kind == "dm"
        r.messages("Yes, all good now, I am happy. Thank you!")
        await r.advance(600)
        case = await r.case()
        assert (case.state, case.outcome) == (State.CLOSED, Outcome.SATISFIED)
        assert len({(row.reply_to_id, row.recipient_id, row.text) for row in r.accepted}) == len(r.accepted)
        assert r.alerts() == []
        assert not [row for row in await r.rows() if row.status.value not in ("sent", "withdrawn")]


async def test_everything_works_in_public_when_x_has_no_direct_messages() -> None:
    async with rig() as r:
        r.x.settings.dms_available = False
        mention = r.says()
        await r.advance(420)
        (first,) = r.replies_to(mention)
        assert "direct message" not in first.text.lower()
        assert "x_no_direct messages" in r.alerts()
        assert r.channel.status()["brand"]["direct_messages"] is False
        assert r.channel.status()["brand"]["ok"]
        await r.act(AgentClaimed(agent=KIM))
        await r.act(AgentReplied(agent=KIM, text="Hello, Kim here. We found it."))
        await r.advance(60)
        assert texts(r.replies_to(mention))[-1] == "Hello, Kim here. We found it."


async def test_the_deep_link_goes_into_the_first_reply_where_the_admin_wants_it() -> None:
    async with rig(deep_link=True) as r:
        case = None
        mention = r.says()
        await r.advance(420)
        case = await r.case()
        assert r.channel.direct_link(case) == f"https://x.com/messages/compose?recipient_id={r.brand.id}"
        (first,) = r.replies_to(mention)
        priced = r.channel.spend()["brand"]["items"]
        assert ("post_with_url_sent" in priced) == ("https://x.com/messages" in first.text)
