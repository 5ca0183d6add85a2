"""What is shown while a run goes on."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pytest_itbench.domain.outcome import AttemptKey, Outcome, Stage, Verdict
from pytest_itbench.progress import Count, render_display, render_line, render_time

SPENT = {"requests": 3, "tokens": 1200, "dollars": 0.25, "limited": 0, "peak": 1}


def make_outcome(verdict: Verdict, model: str = "m") -> Outcome:
    """An attempt that has ended."""
    return Outcome(
        key=AttemptKey(scenario="a", model=model, index=0),
        verdict=verdict,
        stage=Stage.VALIDATE,
        domain="networking",
        difficulty="easy",
        tags=(),
        level=2,
        started=datetime.now(UTC),
    )


@pytest.fixture
def count() -> Count:
    """Three of eight attempts in a minute."""
    count = Count(began=time.monotonic() - 60)
    count.planned.update({"m": 4, "other": 4})
    for verdict in (Verdict.SOLVED, Verdict.SOLVED, Verdict.MISSED):
        count.add(make_outcome(verdict))
    count.running |= {"x", "y"}
    return count


def test_a_line_says_all(count: Count) -> None:
    """Verdicts, what runs, rate, cost and time left."""
    assert render_line(count, SPENT) == (
        "itbench: 3 of 8 attempts: 2 solved, 1 missed, 0 invalid; 2 running, 3.0 a minute, $0.25, 2 min left"
    )


def test_the_display_has_a_row_for_each_model(count: Count) -> None:
    """Also for one of which nothing has ended."""
    target = StringIO()
    Console(file=target, width=100).print(render_display(count, SPENT))
    lines = target.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["m", "other"]
    assert "3/4" in lines[0]
    assert "2 solved" in lines[0]
    assert "0/4" in lines[1]


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (90, "2 min"), (7300, "2 h 2 min")])
def test_durations(seconds: float, text: str) -> None:
    """Rounded to what matters."""
    assert render_time(seconds) == text


@pytest.fixture
def place(make_scenario: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a scenario, and a model that takes a moment."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    make_scenario("one", below=tmp_path / "scenarios")
    (tmp_path / "ask.sh").write_text("sleep 0.3; echo nothing\n")
    return tmp_path


COMMAND = (sys.executable, "-m", "pytest", "scenarios", "--itbench-model=slow=script:sh ask.sh", "--itbench-attempts=4")


def run_on_a_terminal(place: Path, *arguments: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], cwd=place, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait()
    return written.decode()


def test_a_terminal_shows_a_display(place: Path) -> None:
    """It follows the run and takes the place of pytest's letters."""
    text = run_on_a_terminal(place)
    assert "2/4" in text
    assert "running" in text
    assert "scenario.yaml m" not in text


def test_lines_are_shown_when_asked_for(place: Path) -> None:
    """With -v there is a line for each attempt, with -q neither."""
    assert "running" not in run_on_a_terminal(place, "-v")
    assert "running" not in run_on_a_terminal(place, "-q")


def test_what_is_skipped_is_not_waited_for(place: Path) -> None:
    """Attempts that cannot be made count as neither done nor planned."""
    file = place / "conftest.py"
    file.write_text(
        "import pytest, pytest_itbench.progress\npytest_itbench.progress.EVERY = 0.1\n"
        "def pytest_runtest_setup(item):\n"
        "    if item.name == 'attempt-0':\n        pytest.skip('cannot be tried here: not today')\n"
    )
    said = subprocess.run([*COMMAND, "-n1"], cwd=place, capture_output=True, text=True, check=False).stdout
    assert "itbench: 2 of 3 attempts: 0 solved, 2 missed, 0 invalid; " in said


def test_what_was_expected_to_fail_was_made_all_the_same(place: Path) -> None:
    """It is done, and it was planned."""
    (place / "conftest.py").write_text(
        "import pytest, pytest_itbench.progress\npytest_itbench.progress.EVERY = 0.1\n"
        "def pytest_collection_modifyitems(items):\n    items[0].add_marker(pytest.mark.xfail)\n"
    )
    said = subprocess.run([*COMMAND, "-n1"], cwd=place, capture_output=True, text=True, check=False).stdout
    assert "itbench: 2 of 4 attempts: 0 solved, 2 missed, 0 invalid; " in said


def test_elsewhere_a_line_is_written_now_and_then(place: Path) -> None:
    """Where there is no terminal, and never with -q."""
    (place / "conftest.py").write_text("import pytest_itbench.progress\npytest_itbench.progress.EVERY = 0.1\n")
    said = subprocess.run([*COMMAND, "-n1"], cwd=place, capture_output=True, text=True, check=False).stdout
    assert "itbench: 2 of 4 attempts: 0 solved, 2 missed, 0 invalid; " in said
    quiet = subprocess.run([*COMMAND, "-q"], cwd=place, capture_output=True, text=True, check=False).stdout
    assert "itbench: 2 of 4" not in quiet
