"""How a complaint is handled: the states, the triggers, and the table of what happens when. Read this file first.

Theory of operation
-------------------
A customer's post, an agent's act, a platform's answer or the passing of time reaches a conversation as an *event*
(``events.py``). Each event has a *trigger*. ``TABLE`` says, for every state and trigger, which row applies: the first one, in the
order written, whose guards all hold. A row gives the state that follows and names the effects. Guards and effects are
methods of the same name on ``step.Step``; ``machine.advance`` runs the table with the transitions library and returns the new
conversation with its effects. Nothing here touches the world.

Before any row is chosen, what the event says about the conversation is taken over (``Step.absorb``): the story, the language,
the wish, the risks, the end of a snooze, what the platform accepted. So the same facts are taken in whatever the state. Once a
case is on the desk every turn is mirrored there, and every decision brings its card up to date.

Five rules hold across the table:

* The bot proposes nothing. It listens, mirrors, and hands over; remedies are an agent's, agreed by the customer.
* A claim silences the bot, but for words to somebody in danger that are about to leave: until the owner writes, they are all
  there is.
* The bot does not interrupt: its words wait until the customer's burst has ended (``quiet_elapsed``), unless the first reply's
  window demands otherwise (``first_reply_due``) or somebody is in danger.
* Words count as said when the platform has accepted them (``words_accepted``), not when they were written.
* A reading that is not certain never closes, thanks, agrees or opts out: a human judges.

Every pair of state and trigger has a row or stands in ``IGNORED``, which a test checks. A pair in the table may still end with
no row whose guards hold; then nothing happens, which is as intended (a timer that has become pointless).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a conversation stands; the comment says who acts next."""

    LISTENING = "LISTENING"  # the customer: the bot is silent until the burst ends or the window demands a reply
    REFLECTING = "REFLECTING"  # the customer: the bot has mirrored the story and asked
    AWAITING_AGENT = "AWAITING_AGENT"  # the desk: handed off, nobody owns it yet
    WITH_AGENT = "WITH_AGENT"  # an agent owns it; the bot says nothing of its own
    AWAITING_AGREEMENT = "AWAITING_AGREEMENT"  # the customer: a plan was proposed
    FULFILLING = "FULFILLING"  # an agent: the plan was agreed, promises have dates
    RESOLVED = "RESOLVED"  # the clock: done and confirmed, check-back scheduled
    CHECKING_BACK = "CHECKING_BACK"  # the customer: the check-back questions were asked
    CLOSED = "CLOSED"  # nobody


