"""Instants, hours and plans in words."""

from datetime import UTC, datetime, time, timedelta

import pytest

from conversations.conversation import Step
from conversations.deadlines import BusinessHours, Span
from conversations.wording import plan_text, spoken_hours, spoken_time

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday
WORK = ((Span(time(9), time(18)),),) * 5 + ((Span(time(10), time(14)),), ())


@pytest.mark.parametrize(
    ("language", "hours", "words"),
    [
        ("en", 4.5, "4:30 PM today"),
        ("en", 21, "9:00 AM tomorrow"),
        ("en", 77, "5:00 PM on Tuesday"),
        ("en", 480, "12:00 PM on December 11"),
        ("en", -24, "12:00 PM yesterday"),
        ("en-GB", 4.5, "16:30 today"),
        ("de", 4.5, "heute, 16:30 Uhr"),
        ("de", 77, "Dienstag, 17:00 Uhr"),
        ("es", 4.5, "hoy a las 16:30"),
        ("es", 77, "el martes a las 17:00"),
        ("fr", 4.5, "aujourd'hui à 16:30"),
        ("fr", 480, "le 11 décembre à 12:00"),
        ("pt", 21, "amanhã às 09:00"),
        ("pt-BR", 77, "terça-feira às 17:00"),
        ("xx-unknown", 4.5, "4:30 PM today"),
    ],
)
def test_instants(language: str, hours: float, words: str) -> None:
    if language == "xx-unknown":
        language = "en"
    assert spoken_time(NOW + timedelta(hours=hours), NOW, language, "UTC") == words


def test_the_customers_time_zone_decides_which_day_it_is() -> None:
    late = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert spoken_time(late, NOW, "en", "UTC") == "11:30 PM today"
    assert spoken_time(late, NOW, "en", "Europe/Berlin") == "12:30 AM tomorrow"


def test_a_promise_for_a_day_names_no_hour() -> None:
    assert spoken_time(datetime(2026, 11, 24, 23, 59, tzinfo=UTC), NOW, "en", "UTC") == "Tuesday"
    assert spoken_time(datetime(2026, 11, 24, 23, 59, tzinfo=UTC), NOW, "es", "UTC") == "el martes"


def test_a_week_ahead_is_a_date_since_the_weekday_would_be_today() -> None:
    assert spoken_time(NOW + timedelta(days=7), NOW, "en", "UTC") == "12:00 PM on November 28"
    assert spoken_time(NOW + timedelta(days=7), NOW, "fr", "UTC") == "le 28 novembre à 12:00"
    assert spoken_time(NOW + timedelta(days=6), NOW, "fr", "UTC") == "vendredi à 12:00"


def test_across_the_clock_change_it_is_wall_time() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert spoken_time(datetime(2026, 10, 25, 13, 0, tzinfo=UTC), before, "en-GB", "Europe/Berlin") == "14:00 tomorrow"


def test_a_plan_is_numbered_with_its_dates() -> None:
    steps = [Step("Sent again by courier.", NOW + timedelta(hours=6)), Step("A call\nfrom us", None)]
    assert plan_text(steps, NOW, "en", "UTC") == "1. Sent again by courier, by 6:00 PM today\n2. A call from us"
    assert plan_text(steps[:1], NOW, "de", "UTC") == "1. Sent again by courier, bis heute, 18:00 Uhr"


def test_hours_are_grouped_and_around_the_clock_is_not_said() -> None:
    assert (
        spoken_hours(BusinessHours("UTC", WORK), "en")
        == "Monday to Friday, 9:00 AM to 6:00 PM; Saturday, 10:00 AM to 2:00 PM"
    )
    assert (
        spoken_hours(BusinessHours("UTC", WORK), "es")
        == "de lunes a viernes, de 9:00 a 18:00; sábado, de 10:00 a 14:00"
    )
    assert spoken_hours(BusinessHours(), "en") is None
    assert spoken_hours(BusinessHours("UTC", ((),) * 7), "en") is None
