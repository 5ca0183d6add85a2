"""Runs with workers give what runs without give, also when a worker dies."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLAY = "- hosts: all\n  tasks: []\n"


@pytest.fixture
def place(pytester: pytest.Pytester, make_scenario: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three scenarios, and recordings of which one in three is right."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    names = ("a", "b", "c")
    for name in names:
        make_scenario(name, below=pytester.path / "scenarios")
    texts = [("right", "wrong", "fake: engine")[(i + j) % 3] for i in range(3) for j in range(4)]
    write_recordings(pytester.path, [(names[n // 4], text) for n, text in enumerate(texts)])
    return pytester.path


def write_recordings(place: Path, replies: list[tuple[str, str]]) -> None:
    """Recordings in the file rec.jsonl."""
    lines = [json.dumps({"scenario": name, "reply": f"```yaml\n{PLAY}# {text}\n```"}) for name, text in replies]
    (place / "rec.jsonl").write_text("\n".join(lines))


def run(pytester: pytest.Pytester, name: str, *arguments: str) -> pytest.RunResult:
    """A run in a process of its own."""
    model = "--itbench-model=replay:rec.jsonl"
    return pytester.runpytest_subprocess(
        "scenarios", model, "--itbench-attempts=4", f"--itbench-run={name}", *arguments
    )


def read(place: Path, name: str) -> dict[str, Any]:
    """What of a run's summary may not depend on workers."""
    summary: dict[str, Any] = json.loads((place / "reports" / name / "summary.json").read_text())
    for group in summary["groups"]:
        del group["seconds"]
    for scenario in summary["scenarios"]:
        for attempt in scenario["attempts"]:
            for changing in ("started", "timings", "worker", "evidence"):
                attempt.pop(changing, None)
    del summary["run"]
    return summary


@pytest.mark.parametrize("workers", ["-n2", "-n8"])
def test_workers_change_nothing(pytester: pytest.Pytester, place: Path, workers: str) -> None:
    """Same verdicts, same pass@k, same exit status."""
    alone, shared = run(pytester, "alone", "-n0"), run(pytester, "shared", workers)
    assert alone.ret == shared.ret == pytest.ExitCode.TESTS_FAILED
    assert read(place, "alone") == read(place, "shared")
    assert len((place / "reports" / "shared" / "outcomes.jsonl").read_text().splitlines()) == 12
    shared.stdout.fnmatch_lines(["*12 attempts: 4 solved, 4 missed, 4 invalid*"])


def test_a_worker_that_dies_loses_one_attempt(pytester: pytest.Pytester, place: Path) -> None:
    """The victim is invalid, the rest complete, each outcome once."""
    write_recordings(
        place, [(name, "fake: die" if (name, i) == ("b", 1) else "right") for name in "abc" for i in range(4)]
    )
    result = run(pytester, "r", "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = [json.loads(line) for line in (place / "reports" / "r" / "outcomes.jsonl").read_text().splitlines()]
    lost = [line for line in lines if line["verdict"] != "solved"]
    assert len(lines) == 12
    assert [(o["key"]["scenario"], o["key"]["index"], o["kind"]) for o in lost] == [("b", 1, "worker lost")]


def test_mistakes_are_told_once_before_workers_start(pytester: pytest.Pytester, place: Path) -> None:
    """With workers too, a broken scenario is one line and exit status 4."""
    with (place / "scenarios" / "a" / "scenario.yaml").open("a") as file:
        file.write("colour: red\n")
    result = run(pytester, "r", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stdout.str() + result.stderr.str()
    assert text.count("unknown key 'colour'") == 1


def test_proofs_run_with_workers(pytester: pytest.Pytester, place: Path) -> None:
    """Check -n 2 proves what check proves."""
    result = pytester.run(Path(sys.executable).with_name("pytest-itbench"), "check", "scenarios", "-n2")
    result.assert_outcomes(passed=12)
    assert result.ret == 0


def test_stopping_early_accounts_for_the_rest(pytester: pytest.Pytester, place: Path) -> None:
    """-x under xdist leaves no planned attempt without an outcome."""
    run(pytester, "r", "-n2", "-x")
    lines = [json.loads(line) for line in (place / "reports" / "r" / "outcomes.jsonl").read_text().splitlines()]
    assert len(lines) == 12
    assert "not run" in {line["kind"] for line in lines}
