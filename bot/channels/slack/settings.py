"""Where customers write to us in Slack, and who among the writers is a colleague."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CustomerSettings:
    """``channels``: ids of the channels in which customers are heard; empty: every channel that the app was invited
    to, but the desk's
    (``desk_channels``). ``colleagues``: user ids, groups or handles whose words in a customer's thread are an
    answer, never a complaint."""

    channels: tuple[str, ...] = ()
    desk_channels: tuple[str, ...] = ()
    colleagues: tuple[str, ...] = ()
    quarantine_s: float = 60.0
    sending_s: float = 30.0
    sweep_s: float = 300.0
