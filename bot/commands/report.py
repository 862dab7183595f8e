"""``hearout report``: what happened between two dates, from the conversations as they stand.

By topic, wish, remedy, both clocks, and the outcome of each check-back round; and the fairness of the first reply: whether
reach, language or the hour of the day bought anybody speed. Instants are compared in UTC; times are in seconds.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.store.port import Store
from conversations.conversation import Author, Conversation

PAGE = 500
REACHES = ((100, "under 100"), (1_000, "100 to 999"), (10_000, "1,000 to 9,999"), (100_000, "10,000 to 99,999"))
COLUMNS = (
    "conversation", "channel", "account", "language", "topic", "opened_at", "first_posted_at", "first_reply_s", "in_time",
    "handed_off_at", "human_answer_s", "state", "outcome", "rounds", "wish", "remedy", "answers", "reach",
)  # fmt: skip


async def cases_between(store: Store, since: datetime, until: datetime) -> AsyncIterator[dict[str, Any]]:
    """A row for each conversation that was opened in that time. What was merged counts once, where it went."""
    offset = 0
    while page := await store.conversations(limit=PAGE, offset=offset):
        for case in page:
            if since <= case.opened_at < until and case.merged_into is None:
                yield await row_of(case, store)
        offset += len(page)


async def row_of(case: Conversation, store: Store) -> dict[str, Any]:
    """One conversation as figures."""
    human_s = None
    if case.handed_off_at is not None:
        answers = [t.posted_at for t in await store.turns(case.key) if t.author in (Author.AGENT, Author.BRAND)]
        later = [at for at in answers if at >= case.handed_off_at]
        human_s = (min(later) - case.handed_off_at).total_seconds() if later else None
    # a colleague's answer may be older than the mention that made it a case
    first_s = max(0.0, (case.replied_at - case.first_posted_at).total_seconds()) if case.replied_at else None
    return {
        "conversation": case.key,
        "channel": case.channel,
        "account": case.account,
        "language": case.language,
        "topic": case.topic or "other",
        "opened_at": case.opened_at.isoformat(),
        "first_posted_at": case.first_posted_at.isoformat(),
        "first_reply_s": first_s,
        "in_time": None,
        "handed_off_at": case.handed_off_at.isoformat() if case.handed_off_at else None,
        "human_answer_s": human_s,
        "state": case.state.value,
        "outcome": case.outcome.value if case.outcome else None,
        "rounds": case.rounds,
        "wish": case.wish,
        "remedy": case.plan.remedy if case.plan and case.plan.agreed_at else None,
        "answers": ", ".join(f"{a.round}: {spoken(a.satisfied)}" for a in case.answers),
        "reach": case.customer.reach,
    }


def spoken(satisfied: bool | None) -> str:
    """An answer to a check-back in a word."""
    return "none or unclear" if satisfied is None else "satisfied" if satisfied else "unsatisfied"


async def report(store: Store, since: datetime, until: datetime, window_s: float) -> dict[str, Any]:
    """The report as one document: totals, both clocks, by topic, by remedy, answers by round, fairness, and the rows."""
    rows = [row | {"in_time": in_time(row, window_s)} async for row in cases_between(store, since, until)]
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "cases": len(rows),
        "first_reply_s": spread([row["first_reply_s"] for row in rows]),
        "first_reply_in_time": sum(1 for row in rows if row["in_time"]),
        "human_answer_s": spread([row["human_answer_s"] for row in rows]),
        "by_topic": grouped(rows, "topic"),
        "by_remedy": dict(Counter(row["remedy"] or "none" for row in rows)),
        "by_outcome": dict(Counter(row["outcome"] or "open" for row in rows)),
        "answers_by_round": answers_by_round(rows),
        "wishes": [row["wish"] for row in rows if row["wish"]],
        "fairness": fairness(rows),
        "rows": rows,
    }


def in_time(row: Mapping[str, Any], window_s: float) -> bool:
    """Whether the first reply was accepted within the window."""
    return row["first_reply_s"] is not None and row["first_reply_s"] <= window_s


def spread(values: Iterable[float | None]) -> dict[str, float | int | None]:
    """How values are spread: count, median, 95th percentile, maximum."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return {"n": 0, "p50": None, "p95": None, "max": None}
    return {
        "n": len(known),
        "p50": known[len(known) // 2],
        "p95": known[min(len(known) - 1, int(len(known) * 0.95))],
        "max": known[-1],
    }


def grouped(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """Cases, clocks and outcomes by one property."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[str(row[key])].append(row)
    return {
        name: {
            "cases": len(group),
            "first_reply_s": spread([row["first_reply_s"] for row in group]),
            "human_answer_s": spread([row["human_answer_s"] for row in group]),
            "outcomes": dict(Counter(row["outcome"] or "open" for row in group)),
        }
        for name, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def answers_by_round(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """What was answered in each check-back round."""
    rounds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for part in filter(None, row["answers"].split(", ")):
            number, _, answer = part.partition(": ")
            rounds[number][answer] += 1
    return {number: dict(counts) for number, counts in sorted(rounds.items())}


def fairness(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """First-reply times by reach, language and hour of the post: followers must buy no speed."""
    return {
        "by_reach": spread_by(rows, lambda row: reach_of(row["reach"])),
        "by_language": spread_by(rows, lambda row: row["language"]),
        "by_hour": spread_by(rows, lambda row: f"{datetime.fromisoformat(row['first_posted_at']).hour:02d}"),
    }


def spread_by(rows: Sequence[Mapping[str, Any]], key: Any) -> dict[str, Any]:
    """First-reply times by a property."""
    groups: dict[str, list[float | None]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row["first_reply_s"])
    return {name: spread(values) for name, values in sorted(groups.items())}


def reach_of(followers: int | None) -> str:
    """A class of reach."""
    if followers is None:
        return "unknown"
    return next((name for limit, name in REACHES if followers < limit), "100,000 and more")


def as_csv(document: Mapping[str, Any]) -> str:
    """The rows as CSV. A cell that a spreadsheet would take for a formula is made text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in document["rows"]:
        writer.writerow([harmless(row[column]) for column in COLUMNS])
    return out.getvalue()


def harmless(value: Any) -> Any:
    """Customers' words may begin with = + - @: a spreadsheet must not run them."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
