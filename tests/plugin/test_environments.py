"""Trouble, room and kept machines as a run shows them, with fake environments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(
    pytester: pytest.Pytester, make_scenario: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Tries a candidate of one's own words at a scenario."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    make_scenario("one", below=pytester.path)

    def run(words: str, *options: str) -> pytest.RunResult:
        (pytester.path / "candidate.yml").write_text(f"- hosts: all\n  tasks: []\n{words}\n")
        return pytester.runpytest_subprocess("one", "--itbench-model=m=file:candidate.yml", "--itbench-run=r", *options)

    return run


def read_outcome(place: Path) -> dict[str, Any]:
    """The only outcome."""
    (line,) = (place / "reports" / "r" / "outcomes.jsonl").read_text().splitlines()
    outcome: dict[str, Any] = json.loads(line)
    return outcome


def test_what_passes_is_tried_again(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]) -> None:
    """The same candidate, once more; the try is kept in ledger and summary, and told at the end."""
    result = run("# right\n# fake: hiccup")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["tried again, in environments made anew: hiccup (1)"])
    (kept,) = read_outcome(pytester.path)["tries"]
    assert (kept["stage"], kept["cause"]) == ("apply", "hiccup")
    summary = json.loads((pytester.path / "reports" / "r" / "summary.json").read_text())
    assert summary["scenarios"][0]["attempts"][0]["tries"][0]["cause"] == "hiccup"


def test_what_does_not_pass_is_invalid(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]) -> None:
    """Trouble without a remedy is not tried again."""
    run("# right\n# fake: engine").assert_outcomes(errors=1)
    outcome = read_outcome(pytester.path)
    assert (outcome["verdict"], outcome["tries"]) == ("invalid", [])


@pytest.mark.parametrize(
    ("keep", "words", "kept"), [("missed", "# wrong", 1), ("missed", "# right", 0), ("invalid", "# fake: engine", 1)]
)
def test_kept_machines_are_told(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult], keep: str, words: str, kept: int
) -> None:
    """After a verdict of the kind that was asked for, the command to enter stands at the end and in the evidence."""
    result = run(words, f"--itbench-keep={keep}")
    lines = [line for line in result.stdout.lines if line.startswith("kept:")]
    assert lines == ["kept:     fake enter web  # one/m/0"] * kept
    evidence = read_outcome(pytester.path)["evidence"]
    assert ("enter" in evidence) == bool(kept)


def test_what_fits_nowhere_is_invalid(pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]) -> None:
    """With what it lacks and what to do."""
    run("# right", "--itbench-capacity=pids=0.5").assert_outcomes(errors=1)
    outcome = read_outcome(pytester.path)
    assert (outcome["kind"], outcome["message"]) == ("engine", "its machines may use 1 pids, but fake has 0.5 pids")
    assert "--itbench-capacity" in outcome["hint"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--itbench-capacity=much", "must be an amount such as memory=8g"),
        ("--itbench-capacity=cpus=2g", "must be an amount such as memory=8g"),
        ("--itbench-keep=failed", "must be one of missed, invalid, solved"),
    ],
)
def test_mistakes(run: Callable[..., pytest.RunResult], option: str, said: str) -> None:
    """One line, status 4."""
    result = run("# right", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option.partition('=')[0]}: *cannot be used: {said}*"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--itbench-network-pool=10.0.0.1/8", "'10.0.0.1/8' is no network such as 10.200.0.0/16: *"),
        ("--itbench-network-pool=here", "'here' is no network such as 10.200.0.0/16: *"),
    ],
)
def test_addresses_that_are_none(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult], option: str, said: str
) -> None:
    """The provider of containers says so before anything starts."""
    result = run("# right", option, "--itbench-environment=docker")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --itbench-network-pool: {said}"])
