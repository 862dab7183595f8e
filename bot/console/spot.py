"""Where somebody stands on the playground's page. It is all in the address, so that it survives a reload and can be sent on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

PATH = "/playground"
_SAFE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Spot:
    """The chosen customer, tab of the phone, case, act, agent, and on narrow screens the pane. ``edit`` is a post being edited;
    ``shelf`` is what the desk lists: ``cases`` or ``aside`` (empty: what fits).

    Everything is a plain text that came from an address: the view looks it up and falls back when it makes no sense.
    """

    customer: str = ""
    name: str = ""
    tab: str = ""
    case: str = ""
    act: str = ""
    agent: str = "noor"
    pane: str = "phone"
    edit: str = ""
    shelf: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Spot:
        """From the query of an address, or the ``here`` fields of a form."""
        taken = {name: _SAFE.sub("", values[name])[:200] for name in cls.__slots__ if values.get(name)}
        return cls(**taken)

    def url(self, **changes: str) -> str:
        """The address of this spot, or of one near it."""
        there = replace(self, **changes)
        values = {name: getattr(there, name) for name in self.__slots__}
        default = Spot()
        left = {name: value for name, value in values.items() if value and value != getattr(default, name)}
        return f"{PATH}?{urlencode(left)}" if left else PATH

    def post_to(self, what: str) -> str:
        """The address of a form of this page: it comes back to this spot."""
        return PATH + "/" + what + self.url().removeprefix(PATH)
