"""How well the bot reads, as one table: ``python -m tests.benchmarks.reading [--data DIR] [--written DIR]``.

DIR holds the recorded posts and chats (evaluation only, not in this repository; without ``--data`` the directory named by
``HEAROUT_READING_DATA``, or ``../shared/data`` beside the checkout). The written sets are in ``tests/reading``: the *fresh* ones
measure, the others were learnt from. What a number means is said in docs/reading.md. A row whose file is missing says so.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bot.evaluate import evaluate, f1, read_rows
from conversations.comprehension import Reader
from conversations.comprehension.ending import quiet_s
from conversations.comprehension.reading import CueName, Decision, Reading, ReadingContext, RiskLevel
from tests.benchmarks.bursts import Burst, Outcome, Rule, fixed, play, slack, threads

WRITTEN = Path(__file__).parents[1] / "reading"
DATA = Path(os.environ.get("HEAROUT_READING_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
SETS = (("_fresh2", "fresh"), ("_fresh", "fresh, older"), ("", "learnt from"))
"""The written sets: what their files' names end in, and what they are to the bot."""
POSTS = "complaints_fresh.jsonl"
CLOSINGS = (CueName.SATISFIED, CueName.ONLY_THANKS, CueName.AGREES, CueName.OPTS_OUT)
SITUATIONS = {
    "confirms": {"mirror", "any"}, "adds": {"mirror", "any"}, "agrees": {"plan"}, "declines": {"plan"},
    "satisfied": {"check_back", "resolved"}, "unsatisfied": {"check_back", "resolved"},
    "needs_more": {"check_back", "resolved", "any"},
}  # fmt: skip
"""A cue is judged where the protocol asks for it; cues that are not listed, everywhere."""
LABELS = (
    "venting", "more_to_come", "done", "asks_for_human", "opts_out", "confirms", "adds", "states_wish", "agrees", "declines",
    "satisfied", "unsatisfied", "needs_more", "only_thanks", "question", "irony",
)  # fmt: skip
Row = tuple[str, str]


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def triage(data: Path, reader: Reader) -> Iterable[Row]:
    """Complaint or not, on two labelled sets."""
    path = data / "complaints2019.dev.csv.gz"
    if path.is_file():
        rows = list(read_rows(path))
        for name, part in (
            ("", rows),
            (", without random posts", [row for row in rows if not row["domain"].startswith("random")]),
        ):
            found = evaluate(part, "text", "label", "1", reader)
            yield (
                f"complaints2019{name}: macro-F1 / AUC",
                f"{found['macro_f1']:.3f} / {found['auc']:.3f} (n {found['n']})",
            )
    path = data / "airline2015.dev.csv.gz"
    if path.is_file():
        rows = list(read_rows(path))
        found = evaluate(rows, "text", "airline_sentiment", "negative", reader)
        yield (
            "airline2015, negative vs rest: macro-F1 / AUC",
            f"{found['macro_f1']:.3f} / {found['auc']:.3f} (n {found['n']})",
        )
        negative = [row["text"] for row in rows if row["airline_sentiment"] == "negative"]
        closed = sum(any(reader.read(text).certain(name) for name in CLOSINGS) for text in negative)
        yield (
            "airline2015: negative posts with a certain closing",
            f"{closed} of {len(negative)} ({closed / len(negative):.2%})",
        )


def posts(rows: Sequence[dict[str, Any]], name: str, reader: Reader) -> Iterable[Row]:
    """Complaint or not, on written posts; and the complaints that would be set aside."""
    languages = sorted({row["language"] for row in rows})
    found = {
        code: evaluate(
            ({"text": row["text"], "label": str(int(row["complaint"]))} for row in rows if code in ("", row["language"])),
            "text", "label", reader=reader,
        )
        for code in ("", *languages)
    }  # fmt: skip
    each = ", ".join(f"{code} {found[code]['macro_f1']:.2f} / {found[code]['auc']:.2f}" for code in languages)
    whole = found[""]
    yield f"triage, {name}, {len(rows)} posts: macro-F1 / AUC", f"{whole['macro_f1']:.3f} / {whole['auc']:.3f} ({each})"
    complaints = [row["text"] for row in rows if row["complaint"]]
    aside = sum(reader.read(text).complaint.decision is Decision.NO for text in complaints)
    yield f"triage, {name}: complaints set aside, of {len(complaints)}", f"{aside / len(complaints):.1%}"


