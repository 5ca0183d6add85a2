"""Which items come of scenarios, and how they are selected."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]


def listed(result: pytest.RunResult) -> list[str]:
    """The node ids of --collect-only -q."""
    return [line.partition("scenarios/")[2] for line in result.outlines if "::" in line]


def test_one_item_per_attempt(scenarios: Path, run: Run) -> None:
    """With one model, items are numbered."""
    result = run("scenarios", "--itbench-model=noop", "--itbench-attempts=2", "--collect-only", "-q")
    assert listed(result) == [f"{name}/scenario.yaml::attempt-{i}" for name in ("one", "two") for i in (0, 1)]
    assert not (scenarios.parent / "reports").exists()


def test_models_take_turns(scenarios: Path, run: Run) -> None:
    """With several models, items carry the label, and no model is left to the end."""
    models = ("--itbench-model=noop", "--itbench-model=b=oracle")
    result = run("scenarios/one", *models, "--itbench-attempts=2", "--collect-only", "-q")
    assert listed(result) == [f"one/scenario.yaml::{m}-attempt-{i}" for i in (0, 1) for m in ("noop", "b")]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (("-k", "two"), ["two"]),
        (("-k", "attempt-0 and one"), ["one"]),
        (("-m", "networking"), ["two"]),
        (("-m", "alpha and easy"), ["one"]),
        (("-m", "hard"), []),
    ],
)
def test_usual_selection_works(scenarios: Path, run: Run, selection: tuple[str, str], names: list[str]) -> None:
    """Names, domains, difficulties and tags select, also with strict markers."""
    result = run("scenarios", "--itbench-model=noop", "--collect-only", "-q", "--strict-markers", *selection)
    assert listed(result) == [f"{name}/scenario.yaml::attempt-0" for name in names]


def test_a_node_id_selects(scenarios: Path, run: Run) -> None:
    """One attempt can be run alone."""
    run("scenarios/one/scenario.yaml::attempt-1", "--itbench-model=oracle", "--itbench-attempts=3").assert_outcomes(
        passed=1
    )


def test_last_failed_selects(scenarios: Path, run: Run) -> None:
    """--lf runs the misses again, and they alone."""
    (scenarios / "two" / "solution" / "playbook.yml").write_text("- hosts: all\n")
    run("scenarios", "--itbench-model=oracle").assert_outcomes(passed=1, failed=1)
    result = run("scenarios", "--itbench-model=oracle", "--lf", "--collect-only", "-q", "--itbench-run=s")
    assert listed(result) == ["two/scenario.yaml::attempt-0"]


def test_without_a_model_nothing_is_collected(scenarios: Path, run: Run) -> None:
    """Scenarios beside other tests are passed over with a hint, tests are run."""
    (scenarios.parent / "test_other.py").write_text("def test_it(): pass\n")
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*2 scenario files passed over; to try a model: --itbench-model=oracle*"])


def test_other_tests_run_beside_scenarios(scenarios: Path, run: Run) -> None:
    """Items of scenarios and usual tests share a session."""
    (scenarios.parent / "test_other.py").write_text("def test_it(): pass\n")
    run(".", "--itbench-model=oracle").assert_outcomes(passed=3)


def test_options_from_environment_and_ini(scenarios: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line beats the environment, which beats the ini file."""
    (scenarios.parent / "pytest.ini").write_text("[pytest]\nitbench_model =\n  noop\n  oracle\nitbench_attempts = 3\n")
    assert len(listed(run("scenarios/one", "--collect-only", "-q"))) == 6
    monkeypatch.setenv("PYTEST_ITBENCH_MODEL", "noop\na=oracle\nb=oracle")
    monkeypatch.setenv("PYTEST_ITBENCH_ATTEMPTS", "2")
    assert len(listed(run("scenarios/one", "--collect-only", "-q"))) == 6
    assert len(listed(run("scenarios/one", "--collect-only", "-q", "--itbench-attempts=1"))) == 3
    assert len(listed(run("scenarios/one", "--collect-only", "-q", "--itbench-model=noop"))) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--itbench-model=orcale",), "unknown model 'orcale'; known: *oracle*"),
        (
            ("--itbench-model=noop", "--itbench-attempts=0"),
            "--itbench-attempts: '0' cannot be used: must be at least 1",
        ),
        (("--itbench-model=noop", "--itbench-level=4"), "--itbench-level: '4' cannot be used: must be 1, 2 or 3"),
        (("--itbench-model=noop", "--itbench-k=1,x"), "--itbench-k: '1,x' cannot be used: *"),
        (("--itbench-model=noop", "--itbench-temperature=3"), "--itbench-temperature: '3' cannot be used: *"),
        (("--itbench-model=noop", "--itbench-top-p=2"), "--itbench-top-p: '2' cannot be used: *"),
        (("--itbench-model=noop", "--itbench-param=x"), "--itbench-param: 'x' cannot be used: must be of the form *"),
        (("--itbench-model=noop", "--itbench-system=@gone"), "--itbench-system: '@gone' cannot be used: *"),
        (("--itbench-model=noop", "--itbench-run=a/b"), "--itbench-run: 'a/b' cannot be used: *"),
        (
            ("--itbench-model=noop", "--itbench-environment=dokcer"),
            "unknown environment 'dokcer'; known: bare, docker, fake, kubernetes",
        ),
        (("--itbench-model=replay:gone.jsonl",), "replay:gone.jsonl: cannot be read: *"),
        (("--itbench-model=a=noop", "--itbench-model=a=oracle"), "two models have the label 'a'"),
    ],
)
def test_a_mistake_in_an_option_is_one_line(scenarios: Path, run: Run, arguments: tuple[str, ...], said: str) -> None:
    """Exit status 4, one line, no traceback, nothing run."""
    result = run("scenarios", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*ERROR: {said}"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert not (scenarios.parent / "reports").exists()


def test_broken_scenarios_stop_everything(scenarios: Path, run: Run) -> None:
    """All mistakes of all scenarios are told, and nothing is run."""
    with (scenarios / "one" / "scenario.yaml").open("a") as file:
        file.write("colour: red\nid: two\n")
    with (scenarios / "two" / "scenario.yaml").open("a") as file:
        file.write("idempotent: 7\n")
    result = run("scenarios", "--itbench-model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*one/scenario.yaml:9: unknown key 'colour'*", "*two/scenario.yaml:9: idempotent: *"])
    assert not (scenarios.parent / "reports").exists()


