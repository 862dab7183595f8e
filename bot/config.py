"""The configuration: one frozen model, read from TOML, with secrets from the environment only.

Unknown keys are refused. Every mistake is reported at once, with file, key, value and what to do.
``config.example.toml`` shows every key with its default and its unit; a test keeps the two in step.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.speech import Brand
from bot.working_time import DayHours, DaysOff, day_spans, known_days_off
from conversations.deadlines import WEEK, BusinessHours
from conversations.errors import HearoutError
from conversations.policy import ChannelTraits, Policy, Queue, Quiet

SECRETS = (
    "X_CONSUMER_KEY",
    "X_CONSUMER_SECRET",
    "X_ACCESS_TOKEN",
    "X_ACCESS_TOKEN_SECRET",
    "X_BEARER_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_CLIENT_SECRET",
    "STORE_URL",
    "CONSOLE_SECRET",
    "WEBHOOK_SECRET",
)
"""Names of secrets, each read from ``HEAROUT_{name}`` or, as a file's content, from ``HEAROUT_{name}_FILE``."""


class ConfigError(HearoutError):
    """The configuration cannot be used; the message lists every mistake, one per line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def known_zone(name: str) -> str:
    """A time zone of the IANA database."""
    if name not in available_timezones():
        raise ValueError(f"no such time zone: {name!r}; give one like 'Europe/Berlin'")
    return name


ZoneName = Annotated[str, AfterValidator(known_zone)]


class Section(BaseModel):
    """Part of the configuration: frozen, and strict about names."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def one_or_several(value: Any) -> Any:
    """A single word where several are possible."""
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(one_or_several)]


class HoursSection(Section):
    """Working time by weekday."""

    mon: DayHours = "09:00-17:30"
    tue: DayHours = "09:00-17:30"
    wed: DayHours = "09:00-17:30"
    thu: DayHours = "09:00-17:30"
    fri: DayHours = "09:00-17:30"
    sat: DayHours = ""
    sun: DayHours = ""

    def business_hours(self, time_zone: str, days_off: Sequence[str]) -> BusinessHours:
        """As the domain counts them."""
        week = tuple(day_spans(getattr(self, day)) for day in WEEK)
        return BusinessHours(time_zone, week, DaysOff(tuple(days_off)))


class BrandSection(Section):
    """Who we are."""

    name: str = Field(default="Our brand", min_length=1, max_length=40)
    signature: str = Field(default="", max_length=40)
    shadow: bool = False
    privacy_url: str = ""
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)
    time_zone: ZoneName = "UTC"
    business_hours: HoursSection = HoursSection()
    holidays: Annotated[tuple[str, ...], AfterValidator(known_days_off)] = ()


class StoreSection(Section):
    """Where everything is kept."""

    url: str = Field(default="sqlite:///hearout.db", pattern=r"^(sqlite:///.+|postgres(ql)?://.+)$")
    lease_s: float = Field(default=20.0, ge=1, le=300)


