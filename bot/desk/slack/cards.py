"""The card of a case in Block Kit: in the order of an agent's questions, from the same value as every other desk
(``bot/desk/card.py``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.desk.card import Card, CaseAct, Heat, SaidLine, StepLine, StoryLine, Waiting
from bot.desk.slack import kit
from bot.desk.slack.kit import Block
from bot.slack.text import ago, cut, escape, instant, link, mention, quoted
from bot.store.records import Place, Status
from conversations.comprehension.reading import Decision, RiskLevel
from conversations.conversation import Author
from conversations.protocol import State

HEATS: Mapping[Heat, str] = {
    Heat.DANGER: "🚨 Danger",
    Heat.LATE: "🔴 Late",
    Heat.SOON: "🟠 Soon",
    Heat.NORMAL: "🟡 To do",
    Heat.WAITING: "⚪️ Waiting",
    Heat.DONE: "✅ Closed",
}
STATES: Mapping[State, str] = {
    State.LISTENING: "the customer is telling the story",
    State.REFLECTING: "the bot asked whether it understood",
    State.AWAITING_AGENT: "nobody has it yet",
    State.WITH_AGENT: "with an agent",
    State.AWAITING_AGREEMENT: "a plan was proposed",
    State.FULFILLING: "the plan was agreed",
    State.RESOLVED: "resolved, check-back to come",
    State.CHECKING_BACK: "the check-back was asked",
    State.CLOSED: "closed",
}
WAITS: Mapping[Waiting, str] = {
    Waiting.CUSTOMER: "waits for the customer",
    Waiting.DESK: "waits for an agent",
    Waiting.OWNER: "waits for its owner",
    Waiting.CLOCK: "waits for its date",
    Waiting.NOBODY: "nobody waits",
}
STATUSES: Mapping[Status, str] = {
    Status.PENDING: "⏳ queued",
    Status.SENDING: "⏳ sending",
    Status.SENT: "✅ sent",
    Status.UNKNOWN: "❓ unknown, checking",
    Status.REJECTED: "❌ rejected",
    Status.REFUSED: "❌ refused",
    Status.FAILED: "❌ failed",
    Status.WITHDRAWN: "↩️ withdrawn",
}
LABELS: Mapping[CaseAct, str] = {
    CaseAct.CLAIM: "Claim",
    CaseAct.REPLY: "Reply…",
    CaseAct.PROPOSE_PLAN: "Propose plan…",
    CaseAct.RECORD_AGREEMENT: "Customer agreed…",
    CaseAct.KEEP_PROMISE: "Promise kept…",
    CaseAct.RESOLVE: "Resolve…",
    CaseAct.RECORD_ANSWER: "Record answer…",
    CaseAct.TRANSFER: "Hand to…",
    CaseAct.SNOOZE: "Snooze…",
    CaseAct.RELEASE: "Release…",
    CaseAct.DISMISS: "Needs no answer…",
    CaseAct.MUTE_BOT: "Stop the bot here",
    CaseAct.REOPEN: "Reopen",
    CaseAct.SET_REFERENCE: "Reference…",
    CaseAct.ANSWERED_BY_HAND: "I answered by hand…",
    CaseAct.SPLIT: "Split…",
    CaseAct.MERGE: "Merge…",
}
AUTHORS: Mapping[Author, str] = {
    Author.BOT: "bot",
    Author.AGENT: "agent",
    Author.BRAND: "colleague",
    Author.CUSTOMER: "customer",
}
ACTION = "hearout:"
"""Every control of the desk has an action id that begins so."""
BUTTONS_MAX = 4
STORY_CHARS_MAX = 2_600
LINES_MAX = 4


def case_block(key: str, version: int, part: str = "") -> str:
    """The block id that tells which case a click is about, and which rendering of it was seen."""
    return f"case|{version}|{part}|{key}"


def case_of(block_id: str) -> tuple[str, int] | None:
    """The reverse: (case, version); None for a block of something else."""
    kind, _, rest = block_id.partition("|")
    version, _, rest = rest.partition("|")
    _, _, key = rest.partition("|")
    return (key, int(version)) if kind == "case" and key and version.isdigit() else None


def summary(card: Card, who: str) -> str:
    """One line: what notifications and lists show."""
    parts = [HEATS[card.heat], kit.topics(card.topics) or "a complaint", who, STATES[card.state]]
    return cut(escape(" · ".join(part for part in parts if part)), 300)


def card_blocks(
    card: Card,
    version: int,
    *,
    who: str,
    place: str,
    crm_url: str = "",
    earlier: str = "",
    related: Sequence[str] = (),
    closing: str = "",
) -> list[Block]:
    """The whole card. ``who`` and ``place`` name the customer and where they wrote; ``earlier`` sums up former cases;
    ``related`` says which cases this one was split from or merged with; ``closing`` stands instead of the buttons (a claim
    that is being decided)."""
    title = f"{HEATS[card.heat]} · {kit.topics(card.topics).capitalize() or 'Complaint'} · {who}"
    blocks = [kit.header(title), kit.context(*facts_line(card, place))]
    if related:
        blocks.append(kit.context(*related))
    if card.risks:
        blocks.append(kit.section("\n".join(risk_line(risk.kind, risk.level, risk.evidence) for risk in card.risks)))
    blocks.append(kit.section(story(card.story)))
    blocks.append(kit.fields(understood(card)))
    blocks.append(kit.context(*clocks(card)))
    if card.plan is not None:
        blocks.append(kit.section(plan(card)))
    if card.said:
        blocks.append(kit.section(said(card.said)))
    if notes := ending(card, crm_url, earlier):
        blocks.append(kit.context(*notes))
    while kit.chars(blocks) > kit.MESSAGE_CHARS_MAX and len(blocks) > 4:
        blocks.pop(-2)
    if closing:
        blocks.append(kit.context(closing))
    elif controls := buttons(card):
        blocks.append(kit.actions(case_block(card.key, version), controls))
    return blocks


def facts_line(card: Card, place: str) -> list[str]:
    """Where it stands, in small print."""
    owner = f"*{mention(card.owner_id)}* has it" if card.owner_id else "*nobody has it*"
    where = link(card.link, place) if card.link else escape(place)
    facts = [
        where,
        f"{STATES[card.state]}, {WAITS[card.waiting]}",
        owner,
        f"queue: {escape(card.queue)}",
        f"language: {escape(card.language)}",
    ]
    if card.snoozed_until:
        facts.append(f"💤 until {instant(card.snoozed_until)}")
    if card.opted_out or card.bot_muted:
        facts.append("🔇 the bot is silent here" + (" (the customer wants no bot)" if card.opted_out else ""))
    if card.triage is Decision.UNSURE and card.label is None:
        facts.append("🤔 *is it a complaint?*")
    if card.outcome is not None:
        facts.append(f"outcome: {card.outcome.value}")
    return facts


def risk_line(kind: str, level: RiskLevel, evidence: str | None) -> str:
    """A danger and the words that show it."""
    sign = "🚨" if level is RiskLevel.RED else "⚠️"
    return f"{sign} *{escape(kind.replace('_', ' '))}*" + (f": “{escape(cut(evidence, 300))}”" if evidence else "")


def story(lines: tuple[StoryLine, ...]) -> str:
    """The customer's words, masked; the whole of a long story is in the thread."""
    parts: list[str] = []
    size = 0
    for n, turn in enumerate(lines):
        text = "_(deleted)_" if turn.text is None else quoted(cut(turn.text, 1_500)) if turn.text.strip() else ""
        marks = [ago(turn.at), *(["direct message"] if turn.place is Place.DIRECT else [])]
        marks += ["edited"] if turn.edited_at else []
        marks += [f"📎 {turn.media}"] if turn.media else []
        part = f"{text}\n_{' · '.join(marks)}_".strip()
        if parts and size + len(part) > STORY_CHARS_MAX:
            parts.append(f"… and {len(lines) - n} more in the thread")
            break
        parts.append(part)
        size += len(part)
    return "\n".join(parts) or "_no words yet_"


