"""The overview: its figures, and the acts of an incident, in the playground and with the real switches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot.console import charts, spending
from bot.console.figures import interrupted, percentile, working_s
from bot.console.overview import share
from bot.store.records import Place, TurnRecord
from conversations.conversation import Author
from conversations.deadlines import BusinessHours
from conversations.ids import ConversationKey, ExternalId
from tests.console.kit import Site, monday, site
from tests.console.season import Season

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def turn(author: Author, minutes: float, act: str | None = None) -> TurnRecord:
    """A turn so many minutes after the first."""
    at = AT + timedelta(minutes=minutes)
    key = ConversationKey("c")
    return TurnRecord(
        conversation=key, id=ExternalId(str(minutes)), author=author, place=Place.PUBLIC, text="x", posted_at=at, act=act
    )


def test_an_interruption_is_the_bot_between_two_posts_of_a_burst() -> None:
    customer, bot, agent = Author.CUSTOMER, Author.BOT, Author.AGENT
    assert interrupted([turn(customer, 0), turn(bot, 5), turn(customer, 30)])
    assert not interrupted([turn(customer, 0), turn(bot, 5), turn(customer, 31)])
    assert not interrupted([turn(customer, 0), turn(customer, 4), turn(bot, 5)])
    assert not interrupted([turn(customer, 0), turn(agent, 5), turn(customer, 6)])
    assert interrupted([turn(customer, 0), turn(customer, 4), turn(bot, 5), turn(customer, 6)])


def test_working_time_counts_hours_in_which_people_work() -> None:
    hours = BusinessHours()
    assert working_s(hours, AT, AT + timedelta(hours=30)) == pytest.approx(30 * 3600, abs=1)
    assert working_s(hours, AT, AT + timedelta(seconds=20)) == 20


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 0, "–"), (0, 5, "0 %"), (5, 5, "100 %"), (1999, 2000, "99.9 %"), (99_999, 100_000, "99.9 %"), (1, 3, "33 %")],
)
def test_shares_are_never_rounded_up_to_all(part: int, whole: int, said: str) -> None:
    assert share(part, whole) == said


def test_a_histogram_counts_everything_once_and_marks_its_limits() -> None:
    values = [30.0, 60.0, 61.0, 899.0, 901.0, 7200.0, 7201.0]
    drawn = charts.histogram(values, charts.FIRST_EDGES, 7200.0, 900.0)
    assert sum(bar.count for bar in drawn.bars) == drawn.count == len(values)
    assert [bar.tone for bar in drawn.bars] == ["good"] * 5 + ["fair"] * 3 + ["late"]
    assert [mark.label for mark in drawn.marks] == ["target 15 min", "limit 2 h"]
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([], 0.5) is None


async def test_what_x_costs_is_kept_by_day_and_never_shrinks(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        spent = {"acme": {"day": "2026-03-01", "usd": 4.0, "usd_max": 20.0, "stopped": []}}
        keep = spending.keep(here.app.store, lambda: spent)
        await keep()
        spent["acme"] |= {"usd": 3.0}
        await keep()
        spent["acme"] |= {"day": "2026-03-02", "usd": 19.0, "stopped": ["tails"]}
        spent["other"] = {"day": "2026-03-02", "usd": 0.5, "usd_max": 0.0, "stopped": []}
        await keep()
        kept = await spending.days(here.app.store)
        assert kept == {"2026-03-01": {"acme": 4.0}, "2026-03-02": {"acme": 19.0, "other": 0.5}}
        *_, before, today = spending.bars(kept, "acme", spent["acme"])
        assert (before.words, before.over, today.over) == ("Sun 1 Mar: $4.00", False, True)
        assert today.height == pytest.approx(spending.HEIGHT * 19 / 20)
        here.app.metrics.spending = lambda: spent
        page = (await here.client.get("/")).text
        assert "The breaker has stopped: tails" in page
        assert "Sun 1 Mar: $4.00" in page


async def test_the_figures_follow_what_happened(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        season = Season(here)
        assert "Nothing to show yet" in (await here.client.get("/")).text
        await season.day(0, 2)
        here.app.clock.jump(here.app.clock.now() + timedelta(minutes=1))
        page = (await here.client.get("/")).text
        assert "<p class=\"figure\">100 %</p>" in page
        assert "2 in 30 days" in page
        assert 'href="/conversations?state=WITH_AGENT"' in page


async def press(here: Site, act: str, **fields: str) -> httpx.Response:
    """Press a button of the incident panel."""
    return await here.client.post(f"/incident/{act}", data=fields)


async def storm(here: Site, count: int = 12) -> None:
    """Many complaints about the same."""
    await here.json("clock", to=monday())
    for n in range(count):
        text = f"my parcel number {n} never arrived, three weeks and nobody answers, unbelievable"
        await here.json("posts", customer=f"c{n}", text=text, id=f"p{n}", surface="direct")
    await here.json("clock", minutes=0)


async def test_a_storm_is_shown_and_its_topic_held_and_released(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await storm(here)
        page = (await here.client.get("/")).text
        topic = (await here.app.store.conversations(limit=1))[0].topic
        assert topic is not None
        assert f"12 complaints about {topic}" in page
        assert (await press(here, "topics", topic=topic, on="1")).headers["location"] == "/?said=held"
        assert here.app.policy.held_topics == (topic,)
        assert "now wait for a person" in (await here.client.get("/?said=held")).text
        await here.json("clock", minutes=30)
        said = [turn for case in (await here.state())["conversations"] for turn in case["turns"] if turn["author"] == "bot"]
        assert said == []
        await press(here, "topics", topic=topic, on="")
        assert here.app.policy.held_topics == ()


async def test_a_group_is_answered_each_customer_once(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await storm(here)
        await here.json("clock", minutes=40)
        topic = (await here.app.store.conversations(limit=1))[0].topic or ""
        words = "Your parcel left our depot this morning. I write again tomorrow by 12:00."
        excuse = "Our depot was closed by snow. I write again tomorrow by 12:00."
        fields = {"topic": topic, "text": words, "language": "en", "form_id": "g1", "group": "1"}
        for _ in range(2):
            assert (await press(here, "answers", **fields)).status_code == 303
            await here.json("clock", minutes=2)
        texts = [[turn["text"] for turn in case["turns"]] for case in (await here.state())["conversations"]]
        assert [said.count(words) for said in texts] == [1] * 12
        objected = await press(here, "answers", **{**fields, "text": excuse, "form_id": "g2"})
        assert objected.status_code == 422
        assert excuse in objected.text
        assert "send it anyway" in objected.text
        assert (await press(here, "answers", **{**fields, "text": ""})).status_code == 422
        looked = await press(here, "look", **fields)
        assert "12 customers get it" in looked.text


async def test_everything_can_be_paused_with_one_click(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        assert (await press(here, "pause", on="1")).headers["location"] == "/?said=paused"
        assert here.app.switches.now.paused == "by You"
        assert "The bot is paused" in (await here.client.get("/conversations")).text
        await press(here, "pause", on="")
        assert here.app.switches.now.paused == ""
        await press(here, "check-backs", on="1")
        assert here.app.policy.check_backs_paused
        await press(here, "check-backs", on="")
        assert not here.app.policy.check_backs_paused


async def test_an_update_is_guarded_set_said_and_taken_out(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        await storm(here, 1)
        topic = (await here.app.store.conversations(limit=1))[0].topic or ""
        update = "Parcels have been late since 9:40. Next news here by 12:00."
        assert (await press(here, "updates", topic=topic, language="en", text=update)).headers["location"] == "/?said=update-set"
        await here.json("clock", minutes=10)
        assert any(update in turn["text"] for turn in (await here.case("c0"))["turns"])
        for wrong in ("x" * 300, "This was your own fault."):
            refused = await press(here, "updates", topic=topic, language="en", text=wrong)
            assert refused.status_code == 422, wrong
            assert 'role="alert"' in refused.text
        assert dict(here.app.policy.incident_updates) == {topic: update}
        await press(here, "updates", topic=topic, language="en", text="")
        assert dict(here.app.policy.incident_updates) == {}
