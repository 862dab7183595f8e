"""The rows of the security table (reliability.md) that no room of its own answers for: secrets, logs, spam, the supply chain.

The others stand beside what they protect: templates in ``wording/test_whitelist.py`` and ``test_versions.py``, Slack in
``desk/test_desk_doors.py``, ``test_desk_roles.py`` and ``test_desk_text.py``, the console in ``console/``, erasure in
``contracts/test_erasure.py``, bad texts in ``reading/test_bad_input.py``.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import structlog

from bot import log
from tests.channels.x.rig import rig
from tests.live.company import Company, company_of, until

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[1]


def leaked(company: Company) -> list[str]:
    """Secrets that stand in any file of the bot: its log, its database, what SQLite keeps beside it."""
    files = {path.name: path.read_bytes() for path in company.folder.rglob("*") if path.is_file()}
    names = [f"{secret} in {name}" for secret, value in company.secrets.items() for name, data in files.items()
             if value.encode() in data]  # fmt: skip
    assert any(data.startswith(b"SQLite") for data in files.values()), "there is no database to look into"
    return names


async def test_no_secret_is_in_the_log_or_in_the_database(tmp_path: Path) -> None:
    async with company_of(tmp_path) as company:
        await company.start()
        company.x.world.post(company.ada, "@acme three weeks for a parcel and nobody answers")
        await until(company.said, "no first reply on X")
        company.brand.revoked = True
        company.slack.world.token_error = "token_revoked"
        company.x.world.post(company.ada, "@acme are you even there?")
        await until(lambda: b"401" in company.log.read_bytes() or b"credentials" in company.log.read_bytes(), "no error")
        await company.stop()
        assert leaked(company) == []


@pytest.mark.parametrize("as_json", [True, False])
def test_no_value_breaks_a_line_of_the_log_or_colours_it(as_json: bool) -> None:
    before = structlog.get_config()
    out = io.StringIO()
    try:
        log.configure("info", as_json, out)
        log.get_logger("part").info("heard", name='x\r\n{"level": "error", "event": "forged"}\x1b[31m\x1b]0;title\x07')
    finally:
        structlog.configure(**before)
    written = out.getvalue()
    assert written.count("\n") == 1
    assert "\r" not in written
    assert [escape for escape in ("\x1b[31m", "\x1b]0;", "\x07") if escape in written] == []
    if as_json:
        assert json.loads(written)["event"] == "heard"


async def test_spam_is_capped_and_who_has_a_complaint_is_still_served() -> None:
    async with rig(customer_daily_max=5) as r:
        spammer = r.x.world.add_user("spammer")
        for n in range(120):
            r.says(f"@brand your service is the worst, number {n}", by=spammer)
            if n % 30 == 0:
                await r.advance(120)
        complaint = r.says("@brand my parcel is two weeks late and nobody answers my mails")
        await r.advance(1800)
        assert len(r.replies_to(complaint)) == 1
        to_spammer = [row for row in r.accepted if row.reply_to_id != complaint.id]
        assert 1 <= len(to_spammer) <= 5


def test_every_requirement_is_pinned_by_hash() -> None:
    for lock in (ROOT / "requirements.lock", ROOT / "deploy" / "requirements.lock"):
        blocks = re.split(r"\n(?=[a-z0-9])", lock.read_text().partition("\n")[2])
        blocks = [block for block in blocks if re.match(r"[a-z0-9]", block)]
        assert len(blocks) > 20
        loose = [block.split()[0] for block in blocks if "==" not in block.split()[0] or "--hash=sha256:" not in block]
        assert loose == []