def test_duplicate_ids_are_refused(scenarios: Path, run: Run) -> None:
    """Two scenarios of one id would be counted as one."""
    with (scenarios / "two" / "scenario.yaml").open("a") as file:
        file.write("id: one\n")
    result = run("scenarios", "--itbench-model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*two/scenario.yaml:9: id 'one' is already taken by *one/scenario.yaml"])


def test_skipped_directories_are_not_looked_at(scenarios: Path, run: Run) -> None:
    """A broken scenario where pytest does not look is nobody's business."""
    hidden = scenarios / "build" / "broken"
    hidden.mkdir(parents=True)
    (hidden / "scenario.yaml").write_text("nonsense")
    run("scenarios", "--itbench-model=oracle").assert_outcomes(passed=2)


def test_reruns_are_refused(scenarios: Path, run: Run, pytester: pytest.Pytester) -> None:
    """Another plugin's silent re-rolls would inflate pass@k."""
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--reruns', type=int)")
    result = run("--reruns=2", "scenarios", "--itbench-model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--reruns would turn misses into passes*"])


def test_help_works_with_broken_options(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """--help explains options also to those who have set them wrongly."""
    monkeypatch.setenv("PYTEST_ITBENCH_MODEL", "nonsense:")
    result = run("--help")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*--itbench-attempts=N*", "*itbench_attempts (string)*"])


def test_sweeps_are_collected_side_by_side(scenarios: Path, run: Run) -> None:
    """Temperatures and levels make models of their own, which take turns."""
    points = ("--itbench-level=1", "--itbench-level=3")
    result = run("scenarios/one", "--itbench-model=noop", *points, "--itbench-attempts=2", "--collect-only", "-q")
    assert listed(result) == [f"one/scenario.yaml::noop-l{n}-attempt-{i}" for i in (0, 1) for n in (1, 3)]


def test_ignored_scenarios_are_not_looked_at(scenarios: Path, run: Run) -> None:
    """--ignore excludes a broken scenario too."""
    (scenarios / "two" / "scenario.yaml").write_text("nonsense")
    run("scenarios", "--itbench-model=oracle", "--ignore=scenarios/two").assert_outcomes(passed=1)
    run("scenarios", "--itbench-model=oracle", "--ignore-glob=*/two", "--itbench-run=s").assert_outcomes(passed=1)


def test_scenarios_outside_the_root_are_refused(scenarios: Path, run: Run) -> None:
    """Their items would have no names of their own."""
    (scenarios.parent / "other").mkdir()
    result = run("--rootdir=other", "scenarios", "--itbench-model=oracle")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *scenarios lies outside pytest's root directory *other*--rootdir"])


def test_each_attempt_is_run_once(scenarios: Path, run: Run) -> None:
    """--dist=each would count attempts twice."""
    result = run("scenarios", "--itbench-model=oracle", "-n2", "--dist=each")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--dist=each would run each attempt on every worker*"])


def test_options_of_check_may_come_first(scenarios: Path, pytester: pytest.Pytester, run: Run) -> None:
    """All arguments of check are pytest's."""
    del run  # it chooses the fake environment
    command = Path(sys.executable).with_name("pytest-itbench")
    pytester.run(command, "check", "-n", "2", "-k", "noop", "scenarios").assert_outcomes(passed=2)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 2)])
def test_what_ends_check_ends_its_pytest(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """As a CI system that gives up, or Ctrl-C at a terminal, which tells the whole group."""
    (tmp_path / "conftest.py").write_text(
        "import os, pathlib, time\n"
        "def pytest_collection():\n"
        "    pathlib.Path('pid.new').write_text(str(os.getpid()))\n"
        "    os.rename('pid.new', 'pid')\n"
        "    time.sleep(60)\n"
    )
    command = [str(Path(sys.executable).with_name("pytest-itbench")), "check", "."]
    process = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait(20) == status
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_failures_are_headed_by_scenario_and_attempt(scenarios: Path, run: Run) -> None:
    """And lines name the scenario's file, not one of the package's."""
    result = run("scenarios/one", "--itbench-model=a.b=noop", "--itbench-model=noop", "-v")
    result.stdout.fnmatch_lines(
        [
            "scenarios/one/scenario.yaml::a.b-attempt-0 MISSED *%]",
            "_* one: a.b-attempt-0 _*",
            "_* one: noop-attempt-0 _*",
        ]
    )