def waiting(data: Path, reader: Reader) -> Iterable[Row]:
    """The quiet time against a fixed wait."""
    read: dict[int, list[Reading]] = {}

    def rule(base_s: float) -> Rule:
        def wait(burst: Burst, index: int) -> float:
            if id(burst) not in read:
                read[id(burst)] = [reader.read(text, ReadingContext(channel=burst.channel)) for text in burst.texts]
            return quiet_s(base_s, read[id(burst)][: index + 1], burst.gaps_s[:index])

        return wait

    path = data / "slack_chats.dev.jsonl.gz"
    if path.is_file():
        bursts = list(slack(path))
        ours = _within(lambda base: play(bursts, rule(base)), lambda outcome: outcome.wait_s_mean <= 180.0, 20.0, 600.0)
        same = play(bursts, fixed(ours.wait_s_mean))
        yield (
            f"Slack, {len(bursts)} conversations: interrupted at a mean wait of {ours.wait_s_mean:.0f} s, against a fixed wait",
            f"{ours.interrupted:.2%} / {same.interrupted:.2%} = {ours.interrupted / same.interrupted:.2f} ×",
        )
    found = [data / name for name in ("twcs_threads.dev.jsonl.gz", "ibm_cdp2020_threads.dev.jsonl.gz")]
    bursts = [burst for path in found if path.is_file() for burst in threads(path)]
    if bursts:
        default = play(bursts, rule(300.0))
        yield (
            f"Twitter, {len(bursts)} threads, base 300 s: median first reply, interrupted",
            f"{default.first_reply_s_median / 60:.1f} min, {default.interrupted:.2%}",
        )
        for base in (150.0, 180.0, 200.0, 220.0, 240.0, 260.0, 280.0, 300.0, 320.0, 340.0, 360.0, 380.0, 400.0, 420.0):
            ours = play(bursts, rule(base))
            if ours.interrupted <= 0.005:
                yield (
                    f"Twitter: the same with the shortest base that interrupts at most 0.5 % ({base:.0f} s)",
                    f"{ours.first_reply_s_median / 60:.1f} min, {ours.interrupted:.2%}",
                )
                break


def _within(run: Callable[[float], Outcome], holds: Callable[[Outcome], bool], low: float, high: float) -> Outcome:
    """The outcome with the largest base for which a condition still holds."""
    best = run(low)
    for _ in range(10):
        middle = (low + high) / 2
        outcome = run(middle)
        if holds(outcome):
            best, low = outcome, middle
        else:
            high = middle
    return best


def risks(written: Path, reader: Reader) -> Iterable[Row]:
    """Recall of danger, per post and per kind, and alarms on harmless posts."""
    for ending, name in SETS:
        path = written / f"risk{ending}.jsonl"
        if not path.is_file():
            yield f"risk, {name}", f"{path.name} is not there"
            continue
        yield from risk_rows(lines(path), name, reader)


def risk_rows(rows: Sequence[dict[str, Any]], name: str, reader: Reader) -> Iterable[Row]:
    """The dangers read in posts against their labels."""
    risky = [row for row in rows if row["risk"]]
    harmless = [row for row in rows if not row["risk"]]
    found = [(row, reader.read(row["text"]).risk) for row in risky]
    by_language = Counter(row["language"] for row in risky)
    hit = Counter(row["language"] for row, risks_ in found if risks_)
    each = ", ".join(f"{code} {hit[code] / count:.2f}" for code, count in sorted(by_language.items()))
    yield (
        f"risk, {name}: posts recognised as risky, of {len(risky)}",
        f"{sum(hit.values()) / len(risky):.3f} ({each})",
    )
    red = [risks_ for row, risks_ in found if any(risk["level"] == "red" for risk in row["risk"])]
    called = sum(any(risk.level is RiskLevel.RED for risk in risks_) for risks_ in red)
    yield f"risk, {name}: red posts that call somebody at once, of {len(red)}", f"{called / max(1, len(red)):.3f}"
    wanted = Counter(risk["kind"] for row in risky for risk in row["risk"])
    got = Counter(
        risk["kind"] for row, risks_ in found for risk in row["risk"] if risk["kind"] in {r.kind for r in risks_}
    )
    kinds = ", ".join(f"{kind} {got[kind] / count:.2f}" for kind, count in sorted(wanted.items()))
    yield f"risk, {name}: by kind", kinds
    alarms = [reader.read(row["text"]).risk_level for row in harmless]
    yield f"risk, {name}: harmless posts with an alarm, of {len(harmless)}", _alarms(alarms)


def alarm_rate(data: Path, reader: Reader) -> Iterable[Row]:
    """How often ordinary complaints raise an alarm; some of these posts do tell of a danger."""
    path = data / "complaints2019.dev.csv.gz"
    if path.is_file():
        posts = [row["text"] for row in read_rows(path) if row["label"] == "1"]
        yield f"alarms on complaints2019, {len(posts)} complaints", _alarms([reader.read(t).risk_level for t in posts])
    path = data / "twcs_threads.dev.jsonl.gz"
    if path.is_file():
        posts = [burst.texts[0] for burst in threads(path)]
        yield f"alarms on twcs, {len(posts)} opening posts", _alarms([reader.read(t).risk_level for t in posts])


def _alarms(levels: Sequence[RiskLevel | None]) -> str:
    counts, all_ = Counter(levels), max(1, len(levels))
    return f"red {counts[RiskLevel.RED] / all_:.3f}, amber {counts[RiskLevel.AMBER] / all_:.3f}"