class XAccountSection(Section):
    """One account of ours on X."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_]{1,40}$")
    user_id: str = Field(default="", pattern=r"^\d*$")
    api_url: str = "https://api.x.com"
    poll_s: float = Field(default=30.0, ge=0.05, le=900)
    direct_messages: bool = True
    deep_link: bool = False
    daily_spend_usd_max: float = Field(default=20.0, ge=0)
    cold_start_s: float = Field(default=7200.0, ge=0)
    blocked: tuple[str, ...] = ()
    filtered_stream: bool = False
    automated_label: bool = True
    handle: str = ""
    thread_tails: bool = True
    urls_in_public: bool = False
    customer_daily_max: int = Field(default=10, ge=1)
    posts_daily_max: int = Field(default=2000, ge=1)
    timeout_s: float = Field(default=20.0, gt=0, le=29)
    held_days: float = Field(default=30.0, ge=0)
    authors: bool = True
    names_by_x_count: bool = False
    paused: bool = False
    at_once: int = Field(default=8, ge=1, le=100)


class XPricesSection(Section):
    """What X charges per item, in US dollars."""

    post_read: float = Field(default=0.005, ge=0)
    mention_read: float = Field(default=0.001, ge=0)
    user_read: float = Field(default=0.01, ge=0)
    message_read: float = Field(default=0.01, ge=0)
    message_sent: float = Field(default=0.015, ge=0)
    post_sent: float = Field(default=0.015, ge=0)
    post_with_url_sent: float = Field(default=0.20, ge=0)
    reply_sent: float = Field(default=0.01, ge=0)


class XSection(Section):
    """X."""

    accounts: tuple[XAccountSection, ...] = ()
    prices: XPricesSection = XPricesSection()


class PrivacySection(Section):
    """How long what is kept, in days."""

    closed_days: float = Field(default=365.0, gt=0)
    set_aside_days: float = Field(default=30.0, gt=0)


class WebhookSection(Section):
    """One signed webhook; its secret is ``HEAROUT_WEBHOOK_SECRET``."""

    url: str = Field(default="", pattern=r"^(|https?://.+)$")


class QueueSection(Section):
    """One queue of the desk. Empty lists match everything; the last queue must match everything.

    Conditions may also stand together: ``match = { language = "de", topic = ["delivery", "parcel"] }``.
    """

    name: str = Field(min_length=1, max_length=60)
    languages: Names = ()
    topics: Names = ()
    accounts: Names = ()
    risks: Names = ()
    channel: str = ""
    agents: Names = ()
    leads: Names = ()
    on_call: Names = ()
    hours: HoursSection | None = None

    @model_validator(mode="before")
    @classmethod
    def matched(cls, data: Any) -> Any:
        """``match`` spelled out."""
        if not isinstance(data, dict) or not isinstance(data.get("match"), dict):
            return data
        plural = {"language": "languages", "topic": "topics", "account": "accounts", "risk": "risks"}
        rest = {key: value for key, value in data.items() if key != "match"}
        return rest | {plural.get(key, key): value for key, value in data["match"].items()}


class ReplySection(Section):
    """Words that agents often need: where a reply may start from."""

    name: str = Field(min_length=1, max_length=70)
    text: str = Field(min_length=1, max_length=3000)


class DeskSection(Section):
    """The agents' desk in Slack."""

    fallback_channel: str = ""
    admins: Names = ()
    replies: tuple[ReplySection, ...] = ()
    queues: tuple[QueueSection, ...] = ()


class CustomersSection(Section):
    """Customers who write in Slack."""

    enabled: bool = False
    channels: Names = ()


class SlackSection(Section):
    """Slack: how it is reached, the desk, the customers. On as soon as anything of it is configured, unless it says no."""

    enabled: bool = False
    mode: Literal["socket", "http"] = "socket"
    api_url: str = "https://slack.com/api/"
    client_id: str = ""
    desk: DeskSection = DeskSection()
    customers: CustomersSection = CustomersSection()

    @model_validator(mode="before")
    @classmethod
    def on(cls, data: Any) -> Any:
        """Whoever configures Slack wants it."""
        return {"enabled": True} | data if isinstance(data, dict) and data else data


class WordingSection(Section):
    """What may be said."""

    remedies: tuple[str, ...] = ("a full refund", "a replacement", "the next order free of charge")
    helplines: dict[str, str] = Field(default_factory=dict)
    crm_url: str = ""
    held_terms: tuple[str, ...] = ()
    details_asked: tuple[str, ...] = ()
    second_admin: bool = False
    admissions_forbidden: bool = False


class QuietSection(Section):
    """Quiet times in seconds."""

    public: float = Field(default=300.0, ge=0, le=3600)
    direct: float = Field(default=120.0, ge=0, le=3600)
    slack: float = Field(default=180.0, ge=0, le=3600)
    risk: float = Field(default=60.0, ge=0, le=3600)


