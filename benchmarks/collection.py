"""Collection of 1,000 scenarios with 10 attempts each in one process. Target: under 5 s."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.attempt_overhead import write_scenario
from benchmarks.result import Result, time_command

SCENARIOS = 1000
ATTEMPTS = 10
TARGET = 5.0


def measure() -> Result:
    """The whole process, from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="itbench-") as name:
        place = Path(name)
        for number in range(SCENARIOS):
            write_scenario(place / "scenarios" / f"scenario-{number}")
        command = [sys.executable, "-m", "pytest", "scenarios", "--collect-only", "-q", "-p", "no:cacheprovider"]
        spent = time_command([*command, "--itbench-model=oracle", f"--itbench-attempts={ATTEMPTS}"], place)
    return Result(
        met=spent < TARGET, text=f"{SCENARIOS} x {ATTEMPTS} items in {spent:.2f} s (target: under {TARGET:g} s)"
    )
