"""From attempts to verdicts, exit status, ledger and reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml, Properties

Run = Callable[..., pytest.RunResult]
Record = Callable[[Mapping[str, Sequence[str]]], str]
Outcomes = Callable[[], list[dict[str, Any]]]


def test_solved_missed_invalid(scenarios: Path, run: Run, record: Record, outcomes: Outcomes) -> None:
    """A miss fails, trouble is an error, and each has its letter, its message and its line in the ledger."""
    result = run(
        "scenarios", record({"one": ["right", "wrong", "fake: engine", ""], "two": ["right"]}), "--itbench-attempts=4"
    )
    result.assert_outcomes(passed=2, failed=2, errors=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*scenario.yaml .mim *", "*scenario.yaml .iii *"])
    result.stdout.fnmatch_lines(
        [
            "invalid, engine: the fake engine went away",
            "checks failed, 2 of 3 checks passed",
            "candidate_is_right: the candidate does not say: right",
            "no candidate",
            "the reply holds no playbook",
        ]
    )
    seen = {(o["key"]["scenario"], o["key"]["index"]): (o["verdict"], o["kind"], o["score"]) for o in outcomes()}
    assert seen[("one", 0)] == ("solved", None, 1.0)
    assert seen[("one", 1)] == ("missed", "checks failed", pytest.approx(2 / 3))
    assert seen[("one", 2)] == ("invalid", "engine", None)
    assert seen[("one", 3)] == ("missed", "no candidate", 0.0)
    assert seen[("two", 1)] == ("invalid", "provider", None)
    assert len(seen) == 8


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("fake: fail 'x' is undefined", "undefined variable"),
        ("right\\n# fake: change", "not idempotent"),
        ("fake: timeout", "timeout"),
        ("fake: stop", "unreachable"),
    ],
)
def test_a_miss_has_its_kind(
    scenarios: Path, run: Run, record: Record, outcomes: Outcomes, text: str, kind: str
) -> None:
    """The candidate's own evidence names the failure kind."""
    with (scenarios / "one" / "scenario.yaml").open("a") as file:
        file.write("idempotent: true\n")
    run("scenarios/one", record({"one": [text.replace("\\n", "\n")]})).assert_outcomes(failed=1)
    assert [(o["verdict"], o["kind"]) for o in outcomes()] == [("missed", kind)]


@pytest.mark.parametrize(("idempotent", "last"), [("true", ["idempotent"]), ("false", [])])
def test_run_change_run_again(
    scenarios: Path, run: Run, record: Record, outcomes: Outcomes, idempotent: str, last: list[str]
) -> None:
    """What changes the hosts stands between two runs; each run has its check and its evidence."""
    directory = scenarios / "one"
    (directory / "change.sh").write_text("#!/bin/sh\n")
    with (directory / "scenario.yaml").open("a") as file:
        file.write(f"idempotent: {idempotent}\nbetween: [{{script: change.sh}}]\n")
    with (directory / "validate.py").open("a") as file:
        file.write('\ndef check_changed_once(web):\n    assert web.check_output("cat /changes") == "change.sh"\n')
    result = run("scenarios/one", record({"one": ["right", "right\n# fake: refuse no room"]}), "--itbench-attempts=2")
    result.assert_outcomes(passed=1, failed=1)
    solved, missed = outcomes()
    runs = ["applied", "applied after the change", *last]
    assert [check["name"] for check in solved["checks"]][: len(runs)] == runs
    assert {"apply", "apply-after-change", *(["apply-again"] if last else [])} <= set(solved["evidence"])
    assert [check["name"] for check in missed["checks"] if not check["passed"]] == [
        "changed between the runs",
        "changed_once",
    ]
    assert "changed between the runs: no room" in missed["message"]
    assert "apply-after-change" not in missed["evidence"]


