"""Scenarios without hosts, and those whose cluster is not there, from collection to reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]
Outcomes = Callable[[], list[dict[str, Any]]]

PROMPT = "".join(f"{{% block level_{n} %}}Find the sum.{{% endblock %}}\n" for n in (1, 2, 3))
CHECKS = """
def check_sum_is_right(candidate):
    assert candidate.answer["sum"] == 7, "another sum"


def check_sum_is_near(candidate, score):
    off = abs(candidate.answer["sum"] - 7)
    score(1 - off / 10)
    assert off < 5
"""


@pytest.fixture
def answer(pytester: pytest.Pytester) -> Path:
    """A scenario that asks for data."""
    return write(
        pytester.path / "scenarios" / "total",
        "candidate: answer\n",
        {"solution/answer.json": '{"sum": 7}', "validate.py": CHECKS},
    )


@pytest.fixture
def cluster(pytester: pytest.Pytester) -> Path:
    """A scenario that needs a cluster."""
    return write(
        pytester.path / "scenarios" / "shop",
        "candidate: script\ncluster: {namespaces: {shop: {rights: edit}}}\n",
        {"solution/script.sh": "true\n", "validate.py": "def check_it(cluster): assert False\n"},
    )


def write(directory: Path, extra: str, files: dict[str, str]) -> Path:
    (directory / "solution").mkdir(parents=True)
    (directory / "scenario.yaml").write_text(f"title: A test\ndomain: finops\ndifficulty: easy\n{extra}")
    (directory / "prompt.md.j2").write_text(PROMPT)
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that names a cluster, and no kind on the PATH."""
    for name in ("KUBECONFIG", "CONTEXT", "CLUSTER"):
        monkeypatch.delenv(f"PYTEST_ITBENCH_{name}", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_an_answer_is_judged(
    pytester: pytest.Pytester, answer: Path, run: Run, outcomes: Outcomes, workers: str
) -> None:
    """Oracle, noop and a file of one's own: verdict, kind and score, and the candidate among the evidence."""
    pytester.path.joinpath("near.json").write_text('{"sum": 9}')
    pytester.path.joinpath("broken.json").write_text("{")
    files = [f"--itbench-model={name}=file:{name}.json" for name in ("near", "broken")]
    result = run(str(answer), "--itbench-model=oracle", "--itbench-model=noop", *files, workers)
    result.assert_outcomes(passed=1, failed=3)
    found = {outcome["key"]["model"]: outcome for outcome in outcomes()}
    assert {name: (each["verdict"], each["kind"], each["score"]) for name, each in found.items()} == {
        "oracle": ("solved", None, 1.0),
        "noop": ("missed", "checks failed", 0.0),
        "near": ("missed", "checks failed", 0.8),
        "broken": ("missed", "checks failed", 0.0),
    }
    assert "the answer is no valid JSON" in found["broken"]["message"]
    assert [check["score"] for check in found["near"]["checks"]] == [None, None, 0.8]
    kept = pytester.path / "reports" / "r" / found["near"]["evidence"]["candidate"]
    assert (kept.name, kept.read_text()) == ("candidate.json", '{"sum": 9}\n')


def test_an_answer_needs_no_provider_of_hosts(
    answer: Path, run: Run, monkeypatch: pytest.MonkeyPatch, outcomes: Outcomes
) -> None:
    """No container engine is looked for."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    run(str(answer), "--itbench-model=oracle", "--itbench-environment=docker").assert_outcomes(passed=1)
    assert [outcome["verdict"] for outcome in outcomes()] == ["solved"]


def test_an_answer_can_be_proven(pytester: pytest.Pytester, answer: Path) -> None:
    """Noop is missed, the solution passes twice, a counterexample is caught by its check."""
    with (answer / "scenario.yaml").open("a") as file:
        file.write("counterexamples: [{path: wrong.json, caught_by: sum_is_right, why: another sum}]\n")
    (answer / "wrong.json").write_text('{"sum": 8}')
    pytester.runpytest_subprocess(str(answer), "--itbench-prove").assert_outcomes(passed=4)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_without_a_cluster_its_scenarios_are_skipped(
    pytester: pytest.Pytester, answer: Path, cluster: Path, run: Run, outcomes: Outcomes, workers: str
) -> None:
    """With the reason; they are neither lost nor missed, and gates and reports are about the rest."""
    del answer, cluster
    result = run("scenarios", "--itbench-model=oracle", "--itbench-gate=pass@1 >= 100%", "-rs", workers)
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["SKIPPED*cannot be tried here: no cluster is named (--itbench-kubeconfig*"])
    result.stdout.fnmatch_lines(["1 attempt skipped: no cluster is named (--itbench-kubeconfig, --itbench-cluster)"])
    assert [(each["key"]["scenario"], each["verdict"]) for each in outcomes()] == [("total", "solved")]
    summary = json.loads((pytester.path / "reports" / "r" / "summary.json").read_text())
    assert [each["scenario"] for each in summary["scenarios"]] == ["total"]


def test_a_run_of_nothing_but_clusters_is_skipped(cluster: Path, run: Run) -> None:
    """Nothing is lost, and nothing failed."""
    result = run(str(cluster), "--itbench-model=oracle")
    result.assert_outcomes(skipped=1)
    result.stdout.no_fnmatch_line("*not run*")


def test_candidates_can_be_asked_for_without_a_cluster(cluster: Path, run: Run) -> None:
    """To ask a model takes none."""
    run(str(cluster), "--itbench-model=oracle", "--itbench-generate-only").assert_outcomes(passed=1)


@pytest.mark.parametrize("given", ["minicube", "k3s:one", "kind:", "kind:Upper"])
def test_a_cluster_of_an_unknown_kind_is_refused(cluster: Path, run: Run, given: str) -> None:
    """One line, status 4."""
    result = run(str(cluster), "--itbench-model=oracle", f"--itbench-cluster={given}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = f"ERROR: --itbench-cluster: '{given}' cannot be used: must be kind, kind:NAME or k3s"
    result.stderr.fnmatch_lines([said])
