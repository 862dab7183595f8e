"""``hearout init``: the few questions that matter, and a configuration that ``check`` accepts."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.config import BrandSection, ConfigError, XAccountSection, load_config

QUESTIONS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("name", "The brand's name", "Our brand", ()),
    ("languages", "Languages you answer in, the first one first (en, de, es, fr, pt)", "en", ()),
    ("time_zone", "The team's time zone", "UTC", ()),
    ("holidays", "Public holidays to keep (country codes, e.g. DE or DE-BE; empty for none)", "", ()),
    ("x_account", "Your account's name on X, without @ (empty: not on X)", "", ()),
    ("slack_channel", "The desk's channel id in Slack (empty: no Slack yet)", "", ()),
    ("agents", "Who may act at the desk (ids of user groups, S…, or of people, U…)", "", ("slack_channel",)),
    ("admins", "Who may also pause the bot and change its words (ids as before)", "", ("slack_channel",)),
    (
        "shadow",
        "Send nothing yet, and show at the desk what would be sent (yes or no)",
        "yes",
        ("x_account", "slack_channel"),
    ),
)
"""Name, words, default, and the earlier questions of which one must have an answer."""


def ask(defaults: bool) -> dict[str, str]:
    """Ask the questions, each until its answer can be used; with ``defaults``, ask nothing."""
    answers: dict[str, str] = {}
    for name, question, default, needs in QUESTIONS:
        if needs and not any(answers[need] for need in needs):
            answers[name] = ""
            continue
        while True:
            answer = (
                default
                if defaults
                else str(typer.prompt(question, default=default, show_default=bool(default))).strip()
            )
            problem = wrong(name, answer)
            if problem is None:
                break
            typer.echo(f"  {problem}")
        answers[name] = answer
    return answers


def wrong(name: str, answer: str) -> str | None:
    """Why an answer cannot be used, or None."""
    try:
        match name:
            case "name":
                BrandSection(name=answer)
            case "time_zone":
                BrandSection(time_zone=answer)
            case "holidays":
                BrandSection(holidays=listed(answer))
            case "languages":
                if not listed(answer):
                    return "give at least one"
            case "agents":
                if not listed(answer):
                    return "give at least one: without it nobody can take a case"
            case "shadow":
                if answer.lower() not in ("yes", "y", "no", "n"):
                    return "answer yes or no"
            case "x_account" if answer:
                XAccountSection(name=answer.removeprefix("@"))
    except ValueError as error:
        return str(error).splitlines()[2].strip().removeprefix("Value error, ").split(" [type=")[0]
    return None


def listed(answer: str) -> tuple[str, ...]:
    """A list that was typed with commas or spaces."""
    return tuple(answer.replace(",", " ").split())


def quoted(text: str) -> str:
    """A TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write_config(path: Path, answers: dict[str, str]) -> None:
    """Write the configuration, and prove that it can be read. Raises ``ConfigError``."""
    lines = [
        "# Hearout's configuration. Every key, with its default: config.example.toml.",
        "# Secrets never stand here: see docs/x.md and docs/slack.md for their environment variables.",
        "",
        "[brand]",
        f"name = {quoted(answers['name'])}",
        f"languages = [{', '.join(quoted(code) for code in listed(answers['languages']))}]",
        f"time_zone = {quoted(answers['time_zone'])}",
    ]
    if answers["holidays"]:
        lines.append(f"holidays = [{', '.join(quoted(code) for code in listed(answers['holidays']))}]")
    if answers["shadow"]:
        on = answers["shadow"].lower().startswith("y")
        lines.append(f"shadow = {str(on).lower()}               # false: the bot speaks")
    lines += ["", "[store]", 'url = "sqlite:///hearout.db"']
    if answers["x_account"]:
        lines += ["", "[[x.accounts]]", f"name = {quoted(answers['x_account'].removeprefix('@'))}"]
    if answers["slack_channel"]:
        channel = quoted(answers["slack_channel"])
        agents, admins = (", ".join(quoted(id_) for id_ in listed(answers[who])) for who in ("agents", "admins"))
        lines += ["", "[slack]", "enabled = true", "", "[slack.desk]", f"fallback_channel = {channel}"]
        lines += [f"admins = [{admins}]", "", "[[slack.desk.queues]]", 'name = "our support team"']
        lines += [f"channel = {channel}", f"agents = [{agents}]"]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror}"]) from None
    load_config(path)
