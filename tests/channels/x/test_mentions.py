"""How mentions come in: once each, none lost, in whatever order X shows them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.x.intake.tails import ROUND_MAX
from bot.store.records import Arrival, Place, Taken
from conversations.events import CustomerPosted
from conversations.policy import Quiet
from conversations.protocol import State
from conversations.wording.request import Surface
from tests.channels.x.rig import STORY, Rig, rig
from tests.platforms.x import Media

pytestmark = pytest.mark.anyio


async def aside_reasons(r: Rig) -> list[str]:
    """Why posts were set aside, in order."""
    return [entry.reason for entry in reversed(await r.store.asides(1000))]


async def test_catalogue_10_a_30_minute_outage_loses_and_repeats_nothing() -> None:
    async with rig() as r:
        people = [r.x.world.add_user(f"user{n}") for n in range(9)]
        r.says(by=people[0])
        await r.advance(60)
        for person in people[1:]:
            r.clock.set(r.now() + timedelta(seconds=200))
            r.says(by=person)
        await r.restart()
        await r.advance(120)
        assert len(await r.cases()) == 9
        await r.restart()
        await r.advance(3600, step_s=60)
        assert len(await r.cases()) == 9
        assert sorted(row.reply_to_id or "" for row in r.accepted) == sorted(r.x.world.posts[p].id for p in replied(r))


def replied(r: Rig) -> list[str]:
    """The mentions of customers, by id."""
    return [post.id for post in r.x.world.posts.values() if post.author_id != r.brand.id]


async def test_catalogue_11_the_overlap_finds_a_mention_that_is_indexed_late() -> None:
    async with rig() as r:
        bob = r.x.world.add_user("bob")
        late = r.says(lag_s=600)
        await r.advance(30)
        r.says(by=bob)
        await r.advance(300)
        assert [case.customer.handle for case in await r.cases()] == ["bob"]
        await r.advance(420)
        assert {case.customer.handle for case in await r.cases()} == {"ada", "bob"}
        found = next(case for case in await r.cases() if case.customer.handle == "ada")
        assert found.first_posted_at == late.created_at


async def test_a_mention_later_than_the_overlap_is_found_by_the_sweep() -> None:
    async with rig() as r:
        bob = r.x.world.add_user("bob")
        r.says(lag_s=2400)
        await r.advance(1800)
        r.says(by=bob)
        await r.advance(1800)
        assert {case.customer.handle for case in await r.cases()} == {"ada", "bob"}


async def test_catalogue_12_700_mentions_of_backlog_are_all_taken_in_and_the_desk_is_told() -> None:
    async with rig() as r:
        await r.advance(60)
        for n in range(710):
            r.clock.set(r.now() + timedelta(seconds=1))
            r.says(f"@brand my parcel {n} is late, this is awful", by=r.x.world.add_user(f"user{n}"))
        await r.channel.round()
        assert (await r.store.counts()).unread == 710
        assert "x_backlog" in r.alerts()
        assert len(r.x.calls_to("GET /2/users/:id/mentions")) <= 12


async def test_beyond_the_800_that_x_shows_the_rest_is_searched_for() -> None:
    async with rig() as r:
        await r.advance(60)
        for n in range(1200):
            r.clock.set(r.now() + timedelta(seconds=1))
            r.says(f"@brand my parcel {n} is late, this is awful", by=r.x.world.add_user(f"user{n}"))
        await r.channel.round()
        assert (await r.store.counts()).unread == 1200
        (words,) = [words for _, kind, words in r.desk.alerts if kind == "x_backlog"]
        assert "found by search" in words


async def test_a_failure_between_pages_keeps_the_cursor() -> None:
    from tests.platforms.x import Fault, Kind

    async with rig() as r:
        await r.advance(60)
        before = await r.cursor()
        for n in range(150):
            r.says(f"@brand my parcel {n} is late", by=r.x.world.add_user(f"user{n}"))
        r.x.faults.add(Fault(Kind.SERVER_ERROR, "GET /2/users/:id/mentions", nth=2))
        await r.channel.round()
        assert await r.cursor() == before
        await r.advance(60)
        assert len(await r.cases()) == 150
        assert await r.cursor() != before


async def test_a_cold_start_leaves_old_mentions_alone() -> None:
    async with rig(cold_start_s=3600) as r:
        bob = r.x.world.add_user("bob")
        r.says("@brand a month ago you were awful", at=r.now() - timedelta(days=30))
        recent = r.says(by=bob, at=r.now() - timedelta(minutes=50))
        await r.advance(60)
        assert [case.customer.handle for case in await r.cases()] == ["bob"]
        assert await aside_reasons(r) == []
        await r.restart()
        await r.advance(600)
        assert len(await r.cases()) == 1
        assert len(r.replies_to(recent)) == 1


async def test_catalogue_38_our_own_posts_are_nobodys_complaint() -> None:
    async with rig("brand", "brandhelp") as r:
        await r.advance(60)
        r.x.world.post(r.brand.user, "@brand is sorry, this is awful and terrible")
        r.x.world.post(r.brand.user, "@brandhelp please look, this is awful and terrible")
        await r.advance(600)
        assert await r.cases() == []
        assert await aside_reasons(r) == []


async def test_a_post_that_names_two_accounts_makes_one_case_and_one_answer() -> None:
    async with rig("brand", "brandhelp") as r:
        both = r.says("@brandhelp @brand my parcel is two weeks late, this is a disgrace")
        await r.advance(600)
        assert (await r.case()).account == "brandhelp"
        assert len(r.replies_to(both)) == 1


async def test_retweets_other_bots_blocked_people_and_silent_quotes_are_set_aside_with_a_reason() -> None:
    async with rig(blocked=frozenset({"@Troll"})) as r:
        r.x.settings.quotes_in_mentions = True
        world = r.x.world
        ours = world.post(r.brand.user, "Our new kettle is here")
        await r.advance(60)
        world.retweet(r.ada, world.post(world.add_user("carl"), "thanks @brand for the tea"))
        world.post(world.add_user("robot", automated_by="someone"), "@brand awful awful awful")
        world.post(world.add_user("troll"), "@brand you are awful, my parcel is late")
        world.post(world.add_user("dora"), "🙂", quote_of=ours)
        world.post(world.add_user("emil"), "this kettle broke after a day, awful quality", quote_of=ours)
        world.post(world.add_user("fay"), "https://x.com/i/status/1", quote_of=ours)
        await r.advance(60)
        reasons = await aside_reasons(r)
        assert [case.customer.handle for case in await r.cases()] == ["emil"]
        assert len(reasons) == 6
        assert sum("repost" in reason for reason in reasons) == 1
        assert sum("label" in reason for reason in reasons) == 1
        assert sum("block list" in reason for reason in reasons) == 1


async def test_texts_are_unescaped_whole_and_say_how_many_pictures_there_are() -> None:
    async with rig() as r:
        words = "@brand tea & <biscuits> are late. " + "I waited and waited. " * 30
        r.says(words, media=(Media("3_1"), Media("3_2")))
        await r.advance(60)
        (turn,) = await r.store.turns((await r.case()).key)
        assert turn.text == words.strip()
        assert turn.media == 2


async def test_links_are_spelled_out() -> None:
    async with rig() as r:
        r.says("@brand my order at https://shop.example.com/orders/7 is late, awful")
        await r.advance(60)
        (turn,) = await r.store.turns((await r.case()).key)
        assert turn.text == "@brand my order at https://shop.example.com/orders/7 is late, awful"


async def test_the_tail_of_a_thread_belongs_to_the_story_before_the_first_reply() -> None:
    async with rig() as r:
        head, *tail = r.x.world.thread(
            r.ada, ["@brand 1/3 so my kettle", "2/3 exploded on day two", "3/3 and I want my money back"]
        )
        r.x.world.post(r.x.world.add_user("bob"), "same here", reply_to=head, prefix=False)
        await r.advance(290)
        case = await r.case()
        assert {turn.id for turn in case.story} == {post.id for post in (head, *tail)}
        await r.advance(900)
        assert [row.reply_to_id for row in r.accepted if row.kind == "post"] == [head.id]


async def test_a_tail_is_looked_up_before_the_first_reply_however_short_the_quiet_time_is() -> None:
    async with rig(quiet_s=Quiet(public=20.0)) as r:
        head, *tail = r.x.world.thread(
            r.ada, ["@brand so my kettle", "exploded on day two", "and I want my money back, this is a disgrace"]
        )
        await r.advance(60, step_s=2)
        case = await r.case()
        (reply,) = r.replies_to(head)
        assert {turn.id for turn in case.story} >= {post.id for post in (head, *tail)}
        answered_at = next(row.posted_at for row in await r.store.turns(case.key) if row.id == reply.id)
        looks = [call.at for call in r.x.calls if call.endpoint == "GET /2/tweets/search/recent"]
        assert len(looks) == 2
        assert max(looks) < answered_at


async def test_in_a_storm_the_tails_do_not_hold_up_the_mentions() -> None:
    async with rig() as r:
        for n in range(2 * ROUND_MAX):
            r.says(f"@brand my parcel {n} is late, this is awful", by=r.x.world.add_user(f"user{n}"))
        await r.advance(150, step_s=10)
        looks = Counter(call.at for call in r.x.calls if call.endpoint == "GET /2/tweets/search/recent")
        assert list(looks.values()) == [ROUND_MAX, ROUND_MAX]


async def test_an_edit_is_read_again_and_keeps_the_first_id() -> None:
    async with rig() as r:
        first = r.says("@brand my tae is late, this is awful")
        await r.advance(60)
        second = r.x.world.edit(first, "@brand my tea is late, this is awful, and the cup broke")
        await r.advance(60)
        case = await r.case()
        (turn,) = await r.store.turns(case.key)
        assert (turn.id, turn.text) == (first.id, second.body)
        assert turn.edited_at is not None
        await r.restart()
        await r.advance(600)
        assert [row.reply_to_id for row in r.accepted] == [second.id]
        assert len(await r.store.turns(case.key)) == 2


async def test_a_post_first_seen_after_its_edit_is_one_post() -> None:
    async with rig() as r:
        first = r.says("@brand my tae is late, awful")
        second = r.x.world.edit(first, "@brand my tea is late, awful")
        await r.advance(60)
        await r.restart()
        await r.advance(60)
        (turn,) = await r.store.turns((await r.case()).key)
        assert (turn.id, turn.text, turn.edited_at) == (first.id, second.body, None)


async def test_what_was_set_aside_is_triaged_again_when_it_is_edited() -> None:
    async with rig() as r:
        first = r.says("@brand good morning!")
        await r.advance(60)
        assert await r.cases() == []
        r.x.world.edit(first, STORY)
        await r.advance(60)
        assert len(await r.cases()) == 1


async def test_a_deleted_mention_goes_here_too_within_the_next_polls() -> None:
    async with rig() as r:
        post = r.says()
        await r.advance(150)
        r.x.world.delete(post)
        await r.advance(90)
        case = await r.case()
        assert case.state is State.CLOSED
        (turn,) = await r.store.turns(case.key)
        assert turn.text is None
        await r.advance(900)
        assert r.accepted == []


async def test_old_posts_are_looked_up_and_a_deletion_is_noticed_within_24_hours() -> None:
    async with rig() as r:
        post = r.says()
        await r.advance(3600, step_s=120)
        await r.restart()
        await r.advance(6 * 3600, step_s=900)
        r.x.world.delete(post)
        at = r.now()
        while (await r.store.turns((await r.case()).key))[0].text is not None:
            assert r.now() - at <= timedelta(hours=24)
            await r.advance(1800, step_s=900)


async def test_a_colleague_who_answers_on_x_takes_over() -> None:
    async with rig() as r:
        mention = r.says()
        await r.advance(120)
        r.x.world.post(r.brand.user, "We are on it, Ada!", reply_to=mention)
        await r.advance(900)
        case = await r.case()
        assert case.state is State.WITH_AGENT
        assert r.accepted == []
        turns = await r.store.turns(case.key)
        assert [turn.text for turn in turns] == [STORY, "We are on it, Ada!"]


async def test_a_colleague_who_answers_a_direct_message_takes_over() -> None:
    async with rig() as r:
        r.messages("my parcel is two weeks late, this is awful")
        await r.advance(40)
        r.x.world.dm(r.brand.user, r.ada, "Hello, I am looking into it")
        await r.advance(900)
        case = await r.case()
        assert case.state is State.WITH_AGENT
        assert r.accepted == []
        assert [turn.place for turn in await r.store.turns(case.key)] == [Place.DIRECT, Place.DIRECT]


def decides_at_once(r: Rig) -> None:
    """From now on the engine decides and delivers as soon as something came in, as it does beside a running channel."""
    take_in = r.channel.take_in
    deciding = False

    async def and_decide(arrivals: Sequence[Arrival]) -> list[Taken]:
        nonlocal deciding
        taken = await take_in(arrivals)
        if not deciding:  # a send that looks at its post takes in what it sees
            deciding = True
            await r.run.settle()
            deciding = False
        return taken

    r.channel.take_in = and_decide


async def test_what_a_colleague_answered_while_we_were_away_is_not_answered_again() -> None:
    async with rig() as r:
        decides_at_once(r)
        post = r.says()
        r.x.world.post(r.brand.user, "@ada Hello Ada, Kim here, I look into it", reply_to=post)
        unanswered = r.says(by=r.x.world.add_user("bob"))
        r.clock.set(r.now() + timedelta(seconds=1200))
        await r.advance(600)
        assert [row.reply_to_id for row in r.accepted] == [unanswered.id]
        (case,) = [case for case in await r.cases() if case.customer.handle == "ada"]
        assert case.state is State.WITH_AGENT


async def test_a_direct_message_that_a_colleague_answered_before_we_saw_it_is_not_answered_again() -> None:
    async with rig() as r:
        decides_at_once(r)
        r.messages("my parcel is late and nobody answers, this is awful")
        r.clock.set(r.now() + timedelta(seconds=10))
        r.x.world.dm(r.brand.user, r.ada, "Hello Ada, Kim here, I look into it")
        r.clock.set(r.now() + timedelta(seconds=600))
        await r.advance(600)
        assert r.accepted == []
        assert (await r.case()).state is State.WITH_AGENT


async def test_our_own_words_seen_on_the_timeline_are_not_a_colleagues() -> None:
    async with rig() as r:
        r.says()
        await r.advance(420)
        await r.restart()
        await r.advance(1800)
        assert (await r.case()).owner is None
        assert "answered_elsewhere" not in await r.alarms()


async def test_a_direct_message_joins_the_conversation_of_the_mention() -> None:
    async with rig() as r:
        r.says()
        await r.advance(60)
        r.messages("it is order 12")
        await r.advance(90)
        case = await r.case()
        assert case.direct
        assert [turn.surface for turn in case.story] == [Surface.PUBLIC, Surface.DIRECT]


async def test_a_reply_that_names_us_only_by_xs_prefix_goes_to_a_human() -> None:
    async with rig() as r:
        ours = r.x.world.post(r.brand.user, "Our new kettle is here")
        await r.advance(30)
        r.says("mine exploded on day two and nobody answers, awful", reply_to=ours)
        await r.advance(600)
        case = await r.case()
        assert case.state is State.AWAITING_AGENT
        assert r.accepted == []
        (row,) = await r.rows()
        assert row.status.value == "refused"
        assert row.reason is not None
        assert row.reason.startswith("not mentioned")


async def test_polls_stay_within_the_limits_and_a_mention_is_seen_within_a_minute() -> None:
    async with rig() as r:
        seen: list[float] = []
        for n in range(20):
            await r.advance(47, step_s=10)
            post = r.says(f"@brand parcel {n} is late, awful", by=r.x.world.add_user(f"user{n}"))
            await r.advance(60, step_s=10)
            case = next(case for case in await r.cases() if case.first_posted_at == post.created_at)
            seen.append((case.opened_at - post.created_at).total_seconds())
        assert sorted(seen)[10] <= 60
        quarter = [
            call for call in r.x.calls_to("GET /2/dm_events") if call.at <= r.x.calls[0].at + timedelta(minutes=15)
        ]
        assert len(quarter) <= 15
        assert not [call for call in r.x.calls if call.status == 429]


async def test_a_reading_is_stored_with_the_event() -> None:
    async with rig() as r:
        r.says("@brand hello there")
        await r.advance(30)
        (entry,) = await r.store.asides()
        assert isinstance(entry.event, CustomerPosted)
        assert entry.event.reading.language == "en"
        assert replace(entry.event, text="x").text == "x"


async def test_a_bystander_in_a_thread_that_was_answered_goes_to_the_desk_also_after_a_restart() -> None:
    async with rig() as r:
        mention = r.says()
        await r.advance(420)
        assert len(r.replies_to(mention)) == 1
        await r.restart()
        bob = r.x.world.add_user("bob")
        r.says("@brand same here, my parcel is late as well, this is awful", by=bob, reply_to=mention)
        await r.advance(900)
        case = next(case for case in await r.cases() if case.customer.id == bob.id)
        assert case.state is State.AWAITING_AGENT
        refused = [row.reason or "" for row in await r.rows("refused")]
        assert [reason.partition(":")[0] for reason in refused] == ["thread"]
        assert len(r.accepted) == 1
