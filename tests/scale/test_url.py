"""``[store] url = "postgresql://…"``: every command works there, and says clearly why when it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.store.opening import open_url
from tests.cli.kit import ROOT, document, hearout
from tests.contracts.backends import PostgresServer
from tests.contracts.examples import NOW, decided, open_or_join, opened, post, row

pytestmark = pytest.mark.anyio
NOBODY = "postgresql://nobody:s3cret@127.0.0.1:1/nothing?connect_timeout=2"


async def test_the_commands_read_and_write_a_postgresql_store(postgres: PostgresServer, tmp_path: Path) -> None:
    where = {"HEAROUT_STORE_URL": (await postgres.database()).url}
    store = await open_url(where["HEAROUT_STORE_URL"])
    key = await opened(store, "1", "c1")
    await decided(store, key, outbox=(row(key, "a"),))
    await store.take_in([post("2", "c2")], open_or_join, NOW)
    await store.close()

    status = document(hearout("status", "--json", cwd=tmp_path, **where))
    assert status["conversations"] == {"LISTENING": 2}
    assert status["outbox"] == {"pending": 1}
    day = f"{NOW:%Y-%m-%d}"
    assert document(hearout("report", "--from", day, "--to", day, cwd=tmp_path, **where))["cases"] == 2
    assert len(document(hearout("export", "c1", cwd=tmp_path, **where))["conversations"]) == 1
    assert hearout("erase", "c1", cwd=tmp_path, **where).stdout == b"erased 1 conversations\n"
    assert document(hearout("status", "--json", cwd=tmp_path, **where))["conversations"] == {"LISTENING": 1}
    checked = {entry["name"]: entry for entry in document(hearout("check", "--json", cwd=tmp_path, **where))}
    assert checked["database"]["ok"] and "sound" in checked["database"]["words"]
    looked = {entry["name"]: entry for entry in document(hearout("doctor", "--json", cwd=tmp_path, **where))}
    assert looked["postgresql"]["ok"] and looked["database away"]["ok"] and looked["database clock"]["ok"]
    backup = hearout("backup", "copy.db", cwd=tmp_path, **where)
    assert backup.returncode == 2
    assert b"pg_dump" in backup.stderr


async def test_a_database_without_tables_is_empty_and_stays_so_until_it_is_migrated(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    where = {"HEAROUT_STORE_URL": await postgres.unprepared()}
    checked = {entry["name"]: entry for entry in document(hearout("check", "--json", cwd=tmp_path, **where))}
    assert "first start" in checked["database"]["words"]
    assert document(hearout("status", "--json", cwd=tmp_path, **where))["conversations"] == {}
    assert hearout("migrate", cwd=tmp_path, **where).returncode == 0
    checked = {entry["name"]: entry for entry in document(hearout("check", "--json", cwd=tmp_path, **where))}
    assert "sound" in checked["database"]["words"]


def test_a_server_that_does_not_answer_is_exit_3_and_no_password_is_shown(tmp_path: Path) -> None:
    done = hearout("status", cwd=tmp_path, HEAROUT_STORE_URL=NOBODY)
    assert done.returncode == 3
    assert b"127.0.0.1" in done.stderr
    assert b"s3cret" not in done.stderr + done.stdout
    assert b"Traceback" not in done.stderr


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    program = "import sys; sys.modules['psycopg'] = None; from bot.cli import run_cli; sys.exit(run_cli())"
    done = subprocess.run(
        [sys.executable, "-c", program, "status"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "HEAROUT_STORE_URL": NOBODY},
    )
    assert done.returncode == 3, done.stderr
    assert b"hearout[postgresql]" in done.stderr
    assert b"s3cret" not in done.stderr
