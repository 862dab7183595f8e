"""Business hours: properties for any week, zone, holiday and instant, the changes of clocks included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.deadlines import BusinessHours, Span, at_daytime

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = (Span(time(9), time(17)),)
WEEKDAYS = BusinessHours("Europe/Berlin", (OFFICE,) * 5 + ((), ()))
NIGHTS = BusinessHours("Europe/Berlin", ((Span(time(0), time(6)), Span(time(22), time.max)),) * 7)
NEVER = BusinessHours("Europe/Berlin", ((),) * 7)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)

INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NEAR_A_CHANGE = st.builds(
    lambda day, minutes: datetime.combine(day, time(), UTC) + timedelta(minutes=minutes),
    st.sampled_from([SPRING, AUTUMN]),
    st.integers(-2000, 2000),
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Australia/Lord_Howe"]
)
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))


@st.composite
def weeks(draw: st.DrawFn) -> BusinessHours:
    """Any week of up to two spans a day, with some holidays."""
    week = []
    for _ in range(7):
        edges = sorted(draw(st.sets(MINUTES, max_size=4)))
        week.append(tuple(Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)))
    holidays = frozenset(draw(st.lists(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=5)))
    return BusinessHours(draw(ZONES), tuple(week), holidays)


def worked(hours: BusinessHours, since: datetime, until: datetime) -> timedelta:
    """The working time between two instants, counted day by day."""
    total, day = timedelta(), since.astimezone(ZoneInfo(hours.time_zone)).date() - timedelta(days=1)
    while day <= until.astimezone(ZoneInfo(hours.time_zone)).date() + timedelta(days=1):
        for starts, ends in hours.spans(day):
            total += max(timedelta(), min(ends, until) - max(starts, since))
        day += timedelta(days=1)
    return total


@settings(max_examples=150, deadline=None)
@given(weeks(), INSTANTS | NEAR_A_CHANGE, st.integers(0, 200_000))
def test_so_much_working_time_has_passed_at_the_deadline(hours: BusinessHours, at: datetime, seconds: int):
    due = hours.add(at, seconds)
    assert due >= at
    assert due.tzinfo is not None
    passed = worked(hours, at, due)
    if any(hours.week) and passed < timedelta(seconds=seconds):
        assert worked(hours, at, at + timedelta(days=398)) <= timedelta(seconds=seconds), (
            "only where nobody works enough"
        )
    elif any(hours.week):
        assert passed == timedelta(seconds=seconds)


@settings(max_examples=100, deadline=None)
@given(weeks(), INSTANTS | NEAR_A_CHANGE, st.integers(0, 50_000), st.integers(0, 50_000))
def test_more_time_is_never_earlier_and_a_later_beginning_never_ends_earlier(
    hours: BusinessHours, at: datetime, seconds: int, more: int
):
    assert hours.add(at, seconds) <= hours.add(at, seconds + more)
    assert hours.add(at, seconds) <= hours.add(at + timedelta(seconds=more), seconds)


@settings(max_examples=100, deadline=None)
@given(weeks(), INSTANTS | NEAR_A_CHANGE)
def test_work_next_begins_when_it_is_open_and_not_before(hours: BusinessHours, at: datetime):
    begins = hours.next_open(at)
    if begins == at:
        assert hours.is_open(at) or worked(hours, at, at + timedelta(days=398)) == timedelta()
    else:
        assert hours.is_open(begins)
        assert worked(hours, at, begins) == timedelta()


@settings(max_examples=100, deadline=None)
@given(INSTANTS | NEAR_A_CHANGE, ZONES)
def test_daytime_is_daytime_and_the_next_one(at: datetime, zone: str):
    moved = at_daytime(at, zone)
    assert timedelta() <= moved - at < timedelta(hours=16)
    assert time(9, 30) <= moved.astimezone(ZoneInfo(zone)).time() <= time(19, 0)
    assert at_daytime(moved, zone) == moved


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_a_day_of_changing_clocks_has_its_own_length(day: date, hours: int):
    around_the_clock = BusinessHours("Europe/Berlin")
    ((starts, ends),) = around_the_clock.spans(day)
    assert ends - starts == timedelta(hours=hours)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 7), (AUTUMN, 9), (date(2026, 6, 1), 8)])
def test_a_night_shift_works_the_hours_there_are(day: date, hours: int):
    assert sum((ends - starts for starts, ends in NIGHTS.spans(day)), timedelta()) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("at", "seconds", "due"),
    [
        ((2026, 3, 27, 16, 0), 2 * 3600, (2026, 3, 30, 10, 0)),  # Friday to Monday, over the change of clocks
        ((2026, 10, 23, 16, 30), 3600, (2026, 10, 26, 9, 30)),
        ((2026, 11, 17, 8, 0), 0, (2026, 11, 17, 9, 0)),
        ((2026, 11, 17, 9, 0), 8 * 3600, (2026, 11, 17, 17, 0)),  # the end of the day still counts
        ((2026, 11, 17, 17, 0), 60, (2026, 11, 18, 9, 1)),
    ],
)
def test_office_hours_in_berlin(at: tuple[int, ...], seconds: int, due: tuple[int, ...]):
    begin = datetime(*at, tzinfo=BERLIN).astimezone(UTC)  # type: ignore[misc,arg-type]
    assert WEEKDAYS.add(begin, seconds) == datetime(*due, tzinfo=BERLIN)  # type: ignore[misc,arg-type]


def test_a_queue_that_always_works_needs_no_looking_up_and_a_holiday_is_still_one():
    at = datetime(2026, 12, 24, 23, 59, tzinfo=UTC)
    assert BusinessHours().add(at, 120) == at + timedelta(minutes=2)
    assert BusinessHours().is_open(at)
    resting = BusinessHours(holidays=frozenset([date(2026, 12, 25)]))
    assert resting.add(at, 120) == datetime(2026, 12, 26, 0, 1, tzinfo=UTC)
    assert resting.spans(date(2026, 12, 25)) == []
    assert resting.spans(date(2026, 12, 25)) == []


def test_holidays_are_days_off_in_the_queues_own_zone():
    holiday = BusinessHours("Europe/Berlin", (OFFICE,) * 7, frozenset([date(2026, 12, 25)]))
    assert not holiday.is_open(datetime(2026, 12, 25, 12, tzinfo=BERLIN))
    assert holiday.next_open(datetime(2026, 12, 24, 23, 30, tzinfo=BERLIN)) == datetime(2026, 12, 26, 9, tzinfo=BERLIN)


def test_where_nobody_ever_works_plain_time_runs_and_nothing_is_hidden_for_good():
    at = datetime(2026, 11, 17, 10, tzinfo=UTC)
    assert not NEVER.is_open(at)
    assert NEVER.next_open(at) == at
    assert NEVER.add(at, 3600) == at + timedelta(hours=1)
