"""``hearout`` and ``python -m bot``: the same. Errors end here, as words and an exit code.

Exit codes: 0 done, 1 a check found something, 2 bad usage or configuration, 3 something outside failed.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:  # answered before anything heavy is imported
        from bot import __version__

        print(f"hearout {__version__}")
        return
    from bot.cli import run_cli

    sys.exit(run_cli())


if __name__ == "__main__":
    main()
