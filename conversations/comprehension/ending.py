"""Are they done? How long to be quiet after a customer's turn, from what the turns say and how this customer writes.

A fixed wait either interrupts the talkative or keeps the terse waiting. Here the base time of the channel is multiplied by
few factors, each a sign that the story goes on or is over. The parameters were chosen on recorded conversations as whole
curves (docs/reading.md); they hold no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conversations.comprehension.cues import numbered
from conversations.comprehension.reading import CueName, Reading


@dataclass(frozen=True, slots=True)
class Patience:
    """The factors on the base quiet time, and its bounds in seconds.

    ``listing`` is for a customer who adds one thing to another. ``announced_s`` is the quiet time while a numbered thread has
    parts to come.
    """

    more: float = 1.2
    unfinished: float = 1.2
    listing: float = 1.3
    done: float = 0.9
    thanks: float = 0.5
    slow_writer: float = 2.0
    announced_s: float = 600.0
    quiet_s_min: float = 20.0
    quiet_s_max: float = 900.0


SLOW_SHARE = 0.4
"""A gap of more than this share of the base time, just before, is the sign of a slow writer."""
DEFAULT_PATIENCE = Patience()


def quiet_s(
    base_s: float, turns: Sequence[Reading], gaps_s: Sequence[float], patience: Patience = DEFAULT_PATIENCE
) -> float:
    """How many seconds of silence after the last turn mean that the customer is done.

    ``turns`` are the readings of the burst so far, oldest first; ``gaps_s`` the seconds between them (one fewer than turns).
    """
    if not turns:
        return base_s
    last = turns[-1]
    factor = 1.0
    if last.certain(CueName.MORE_TO_COME):
        factor *= patience.more
    elif last.has(CueName.MORE_TO_COME):
        factor *= patience.unfinished
    elif last.certain(CueName.ADDS) or last.certain(CueName.NEEDS_MORE):
        factor *= patience.listing
    elif last.certain(CueName.ONLY_THANKS):
        factor *= patience.thanks
    elif last.certain(CueName.DONE) or last.wish:
        factor *= patience.done
    if gaps_s and gaps_s[-1] > base_s * SLOW_SHARE:
        factor *= patience.slow_writer
    wanted = base_s * factor
    if _parts_missing(turns):
        wanted = max(wanted, patience.announced_s)
    return max(patience.quiet_s_min, min(patience.quiet_s_max, wanted))


def _parts_missing(turns: Sequence[Reading]) -> bool:
    """Whether a numbered thread ("1/3") has not come to its last part."""
    parts = part = 0
    for turn in turns:
        number = numbered(turn.masked)
        if number is not None:
            part, parts = max(part, number[0]), max(parts, number[1] or number[0] + 1)
            if number[1] is not None:
                parts = number[1]
    return part < parts
