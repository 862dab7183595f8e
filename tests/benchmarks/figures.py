"""How figures are shown: a table for people, and one JSON document for machines, with the date and the machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. ``ratio`` is to what it is held against in the same run; ``target`` says what it has to be."""

    name: str
    value: float
    unit: str
    against: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def at_least(name: str, value: float, against: float, unit: str, share: float) -> Figure:
    """More is better: the value is held against another."""
    ratio = value / against
    return Figure(name, value, unit, against, ratio, f"≥ {share:.2f}", ratio >= share)


def at_most(name: str, value: float, against: float, unit: str, share: float) -> Figure:
    """Less is better: the value is held against another."""
    ratio = value / against
    return Figure(name, value, unit, against, ratio, f"≤ {share:.2f}", ratio <= share)


def within(name: str, value: float, limit: float, unit: str) -> Figure:
    """Less is better: the value is held against a limit."""
    return Figure(name, value, unit, target=f"≤ {limit:g} {unit}", met=value <= limit)


def machine() -> Mapping[str, Any]:
    """When and where this was measured."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def show(title: str, figures: Sequence[Figure], as_json: bool, **more: Any) -> int:
    """Print the figures; 1 when a target is missed."""
    if as_json:
        document = {"benchmark": title, **machine(), "figures": [asdict(figure) for figure in figures], **more}
        print(json.dumps(document, ensure_ascii=False))
    else:
        table = Table(title=title)
        for column in ("figure", "value", "against", "ratio", "target", ""):
            table.add_column(column, justify="left" if column in ("figure", "target") else "right")
        for figure in figures:
            table.add_row(
                figure.name,
                f"{figure.value:,.2f} {figure.unit}" if figure.value < 100 else f"{figure.value:,.0f} {figure.unit}",
                ""
                if figure.against is None
                else f"{figure.against:,.2f}"
                if figure.against < 100
                else f"{figure.against:,.0f}",
                "" if figure.ratio is None else f"{figure.ratio:.2f}",
                figure.target,
                "" if figure.met is None else "met" if figure.met else "MISSED",
            )
        Console(width=140).print(table)
        print(", ".join(f"{name} {value}" for name, value in machine().items()))
    return 1 if any(figure.met is False for figure in figures) else 0
