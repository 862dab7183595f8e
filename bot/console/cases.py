"""Conversations: found by words and filters, and each on its page with everything that was said, decided and delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.console import words
from bot.console.coming import coming
from bot.console.forms import BadInput, Form
from bot.console.frame import SAID, act, noted, page, running
from bot.console.parts import Running
from bot.console.people import Page
from bot.console.view import Line, hop_of, line_of, thread
from bot.desk.card import card
from bot.staff import Role
from bot.store.records import Kind
from conversations.comprehension.reading import RiskLevel
from conversations.conversation import Conversation
from conversations.ids import ConversationKey
from conversations.protocol import State
from conversations.wording.request import TemplateUse

PAGE_CASES = 50
SCAN = 200
SCAN_MAX = 5000
"""Conversations that are looked through for a filter that the database does not know."""
HOPS_MAX = 60
NOBODY = "-"
"""Stands for cases without an owner."""

SAID["erased"] = (
    "Everything that was kept of this customer is gone. Backups and the desk's own copies: see docs/privacy.md."
)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Empty: everything. ``risk``: ``any``, ``red`` or ``amber``; ``owner`` ``-``: nobody."""

    q: str = ""
    state: str = ""
    channel: str = ""
    topic: str = ""
    risk: str = ""
    owner: str = ""
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Search:
        """From an address; what makes no sense there is left aside."""
        number = given.get("page", "1")
        return cls(
            q=given.get("q", "").strip()[:200],
            state=given.get("state", "") if given.get("state", "") in ("open", *State.__members__) else "",
            channel=given.get("channel", "")[:60],
            topic=given.get("topic", "")[:80],
            risk=given.get("risk", "") if given.get("risk", "") in ("any", "red", "amber") else "",
            owner=given.get("owner", "")[:120],
            page=int(number) if number.isascii() and number.isdigit() and 0 < int(number) <= 10_000 else 1,
        )

    @property
    def filters(self) -> bool:
        """Whether something is asked that only a look at each conversation tells."""
        return bool(self.channel or self.topic or self.risk or self.owner)

    def states(self) -> tuple[str, ...]:
        """The states that are asked for."""
        if self.state == "open":
            return tuple(state.value for state in State if state is not State.CLOSED)
        return (self.state,) if self.state else ()

    def fits(self, case: Conversation) -> bool:
        """Whether a conversation passes the filters."""
        owner = case.owner.id if case.owner else NOBODY
        level = case.risk_level
        wanted = {"any": level is not None, "red": level is RiskLevel.RED, "amber": level is RiskLevel.AMBER}
        return (
            self.channel in ("", case.channel)
            and (not self.topic or self.topic in case.topics)
            and wanted.get(self.risk, True)
            and self.owner in ("", owner)
        )

    def url(self, **changes: Any) -> str:
        """The address of the list with some of it changed."""
        there = replace(self, **changes)
        given = {name: getattr(there, name) for name in ("q", "state", "channel", "topic", "risk", "owner")}
        query = {name: value for name, value in given.items() if value}
        if there.page > 1:
            query["page"] = str(there.page)
        return "/conversations" + (f"?{urlencode(query)}" if query else "")


@dataclass(frozen=True)
class Found:
    """One page of the list, and what the filters may be set to."""

    lines: tuple[tuple[Line, Conversation], ...]
    more: bool
    cut: bool
    topics: tuple[str, ...]
    owners: tuple[tuple[str, str], ...]


async def find(app: Running, search: Search) -> Found:
    """The conversations that are asked for, latest activity first."""
    now, wanted = app.clock.now(), search.page * PAGE_CASES + 1
    fitting: list[Conversation] = []
    topics: Counter[str] = Counter()
    owners: dict[str, str] = {}
    offset = 0
    while len(fitting) < wanted and offset < SCAN_MAX:
        found = await app.store.conversations(states=search.states(), search=search.q, limit=SCAN, offset=offset)
        offset += len(found)
        for case in found:
            topics.update(case.topics[:1])
            if case.owner is not None:
                owners[case.owner.id] = case.owner.name
        fitting += [case for case in found if search.fits(case)]
        if len(found) < SCAN:
            break
    start = wanted - 1 - PAGE_CASES
    shown = fitting[start : start + PAGE_CASES]
    names = [name for name, _ in topics.most_common()]
    return Found(
        lines=tuple((line_of(app, case, now), case) for case in shown),
        more=len(fitting) >= wanted,
        cut=len(fitting) < wanted and offset >= SCAN_MAX,
        topics=tuple(dict.fromkeys([*filter(None, [search.topic]), *names])),
        owners=tuple(sorted(owners.items(), key=lambda entry: entry[1])),
    )


