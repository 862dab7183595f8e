"""The protocol's table as a Mermaid diagram: drawn from the table, so that it cannot be out of date."""

from __future__ import annotations

from conversations.protocol import TABLE, State

TRIGGERS_MAX = 4
"""Triggers named on one arrow; more would hide the picture."""


def mermaid() -> str:
    """A state diagram: an arrow for each change of state that the table allows, with what causes it."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in TABLE:
        for source in row.sources:
            if row.dest is None or row.dest is source:
                continue
            causes = arrows.setdefault((source, row.dest), [])
            causes += [trigger.value for trigger in row.triggers if trigger.value not in causes]
    lines = ["stateDiagram-v2", f"    [*] --> {State.LISTENING.value}"]
    for (source, dest), causes in arrows.items():
        shown = causes[:TRIGGERS_MAX] + (["…"] if len(causes) > TRIGGERS_MAX else [])
        lines.append(f"    {source.value} --> {dest.value}: {', '.join(shown)}")
    return "\n".join(lines)