class PolicySection(Section):
    """Every tunable of the protocol; see ``conversations/policy.py`` for what each one means."""

    window_s: float = Field(default=7200.0, gt=0)
    target_s: float = Field(default=900.0, gt=0)
    quiet_s: QuietSection = QuietSection()
    quiet_s_max: float = Field(default=900.0, ge=0)
    quarantine_s: float = Field(default=600.0, ge=0)
    first_reply_margin_s: float = Field(default=1200.0, ge=0)
    first_reply_alarm_s: float = Field(default=900.0, ge=0)
    held_alarm_s: float = Field(default=2700.0, ge=0)
    silence_s: float = Field(default=1800.0, gt=0)
    agreement_silence_s: float = Field(default=172_800.0, gt=0)
    check_back_silence_s: float = Field(default=259_200.0, gt=0)
    human_answer_s: float = Field(default=14_400.0, gt=0)
    unclaimed_s: float = Field(default=900.0, gt=0)
    owner_silent_s: float = Field(default=7200.0, gt=0)
    follow_up_s: float = Field(default=172_800.0, gt=0)
    promise_soon_s: float = Field(default=7200.0, ge=0)
    reflections_max: int = Field(default=2, ge=1, le=10)
    check_back_days: float = Field(default=3.0, ge=0, le=90)
    check_back_rounds_max: int = Field(default=3, ge=1, le=10)
    reopen_days: float = Field(default=14.0, ge=0, le=365)


class ConsoleSection(Section):
    """The web console."""

    host: str = "127.0.0.1"
    port: int = Field(default=8330, ge=0, le=65535)
    url: str = Field(default="", pattern=r"^(|https?://[^/?#@\s]+/?)$")
    sign_in: Literal["slack", "link"] = "link"


class LogSection(Section):
    """Logs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class Config(Section):
    """Everything that can be configured."""

    brand: BrandSection = BrandSection()
    store: StoreSection = StoreSection()
    x: XSection = XSection()
    slack: SlackSection = SlackSection()
    wording: WordingSection = WordingSection()
    policy: PolicySection = PolicySection()
    console: ConsoleSection = ConsoleSection()
    log: LogSection = LogSection()
    privacy: PrivacySection = PrivacySection()
    webhook: WebhookSection = WebhookSection()

    def brand_facts(self) -> Brand:
        """The brand as the wording knows it."""
        return Brand(
            name=self.brand.name,
            signature=self.brand.signature,
            privacy_url=self.brand.privacy_url,
            helplines=self.wording.helplines,
            remedies=self.wording.remedies,
            crm_url=self.wording.crm_url,
        )

    def domain_policy(self, channels: Mapping[str, ChannelTraits] | None = None) -> Policy:
        """The policy as the protocol knows it."""
        values = self.policy.model_dump()
        quiet = values.pop("quiet_s")
        days_off = self.brand.holidays
        brand_hours = self.brand.business_hours.business_hours(self.brand.time_zone, days_off)
        queues = tuple(
            Queue(
                name=entry.name,
                languages=entry.languages,
                topics=entry.topics,
                accounts=entry.accounts,
                risks=entry.risks,
                hours=entry.hours.business_hours(self.brand.time_zone, days_off) if entry.hours else brand_hours,
                leads=entry.leads,
            )
            for entry in self.slack.desk.queues
        ) or (Queue(name="our support team", hours=brand_hours),)
        return Policy(
            **values,
            quiet_s=Quiet(**quiet),
            held_terms=self.wording.held_terms,
            time_zone=self.brand.time_zone,
            languages=self.brand.languages,
            queues=queues,
            channels=channels or {},
        )


def load_config(path: Path | None) -> Config:
    """Read and check a configuration file; None gives the defaults. Raises ``ConfigError`` with every mistake."""
    if path is None:
        return Config()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file: make one with 'hearout init', or give --config"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None
    mistakes: list[str] = []
    config: Config | None = None
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        mistakes += [f"{path}: {describe(entry)}" for entry in error.errors()]
    mistakes += [f"environment: {name}: {fix}" for name, fix in strange_variables(os.environ)]
    if config is not None:
        mistakes += [f"{path}: {mistake}" for mistake in cross_check(config)]
    if mistakes or config is None:
        raise ConfigError(mistakes)
    return config


def describe(error: Any) -> str:
    """A mistake as key, value and fix."""
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such key: remove it, or see config.example.toml for its name"
    if error["type"] == "missing":
        return f"{key}: is missing: add it (config.example.toml shows how)"
    value = error["input"]
    shown = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return f"{key} = {shown}: {error['msg'].removeprefix('Value error, ')}"


def cross_check(config: Config) -> list[str]:
    """Mistakes that concern several keys."""
    mistakes = []
    names = [account.name for account in config.x.accounts]
    mistakes += [
        f"x.accounts: {name!r} is there twice: rename one" for name in sorted(set(names)) if names.count(name) > 1
    ]
    queues = config.slack.desk.queues
    if queues:
        last = queues[-1]
        if last.languages or last.topics or last.accounts or last.risks:
            mistakes.append(
                f"slack.desk.queues: the last one ({last.name!r}) must match everything: remove its conditions"
            )
        doubled = sorted({q.name for q in queues if [other.name for other in queues].count(q.name) > 1})
        mistakes += [f"slack.desk.queues: {name!r} is there twice: rename one" for name in doubled]
    reserve = config.policy.quarantine_s + config.policy.first_reply_margin_s
    if config.policy.window_s <= reserve:
        mistakes.append(
            f"policy.window_s = {config.policy.window_s:g}: must exceed quarantine_s + first_reply_margin_s = {reserve:g}"
        )
    return mistakes + sign_in_check(config)


LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Addresses that only this machine reaches."""


