"""Personal data is found, masked, and never mirrored."""

from __future__ import annotations

import pytest

from conversations.comprehension import Reader
from conversations.wording.mirror import is_clean
from conversations.wording.privacy import mask, outbound_findings, private_spans


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to bob.smith+x@mail.example.co.uk now", "write to [e-mail] now"),
        ("my IBAN is DE89 3704 0044 0532 0130 00 thanks", "my IBAN is [IBAN] thanks"),
        ("card 4111 1111 1111 1111", "card [card]"),
        ("call +44 7911 123456", "call [phone]"),
        ("ruf 030 12345678 an", "ruf [phone] an"),
        ("order 4471-22 is late", "order [number] is late"),
        ("booking ref XKJ82P", "booking ref [number]"),
        ("Bestellnummer: 99812-A", "Bestellnummer: [number]"),
        ("pedido nº 123456", "pedido nº [number]"),
        ("case #88120", "case #[number]"),
        ("I live at 12 Baker Street in town", "I live at [address] in town"),
        ("Hauptstraße 12", "[address]"),
        ("Calle de Alcalá 15", "[address]"),
        ("12 rue de Rivoli", "[address]"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "3 weeks and 40 minutes",
        "on 12/03/2024 at 18:30",
        "I paid 1200 euros",
        "flight at 6pm",
        "since 2019",
        "your order was late",
        "100 %",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    assert private_spans(text) == ()


def test_an_iban_is_no_card_and_spans_do_not_overlap() -> None:
    spans = private_spans("DE89370400440532013000 4111111111111111 +447911123456")
    assert [span.kind for span in spans] == ["iban", "card", "phone"]


def test_outbound() -> None:
    assert outbound_findings("Sorry about your order 4471-22")
    assert not outbound_findings("Sorry about the parcel. Write to us in a direct message.")


@pytest.mark.parametrize(
    "text", ["see @bob", "go to evil.com", "call 030 12345678", "so said Anna", "*bold*", "a\u202eb", "<b>"]
)
def test_what_may_not_be_repeated(text: str) -> None:
    assert not is_clean(text)


def test_a_quote_is_concrete_and_clean() -> None:
    reading = Reader.default().read("You idiots. The birthday was saturday. Call 030 12345678 now.")
    assert reading.quotable == "The birthday was saturday"
    assert Reader.default().read("what a bloody disgrace").quotable is None
