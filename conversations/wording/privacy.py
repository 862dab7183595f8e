"""Personal data in a text: where it is, and the text without it. For what comes in (cards) and what goes out (public posts).

Patterns are linear and candidates are counted, so that no text can make this slow. IBANs are found before cards and cards
before phone numbers, since each could be mistaken for the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from stdnum import iban, luhn

from conversations.comprehension.reading import PrivateSpan

READ_CHARS_MAX = 100_000
"""Of longer texts only this much is searched and kept; the rest is left out of the masked text."""
CHECKED_MAX = 200
"""So many number candidates are checked digit by digit; further ones are masked unchecked."""

_DIGIT = re.compile(r"\d")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_NEAR_AT = re.compile(r"[\w.+%-]@[\w-]")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_DIGITS = re.compile(r"(?<![\w.,-])(?:\+|\(\+?)?\d(?:[ ()./-]{0,2}\d){6,22}(?!\w)")
_NUMBER = re.compile(r"(?<![\w/@.-])(?:[A-Za-z]{0,4}[-/]?\d[A-Za-z0-9/-]{2,24}|[A-Z0-9]{6})(?!\w)")
_ORDER_BEFORE = re.compile(
    r"(?i:\b(?:order|ticket|booking|reservation|case|reference|ref|confirmation|tracking|invoice|customer|account|contract"
    r"|complaint|pnr|record locator|flight confirmation|claim|parcel|shipment|policy|member(?:ship)?"
    r"|bestell(?:ung|nummer|nr)?|auftrag(?:s?(?:nummer|nr))?|kunden(?:nummer|nr)|vorgang(?:s?(?:nummer|nr))?"
    r"|buchung(?:s?(?:nummer|nr|code))?"
    r"|rechnung(?:s?(?:nummer|nr))?|vertrag(?:s?(?:nummer|nr))?|sendung(?:s?(?:nummer|nr))?|ticketnummer|fall"
    r"|pedido|reserva|caso|referencia|factura|localizador|expediente|seguimiento|cliente|contrato|incidencia"
    r"|commande|dossier|réservation|reservation|facture|référence|suivi|contrat|client"
    r"|encomenda|fatura|protocolo|processo|rastreio|bilhete|referência|compra)s?)"
    r"\s{0,2}(?i:number|no\.?|num\.?|id|code|nummer|nr\.?|número|numero|núm\.?|numéro|n°|nº|de|do|da|is|was"
    r"|ist|es|est|é|:|\s){0,4}"
    r"[#.=-]{0,2}\s?$"
)
_LOOK_BACK_CHARS = 40
_HASHED = re.compile(r"(?<!\w)#\s?(?P<value>(?=[A-Z0-9-]*\d[A-Z0-9-]*\d[A-Z0-9-]*\d)[A-Z0-9][A-Z0-9-]{3,24})(?![\w])")
_STREET = re.compile(
    r"(?<![\w.])\d{1,5}(?:[a-zA-Z]?[ ,]{1,2}(?:[A-Z][\w'’.-]{1,24} ){1,3}(?i:street|st|road|rd|avenue|ave|lane"
    r"|ln|drive|dr|close|court|ct|place|pl"
    r"|square|sq|way|terrace|crescent|gardens|boulevard|blvd|hill|row|park|mews|grove|view)\b\.?"
    r"|(?:\s?(?:bis|ter))?,?\s(?i:rue|avenue|boulevard|bd|place|chemin|allée|impasse|quai"
    r"|route|cours)\s(?:(?:de la|de l'|des|de|du|d')\s?)?[A-ZÀ-Ý][\w'’.-]{1,24}"
    r"(?:[ -](?:de |du |des )?[A-ZÀ-Ý][\w'’.-]{1,24}){0,3})"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"
)
_NAMED_STREET = re.compile(
    r"\b[A-ZÄÖÜ][\w.-]{1,24}(?:straße|strasse|str\.|weg|gasse|platz|allee|damm|ring|ufer)\s\d{1,4}\s?[a-zA-Z]?\b"
    r"|\b(?i:calle|c/|avenida|avda\.?|av\.|plaza|paseo|camino|carrer|rua|travessa|praça|largo|alameda"
    r"|estrada)\s(?:(?i:de|del|da|do|la|las|los|das|dos) ){0,2}"
    r"[A-ZÁÉÍÓÚÑÇ][\w'’.-]{1,24}(?: (?:(?i:de|del|da|do|la|das"
    r"|dos) )?[A-ZÁÉÍÓÚÑÇ][\w'’.-]{1,24}){0,3},?\s{0,2}(?:(?i:nº|n°|núm\.?|número|no\.)\s?)?\d{1,5}\b"
)
_STREET_WORDS = (
    "str", "weg ", "gasse", "platz", "allee", "damm", "ring ", "ufer", "calle", "c/", "av", "plaza", "paseo", "camino", "carrer",
    "rua", "travessa", "praça", "largo", "alameda",
)  # fmt: skip
"""Without one of these no street is named; looking for them is much cheaper than trying the pattern at every word."""
_LABEL = {
    "email": "[e-mail]",
    "iban": "[IBAN]",
    "card": "[card]",
    "phone": "[phone]",
    "order": "[number]",
    "address": "[address]",
}
_REGIONS = ("US", "GB", "DE", "ES", "FR", "PT", "BR")


def private_spans(text: str) -> tuple[PrivateSpan, ...]:
    """Where the personal data stands, in order, without overlaps; kinds: email, iban, card, phone, order, address."""
    part = text[:READ_CHARS_MAX]
    taken: list[PrivateSpan] = []
    if "@" in part and _NEAR_AT.search(part):
        _take(taken, ((match.start(), match.end(), "email") for match in _EMAIL.finditer(part)))
    if _DIGIT.search(part):
        _take(taken, _ibans(part))
        runs = [(number, match, re.sub(r"\D", "", match[0])) for number, match in enumerate(_DIGITS.finditer(part))]
        _take(taken, _cards(runs))
        _take(taken, _orders(part))
        _take(taken, _phones(runs))
        if "#" in part:
            _take(taken, ((match.start("value"), match.end("value"), "order") for match in _HASHED.finditer(part)))
        _take(taken, ((match.start(), match.end(), "address") for match in _STREET.finditer(part)))
        lower = part.lower()
        if any(word in lower for word in _STREET_WORDS):
            _take(taken, ((match.start(), match.end(), "address") for match in _NAMED_STREET.finditer(part)))
    return tuple(sorted(taken, key=lambda span: span.start))


def mask(text: str, spans: tuple[PrivateSpan, ...] | None = None) -> str:
    """The text with each span replaced by its kind. What is beyond ``READ_CHARS_MAX`` is left out, and that is said."""
    spans = private_spans(text) if spans is None else spans
    pieces: list[str] = []
    position = 0
    for span in spans:
        pieces += (text[position : span.start], _LABEL[span.kind])
        position = span.end
    pieces.append(text[position:READ_CHARS_MAX])
    if len(text) > READ_CHARS_MAX:
        pieces.append(f" [… {len(text) - READ_CHARS_MAX:,} more characters left out]")
    return "".join(pieces).encode("utf-8", "replace").decode("utf-8")


def outbound_findings(text: str) -> tuple[PrivateSpan, ...]:
    """The personal data that stops a text from going out in public; empty when it may go."""
    return private_spans(text)


def _take(taken: list[PrivateSpan], found: Iterator[tuple[int, int, str]]) -> None:
    """Add what does not overlap with what is taken already. Both are in order, so one pass is enough."""
    if not taken:
        taken += [PrivateSpan(kind, start, end) for start, end, kind in found]
        return
    known = sorted(taken, key=lambda span: span.start)
    position = 0
    for start, end, kind in found:
        while position < len(known) and known[position].end <= start:
            position += 1
        if position == len(known) or known[position].start >= end:
            taken.append(PrivateSpan(kind, start, end))


def _ibans(text: str) -> Iterator[tuple[int, int, str]]:
    for number, match in enumerate(_IBAN.finditer(text)):
        if number >= CHECKED_MAX:
            yield match.start(), match.end(), "iban"
            continue
        pieces = re.split(r"([ -])", match[0])
        for last in range(len(pieces), 0, -2):  # a following word may look like a group of the number
            candidate = "".join(pieces[:last])
            if iban.is_valid(candidate):
                yield match.start(), match.start() + len(candidate), "iban"
                break


def _orders(text: str) -> Iterator[tuple[int, int, str]]:
    for number, match in enumerate(_NUMBER.finditer(text)):
        before = text[max(0, match.start() - _LOOK_BACK_CHARS) : match.start()]
        if number < CHECKED_MAX and _ORDER_BEFORE.search(before):
            yield match.start(), match.end(), "order"


_Run = tuple[int, re.Match[str], str]
"""The how-manieth run of digits it is, where it stands, and its digits alone."""


def _cards(runs: list[_Run]) -> Iterator[tuple[int, int, str]]:
    for number, match, digits in runs:
        if 13 <= len(digits) <= 19 and (number >= CHECKED_MAX or luhn.is_valid(digits)):
            yield match.start(), match.end(), "card"


def _phones(runs: list[_Run]) -> Iterator[tuple[int, int, str]]:
    for number, match, digits in runs:
        if 7 <= len(digits) <= 15 and (number >= CHECKED_MAX or _is_phone(match[0], digits)):
            yield match.start(), match.end(), "phone"


def _is_phone(written: str, digits: str) -> bool:
    if re.fullmatch(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}", written):  # a date
        return False
    if written.startswith(("+", "00")):
        return True
    if len(digits) < 9:
        return False
    for region in _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
