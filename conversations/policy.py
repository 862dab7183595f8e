"""Every tunable of the protocol, with its unit, and the queues that cases go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from conversations.deadlines import BusinessHours
from conversations.errors import PolicyError

HOUR_S = 3600.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """How long a customer must be silent before the bot speaks, per surface, in seconds (protocol.md, "Waiting").

    ``slack`` is a thread or channel in Slack; ``risk`` is the short time before the words to somebody in danger.
    """

    public: float = 300.0
    direct: float = 120.0
    slack: float = 180.0
    risk: float = 60.0


@dataclass(frozen=True, slots=True)
class ChannelTraits:
    """What a channel allows. ``unprompted_public``: the bot may write in public without a new post to answer (not on X)."""

    unprompted_public: bool = True
    refuses_repeats: bool = False  # words said before are refused: a second wording is kept ready
    public_chars_max: int | None = None
    direct_chars_max: int | None = None


@dataclass(frozen=True)
class Queue:
    """Where cases of a kind go. An empty tuple matches everything; the first queue that matches is the one."""

    name: str = "support"
    languages: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    hours: BusinessHours = field(default_factory=BusinessHours)
    leads: tuple[str, ...] = ()

    def takes(self, language: str, topics: tuple[str, ...], account: str, risks: tuple[str, ...]) -> bool:
        """Whether a case with these properties belongs here."""
        return (
            (not self.languages or language in self.languages)
            and (not self.topics or any(topic in self.topics for topic in topics))
            and (not self.accounts or account in self.accounts)
            and (not self.risks or any(risk in self.risks for risk in risks))
        )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The tunables. All spans are in seconds unless the name says otherwise."""

    window_s: float = 2 * HOUR_S  # the promise: first reply accepted within this time of the post
    target_s: float = 900.0  # the aim for the first reply: reported, not enforced
    quiet_s: Quiet = field(default_factory=Quiet)
    quiet_s_max: float = 900.0  # patience never stretches a quiet time beyond this
    quarantine_s: float = 600.0  # how long an unknown send rests before it is read back
    first_reply_margin_s: float = 1200.0  # with the quarantine, the reserve kept before the window ends
    first_reply_alarm_s: float = 900.0  # the alarm comes this long before first_reply_due
    silence_s: float = 1800.0  # after our words, nothing from the customer: hand off
    agreement_silence_s: float = 2 * DAY_S  # a proposed plan without an answer
    check_back_silence_s: float = 3 * DAY_S  # check-back questions without an answer
    human_answer_s: float = 4 * HOUR_S  # working time in which a human answers: what hand_over may name
    unclaimed_s: float = 900.0  # working time until an unclaimed handoff escalates, again and again
    owner_silent_s: float = 2 * HOUR_S  # working time until the owner of an unanswered turn is nudged, then the queue
    follow_up_s: float = 2 * DAY_S  # an owned case in which nothing happened: the owner is reminded
    promise_soon_s: float = 2 * HOUR_S  # the owner is reminded this long before a promised date
    reflections_max: int = 2  # how many times the bot mirrors before a human takes over
    check_back_days: float = 3.0
    check_back_rounds_max: int = 3
    reopen_days: float = 14.0
    story_turns_max: int = 60  # turns of the story that are kept in the conversation itself
    held_terms: tuple[str, ...] = ()  # a first reply to a story with one of these words waits for a human
    held_topics: tuple[str, ...] = ()  # topics whose first replies wait for a human (an incident)
    incident_updates: Mapping[str, str] = field(default_factory=dict)  # by "topic" or "topic@language"
    held_alarm_s: float = 2700.0  # a held first reply is alarmed this long before its window ends
    check_backs_paused: bool = False  # the bot asks nobody whether they are happy while an incident lasts
    hold_look_s: float = 300.0  # how often a held first reply is decided again
    time_zone: str = "UTC"  # for a customer whose own is not known
    languages: tuple[str, ...] = ("en",)  # the first is the one for customers whose language we do not speak
    queues: tuple[Queue, ...] = field(default_factory=lambda: (Queue(),))
    channels: Mapping[str, ChannelTraits] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.name.endswith(("_s", "_days")) and isinstance(value, int | float) and value < 0:
                raise PolicyError(entry.name, value, "give a span of 0 or more")
        if self.window_s <= self.reserve_s:
            raise PolicyError(
                "window_s", self.window_s, f"must exceed quarantine_s + first_reply_margin_s = {self.reserve_s:g}"
            )
        if self.check_back_rounds_max < 1:
            raise PolicyError("check_back_rounds_max", self.check_back_rounds_max, "give 1 or more")
        if not self.queues:
            raise PolicyError("queues", "()", "give at least one queue; the last must match everything")

    @property
    def reserve_s(self) -> float:
        """What is kept free before the window ends: the quarantine and a margin."""
        return self.quarantine_s + self.first_reply_margin_s

    def is_held(self, topics: tuple[str, ...]) -> bool:
        """Whether the first reply to a complaint about these topics waits for a human."""
        return any(topic in self.held_topics for topic in topics)

    def incident_update(self, topics: tuple[str, ...], language: str) -> str | None:
        """The admin's update for a complaint about these topics, in this language; None where there is none to say.

        An update without a language is in the brand's first one: nobody else is sent it.
        """
        code, first = language.partition("-")[0], self.languages[0].partition("-")[0]
        names = (name for topic in topics for name in (f"{topic}@{code}", topic if code in ("und", first) else ""))
        return next((self.incident_updates[name] for name in names if name in self.incident_updates), None)

    def has_incident(self, topics: tuple[str, ...]) -> bool:
        """Whether an update was given about any of these topics, in whatever language."""
        return any(name.partition("@")[0] in topics for name in self.incident_updates)

    def traits(self, channel: str) -> ChannelTraits:
        """What the channel of that name allows."""
        return self.channels.get(channel, ChannelTraits())

    def queue_of(self, language: str, topics: tuple[str, ...], account: str, risks: tuple[str, ...]) -> Queue:
        """The first queue that takes the case; the last when none does."""
        for queue in self.queues:
            if queue.takes(language, topics, account, risks):
                return queue
        return self.queues[-1]

    def queue_named(self, name: str) -> Queue:
        """The queue of that name; the last one when it has been taken out of the configuration since."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        return self.queues[-1]