def understood(card: Card) -> list[str]:
    """Wish, mirror, topics: what the bot took from it."""
    found = [f"*Wish*\n{escape(cut(card.wish, 500)) if card.wish else '_not said yet_'}"]
    found.append(f"*Topics*\n{escape(kit.topics(card.topics)) or '_unclear_'}")
    if card.mirror:
        found.append(f"*Understood*\n{escape(cut(card.mirror, 700))}")
    return found


def clocks(card: Card) -> list[str]:
    """Both clocks, which Slack renders for each reader."""
    first = card.first_reply
    if first.answered_at is not None:
        late = "" if not first.late(card.now) else " ⚠️ late"
        found = [f"🕐 first reply {instant(first.answered_at)}{late}"]
    else:
        found = [f"🕐 first reply due {instant(first.due_at)}, window ends {instant(first.window_ends_at)}"]
    if card.human_answer is not None:
        due = card.human_answer.due_at
        sign = " ⚠️ late" if card.human_answer.late(card.now) else ""
        found.append(
            f"👤 waiting for a person since {instant(card.human_answer.since)}"
            + (f", due {instant(due)}{sign}" if due else "")
        )
    return found


def plan(card: Card) -> str:
    """The plan with what became of its steps."""
    assert card.plan is not None
    lines = [
        f"*Plan* by {escape(card.plan.proposed_by)}" + (f" · {escape(card.plan.remedy)}" if card.plan.remedy else "")
    ]
    lines += [step_line(step, card.now) for step in card.plan.steps]
    if card.plan.agreed_at:
        words = f": “{escape(cut(card.plan.agreed_words, 300))}”" if card.plan.agreed_words else ""
        lines.append(f"🤝 agreed {instant(card.plan.agreed_at)}{words}")
    else:
        lines.append("_not agreed yet_")
    return "\n".join(lines)