async def listed(request: Request) -> Response:
    """``GET /conversations``."""
    app, search = running(request), Search.of(request.query_params)
    found = await find(app, search)
    asides = await app.store.asides(20) if not search.q and not search.filters and not search.state else []
    values = {"found": found, "search": search, "channels": sorted(app.channels), "asides": asides, "State": State}
    return await page(request, "conversations.html", "/conversations", values)


# ---------------------------------------------------------------- one conversation


async def wanted(request: Request) -> Conversation:
    """The conversation that the address names. Raises 404."""
    found = await running(request).store.conversation(ConversationKey(request.path_params["key"]))
    if found is None:
        raise HTTPException(404, "There is no such conversation: it may have been erased.")
    return found


async def one(request: Request) -> Response:
    """``GET /conversations/KEY``."""
    return await shown(request, await wanted(request))


async def shown(
    request: Request, case: Conversation, revealed: bool = False, trouble: str = "", status: int = 200
) -> Response:
    """The page of one conversation. Personal data stays masked unless it was asked for."""
    app = running(request)
    now = app.clock.now()
    turns = await app.store.turns(case.key)
    rows = await app.store.outbox(conversation=case.key, limit=500)
    lines = [hop for hop in map(hop_of, await app.store.audits(HOPS_MAX, subject=case.key)) if hop]
    hops = tuple(reversed([hop for key, hop in lines if key == case.key]))
    made = card(case, turns, rows, app.acts.policy(), now)
    entries = thread(made, turns, rows)
    if revealed:
        raw = {turn.posted_at: turn.text for turn in turns if turn.reading is not None}
        entries = tuple(replace(e, text=raw.get(e.at, e.text)) if e.kind == "customer" else e for e in entries)
    values = {
        "case": case,
        "card": made,
        "thread": entries,
        "said_at": {turn.posted_at: turn for turn in turns if turn.key is not None},
        "uses": {turn.posted_at: TemplateUse.parse(turn.template) for turn in turns if turn.template},
        "read": [(turn, turn.reading) for turn in turns if turn.reading is not None and turn.text is not None],
        "masked": any(turn.reading is not None and turn.reading.private for turn in turns),
        "revealed": revealed,
        "hops": hops,
        "coming": coming(case, rows),
        "rows": [row for row in rows if row.kind is Kind.WORDS],
        "trouble": trouble,
        "why": {hop.at: hop for hop in hops},
        "states": words.STATES,
    }
    return await page(request, "conversation.html", "/conversations", values, status)


async def reveal(request: Request) -> Response:
    """``POST /conversations/KEY/reveal``: this page with the personal data in it, once, and written down."""
    case = await wanted(request)
    await noted(request, "reveal", case.key)
    return await shown(request, case, revealed=True)


async def export(request: Request) -> Response:
    """``POST /conversations/KEY/export``: all that is kept of the customer, as a file."""
    case = await wanted(request)
    data = await running(request).store.export_customer(customer_of(case))
    await noted(request, "export", case.key)
    name = "".join(letter if letter.isalnum() else "-" for letter in case.customer.id)[:60]
    return JSONResponse(plain(data), headers={"content-disposition": f'attachment; filename="customer-{name}.json"'})


async def erase(request: Request) -> Response:
    """``POST /conversations/KEY/erase``: everything of the customer goes, once their handle was typed."""
    case = await wanted(request)

    async def do(form: Form) -> str:
        handle = case.customer.handle or case.customer.id
        if form.text("handle", 200).strip().lstrip("@").lower() != handle.lower():
            raise BadInput("handle", f"To erase this customer for good, type the name {handle} into the field.")
        app = running(request)
        count = await app.store.erase_customer(customer_of(case), app.clock.now())
        await noted(request, "erase", f"{count} conversations")
        return "/conversations?said=erased"

    return await act(request, do, lambda trouble, form: shown(request, case, trouble=trouble, status=422))


def customer_of(case: Conversation) -> str:
    """The customer as ``Store.export_customer`` wants them named."""
    return f"{case.channel}:{case.customer.id}"


def plain(value: Any) -> Any:
    """What was exported as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


PAGES: tuple[Page, ...] = (
    Page("/conversations", "GET", listed, Role.AGENT),
    Page("/conversations/{key}", "GET", one, Role.AGENT),
    Page("/conversations/{key}/reveal", "POST", reveal, Role.AGENT),
    Page("/conversations/{key}/export", "POST", export, Role.ADMIN),
    Page("/conversations/{key}/erase", "POST", erase, Role.ADMIN),
)
