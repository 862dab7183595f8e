"""The protocol in plain words, for the page: tables only."""

from __future__ import annotations

from bot.desk.calls import risk_words
from bot.desk.card import CaseAct, Heat
from conversations.comprehension.reading import Certainty, CueName, Decision
from conversations.conversation import CheckBackBy, Outcome, TimerName
from conversations.protocol import State, Trigger
from conversations.wording.request import Act, Situation, Surface

STATES: dict[State, str] = {
    State.LISTENING: "Listening",
    State.REFLECTING: "Reflecting",
    State.AWAITING_AGENT: "Waiting for an agent",
    State.WITH_AGENT: "With an agent",
    State.AWAITING_AGREEMENT: "Plan proposed",
    State.FULFILLING: "Keeping promises",
    State.RESOLVED: "Resolved",
    State.CHECKING_BACK: "Checking back",
    State.CLOSED: "Closed",
}
"""States as people say them."""

MEANINGS: dict[State, str] = {
    State.LISTENING: "The customer is telling the story. The bot stays silent until they have finished.",
    State.REFLECTING: "The bot has said back what it understood, and asked whether that is right.",
    State.AWAITING_AGENT: "Handed to people. Nobody has taken the case yet.",
    State.WITH_AGENT: "A person has the case. The bot says nothing of its own.",
    State.AWAITING_AGREEMENT: "A plan was proposed. The customer decides.",
    State.FULFILLING: "The plan was agreed. Its promises have dates.",
    State.RESOLVED: "Done, and confirmed in writing. Somebody will ask whether it helped.",
    State.CHECKING_BACK: "The customer was asked whether they are happy now.",
    State.CLOSED: "Nothing is owed any more.",
}
"""What a state means."""

OUTCOMES: dict[Outcome, str] = {
    Outcome.SATISFIED: "satisfied",
    Outcome.UNANSWERED: "no answer",
    Outcome.UNSATISFIED: "not satisfied",
    Outcome.DISMISSED: "dismissed",
    Outcome.OPTED_OUT: "wants no bot",
    Outcome.UNREACHABLE: "cannot be reached",
    Outcome.WITHDRAWN: "taken back by the customer",
    Outcome.MERGED: "part of another case",
}

TIMERS: dict[TimerName, tuple[str, str]] = {
    TimerName.QUIET: ("Quiet time ends", "The bot takes the story as told for now, and speaks."),
    TimerName.FIRST_REPLY_ALARM: ("First-reply alarm", "If nothing was said by then, people are called."),
    TimerName.FIRST_REPLY: (
        "The bot waits no longer",
        "It speaks even if the customer is still writing: the rest of the promised time is a reserve, if sending fails.",
    ),
    TimerName.SILENCE: ("Customer stays silent", "What follows depends on the state: no case ends with the bot alone."),
    TimerName.UNCLAIMED: ("Second call", "Nobody has taken it: the queue is called again, then the leads."),
    TimerName.OWNER_SILENT: ("Reminder for the owner", "The owner is reminded; later the case goes back to the queue."),
    TimerName.SNOOZE: ("Snooze ends", "The case comes back."),
    TimerName.PROMISE_SOON: ("A promise is due soon", "The owner is reminded."),
    TimerName.PROMISE_OVERDUE: ("A promise is due", "If it is not ticked, the desk is alarmed."),
    TimerName.CHECK_BACK: ("Check-back", "The customer is asked whether it was the solution they wanted."),
}
"""A timer's name, and what it will do."""

SILENCE: dict[State, str] = {
    State.LISTENING: "The case goes to the agents, with “said only this”. The bot writes nothing more.",
    State.REFLECTING: "The case goes to the agents, confirmed or not.",
    State.AWAITING_AGREEMENT: "The owner is asked: start anyway, ask again, or resolve.",
    State.CHECKING_BACK: "The case is closed without an answer. Nothing is sent.",
}
"""What the customer's silence leads to."""

