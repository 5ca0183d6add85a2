"""Proofs that are kept: what was proven is not proven again until it changes, with workers and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def scenarios(pytester: pytest.Pytester, make_scenario: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scenarios for the fake environment."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    for name in ("one", "two"):
        make_scenario(name, below=pytester.path / "scenarios")
    return pytester.path / "scenarios"


@pytest.fixture(params=[(), ("-n", "2")], ids=["alone", "workers"])
def prove(request: pytest.FixtureRequest, pytester: pytest.Pytester, scenarios: Path) -> Run:
    """Proves the scenarios with the file p.json."""

    def prove(*arguments: str) -> pytest.RunResult:
        given = ("scenarios", "--itbench-prove", "--itbench-proofs=kept/p.json", *request.param, *arguments)
        return pytester.runpytest_subprocess(*given)

    return prove


def read(pytester: pytest.Pytester) -> dict[str, Any]:
    """The proofs by scenario."""
    found: dict[str, Any] = json.loads((pytester.path / "kept" / "p.json").read_text())["proofs"]
    return found


def test_what_was_proven_is_left_out(prove: Run, pytester: pytest.Pytester, scenarios: Path) -> None:
    """Until one file of it changes; a run in which everything holds is well."""
    result = prove()
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(["kept/p.json: 2 proven now, 0 unchanged since they were proven"])
    first = read(pytester)
    assert {name: (proof["proofs"], proof["repeats"]) for name, proof in first.items()} == {
        "one": (4, 1),
        "two": (4, 1),
    }
    result = prove()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["kept/p.json: 0 proven now, 2 unchanged since they were proven"])
    with (scenarios / "one" / "prompt.md.j2").open("a") as file:
        file.write("\n")
    prove().assert_outcomes(passed=4)
    second = read(pytester)
    assert second["two"] == first["two"]
    assert second["one"]["key"] != first["one"]["key"]


def test_more_repeats_than_were_made_are_made(prove: Run, pytester: pytest.Pytester) -> None:
    """One proof does not stand for three; three stand for one."""
    prove("--itbench-repeat=1").assert_outcomes(passed=6)
    prove("--itbench-repeat=3").assert_outcomes(passed=18)
    assert {proof["repeats"] for proof in read(pytester).values()} == {3}
    prove("--itbench-repeat=2").assert_outcomes(passed=0)


def test_what_is_skipped_is_not_proven(prove: Run, pytester: pytest.Pytester) -> None:
    """Nor is a scenario of which a part is skipped."""
    pytester.makeconftest(
        "import pytest\n"
        "def pytest_runtest_setup(item):\n"
        "    if 'one' in item.nodeid or item.name == 'noop-0': pytest.skip('cannot be tried here: x')\n"
    )
    prove().assert_outcomes(passed=3, skipped=5)
    assert not (pytester.path / "kept").exists()


def test_a_proof_that_fails_is_forgotten(prove: Run, pytester: pytest.Pytester, scenarios: Path) -> None:
    """And a part of the proofs is none: what was left out by -k may fail."""
    prove("-k", "noop or solution")
    assert not (pytester.path / "kept").exists()
    prove()
    (scenarios / "one" / "counterexamples" / "wrong.yml").write_text("# right\n- hosts: all\n")
    result = prove()
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["kept/p.json: 0 proven now, 1 unchanged since they were proven; failed: one"])
    assert set(read(pytester)) == {"two"}


@pytest.mark.parametrize("text", ["no json", "[]", '{"schema": 1, "proofs": {"one": {}}}', '{"schema": 9}'])
def test_a_file_that_holds_no_proofs_is_refused(
    pytester: pytest.Pytester, scenarios: Path, prove: Run, text: str
) -> None:
    """Before anything is proven, in a line that names it."""
    (pytester.path / "kept").mkdir()
    (pytester.path / "kept" / "p.json").write_text(text)
    result = prove()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *p.json*remove*"])


def test_proofs_are_kept_of_proofs_alone(pytester: pytest.Pytester, scenarios: Path) -> None:
    """A run of models has none."""
    result = pytester.runpytest_subprocess("scenarios", "--itbench-model=oracle", "--itbench-proofs=p.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --itbench-proofs keeps proofs, and none are made: pytest-itbench check"])