def cues(written: Path, reader: Reader) -> Iterable[Row]:
    """What customers answer, against the second author's labels."""
    for ending, name in SETS:
        path = written / f"answers{ending}.jsonl"
        if path.is_file():
            yield from cue_rows(lines(path), name, reader)
        else:
            yield f"cues, {name}", f"{path.name} is not there"


def cue_rows(rows: Sequence[dict[str, Any]], name: str, reader: Reader) -> Iterable[Row]:
    """The readings of answers against their labels."""
    scores: dict[str, dict[str, list[int]]] = {}
    wrong = wrong_certain = closed = 0
    given = [label for label in LABELS if any(label in row["labels"] for row in rows)]
    for row in rows:
        asked = row["situation"] if row["situation"] != "any" else "mirror"
        reading = reader.read(row["text"], ReadingContext(language=row["language"], asked=asked))
        said = {cue.name.value for cue in reading.cues}
        sure = {cue.name.value for cue in reading.cues if reading.certain(cue.name)}
        judged = {label for label in given if row["situation"] in SITUATIONS.get(label, {row["situation"]})}
        for label in judged:
            tally = scores.setdefault(row["language"], {}).setdefault(label, [0, 0, 0])
            tally[0] += label in said and label in row["labels"]
            tally[1] += label in said and label not in row["labels"]
            tally[2] += label not in said and label in row["labels"]
        wrong += bool(said & judged & set(row["wrong"]))
        wrong_certain += bool(sure & judged & set(row["wrong"]))
        closed += any(cue.value in sure & judged and cue.value not in row["labels"] for cue in CLOSINGS)
    macro = {code: statistics.mean(f1(*tally) for tally in by.values()) for code, by in scores.items()}
    each = ", ".join(f"{code} {value:.2f}" for code, value in sorted(macro.items()))
    pooled = {
        label: [sum(by.get(label, [0, 0, 0])[place] for by in scores.values()) for place in range(3)] for label in given
    }
    of_all = statistics.mean(f1(*tally) for tally in pooled.values())
    yield (
        f"cues, {name}, {len(rows)} answers: macro-F1, mean of the languages / all languages together",
        f"{statistics.mean(macro.values()):.3f} ({each}) / {of_all:.3f}",
    )
    yield f"cues, {name}: F1 of each", ", ".join(f"{label} {f1(*tally):.2f}" for label, tally in pooled.items())
    yield (
        f"cues, {name}: harmful misreadings, any / certain",
        f"{wrong / len(rows):.2%} / {wrong_certain / len(rows):.2%}",
    )
    yield f"cues, {name}: answers with a wrongly certain closing", f"{closed} of {len(rows)} ({closed / len(rows):.2%})"


def speed(texts: Sequence[str], reader: Reader) -> Iterable[Row]:
    """Milliseconds a message at 280 characters, processor time, and 1 MB of nonsense."""
    joined = [(" ".join(texts[index : index + 6]))[:280] for index in range(0, min(len(texts), 3000) - 6, 6)]
    gc.freeze()  # as the program does once it runs (bot/live.py)
    if joined:
        for text in joined:
            reader.read(text)
        spent = sorted(_cpu_ms(reader, text) for text in joined)
        median, late = spent[len(spent) // 2], spent[int(len(spent) * 0.99)]
        yield f"speed at 280 characters, {len(joined)} texts: median / p99", f"{median:.2f} / {late:.2f} ms"
    for name, text in (("digits", "1" * 1_000_000), ("words", "so late " * 125_000), ("@", "a@" * 500_000)):
        yield f"1 MB of {name}", f"{_cpu_ms(reader, text):.1f} ms"


def _cpu_ms(reader: Reader, text: str) -> float:
    began = time.process_time()
    reader.read(text)
    return 1000 * (time.process_time() - began)


def table(data: Path, written: Path) -> list[Row]:
    """Every row that can be measured with the files there are."""
    reader = Reader.default()
    rows = [*triage(data, reader), *posts(lines(written / POSTS), "fresh", reader), *waiting(data, reader)]
    rows += [*risks(written, reader), *alarm_rate(data, reader), *cues(written, reader)]
    path = data / "airline2015.dev.csv.gz"
    texts = (
        [row["text"] for row in read_rows(path)]
        if path.is_file()
        else [row["text"] for row in lines(written / "answers.jsonl")]
    )
    return [*rows, *speed(texts, reader)]


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="the directory with the recorded posts and chats")
    parser.add_argument("--written", type=Path, default=WRITTEN, help="the directory with answers.jsonl and risk.jsonl")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        parser.error(f"{arguments.data} is no directory; name one with --data, or in HEAROUT_READING_DATA")
    print("| Measure | Value |\n|---|---|")
    for name, value in table(arguments.data, arguments.written):
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
