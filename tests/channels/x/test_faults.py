"""Every fault at every call: whatever X does, the log shows each intended post once, and nothing is forgotten."""

import pytest

from tests.channels.x.rig import Rig, rig
from tests.platforms.x import Fault, Kind

pytestmark = pytest.mark.anyio

READS = (
    "GET /2/users/me",
    "GET /2/users/:id/mentions",
    "GET /2/users/:id/tweets",
    "GET /2/tweets",
    "GET /2/tweets/search/recent",
    "GET /2/dm_events",
)
QUICK = [kind for kind in Kind if kind not in (Kind.DELAY, Kind.LATE, Kind.HANG)]
PERMANENT = (Kind.PERMANENT, Kind.NOT_MENTIONED, Kind.NOT_FOUND)


def ended(rows: list[str]) -> bool:
    """Whether every message of ours has come to an end."""
    return all(status in ("sent", "rejected", "refused", "failed", "withdrawn") for status in rows)


async def one_complaint(r: Rig) -> None:
    """A mention answered in public, then one direct message answered there; two hours pass."""
    r.says()
    await r.advance(420)
    r.messages("my order number is 12 and I want my money back")
    await r.advance(2 * 3600, step_s=150)


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("nth", [1, 2])
async def test_a_public_reply_is_posted_once_whatever_happens_to_the_call(kind: Kind, nth: int) -> None:
    async with rig() as r:
        r.x.faults.add(Fault(kind, "POST /2/tweets", nth=1, times=nth))
        mention = r.says()
        await r.advance(5400, step_s=150)
        assert len(r.replies_to(mention)) <= 1
        statuses = [row.status.value for row in await r.rows()]
        assert ended(statuses), statuses
        if kind in PERMANENT:
            assert r.replies_to(mention) == []
            assert "send_failed" in await r.alarms()
            assert len(r.x.calls_to("POST /2/tweets")) == 1
        elif kind is Kind.DUPLICATE or (kind in (Kind.UNAUTHORIZED, Kind.CREDITS_DEPLETED) and nth == 2):
            assert "send_failed" in await r.alarms() or len(r.replies_to(mention)) == 1
        else:
            assert len(r.replies_to(mention)) == 1
        assert r.x.faults.fired


@pytest.mark.parametrize("kind", QUICK)
async def test_a_direct_message_is_sent_once_whatever_happens_to_the_call(kind: Kind) -> None:
    async with rig() as r:
        r.x.faults.add(Fault(kind, "POST /2/dm_conversations/*"))
        await one_complaint(r)
        sent = [row.text for row in r.accepted if row.kind == "dm"]
        assert len(set(sent)) == len(sent)
        assert ended([row.status.value for row in await r.rows()])
        assert sent or "send_failed" in await r.alarms() or (await r.case()).outcome is not None
        assert r.x.faults.unfired == []


@pytest.mark.parametrize("endpoint", READS)
@pytest.mark.parametrize("kind", QUICK)
async def test_a_fault_while_reading_loses_and_repeats_nothing(endpoint: str, kind: Kind) -> None:
    async with rig() as r:
        r.x.faults.add(Fault(kind, endpoint))
        mention = r.says()
        await r.advance(2400, step_s=100)
        assert len(r.replies_to(mention)) == 1
        assert len(await r.cases()) == 1
        if endpoint != "GET /2/tweets":  # asked only for what was not seen for a while
            assert r.x.faults.unfired == []


@pytest.mark.parametrize("kind", QUICK)
async def test_a_fault_in_the_read_back_resends_nothing_that_landed(kind: Kind) -> None:
    async with rig() as r:
        mention = r.says()
        await r.advance(270)
        r.x.faults.add(
            Fault(Kind.LOST_REPLY, "POST /2/tweets"), Fault(kind, "GET /2/users/:id/tweets", nth=1, times=None)
        )
        await r.advance(5400, step_s=150)
        assert len(r.replies_to(mention)) == 1
        assert ended([row.status.value for row in await r.rows()])


async def test_late_and_slow_answers_are_unknown_and_looked_for() -> None:
    async with rig(timeout_s=0.2) as r:
        r.x.faults.add(Fault(Kind.DELAY, "POST /2/tweets", delay_s=30), Fault(Kind.HANG, "POST /2/dm_conversations/*"))
        await one_complaint(r)
        assert len(r.replies_to(next(iter(r.x.world.posts.values())))) == 1
        sent = [row.text for row in r.accepted if row.kind == "dm"]
        assert sent
        assert len(set(sent)) == len(sent)
        assert r.x.faults.unfired == []


async def test_a_post_that_becomes_visible_late_is_found_after_the_quarantine() -> None:
    async with rig() as r:
        r.x.settings.own_lag_s = (300.0, 580.0)
        r.x.faults.add(Fault(Kind.LOST_REPLY, "POST /2/tweets"))
        mention = r.says()
        await r.advance(3600, step_s=60)
        assert len(r.replies_to(mention)) == 1
        (row,) = await r.rows("sent")
        assert row.external_id == r.replies_to(mention)[0].id
