"""Whole runs with real containers, as a user starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.leftovers import find_left
from pytest_itbench.scaffold import write_scenario


@pytest.fixture
def place(pytester: pytest.Pytester) -> Path:
    """A directory with the scenario that `pytest-itbench new` writes."""
    write_scenario(pytester.path / "notice")
    return pytester.path


def read(place: Path, name: str) -> list[dict[str, Any]]:
    """The ledger of a run."""
    return [json.loads(line) for line in (place / "reports" / name / "outcomes.jsonl").read_text().splitlines()]


def test_models_are_told_apart(pytester: pytest.Pytester, place: Path) -> None:
    """The oracle solves, noop misses, a recording that does half misses by name, and nothing is left behind."""
    half = (place / "notice" / "counterexamples" / "wrong-mode.yml").read_text()
    (place / "rec.jsonl").write_text(json.dumps({"scenario": "notice", "reply": f"```yaml\n{half}```"}))
    models = ("oracle", "noop", "half=replay:rec.jsonl")
    options = ["--itbench-run=r", "-n2", *(f"--itbench-model={model}" for model in models)]
    result = pytester.runpytest_subprocess("notice", *options)
    result.assert_outcomes(passed=1, failed=2)
    found = {o["key"]["model"]: (o["verdict"], o["score"], o["message"]) for o in read(place, "r")}
    assert found["oracle"] == ("solved", 1.0, "")
    assert found["noop"][:2] == ("missed", 0.5)
    assert found["half"][:2] == ("missed", pytest.approx(5 / 6))
    assert found["half"][2].startswith("notice_can_be_read: ")
    assert find_left(Engine(), f"{LABEL}.run=r") == []


def test_the_scaffold_passes_check(pytester: pytest.Pytester) -> None:
    """What `new` writes, `check` proves."""
    command = Path(sys.executable).with_name("pytest-itbench")
    assert pytester.run(command, "new", "mine").ret == 0
    result = pytester.run(command, "check", "mine", "-n2")
    result.assert_outcomes(passed=5)


def test_a_killed_run_loses_nothing_and_leaves_nothing(pytester: pytest.Pytester, place: Path) -> None:
    """Outcomes are on disk when the process is killed, and the next start removes its containers."""
    (place / "slow.yml").write_text("- hosts: all\n  tasks:\n    - ansible.builtin.command: sleep 60\n")
    (place / "slow").write_text('#!/bin/sh\n[ "$ITBENCH_ATTEMPT" = 0 ] && echo nothing || cat slow.yml\n')
    (place / "slow").chmod(0o755)
    command = [sys.executable, "-m", "pytest", "notice", "--itbench-run=killed", "--itbench-attempts=2"]
    process = subprocess.Popen([*command, "--itbench-model=script:./slow"], cwd=place, start_new_session=True)
    try:
        await_hosts("killed")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert len(find_left(Engine(), f"{LABEL}.run=killed")) == 4
    assert [(o["key"]["index"], o["kind"]) for o in read(place, "killed")] == [(0, "no candidate")]
    pytester.runpytest_subprocess("notice", "--itbench-model=oracle").assert_outcomes(passed=1)
    assert find_left(Engine(), f"{LABEL}.run=killed") == []


def await_hosts(run: str) -> None:
    """Wait until a run has all that an attempt needs: two hosts, the control machine and the network."""
    deadline = time.monotonic() + 60
    while len(find_left(Engine(), f"{LABEL}.run={run}")) < 4:
        assert time.monotonic() < deadline, "no attempt began"
        time.sleep(0.1)


def test_an_engine_that_is_not_there_is_one_line(
    pytester: pytest.Pytester, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an engine nothing is tried; the message says which one was asked and what to do."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    result = pytester.runpytest_subprocess("notice", "--itbench-model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *unix:///no/such/socket does not answer (*No such file*); start it,*doctor"])
    doctor = pytester.run(Path(sys.executable).with_name("pytest-itbench"), "doctor")
    assert doctor.ret == 1
    doctor.stdout.fnmatch_lines(["FAIL  container engine: *unix:///no/such/socket does not answer*"])
