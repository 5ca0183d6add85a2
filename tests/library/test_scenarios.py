"""The scenarios of this repository: what a good one has, as far as it can be told without running it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pytest_itbench.domain.candidate import Reply
from pytest_itbench.domain.parts import split_parts
from pytest_itbench.domain.scenario import Domain, Scenario
from pytest_itbench.loading.scenario import find_duplicates, find_scenario_files, load_scenario
from pytest_itbench.models.controls import fence, read_solution
from pytest_itbench.models.replay import read_candidates
from pytest_itbench.solvers.extraction import take_candidate
from pytest_itbench.solvers.prompt import render_prompt
from pytest_itbench.validation.python_file import find_checks, load_validator

ROOT = Path(__file__).parents[2]
SCENARIOS = [load_scenario(path) for path in find_scenario_files(ROOT / "scenarios")]


def count_checks(scenario: Scenario) -> int:
    """How many checks its validators hold."""
    total = 0
    for validator in scenario.validators:
        if validator.path.suffix == ".py":
            total += len(find_checks(load_validator(scenario.directory, validator.path)))
        else:
            lines = validator.path.read_text().splitlines()
            total += sum(line.lstrip().startswith("check ") for line in lines)
    return total


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_a_scenario_is_complete(scenario: Scenario) -> None:
    """At least four checks and two counterexamples, and every level tells the task whole."""
    assert count_checks(scenario) >= 4
    assert len(scenario.counterexamples) >= 2
    assert scenario.directory.parent.name == scenario.domain
    prompts = [render_prompt(scenario, level).user for level in (1, 2, 3)]
    assert len(set(prompts)) == 3
    assert not any("{{ " in prompt and "raw" in prompt for prompt in prompts)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_a_solution_survives_extraction(scenario: Scenario) -> None:
    """What is taken from the oracle's reply is the solution, to the letter."""
    solution = {name: text.rstrip() + "\n" for name, text in read_solution(scenario).items()}
    taken = take_candidate(Reply(text=fence(solution)), scenario.candidate)
    assert split_parts(scenario.candidate, taken.text) == solution


def test_every_domain_has_its_share() -> None:
    """Two scenarios in each domain, at least two of them with several hosts, ids unique."""
    assert {domain: n for domain, n in Counter(s.domain for s in SCENARIOS).items() if n < 2} == {}
    assert {scenario.domain for scenario in SCENARIOS} == set(Domain)
    assert sum(len(scenario.hosts) > 1 for scenario in SCENARIOS) >= 2
    assert find_duplicates(SCENARIOS) == []


def test_recordings_answer_every_scenario() -> None:
    """The sample of the demo holds five replies for each scenario that needs no cluster, and none for others."""
    recordings = read_candidates(ROOT / "fixtures" / "candidates" / "sample.jsonl")[""]
    assert {name: sorted(replies) for name, replies in recordings.items()} == {
        scenario.id: [0, 1, 2, 3, 4] for scenario in SCENARIOS if not (scenario.cluster or scenario.needs)
    }


@pytest.mark.parametrize(
    "script", sorted(ROOT.glob("scenarios/finops/*/make_table.py")), ids=lambda path: path.parent.name
)
def test_tables_are_what_their_scripts_make(script: Path) -> None:
    """Tables, prompts, truth and manifests come from the script that stands beside them."""
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
