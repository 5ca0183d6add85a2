"""The scenarios of this repository: what a good one has, as far as it can be told without running it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pytest_itbench.canary import find_unmarked, read_canary
from pytest_itbench.domain.candidate import Reply
from pytest_itbench.domain.outcome import FailureKind
from pytest_itbench.domain.parts import split_parts
from pytest_itbench.domain.scenario import CandidateKind, Domain, Scenario
from pytest_itbench.loading.scenario import find_duplicates, find_scenario_files, load_scenario
from pytest_itbench.models.controls import fence, read_solution
from pytest_itbench.models.replay import read_candidates
from pytest_itbench.proofs import identify
from pytest_itbench.solvers.extraction import take_candidate
from pytest_itbench.solvers.prompt import render_prompt
from pytest_itbench.testing.authoring import count_checks, list_checks, measure_solution

ROOT = Path(__file__).parents[2]
SCENARIOS = [load_scenario(path) for path in find_scenario_files(ROOT / "scenarios")]
ANSIBLE = [scenario for scenario in SCENARIOS if scenario.hosts and scenario.candidate is CandidateKind.PLAYBOOK]
OWN_CHECKS = ("applied", "applied after the change", "idempotent")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_a_scenario_is_complete(scenario: Scenario) -> None:
    """At least four checks and two counterexamples, and every level tells the task whole."""
    assert count_checks(scenario) >= 4
    assert len(scenario.counterexamples) >= 2
    assert scenario.directory.parent.name == scenario.domain
    prompts = [render_prompt(scenario, level).user for level in (1, 2, 3)]
    assert len(set(prompts)) == 3
    assert not any("{{ " in prompt and "raw" in prompt for prompt in prompts)


@pytest.mark.parametrize("scenario", ANSIBLE, ids=lambda scenario: scenario.id)
def test_an_ansible_scenario_keeps_the_standard(scenario: Scenario) -> None:
    """Five to ten checks with one that nothing else was touched, three mistakes, the difficulty that was counted."""
    checks = list_checks(scenario)
    assert 5 <= len(checks) <= 10
    assert any("untouched" in name for name in checks)
    assert len(scenario.counterexamples) >= 3
    caught = {example.caught_by for example in scenario.counterexamples}
    assert caught <= {*checks, *OWN_CHECKS, *FailureKind}
    assert len(caught & {*checks, *OWN_CHECKS}) >= 2
    assert scenario.difficulty is measure_solution(scenario).difficulty
    assert ("several-hosts" in scenario.tags) == (len(scenario.hosts) > 1)


def test_the_ansible_library_has_its_shares() -> None:
    """Six scenarios in each domain, and enough of each manner; few images to build."""
    counts = Counter(scenario.domain for scenario in ANSIBLE)
    assert min(counts.values()) >= 6
    assert len(counts) == 7
    tags = Counter(tag for scenario in ANSIBLE for tag in scenario.tags)
    wanted = {"several-hosts": 8, "repair": 8, "administration": 6, "unsafe-shortcut": 4}
    assert {tag: tags[tag] for tag, least in wanted.items() if tags[tag] < least} == {}
    assert sum(bool(scenario.between) for scenario in ANSIBLE) >= 4
    assert len({(host.image, host.packages) for scenario in ANSIBLE for host in scenario.hosts}) <= 6


def test_every_scenario_has_an_identity_of_its_own() -> None:
    """By which a proof is known to hold for it as it is."""
    assert len({identify(scenario) for scenario in SCENARIOS}) == len(SCENARIOS)


def test_every_file_has_the_canary() -> None:
    """By which the library's text is found again."""
    library = ROOT / "scenarios"
    assert list(find_unmarked(library, read_canary(library))) == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_a_solution_survives_extraction(scenario: Scenario) -> None:
    """What is taken from the oracle's reply is the solution, to the letter."""
    solution = {name: text.rstrip() + "\n" for name, text in read_solution(scenario).items()}
    taken = take_candidate(Reply(text=fence(solution)), scenario.candidate)
    assert split_parts(scenario.candidate, taken.text) == solution


def test_every_domain_has_its_share() -> None:
    """Four scenarios or more in each domain, ids unique."""
    assert {domain: n for domain, n in Counter(s.domain for s in SCENARIOS).items() if n < 4} == {}
    assert {scenario.domain for scenario in SCENARIOS} == set(Domain)
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
