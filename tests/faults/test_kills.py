"""kill -9 of real processes: 50 cycles on every commit; ``python -m tests.faults.kills --cycles 1000`` on demand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CYCLES = 50


def test_fifty_kills_lose_and_double_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.kills", "--cycles", str(CYCLES)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["acknowledged"] > CYCLES
    assert report["accepted"] > 0
