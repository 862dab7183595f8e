"""What comes in from a form or as JSON, checked field by field before anything happens."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.requests import Request

from conversations.errors import HearoutError

POST_CHARS_MAX = 25_000
"""What this platform takes in one post: as much as the longest posts of X."""
FIELDS_MAX = 200
PAGE_ID = "form_id"
"""What pages call the field ``id``: a field of that very name would hide the form's own id from scripts."""
_ID = re.compile(r"[\w.:@-]{1,120}")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b\ufeff\ud800-\udfff]")


class BadInput(HearoutError):
    """Something that was typed or sent cannot be used: which field, and what to do."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Form:
    """The fields of a request, with the lists that only JSON can hold. ``is_json``: a program sent it, not a page."""

    fields: Mapping[str, str]
    is_json: bool = False
    lists: Mapping[str, list[Any]] = field(default_factory=dict)

    def text(self, name: str, chars_max: int = POST_CHARS_MAX) -> str:
        """A text, with line ends as one character. Raises ``BadInput`` when it is too long."""
        value = self.fields.get(name, "").replace("\r\n", "\n")
        if len(value) > chars_max:
            raise BadInput(name, f"This has {len(value):,} characters; at most {chars_max:,} are taken.")
        return value

    def words(self, name: str, chars_max: int = POST_CHARS_MAX) -> str:
        """A text that must hold something to read. Raises ``BadInput``."""
        value = self.text(name, chars_max)
        if not _UNSEEN.sub("", value).strip():
            raise BadInput(name, "There is nothing to read here yet: write something.")
        return value

    def id(self, name: str) -> str:
        """An identifier made by the sender. Raises ``BadInput``."""
        value = self.fields.get(name, "")
        if not _ID.fullmatch(value):
            raise BadInput(name, "An id of 1 to 120 letters, digits and . : @ _ - is needed.")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number within bounds. Raises ``BadInput``."""
        value = self.fields.get(name, "").strip()
        try:
            found = float(value.replace(",", ".")) if value else default
        except ValueError:
            raise BadInput(name, f"{value[:40]!r} is no number.") from None
        if not low <= found <= high:
            raise BadInput(name, f"Give a number from {low:g} to {high:g}.")
        return found

    def flag(self, name: str) -> bool:
        """A tick."""
        return self.fields.get(name, "").lower() in ("1", "on", "true", "yes")

    def choice(self, name: str, choices: Mapping[str, Any], default: str | None = None) -> Any:
        """One of several. Raises ``BadInput``."""
        value = self.fields.get(name) or default or ""
        if value not in choices:
            raise BadInput(name, f"Choose one of: {', '.join(choices)}.")
        return choices[value]

    def instant(self, name: str, zone: ZoneInfo) -> datetime | None:
        """An instant: ISO 8601; without an offset it is wall-clock time in ``zone``. None when empty. Raises ``BadInput``."""
        value = self.fields.get(name, "").strip()
        if not value:
            return None
        return instant(name, value, zone)


def instant(name: str, value: str, zone: ZoneInfo) -> datetime:
    """See ``Form.instant``."""
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(name, f"{value[:40]!r} is no date and time: write it like 2026-03-14T16:30.") from None


async def read_form(request: Request) -> Form:
    """The fields of a request: a page's form, or JSON from a program. Raises ``BadInput``."""
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        try:
            data = json.loads(body)
        except ValueError as error:
            raise BadInput("body", f"This is no JSON: {error}") from None
        if not isinstance(data, dict):
            raise BadInput("body", "Send one JSON object.")
        fields = {
            name: plain(value) for name, value in data.items() if value is not None and not isinstance(value, list)
        }
        return Form(
            fields, is_json=True, lists={name: value for name, value in data.items() if isinstance(value, list)}
        )
    try:
        pairs = parse_qsl(
            body.decode("ascii", "replace"), keep_blank_values=True, errors="replace", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise BadInput("body", f"At most {FIELDS_MAX} fields are taken.") from None
    fields = dict(pairs)
    if PAGE_ID in fields:
        fields["id"] = fields.pop(PAGE_ID)
    return Form(fields)


def plain(value: Any) -> str:
    """A JSON value as a form would send it."""
    return ("1" if value else "") if isinstance(value, bool) else str(value)


def next_working(now: datetime, days: int, hour: int, zone: ZoneInfo) -> datetime:
    """A sensible date to propose: that many days ahead, at a full hour, not on a weekend."""
    local = (now.astimezone(zone) + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    while local.weekday() >= 5:
        local += timedelta(days=1)
    return local
