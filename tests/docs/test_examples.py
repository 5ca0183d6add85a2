"""What the pages show works: each example is run, read or parsed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import testinfra
import yaml

from pytest_itbench import wire
from pytest_itbench.domain.outcome import Verdict
from pytest_itbench.domain.scenario import Validator
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.replay import read_candidates
from pytest_itbench.solvers.prompt import render_prompt
from pytest_itbench.testing.authoring import measure_solution
from pytest_itbench.testing.cluster_conformance import write_cluster_scenario
from pytest_itbench.validation.python_file import find_checks, load_validator
from pytest_itbench.validation.shell_file import run_shell_validator
from tests.docs.conftest import write_guide

Examples = Mapping[str, str]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
REPORTS = Path("reports", "r")
TESTED = Path(__file__).read_text("utf-8")


def read_outcomes(place: Path) -> list[dict[str, Any]]:
    lines = (place / REPORTS / "outcomes.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_example_has_a_name_and_a_test(blocks: list[tuple[Path, re.Match[str]]]) -> None:
    """No block of code is left out, and no name is used twice."""
    code = [(page, block) for page, block in blocks if block["language"] not in ("text", "console")]
    assert [f"{page.name}: {block['text'][:80]}" for page, block in code if block["kind"] != "example"] == []
    names = [block["name"] for _, block in code]
    assert len(names) == len(set(names))
    assert [name for name in names if f'"{name}"' not in TESTED] == []


def test_options_in_a_project_file(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The ini keys are taken, and every model gets its attempts."""
    (tmp_path / "pytest.ini").unlink()
    (tmp_path / "pyproject.toml").write_text(examples["options-ini"])
    listed = run("--collect-only", "-q").stdout
    assert "scenarios/maintenance-notice/scenario.yaml::oracle-attempt-4" in listed
    assert "scenarios/maintenance-notice/scenario.yaml::local-attempt-0" in listed


def test_replay(examples: Examples, tmp_path: Path) -> None:
    """The recordings are read, each for its attempt."""
    path = tmp_path / "recorded.jsonl"
    path.write_text(examples["replay"])
    replies = read_candidates(path)[""]
    assert {name: sorted(mine) for name, mine in replies.items()} == {"maintenance-notice": [0, 1], "web-server": [4]}