class Trigger(StrEnum):
    """What may happen, in the words of the table."""

    CUSTOMER_POSTED = "customer_posted"
    POST_EDITED = "post_edited"
    POST_DELETED = "post_deleted"
    CUSTOMER_UNREACHABLE = "customer_unreachable"
    BRAND_ANSWERED_ELSEWHERE = "brand_answered_elsewhere"
    WORDS_ACCEPTED = "words_accepted"
    SEND_FAILED = "send_failed"
    FIRST_REPLY_ENDANGERED = "first_reply_endangered"
    FIRST_REPLY_DUE = "first_reply_due"
    QUIET_ELAPSED = "quiet_elapsed"
    SILENCE_ELAPSED = "silence_elapsed"
    HANDOFF_UNCLAIMED = "handoff_unclaimed"
    OWNER_SILENT = "owner_silent"
    SNOOZE_ELAPSED = "snooze_elapsed"
    PROMISE_DUE_SOON = "promise_due_soon"
    PROMISE_OVERDUE = "promise_overdue"
    CHECK_BACK_DUE = "check_back_due"
    AGENT_CLAIMED = "agent_claimed"
    AGENT_REPLIED = "agent_replied"
    AGENT_PROPOSED_PLAN = "agent_proposed_plan"
    AGENT_RECORDED_AGREEMENT = "agent_recorded_agreement"
    PROMISE_KEPT = "promise_kept"
    AGENT_RESOLVED = "agent_resolved"
    AGENT_RECORDED_ANSWER = "agent_recorded_answer"
    AGENT_TRANSFERRED = "agent_transferred"
    AGENT_SNOOZED = "agent_snoozed"
    AGENT_MUTED_BOT = "agent_muted_bot"
    AGENT_RELEASED = "agent_released"
    AGENT_DISMISSED = "agent_dismissed"
    AGENT_LABELLED = "agent_labelled"
    AGENT_REOPENED = "agent_reopened"
    AGENT_SET_REFERENCE = "agent_set_reference"
    AGENT_SPLIT = "agent_split"
    AGENT_MERGED = "agent_merged"
    SPLIT_OFF = "split_off"
    CASE_MERGED = "case_merged"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``dest`` None: the state stays. ``guards`` must all hold; ``effects`` run in order."""

    sources: tuple[State, ...]
    triggers: tuple[Trigger, ...]
    guards: tuple[str, ...]
    dest: State | None
    effects: tuple[str, ...]


S, T = State, Trigger
UNOWNED = (S.LISTENING, S.REFLECTING, S.AWAITING_AGENT)
OWNED = (S.WITH_AGENT, S.AWAITING_AGREEMENT, S.FULFILLING)
DONE = (S.RESOLVED, S.CHECKING_BACK)
OPEN = (*UNOWNED, *OWNED, *DONE)
ALL = (*OPEN, S.CLOSED)
LISTENING_OR_REFLECTING = (S.LISTENING, S.REFLECTING)


def row(
    sources: State | tuple[State, ...],
    triggers: Trigger | tuple[Trigger, ...],
    guards: str,
    dest: State | None,
    effects: str,
) -> Row:
    """A row as it is written below: names separated by spaces."""
    return Row(
        (sources,) if isinstance(sources, State) else sources,
        (triggers,) if isinstance(triggers, Trigger) else triggers,
        tuple(guards.split()),
        dest,
        tuple(effects.split()),
    )


# fmt: off
TABLE: tuple[Row, ...] = (
    # ------------------------------------------------------------------ what reaches a conversation that became part of another
    row(S.CLOSED, (T.CUSTOMER_POSTED, T.POST_EDITED, T.POST_DELETED, T.BRAND_ANSWERED_ELSEWHERE, T.WORDS_ACCEPTED, T.SEND_FAILED,
        T.CUSTOMER_UNREACHABLE, T.CASE_MERGED), "was_merged", None, "pass_on"),

    # ------------------------------------------------------------------ the customer writes: danger first, then "stop"
    row(UNOWNED, T.CUSTOMER_POSTED, "at_risk_red risk_words_on_their_way", S.AWAITING_AGENT, "call_everyone open_handoff"),
    row(UNOWNED, T.CUSTOMER_POSTED, "at_risk_red", S.AWAITING_AGENT,
        "withdraw_words call_everyone say_risk_words open_handoff"),
    row(OWNED, T.CUSTOMER_POSTED, "at_risk_red reopen_words_on_their_way", None,
        "withdraw_words call_owner_and_desk start_answer_clock check_back_by_hand"),
    row((*OWNED, S.RESOLVED), T.CUSTOMER_POSTED, "at_new_risk", None,
        "postpone_words call_owner_and_desk start_answer_clock check_back_by_hand"),
    row(S.CHECKING_BACK, T.CUSTOMER_POSTED, "at_new_risk", S.WITH_AGENT,
        "withdraw_words call_owner_and_desk keep_unhappy_answer cancel_check_back start_answer_clock"),
    row(LISTENING_OR_REFLECTING, T.CUSTOMER_POSTED, "at_risk_amber only_told", None, "restart_listening"),
    row(UNOWNED, T.CUSTOMER_POSTED, "certainly_opts_out nothing_promised nothing_else_wanted", S.CLOSED,
        "confirm_opt_out mute_bot call_opted_out close_opted_out"),
    row((*UNOWNED, *DONE), T.CUSTOMER_POSTED, "certainly_opts_out", S.AWAITING_AGENT,
        "confirm_opt_out mute_bot call_opted_out cancel_check_back open_handoff"),
    row(OWNED, T.CUSTOMER_POSTED, "certainly_opts_out", None,
        "confirm_opt_out mute_bot call_opted_out start_answer_clock"),

    # ------------------------------------------------------------------ listening and reflecting
    row(LISTENING_OR_REFLECTING, T.CUSTOMER_POSTED, "certainly_asks_for_human", S.AWAITING_AGENT,
        "withdraw_words say_hand_over open_handoff"),
    row(S.LISTENING, T.CUSTOMER_POSTED, "", S.LISTENING, "withdraw_words restart_quiet"),
    row(S.LISTENING, (T.QUIET_ELAPSED, T.FIRST_REPLY_DUE), "bot_is_silenced", S.AWAITING_AGENT, "open_handoff"),
    row(S.LISTENING, (T.QUIET_ELAPSED, T.FIRST_REPLY_DUE), "first_reply_on_its_way", None, ""),
    row(S.LISTENING, (T.QUIET_ELAPSED, T.FIRST_REPLY_DUE), "not_replied first_reply_is_held", None, "hold_first_reply"),
    row(S.LISTENING, (T.QUIET_ELAPSED, T.FIRST_REPLY_DUE), "not_replied story_is_told wish_known", S.AWAITING_AGENT,
        "say_hand_over open_handoff"),
    row(S.LISTENING, (T.QUIET_ELAPSED, T.FIRST_REPLY_DUE), "not_replied story_is_told", S.REFLECTING,
        "say_reflect put_on_desk"),
    row(S.LISTENING, (T.QUIET_ELAPSED, T.FIRST_REPLY_DUE), "not_replied", S.LISTENING, "say_acknowledge"),
    row(S.LISTENING, T.QUIET_ELAPSED, "spoke_since", S.REFLECTING, "say_reflect put_on_desk"),
    row(S.LISTENING, T.SILENCE_ELAPSED, "nothing_since", S.AWAITING_AGENT, "open_handoff"),
    row(S.REFLECTING, T.CUSTOMER_POSTED, "confirms_or_wishes", S.AWAITING_AGENT, "withdraw_words say_hand_over open_handoff"),
    row(S.REFLECTING, T.CUSTOMER_POSTED, "adds_or_corrects rounds_left", S.LISTENING, "withdraw_words restart_quiet"),
    row(S.REFLECTING, (T.CUSTOMER_POSTED, T.SILENCE_ELAPSED), "", S.AWAITING_AGENT, "withdraw_words open_handoff"),

    # ------------------------------------------------------------------ delivery, and colleagues who were faster
    row(ALL, T.WORDS_ACCEPTED, "", None, "keep_what_was_said"),
    row(LISTENING_OR_REFLECTING, T.SEND_FAILED, "", S.AWAITING_AGENT, "call_send_failed open_handoff"),
    row(S.AWAITING_AGREEMENT, T.SEND_FAILED, "plan_was_not_sent", S.WITH_AGENT, "call_plan_not_sent"),
    row(S.CHECKING_BACK, T.SEND_FAILED, "check_back_was_not_sent", S.RESOLVED, "call_send_failed call_check_back_by_hand"),
    row((S.AWAITING_AGENT, *OWNED, *DONE, S.CLOSED), T.SEND_FAILED, "", None, "call_send_failed"),
    row(OPEN, T.FIRST_REPLY_ENDANGERED, "not_replied", None, "call_first_reply_endangered"),
    row(UNOWNED, T.BRAND_ANSWERED_ELSEWHERE, "", S.WITH_AGENT, "withdraw_words stop_clocks take_over_by_hand call_answered_elsewhere"),
    row((*OWNED, *DONE), T.BRAND_ANSWERED_ELSEWHERE, "", None, "stop_answer_clock call_answered_elsewhere"),

    # ------------------------------------------------------------------ the desk takes it
    row(UNOWNED, T.AGENT_CLAIMED, "risk_words_on_their_way", S.WITH_AGENT, "stop_clocks take_ownership start_answer_clock"),
    row(UNOWNED, T.AGENT_CLAIMED, "", S.WITH_AGENT, "withdraw_words stop_clocks take_ownership start_answer_clock"),
    row((*OWNED, *DONE), T.AGENT_CLAIMED, "nobody_owns_it", None, "take_ownership"),
    row((*OWNED, *DONE, S.CLOSED), T.AGENT_CLAIMED, "", None, "tell_who_owns_it"),
    row(UNOWNED, T.AGENT_LABELLED, "not_a_complaint", S.CLOSED, "keep_label withdraw_words close_dismissed"),
    row(OWNED, T.AGENT_LABELLED, "not_a_complaint nothing_promised", S.CLOSED, "keep_label withdraw_words close_dismissed"),
    row(ALL, T.AGENT_LABELLED, "", None, "keep_label decide_again"),
    row(UNOWNED, T.AGENT_DISMISSED, "", S.CLOSED, "withdraw_words close_dismissed"),
    row(OWNED, T.AGENT_DISMISSED, "nothing_promised", S.CLOSED, "withdraw_words close_dismissed"),
    row((*OWNED, *DONE, S.CLOSED), T.AGENT_DISMISSED, "", None, "tell_not_now"),
    row(S.AWAITING_AGENT, T.CUSTOMER_POSTED, "reopen_words_on_their_way certainly_content", None,
        "withdraw_words wake_queue call_customer_wrote"),
    row(S.WITH_AGENT, T.CUSTOMER_POSTED, "reopen_words_on_their_way certainly_content", None,
        "withdraw_words call_customer_wrote start_answer_clock"),
    row(S.AWAITING_AGENT, T.CUSTOMER_POSTED, "", S.AWAITING_AGENT, "postpone_words wake_queue"),
    row(S.AWAITING_AGENT, T.HANDOFF_UNCLAIMED, "", S.AWAITING_AGENT, "escalate say_holding"),

    # ------------------------------------------------------------------ an agent owns it
    row((S.WITH_AGENT, S.FULFILLING), T.CUSTOMER_POSTED, "", None, "postpone_words call_customer_wrote start_answer_clock"),
    row(UNOWNED, T.AGENT_REPLIED, "", S.WITH_AGENT, "withdraw_words stop_clocks take_ownership send_words"),
    row((*OWNED, *DONE), T.AGENT_REPLIED, "", None, "withdraw_words send_words"),
    row(S.CLOSED, T.AGENT_REPLIED, "", None, "tell_not_now"),
    row(S.AWAITING_AGENT, T.AGENT_TRANSFERRED, "to_an_agent risk_words_on_their_way", S.WITH_AGENT,
        "stop_clocks transfer start_answer_clock"),
    row(S.AWAITING_AGENT, T.AGENT_TRANSFERRED, "to_an_agent", S.WITH_AGENT, "withdraw_words stop_clocks transfer start_answer_clock"),
    row((*OWNED, S.AWAITING_AGENT), T.AGENT_TRANSFERRED, "", None, "transfer"),
    row((*LISTENING_OR_REFLECTING, *DONE, S.CLOSED), T.AGENT_TRANSFERRED, "", None, "tell_not_now"),
    row((*OWNED, S.AWAITING_AGENT), T.AGENT_SNOOZED, "", None, "snooze"),
    row((*LISTENING_OR_REFLECTING, *DONE, S.CLOSED), T.AGENT_SNOOZED, "", None, "tell_not_now"),
    row((*OWNED, S.AWAITING_AGENT), T.SNOOZE_ELAPSED, "", None, "call_snooze_ended"),
    row(LISTENING_OR_REFLECTING, T.AGENT_MUTED_BOT, "", S.AWAITING_AGENT, "withdraw_words silence_bot open_handoff"),
    row((S.AWAITING_AGENT, *OWNED, *DONE), T.AGENT_MUTED_BOT, "", None, "withdraw_words silence_bot check_back_by_hand"),
    row(S.CLOSED, T.AGENT_MUTED_BOT, "", None, "silence_bot"),
    row(OWNED, T.OWNER_SILENT, "unanswered not_nudged", None, "nudge_owner"),
    row(OWNED, T.OWNER_SILENT, "unanswered", None, "back_to_queue"),
    row(OWNED, T.OWNER_SILENT, "", None, "remind_owner"),
    row(S.WITH_AGENT, T.AGENT_RELEASED, "", S.AWAITING_AGENT, "release open_handoff"),
    row((S.AWAITING_AGREEMENT, S.FULFILLING, S.RESOLVED), T.AGENT_RELEASED, "", None, "release"),
    row((*UNOWNED, S.CHECKING_BACK, S.CLOSED), T.AGENT_RELEASED, "", None, "tell_not_now"),
    row(ALL, T.AGENT_SET_REFERENCE, "", None, "set_reference"),

    # ------------------------------------------------------------------ the plan, the agreement, the promises
    row(OWNED, T.AGENT_PROPOSED_PLAN, "", S.AWAITING_AGREEMENT, "withdraw_words propose_plan"),
    row((*UNOWNED, *DONE, S.CLOSED), T.AGENT_PROPOSED_PLAN, "", None, "tell_not_now"),
    row(S.AWAITING_AGREEMENT, T.CUSTOMER_POSTED, "certainly_agrees", S.FULFILLING,
        "postpone_words record_agreement confirm_plan start_promises"),
    row(S.AWAITING_AGREEMENT, T.CUSTOMER_POSTED, "", S.WITH_AGENT, "postpone_words call_plan_not_agreed start_answer_clock"),
    row((S.WITH_AGENT, S.AWAITING_AGREEMENT), T.AGENT_RECORDED_AGREEMENT, "plan_proposed", S.FULFILLING,
        "record_agreement confirm_plan start_promises"),
    row(ALL, T.AGENT_RECORDED_AGREEMENT, "", None, "tell_not_now"),
    row(S.AWAITING_AGREEMENT, T.SILENCE_ELAPSED, "", None, "call_no_agreement"),
    row((*OPEN,), T.PROMISE_KEPT, "promise_known", None, "tick_promise"),
    row(ALL, T.PROMISE_KEPT, "", None, "tell_not_now"),
    row(OPEN, T.PROMISE_DUE_SOON, "promise_open", None, "call_promise_due_soon"),
    row(OPEN, T.PROMISE_OVERDUE, "promise_open", None, "call_promise_overdue"),

    # ------------------------------------------------------------------ resolved, and checked back until they are happy
    row(OWNED, T.AGENT_RESOLVED, "promises_kept_or_said_so", S.RESOLVED, "withdraw_words resolve confirm_resolution schedule_check_back"),
    row(ALL, T.AGENT_RESOLVED, "", None, "tell_not_now"),
    row(S.RESOLVED, T.CUSTOMER_POSTED, "certainly_content", S.RESOLVED, ""),
    row(S.RESOLVED, T.CUSTOMER_POSTED, "owner_on_duty", S.WITH_AGENT, "withdraw_words say_reopen cancel_check_back call_reopened start_answer_clock"),
    row(S.RESOLVED, T.CUSTOMER_POSTED, "", S.AWAITING_AGENT, "withdraw_words say_reopen cancel_check_back open_handoff call_reopened"),
    row(S.RESOLVED, T.CHECK_BACK_DUE, "check_back_by_bot check_backs_are_paused", None, "postpone_check_back"),
    row(S.RESOLVED, T.CHECK_BACK_DUE, "check_back_by_bot may_write", S.CHECKING_BACK, "say_check_back"),
    row(S.RESOLVED, T.CHECK_BACK_DUE, "check_back_by_nobody", S.CLOSED, "close_unanswered"),
    row(S.RESOLVED, T.CHECK_BACK_DUE, "", S.RESOLVED, "call_check_back_by_hand"),
    row(DONE, T.AGENT_RECORDED_ANSWER, "answer_satisfied", S.CLOSED, "keep_answer withdraw_words close_satisfied"),
    row(DONE, T.AGENT_RECORDED_ANSWER, "answer_none", S.CLOSED, "keep_answer withdraw_words close_unanswered"),
    row(DONE, T.AGENT_RECORDED_ANSWER, "rounds_used_up", S.CLOSED, "keep_answer withdraw_words close_unsatisfied"),
    row(DONE, T.AGENT_RECORDED_ANSWER, "", S.WITH_AGENT, "keep_answer withdraw_words next_round cancel_check_back take_ownership start_answer_clock"),
    row((S.AWAITING_AGENT, S.WITH_AGENT), T.AGENT_RECORDED_ANSWER, "rounds_used_up answer_satisfied", S.CLOSED, "keep_answer close_satisfied"),
    row((S.AWAITING_AGENT, S.WITH_AGENT), T.AGENT_RECORDED_ANSWER, "rounds_used_up", S.CLOSED, "keep_answer close_unsatisfied"),
    row((*UNOWNED, *OWNED, S.CLOSED), T.AGENT_RECORDED_ANSWER, "", None, "tell_not_now"),
    row(S.CHECKING_BACK, T.CUSTOMER_POSTED, "certainly_satisfied", S.CLOSED, "withdraw_words keep_happy_answer say_farewell close_satisfied"),
    row(S.CHECKING_BACK, T.CUSTOMER_POSTED, "last_round", S.AWAITING_AGENT,
        "withdraw_words keep_unhappy_answer next_round cancel_check_back release open_handoff call_leads"),
    row(S.CHECKING_BACK, T.CUSTOMER_POSTED, "owner_on_duty", S.WITH_AGENT,
        "withdraw_words keep_unhappy_answer say_reopen next_round cancel_check_back call_not_happy start_answer_clock"),
    row(S.CHECKING_BACK, T.CUSTOMER_POSTED, "", S.AWAITING_AGENT,
        "withdraw_words keep_unhappy_answer say_reopen next_round cancel_check_back open_handoff call_not_happy"),
    row(S.CHECKING_BACK, T.SILENCE_ELAPSED, "", S.CLOSED, "keep_no_answer close_unanswered"),
    row(S.CLOSED, T.AGENT_REOPENED, "was_merged", None, "tell_not_now"),
    row((*DONE, S.CLOSED), T.AGENT_REOPENED, "", S.WITH_AGENT, "withdraw_words reopen cancel_check_back take_ownership start_answer_clock"),
    row((*UNOWNED, *OWNED), T.AGENT_REOPENED, "", None, "tell_not_now"),

    # ------------------------------------------------------------------ an agent splits a conversation, or merges two into the older
    row(S.LISTENING, T.AGENT_SPLIT, "turns_may_leave", None, "withdraw_words split_off listen_on"),
    row(S.REFLECTING, T.AGENT_SPLIT, "turns_may_leave mirror_on_its_way", S.LISTENING, "withdraw_words split_off listen_on"),
    row((S.REFLECTING, S.AWAITING_AGENT, *OWNED, *DONE), T.AGENT_SPLIT, "turns_may_leave", None, "split_off"),
    row(ALL, T.AGENT_SPLIT, "", None, "tell_not_now"),
    row(S.LISTENING, T.SPLIT_OFF, "first_words_are_due", S.AWAITING_AGENT, "say_hand_over open_handoff call_split_off"),
    row(S.LISTENING, T.SPLIT_OFF, "", S.AWAITING_AGENT, "open_handoff call_split_off"),
    row((*UNOWNED, S.WITH_AGENT, S.FULFILLING, *DONE), T.AGENT_MERGED, "nothing_promised", S.CLOSED, "withdraw_words merge_into"),
    row(ALL, T.AGENT_MERGED, "", None, "tell_not_now"),
    row(UNOWNED, T.CASE_MERGED, "brings_an_owner", S.WITH_AGENT,
        "withdraw_words stop_clocks follow_owner call_merged start_answer_clock"),
    row(LISTENING_OR_REFLECTING, T.CASE_MERGED, "first_words_are_due", S.AWAITING_AGENT,
        "withdraw_words say_hand_over open_handoff call_merged"),
    row(LISTENING_OR_REFLECTING, T.CASE_MERGED, "", S.AWAITING_AGENT, "withdraw_words open_handoff call_merged"),
    row(OWNED, T.CASE_MERGED, "brings_an_unanswered_turn", None, "call_merged start_answer_clock"),
    row((S.AWAITING_AGENT, *OWNED), T.CASE_MERGED, "", None, "call_merged"),
    row(DONE, T.CASE_MERGED, "", S.AWAITING_AGENT, "withdraw_words reopen cancel_check_back open_handoff call_merged"),
    row(S.CLOSED, T.CASE_MERGED, "", S.AWAITING_AGENT, "reopen open_handoff call_merged"),

    # ------------------------------------------------------------------ closed, and the customer comes back
    row(S.CLOSED, T.CUSTOMER_POSTED, "at_risk_red", S.AWAITING_AGENT,
        "withdraw_words reopen call_everyone say_risk_words open_handoff"),
    row(S.CLOSED, T.CUSTOMER_POSTED, "was_opted_out", S.CLOSED, "postpone_words call_opted_out"),
    row(S.CLOSED, T.CUSTOMER_POSTED, "certainly_opts_out", S.CLOSED, "confirm_opt_out mute_bot call_opted_out"),
    row(S.CLOSED, T.CUSTOMER_POSTED, "was_dismissed", S.AWAITING_AGENT, "reopen open_handoff"),
    row(S.CLOSED, T.CUSTOMER_POSTED, "certainly_only_thanks", S.CLOSED, "postpone_words"),
    row(S.CLOSED, T.CUSTOMER_POSTED, "owner_on_duty", S.WITH_AGENT,
        "withdraw_words reopen say_reopen call_reopened start_answer_clock"),
    row(S.CLOSED, T.CUSTOMER_POSTED, "", S.AWAITING_AGENT, "withdraw_words reopen say_reopen open_handoff call_reopened"),

    # ------------------------------------------------------------------ posts that change, customers who vanish
    row(UNOWNED, T.CUSTOMER_UNREACHABLE, "", S.CLOSED, "withdraw_words call_unreachable close_unreachable"),
    row((*OWNED, *DONE, S.CLOSED), T.CUSTOMER_UNREACHABLE, "", None, "withdraw_words call_unreachable"),
    row(UNOWNED, T.POST_EDITED, "newly_at_risk_red risk_words_on_their_way", S.AWAITING_AGENT,
        "call_everyone mirror_edit open_handoff"),
    row(UNOWNED, T.POST_EDITED, "newly_at_risk_red", S.AWAITING_AGENT,
        "withdraw_words call_everyone say_risk_words open_handoff mirror_edit"),
    row((*OWNED, *DONE), T.POST_EDITED, "newly_at_risk_red", None, "call_owner_and_desk check_back_by_hand mirror_edit"),
    row(S.LISTENING, T.POST_EDITED, "turn_known", None, "withdraw_words listen_on mirror_edit"),
    row(S.REFLECTING, T.POST_EDITED, "turn_known mirror_on_its_way", S.LISTENING, "withdraw_words listen_on mirror_edit"),
    row(S.AWAITING_AGENT, T.POST_EDITED, "turn_known handover_on_its_way", None, "withdraw_words say_hand_over mirror_edit"),
    row(ALL, T.POST_EDITED, "", None, "mirror_edit"),
    row(UNOWNED, T.POST_DELETED, "none_left", S.CLOSED, "withdraw_words delete_copy close_withdrawn"),
    row(S.LISTENING, T.POST_DELETED, "", None, "withdraw_words listen_on delete_copy"),
    row(S.REFLECTING, T.POST_DELETED, "mirror_on_its_way", S.LISTENING, "withdraw_words listen_on delete_copy"),
    row((S.AWAITING_AGENT, *OWNED, S.RESOLVED), T.POST_DELETED, "words_answer_it", None, "withdraw_words delete_copy"),
    row((S.REFLECTING, S.AWAITING_AGENT, *OWNED, *DONE, S.CLOSED), T.POST_DELETED, "", None, "delete_copy"),
)
# fmt: on

IGNORED: frozenset[tuple[State, Trigger]] = frozenset(
    # timers that mean something only in the states that start them: a timer that outlives its state is void
    [(state, T.QUIET_ELAPSED) for state in ALL if state is not S.LISTENING]
    + [(state, T.FIRST_REPLY_DUE) for state in ALL if state is not S.LISTENING]
    + [(state, T.SILENCE_ELAPSED) for state in (S.AWAITING_AGENT, S.WITH_AGENT, S.FULFILLING, S.RESOLVED, S.CLOSED)]
    + [(state, T.HANDOFF_UNCLAIMED) for state in ALL if state is not S.AWAITING_AGENT]
    + [(state, T.OWNER_SILENT) for state in (*UNOWNED, *DONE, S.CLOSED)]
    + [(state, T.SNOOZE_ELAPSED) for state in (*LISTENING_OR_REFLECTING, *DONE, S.CLOSED)]
    + [(state, T.CHECK_BACK_DUE) for state in ALL if state is not S.RESOLVED]
    # said once, to a conversation that was just made
    + [(state, T.SPLIT_OFF) for state in ALL if state is not S.LISTENING]
    # a closed conversation owes nothing
    + [(S.CLOSED, T.PROMISE_DUE_SOON), (S.CLOSED, T.PROMISE_OVERDUE), (S.CLOSED, T.FIRST_REPLY_ENDANGERED)]
)
"""Pairs that are ignored on purpose, each with its reason above."""