TRIGGERS: dict[Trigger, str] = {
    Trigger.CUSTOMER_POSTED: "the customer wrote",
    Trigger.POST_EDITED: "a post was edited",
    Trigger.POST_DELETED: "a post was deleted",
    Trigger.CUSTOMER_UNREACHABLE: "the customer cannot be reached",
    Trigger.BRAND_ANSWERED_ELSEWHERE: "somebody answered by hand",
    Trigger.WORDS_ACCEPTED: "our words arrived",
    Trigger.SEND_FAILED: "a message failed",
    Trigger.FIRST_REPLY_ENDANGERED: "the first reply was in danger",
    Trigger.FIRST_REPLY_DUE: "the first reply was due",
    Trigger.QUIET_ELAPSED: "the customer had been quiet",
    Trigger.SILENCE_ELAPSED: "the customer stayed silent",
    Trigger.HANDOFF_UNCLAIMED: "nobody had taken it",
    Trigger.OWNER_SILENT: "the owner was silent",
    Trigger.SNOOZE_ELAPSED: "the snooze ended",
    Trigger.PROMISE_DUE_SOON: "a promise was due soon",
    Trigger.PROMISE_OVERDUE: "a promise was overdue",
    Trigger.CHECK_BACK_DUE: "it was time to check back",
    Trigger.AGENT_CLAIMED: "an agent took it",
    Trigger.AGENT_REPLIED: "an agent replied",
    Trigger.AGENT_PROPOSED_PLAN: "an agent proposed a plan",
    Trigger.AGENT_RECORDED_AGREEMENT: "an agreement was recorded",
    Trigger.PROMISE_KEPT: "a promise was kept",
    Trigger.AGENT_RESOLVED: "an agent resolved it",
    Trigger.AGENT_RECORDED_ANSWER: "an answer was recorded",
    Trigger.AGENT_TRANSFERRED: "it was transferred",
    Trigger.AGENT_SNOOZED: "it was snoozed",
    Trigger.AGENT_MUTED_BOT: "the bot was muted",
    Trigger.AGENT_RELEASED: "the owner gave it back",
    Trigger.AGENT_DISMISSED: "an agent dismissed it",
    Trigger.AGENT_LABELLED: "an agent labelled it",
    Trigger.AGENT_REOPENED: "an agent reopened it",
    Trigger.AGENT_SET_REFERENCE: "a reference was set",
    Trigger.AGENT_SPLIT: "an agent split it",
    Trigger.AGENT_MERGED: "an agent merged it into another",
    Trigger.SPLIT_OFF: "it was split off another",
    Trigger.CASE_MERGED: "another became part of it",
}
"""Why a decision was made."""

SAID: dict[Act, tuple[str, str]] = {
    Act.RECEIVE: ("Received", "neutral: it may be no complaint"),
    Act.ACKNOWLEDGE: ("Acknowledged", "sorry, and listening: no offer, no cause"),
    Act.REFLECT: ("Mirrored", "said the story back and asked whether it is right"),
    Act.HAND_OVER: ("Handed over", "named who answers, and by when"),
    Act.HOLDING: ("Holding", "nobody has forgotten you"),
    Act.PROPOSE_PLAN: ("Plan", "the steps, their dates, and the question"),
    Act.CONFIRM_PLAN: ("Plan confirmed", "steps and dates in writing"),
    Act.PROMISE_UPDATE: ("Update", "on a promise"),
    Act.CONFIRM_RESOLUTION: ("Resolution confirmed", "what was done, in writing"),
    Act.CHECK_BACK: ("Check-back", "the right solution? happy? anything else?"),
    Act.REOPEN: ("Reopened", "we go on, with honest hours"),
    Act.FAREWELL: ("Farewell", "a last kind word"),
    Act.OPT_OUT_CONFIRMED: ("Stopped", "the bot will not write again"),
}
"""What a text of ours does; acts about risks read "Safety words"."""

