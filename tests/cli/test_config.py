"""The configuration: every key is shown, every mistake is named, all at once."""

import tomllib

from bot.commands.checks import configured
from bot.config import Config, XAccountSection, load_config
from tests.cli.kit import ROOT, hearout

EXAMPLE = ROOT / "config.example.toml"


def keys_of(model, prefix=""):
    """Every key of a model, dotted."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and hasattr(inner, "model_fields"):
            yield from keys_of(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_the_example_is_accepted_and_holds_the_defaults():
    document = tomllib.loads(EXAMPLE.read_text())
    assert Config.model_validate(document) == Config()


def test_every_key_stands_in_the_example():
    document = tomllib.loads(EXAMPLE.read_text())
    for key in keys_of(Config):
        section = document
        for part in key.split("."):
            assert part in section, f"{key} is missing in config.example.toml"
            section = section[part]
    text = EXAMPLE.read_text()
    for name in XAccountSection.model_fields:
        assert f"# {name} = " in text, f"x.accounts.{name} is missing in config.example.toml"


def test_slack_is_on_as_soon_as_it_is_configured_and_a_queue_may_say_match():
    text = """
[slack]
mode = "http"
[slack.desk]
fallback_channel = "C1"
admins = "S1"
[[slack.desk.queues]]
name = "German deliveries"
match = { language = "de", topic = ["delivery", "parcel"] }
agents = "S2"
[[slack.desk.queues]]
name = "the rest"
"""
    config = Config.model_validate(tomllib.loads(text))
    first, last = config.slack.desk.queues
    assert config.slack.enabled
    assert (first.languages, first.topics, first.agents) == (("de",), ("delivery", "parcel"), ("S2",))
    assert (last.languages, config.slack.desk.admins) == ((), ("S1",))
    assert not Config.model_validate({"slack": {"enabled": False, "mode": "http"}}).slack.enabled
    assert not Config().slack.enabled


def test_init_writes_a_configuration_that_check_accepts(tmp_path):
    made = hearout("init", "--yes", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    checked = hearout("check", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    again = hearout("init", "--yes", cwd=tmp_path)
    assert again.returncode == 2
    assert b"--force" in again.stderr


def test_what_init_asks_is_enough_for_a_desk_at_which_somebody_may_act(tmp_path):
    answers = ["Acme", "en", "Europe/Berlin", "", "acme", "C1", "", "S1, U2", "U3", "maybe", "yes"]
    made = hearout("init", cwd=tmp_path, stdin="\n".join([*answers, ""]).encode())
    assert made.returncode == 0, made.stderr
    assert b"nobody can take a case" in made.stdout
    assert b"answer yes or no" in made.stdout
    config = load_config(tmp_path / "config.toml")
    (queue,) = config.slack.desk.queues
    assert (queue.agents, config.slack.desk.admins, queue.channel) == (("S1", "U2"), ("U3",), "C1")
    assert config.brand.shadow
    assert [account.name for account in config.x.accounts] == ["acme"]
    assert configured(config) == "brand 'Acme', X as acme, Slack, shadow mode: nothing is sent"
    assert configured(Config()) == "brand 'Our brand', no X, no Slack, so `run` starts the playground"


def test_every_mistake_is_named_at_once(tmp_path):
    (tmp_path / "config.toml").write_text(
        """
[brand]
nmae = "Acme"
time_zone = "Mars/Olympus"
holidays = ["XX"]
[brand.business_hours]
mon = "17:00-09:00"
[policy]
window_s = -3
[console]
port = 99999
[slack.desk]
queues = [{ name = "a", topics = ["delivery"] }]
"""
    )
    done = hearout("check", cwd=tmp_path, HEAROUT_SLACK_BOTTOKEN="x")
    assert done.returncode == 2
    words = done.stderr.decode()
    for part in (
        "config.toml: brand.nmae: there is no such key",
        "brand.time_zone = 'Mars/Olympus'",
        "no holidays are known for 'XX'",
        "'17:00-09:00' ends before it starts",
        "policy.window_s = -3",
        "console.port = 99999",
        "environment: HEAROUT_SLACK_BOTTOKEN",
    ):
        assert part in words, f"{part!r} is not in:\n{words}"
    assert b"Traceback" not in done.stderr


def test_a_file_that_is_no_toml_or_not_there_is_named(tmp_path):
    (tmp_path / "config.toml").write_text("[brand\n")
    broken = hearout("status", cwd=tmp_path)
    assert broken.returncode == 2
    assert b"config.toml: not TOML" in broken.stderr
    missing = hearout("status", "--config", "other.toml", cwd=tmp_path)
    assert missing.returncode == 2
    assert b"other.toml: no such file" in missing.stderr


def test_the_last_queue_must_take_everything(tmp_path):
    (tmp_path / "config.toml").write_text('[slack.desk]\nqueues = [{ name = "a", topics = ["delivery"] }]\n')
    done = hearout("check", cwd=tmp_path)
    assert done.returncode == 2
    assert b"must match everything" in done.stderr


def test_a_missing_secret_is_named_and_never_shown(tmp_path):
    (tmp_path / "config.toml").write_text('[[x.accounts]]\nname = "acme"\n')
    done = hearout("check", cwd=tmp_path, HEAROUT_X_CONSUMER_KEY="canary-secret")
    assert done.returncode == 1
    assert b"FAIL HEAROUT_X_CONSUMER_SECRET" in done.stdout
    assert b"ok   HEAROUT_X_CONSUMER_KEY" in done.stdout
    assert b"canary-secret" not in done.stdout + done.stderr


def test_a_secret_is_read_from_a_file(tmp_path):
    (tmp_path / "config.toml").write_text('[[x.accounts]]\nname = "acme"\n')
    (tmp_path / "key").write_text("from a file\n")
    done = hearout("check", cwd=tmp_path, HEAROUT_X_CONSUMER_KEY_FILE=str(tmp_path / "key"))
    assert b"ok   HEAROUT_X_CONSUMER_KEY" in done.stdout