@pytest.mark.parametrize(
    ("extra", "kind", "said"),
    [
        ("tags: [fake-broken]", "engine", "hint: remove the tag fake-broken"),
        ("tags: [fake-unready]", "not ready", "setup: the fake step failed"),
    ],
)
def test_trouble_with_the_environment_is_invalid(
    run: Run,
    make_scenario: Callable[..., Path],
    pytester: pytest.Pytester,
    outcomes: Outcomes,
    extra: str,
    kind: str,
    said: str,
) -> None:
    """The model is not to blame; what it said is kept."""
    make_scenario("one", below=pytester.path, extra=extra)
    result = run("one", "--itbench-model=oracle")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{said}*"])
    (outcome,) = outcomes()
    assert (outcome["verdict"], outcome["kind"]) == ("invalid", kind)
    assert "candidate" in outcome["evidence"]
    assert "apply" not in outcome["evidence"]


def test_validators_that_pass_already_make_it_invalid(
    run: Run, make_scenario: Callable[..., Path], pytester: pytest.Pytester, outcomes: Outcomes
) -> None:
    """A scenario that measures nothing says so."""
    make_scenario("one", below=pytester.path, validator="def check_nothing(web): pass")
    result = run("one", "--itbench-model=oracle")
    result.stdout.fnmatch_lines(["invalid, precondition: all checks of one pass although nothing was done"])
    assert outcomes()[0]["stage"] == "precondition"


def test_a_broken_fixture_is_invalid_with_its_traceback(
    scenarios: Path, run: Run, pytester: pytest.Pytester, outcomes: Outcomes
) -> None:
    """A mistake in a conftest is neither the model's doing nor hidden."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef itbench_solver(): raise ValueError('my mistake')")
    result = run("scenarios/one", "--itbench-model=oracle")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ValueError: my mistake*"])
    (outcome,) = outcomes()
    assert (outcome["verdict"], outcome["kind"], outcome["message"]) == ("invalid", "harness", "ValueError: my mistake")
    assert (pytester.path / "reports" / "r" / outcome["evidence"]["traceback"]).read_text().endswith("my mistake\n")


def test_evidence_is_kept(scenarios: Path, run: Run, outcomes: Outcomes, pytester: pytest.Pytester) -> None:
    """Prompt, reply, candidate, tool output and check results lie on disk, at the paths that the outcome names."""
    run("scenarios/one", "--itbench-model=oracle", "--itbench-level=3")
    (outcome,) = outcomes()
    place = pytester.path / "reports" / "r"
    texts = {what: (place / path).read_text() for what, path in outcome["evidence"].items()}
    assert set(texts) == {"prompt", "reply", "candidate", "apply", "checks"}
    assert "Level 3: make the candidate right." in texts["prompt"]
    assert outcome["taken"] == "fenced block 1 of 1"
    assert texts["candidate"] == "- hosts: all\n  tasks: []\n# right\n"
    assert [check["name"] for check in json.loads(texts["checks"])] == [
        "applied",
        "candidate_is_right",
        "host_is_there",
    ]
    assert set(outcome["timings"]) == {"environment", "precondition", "candidate", "apply", "validate"}


def test_reports_are_written_and_shown(scenarios: Path, run: Run, record: Record, pytester: pytest.Pytester) -> None:
    """The table at the end, the paths of the files, and the same numbers in the files."""
    result = run(
        "scenarios",
        record({"one": ["right", "wrong"], "two": ["wrong"] * 2}),
        "--itbench-attempts=2",
        "--itbench-k=1,2",
    )
    result.stdout.fnmatch_lines(
        ["*model, domain*pass@1*pass@2*", "*networking*0*2*0*0.00*0.00*", "*templating*1*1*0*0.50*1.00*"]
    )
    result.stdout.fnmatch_lines(
        [f"*{name}*reports/r/{file}*" for name, file in (("json", "summary.json"), ("html", "report.html"))]
    )
    place = pytester.path / "reports" / "r"
    assert json.loads((place / "summary.json").read_text())["totals"] == {
        "solved": 1,
        "missed": 3,
        "invalid": 0,
        "lost": 0,
    }
    cases = [case for suite in JUnitXml.fromfile(str(place / "junit.xml")) for case in suite]
    assert {case.name: case.is_passed for case in cases} == {"one": True, "two": False}
    assert (place / "report.html").stat().st_size > 10_000
    assert "pass@2" in (place / "summary.md").read_text()


def test_pytests_own_junit_tells_the_same(scenarios: Path, run: Run, record: Record) -> None:
    """A miss is a failure, trouble an error, and the facts stand in properties."""
    run(
        "scenarios/one", record({"one": ["right", "wrong", "fake: engine"]}), "--itbench-attempts=3", "--junitxml=j.xml"
    )
    cases = [case for suite in JUnitXml.fromfile(str(scenarios.parent / "j.xml")) for case in suite]
    assert [[type(r).__name__ for r in case.result] for case in cases] == [[], ["Failure"], ["Error"]]
    properties = {p.name: p.value for p in Properties.fromelem(cases[1]._elem.find("properties"))}
    assert properties["itbench.verdict"] == "missed"
    assert properties["itbench.kind"] == "checks failed"
    assert properties["itbench.check.candidate_is_right"] == "failed"


def test_pytest_html_links_the_evidence(scenarios: Path, run: Run) -> None:
    """The page of pytest-html leads to the attempt's files."""
    run("scenarios/one", "--itbench-model=oracle", "--html=h.html", "--self-contained-html")
    assert "candidate.yml" in (scenarios.parent / "h.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--itbench-model=oracle",), pytest.ExitCode.OK),
        (("--itbench-model=noop",), pytest.ExitCode.TESTS_FAILED),
        (("--itbench-model=replay:empty.jsonl",), pytest.ExitCode.TESTS_FAILED),
        (("--itbench-model=oracle", "-k", "nothing"), pytest.ExitCode.NO_TESTS_COLLECTED),
        (("--itbench-model=nonsense",), pytest.ExitCode.USAGE_ERROR),
        (("--itbench-model=oracle", "-p", "no:xdist"), pytest.ExitCode.OK),
    ],
)
def test_exit_status(scenarios: Path, run: Run, arguments: tuple[str, ...], status: pytest.ExitCode) -> None:
    """Pytest's own statuses keep their meaning."""
    (scenarios.parent / "empty.jsonl").write_text("")
    assert run("scenarios", *arguments).ret == status


