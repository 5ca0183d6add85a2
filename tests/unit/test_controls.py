"""The models that know their answer: oracle, noop and file, for each kind of candidate."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from pytest_itbench.domain.candidate import ModelChoice, Prompt, Request
from pytest_itbench.domain.parts import split_parts
from pytest_itbench.domain.scenario import PARTS, CandidateKind, Scenario
from pytest_itbench.errors import OptionMistake, ProviderTrouble
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.models.controls import File, Noop, Oracle
from pytest_itbench.solvers.extraction import take_candidate

TEXTS = {
    "playbook.yml": "- hosts: all\n  tasks: []\n",
    "script.sh": "cat <<'END'\n```\nEND\n  `````\n",
    "manifests.yaml": "kind: List\n",
    "policy.rego": "package check\nresult := true\n",
    "policy.yaml": "kind: ClusterPolicy\n",
    "answer.json": '{"right": true}\n',
}
READ: Mapping[str, Callable[[str], object]] = {".json": json.loads, ".yaml": yaml.safe_load, ".yml": yaml.safe_load}
PLACES = {"playbook": "hosts", "audit": "hosts", "policy": "", "answer": ""}


@pytest.fixture
def make(tmp_path: Path) -> Callable[[CandidateKind], Scenario]:
    """A scenario that asks for a kind of candidate."""

    def make(kind: CandidateKind) -> Scenario:
        (tmp_path / "solution").mkdir()
        for part in PARTS[kind]:
            (tmp_path / "solution" / part).write_text(TEXTS[part])
        place = {"hosts": "hosts: {web: {}}", "cluster": "cluster: {namespaces: {shop: {rights: edit}}}", "": ""}
        text = f"id: one\ntitle: x\ndomain: sre\ndifficulty: easy\ncandidate: {kind}\n"
        (tmp_path / "scenario.yaml").write_text(text + place[PLACES.get(kind, "cluster")])
        blocks = "".join(f"{{% block level_{n} %}}x{{% endblock %}}" for n in (1, 2, 3))
        (tmp_path / "prompt.md.j2").write_text(blocks)
        (tmp_path / "validate.py").write_text("def check_it(candidate): pass\n")
        return load_scenario(tmp_path / "scenario.yaml")

    return make


def choose(kind: str, name: str = "") -> ModelChoice:
    return ModelChoice(label="m", kind=kind, name=name)


def ask(model: Oracle | Noop | File, scenario: Scenario) -> dict[str, str]:
    """The parts that the harness takes from a model's reply."""
    reply = model.ask(Request(scenario=scenario, index=0, prompt=Prompt(system="", user="")))
    return split_parts(scenario.candidate, take_candidate(reply, scenario.candidate).text)


@pytest.mark.parametrize("kind", CandidateKind)
def test_the_oracle_hands_in_the_solution(make: Callable[[CandidateKind], Scenario], kind: CandidateKind) -> None:
    """To the letter, fences within it and all."""
    assert ask(Oracle(choose("oracle")), make(kind)) == {part: TEXTS[part] for part in PARTS[kind]}


@pytest.mark.parametrize("kind", CandidateKind)
def test_noop_hands_in_something_valid(make: Callable[[CandidateKind], Scenario], kind: CandidateKind) -> None:
    """Every part is there, is what its suffix says, and is not the solution."""
    parts = ask(Noop(choose("noop")), make(kind))
    assert list(parts) == list(PARTS[kind])
    for name, text in parts.items():
        assert text != TEXTS[name]
        assert READ.get(Path(name).suffix, str)(text) is not None


@pytest.mark.parametrize(
    ("kind", "file", "replaced"),
    [
        ("playbook", "wrong.yaml", "playbook.yml"),
        ("script", "wrong.sh", "script.sh"),
        ("script", "wrong.txt", "script.sh"),
        ("answer", "wrong.json", "answer.json"),
        ("evidence", "wrong.rego", "policy.rego"),
        ("evidence", "wrong.sh", "script.sh"),
        ("audit", "wrong.yaml", "playbook.yml"),
        ("audit", "wrong.rego", "policy.rego"),
    ],
)
def test_a_file_takes_the_place_of_its_part(
    make: Callable[[CandidateKind], Scenario], tmp_path: Path, kind: str, file: str, replaced: str
) -> None:
    """The part in the same language is replaced; the others are the solution's."""
    scenario = make(CandidateKind(kind))
    (tmp_path / file).write_text("- hosts: wrong\n")
    wanted = {part: TEXTS[part] for part in PARTS[CandidateKind(kind)]} | {replaced: "- hosts: wrong\n"}
    assert ask(File(choose("file", str(tmp_path / file))), scenario) == wanted


@pytest.mark.parametrize("file", ["wrong", "wrong.json", "wrong.txt"])
def test_a_file_that_is_no_part_is_told(make: Callable[[CandidateKind], Scenario], tmp_path: Path, file: str) -> None:
    """Nothing is replaced silently, and the solution does not pass for somebody else's answer."""
    scenario = make(CandidateKind.EVIDENCE)
    (tmp_path / file).write_text("x\n")
    with pytest.raises(ProviderTrouble, match=r"none of the candidate's parts: script\.sh, policy\.rego"):
        ask(File(choose("file", str(tmp_path / file))), scenario)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Before anything starts."""
    with pytest.raises(OptionMistake, match="cannot be read"):
        File(choose("file", str(tmp_path / "gone.sh")))
