"""What a conftest may replace and hear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]
Outcomes = Callable[[], list[dict[str, Any]]]

FIXTURE = "import pytest\n@pytest.fixture\n"
RIGHT = '"```yaml\\n- hosts: all\\n# right\\n```"'


def test_a_conftest_provides_the_model(
    scenarios: Path, run: Run, pytester: pytest.Pytester, outcomes: Outcomes
) -> None:
    """Anything with ask(request) is a model."""
    pytester.makeconftest(
        f"""
from pytest_itbench.domain.candidate import Reply
{FIXTURE}
def itbench_model():
    class Mine:
        def ask(self, request):
            assert "make the candidate right" in request.prompt.user
            return Reply(text={RIGHT})
    return Mine()
"""
    )
    run("scenarios", "--itbench-model=fixture:mine").assert_outcomes(passed=2)
    assert {o["key"]["model"] for o in outcomes()} == {"fixture-mine"}


def test_a_conftest_wraps_the_solver(scenarios: Path, run: Run, pytester: pytest.Pytester) -> None:
    """A fixture of the same name can use the one that it replaces."""
    pytester.makeconftest(
        f"""
from dataclasses import replace
{FIXTURE}
def itbench_solver(itbench_solver):
    class Corrected:
        def propose(self, request):
            proposal = itbench_solver.propose(request)
            return replace(proposal, candidate=replace(proposal.candidate, text="# right"))
    return Corrected()
"""
    )
    run("scenarios", "--itbench-model=noop").assert_outcomes(passed=2)


def test_a_conftest_adds_a_check(scenarios: Path, run: Run, pytester: pytest.Pytester, outcomes: Outcomes) -> None:
    """Checks of one's own count like the scenario's."""
    pytester.makeconftest(
        f"""
from pytest_itbench.domain.outcome import CheckResult
{FIXTURE}
def itbench_validator(itbench_validator):
    def validate(scenario, hosts):
        yield from itbench_validator(scenario, hosts)
        yield CheckResult(name="house rule", passed=False, message="not here")
    return validate
"""
    )
    run("scenarios/one", "--itbench-model=oracle").assert_outcomes(failed=1)
    assert outcomes()[0]["message"] == "house rule: not here"


def test_a_conftest_hears_outcomes_and_the_summary(scenarios: Path, run: Run, pytester: pytest.Pytester) -> None:
    """Hooks are called once per attempt and once at the end, with the files in place."""
    pytester.makeconftest(
        """
def pytest_itbench_outcome(config, outcome):
    print("HEARD", outcome.key, outcome.verdict)

def pytest_itbench_summary(config, summary, directory):
    print("SUMMARY", summary.totals.solved, (directory / "summary.json").is_file())
"""
    )
    result = run("scenarios", "--itbench-model=oracle", "-s")
    result.stdout.fnmatch_lines(["*HEARD one/oracle/0 solved*", "*HEARD two/oracle/0 solved*", "*SUMMARY 2 True*"])


def test_proofs_may_be_repeated(scenarios: Path, run: Run) -> None:
    """All of them, not only the solution's."""
    result = run("scenarios/one", "--itbench-prove", "--itbench-repeat=3", "-v")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["*::noop-2 PASSED*", "*::solution-2 PASSED*", "*::counterexample-wrong-2 PASSED*"])


def test_proofs_find_what_is_wrong(scenarios: Path, run: Run) -> None:
    """A good scenario passes all proofs; a solution that misses and a counterexample that passes are found."""
    run("scenarios", "--itbench-prove").assert_outcomes(passed=8)
    (scenarios / "one" / "counterexamples" / "wrong.yml").write_text("# right\n- hosts: all\n")
    (scenarios / "two" / "solution" / "playbook.yml").write_text("- hosts: all\n")
    result = run("scenarios", "--itbench-prove", "--itbench-run=s")
    result.assert_outcomes(passed=5, failed=3)
    result.stdout.fnmatch_lines(
        [
            "counterexample wrong (wrong) must be caught by 'candidate_is_right', but is solved; failed checks: none",
            "the reference solution is missed (checks failed); failed checks: candidate_is_right",
        ]
    )
    assert not (scenarios.parent / "reports" / "s" / "summary.json").exists()