def test_attempts_that_were_not_run_are_counted(scenarios: Path, run: Run, outcomes: Outcomes) -> None:
    """A run that stops early says so of every attempt it planned."""
    run("scenarios", "--itbench-model=noop", "--itbench-attempts=2", "-x")
    assert [(o["verdict"], o["kind"]) for o in outcomes()] == [("missed", "checks failed")] + [
        ("invalid", "not run")
    ] * 3


def test_a_run_may_not_overwrite_another(scenarios: Path, run: Run, outcomes: Outcomes) -> None:
    """The name of a run that exists already is refused."""
    run("scenarios/one", "--itbench-model=oracle")
    result = run("scenarios/one", "--itbench-model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*reports/r holds a run already; choose another --itbench-run*"])
    assert len(outcomes()) == 1


def test_nothing_of_a_session_is_left_when_nothing_ran(scenarios: Path, run: Run) -> None:
    """A run without attempts writes no reports."""
    run("scenarios", "--itbench-model=oracle", "-k", "nothing")
    assert not (scenarios.parent / "reports").exists()


def test_reports_are_chosen_by_name(scenarios: Path, run: Run) -> None:
    """Only what was asked for is written; an unknown name is answered with the known ones."""
    run("scenarios/one", "--itbench-model=oracle", "--itbench-report=junit")
    assert {path.name for path in (scenarios.parent / "reports" / "r").iterdir()} == {
        "attempts",
        "junit.xml",
        "run.json",
        "outcomes.jsonl",
    }
    result = run("scenarios/one", "--itbench-model=oracle", "--itbench-report=junti")
    result.stderr.fnmatch_lines(["ERROR: unknown reporter 'junti'; known: html, json, junit, markdown, openmetrics"])


def test_reports_that_cannot_be_written_are_told_first(scenarios: Path, run: Run) -> None:
    """A run does not end in nothing: its directory is made before the first attempt."""
    (scenarios.parent / "file").write_text("")
    result = run("scenarios/one", "--itbench-model=oracle", "--itbench-reports=file")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --itbench-reports: file/r cannot be made: *"])


