"""``hearout check``: is everything in order before it runs?"""

from __future__ import annotations

from dataclasses import dataclass

from bot.app import open_store, store_url
from bot.commands.wording import wordings_of
from bot.config import Config, ConfigError, secret
from bot.store.opening import without_secrets
from bot.store.port import StoreError, StoreMissing
from bot.wordings import Problem
from conversations.comprehension import Reader
from conversations.errors import HearoutError, LanguagePackError
from conversations.wording import Wording
from conversations.wording.lint import lint


@dataclass(frozen=True, slots=True)
class Checked:
    """One check and what it found."""

    name: str
    ok: bool
    words: str


async def check_all(config: Config, *, online: bool = False) -> list[Checked]:
    """Every check that can be made."""
    return [
        Checked("configuration", True, configured(config)),
        check_languages(config),
        *await check_wording(config),
        *check_secrets(config),
        await check_store(config),
        *(await check_platforms(config) if online else ()),
    ]


def configured(config: Config) -> str:
    """What will run, in a line."""
    accounts = ", ".join(account.name for account in config.x.accounts)
    parts = [f"brand {config.brand.name!r}", f"X as {accounts}" if accounts else "no X"]
    parts.append("Slack" if config.slack.enabled else "no Slack")
    if not accounts and not config.slack.enabled:
        parts.append("so `run` starts the playground")
    elif config.brand.shadow:
        parts.append("shadow mode: nothing is sent")
    return ", ".join(parts)


async def check_platforms(config: Config) -> list[Checked]:
    """Credentials, scopes and labels, asked of X and Slack."""
    from bot.live import check_online

    try:
        wrong = await check_online(config)
    except ConfigError as error:
        wrong = list(error.mistakes)
    asked = ["X"] * bool(config.x.accounts) + ["Slack"] * config.slack.enabled
    fine = (
        f"asked {' and '.join(asked)}, and nothing is wrong"
        if asked
        else "neither X nor Slack is configured to be asked"
    )
    return [Checked("online", False, words) for words in wrong] or [Checked("online", True, fine)]


def check_languages(config: Config) -> Checked:
    """Do we speak the brand's languages?"""
    wording = Wording.default()
    unknown = [code for code in config.brand.languages if code.split("-")[0] not in wording.packs]
    if unknown:
        words = f"no wording in {', '.join(unknown)}: there is {', '.join(sorted(wording.packs))}"
        return Checked("languages", False, f"brand.languages: {words}")
    try:
        known = Reader.default().packs  # reads every pack: a broken one is found here, not in a conversation
    except LanguagePackError as error:
        return Checked("languages", False, str(error))
    unread = [code for code in config.brand.languages if code.split("-")[0] not in known]
    if unread:
        return Checked(
            "languages", False, f"brand.languages: {', '.join(unread)} cannot be read: there is {', '.join(known)}"
        )
    return Checked("languages", True, ", ".join(config.brand.languages))


async def check_wording(config: Config) -> list[Checked]:
    """Templates and guard: the defaults, and what admins published on top of them."""
    wording: Wording | None = None
    problems: tuple[Problem, ...] = ()
    try:
        async with wordings_of(config, read_only=True) as wordings:
            wording, problems = wordings.current, wordings.problems
    except (StoreError, ConfigError):
        pass  # the database has a check of its own
    except HearoutError as error:
        return [Checked("templates", False, str(error))]
    if problems:
        return [
            Checked("templates", False, f"{one.name}@{one.version}: {one.message}; in force instead: {one.instead}")
            for one in problems
        ]
    try:
        findings = lint(wording)
    except HearoutError as error:
        return [Checked("templates", False, str(error))]
    refused = [finding for finding in findings if finding.severity.value == "refused"]
    if refused:
        return [Checked("templates", False, f"{finding.rule}: {finding.message}") for finding in refused]
    return [Checked("templates", True, f"{len(findings)} warnings")]


def check_secrets(config: Config) -> list[Checked]:
    """Are the secrets there that the configured channels need? Their values are never shown."""
    needed: list[tuple[str, str | None]] = []
    several = len(config.x.accounts) > 1
    for account in config.x.accounts:
        needed += [
            (name, account.name if several else None)
            for name in ("X_CONSUMER_KEY", "X_CONSUMER_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")
        ]
    if config.slack.enabled:
        needed.append(("SLACK_BOT_TOKEN", None))
        needed.append(("SLACK_APP_TOKEN" if config.slack.mode == "socket" else "SLACK_SIGNING_SECRET", None))
    results = []
    for name, owner in needed:
        try:
            found = secret(name, owner) is not None
            words = "is set" if found else "is missing: set it in the environment, or its _FILE variant"
        except ConfigError as error:
            found, words = False, str(error)
        results.append(Checked(f"HEAROUT_{name}" + (f" ({owner})" if owner else ""), found, words))
    return results


async def check_store(config: Config) -> Checked:
    """Can the database be opened, and is it sound? A database that is not there yet is made at the first start."""
    name = without_secrets(store_url(config)).removeprefix("sqlite:///")
    try:
        store = await open_store(config, read_only=True)
        try:
            problems = await store.check()
        finally:
            await store.close()
    except StoreMissing:
        return Checked("database", True, f"{name}: will be made at the first start")
    except StoreError as error:
        return Checked("database", False, str(error))
    return Checked("database", not problems, "; ".join(problems) or f"{name}: sound")
