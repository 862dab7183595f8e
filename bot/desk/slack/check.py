"""What keeps the desk in Slack from working, asked of Slack before it runs: scopes, channels, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.desk.slack.settings import DeskSettings
from bot.slack.app import OPEN_SOCKET, Slack
from bot.slack.people import People
from bot.slack.settings import Mode
from bot.slack.trouble import Trouble, TroubleKind

SCOPES = (
    "app_mentions:read", "channels:history", "channels:read", "chat:write", "commands", "files:read", "files:write",
    "groups:history", "groups:read", "im:history", "im:read", "im:write", "mpim:history", "mpim:read", "reactions:read",
    "reactions:write", "team:read", "usergroups:read", "users:read",
)  # fmt: skip
"""What the app is allowed by ``deploy/slack-manifest.json``."""


async def missing(slack: Slack, desk: DeskSettings, customers: Sequence[str]) -> list[str]:
    """What is wrong, in words; empty when all is well. ``customers``: the channels in which customers are heard.

    Raises ``Trouble`` when Slack cannot be asked.
    """
    await slack.open()
    wrong = [*await scopes(slack), *await socket(slack)]
    agents = [place.channel for place in desk.queues]
    names = dict.fromkeys(agents, "a desk channel") | {desk.fallback_channel: "the fallback channel"}
    names |= dict.fromkeys(customers, "a customers' channel")
    if not any(agents) and not desk.fallback_channel:
        wrong.append("slack.desk: no channel is named: give fallback_channel, or a queue its channel")
    for channel, what in names.items():
        if channel:
            wrong += await standing(slack, channel, what)
    return wrong + await staff(slack, desk)


async def scopes(slack: Slack) -> list[str]:
    """Scopes that the token lacks, where Slack tells which it has."""
    headers: Mapping[str, str] = {}

    async def call() -> Any:
        nonlocal headers
        answer = await slack.client.auth_test()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer

    await slack.ask("auth.test", call())
    if "x-oauth-scopes" not in headers:
        return []
    given = {name.strip() for name in headers["x-oauth-scopes"].split(",")}
    lacking = [scope for scope in SCOPES if scope not in given]
    return [f"slack: the app lacks {', '.join(lacking)}: reinstall it from the manifest"] if lacking else []


async def socket(slack: Slack) -> list[str]:
    """Whether Socket Mode would get a connection with the app's own token. The address it gives is let go unused."""
    settings = slack.settings
    if settings.mode is not Mode.SOCKET:
        return []
    try:
        call = slack.client.apps_connections_open(app_token=settings.app_token)
        await slack.ask(OPEN_SOCKET, call)
    except Trouble as trouble:
        if trouble.kind in (TroubleKind.LATER, TroubleKind.UNKNOWN):
            raise
        what = "give the app-level token, xapp-…, with the scope connections:write, and turn Socket Mode on in the app's settings"
        return [f"slack: no connection with HEAROUT_SLACK_APP_TOKEN ({trouble.error}): {what}"]
    return []


async def standing(slack: Slack, channel: str, what: str) -> list[str]:
    """Whether we may write to a channel."""
    try:
        answer = await slack.ask("conversations.info", slack.client.conversations_info(channel=channel))
    except Trouble as trouble:
        if trouble.kind in (TroubleKind.PLACE, TroubleKind.REFUSED):
            return [f"slack: {what}, {channel}, is not there ({trouble.error}): give its id, and invite the app to it"]
        raise
    found: Mapping[str, Any] = answer.get("channel") or {}
    if found.get("is_archived"):
        return [f"slack: {what}, {channel}, is archived: unarchive it, or name another"]
    if found.get("is_member") is False:
        return [f"slack: the app is not in {what}, {channel}: /invite it there"]
    return []


async def staff(slack: Slack, desk: DeskSettings) -> list[str]:
    """Groups without members, and a desk that nobody may act at."""
    named = desk.staff
    people = People(slack, named)
    wrong, anybody = [], False
    for entry in dict.fromkeys((*named.agents, *named.leads, *named.admins)):
        members = await people.members(entry)
        if entry[:1] not in "S@":
            person = await people.person(entry)
            if person is None or not person.own:
                wrong.append(f"slack.desk: {entry} is no full member of this workspace: give another user id (U…)")
                continue
        anybody = anybody or bool(members)
        if not members:
            wrong.append(f"slack.desk: the group {entry} has no members, or is not there: nobody of it may act")
    if not anybody:
        wrong.append("slack.desk: nobody may act: name agents, leads or admins")
    return wrong
