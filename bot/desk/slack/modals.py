"""The modals: what an agent fills in for each act. Block ids are the names of the fields, so that answers and errors
find them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.desk.acts import ActError, Review
from bot.desk.card import CaseAct
from bot.desk.slack import kit
from bot.desk.slack.kit import Block
from bot.desk.slack.settings import DeskSettings
from bot.slack.text import cut, escape, instant, quoted
from bot.store.records import TurnRecord
from conversations.conversation import CheckBackBy, Conversation, StoryTurn
from conversations.policy import Policy
from conversations.wording.findings import Finding, Severity
from conversations.wording.request import Surface

VIEW = "hearout:"
PRIVATE_CHARS_MAX = 3_000
STEPS_MAX = 10
PARTS_MAX = 60
STEPS_FIRST = 2
PLATFORMS = {"slack": "Slack", "x": "X"}
"""Channels as people call them."""
TITLES = {
    "reply": "Reply to the customer",
    "send_to_customer": "Send to the customer",
    "edit_draft": "Send a draft",
    "propose_plan": "Propose a plan",
    "record_agreement": "The customer agreed",
    "keep_promise": "A promise is kept",
    "resolve": "Resolve",
    "record_answer": "Record the answer",
    "transfer": "Hand to…",
    "snooze": "Snooze",
    "release": "Release",
    "dismiss": "Needs no answer",
    "set_reference": "Reference",
    "answered_by_hand": "I answered by hand",
    "reveal": "Personal data",
    "end_shift": "End my shift",
    "split": "Split this case",
    "merge": "Merge with another case",
    "incident_update": "An update for everybody",
    "incident_answer": "Answer a group",
    "notice": "Incident",
}


@dataclass(frozen=True)
class Meta:
    """What a view remembers: the act, the case, what the agent has seen of the preview, and how the view is built."""

    act: str
    case: str = ""
    version: int = 0
    seen: str = ""
    n: int = 0
    source: str = ""

    def dump(self) -> str:
        """As ``private_metadata``."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @staticmethod
    def load(text: str) -> Meta | None:
        """The reverse; None for a view that is not ours."""
        try:
            return Meta(**json.loads(text))
        except (ValueError, TypeError):
            return None


def view(meta: Meta, blocks: Sequence[Block], submit: str | None) -> Block:
    """A modal of the desk."""
    return kit.modal(f"{VIEW}{meta.act}", TITLES.get(meta.act, "Hearout"), blocks, submit=submit, metadata=meta.dump())


def notice(title: str, text: str) -> Block:
    """A modal that only says something."""
    return kit.modal(f"{VIEW}notice", title, [kit.section(text)], metadata=Meta("notice").dump())


def simple(
    act: str,
    case: Conversation,
    settings: DeskSettings,
    policy: Policy,
    now: datetime,
    findings: Sequence[Finding] = (),
    seen: str = "",
) -> Block:
    """The modal of an act that needs a few fields only. ``findings``: what the guard found in words that are ``seen`` now."""
    meta = Meta(act, case.key, case.version, seen)
    build = {
        CaseAct.RECORD_AGREEMENT.value: agreement,
        CaseAct.KEEP_PROMISE.value: promise,
        CaseAct.RESOLVE.value: resolve,
        CaseAct.RECORD_ANSWER.value: answer,
        CaseAct.TRANSFER.value: transfer,
        CaseAct.SNOOZE.value: snooze,
        CaseAct.RELEASE.value: release,
        CaseAct.DISMISS.value: dismiss,
        CaseAct.SET_REFERENCE.value: reference,
        CaseAct.ANSWERED_BY_HAND.value: by_hand,
        CaseAct.SPLIT.value: split,
    }[act]
    blocks, submit = build(case, settings, policy, now)
    if findings:
        return view(meta, [*blocks, kit.divider(), *findings_blocks(findings)], f"{submit} anyway")
    return view(meta, blocks, submit)


Built = tuple[list[Block], str]


