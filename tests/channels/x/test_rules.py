"""The rules in front of every send: each rule by itself, and what holds for all of them whatever comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.port import Refused
from bot.channels.x.rules import PRESSING, THREAD_S, UNPROMPTED, Allowed, History, Intent, Rules, Target, may_send
from conversations.conversation import Author
from conversations.wording.request import Act, Surface

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
TARGET = Target(id="10", author_id="7", summons=True, thread="10")
PUBLIC = Intent(
    surface=Surface.PUBLIC,
    text="We hear you.",
    act=Act.ACKNOWLEDGE,
    customer_id="7",
    answers="10",
    target=TARGET,
    now=NOW,
)
DIRECT = replace(PUBLIC, surface=Surface.DIRECT, target=None, answers="dm:11")
OPENED = History(customer_wrote_direct=True)


def verdict(
    intent: Intent, author: Author = Author.BOT, history: History | None = None, rules: Rules | None = None
) -> str:
    """The beginning of the reason, or ``allowed``."""
    found = may_send(intent, author, history or History(), rules or Rules())
    return "allowed" if isinstance(found, Allowed) else found.reason.partition(":")[0]


@pytest.mark.parametrize(
    ("expected", "intent", "history", "rules"),
    [
        ("allowed", PUBLIC, History(), Rules()),
        ("allowed", DIRECT, OPENED, Rules()),
        ("not mentioned", replace(PUBLIC, target=replace(TARGET, summons=False)), History(), Rules()),
        ("gone", replace(PUBLIC, target=replace(TARGET, gone=True)), History(), Rules()),
        ("wrong person", replace(PUBLIC, target=replace(TARGET, author_id="8")), History(), Rules()),
        ("unprompted", replace(PUBLIC, target=None), History(), Rules()),
        ("unprompted", replace(PUBLIC, answers=None), History(), Rules()),
        ("unprompted", replace(PUBLIC, act=Act.HOLDING), History(), Rules()),
        ("unprompted", replace(PUBLIC, act=Act.CHECK_BACK), History(), Rules()),
        ("allowed", replace(DIRECT, act=Act.CHECK_BACK, answers=None), OPENED, Rules()),
        ("allowed", replace(DIRECT, act=Act.HOLDING), replace(OPENED, answered={"dm:11"}), Rules()),
        ("not opened", DIRECT, History(), Rules()),
        ("answered", PUBLIC, History(answered={"10"}), Rules()),
        ("answered", DIRECT, replace(OPENED, answered={"dm:11"}), Rules()),
        ("opted out", PUBLIC, History(opted_out=True), Rules()),
        ("allowed", replace(PUBLIC, act=Act.OPT_OUT_CONFIRMED), History(opted_out=True), Rules()),
        ("answered", replace(PUBLIC, act=Act.OPT_OUT_CONFIRMED), History(opted_out=True, answered={"10"}), Rules()),
        ("muted", PUBLIC, History(muted=True), Rules()),
        ("paused", PUBLIC, History(), Rules(paused=True)),
        ("no label", PUBLIC, History(), Rules(automated_label=False)),
        ("thread", PUBLIC, History(thread_replied_at=NOW - timedelta(seconds=THREAD_S - 1)), Rules()),
        ("allowed", PUBLIC, History(thread_replied_at=NOW - timedelta(seconds=THREAD_S)), Rules()),
        ("allowed", replace(PUBLIC, act=Act.RISK_FIRE), History(thread_replied_at=NOW, same_text=99), Rules()),
        ("daily cap", PUBLIC, History(to_customer_today=10), Rules()),
        ("daily cap", PUBLIC, History(public_today=2000), Rules()),
        ("same text", PUBLIC, History(same_text=12), Rules()),
        ("link", replace(PUBLIC, text="see example.com"), History(), Rules()),
        ("allowed", replace(PUBLIC, text="see example.com"), History(), Rules(urls_in_public=True)),
        (
            "allowed",
            replace(PUBLIC, text="https://x.com/a?b=1 ok", deep_link="https://x.com/a?b=1"),
            History(),
            Rules(),
        ),
        ("allowed", replace(DIRECT, text="see example.com"), OPENED, Rules()),
    ],
)
def test_each_rule(expected: str, intent: Intent, history: History, rules: Rules) -> None:
    assert verdict(intent, Author.BOT, history, rules) == expected


def test_what_an_agent_triggers_is_a_humans_and_may_correct_itself() -> None:
    busy = History(
        answered={"10"},
        thread_replied_at=NOW,
        same_text=99,
        public_today=9999,
        to_customer_today=99,
        opted_out=True,
        muted=True,
    )
    assert verdict(PUBLIC, Author.AGENT, busy, Rules(paused=True, automated_label=False)) == "allowed"
    assert verdict(replace(PUBLIC, target=replace(TARGET, summons=False)), Author.AGENT, busy) == "not mentioned"
    assert verdict(DIRECT, Author.AGENT, busy) == "not opened"


targets = st.none() | st.builds(
    Target,
    id=st.sampled_from(["10", "12"]),
    author_id=st.sampled_from(["7", "8"]),
    summons=st.booleans(),
    thread=st.just("10"),
    gone=st.booleans(),
)
intents = st.builds(
    Intent,
    surface=st.sampled_from(Surface),
    text=st.sampled_from(["We hear you.", "see https://example.com/a", "tea & <biscuits>"])
    | st.text(min_size=1, max_size=60),
    act=st.none() | st.sampled_from(Act),
    customer_id=st.just("7"),
    answers=st.none() | st.sampled_from(["10", "dm:11"]),
    target=targets,
    now=st.just(NOW),
    deep_link=st.none() | st.just("https://x.com/messages/compose?recipient_id=1"),
)
histories = st.builds(
    History,
    answered=st.frozensets(st.sampled_from(["10", "dm:11"])),
    customer_wrote_direct=st.booleans(),
    opted_out=st.booleans(),
    muted=st.booleans(),
    thread_replied_at=st.none() | st.timedeltas(timedelta(), timedelta(hours=3)).map(lambda ago: NOW - ago),
    same_text=st.integers(0, 30),
    to_customer_today=st.integers(0, 20),
    public_today=st.integers(0, 4000),
)
rules = st.builds(Rules, automated_label=st.booleans(), paused=st.booleans(), urls_in_public=st.booleans())
authors = st.sampled_from([Author.BOT, Author.AGENT])


@given(intents, authors, histories, rules)
def test_whatever_comes_no_rule_that_ends_accounts_is_broken(
    intent: Intent, author: Author, history: History, policy: Rules
) -> None:
    found = may_send(intent, author, history, policy)
    assert found == may_send(intent, author, history, policy) or isinstance(found, Refused)
    if isinstance(found, Refused):
        assert found.reason
        return
    if intent.surface is Surface.DIRECT:
        assert history.customer_wrote_direct
    else:
        assert intent.target is not None
        assert intent.target.summons
        assert not intent.target.gone
        assert intent.target.author_id == intent.customer_id
    if author is Author.BOT:
        assert policy.automated_label
        assert not policy.paused
        assert not history.opted_out or intent.act is Act.OPT_OUT_CONFIRMED
        assert intent.act in UNPROMPTED or intent.answers not in history.answered
        assert intent.act not in UNPROMPTED or intent.surface is Surface.DIRECT
        assert intent.act in PRESSING or history.to_customer_today < policy.customer_daily_max


@given(intents, histories, rules)
def test_a_human_may_do_all_that_the_bot_may(intent: Intent, history: History, policy: Rules) -> None:
    if isinstance(may_send(intent, Author.BOT, history, policy), Allowed):
        assert isinstance(may_send(intent, Author.AGENT, history, policy), Allowed)
