"""Every row of the failure catalogue has its test."""

from __future__ import annotations

from tests.catalogue import ROWS, named_tests


def test_every_row_of_the_catalogue_has_a_test() -> None:
    found = named_tests()
    assert sorted(ROWS) == list(range(1, 51))
    assert [number for number in ROWS if not found[number]] == []
    assert [number for number in found if found[number] and number not in ROWS] == [], "a test is named after no row"
