"""Limits, money and signatures: the arithmetic that stands between the bot and a suspended account or an empty purse."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.x import XAccount, XKeys, XPrices, XSettings
from bot.channels.x.limits import BARE_LIMIT_S, MESSAGES, SEND_MESSAGE, SEND_POST, Limits, endpoint_of, told
from bot.channels.x.oauth import Signer
from bot.channels.x.spend import Item, Purpose, SpendMeter, cost_table, daily_cost
from bot.store.records import Rank
from conversations.errors import PolicyError
from tests.channels.x.rig import rig
from tests.platforms.x.model import Credentials
from tests.platforms.x.oauth import SignatureCheck

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs" / "x.md"


def headers(remaining: int, reset_s: int = 600, family: str = "x-rate", limit: int = 100) -> dict[str, str]:
    """The headers of one family."""
    name = family if family.endswith("24hour") else f"{family}-limit"
    return {
        f"{name}-limit": str(limit),
        f"{name}-remaining": str(remaining),
        f"{name}-reset": str(int(NOW.timestamp()) + reset_s),
    }


def test_endpoints_by_name() -> None:
    assert endpoint_of("post", "/2/dm_conversations/with/7/messages") == SEND_MESSAGE
    assert endpoint_of("POST", "/proxy/x/2/tweets") == SEND_POST
    assert endpoint_of("GET", "/2/users/2/tweets") == "GET /2/users/:id/tweets"


def test_both_families_of_headers_are_obeyed() -> None:
    limits = Limits()
    limits.begin(SEND_POST, NOW)
    limits.end(SEND_POST, headers(50) | headers(0, 7200, "x-user-limit-24hour", 2400), NOW)
    assert limits.closed_until(SEND_POST, Rank.FIRST_REPLY, NOW) == (NOW + timedelta(seconds=7200), True)
    later = NOW + timedelta(seconds=7201)
    assert limits.closed_until(SEND_POST, Rank.FIRST_REPLY, later) is None


def test_without_headers_the_documented_limits_are_counted_down() -> None:
    limits = Limits()
    for _ in range(15):
        assert limits.closed_until(SEND_MESSAGE, Rank.AGENT, NOW) is None
        limits.begin(SEND_MESSAGE, NOW)
        limits.end(SEND_MESSAGE, {}, NOW)
    shut = limits.closed_until(SEND_MESSAGE, Rank.AGENT, NOW)
    assert shut == (NOW + timedelta(minutes=15), True)
    assert limits.left(SEND_MESSAGE, "user-limit-24hour", NOW) == (1425, 1440)


def test_reads_follow_the_headers_and_a_server_without_any_is_asked_as_often_as_configured() -> None:
    limits = Limits()
    assert limits.pace_s(MESSAGES, NOW) == 60
    limits.begin(MESSAGES, NOW)
    limits.end(MESSAGES, {"content-type": "application/json"}, NOW)
    assert limits.pace_s(MESSAGES, NOW) == 0
    limits.end(MESSAGES, headers(300, 600, limit=300), NOW)
    assert limits.pace_s(MESSAGES, NOW) == 3


def test_what_is_under_way_counts() -> None:
    limits = Limits()
    for _ in range(3):
        limits.begin(SEND_POST, NOW)
    limits.end(SEND_POST, headers(2), NOW)
    assert limits.room(SEND_POST, NOW) == 0


def test_a_429_without_headers_rests_for_a_while() -> None:
    limits = Limits()
    assert limits.refused(MESSAGES, {}, NOW) == NOW + timedelta(seconds=BARE_LIMIT_S)
    assert limits.pace_s(MESSAGES, NOW) >= BARE_LIMIT_S


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ({"Retry-After": "30"}, 30),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 45)}, 45),
        ({"x-rate-limit-reset": "1"}, BARE_LIMIT_S),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, BARE_LIMIT_S),
        ({"retry-after": "0"}, BARE_LIMIT_S),
    ],
)
def test_a_429_may_say_when_to_come_again_without_counting(said: dict[str, str], wait_s: float) -> None:
    assert Limits().refused(SEND_POST, said, NOW) == NOW + timedelta(seconds=wait_s)


@given(st.dictionaries(st.text(max_size=30) | st.sampled_from(list(headers(1))), st.text(max_size=12)))
def test_malformed_headers_do_no_harm(strange: dict[str, str]) -> None:
    for _, remaining, reset in told(strange).values():
        assert isinstance(remaining, int)
        assert reset is None or reset.tzinfo is not None


@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "pass"]), st.integers(0, 100)), max_size=60))
def test_no_rank_leaves_when_nothing_is_left(steps: list[tuple[str, int]]) -> None:
    limits, now, under_way = Limits(), NOW, 0
    for step, number in steps:
        if step == "begin" and limits.closed_until(SEND_POST, Rank.FIRST_REPLY, now) is None:
            limits.begin(SEND_POST, now)
            under_way += 1
        elif step == "end" and under_way:
            limits.end(SEND_POST, headers(number), now)
            under_way -= 1
        else:
            now += timedelta(seconds=number)
        room = limits.room(SEND_POST, now)
        assert room is not None
        assert (room <= 0) == (limits.closed_until(SEND_POST, None, now) is not None)
        if limits.closed_until(SEND_POST, Rank.REST, now) is None:
            assert limits.closed_until(SEND_POST, Rank.FIRST_REPLY, now) is None


# ---------------------------------------------------------------- money


def test_an_item_is_paid_once_a_day_and_the_breaker_keeps_the_last_dollars_for_people() -> None:
    meter = SpendMeter(XPrices(), 1.0)
    meter.read(Item.POST_READ, ["1", "2", "2"], NOW)
    meter.read(Item.POST_READ, ["1"], NOW + timedelta(hours=1))
    assert meter.usd == pytest.approx(0.01)
    meter.add(Item.POST_READ, 158, NOW)
    assert not meter.allows(0.01, Purpose.EXTRAS, NOW)
    assert meter.allows(0.01, Purpose.REST, NOW)
    with meter.reserve(0.19):
        assert not meter.allows(0.02, Purpose.AGENT, NOW)
    assert meter.allows(0.02, Purpose.AGENT, NOW)
    assert meter.report(NOW)["stopped"] == ["extras", "checks"]
    meter.read(Item.POST_READ, ["1"], NOW + timedelta(days=1))
    assert meter.usd == pytest.approx(0.005)


def test_the_meter_goes_on_after_a_restart_on_the_same_day() -> None:
    meter = SpendMeter(XPrices(), 1.0)
    meter.add(Item.REPLY_SENT, 3, NOW)
    again, tomorrow = SpendMeter(XPrices(), 1.0), SpendMeter(XPrices(), 1.0)
    again.load(meter.dump(), NOW)
    tomorrow.load(meter.dump(), NOW + timedelta(days=1))
    assert again.usd == pytest.approx(0.03)
    assert tomorrow.usd == 0


@pytest.mark.anyio
async def test_never_more_is_spent_than_the_admin_allows() -> None:
    async with rig(daily_spend_usd_max=0.6) as r:
        for n in range(60):
            r.says(f"@brand parcel {n} is late, this is awful", by=r.x.world.add_user(f"user{n}"))
        await r.advance(3600, step_s=60)
        spent = r.channel.spend()["brand"]
        assert 0 < spent["usd"] <= 0.6
        assert "x_credits" in r.alerts()
        price = {"GET /2/users/:id/mentions": 0.001, "POST /2/tweets": 0.01}
        counted = sum(price.get(call.endpoint, 0) * call.items for call in r.x.calls if call.status < 300)
        assert counted >= 0.1
        rows = await r.rows("rejected")
        assert not rows or all(str(row.reason).startswith("budget") for row in rows)


def test_the_table_of_costs_in_the_documentation_is_computed() -> None:
    prices = XPrices()
    table = cost_table((100, 1000, 10_000), prices)
    assert table in DOCS.read_text(encoding="utf-8")
    assert sum(daily_cost(1000, prices).values()) < 10 * sum(daily_cost(100, prices).values()) * 1.5
    assert daily_cost(1000, prices, authors=False)["authors"] == 0


# ---------------------------------------------------------------- settings and signatures


@pytest.mark.parametrize(
    ("given_url", "base"),
    [
        ("https://api.x.com", "https://api.x.com"),
        ("https://api.x.com/", "https://api.x.com"),
        ("http://localhost:8080/x/", "http://localhost:8080/x"),
        ("http://localhost:8080/x/2/", "http://localhost:8080/x"),
    ],
)
def test_api_urls_in_every_form(given_url: str, base: str) -> None:
    assert XAccount(name="brand", api_url=given_url).base_url == base


@pytest.mark.parametrize(
    "changes",
    [{"name": ""}, {"name": "a:b"}, {"api_url": "api.x.com"}, {"poll_s": -1}, {"timeout_s": 60}, {"at_once": 0}],
)
def test_settings_outside_their_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match=r"x\.accounts"):
        XAccount(**({"name": "brand"} | changes))  # type: ignore[arg-type]


def test_two_accounts_of_one_name_are_refused_and_keys_are_not_shown() -> None:
    with pytest.raises(PolicyError, match="twice"):
        XSettings((XAccount(name="brand"), XAccount(name="brand")))
    keys = XKeys("consumer", "secret", "token", "topsecret", "bearer")
    assert "secret" not in repr(XAccount(name="brand", keys=keys))
    assert XKeys("a").missing == ("consumer_secret", "access_token", "access_token_secret")


@pytest.mark.parametrize(
    "url", ["https://api.x.com/2/tweets", "http://LOCALHOST:8081/x/2/tweets", "https://a.example:443/2/tweets"]
)
def test_signatures_fit_the_url_really_called(url: str) -> None:
    keys = Credentials("ck", "c&s", "1-token", "t s")
    mine = XKeys(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret)
    pairs = [("query", "a b&c=é*~"), ("empty", "")]
    signer = Signer(mine)
    header = signer.authorization("get", url, pairs, NOW)
    found = SignatureCheck().verify("GET", url, pairs, header, {keys.access_token: keys}, NOW, 300)
    assert found == keys
    assert header != signer.authorization("get", url, pairs, NOW)  # a nonce is used once