def step_line(step: StepLine, now: datetime) -> str:
    """One step or promise."""
    sign = "☑️" if step.kept_at else "⏰" if step.overdue(now) else "▫️"
    due = f" — {'kept ' + instant(step.kept_at) if step.kept_at else 'by ' + instant(step.due_at) if step.due_at else 'no date'}"
    return f"{sign} {escape(step.text)}{due}"


def said(lines: tuple[SaidLine, ...]) -> str:
    """What was said last, and what became of it."""
    parts = ["*Said*"] if len(lines) <= LINES_MAX else [f"*Said* (the last {LINES_MAX} of {len(lines)})"]
    for entry in lines[-LINES_MAX:]:
        who = escape(entry.agent) if entry.agent else AUTHORS[entry.author]
        status = STATUSES[entry.status]
        status = link(entry.url, status) if entry.url else status
        reason = f" ({escape(cut(entry.reason, 200))})" if entry.reason and entry.status is not Status.SENT else ""
        leaves = f", leaves {instant(entry.leaves_at)}" if entry.leaves_at and entry.status is Status.PENDING else ""
        parts.append(f"{status}{leaves} · {who}{reason}: {escape(cut(' '.join((entry.text or '').split()), 400))}")
    return "\n".join(parts)


def ending(card: Card, crm_url: str, earlier: str) -> list[str]:
    """Resolution, check-back, earlier cases, reference."""
    found: list[str] = []
    if card.done_text:
        found.append(f"done: {escape(cut(card.done_text, 500))}")
    if card.check_back is not None:
        found.append(
            f"check-back by {card.check_back.by.value}: {instant(card.check_back.due_at)}, round {card.check_back.round}"
        )
    answers = {True: "happy", False: "not happy", None: "no clear answer"}
    found += [
        f"round {a.round}: {answers[a.satisfied]}" + (f" “{escape(cut(a.words, 200))}”" if a.words else "")
        for a in card.answers[-3:]
    ]
    if earlier:
        found.append(escape(cut(earlier, 300)))
    if card.reference:
        url = crm_url.replace("{reference}", card.reference) if crm_url else ""
        found.append("reference: " + (link(url, card.reference) if url else escape(cut(card.reference, 200))))
    return found


def buttons(card: Card) -> list[Block]:
    """The likeliest acts as buttons, the rest in a menu."""
    found: list[Block] = []
    rest: list[Block] = []
    for act in card.acts:
        if act is CaseAct.LABEL:
            continue
        if len(found) < BUTTONS_MAX:
            style = "primary" if not found else None
            update = act is CaseAct.REPLY and card.state in (State.AWAITING_AGREEMENT, State.FULFILLING, State.RESOLVED)
            label = "Update customer…" if update else LABELS[act]
            found.append(kit.button(label, f"{ACTION}{act.value}", style=style))
        else:
            rest.append(kit.option(LABELS[act], act.value))
    if CaseAct.LABEL in card.acts:
        unsure = card.triage is Decision.UNSURE
        labels = [("Not a complaint", "not_complaint"), ("It is a complaint", "is_complaint")]
        if unsure:
            found += [kit.button(label, f"{ACTION}{value}") for label, value in labels]
        else:
            rest += [kit.option(label, value) for label, value in labels]
    if any(turn.private for turn in card.story):
        rest.append(kit.option("Reveal personal data", "reveal"))
    if rest:
        found.append(kit.menu(f"{ACTION}more", "More…", rest))
    return found
