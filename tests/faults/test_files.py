"""Files and clocks that go wrong on the machine that runs pytest."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Lab, describe, list_left

IMAGES = ("docker", "images", "--format", "{{.Repository}}:{{.Tag}}")
JUMPING = """
import time

_real, _calls = time.time, [0]


def jump():
    _calls[0] += 1
    return _real() + (86400 if _calls[0] % 2 else -86400)


time.time = jump
"""


@pytest.mark.parametrize(
    "rest", ['{"key": {"scenario": "not', "\0\0\0\0", '{"schema": 1, "key"'], ids=["cut", "zeros", "cut early"]
)
def test_a_ledger_that_ends_in_the_middle_of_a_line(lab: Lab, rest: str) -> None:
    """What a failing machine left of the last line is dropped; what was whole stays."""
    assert lab.run(run="r") == 0, lab.log()
    ledger = lab.place / "reports" / "r" / "outcomes.jsonl"
    ledger.write_text(ledger.read_text() + rest)
    assert lab.resume("r", "--itbench-attempts=2") == 0, lab.log()
    assert [describe(outcome) for outcome in lab.outcomes()] == [("solved", [])] * 2


def test_a_ledger_with_a_foreign_line(lab: Lab) -> None:
    """What is not whole in the middle was not done by a kill: it is told, with its place, and nothing is run."""
    assert lab.run(run="r") == 0, lab.log()
    ledger = lab.place / "reports" / "r" / "outcomes.jsonl"
    ledger.write_text("no JSON\n" + ledger.read_text())
    assert lab.resume("r") == 4
    assert "outcomes.jsonl:1" in lab.log()


def test_clocks_that_jump(lab: Lab) -> None:
    """Deadlines and durations do not go by the time of day."""
    (lab.place / "conftest.py").write_text(JUMPING)
    assert lab.run(run="r") == 0, lab.log()
    outcome = lab.outcome()
    assert describe(outcome) == ("solved", [])
    assert all(0 <= seconds < 120 for seconds in outcome["timings"].values())


def test_checkpoints_that_somebody_removes(lab: Lab) -> None:
    """They are made again when they are needed."""
    name = f"notice-{secrets.token_hex(4)}"
    file = lab.place / "notice" / "scenario.yaml"
    file.write_text(f"id: {name}\n{file.read_text()}")
    (lab.place / "notice" / "setup.sh").write_text(f"#!/bin/sh\n# {name}\necho set up >/etc/set-up\n")
    assert lab.run(run="one") == 0, lab.log("one")
    command = [*IMAGES, "--filter", f"label=pytest-itbench.scenario={name}"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(names) == 1
    subprocess.run(["docker", "rmi", *names], check=True, capture_output=True)
    assert lab.run(run="two") == 0, lab.log("two")
    assert describe(lab.outcome("two")) == ("solved", [])


def test_locks_of_the_dead(lab: Lab) -> None:
    """A lock's file says nothing; only a living process holds it."""
    cache = lab.place / "cache"
    lab.variables["XDG_CACHE_HOME"] = str(cache)
    assert lab.run(run="one") == 0, lab.log("one")
    for lock in (cache / "pytest-itbench" / "locks").iterdir():
        lock.write_text("stale")
    assert lab.run(run="two") == 0, lab.log("two")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("not on this machine: a small file system needs root")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_reports_on_a_full_disk(lab: Lab, small_disk: Path) -> None:
    """The run ends, says so, fails, and leaves no machine behind."""
    run = f"r{secrets.token_hex(4)}"
    (small_disk / "ballast").write_bytes(b"x" * 250 * 1024)
    status = lab.run(f"--itbench-reports={small_disk}", run=run)
    assert status not in (0, 5)
    assert "No space left on device" in lab.log(run)
    assert list_left(run) == []
