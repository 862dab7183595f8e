"""``python -m tests.platforms``: X and Slack on this machine, to try a bot against before anybody else sees it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

from tests.platforms.practice import HELP, opened


async def main() -> None:
    """Start both platforms, write what the bot needs to reach them, and do what is typed until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.platforms", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("practice"), help="where config.toml and secrets.env go")
    parser.add_argument("--x-port", type=int, default=8341, help="0 takes a free one")
    parser.add_argument("--slack-port", type=int, default=8342, help="0 takes a free one")
    given = parser.parse_args()
    async with opened(given.x_port, given.slack_port) as practice:
        for path in practice.write(given.folder):
            print(f"wrote {path}")
        print(f"Now, in another terminal:\n\n    cd {given.folder}\n    set -a; . ./secrets.env; set +a")
        print(f"    hearout check --online\n    hearout run\n\n{HELP}")
        while line := await asyncio.to_thread(sys.stdin.readline):
            for words in practice.do(line):
                print(words)
            sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
