"""Who people are, and what they may do at the desk: denied unless the configuration and Slack both say otherwise.

Roles come from Slack user ids and user groups. What Slack said is believed for less than a minute, so that an agent
who was removed is
denied within 60 s; it is fetched again before that, so that a click does not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.log import get_logger
from bot.slack.app import Slack
from bot.slack.trouble import Trouble, TroubleKind
from bot.staff import Role

FRESH = timedelta(seconds=25)
"""Younger answers are used as they are; older ones are used once more while they are fetched again."""
STALE = timedelta(seconds=55)
"""Older answers are not believed: reliability.md promises 60 s."""
PEOPLE_MAX = 5_000

log = get_logger("slack.people")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Slack. ``own``: a full member of our own workspace, no guest, no bot, not deactivated."""

    id: str
    name: str
    team: str
    own: bool
    time_zone: str | None = None
    bot: bool = False


@dataclass(frozen=True)
class Staff:
    """Who the configuration lets act: user ids (``U…``, ``W…``), user groups (``S…``) or handles (``@support``)."""

    agents: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Any
    at: datetime


class People:
    """Asks Slack who people are, and remembers for a short while."""

    def __init__(self, slack: Slack, staff: Staff) -> None:
        self.slack = slack
        self.staff = staff
        self._people: dict[str, _Answer] = {}
        self._groups: dict[str, _Answer] = {}
        self._fetching: dict[str, asyncio.Future[Any]] = {}

    # ---------------------------------------------------------------- roles

    async def role(self, user: str, team: str) -> Role:
        """What this user of this team may do. Raises ``Trouble`` when Slack cannot be asked: then nobody may act."""
        if not user or team != self.slack.team:
            return Role.NOBODY
        best = Role.NOBODY
        for role, entries in (
            (Role.ADMIN, self.staff.admins),
            (Role.LEAD, self.staff.leads),
            (Role.AGENT, self.staff.agents),
        ):
            if await self.among(user, entries):
                best = role
                break
        if best is Role.NOBODY:
            return best
        person = await self.person(user)
        return best if person is not None and person.own else Role.NOBODY

    async def among(self, user: str, entries: Iterable[str]) -> bool:
        """Whether a user is one of these, by id or by group."""
        for entry in entries:
            if entry == user or (entry[:1] in "S@" and user in await self.members(entry)):
                return True
        return False

    async def members(self, entry: str) -> frozenset[str]:
        """The people behind an entry of the configuration. A group that Slack does not know is empty."""
        if entry[:1] not in "S@":
            return frozenset({entry})
        found: frozenset[str] = await self._remembered(self._groups, entry, lambda: self._fetch_group(entry))
        return found

    async def ids(self, entries: Iterable[str]) -> list[str]:
        """The user ids behind several entries, in order, each once."""
        found: dict[str, None] = {}
        for entry in entries:
            found |= dict.fromkeys(sorted(await self.members(entry)))
        return list(found)

    async def refresh(self) -> None:
        """Ask again for every group that is configured, so that clicks find a fresh answer."""
        for entry in {*self.staff.agents, *self.staff.leads, *self.staff.admins}:
            if entry[:1] in "S@":
                await self._fetch(self._groups, entry, lambda entry=entry: self._fetch_group(entry))  # type: ignore[misc]

    # ---------------------------------------------------------------- people

    async def person(self, user: str) -> Person | None:
        """Who somebody is; None: Slack knows nobody of that id. Raises ``Trouble``."""
        found: Person | None = await self._remembered(self._people, user, lambda: self._fetch_person(user))
        return found

    async def name(self, user: str) -> str:
        """A name for people to read; never an id."""
        try:
            person = await self.person(user)
        except Trouble:
            person = None
        return person.name if person else "somebody"

    def known(self, user: str) -> Person | None:
        """What is remembered of somebody, without asking: however old."""
        answer = self._people.get(user)
        return answer.value if answer else None

    def known_name(self, user: str) -> str | None:
        """A remembered name."""
        person = self.known(user)
        return person.name if person else None

    # ---------------------------------------------------------------- asking

    async def _remembered(self, cache: dict[str, _Answer], key: str, fetch: Callable[[], Awaitable[Any]]) -> Any:
        answer = cache.get(key)
        age = self.slack.clock.now() - answer.at if answer else STALE
        if answer is None or age >= STALE or age < timedelta():
            return await self._fetch(cache, key, fetch)
        if age >= FRESH and key not in self._fetching:
            self.slack.later(self._fetch(cache, key, fetch), "who is who")
        return answer.value

    async def _fetch(self, cache: dict[str, _Answer], key: str, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """Ask once, however many want to know at the same time."""
        running = self._fetching.get(key)
        if running is None:
            running = asyncio.ensure_future(self._keep(cache, key, fetch))
            self._fetching[key] = running
            running.add_done_callback(lambda done: self._fetched(key, done))
        return await asyncio.shield(running)

    async def _keep(self, cache: dict[str, _Answer], key: str, fetch: Callable[[], Awaitable[Any]]) -> Any:
        now = self.slack.clock.now()
        value = await fetch()
        while len(cache) >= PEOPLE_MAX:
            cache.pop(next(iter(cache)))
        cache[key] = _Answer(value, now)
        return value

    def _fetched(self, key: str, done: asyncio.Future[Any]) -> None:
        self._fetching.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waits has it; nobody may wait any more

    async def _fetch_person(self, user: str) -> Person | None:
        try:
            answer = await self.slack.ask("users.info", self.slack.client.users_info(user=user))
        except Trouble as trouble:
            if trouble.kind is TroubleKind.MISSING:  # a Slack without people: the ids that were configured have to do
                return Person(user, user, self.slack.team, own=True)
            if trouble.kind is TroubleKind.REFUSED:
                return None
            raise
        facts = answer.get("user") or {}
        profile = facts.get("profile") or {}
        team = str(facts.get("team_id") or profile.get("team") or "")
        blocked = (
            "deleted",
            "is_bot",
            "is_restricted",
            "is_ultra_restricted",
            "is_stranger",
            "is_workflow_bot",
        )
        return Person(
            id=user,
            name=str(
                profile.get("real_name")
                or facts.get("real_name")
                or profile.get("display_name")
                or facts.get("name")
                or "somebody"
            ),
            team=team,
            own=(not team or team == self.slack.team) and not any(facts.get(name) for name in blocked),
            time_zone=facts.get("tz"),
            bot=bool(facts.get("is_bot")),
        )

    async def _fetch_group(self, entry: str) -> frozenset[str]:
        client = self.slack.client
        try:
            if entry.startswith("@"):
                answer = await self.slack.ask("usergroups.list", client.usergroups_list(include_users=True))
                groups = answer.get("usergroups") or []
                found = next((g.get("users") or [] for g in groups if g.get("handle") == entry[1:]), [])
                return frozenset(map(str, found))
            answer = await self.slack.ask("usergroups.users.list", client.usergroups_users_list(usergroup=entry))
            return frozenset(map(str, answer.get("users") or []))
        except Trouble as trouble:
            if trouble.kind in (TroubleKind.MISSING, TroubleKind.REFUSED):
                log.warning("no such group", group=entry, error=trouble.error)
                return frozenset()
            raise
