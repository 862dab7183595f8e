"""The weekly digest: how fast the first replies and the people were, and what customers said when we checked back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from bot.desk.slack.board import Board
from bot.desk.slack.picture import Picture, bars
from bot.log import get_logger
from bot.slack.marks import opaque
from bot.slack.text import escape
from bot.slack.trouble import Trouble
from conversations.conversation import Author, Conversation

CASES_MAX = 5_000
DAYS = 7
DONE_META = "slack.digest"
BLUE, GREEN, GREY, RED = (76, 120, 168), (84, 162, 75), (160, 160, 160), (228, 87, 86)
log = get_logger("desk.slack")


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days in numbers. Clocks are in whole minutes; per-day lists run from the oldest day."""

    cases: int
    first_by_day: tuple[int, ...]
    human_by_day: tuple[int, ...]
    first_median: int | None
    human_median: int | None
    within_window: int
    replied: int
    happy: int
    unhappy: int
    silent: int
    topics: tuple[tuple[str, int], ...]


class Digest:
    """Counts the week and posts it once."""

    def __init__(self, board: Board) -> None:
        self.board = board

    async def publish_if_due(self) -> None:
        """Post it on the configured weekday, at or after the hour, once a week."""
        settings = self.board.settings
        local = self.board.clock.now().astimezone(ZoneInfo(settings.time_zone))
        if local.weekday() != settings.digest_weekday or local.hour < settings.digest_hour:
            return
        week = f"{local.isocalendar().year}-{local.isocalendar().week}"
        if await self.board.store.get_meta(DONE_META) == week:
            return
        await self.board.store.set_meta(DONE_META, week)
        await self.publish()

    async def publish(self) -> None:
        """Post the last seven days to the desk. Raises ``Trouble``."""
        settings = self.board.settings
        channel = settings.fallback_channel or (settings.queues[-1].channel if settings.queues else "")
        if not channel:
            return
        now = self.board.clock.now()
        week = await self.count(now)
        text = words(week, self.board.policy().window_s)
        channel, ts = await self.board.post(channel, text, ids=(opaque(f"digest:{now.isoformat()}"),))
        if week.cases:
            try:
                await self.upload(channel, ts, draw(week, round(self.board.policy().window_s / 60)))
            except Trouble as trouble:  # the numbers are there; the picture needs files:write
                log.warning("digest without its picture", error=str(trouble))

    async def upload(self, channel: str, ts: str, png: bytes) -> None:
        """Put the picture under the digest. Raises ``Trouble``."""
        slack, client = self.board.slack, self.board.slack.client
        name = "hearout-week.png"
        place = await slack.ask(
            "files.getUploadURLExternal",
            client.files_getUploadURLExternal(
                filename=name, length=len(png), alt_txt="Bars: first replies, human answers, check-back answers"
            ),
        )
        await slack.put(str(place["upload_url"]), png)
        await slack.ask(
            "files.completeUploadExternal",
            client.files_completeUploadExternal(
                files=[{"id": place["file_id"], "title": "The week"}], channel_id=channel, thread_ts=ts
            ),
        )

    async def count(self, now: datetime) -> Week:
        """The seven days before an instant."""
        since = now - timedelta(days=DAYS)
        found = await self.board.store.conversations(limit=CASES_MAX)
        cases = [c for c in found if c.opened_at >= since and c.merged_into is None]
        first: list[list[int]] = [[] for _ in range(DAYS)]
        human: list[list[int]] = [[] for _ in range(DAYS)]
        within = 0
        for case in cases:
            day = min(DAYS - 1, max(0, (case.opened_at - since).days))
            if case.replied_at is not None:
                took_s = (case.replied_at - case.first_posted_at).total_seconds()
                first[day].append(round(took_s / 60))
                within += took_s <= self.board.policy().window_s
            if (answered := await self.first_human(case)) is not None:
                human[day].append(answered)
        answers = Counter(answer.satisfied for case in cases for answer in case.answers if answer.at >= since)
        every_first, every_human = [m for day in first for m in day], [m for day in human for m in day]
        return Week(
            cases=len(cases),
            first_by_day=tuple(round(median(day)) if day else 0 for day in first),
            human_by_day=tuple(round(median(day)) if day else 0 for day in human),
            first_median=round(median(every_first)) if every_first else None,
            human_median=round(median(every_human)) if every_human else None,
            within_window=within,
            replied=len(every_first),
            happy=answers[True],
            unhappy=answers[False],
            silent=answers[None],
            topics=tuple(Counter(topic for case in cases for topic in case.topics).most_common(5)),
        )

    async def first_human(self, case: Conversation) -> int | None:
        """Minutes from the handoff to a person's first words; None where there were none."""
        if case.handed_off_at is None:
            return None
        for turn in await self.board.store.turns(case.key):
            if turn.author in (Author.AGENT, Author.BRAND) and turn.posted_at >= case.handed_off_at:
                return round((turn.posted_at - case.handed_off_at).total_seconds() / 60)
        return None


def words(week: Week, window_s: float) -> str:
    """The week in words: everything that the picture shows."""
    if not week.cases:
        return "*The week* No complaint came in."
    lines = [f"*The week* {week.cases} cases"]
    first, human = (", ".join(map(str, days)) for days in (week.first_by_day, week.human_by_day))
    within = f"{week.within_window} of {week.replied} within {window_s / 3600:g} h"
    lines.append(f"🕐 first reply: {said(week.first_median)} at the median, {within} (by day: {first} min)")
    lines.append(f"👤 a person after the handoff: {said(week.human_median)} at the median (by day: {human} min)")
    lines.append(f"🔁 check-backs: {week.happy} happy, {week.unhappy} not happy, {week.silent} without a clear answer")
    if week.topics:
        lines.append("🏷 " + ", ".join(f"{escape(topic)} {count}" for topic, count in week.topics))
    return "\n".join(lines)


def said(minutes: int | None) -> str:
    """A median in words."""
    return "none yet" if minutes is None else f"{minutes} min"


def draw(week: Week, window_minutes: int) -> bytes:
    """Three charts side by side: first reply by day with the window as a line, human answer by day, check-back answers."""
    picture = Picture(900, 260)
    top: Sequence[int] = week.first_by_day
    bars(picture, 20, 40, 330, 190, top, [BLUE], window_minutes if max(top) > window_minutes // 2 else None)
    bars(picture, 380, 40, 330, 190, week.human_by_day, [GREY])
    bars(picture, 740, 40, 140, 190, (week.happy, week.unhappy, week.silent), [GREEN, RED, GREY])
    return picture.png()