CUES: dict[CueName, str] = {
    CueName.VENTING: "venting",
    CueName.MORE_TO_COME: "more to come",
    CueName.DONE: "finished for now",
    CueName.ASKS_FOR_HUMAN: "asks for a person",
    CueName.OPTS_OUT: "wants the bot to stop",
    CueName.CONFIRMS: "confirms",
    CueName.ADDS: "adds to the story",
    CueName.STATES_WISH: "says what they want",
    CueName.AGREES: "agrees",
    CueName.DECLINES: "declines",
    CueName.SATISFIED: "satisfied",
    CueName.UNSATISFIED: "not satisfied",
    CueName.NEEDS_MORE: "needs more",
    CueName.ONLY_THANKS: "only thanks",
    CueName.QUESTION: "asks a question",
    CueName.IRONY: "irony",
    CueName.MIXED: "mixed",
}
CERTAINTIES: dict[Certainty, str] = {Certainty.CERTAIN: "certain", Certainty.LIKELY: "likely"}
TRIAGE: dict[Decision, str] = {
    Decision.YES: "A complaint",
    Decision.NO: "Not a complaint",
    Decision.UNSURE: "Unsure: a person decides",
}

HEATS: dict[Heat, str] = {
    Heat.DANGER: "Danger",
    Heat.LATE: "Late",
    Heat.SOON: "Soon",
    Heat.NORMAL: "Your turn",
    Heat.WAITING: "Waiting",
    Heat.DONE: "Done",
}

ACTS: dict[CaseAct, str] = {
    CaseAct.CLAIM: "Take this case",
    CaseAct.REPLY: "Reply",
    CaseAct.PROPOSE_PLAN: "Propose a plan",
    CaseAct.RECORD_AGREEMENT: "Record an agreement",
    CaseAct.KEEP_PROMISE: "Tick promises",
    CaseAct.RESOLVE: "Resolve",
    CaseAct.RECORD_ANSWER: "Record an answer",
    CaseAct.TRANSFER: "Transfer",
    CaseAct.SNOOZE: "Snooze",
    CaseAct.RELEASE: "Give back",
    CaseAct.DISMISS: "Dismiss",
    CaseAct.LABEL: "A complaint?",
    CaseAct.MUTE_BOT: "Mute the bot",
    CaseAct.REOPEN: "Reopen",
    CaseAct.SET_REFERENCE: "Reference",
    CaseAct.ANSWERED_BY_HAND: "I answered by hand",
    CaseAct.SPLIT: "Split",
    CaseAct.MERGE: "Merge",
}
"""Names on buttons and tabs."""

CHECK_BACKS: dict[CheckBackBy, str] = {
    CheckBackBy.BOT: "the bot asks",
    CheckBackBy.HAND: "I ask myself",
    CheckBackBy.NOBODY: "nobody asks",
}

LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish",
    "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "gu": "Gujarati", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "mr": "Marathi", "ms": "Malay", "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian",
    "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu",
    "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "zh": "Chinese",
    "und": "Language not clear yet",
}  # fmt: skip
"""Languages by their ISO 639-1 code: those the bot speaks, and what it recognises beside them."""


def said(act: str | None) -> tuple[str, str]:
    """What a text of ours does, in words."""
    if act is None:
        return "Reply", "an agent's own words"
    if act.startswith("risk_"):
        return "Safety words", "first of all: keep safe; a person is called"
    return SAID[Act(act)]


def act_words(act: Act) -> tuple[str, str]:
    """An act's name, and what its texts do, for whoever edits them."""
    if act.value.startswith("risk_"):
        kind = act.value.removeprefix("risk_")
        return f"Safety: {risk_words(kind)}", "first words to somebody in danger"
    return SAID[act]


SITUATIONS: dict[Situation, str] = {
    Situation.FIRST_REPLY: "as the first reply",
    Situation.LATE: "late",
    Situation.OUT_OF_HOURS: "out of hours",
    Situation.MEDIA_ONLY: "a picture only",
    Situation.RETURNING: "returning customer",
    Situation.SECOND_ROUND: "second round",
    Situation.INCIDENT: "incident",
}
"""When a template of its own is used."""
SURFACES: dict[Surface, str] = {Surface.PUBLIC: "In public", Surface.DIRECT: "Direct"}
