"""Check the data files of this folder against their own rules and print the counts for the README.

Run it from anywhere: ``python tests/reading/count.py``. It ends with an error naming the line that breaks a rule.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LANGUAGES = ("en", "es", "de", "fr", "pt")
SITUATIONS = ("story", "mirror", "plan", "check_back", "resolved", "any")
LABELS = (
    "venting", "more_to_come", "done", "asks_for_human", "opts_out", "confirms", "adds", "states_wish",
    "agrees", "declines", "satisfied", "unsatisfied", "needs_more", "only_thanks", "question", "irony",
)  # fmt: skip
RED = ("safety", "injury", "fire", "self_harm", "minor", "fraud", "stranded")
AMBER = ("legal", "press", "discrimination", "privacy", "vulnerable", "threat")


def rows(name: str) -> list[dict[str, Any]]:
    """Return the rows of a data file; raise ValueError if an id or a text (in its place) stands twice."""
    found = [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    for keys in (("id",), ("language", "situation", "text")):
        seen = Counter(tuple(row.get(key) for key in keys) for row in found)
        if twice := [value for value, times in seen.items() if times > 1]:
            raise ValueError(f"{name}: {keys} must be unique, found twice: {twice}")
    return found


def check_answer(row: dict[str, Any]) -> None:
    """Raise ValueError if an answer uses an unknown name or calls one label both true and wrong."""
    labels, wrong = set(row["labels"]), set(row["wrong"])
    if row["language"] not in LANGUAGES or row["situation"] not in SITUATIONS or not row["text"].strip():
        raise ValueError(f"answers.jsonl {row['id']}: unknown language or situation, or no text")
    if labels & wrong or not (labels | wrong) <= set(LABELS):
        raise ValueError(f"answers.jsonl {row['id']}: a label is unknown, or both true and wrong")


def check_post(row: dict[str, Any]) -> None:
    """Raise ValueError if a post names an unknown risk or gives one the wrong level."""
    for risk in row["risk"]:
        if risk["kind"] not in {"red": RED, "amber": AMBER}[risk["level"]]:
            raise ValueError(f"risk.jsonl {row['id']}: {risk} is not a risk of that level")


def line(name: str, counts: Counter[str]) -> None:
    """Print one row of a Markdown table: the name and one count per language."""
    print(f"| {name} | " + " | ".join(str(counts[language]) for language in LANGUAGES) + " |")


def tables(answers: list[dict[str, Any]], posts: list[dict[str, Any]]) -> None:
    """Check a pair of sets, then print what they hold."""
    for answer in answers:
        check_answer(answer)
    for post in posts:
        check_post(post)
    print(f"{len(answers)} answers\n")
    line("all", Counter(row["language"] for row in answers))
    for situation in SITUATIONS:
        line(situation, Counter(row["language"] for row in answers if row["situation"] == situation))
    for label in LABELS:
        line(f"`{label}`", Counter(row["language"] for row in answers if label in row["labels"]))
    line("no label", Counter(row["language"] for row in answers if not row["labels"]))
    print(f"\n{len(posts)} posts\n")
    line("risky", Counter(row["language"] for row in posts if row["risk"]))
    line("harmless", Counter(row["language"] for row in posts if not row["risk"]))
    for kind in RED + AMBER:
        line(f"`{kind}`", Counter(row["language"] for row in posts if any(r["kind"] == kind for r in row["risk"])))


def main() -> None:
    """Check everything, then print the tables."""
    for name, ending in (("first", ""), ("fresh", "_fresh"), ("newest", "_fresh2")):
        print(f"\n# The {name} sets\n")
        tables(rows(f"answers{ending}.jsonl"), rows(f"risk{ending}.jsonl"))


if __name__ == "__main__":
    main()
