"""``hearout templates`` and ``hearout rehearse --against``, as an admin types them."""

from __future__ import annotations

import json

from tests.cli.kit import document, hearout

DRAFT = '''
[[templates]]
language = "de"
act = "acknowledge"
surface = "public"
source = """
Das tut uns leid.
Das mit {{ topic_thing }} tut uns leid.

Schreiben Sie uns alles, auch per Direktnachricht.

Ich bin ein automatischer Assistent.
"""
'''
NAME = "de.acknowledge.public.a"


def test_a_draft_is_published_kept_in_the_history_and_rolled_back(tmp_path):
    (tmp_path / "draft.toml").write_text(DRAFT, encoding="utf-8")
    kept = hearout("templates", "publish", "draft.toml", "--draft", "--by", "Lena", "--json", cwd=tmp_path)
    assert kept.returncode == 0, kept.stderr
    assert document(kept) == [{"name": NAME, "version": 1, "status": "draft", "problem": ""}]
    put = hearout("templates", "publish", f"{NAME}@1", "--by", "Omar", cwd=tmp_path)
    assert (put.returncode, put.stdout.decode().strip()) == (0, f"{NAME}@1 (published)")
    listed = document(hearout("templates", "list", "--language", "de", "--act", "acknowledge", "--json", cwd=tmp_path))
    assert {"name": NAME, "version": "1", "drafts": []} in listed
    history = document(hearout("templates", "history", NAME, "--json", cwd=tmp_path))
    assert [(line["what"], line["version"], line["by"]) for line in history] == [
        ("published", "1", "Omar"),
        ("drafted", "1", "Lena"),
    ]
    back = hearout("templates", "rollback", NAME, cwd=tmp_path)
    assert (back.returncode, back.stdout.decode().strip()) == (0, f"{NAME}: the default is in force")
    assert hearout("templates", "rollback", NAME, cwd=tmp_path).returncode == 2


def test_what_is_refused_stays_out_and_is_exit_1(tmp_path):
    faulty = DRAFT.replace("Schreiben Sie uns alles", "Sie hätten das prüfen müssen. Schreiben Sie")
    (tmp_path / "draft.toml").write_text(faulty, encoding="utf-8")
    done = hearout("templates", "publish", "draft.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert b"blame" in done.stdout
    assert document(hearout("templates", "history", "--json", cwd=tmp_path)) == []


def test_a_second_admin_is_asked_for_where_configured(tmp_path):
    (tmp_path / "config.toml").write_text("[wording]\nsecond_admin = true\n")
    (tmp_path / "draft.toml").write_text(DRAFT, encoding="utf-8")
    alone = hearout("templates", "publish", "draft.toml", "--by", "Lena", cwd=tmp_path)
    assert alone.returncode == 1
    assert b"somebody else has to publish it" in alone.stdout
    assert hearout("templates", "publish", f"{NAME}@1", "--by", "Omar", cwd=tmp_path).returncode == 0


def test_a_bad_draft_is_bad_usage_and_says_why(tmp_path):
    (tmp_path / "draft.toml").write_text(DRAFT.replace("acknowledge", "sing"), encoding="utf-8")
    done = hearout("templates", "publish", "draft.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert b"draft.toml, template 1: 'sing' is no act" in done.stderr
    assert hearout("templates", "publish", f"{NAME}@7", cwd=tmp_path).returncode == 2


def test_a_preview_shows_each_screen_and_its_length(tmp_path):
    done = hearout(
        "templates", "preview", "acknowledge", "--language", "de", "--sample", "usual", "--json", cwd=tmp_path
    )
    (found,) = document(done)
    assert found["looks"]["x_post"]["length"] <= found["looks"]["x_post"]["length_max"] == 280
    assert found["looks"]["direct"]["why_not"]
    (tmp_path / "source.txt").write_text("{{ nonsense }}")
    broken = hearout("templates", "preview", "acknowledge", "--file", "source.txt", cwd=tmp_path)
    assert broken.returncode == 1
    assert b"unknown variable nonsense" in broken.stdout


def test_a_rehearsal_against_a_draft_shows_what_changes(tmp_path):
    turn = {"id": "1", "role": "customer", "t": "2026-11-20T10:00:00Z", "parent": None}
    turn["text"] = "@acme mein Paket ist seit drei Wochen nicht da und keiner antwortet mir, das ist eine Frechheit"
    (tmp_path / "threads.jsonl").write_text(
        json.dumps({"root": "r", "customer": "c", "brand": "b", "turns": [turn]}) + "\n"
    )
    (tmp_path / "draft.toml").write_text(DRAFT, encoding="utf-8")
    words = ("rehearse", "threads.jsonl", "--assume-complaint", "--against", "draft.toml", "--out", "changed.jsonl")
    done = hearout(*words, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = document(done)
    assert (found["conversations"], found["changed"]) == (1, 1)
    (pair,) = [pair for pair in found["pairs"] if pair["changed"]]
    assert pair["after"]["template"].endswith("@draft")
    assert pair["after"]["text"] != pair["before"]["text"]
    assert [json.loads(line)["conversation"] for line in (tmp_path / "changed.jsonl").read_text().splitlines()] == ["r"]
    told = hearout(*words, cwd=tmp_path).stdout.decode()
    assert "1 of" in told and "  + [" in told
    assert hearout("rehearse", "--against", "draft.toml", cwd=tmp_path).returncode == 2
