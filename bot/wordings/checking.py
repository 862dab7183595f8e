"""What is wrong with a source, as it is edited and once more before it is published."""

from __future__ import annotations

from collections.abc import Iterable

from bot.wordings.places import Place
from conversations.errors import HearoutError
from conversations.wording.findings import Finding, Severity
from conversations.wording.lint import check_template


class Refused(HearoutError):
    """The source may not be kept or published; ``findings`` say why."""

    def __init__(self, name: str, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(f"{name}: " + "; ".join(finding.message for finding in self.findings))


def check(source: str, place: Place) -> list[Finding]:
    """Lint and guard: everything that is wrong with a source in that place, in the order of the text.

    Spans are places in ``source``. REFUSED findings keep it from being published, the rule ``syntax`` from being kept.
    """
    return check_template(source, place.act, place.language, place.surface, place.situations)


def refused(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that stop a publication."""
    return [finding for finding in findings if finding.severity is Severity.REFUSED]
