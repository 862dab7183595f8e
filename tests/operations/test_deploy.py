"""What lies in ``deploy/`` names only what exists: figures, files, commands, secrets."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from typer.main import get_command

from bot.cli import cli
from bot.config import SECRETS
from bot.metrics import Metrics
from bot.roles import ProcessRole

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "gauge": ("",),
}
"""What a figure of each kind is called in queries."""


def expressions() -> Iterator[str]:
    """Every query of the alert rules and of the dashboard."""
    yield from re.findall(r"^ +expr: (.+)$", (DEPLOY / "alerts.yaml").read_text(), re.MULTILINE)
    board = json.loads((DEPLOY / "grafana" / "hearout.json").read_text())
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])


def commands(text: str) -> Iterator[list[str]]:
    """Command lines of the bot that a file holds, as words after ``hearout``."""
    yield from (shlex.split(line) for line in re.findall(r"^ExecStart=\S+/hearout (.+)$", text, re.MULTILINE))
    yield from (json.loads(line) for line in re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE))
    for line in re.findall(r"^ +(?:command|args): \[(.+)\]$", text, re.MULTILINE):
        yield [word.strip() for word in line.split(",")]


def test_queries_name_figures_labels_and_buckets_that_exist() -> None:
    metrics = Metrics()
    metrics.first_reply.labels("x").observe(1.0)
    families = list(metrics.registry.collect())
    names = {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}
    shown = generate_latest(metrics.registry).decode()
    asked = list(expressions())
    assert len(asked) >= 18
    for expression in asked:
        for name, labels in re.findall(r"(hearout_\w+)(?:\{([^}]*)\})?", expression):
            assert name in names, expression
            for label, value in re.findall(r'(\w+)="([^"]+)"', labels):
                if name != "hearout_conversations":  # its states are counted when the store is asked
                    assert re.search(rf'^{name}\{{[^}}]*{label}="{re.escape(value)}"', shown, re.MULTILINE), expression


def test_a_first_alarm_is_an_increase() -> None:
    shown = generate_latest(Metrics().registry).decode()
    assert 'hearout_alarms_total{alarm="red_risk"} 0.0' in shown
    assert 'hearout_deliveries_total{kind="words",status="failed"} 0.0' in shown


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "kubernetes.yaml", "hearout.service"])
def test_the_commands_are_commands(name: str) -> None:
    found = list(commands((DEPLOY / name).read_text()))
    assert found
    known = get_command(cli)
    for words in found:
        command, *options = words
        context = known.get_command(known.make_context("hearout", ["--version"], resilient_parsing=True), command)  # type: ignore[attr-defined]
        assert context is not None, words
        given = context.make_context(command, options).params
        assert str(given["config"]) == "/etc/hearout/config.toml"
        assert given["role"] in list(ProcessRole)


def test_what_the_image_copies_is_there() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in lines for source in line.split()[:-1]]
    assert len(sources) >= 8
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_service_hands_over_secrets_that_the_bot_reads() -> None:
    text = (DEPLOY / "hearout.service").read_text()
    loaded = dict(re.findall(r"^LoadCredential=(\w+):(\S+)$", text, re.MULTILINE))
    read = dict(re.findall(r"^Environment=HEAROUT_(\w+)_FILE=%d/(\w+)$", text, re.MULTILINE))
    assert set(loaded) == set(read.values())
    assert set(read) <= set(SECRETS)
    assert all(path == f"/etc/hearout/secrets/{name}" for name, path in loaded.items())


def test_systemd_takes_the_service(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd here")
    unit = tmp_path / "hearout.service"
    text = (DEPLOY / "hearout.service").read_text()
    unit.write_text(text.replace("/opt/hearout/bin/hearout", shutil.which("true") or "/bin/true"))
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
