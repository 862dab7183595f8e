"""The database is cut off for a while under a running bot: ``python -m tests.scale.cut --seconds 60`` prints what became of it.

A complaint before the cut and one while it lasts, on the strict local X; each is to be answered once, and the second within 30
seconds of the database's return.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.contracts.backends import PostgresServer
from tests.live.company import company_of, until
from tests.scale.proxy import Proxy

RESUMES_S_MAX = 30.0


@dataclass
class Resumed:
    """How long the database was away, how soon after its return the reply left and the desk had its card, and the replies
    that X accepted."""

    cut_s: float
    resumed_s: float
    desk_s: float
    replies: int

    @property
    def good(self) -> bool:
        """Whether the promise was kept."""
        return max(self.resumed_s, self.desk_s) <= RESUMES_S_MAX and self.replies == 2


async def measure(folder: Path, url: str, seconds: float) -> Resumed:
    """Cut for so long, and see."""
    async with Proxy(url) as proxy, company_of(folder, proxy.url, lease_s=2.0) as company:
        process = await company.start()
        company.x.world.post(company.ada, "@acme three weeks for a parcel and nobody answers")
        await until(company.said, "no reply before the cut")
        proxy.cut()
        began = time.monotonic()
        company.x.world.post(company.x.world.add_user("bob"), "@acme 40 minutes on hold AGAIN. joke of a company")
        await until(lambda: "store unavailable" in company.log.read_text(), "nobody noticed the cut")
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - began)))
        assert len(company.said()) == 1
        proxy.restore()
        back = time.monotonic()
        await until(lambda: len(company.said()) >= 2, "no reply after the database came back")
        resumed_s = time.monotonic() - back
        await until(lambda: len(company.cards()) >= 2, "the desk lacks a card")
        desk_s = time.monotonic() - back
        assert process.returncode is None
        assert await company.stop() == 0
        return Resumed(round(back - began, 1), round(resumed_s, 1), round(desk_s, 1), len(company.said()))


async def main(seconds: float) -> int:
    """Print the measurement as JSON."""
    server = PostgresServer()
    try:
        with tempfile.TemporaryDirectory() as name:
            found = await measure(Path(name), (await server.database()).url, seconds)
    finally:
        server.stop()
    print(json.dumps(asdict(found)))
    return 0 if found.good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.scale.cut", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    sys.exit(asyncio.run(main(parser.parse_args().seconds)))