def sign_in_check(config: Config) -> list[str]:
    """Mistakes that would leave the console open, or shut for everybody."""
    console = config.console
    if console.sign_in == "link":
        if console.host in LOOPBACK:
            return []
        fix = 'keep it on 127.0.0.1, or set console.sign_in = "slack"'
        return [f"console.host = {console.host!r}: one-time links are for this machine only: {fix}"]
    needed = {"slack.enabled = true": config.slack.enabled, "slack.client_id": config.slack.client_id}
    needed["console.url (the address people open)"] = console.url
    return [f'console.sign_in = "slack": needs {name} (docs/console.md)' for name, there in needed.items() if not there]


def strange_variables(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """``HEAROUT_*`` variables that mean nothing: most likely a misspelt secret."""
    known = {f"HEAROUT_{name}" for name in SECRETS} | {f"HEAROUT_{name}_FILE" for name in SECRETS}
    strange = []
    for name in sorted(environment):
        if not name.startswith("HEAROUT_") or name in known:
            continue
        if any(name.startswith(f"HEAROUT_{secret}_") for secret in SECRETS if secret.startswith("X_")):
            continue  # secrets of one account among several: HEAROUT_X_ACCESS_TOKEN_{ACCOUNT}
        strange.append((name, f"means nothing: remove it, or use one of {', '.join(f'HEAROUT_{s}' for s in SECRETS)}"))
    return strange


def secret(name: str, account: str | None = None, environment: Mapping[str, str] | None = None) -> SecretStr | None:
    """A secret from the environment or the file it names; for one of several accounts, its own comes first."""
    env = os.environ if environment is None else environment
    suffixes = [f"_{account.upper()}", ""] if account else [""]
    for suffix in suffixes:
        if value := env.get(f"HEAROUT_{name}{suffix}"):
            return SecretStr(value)
        if file := env.get(f"HEAROUT_{name}{suffix}_FILE"):
            try:
                return SecretStr(Path(file).read_text(encoding="utf-8").strip())
            except OSError as error:
                raise ConfigError([f"environment: HEAROUT_{name}{suffix}_FILE = {file!r}: {error.strerror}"]) from None
    return None
