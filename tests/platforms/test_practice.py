"""The place to practise, as a newcomer uses it: a bot runs on what it writes, and every line does something."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.kit import ROOT
from tests.live.company import until
from tests.platforms.practice import HELP, Practice, opened

pytestmark = pytest.mark.anyio


def do(practice: Practice, line: str) -> str:
    """What comes of a line."""
    return "\n".join(practice.do(line))


def number(practice: Practice, control: str) -> str:
    """The newest message at the desk with this button; empty when there is none."""
    found = ""
    at = ""
    for line in do(practice, "desk").splitlines():
        if told := re.match(r" *\[(\d+)\]", line):
            at = told[1]
        found = at if line.strip().startswith(f"({control}") else found
    return found


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[None]:
    """The bot, on the configuration and the secrets that stand in a folder."""
    secrets = dict(line.split("=", 1) for line in (folder / "secrets.env").read_text().splitlines())
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAROUT_")}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run", "--port", "0"),
            cwd=folder,
            env=clean | secrets | {"PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            assert await process.wait() == 0, (folder / "log").read_text()


async def test_a_bot_runs_on_what_it_writes_and_the_lines_do_what_they_say(tmp_path: Path) -> None:
    async with opened() as practice:
        config, secrets = practice.write(tmp_path)
        assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
        assert "shadow = true" in config.read_text()
        quick = (
            config.read_text().replace("= 10\n", "= 0.5\n").replace("poll_s = 2", "poll_s = 0.2")
            + "[policy]\nquiet_s_max = 1\n"
        )
        config.write_text(quick.replace("shadow = true", "shadow = false"))
        assert practice.write(tmp_path)[0].read_text() != quick, "a configuration that is there stays"
        async with running(tmp_path):
            do(practice, "post ada @acme three weeks for a parcel and nobody answers. it has not moved since the 3rd")
            await until(lambda: "post to ada:" in do(practice, "x"), "no first reply")
            do(practice, "answer ada this is the second time, please sort it out")
            await until(lambda: number(practice, "hearout:claim"), "no card")
            do(practice, f"click mia {number(practice, 'hearout:claim')} hearout:claim")
            await until(lambda: number(practice, "hearout:resolve"), "not claimed")
            do(practice, f"click mia {number(practice, 'hearout:reply')} hearout:reply")
            await until(lambda: "(text0)" in do(practice, "form mia"), "no form")
            do(practice, "submit mia text0=I am Mia. I look for the parcel today and write here by six.")
            await until(lambda: "This will be sent" in do(practice, "form mia"), "no preview")
            do(practice, "submit mia")
            await until(lambda: "I am Mia" in do(practice, "x"), "the agent's words did not leave")
            do(practice, "command lena status")
            await until(lambda: "open cases" in do(practice, "desk"), "no answer to the command")


async def test_what_cannot_be_done_is_said() -> None:
    async with opened() as practice:
        assert do(practice, "what") == HELP
        assert do(practice, "click mia 7 hearout:claim").startswith("click: ")
        assert do(practice, "click nobody 0 hearout:claim").startswith("click: ")
        assert do(practice, "submit mia text0=x") == "submit: mia has no form open"
        assert do(practice, "answer ada hello") == "answer: the bot has not written to ada in public"
        assert do(practice, "storm many @acme late") == "storm: invalid literal for int() with base 10: 'many'"
        do(practice, "storm 7 @acme the train is late again")
        reach = [
            user.followers_count for user in practice.x.world.users.values() if user.username.startswith("customer")
        ]
        assert sorted(reach) == [1, 1, 10, 100, 1000, 10_000, 100_000]