def agreement(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """The customer said yes somewhere else."""
    where = kit.field(
        "where", "Where did they agree?", kit.line(placeholder="on the telephone, by e-mail…", chars_max=200)
    )
    words = kit.field("words", "In which words?", kit.line(multiline=True, chars_max=2_000))
    return [where, words], "Record"


def promise(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """Which of the open promises is kept."""
    options = [kit.option(cut(p.text, 70), str(p.id)) for p in case.promises_open[:10]]
    if not options:
        return [kit.section("No promise is open.")], ""
    return [kit.field("promise", "What was done?", kit.radio("promise", options, options[0]))], "Kept"


def resolve(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """What was done, and who checks back when."""
    by = [
        kit.option("The bot asks the customer", CheckBackBy.BOT.value),
        kit.option("I ask the customer myself", CheckBackBy.HAND.value),
        kit.option("Nobody asks", CheckBackBy.NOBODY.value),
    ]
    read, kept = "What was done? The customer reads this.", "What was done? Kept with the case."
    direct = case.last_surface is Surface.DIRECT
    hint = "" if direct else "In public the customer reads only that it is done. Tell them more with Reply…"
    done = kit.field("done_text", read if direct else kept, kit.line(multiline=True, chars_max=2_000), hint=hint)
    days = kit.field(
        "check_back_days", "Check back after how many days?", kit.line(f"{policy.check_back_days:g}", chars_max=6)
    )
    blocks = [done, kit.field("check_back", "Who checks back?", kit.radio("check_back", by, by[0])), days]
    if case.promises_open:
        open_ = "\n".join(
            f"▫️ {escape(p.text)}" + (f" — by {instant(p.due_at)}" if p.due_at else "") for p in case.promises_open[:10]
        )
        anyway = {"type": "checkboxes", "options": [kit.option("Resolve anyway", "anyway")]}
        blocks = [
            kit.section(f"*Still promised*\n{open_}"),
            *blocks,
            kit.field("anyway", "These promises are open", anyway, optional=True),
        ]
    return blocks, "Resolve"


def answer(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """What the customer said when asked."""
    options = [
        kit.option("Happy", "yes"),
        kit.option("Not happy, or needs more", "no"),
        kit.option("No answer", "none"),
    ]
    chosen = kit.field("satisfied", "Is it the solution they wanted?", kit.radio("satisfied", options))
    return [
        chosen,
        kit.field("words", "In which words?", kit.line(multiline=True, chars_max=2_000), optional=True),
    ], "Record"


def transfer(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """To whom, with a note."""
    person = {"type": "users_select", "placeholder": kit.words("A person")}
    blocks = [kit.field("to_agent", "To a person", person, optional=True)]
    if queues := [kit.option(cut(queue.name, 70), queue.name) for queue in policy.queues if len(queue.name) <= 150]:
        blocks.append(kit.field("to_queue", "… or to a queue", kit.menu("to_queue", "A queue", queues), optional=True))
    blocks.append(kit.field("note", "What do they need to know?", kit.line(multiline=True, chars_max=1_000)))
    return blocks, "Hand over"


def snooze(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """Until when; the customer's next word ends it."""
    later = int((now + timedelta(days=1)).timestamp())
    picker = {"type": "datetimepicker", "initial_date_time": later - later % 900}
    return [kit.field("until", "Until when?", picker, hint="The customer's next word ends it earlier.")], "Snooze"


def release(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """Back to the queue, with a note for whoever takes it."""
    return [
        kit.field("note", "What should the next one know?", kit.line(multiline=True, chars_max=1_000), optional=True)
    ], "Release"


def dismiss(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """Why nothing needs to be said."""
    return [kit.field("why", "Why does it need no answer?", kit.line(chars_max=500))], "Close the case"


def reference(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """An order or ticket number."""
    return [kit.field("reference", "Order or ticket number", kit.line(case.reference, chars_max=200))], "Save"


def by_hand(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """What somebody wrote on the platform itself."""
    return [kit.field("text", "What did you write to the customer?", kit.line(multiline=True))], "I sent this"


def split(case: Conversation, settings: DeskSettings, policy: Policy, now: datetime) -> Built:
    """Which posts are about another matter."""
    zone = ZoneInfo(settings.time_zone)
    options = [
        kit.option(f"{turn.posted_at.astimezone(zone):%d %b %H:%M} {told(turn)}", turn.id)
        for turn in case.story
        if len(turn.id) <= 150
    ]
    hint = "They become a case of their own, with its own card and clocks. At least one post stays."
    posts = kit.field("posts", "Posts about another matter", kit.several("Choose posts", options), hint=hint)
    return [posts], "Split off"


def told(turn: StoryTurn) -> str:
    """A post in a few words, masked."""
    return " ".join(turn.reading.masked.split()) or f"📎 {turn.media}"


def merge(case: Conversation, others: Sequence[Conversation]) -> Block:
    """With which other case of this customer. Raises ``ActError`` when there is none."""
    options = [
        kit.option(f"{kit.topics(other.topics) or 'a complaint'}: {' '.join(map(told, other.story))}", str(n))
        for n, other in enumerate(others[:10])
    ]
    if not options:
        raise ActError("case", "This customer has no other open case here.")
    text = (
        "The older of the two goes on. All posts of the other one move there, and what the customer answers to either "
        "reaches it. The other card says where it went."
    )
    source = json.dumps([other.key for other in others[:10]])
    blocks = [kit.section(text), kit.field("other", "The other case", kit.radio("other", options, options[0]))]
    return view(Meta("merge", case.key, case.version, source=source), blocks, "Merge")


# ---------------------------------------------------------------- reply


def reply(
    meta: Meta,
    case: Conversation,
    starts: Sequence[tuple[str, str]],
    *,
    text: str = "",
    surface: Surface | None = None,
    review: Review | None = None,
    findings: Sequence[Finding] = (),
    other: str | None = None,
    note: str = "",
) -> Block:
    """Words to the customer; ``starts`` are texts to start from, by name. With a ``review`` it shows exactly what will be
    sent, and what the guard found in it."""
    where = surface or case.last_surface
    platform = PLATFORMS.get(case.channel, case.channel)
    blocks: list[Block] = [
        kit.context(f"To the customer on {escape(platform)}. Only what you send here leaves the desk.")
    ]
    if note:
        blocks.append(kit.context(note))
    if starts:
        options = [kit.option(cut(name, 70), str(n)) for n, (name, _) in enumerate(starts[:100])]
        blocks.append(kit.actions("templates", [kit.menu(f"{VIEW}template", "Start from a template", options)]))
    if case.direct and case.public_root is not None:
        options = [
            kit.option("In a direct message", Surface.DIRECT.value),
            kit.option("In public", Surface.PUBLIC.value),
        ]
        chosen = options[0] if where is Surface.DIRECT else options[1]
        blocks.append(kit.field("surface", "Where?", kit.radio("surface", options, chosen)))
    blocks.append(kit.field(f"text{meta.n}", "Your words", kit.line(text, multiline=True)))
    if review is None:
        return view(meta, blocks, "Preview")
    blocks += preview(review, findings, other, where, case)
    anyway = "anyway" if findings or other is not None else ""
    parts = f"in {len(review.parts)} parts" if len(review.parts) > 1 else ""
    return view(meta, blocks, " ".join(filter(None, ("Send", parts or anyway))))


def preview(
    review: Review, findings: Sequence[Finding], other: str | None, where: Surface, case: Conversation
) -> list[Block]:
    """Exactly what will be sent, how long it is, and what the guard found."""
    limit = f" of {review.weight_max}" if review.weight_max else ""
    parts = f" in {len(review.parts)} parts" if len(review.parts) > 1 else ""
    blocks = [
        kit.divider(),
        kit.section(
            f"*This will be sent*{parts}, {'in public' if where is Surface.PUBLIC else 'in a direct message'}:"
        ),
    ]
    if len(review.parts) > 1:
        blocks.append(
            kit.section("✂️ *This is too long for one message*: shorten it, or send it in parts, one after another.")
        )
    blocks += [kit.section(quoted(part)) for part in review.parts[:PARTS_MAX]]
    blocks.append(kit.context(f"{review.weight} characters{limit}"))
    if case.channel == "slack":
        blocks.append(kit.context("Your name is shown above it."))
    if other is not None:
        blocks.append(kit.section(f"⚠️ *{escape(other)} has just answered this customer.* Send yours as well?"))
    return blocks + findings_blocks(findings)


def findings_blocks(findings: Sequence[Finding]) -> list[Block]:
    """What the guard found, why it matters, and what would be better; what it found several times is said once."""
    blocks = []
    found = Counter((f.severity, f.message, f.reason, f.suggestion) for f in findings)
    for (severity, message, reason, suggestion), times in list(found.items())[:10]:
        sign = "⛔️" if severity is Severity.REFUSED else "✋"
        words = [
            f"{sign} *{escape(message)}*{f' ({times} times)' if times > 1 else ''}",
            escape(reason),
            f"_{escape(suggestion)}_" if suggestion else "",
        ]
        blocks.append(kit.section("\n".join(filter(None, words))))
    return blocks


# ---------------------------------------------------------------- plan


def plan(
    meta: Meta, case: Conversation, settings: DeskSettings, findings: Sequence[Finding] = (), preview_text: str = ""
) -> Block:
    """Steps with dates; ``meta.n`` says how many rows there are."""
    known = case.plan.steps if case.plan is not None and case.plan.agreed_at is None else ()
    blocks: list[Block] = [
        kit.context("The customer is asked to agree before anything starts. Every step needs a date.")
    ]
    for n in range(1, meta.n + 1):
        step = known[n - 1] if n <= len(known) else None
        first = n == 1
        blocks.append(
            kit.field(f"step{n}", f"Step {n}", kit.line(step.text if step else "", chars_max=500), optional=not first)
        )
        picker: Block = {"type": "datetimepicker"}
        if step is not None and step.due_at is not None:
            picker["initial_date_time"] = int(step.due_at.timestamp())
        blocks.append(kit.field(f"due{n}", f"Step {n}: by when?", picker, optional=True))
    if meta.n < STEPS_MAX:
        blocks.append(kit.actions("steps", [kit.button("Add a step", f"{VIEW}add_step")]))
    if settings.remedies:
        options = [kit.option(remedy, str(n)) for n, remedy in enumerate(settings.remedies[:100])]
        blocks.append(kit.field("remedy", "Remedy", kit.menu("remedy", "None", options), optional=True))
    if preview_text:
        blocks += [kit.divider(), kit.section(f"*The steps as the customer reads them*\n{quoted(preview_text)}")]
    for finding in findings[:10]:
        blocks.append(kit.section(f"✋ *{escape(finding.message)}*\n{escape(finding.reason)}"))
    label = "Preview" if not preview_text else "Propose anyway" if findings else "Propose"
    return view(meta, blocks, label)


# ---------------------------------------------------------------- the rest


def reveal(case: Conversation, turns: Sequence[TurnRecord]) -> Block:
    """The customer's words unmasked, for one agent's eyes; that it was looked at is logged."""
    blocks = [kit.context("Shown to you only. That you looked is in the audit log.")]
    size = 0
    for turn in turns:
        if turn.text and turn.reading is not None and turn.reading.private:
            kinds = ", ".join(sorted({span.kind for span in turn.reading.private}))
            text = quoted(cut(turn.text, 2_500))
            size += len(text)
            if size > 40_000 or len(blocks) > 60:
                break
            blocks.append(kit.section(f"*{escape(kinds)}*\n{text}"))
    return view(Meta("reveal", case.key, case.version), blocks, None)


def end_shift(count: int, policy: Policy) -> Block:
    """Hand over everything one has; the note is required."""
    blocks: list[Block] = [
        kit.section(f"You have *{count}* open case{'' if count == 1 else 's'}. All of them are handed over.")
    ]
    person = {"type": "users_select", "placeholder": kit.words("A person")}
    blocks.append(kit.field("to_agent", "To a person (empty: back to the queue)", person, optional=True))
    blocks.append(kit.field("note", "What do they need to know?", kit.line(multiline=True, chars_max=1_000)))
    return view(Meta("end_shift"), blocks, "Hand over")


def values(state: Any) -> dict[str, Any]:
    """What was filled in, by field: text, option value, list of option values, user, or Unix seconds; None where nothing was."""
    found: dict[str, Any] = {}
    for block_id, controls in ((state or {}).get("values") or {}).items():
        for answer_ in controls.values():
            found[block_id] = _value(answer_)
    return found


def _value(given: dict[str, Any]) -> Any:
    if "selected_options" in given:
        return [option["value"] for option in given["selected_options"] or []]
    if given.get("selected_option") is not None:
        return given["selected_option"]["value"]
    for name in ("value", "selected_user", "selected_date_time"):
        if given.get(name) is not None:
            return given[name]
    return None
