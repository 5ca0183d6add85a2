"""Gates, baselines and the exit status; runs that are resumed, sharded and merged."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]
RIGHT = "```yaml\n- hosts: all\n# right\n```"
WRONG = "```yaml\n- hosts: all\n# wrong\n```"
BROKEN = "```yaml\n- hosts: all\n# fake: engine\n```"
SCENARIOS = ("ant", "bee", "cat", "dog", "eel", "fox")
COMMAND = Path(sys.executable).with_name("pytest-itbench")
WORKERS = ("-n0", "-n4")


@pytest.fixture
def place(pytester: pytest.Pytester, make_scenario: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six scenarios on fake environments."""
    monkeypatch.setenv("PYTEST_ITBENCH_ENVIRONMENT", "fake")
    for name in SCENARIOS:
        make_scenario(name, below=pytester.path / "scenarios")
    return pytester.path


@pytest.fixture
def run(pytester: pytest.Pytester, place: Path) -> Run:
    """Tries replies that are given by a letter for each attempt: r(ight), w(rong), i(nvalid)."""

    def run(letters: str, *arguments: str, scenarios: str = "scenarios") -> pytest.RunResult:
        replies = {"r": RIGHT, "w": WRONG, "i": BROKEN}
        lines = [json.dumps({"scenario": name, "reply": replies[each]}) for name in SCENARIOS for each in letters]
        (place / f"{letters}.jsonl").write_text("\n".join(lines))
        model = (f"--itbench-model=m=replay:{letters}.jsonl", f"--itbench-attempts={len(letters)}")
        return pytester.runpytest_subprocess(scenarios, *model, "--tb=no", "-rN", *arguments)

    return run


def read_summary(place: Path, name: str) -> Any:
    """A run's summary.json."""
    return json.loads((place / "reports" / name / "summary.json").read_text())


def read(place: Path, name: str) -> list[str]:
    """The verdicts of a run, sorted by attempt."""
    lines = (place / "reports" / name / "outcomes.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    records.sort(key=lambda record: (record["key"]["scenario"], record["key"]["index"]))
    return [f"{record['key']['scenario']}{record['key']['index']} {record['verdict']}" for record in records]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize(
    ("letters", "gate", "status"),
    [
        ("rr", "pass@1 >= 0.6", 0),
        ("rw", "pass@1 >= 0.5", 0),
        ("rw", "pass@1 >= 0.6", 1),
        ("rw", "pass@2 >= 0.6", 0),
        ("ri", "pass@1 >= 0.6", 10),
        ("ri", "pass@1 >= 0.6 and invalid_rate <= 0.5", 0),
        ("ri", "pass@2 >= 0.6 and invalid_rate <= 0.5", 10),
        ("ri", "pass@1 >= 0.6 and invalid_rate <= 2%", 1),
    ],
)
def test_a_gate_decides(run: Run, workers: str, letters: str, gate: str, status: int) -> None:
    """Met 0, not met 1, and 10 where valid attempts are lacking; misses alone do not fail a run any more."""
    assert run(letters, workers, f"--itbench-gate={gate}").ret == status


def test_without_a_gate_a_miss_fails(run: Run) -> None:
    """As any failed test does."""
    assert run("rw").ret == pytest.ExitCode.TESTS_FAILED
    assert run("rr").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("workers", WORKERS)
def test_a_failure_that_is_no_attempt_is_not_forgiven(run: Run, place: Path, workers: str) -> None:
    """A gate that is met does not hide another test's failure."""
    (place / "scenarios" / "test_other.py").write_text("def test_other():\n    assert False\n")
    assert run("rr", workers, "--itbench-gate=pass@1 >= 0.6").ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize(
    ("letters", "margin", "finding", "status"),
    [
        ("rrw", "0.05", "not worse than old: m", 0),
        ("rrr", "0.05", "better than old: m", 0),
        ("www", "0.05", "worse than old: m", 1),
        ("rww", "0.05", "worse than old: m", 1),
    ],
)
def test_a_baseline_decides(run: Run, workers: str, letters: str, margin: str, finding: str, status: int) -> None:
    """Not worse or better 0, worse 1; scenarios that flipped are named."""
    run("rrw", "--itbench-run=old")
    result = run(letters, workers, "--itbench-baseline=old", f"--itbench-margin={margin}")
    assert result.ret == status
    result.stdout.fnmatch_lines([finding])


@pytest.mark.parametrize("workers", WORKERS)
def test_too_few_scenarios_are_inconclusive(run: Run, workers: str) -> None:
    """Exit status 11, with what would settle the question."""
    one = "scenarios/ant"
    run("rw", "--itbench-run=old", scenarios=one)
    result = run("rw", workers, "--itbench-baseline=reports/old/summary.json", scenarios=one)
    assert result.ret == 11
    result.stdout.fnmatch_lines(["inconclusive against old: m"])


def test_unlike_runs_are_not_compared(run: Run, place: Path) -> None:
    """The difference is named, before anything is run."""
    run("rw", "--itbench-run=old")
    sampled = run("rw", "--itbench-baseline=old", "--itbench-temperature=0.3")
    assert sampled.ret == pytest.ExitCode.USAGE_ERROR
    sampled.stderr.fnmatch_lines(["ERROR: --itbench-baseline: temperature not set, now 0.3"])
    validator = place / "scenarios" / "ant" / "validate.py"
    validator.write_text(validator.read_text() + "\n# corrected\n")
    changed = run("rw", "--itbench-baseline=old", "-n2")
    assert changed.ret == pytest.ExitCode.USAGE_ERROR
    changed.stderr.fnmatch_lines(["ERROR: --itbench-baseline: scenario ant has other validators"])
    fewer = run("rw", "--itbench-baseline=old", scenarios="scenarios/bee")
    fewer.stderr.fnmatch_lines(["ERROR: --itbench-baseline: scenario ant is not tried now; scenario cat*"])


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("pas@1 >= 0.6", "*unknown figure 'pas@'*"),
        ("pass@1 => 0.6", "*expected *one of >= <= > < ==*"),
        ("pass@9 >= 0.6", "*'pass@9 >= 0.6' needs --itbench-attempts=9, not 2"),
        ("pass@1[domain=cooking] >= 0.6", "*the run has no domain 'cooking'; it has: templating"),
    ],
)
def test_a_gate_that_cannot_be_read_stops_the_run(run: Run, place: Path, gate: str, said: str) -> None:
    """Exit status 4, before anything is run."""
    result = run("rw", f"--itbench-gate={gate}", "--itbench-run=r")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --itbench-gate: {said}"])
    assert not (place / "reports" / "r" / "outcomes.jsonl").exists()


