"""The protocol drawn by hand: where each state stands and the main arrows between them. Coordinates are data.

The table itself is in ``conversations/protocol.py``; this picture leaves out what would only clutter it, and a test checks that
every arrow exists in the table.
"""

from __future__ import annotations

from dataclasses import dataclass

from conversations.protocol import State

WIDTH, HEIGHT = 436, 306
BOX_W, BOX_H = 104, 46
S = State


@dataclass(frozen=True, slots=True)
class Box:
    """A state: its left upper corner and its name in up to two lines."""

    state: State
    x: int
    y: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from one state to another: an SVG path, its label, and where the label stands. ``main``: the happy way."""

    source: State
    dest: State
    path: str
    label: str
    x: int
    y: int
    main: bool = True


BOXES = (
    Box(S.LISTENING, 6, 36, ("Listening",)),
    Box(S.REFLECTING, 158, 36, ("Reflecting",)),
    Box(S.AWAITING_AGENT, 310, 36, ("Waiting for", "an agent")),
    Box(S.WITH_AGENT, 310, 142, ("With an", "agent")),
    Box(S.AWAITING_AGREEMENT, 158, 142, ("Plan", "proposed")),
    Box(S.FULFILLING, 6, 142, ("Keeping", "promises")),
    Box(S.RESOLVED, 6, 248, ("Resolved",)),
    Box(S.CHECKING_BACK, 158, 248, ("Checking", "back")),
    Box(S.CLOSED, 310, 248, ("Closed",)),
)

ARROWS = (
    Arrow(S.LISTENING, S.REFLECTING, "M110 52 H154", "told", 132, 46),
    Arrow(S.REFLECTING, S.LISTENING, "M158 70 H114", "more", 136, 84, main=False),
    Arrow(S.REFLECTING, S.AWAITING_AGENT, "M262 59 H306", "right", 284, 53),
    Arrow(
        S.LISTENING,
        S.AWAITING_AGENT,
        "M58 36 C58 4 362 4 362 32",
        "danger · a person, please · silence",
        210,
        9,
        main=False,
    ),
    Arrow(S.AWAITING_AGENT, S.WITH_AGENT, "M362 82 V138", "taken", 380, 112),
    Arrow(S.WITH_AGENT, S.AWAITING_AGREEMENT, "M310 158 H266", "plan", 288, 152),
    Arrow(S.AWAITING_AGREEMENT, S.WITH_AGENT, "M262 176 H306", "no", 284, 190, main=False),
    Arrow(S.AWAITING_AGREEMENT, S.FULFILLING, "M158 165 H114", "agreed", 136, 159),
    Arrow(S.FULFILLING, S.RESOLVED, "M58 188 V244", "done", 77, 220),
    Arrow(S.RESOLVED, S.CHECKING_BACK, "M110 271 H154", "later", 132, 265),
    Arrow(S.CHECKING_BACK, S.CLOSED, "M262 271 H306", "happy", 284, 265),
    Arrow(S.CHECKING_BACK, S.WITH_AGENT, "M236 248 C246 214 288 196 322 191", "not happy", 240, 212, main=False),
    Arrow(S.CLOSED, S.AWAITING_AGENT, "M414 258 C434 206 434 116 418 76", "", 0, 0, main=False),
)
