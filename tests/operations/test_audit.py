"""The hourly audit: what the platforms show is held against what we wrote down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.audit import Auditor, Kind, last_audit
from bot.audit.slack import SlackAudit
from bot.audit.x import XAudit, missing
from bot.commands.status import audit_line
from tests.channels.x.rig import Rig, rig
from tests.desk.scene import company
from tests.platforms.slack.faults import Fault as SlackFault
from tests.platforms.slack.faults import Trouble
from tests.platforms.x import Fault
from tests.platforms.x import Kind as Broken

pytestmark = pytest.mark.anyio


def x_auditor(r: Rig) -> Auditor:
    return Auditor(r.store, r.clock, r.desk, r.app.metrics, {"x": XAudit(r.channel)})


async def test_a_sound_timeline_has_no_findings() -> None:
    async with rig() as r:
        r.says()
        await r.advance(3600)
        assert r.accepted
        assert await x_auditor(r).audit() == []


async def test_an_audit_before_the_first_poll_asks_for_our_own_timeline_and_no_other() -> None:
    async with rig(user_id="") as r:
        assert await x_auditor(r).audit() == []
        assert [call.path for call in r.x.calls][-1] == f"/2/users/{r.brand.id}/tweets"


async def test_a_reply_that_stands_there_twice_is_found_and_told_once() -> None:
    async with rig() as r:
        post = r.says()
        await r.advance(3600)
        (reply,) = r.replies_to(post)
        r.x.world.post(r.brand.user, r.x.world.posts[reply.id].body, reply_to=post)
        auditor = x_auditor(r)
        findings = await auditor.audit()
        assert [finding.kind for finding in findings] == [Kind.DUPLICATE]
        assert r.alerts().count("audit") == 1
        assert b'hearout_audit_findings{finding="duplicate"} 1.0' in await r.app.metrics.text(r.store, 0.0)
        await auditor.audit()
        assert r.alerts().count("audit") == 1


async def test_a_reply_that_is_gone_is_missing() -> None:
    async with rig() as r:
        post = r.says()
        await r.advance(3600)
        (reply,) = r.replies_to(post)
        r.x.world.delete(r.x.world.posts[reply.id])
        (finding,) = await x_auditor(r).audit()
        assert finding.kind is Kind.MISSING
        assert reply.id in finding.what


async def test_what_was_settled_long_after_it_was_sent_is_not_missing() -> None:
    async with rig() as r:
        r.says()
        await r.advance(3600)
        (row,) = await r.rows("sent")
        assert row.updated_at is not None
        sent, now = row.updated_at, r.now() + timedelta(hours=3)
        late = replace(row, updated_at=now)
        assert missing("brand", [], [late], sent - timedelta(minutes=1), now) != []
        assert missing("brand", [], [late], sent + timedelta(minutes=1), now) == []


async def test_what_cannot_be_read_back_is_said_to_be_unread() -> None:
    async with rig() as r:
        r.says()
        await r.advance(3600)
        r.x.faults.add(Fault(Broken.INVALID_JSON, "GET /2/users/:id/tweets", times=None))
        (finding,) = await x_auditor(r).audit()
        assert finding.kind is Kind.UNREAD
        kept = await last_audit(r.store)
        assert kept is not None
        assert "1 unread" in audit_line(kept)


async def test_slacks_threads_are_read_back_by_their_marks(tmp_path: Path) -> None:
    async with company(tmp_path) as d:
        await d.writes("<@hearout> my parcel is three weeks late and your chat hangs up on me")
        await d.later(901)
        await d.later(1801)
        await d.later(1200)
        look = SlackAudit(d.link, d.parts.store, d.desk, d.outside)
        auditor = Auditor(d.parts.store, d.clock, d.desk, d.parts.metrics, {"slack": look})
        assert d.replies()
        assert await auditor.audit() == []

        world, copies = d.slack.world, (d.replies()[0], d.thread()[0])
        for copied in copies:
            message = world.message(copied.channel, copied.ts)
            again = replace(message, ts=world.new_ts())
            world.messages[again.channel][again.ts] = again
            world.replies[again.channel, str(again.thread_ts)].append(again.ts)
        findings = await auditor.audit()
        assert [finding.kind for finding in findings] == [Kind.DUPLICATE] * 2
        assert {finding.where for finding in findings} == {"slack", "slack desk"}


async def test_direct_messages_in_slack_are_read_back_too(tmp_path: Path) -> None:
    async with company(tmp_path) as d:
        await d.writes("my parcel is three weeks late and your chat hangs up on me", dm=True)
        await d.later(901)
        (reply,) = d.replies()
        await d.later(900)
        look = SlackAudit(d.link, d.parts.store, d.desk, d.outside)
        auditor = Auditor(d.parts.store, d.clock, d.desk, d.parts.metrics, {"slack": look})
        assert await auditor.audit() == []

        world = d.slack.world
        message = world.message(reply.channel, reply.ts)
        again = replace(message, ts=world.new_ts())
        world.messages[again.channel][again.ts] = again
        assert [finding.kind for finding in await auditor.audit()] == [Kind.DUPLICATE]
        del world.messages[again.channel][again.ts], world.messages[message.channel][message.ts]
        assert [finding.kind for finding in await auditor.audit()] == [Kind.MISSING]


async def test_a_thread_that_is_closed_to_us_is_no_finding(tmp_path: Path) -> None:
    async with company(tmp_path) as d:
        await d.writes("<@hearout> my parcel is three weeks late and your chat hangs up on me")
        await d.later(901)
        await d.later(900)
        assert d.replies()
        d.slack.world.change_members(d.help, drop=[d.slack.world.app.bot_user])
        look = SlackAudit(d.link, d.parts.store, d.desk, d.outside)
        assert await Auditor(d.parts.store, d.clock, d.desk, d.parts.metrics, {"slack": look}).audit() == []


async def test_an_agents_words_on_their_way_and_long_texts_in_parts_are_ours(tmp_path: Path) -> None:
    async with company(tmp_path) as d:
        root = await d.writes("<@hearout> my parcel is three weeks late and your chat hangs up on me")
        await d.writes("and this is all of it: " + "it never came, and nobody answers. " * 300, thread=root)
        await d.later(901)
        await d.later(1801)
        await d.claim(d.mia)
        await d.click(d.mia, "reply")
        await d.submit(d.mia, {"text0": "I called the depot; it comes on Friday by noon."})
        d.slack.faults.add(SlackFault("chat.postMessage", Trouble.RATE_LIMITED, nth=1, retry_after_s=3))
        await d.submit(d.mia)
        await d.work()
        assert d.slack.faults.unfired() == ()
        thread = d.thread()
        assert any("(1/" in message.text for message in thread)
        assert "✅ *Mia" in thread[-1].text, "the line that followed the words is their turn now"
        await d.later(1200)
        look = SlackAudit(d.link, d.parts.store, d.desk, d.outside)
        assert await Auditor(d.parts.store, d.clock, d.desk, d.parts.metrics, {"slack": look}).audit() == []