@pytest.mark.parametrize("workers", WORKERS)
def test_a_resumed_run_runs_the_rest(run: Run, pytester: pytest.Pytester, place: Path, workers: str) -> None:
    """What has a valid outcome stays, what was invalid or never ran is run; options are the run's."""
    run("ri", "--itbench-run=r", "-k", "ant or bee", workers)
    assert read(place, "r") == ["ant0 solved", "ant1 invalid", "bee0 solved", "bee1 invalid"]
    (place / "ri.jsonl").write_text((place / "ri.jsonl").read_text().replace("fake: engine", "right"))
    with (place / "reports" / "r" / "outcomes.jsonl").open("a") as file:
        file.write('{"schema": 1, "key": {"scen')
    result = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r", workers)
    assert result.parseoutcomes()["passed"] == 10
    assert result.ret == 0
    result.stdout.fnmatch_lines(["12 attempts: 12 solved, 0 missed, 0 invalid"])
    again = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r", "--itbench-gate=pass@2 >= 1", workers)
    assert again.ret == 0
    again.stdout.fnmatch_lines(["gate passed: m: pass@2 = 1 *"])


def test_a_run_that_changed_is_not_resumed(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """Half a run made in one way and half in another would be neither."""
    run("rw", "--itbench-run=r", "-k", "ant or bee")
    prompt = place / "scenarios" / "ant" / "prompt.md.j2"
    prompt.write_text(f"{prompt.read_text()}{{# new #}}\n")
    result = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: run r was made otherwise: scenario ant has another task"])
    nothing = pytester.runpytest_subprocess("scenarios", "--itbench-resume=s")
    nothing.stderr.fnmatch_lines(["ERROR: s is no run: *; runs there: r"])


def test_shards_merge_to_the_whole(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """To the last digit, evidence and all."""
    run("rwr", "--itbench-run=whole")
    for part in (1, 2):
        run("rwr", f"--itbench-shard={part}/2", f"--itbench-run=part-{part}", "-n2")
    merged = pytester.run(COMMAND, "merge", "reports/merged", "part-1", "part-2")
    assert merged.ret == 0
    whole, put_together = read_summary(place, "whole"), read_summary(place, "merged")
    for summary in (whole, put_together):
        for group in summary["groups"]:
            del group["seconds"]
        for attempt in (attempt for scenario in summary["scenarios"] for attempt in scenario["attempts"]):
            assert (place / "reports" / "merged" / attempt["evidence"]["reply"]).is_file()
            for own in ("started", "worker", "timings"):
                del attempt[own]
    for figures in ("totals", "groups", "scenarios", "failure_kinds"):
        assert whole[figures] == put_together[figures]
    twice = pytester.run(COMMAND, "merge", "reports/again", "part-1", "whole")
    assert twice.ret == 4
    twice.stderr.fnmatch_lines(["ERROR: attempt ant/m/0 is in whole and in another run too"])


def test_compare_says_what_changed(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """The finding is the exit status; a page puts both side by side."""
    run("rrw", "--itbench-run=old")
    run("www", "--itbench-run=new")
    result = pytester.run(COMMAND, "compare", "old", "new", "--html", "both.html")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["worse than old: m", "  ant: solved 2/3, now 0/3"])
    assert "new: m" in (place / "both.html").read_text()
    assert pytester.run(COMMAND, "compare", "old", "old").ret == 0


def test_regrade_lists_what_changed(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """Stored replies are judged by the validators as they are now."""
    run("rw", "--itbench-run=r", "--itbench-level=3")
    validator = place / "scenarios" / "ant" / "validate.py"
    validator.write_text(validator.read_text().replace('"right" in', '"hosts" in'))
    result = pytester.run(COMMAND, "regrade", "r", "scenarios", "-n2", "-q")
    result.stdout.fnmatch_lines(["ant/m/1: missed, now solved", "1 of 12 verdicts changed"])
    (choice,) = read_summary(place, "r-regraded-1")["run"]["choices"]
    assert choice["level"] == 3


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize(
    ("letters", "gate", "status"),
    [("wwwww", "pass@1 >= 0.5", 1), ("rrrrr", "pass@1 >= 0.5", 0), ("rrrrr", "pass@3 < 0.5", 1)],
)
def test_early_stop_leaves_out_what_changes_nothing(
    run: Run, place: Path, workers: str, letters: str, gate: str, status: int
) -> None:
    """The answer is that of the whole run, and fewer attempts are made; none of them counts as lost."""
    (place / "conftest.py").write_text("import pytest_itbench.early_stop\npytest_itbench.early_stop.PAUSE = 0\n")
    result = run(letters, workers, f"--itbench-gate={gate}", "--itbench-early-stop", "--itbench-run=r")
    assert result.ret == status
    seen = result.parseoutcomes()
    assert seen["skipped"] >= 5
    assert seen["skipped"] + seen.get("passed", 0) + seen.get("failed", 0) == 30
    result.stdout.fnmatch_lines([f"{seen['skipped']} attempts left out: they could not change what the gates say"])
    summary = read_summary(place, "r")
    assert (summary["totals"]["lost"], summary["decision"]["left_out"]) == (0, seen["skipped"])


def test_early_stop_needs_a_gate(run: Run) -> None:
    """Without one, every attempt matters."""
    result = run("rw", "--itbench-early-stop")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --itbench-early-stop needs --itbench-gate, *"])


def test_export_and_history_read_stored_runs(run: Run, pytester: pytest.Pytester) -> None:
    """Tables of one run, and what models came to over all of them."""
    run("rw", "--itbench-run=first")
    run("rr", "--itbench-run=second", "--itbench-report=openmetrics")
    pytester.run(COMMAND, "export", "first").stdout.fnmatch_lines(["*pass@1*", "*50.0*"])
    written = pytester.run(COMMAND, "export", "second", "--format", "csv", "--output", "second.csv")
    assert (written.ret, (pytester.path / "second.csv").read_text().count("solved")) == (0, 12)
    pytester.run(COMMAND, "history").stdout.fnmatch_lines(["*first*", "*second*"])
    assert "itbench_pass_at_k" in (pytester.path / "reports" / "second" / "metrics.prom").read_text()
    missing = pytester.run(COMMAND, "export", "third")
    assert missing.ret == pytest.ExitCode.USAGE_ERROR
    missing.stderr.fnmatch_lines(["ERROR: third is no run: *; runs there: first, second"])


def test_a_ci_job_gets_the_summary(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is added to what the job has there already, with what the gates say."""
    summary = place / "job.md"
    summary.write_text("# Job\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run("rw", "--itbench-gate=pass@1 >= 0.6")
    text = summary.read_text()
    assert text.startswith("# Job\n")
    assert "| **m** | 6 | 0.50 " in text
    assert "- ❌ gate failed: m: pass" in text


def test_the_page_of_pytest_html_has_the_table(run: Run, place: Path) -> None:
    """At its head, with what the gates say."""
    run("rw", "--itbench-gate=pass@1 >= 0.6", "--html=page.html", "--self-contained-html")
    page = (place / "page.html").read_text()
    assert "gate failed: m: pass@1 = 0.5" in page
    assert "12 attempts: 6 solved, 6 missed, 0 invalid" in page


INTERRUPT = "def pytest_runtest_setup():\n    raise KeyboardInterrupt\n"
BREAK = "def pytest_itbench_outcome():\n    raise RuntimeError('broken')\n"


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize(
    ("conftest", "arguments", "status"),
    [
        (INTERRUPT, (), pytest.ExitCode.INTERRUPTED),
        (BREAK, (), pytest.ExitCode.INTERNAL_ERROR),
        ("", ("--itbench-attempts=x",), pytest.ExitCode.USAGE_ERROR),
        ("", ("-k", "nothing"), pytest.ExitCode.NO_TESTS_COLLECTED),
    ],
)
def test_pytests_own_statuses_are_never_touched(
    run: Run, place: Path, workers: str, conftest: str, arguments: tuple[str, ...], status: int
) -> None:
    """Whatever a gate says of what there is."""
    (place / "conftest.py").write_text(conftest)
    assert run("rr", workers, "--itbench-gate=pass@1 >= 0.6", *arguments).ret == status


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_a_resume_does_not_run_still_counts(
    run: Run, pytester: pytest.Pytester, place: Path, workers: str
) -> None:
    """Attempts that were invalid and are passed over again do not vanish, and no gate is passed without them."""
    gate = "--itbench-gate=pass@1 >= 0.5"
    assert run("ri", gate, "--itbench-run=r").ret == 10
    for selection in ("nothing", "ant"):
        result = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r", "-k", selection, gate, workers)
        assert result.ret == (5 if selection == "nothing" else 10)
    info = json.loads((place / "reports" / "r" / "run.json").read_text())
    assert info["planned"] == read_summary(place, "r")["totals"]["solved"] * 2 == 12


def test_early_stop_knows_what_a_resumed_run_has(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """Earlier misses count against the gate."""
    (place / "conftest.py").write_text("import pytest_itbench.early_stop\npytest_itbench.early_stop.PAUSE = 0\n")
    run("wwrrrr", "--itbench-attempts=2", "--itbench-run=r")
    more = ("--itbench-attempts=6", "--itbench-early-stop", "--itbench-gate=pass@1 >= 0.7")
    result = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r", *more)
    assert result.ret == 1
    assert result.parseoutcomes()["skipped"] >= 5


def test_a_finished_run_is_checked_as_well(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """What changed is told although there is nothing left to run, and how the run was made stays on disk."""
    run("rr", "--itbench-run=r")
    before = (place / "reports" / "r" / "run.json").read_text()
    other = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r", "--itbench-model=b=noop")
    other.stderr.fnmatch_lines(["ERROR: run r has the models m, not b; *"])
    validator = place / "scenarios" / "ant" / "validate.py"
    validator.write_text(validator.read_text() + "\n# changed\n")
    for workers in WORKERS:
        result = pytester.runpytest_subprocess("scenarios", "--itbench-resume=r", workers)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: run r was made otherwise: scenario ant has other validators"])
    assert (place / "reports" / "r" / "run.json").read_text() == before


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_resumed_shard_keeps_to_its_scenarios(run: Run, pytester: pytest.Pytester, place: Path, workers: str) -> None:
    """Also when fewer scenarios are collected than there were."""
    run("rr", "--itbench-shard=1/2", "--itbench-run=part")
    result = pytester.runpytest_subprocess("scenarios/bee", "--itbench-resume=part", workers)
    assert "bee0" not in "".join(read(place, "part"))
    assert result.ret == 0


def test_merge_takes_the_evidence_of_the_outcome(run: Run, pytester: pytest.Pytester, place: Path) -> None:
    """Of an attempt that was invalid in one run and valid in another, nothing of the invalid one is left."""
    for letters, name in (("ri", "first"), ("ir", "second")):
        run(letters)  # writes the file of replies
        (place / f"{letters}.jsonl").replace(place / "replies.jsonl")
        model = ("--itbench-model=m=replay:replies.jsonl", "--itbench-attempts=2")
        pytester.runpytest_subprocess("scenarios", *model, f"--itbench-run={name}")
    assert pytester.run(COMMAND, "merge", "reports/both", "first", "second").ret == 0
    assert read(place, "both") == [f"{name}{index} solved" for name in SCENARIOS for index in (0, 1)]
    for index in (0, 1):
        text = (place / "reports" / "both" / "attempts" / "ant" / f"m-{index}" / "candidate.yml").read_text()
        assert "right" in text
    summary = read_summary(place, "both")
    assert (summary["run"]["planned"], summary["totals"]["lost"]) == (12, 0)
