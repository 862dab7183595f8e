"""The desk's settings: who may act, and which channel each queue has."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.slack.people import Staff


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a queue's cases are shown. ``channel`` is a Slack channel id; the rest are user ids, group ids or ``@handles``."""

    name: str
    channel: str
    agents: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    on_call: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeskSettings:
    """How the desk in Slack is laid out.

    ``fallback_channel`` takes over when a queue's channel is archived or gone, and gets the alerts. ``remedies`` is
    the list plans choose from.
    ``crm_url`` opens a reference: ``{reference}`` stands for the number. ``templates`` are starting points for replies, by name.
    ``digest_weekday`` counts from Monday 0; ``digest_hour`` is in ``time_zone``.
    """

    fallback_channel: str = ""
    admins: tuple[str, ...] = ()
    queues: tuple[QueuePlace, ...] = ()
    remedies: tuple[str, ...] = ()
    crm_url: str = ""
    time_zone: str = "UTC"
    templates: tuple[tuple[str, str], ...] = ()
    digest_weekday: int = 0
    digest_hour: int = 8
    quarantine_s: float = 15.0
    sending_s: float = 60.0
    watch_s: float = 15.0
    places: dict[str, QueuePlace] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {place.name: place for place in self.queues})

    @property
    def staff(self) -> Staff:
        """Who may act at all."""
        return Staff(
            agents=tuple(entry for queue in self.queues for entry in (*queue.agents, *queue.on_call)),
            leads=tuple(entry for queue in self.queues for entry in queue.leads),
            admins=self.admins,
        )

    def place(self, queue: str) -> QueuePlace:
        """A queue's place; the last one (or the fallback channel) for a queue that is not in the configuration any more."""
        if queue in self.places:
            return self.places[queue]
        return self.queues[-1] if self.queues else QueuePlace(queue, self.fallback_channel)
