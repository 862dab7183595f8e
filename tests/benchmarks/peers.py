"""Whole bots, message in → durable → reply out, one after another on this machine: how far is Hearout from the floor?

``python -m tests.benchmarks.peers PEERS [--bots NAME…] [--runs N] [--each N] [--json]``

``PEERS`` is the folder of the shared peers, whose ``drive.py`` starts each bot, talks to it, measures it, kills it and asks
again. The bots: ``floor`` (``ref_libs`` that reads, renders and looks over inline, ``floor.py``), ``ref_libs``, ``bolt``
(slack_bolt alone, nothing stored) and ``product`` (``hearout run`` in HTTP mode with the Slack desk). All run with this
interpreter. With ``--bots … ref opsdroid msagents errbot`` the other people's bots are measured as well; their environments are
made by the peers' ``run.sh``, which needs ``uv`` (or ``UV=…``). Ratios hold within one run on one machine only.

Targets: at 50 senders at least 85 % of the floor's rate, 0.9 of bolt's, and a p99 of at most 1.5 times the floor's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CALLBACK = "http://127.0.0.1:18200"
"""Where ``drive.py`` answers for Slack."""
PORTS = {"floor": 18219, "ref_libs": 18218, "bolt": 18211, "product": 18220}
OTHERS = ("ref", "opsdroid", "msagents", "errbot")
"""Bots in environments of their own."""
CONFIG = f"""
[brand]
name = "Our brand"
[store]
url = "sqlite:///{{folder}}/hearout.db"
[slack]
mode = "http"
api_url = "{CALLBACK}/api/"
[slack.desk]
fallback_channel = "CDESK"
[slack.customers]
enabled = true
[policy.quiet_s]
public = 0
direct = 0
slack = 0
[console]
port = {{port}}
"""
SECRETS = {"HEAROUT_SLACK_BOT_TOKEN": "xoxb-1", "HEAROUT_SLACK_SIGNING_SECRET": "sec"}


def command(bot: str, peers: Path, folder: Path) -> list[str]:
    """How a bot is started."""
    port, python = str(PORTS[bot]), sys.executable
    match bot:
        case "floor":
            return [python, "-m", "tests.benchmarks.floor", str(peers), port, str(folder / "floor.db"), CALLBACK]
        case "ref_libs":
            return [python, str(peers / "ref_libs.py"), port, str(folder / "ref.db"), CALLBACK]
        case "bolt":
            return [python, str(peers / "bolt_bot.py"), port, CALLBACK]
        case _:
            config = folder / "config.toml"
            config.write_text(CONFIG.format(folder=folder, port=port))
            return [python, "-m", "bot", "run", "--config", str(config)]


def measure(bot: str, peers: Path, sizes: Mapping[str, str]) -> dict[str, Any]:
    """One bot, alone. Raises ``SystemExit`` with the end of its log when it did not answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "result.json"
        env = os.environ | SECRETS | dict(sizes) | {"PYTHONDONTWRITEBYTECODE": "1"}
        if bot in OTHERS:
            env, out = env | {"OUT": name}, folder / f"{bot}.json"
            run = ["bash", str(peers / "run.sh"), bot]
        else:
            env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(peers), os.environ.get("PYTHONPATH", "")])
            run = [sys.executable, str(peers / "drive.py"), bot, "Slack", str(PORTS[bot]), str(out), "--"]
            run += command(bot, peers, folder)
        done = subprocess.run(run, env=env, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not out.exists() or "error" in json.loads(out.read_text()):
            log = Path(f"{out}.log")
            said = log.read_text()[-2_000:] if log.exists() else ""
            raise SystemExit(f"{bot} was not measured: {done.stderr[-500:]}\n{said}")
        result: dict[str, Any] = json.loads(out.read_text())
        return result


def ratios(results: Mapping[str, Mapping[str, Any]], many: str) -> dict[str, float]:
    """The product beside each other bot: rates and tails with many senders, and the processor time of one reply."""
    found: dict[str, float] = {}
    product = results.get("product")
    for name, other in results.items():
        if product is None or name == "product":
            continue
        found[f"rate_of_{name}"] = round(product[many]["msgs_s"] / other[many]["msgs_s"], 3)
        found[f"p99_of_{name}"] = round(product[many]["p99_ms"] / other[many]["p99_ms"], 3)
        found[f"cpu_of_{name}"] = round(product[many]["cpu_ms"] / other[many]["cpu_ms"], 3)
    return found


def table(results: Mapping[str, Mapping[str, Any]], found: Mapping[str, float], many: str) -> str:
    """The figures for people."""
    lines = [f"{'':10} {'replies/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU ms':>8} {'RSS MB':>8} {'start s':>8} {'lost':>5}"]
    for name, result in results.items():
        row = result[many]
        lines.append(
            f"{name:10} {row['msgs_s']:10.0f} {row['p50_ms']:8.1f} {row['p99_ms']:8.1f} {row['cpu_ms']:8.2f} "
            f"{result['rss_end_mb']:8.1f} {result['startup_s']:8.2f} {row['lost']:5.0f}"
        )
    return "\n".join([*lines, *(f"{name} {value:.2f}" for name, value in found.items())])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", type=Path)
    parser.add_argument("--bots", nargs="+", choices=[*PORTS, *OTHERS], default=list(PORTS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--senders", type=int, default=50)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    peers = options.peers.resolve()
    if not (peers / "drive.py").is_file():
        raise SystemExit(f"{options.peers}: there is no drive.py: give the folder of the peers")
    sizes = {"RUNS": options.runs, "SEQ": 50, "CONC": options.senders, "EACH": options.each}
    results = {bot: measure(bot, peers, {k: str(v) for k, v in sizes.items()}) for bot in options.bots}
    many = f"concurrent_{options.senders}"
    found = ratios(results, many)
    print(json.dumps({"bots": results, "ratios": found}) if options.json else table(results, found, many))


if __name__ == "__main__":
    main()
