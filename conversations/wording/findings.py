"""What a check of wording finds: one value for templates, agents' replies and plans."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """REFUSED stops a text from being published or sent; WARNING lets a human decide."""

    REFUSED = "refused"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a text, at ``text[start:end]``.

    ``message`` says what was found, ``reason`` why it matters to the customer, ``suggestion`` what to write instead.
    """

    rule: str
    message: str
    start: int
    end: int
    severity: Severity
    reason: str = ""
    suggestion: str = ""

    def to_json(self) -> dict[str, Any]:
        """The stable JSON form (``hearout templates check``)."""
        return {**asdict(self), "severity": self.severity.value}
