"""What a benchmark finds."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Whether the target is met, and the figures."""

    met: bool
    text: str


def time_command(command: Sequence[str | Path], cwd: Path, status: int = 0) -> float:
    """Seconds that a command takes, with Python's usual cache of compiled modules.

    Raises:
        subprocess.CalledProcessError: it ends with another status.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != status:
        print(done.stdout[-3000:], done.stderr[-3000:])
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return time.monotonic() - started