def test_a_host_that_stops_before_the_candidate_is_invalid(
    run: Run, make_scenario: Callable[..., Path], pytester: pytest.Pytester, outcomes: Outcomes
) -> None:
    """Nobody has been asked yet, so that it is nobody's miss."""
    validator = "from pytest_itbench.errors import HostStopped\ndef check_it(web): raise HostStopped('web stopped')"
    make_scenario("one", below=pytester.path, validator=validator)
    run("one", "--itbench-model=oracle").assert_outcomes(errors=1)
    assert [(o["kind"], o["message"]) for o in outcomes()] == [
        ("not ready", "before the candidate was asked for, web stopped")
    ]


def test_pass_at_k_follows_the_attempts(scenarios: Path, run: Run) -> None:
    """Columns that could say nothing but n/a are shown only when they were asked for."""
    result = run("scenarios/one", "--itbench-model=oracle", "--itbench-attempts=3")
    result.stdout.fnmatch_lines(["*invalid  pass@1  pass@3"])
    result = run("scenarios/one", "--itbench-model=oracle", "--itbench-k=2", "--itbench-run=s")
    result.stdout.fnmatch_lines(["*invalid  pass@2", "*n/a"])


def test_text_that_utf8_cannot_hold_breaks_nothing(
    run: Run, make_scenario: Callable[..., Path], pytester: pytest.Pytester, outcomes: Outcomes
) -> None:
    """Lone surrogates in a message or a reply become question marks, with and without workers."""
    make_scenario("one", below=pytester.path, validator='def check_it(web): assert False, "bad \\ud800"')
    for number, extra in enumerate(("-n0", "-n2")):
        result = run("one", "--itbench-model=oracle", extra, f"--itbench-run=u{number}")
        result.assert_outcomes(failed=1)
        assert "it: bad ?" in (pytester.path / "reports" / f"u{number}" / "outcomes.jsonl").read_text()
    (pytester.path / "rec.jsonl").write_text('{"scenario": "one", "reply": "```yaml\\n- hosts: \\ud800\\n```"}')
    run("one", "--itbench-model=replay:rec.jsonl").assert_outcomes(failed=1)
    assert outcomes()[0]["verdict"] == "missed"


def test_lost_attempts_are_no_success(run: Run, scenarios: Path, pytester: pytest.Pytester) -> None:
    """When nothing that pytest counts has failed, but an attempt was not run, the exit status says so."""
    pytester.makeconftest(
        """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    return True if "two" in item.nodeid else None
"""
    )
    result = run("scenarios", "--itbench-model=oracle")
    result.stdout.fnmatch_lines(["*1 invalid: not run*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_skip_in_a_fixture_is_invalid(run: Run, scenarios: Path, pytester: pytest.Pytester) -> None:
    """An attempt cannot be skipped out of the count."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef itbench_model(): pytest.skip('not today')")
    result = run("scenarios/one", "--itbench-model=fixture:x")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_broken_listener_leaves_reports_and_no_containers(
    run: Run, scenarios: Path, pytester: pytest.Pytester
) -> None:
    """A hook that raises is shown; the files were written before."""
    pytester.makeconftest("def pytest_itbench_summary(): raise ValueError('my hook')")
    result = run("scenarios/one", "--itbench-model=oracle")
    assert result.ret != 0
    assert "my hook" in result.stdout.str() + result.stderr.str()
    assert (pytester.path / "reports" / "r" / "summary.json").is_file()


def test_evidence_that_cannot_be_written_ends_one_attempt(run: Run, scenarios: Path, outcomes: Outcomes) -> None:
    """A full disk makes attempts invalid; it does not end the run."""
    (scenarios.parent / "reports" / "r").mkdir(parents=True)
    (scenarios.parent / "reports" / "r" / "attempts").touch()
    run("scenarios", "--itbench-model=oracle").assert_outcomes(errors=2)
    assert {outcome["kind"] for outcome in outcomes()} == {"harness"}
