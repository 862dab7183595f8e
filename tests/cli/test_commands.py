"""The commands: output, exit codes, and beside a running bot."""

import asyncio
import json
import os
import socket
from itertools import pairwise

import pytest

from bot import __version__
from bot.app import playground
from conversations.conversation import Customer
from conversations.wording.request import Surface
from tests.cli.kit import ROOT, document, hearout


def test_version_and_help(tmp_path):
    assert hearout("--version", cwd=tmp_path).stdout.decode().strip() == f"hearout {__version__}"
    helped = hearout("--help", cwd=tmp_path)
    assert helped.returncode == 0
    for command in (
        "init",
        "check",
        "run",
        "rehearse",
        "read",
        "status",
        "backup",
        "restore",
        "doctor",
        "export",
        "erase",
    ):
        assert command in helped.stdout.decode()


def test_bad_usage_is_exit_2(tmp_path):
    assert hearout("no-such-command", cwd=tmp_path).returncode == 2
    assert hearout("status", "--no-such-option", cwd=tmp_path).returncode == 2
    assert hearout("rehearse", "x", "--format", "telex", cwd=tmp_path).returncode == 2


def test_doctor_looks_at_the_machine(tmp_path):
    done = hearout("doctor", "--json", cwd=tmp_path)
    names = {entry["name"] for entry in document(done)}
    assert {"python", "sqlite", "libraries", "clock", "disk room", "disk writes"} <= names


def test_doctor_says_what_cannot_be_reached(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as there, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        slack, x = there.getsockname()[1], nobody.getsockname()[1]
        (tmp_path / "config.toml").write_text(
            f'[slack]\napi_url = "http://127.0.0.1:{slack}/api/"\n'
            f'[[x.accounts]]\nname = "acme"\napi_url = "http://127.0.0.1:{x}"\n'
        )
        done = hearout("doctor", "--json", cwd=tmp_path)
    found = {entry["name"]: (entry["ok"], entry["words"]) for entry in document(done)}
    assert found["reach slack"][0]
    assert not found["reach x.accounts.acme"][0]
    assert f"127.0.0.1:{x} cannot be reached" in found["reach x.accounts.acme"][1]
    assert done.returncode == 1


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"   ",
        "😡😡😡".encode(),
        "שלום, החבילה שלי לא הגיעה".encode(),
        b"a\x00b",
        b"\xff\xfe\xed\xa0\x80",
        b"late " * 200_000,
    ],
    ids=["empty", "blank", "emoji", "right-to-left", "NUL", "no UTF-8", "1 MB"],
)
def test_any_text_is_read(tmp_path, text):
    done = hearout("read", "-", "--json", cwd=tmp_path, stdin=text)
    assert done.returncode == 0, done.stderr
    assert document(done)["complaint"]["decision"] in ("yes", "no", "unsure")


def test_read_says_why(tmp_path):
    done = hearout("read", "three weeks for a parcel and nobody answers", cwd=tmp_path)
    assert b"complaint: yes" in done.stdout
    assert b"topic: delivery" in done.stdout


def thread(number, *posts):
    turns = [
        {"id": f"{number}.{n}", "author": "c", "role": "customer", "t": at, "parent": None, "text": text}
        for n, (at, text) in enumerate(posts)
    ]
    return json.dumps({"root": str(number), "customer": "c", "brand": "acme", "turns": turns})


