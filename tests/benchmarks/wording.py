"""How good and how fast the wording is, as one table: ``python -m tests.benchmarks.wording [--data DIR]``.

Without DIR the recorded brand turns are left out, and that is said. What a number means: docs/wording.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from conversations.wording import Request, Wording, guard
from conversations.wording.lint import distinct_texts, lint, scenarios
from conversations.wording.packs import load_packs
from conversations.wording.request import Act, Situation, Surface
from conversations.wording.spoken import spoken_samples

SENTENCES = Path(__file__).parents[1] / "wording" / "guard_sentences.jsonl"
PLAIN = SENTENCES.with_name("guard_plain.jsonl")
FRESH = tuple(SENTENCES.with_name(f"guard_fresh{number}.jsonl") for number in ("", "2", "3"))
"""What nothing was learnt from, by three strangers, the newest last."""
BRAND_TURNS = "twcs_threads.dev.jsonl.gz"
Row = tuple[str, str]


def judged(file: Path) -> dict[str, Counter[str]]:
    """By language: how many rules were found, rightly found, and at fault, message by message.

    Only rules that the file's author was asked to mark are judged.
    """
    counts: dict[str, Counter[str]] = {}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    asked = {fault["rule"] for row in rows for fault in row["faults"]}
    for row in rows:
        surface = Surface.PUBLIC if row.get("public") else Surface.DIRECT
        found = asked & {
            finding.rule for finding in guard.findings(row["text"], row["language"], surface, admissions_forbidden=True)
        }
        at_fault = {fault["rule"] for fault in row["faults"]}
        for name in (row["language"], "all"):
            count = counts.setdefault(name, Counter())
            count.update(
                found=len(found), right=len(found & at_fault), faults=len(at_fault), messages=1,
                sound=not at_fault, alarms=bool(found) and not at_fault, hits=bool(found) and bool(at_fault),
            )  # fmt: skip
    return counts


def quality() -> Iterator[Row]:
    """Precision and recall of the guard, first on what nothing was learnt from."""
    fresh = [(f"fresh, {file.stem}", file) for file in reversed(FRESH)]
    sets = (*fresh, ("learnt from, first", SENTENCES), ("learnt from, second", PLAIN))
    for title, file in sets:
        for language, count in sorted(judged(file).items()):
            precision, recall = count["right"] / count["found"], count["right"] / count["faults"]
            some = f"a finding in {count['hits']} of {count['messages'] - count['sound']} faulty, {count['alarms']} sound"
            yield f"guard, {title}, {language}", f"{precision:.3f} / {recall:.3f} (n {count['messages']}; {some})"


def rules() -> Iterator[Row]:
    """The same by rule, over all languages, on the fresh messages."""
    count: Counter[tuple[str, str]] = Counter()
    for line in FRESH.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        surface = Surface.PUBLIC if row.get("public") else Surface.DIRECT
        at_fault = {fault["rule"] for fault in row["faults"]}
        for rule in {
            finding.rule for finding in guard.findings(row["text"], row["language"], surface, admissions_forbidden=True)
        }:
            count[rule, "found"] += 1
            count[rule, "right"] += rule in at_fault
        for rule in at_fault:
            count[rule, "faults"] += 1
    for rule in sorted({rule for rule, _ in count}):
        found, right, faults = (count[rule, kind] for kind in ("found", "right", "faults"))
        yield f"guard, {rule}", f"{right / max(1, found):.3f} / {right / max(1, faults):.3f} (n {faults})"


def speed() -> Iterator[Row]:
    """Rendering and guarding, in microseconds of processor time a text."""
    wording = Wording.default()
    for act, surface in (
        (Act.ACKNOWLEDGE, Surface.PUBLIC),
        (Act.HAND_OVER, Surface.PUBLIC),
        (Act.REFLECT, Surface.DIRECT),
    ):
        limit = 280 if surface is Surface.PUBLIC else None
        for language in sorted(load_packs()):
            facts = spoken_samples(language) | {"topic_thing": None, "topic_about": None, "dm_link": None}
            requests = [
                Request(act, surface, language, str(n), "delivery", (Situation.FIRST_REPLY,), facts, weight_max=limit)
                for n in range(1_000)
            ]
            texts = [wording.render(request).text for request in requests]
            yield f"render {act.value} {surface.value} {language}, µs", timed(wording.render, requests)
            if act is Act.ACKNOWLEDGE:
                for author in (guard.Author.BOT, guard.Author.AGENT):
                    judge = partial(guard.findings, language=language, surface=surface, author=author)
                    yield f"guard {language}, words of the {author.value}, µs", timed(judge, texts[:200])


def timed(run: Callable[..., object], arguments: Sequence[object]) -> str:
    """Microseconds for each argument, the best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for argument in arguments:
            run(argument)
        best = min(best, time.process_time() - began)
    return f"{best / len(arguments) * 1e6:.0f}"


def variety() -> Iterator[Row]:
    """The fewest different texts of any public act, and what lint has to say."""
    for language, pack in sorted(load_packs().items()):
        fewest = min(
            (distinct_texts(template, scenario.values), act.value)
            for act in Act
            for template in Wording.default().templates(language, act, Surface.PUBLIC)
            for scenario in scenarios(template, pack)
        )
        phrasings = len(
            {line.phrase.source for template in pack.templates for slot in template.slots for line in slot.lines}
        )
        yield f"fewest texts of a public act, {language}", f"{fewest[0]:,} ({fewest[1]}); {phrasings} phrasings"
    counts = Counter(finding.severity.value for finding in lint())
    yield "lint", f"{counts['refused']} refused, {counts['warning']} warnings"


def brand_turns(data: Path | None) -> Iterator[Row]:
    """What the guard finds in recorded brand turns: counted, not quoted."""
    if data is None or not (data / BRAND_TURNS).is_file():
        yield "recorded brand turns", "left out: no file"
        return
    count: Counter[str] = Counter()
    with gzip.open(data / BRAND_TURNS, "rt", encoding="utf-8") as lines:
        for line in lines:
            for turn in json.loads(line)["turns"]:
                if turn["role"] == "brand":
                    found = guard.findings(turn["text"], "en", Surface.PUBLIC)
                    count["turns"] += 1
                    count["with a finding"] += bool(found)
                    count.update(finding.rule for finding in found)
    for name, number in count.most_common():
        yield f"recorded brand turns: {name}", f"{number:,}"


def main(arguments: Iterable[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    for rows in (quality(), rules(), speed(), variety(), brand_turns(options.data)):
        for name, value in rows:
            print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
