"""Scenarios of one's own in the place of others with the same ids, with workers and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def place(pytester: pytest.Pytester, make_scenario: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scenarios, and outside of pytest's root directory another one with the first one's id."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    for name in ("one", "two"):
        make_scenario(name, below=pytester.path / "scenarios")
    other = make_scenario("variant", below=pytester.path.parent / f"{pytester.path.name}-private", extra="id: one")
    for path in other.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace("right", "green"))
    return other.parent


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_scenario_takes_the_place_of_another(
    pytester: pytest.Pytester, place: Path, workers: tuple[str, ...]
) -> None:
    """Its prompt, checks and solution count under the other's node id; the rest of the library stays."""
    reply = "```yaml\n- hosts: all\n  tasks: []\n# {}\n```"
    lines = [{"scenario": name, "reply": reply.format(text)} for name, text in (("one", "green"), ("two", "right"))]
    (pytester.path / "rec.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for model, solved in (("replay:rec.jsonl", 2), ("oracle", 2)):
        given = (f"--itbench-model={model}", f"--itbench-overlay={place}", "--itbench-run=r", "-v", *workers)
        result = pytester.runpytest_subprocess("scenarios", *given)
        result.assert_outcomes(passed=solved)
        result.stdout.fnmatch_lines_random(["*scenarios/one/scenario.yaml::attempt-0*"])
        pytester.run("rm", "-r", "reports/r")
    pytester.runpytest_subprocess("scenarios", "--itbench-model=replay:rec.jsonl").assert_outcomes(passed=1, failed=1)


def test_a_resumed_run_has_its_overlay(pytester: pytest.Pytester, place: Path) -> None:
    """What was tried is what goes on being tried."""
    given = ("--itbench-model=oracle", "--itbench-attempts=2", f"--itbench-overlay={place}", "--itbench-run=r")
    pytester.runpytest_subprocess("scenarios", *given).assert_outcomes(passed=4)
    ledger = pytester.path / "reports" / "r" / "outcomes.jsonl"
    ledger.write_text("".join(line + "\n" for line in ledger.read_text().splitlines() if '"index": 0' in line))
    pytester.runpytest_subprocess("scenarios", "--itbench-resume=r").assert_outcomes(passed=2)


def test_an_overlay_must_hold_scenarios(pytester: pytest.Pytester, place: Path) -> None:
    """Good ones: a mistake is told with its line, an empty directory by its name."""
    run = ("scenarios", "--itbench-model=oracle", "--collect-only")
    (pytester.path / "empty").mkdir()
    result = pytester.runpytest_subprocess(*run, "--itbench-overlay=empty")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --itbench-overlay: no scenario.yaml below *empty"])
    with (place / "variant" / "scenario.yaml").open("a") as file:
        file.write("colour: red\n")
    result = pytester.runpytest_subprocess(*run, f"--itbench-overlay={place}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *variant/scenario.yaml:*unknown key 'colour'*"])