def test_a_rehearsal_goes_on_past_lines_that_cannot_be_read(tmp_path):
    lines = [
        thread(1, ("2026-11-20T10:00:00Z", "@acme my parcel is three weeks late and nobody answers")),
        "{not json",
        json.dumps({"root": "2", "turns": []}),
        thread(
            3, ("2026-11-20T10:01:00Z", "@acme 40 minutes on hold AGAIN"), ("2026-11-20T10:02:00Z", "joke of a company")
        ),
    ]
    (tmp_path / "threads.jsonl").write_text("\n".join(lines) + "\n")
    done = hearout("rehearse", "threads.jsonl", "--assume-complaint", "--json", "--out", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    errors = done.stderr.decode()
    assert "threads.jsonl, line 2: not JSON" in errors
    assert "threads.jsonl, line 3:" in errors
    figures = document(done)
    assert (figures["threads"], figures["answered"], figures["within_window"]) == (2, 2, 2)
    assert figures["malformed_lines"] == 2
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [entry["id"] for entry in written] == ["1", "3"]
    second = written[1]
    assert second["burst"] == ["2026-11-20T10:00:00+00:00".replace("10:00", "10:01"), "2026-11-20T10:02:00+00:00"]
    assert second["first_reply_at"] > second["burst"][-1]
    assert second["said"][0]["act"] == "acknowledge"
    assert second["said"][0]["surface"] == "public"
    assert second["handed_off_at"] is not None
    assert second["state"] == "AWAITING_AGENT"
    assert second["interrupted"] is False


def test_slack_messages_are_rehearsed(tmp_path):
    messages = [
        {
            "channel": "help",
            "conversation_id": "7",
            "ts": "2026-11-20T10:00:00.5",
            "user": "ann",
            "text": "our export fails",
        },
        {
            "channel": "help",
            "conversation_id": "7",
            "ts": "2026-11-20T10:00:40.5",
            "user": "ann",
            "text": "since the update",
        },
        {
            "channel": "help",
            "conversation_id": "7",
            "ts": "2026-11-20T10:01:00.5",
            "user": "bob",
            "text": "which version?",
        },
        {
            "channel": "help",
            "conversation_id": "7",
            "ts": "2026-11-20T10:02:00.5",
            "user": "ann",
            "text": "the last one",
        },
    ]
    (tmp_path / "chats.jsonl").write_text("\n".join(map(json.dumps, messages)))
    done = hearout(
        "rehearse", "chats.jsonl", "--format", "slack", "--assume-complaint", "--json", "--out", "o", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    (entry,) = [json.loads(line) for line in (tmp_path / "o").read_text().splitlines()]
    assert entry["id"] == "help/7"
    assert len(entry["burst"]) == 2


SHARED = os.environ.get("HEAROUT_DATA") or str(ROOT.parent / "shared" / "data")


@pytest.mark.skipif(
    not os.path.exists(f"{SHARED}/twcs_threads.dev.jsonl.gz"), reason="the recorded threads are not here"
)
def test_recorded_threads_are_all_answered_and_handed_off(tmp_path):
    file = f"{SHARED}/twcs_threads.dev.jsonl.gz"
    done = hearout("rehearse", file, "--assume-complaint", "--json", "--out", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures = document(done)
    assert figures["threads"] == figures["answered"] == figures["within_window"] == figures["handed_off"] > 600
    assert figures["proposals_before_handoff"] == 0
    assert figures["over_length"] == 0
    assert figures["identical_neighbours"] == 0
    replies = sorted(
        (said["at"], said["text"])
        for line in (tmp_path / "out.jsonl").read_text().splitlines()
        for said in json.loads(line)["said"]
    )
    assert all(one[1] != other[1] for one, other in pairwise(replies))


def test_what_works_beside_a_running_bot_and_what_does_not(tmp_path):
    async def scenario():
        data = tmp_path / "data"
        (tmp_path / "config.toml").write_text('[store]\nurl = "sqlite:///data/playground.db"\n')
        async with playground(data) as app:
            await app.phone.post(Customer("ann", handle="ann"), "my parcel is three weeks late", Surface.PUBLIC, "p1")
            await app.engine.decide_due()
            status = await asyncio.to_thread(hearout, "status", "--json", cwd=tmp_path)
            assert status.returncode == 0, status.stderr
            assert document(status)["conversations"] == {"LISTENING": 1}
            assert document(status)["breaches_next"][0]["what"] == "first reply"
            second = await asyncio.to_thread(hearout, "run", cwd=tmp_path)
            assert second.returncode == 2
            assert b"the playground" in second.stderr, second.stderr
            restore = await asyncio.to_thread(hearout, "restore", "data/playground.db", cwd=tmp_path)
            assert restore.returncode != 0
            copied = await asyncio.to_thread(hearout, "backup", "copy.db", cwd=tmp_path)
            assert copied.returncode == 0, copied.stderr
            exported = await asyncio.to_thread(hearout, "export", "ann", cwd=tmp_path)
            assert "three weeks late" in exported.stdout.decode()
            erased = await asyncio.to_thread(hearout, "erase", "ann", cwd=tmp_path)
            assert b"erased 1 conversations" in erased.stdout, erased.stderr
            nobody = await asyncio.to_thread(hearout, "erase", "ann", cwd=tmp_path)
            assert (nobody.returncode, nobody.stdout) == (1, b"")
            assert b"nothing is kept of 'ann'" in nobody.stderr
            assert (await asyncio.to_thread(hearout, "export", "@nobody", cwd=tmp_path)).returncode == 1
            assert b"three weeks late" not in (await asyncio.to_thread(hearout, "export", "ann", cwd=tmp_path)).stdout

    asyncio.run(scenario())
    restored = hearout("restore", "copy.db", cwd=tmp_path)
    assert restored.returncode == 0, restored.stderr
    assert document(hearout("status", "--json", cwd=tmp_path))["conversations"] == {"LISTENING": 1}


def test_a_run_without_a_configuration_starts_nothing(tmp_path):
    done = hearout("run", cwd=tmp_path)
    assert done.returncode == 2
    assert b"no config.toml in" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_templates_are_judged(tmp_path):
    good = hearout("templates", "check", cwd=tmp_path)
    assert good.returncode == 0, good.stdout
    text = "We are sorry, but your parcel was delayed because of the courier. We will refund you."
    bad = hearout("templates", "check", "--text", text, "--act", "acknowledge", "--json", cwd=tmp_path)
    assert bad.returncode == 1
    rules = {finding["rule"] for finding in document(bad)["findings"] if finding["severity"] == "refused"}
    assert rules


def test_a_database_of_a_newer_version_is_refused_untouched(tmp_path):
    hearout("migrate", cwd=tmp_path)
    path = tmp_path / "hearout.db"
    import sqlite3

    with sqlite3.connect(path) as db:
        version = db.execute("pragma user_version").fetchone()[0]
        db.execute(f"pragma user_version = {version + 1}")
    db.close()
    before = path.read_bytes()
    (tmp_path / "config.toml").touch()
    done = hearout("run", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert b"newer" in done.stderr
    assert path.read_bytes() == before


def test_what_is_written_is_the_owners_alone(tmp_path):
    assert hearout("init", "--yes", cwd=tmp_path).returncode == 0
    assert hearout("migrate", cwd=tmp_path).returncode == 0
    assert hearout("backup", "copy.db", cwd=tmp_path).returncode == 0
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert {"config.toml", "hearout.db", "copy.db"} <= set(modes)
    assert set(modes.values()) == {0}


def test_moving_needs_both_ends(tmp_path):
    assert hearout("migrate", "--from", "sqlite:///a.db", cwd=tmp_path).returncode == 2
