"""A run that something happens to: started as a user starts it, looked at when it is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.leftovers import find_left
from pytest_itbench.errors import EngineTrouble
from tests.conftest import PROMPT

SCENARIO = """
title: A notice
domain: file-management
difficulty: easy
hosts: {web: {}}
setup: [{script: setup.sh}]
"""
SOLUTION = """
- hosts: all
  become: true
  gather_facts: false
  tasks:
    - ansible.builtin.copy: {content: "hello\\n", dest: /etc/notice, mode: "0600"}
"""
SLOW = SOLUTION + "    - ansible.builtin.command: sleep 6\n"
VALIDATOR = """
def check_notice(web):
    assert web.file("/etc/notice").content_string == "hello\\n"


def check_setup(web):
    assert web.run("cat /etc/set-up").stdout == "set up\\n"
"""
PATIENCE = 150.0
"""Seconds within which a run must be over, whatever happens to it."""


class Lab:
    """A directory with a scenario, and runs of it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.variables: dict[str, str] = {}
        self._running: list[subprocess.Popen[str]] = []

    def write(self) -> None:
        """The scenario ``notice``, whose setup is kept as a checkpoint, and a candidate that takes its time."""
        files = {
            "notice/scenario.yaml": SCENARIO,
            "notice/prompt.md.j2": PROMPT,
            "notice/validate.py": VALIDATOR,
            "notice/setup.sh": "#!/bin/sh\necho set up >/etc/set-up\n",
            "notice/solution/playbook.yml": SOLUTION,
            "slow.yml": SLOW,
        }
        for name, text in files.items():
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            (self.place / name).write_text(text)

    def start(self, *options: str, run: str = "r", model: str = "m=oracle") -> subprocess.Popen[str]:
        """Start a run; its output goes to ``RUN.log``."""
        return self._start(run, f"--itbench-run={run}", f"--itbench-model={model}", *options)

    def resume(self, run: str, *options: str) -> int:
        """Go on with a run; gives the exit status."""
        return self._start(run, f"--itbench-resume={run}", *options).wait(PATIENCE)

    def _start(self, run: str, *options: str) -> subprocess.Popen[str]:
        with (self.place / f"{run}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "notice", "-p", "no:cacheprovider", *options],
                cwd=self.place,
                env={**os.environ, **self.variables},
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def run(self, *options: str, run: str = "r", model: str = "m=oracle") -> int:
        """A run from its start to its end; gives the exit status."""
        return self.start(*options, run=run, model=model).wait(PATIENCE)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The command ``pytest-itbench``."""
        code = "import sys; from pytest_itbench.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(
            command, cwd=self.place, env={**os.environ, **self.variables}, capture_output=True, text=True, check=False
        )

    def log(self, run: str = "r") -> str:
        """What a run said."""
        return (self.place / f"{run}.log").read_text()

    def outcomes(self, run: str = "r") -> list[dict[str, Any]]:
        """The ledger of a run; nothing when it wrote none."""
        file = self.place / "reports" / run / "outcomes.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def outcome(self, run: str = "r") -> dict[str, Any]:
        """The outcome of a run of one attempt."""
        outcomes = self.outcomes(run)
        assert len(outcomes) == 1, self.log(run)
        return outcomes[0]

    def close(self) -> None:
        """End what still runs."""
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A place for runs on the machine's engine; afterwards nothing of them is left there."""
    engine = Engine()
    try:
        _ = engine.client
    except EngineTrouble as trouble:
        pytest.skip(f"no container engine: {trouble.message}")
    lab = Lab(tmp_path)
    lab.write()
    yield lab
    lab.close()
    engine.close()


def wait_for(what: Callable[[], object], message: str, timeout: float = 60.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < deadline, message
        time.sleep(0.05)


def list_left(run: str) -> list[str]:
    """An attempt's containers and networks of a run that are on the machine's engine."""
    engine = Engine()
    try:
        return [str(thing.name) for thing in find_left(engine, f"{LABEL}.run={run}")]
    finally:
        engine.close()


def describe(outcome: Mapping[str, Any]) -> tuple[str, list[str]]:
    """An outcome's verdict, and the causes for which it was tried again."""
    return outcome["verdict"], [each["cause"] for each in outcome["tries"]]
