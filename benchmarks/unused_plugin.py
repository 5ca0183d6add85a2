"""What the plugin adds to ``pytest --version`` where nobody uses it. Target: at most 20 ms."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.result import Result, time_command

ROUNDS = 25
TARGET = 0.020


def measure() -> Result:
    """With and without the plugin by turns; the medians are compared."""
    command = [sys.executable, "-m", "pytest", "--version", "--version"]
    with_it, without = [], []
    with tempfile.TemporaryDirectory() as place:
        for _ in range(ROUNDS):
            without.append(time_command([*command, "-p", "no:itbench"], Path(place)))
            with_it.append(time_command(command, Path(place)))
    added = statistics.median(with_it) - statistics.median(without)
    text = f"adds {added * 1000:.1f} ms to {statistics.median(without) * 1000:.0f} ms (target: {TARGET * 1000:.0f} ms)"
    return Result(met=added <= TARGET, text=text)