def test_script(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The script's reply holds a candidate, which misses."""
    (tmp_path / "ask.py").write_text(examples["script"])
    run("scenarios", f"--itbench-model=agent=script:{sys.executable} ask.py")
    assert [outcome["kind"] for outcome in read_outcomes(tmp_path)] == ["checks failed"]


def test_chat(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The test of the page passes: the endpoint is asked once."""
    (tmp_path / "test_asking.py").write_text(examples["chat"])
    assert "1 passed" in run("test_asking.py").stdout


def test_outcome(examples: Examples) -> None:
    """The line is one that this version can read."""
    assert wire.load(json.loads(examples["outcome"])).verdict is Verdict.MISSED


@pytest.mark.parametrize(("model", "status"), [("oracle", 0), ("noop", 1)])
def test_gate(examples: Examples, tmp_path: Path, run: Run, model: str, status: int) -> None:
    """The gate opens for a model that solves everything."""
    (tmp_path / "gate.py").write_text(examples["gate"])
    run("scenarios", f"--itbench-model={model}")
    gate = [sys.executable, str(tmp_path / "gate.py"), str(tmp_path / REPORTS / "summary.json")]
    assert subprocess.run(gate, check=False).returncode == status


def test_scenario(examples: Examples, tmp_path: Path) -> None:
    """The file is right once the files that it names are there, and the prompt has all levels."""
    for name in ("environment/nginx.conf", "environment/setup.yml", "environment/break.sh", "solution/playbook.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "counterexamples").mkdir()
    (tmp_path / "counterexamples" / "wrong-mode.yml").touch()
    (tmp_path / "validate.sh").touch()
    (tmp_path / "prompt.md.j2").write_text(examples["prompt"])
    (tmp_path / "scenario.yaml").write_text("id: example\n" + examples["scenario"])
    scenario = load_scenario(tmp_path / "scenario.yaml")
    assert [host.name for host in scenario.hosts] == ["web", "db"]
    prompts = [render_prompt(scenario, level).user for level in (1, 2, 3)]
    assert all("0644" in prompt for prompt in prompts)
    assert "among them web" in prompts[2]


@pytest.mark.parametrize("name", ["live-step", "network", "between"])
def test_parts_of_a_scenario(examples: Examples, make_scenario: Callable[..., Path], name: str) -> None:
    """They are right within a scenario, and say what the page says."""
    file = make_scenario("one", extra=examples[name].replace("environment/", "")) / "scenario.yaml"
    for script in ("break-config.sh", "new-service.sh"):
        (file.parent / script).touch()
    scenario = load_scenario(file)
    assert [step.live for step in scenario.trigger] == [True] * (name == "live-step")
    assert [grant.ports for grant in scenario.network] == [(80,)] * (name == "network")
    assert [step.path.name for step in scenario.between] == ["new-service.sh"] * (name == "between")


GUIDE = (
    "guide-crontab",
    "guide-report",
    "guide-scenario",
    "guide-validate",
    "guide-solution",
    "guide-at-the-end",
    "guide-whole-file",
    "guide-table-of-root",
    "guide-prompt",
)


def test_guide(blocks: list[tuple[Path, re.Match[str]]], tmp_path: Path) -> None:
    """The page's files make a whole scenario; that it can be proven is for tests/engine to see."""
    assert (
        tuple(block["name"] for page, block in blocks if page.name == "authoring.md" if block["kind"] == "example")
        == GUIDE
    )
    scenario = write_guide(tmp_path / "cron-mail")
    assert len(find_checks(load_validator(scenario.directory, scenario.validators[0].path))) == 5
    assert measure_solution(scenario).difficulty is scenario.difficulty
    assert len({render_prompt(scenario, level).user for level in (1, 2, 3)}) == 3


def test_validate_py(examples: Examples, tmp_path: Path) -> None:
    """The validator can be imported, and its checks are found in order."""
    (tmp_path / "wanted.py").write_text('NOTICE = "x"\n')
    (tmp_path / "validate.py").write_text(examples["validate-py"])
    names = [name for name, _ in find_checks(load_validator(tmp_path, tmp_path / "validate.py"))]
    assert names == ["notice_holds_the_text", "notice_can_be_read", "only_public_hosts_have_it"]


def test_validate_sh(examples: Examples, tmp_path: Path, make_scenario: Callable[..., Path]) -> None:
    """The script's checks are found, with what they printed."""
    scenario = load_scenario(make_scenario() / "scenario.yaml")
    (tmp_path / "validate.sh").write_text(examples["validate-sh"].replace("/etc/notice", str(tmp_path / "notice")))
    validator = Validator(path=tmp_path / "validate.sh", host="web")
    (tmp_path / "notice").touch(0o600)
    found = list(run_shell_validator(scenario, validator, {"web": testinfra.get_host("local://")}))
    assert [(check.name, check.passed) for check in found] == [("notice_exists", True), ("notice_can_be_read", False)]
    assert found[1].message == "mode 600"


@pytest.mark.parametrize(
    ("name", "model", "expected"),
    [
        ("itbench_model", "fixture:night-shift", "checks failed"),
        ("itbench_model", "oracle", None),
        ("itbench_solver", "oracle", None),
        ("itbench_validator", "oracle", None),
        ("itbench_environment", "oracle", None),
    ],
)
def test_conftest(examples: Examples, tmp_path: Path, run: Run, name: str, model: str, expected: str | None) -> None:
    """A conftest that replaces a fixture leaves the run as it should be."""
    (tmp_path / "conftest.py").write_text(examples[name])
    done = run("scenarios", f"--itbench-model={model}")
    assert [outcome["kind"] for outcome in read_outcomes(tmp_path)] == [expected], done.stdout


def test_conftests_do_what_they_say(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The replaced validator and environment leave their marks."""
    conftests = [examples[name] for name in ("itbench_validator", "itbench_environment")]
    (tmp_path / "conftest.py").write_text("\n\n".join(conftests))
    run("scenarios", "--itbench-model=oracle")
    (outcome,) = read_outcomes(tmp_path)
    assert "web_keeps_its_name" in [check["name"] for check in outcome["checks"]]
    assert (tmp_path / REPORTS / outcome["evidence"]["hosts before"]).read_text() == "web"


def test_hooks(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The hooks are called; the summary's hook writes its file."""
    (tmp_path / "conftest.py").write_text(examples["hooks"])
    run("scenarios", "--itbench-model=oracle")
    assert (tmp_path / REPORTS / "rates.txt").read_text().splitlines()[0] == "oracle 1 1.0"


def test_hooks_of_the_reference(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The examples in the hooks' own words run as they stand."""
    upload = "def upload(path):\n    print('uploaded', path.name)\n\n"
    own = [examples["hook-pytest_itbench_outcome"], examples["hook-pytest_itbench_summary"]]
    (tmp_path / "conftest.py").write_text(upload + "\n\n".join(own))
    printed = run("scenarios", "--itbench-model=oracle", "-s").stdout
    assert "maintenance-notice/oracle/0 solved" in printed
    assert "uploaded summary.json" in printed


def test_entry_points(examples: Examples, tmp_path: Path, run: Run) -> None:
    """An installed package adds a model, an environment and a report."""
    project = tomllib.loads(examples["entry-points"])["project"]
    site = tmp_path / "site"
    info = site / f"acme_itbench-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (site / "acme_itbench.py").write_text(examples["entry-points-module"])
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n".join(groups))
    (tmp_path / "conftest.py").write_text(examples["reporter"])
    done = run("scenarios", "--itbench-model=acme:small", "--itbench-environment=lab", path=site)
    assert (tmp_path / REPORTS / "misses.txt").read_text() == "maintenance-notice/acme-small/0", done.stderr
    assert "acme: needs a name" in run("scenarios", "--itbench-model=acme", path=site).stderr


def test_conformance(examples: Examples, tmp_path: Path, run: Run) -> None:
    """The suite can be subclassed as shown."""
    (tmp_path / "test_lab.py").write_text(examples["conformance"])
    done = run("test_lab.py")
    assert done.returncode == 0, done.stdout


def test_workflow(examples: Examples) -> None:
    """The CI job is YAML with steps."""
    job = yaml.safe_load(examples["ci-job"])["jobs"]["models"]
    assert any("--itbench-model" in step.get("run", "") for step in job["steps"])


def test_cluster_scenario(examples: Examples, tmp_path: Path) -> None:
    """The part of the file is right beside a stack, and the checks are found."""
    file = write_cluster_scenario(tmp_path)
    stack = Path(__file__).parents[2] / "fixtures" / "shop"
    file.write_text(examples["cluster-scenario"].replace("../../../fixtures/shop", str(stack)))
    (file.parent / "validate.py").write_text(examples["cluster-checks"])
    scenario = load_scenario(file)
    assert scenario.cluster
    assert [fault.kind for fault in scenario.cluster.faults] == ["scaled-to-zero"]
    found = find_checks(load_validator(file.parent, file.parent / "validate.py"))
    assert [name for name, _ in found] == ["stock_has_its_replica", "nothing_else_changed", "alerts_stay_silent"]
