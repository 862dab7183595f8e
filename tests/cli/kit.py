"""Commands as users run them: a process of their own, in a folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def hearout(*words: str, cwd: Path, stdin: bytes | None = None, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run one command to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEAROUT_")}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=600,
        check=False,
        env=clean | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | environment,
    )


def document(done: subprocess.CompletedProcess[bytes]) -> Any:
    """The one JSON document that a command printed."""
    return json.loads(done.stdout)
