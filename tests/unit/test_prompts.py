"""What a model is told, for each kind of candidate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_itbench.domain.scenario import PARTS, CandidateKind, Scenario
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.solvers.prompt import SYSTEMS, render_prompt

SECRET = "hush-hush"
CLUSTER = f"""
cluster:
  namespaces:
    front-door: {{rights: edit}}
    bank: {{rights: view}}
    vault: {{}}
  rights: [{{resources: [nodes], verbs: [get, list], names: [n1]}}]
  faults:
    - {{kind: corrupted-secret, secret: {SECRET}, key: {SECRET}, value: {SECRET}}}
limits: {{candidate: 77}}
"""
PLACES = {"playbook": "hosts: {web: {}, db-1: {}}", "audit": "hosts: {web: {}, db-1: {}}", "policy": "", "answer": ""}
ON_CLUSTER = ("script", "manifests", "evidence")


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Scenario]:
    """A scenario that asks for a kind of candidate; its solution and its fault hold a secret."""

    def make(kind: str) -> Scenario:
        (tmp_path / "solution").mkdir()
        for part in PARTS[CandidateKind(kind)]:
            (tmp_path / "solution" / part).write_text(SECRET)
        head = f"id: one\ntitle: {SECRET}\ndomain: sre\ndifficulty: easy\ncandidate: {kind}\n"
        wrong = f"counterexamples: [{{path: wrong.sh, caught_by: it, why: {SECRET}}}]\n"
        (tmp_path / "scenario.yaml").write_text(head + wrong + PLACES.get(kind, CLUSTER))
        (tmp_path / "wrong.sh").write_text(SECRET)
        blocks = "".join(f"{{% block level_{n} %}}Task at level {n}.{{% endblock %}}" for n in (1, 2, 3))
        (tmp_path / "prompt.md.j2").write_text(blocks)
        (tmp_path / "validate.py").write_text("def check_it(candidate): pass\n")
        return load_scenario(tmp_path / "scenario.yaml")

    return make


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("kind", CandidateKind)
def test_each_kind_is_asked_for(make: Callable[[str], Scenario], kind: CandidateKind, level: int) -> None:
    """The task of the level comes first, then how to answer: a block for each part, and nothing left to fill in."""
    prompt = render_prompt(make(kind), level)
    tags = {".yml": "yaml", ".yaml": "yaml", ".sh": "bash", ".rego": "rego", ".json": "json"}
    assert prompt.user.startswith(f"Task at level {level}.\n")
    assert prompt.system == SYSTEMS[kind]
    _, _, answer = prompt.user.partition("\n## Answer\n")
    wanted = [f"```` ```{tags[Path(part).suffix]} ````" for part in PARTS[kind]]
    assert [block for block in wanted if answer.count(block) == 1] == wanted
    assert answer.count("```` ```") == len(wanted)
    assert not {"{{", "{%", "}}", "%}"} & set(prompt.user.split())


@pytest.mark.parametrize("kind", CandidateKind)
def test_nothing_is_given_away(make: Callable[[str], Scenario], kind: CandidateKind) -> None:
    """Neither the solution, nor a counterexample, nor what is broken."""
    prompt = render_prompt(make(kind), 3)
    assert SECRET not in str(prompt)
    assert "corrupted" not in str(prompt)


@pytest.mark.parametrize("kind", ON_CLUSTER)
def test_a_cluster_is_described(make: Callable[[str], Scenario], kind: str) -> None:
    """Namespaces with rights by name and variable, none without, and rights beyond them."""
    user = render_prompt(make(kind), 1).user
    assert "- front-door (real name in `$NAMESPACE_FRONT_DOOR`): you may change everything but rights\n" in user
    assert "- bank (real name in `$NAMESPACE_BANK`): you may look at everything but secrets\n" in user
    assert "vault" not in user.lower()
    assert "- In the whole cluster you may get, list: nodes (n1).\n" in user
    assert ("within 77 seconds" in user) == (kind != "manifests")


@pytest.mark.parametrize("kind", ["playbook", "audit"])
def test_hosts_are_described(make: Callable[[str], Scenario], kind: str) -> None:
    """By name."""
    user = render_prompt(make(kind), 1).user
    assert "`web`" in user
    assert "`db-1`" in user


@pytest.mark.parametrize("kind", CandidateKind)
def test_standing_instructions_can_be_replaced(make: Callable[[str], Scenario], kind: CandidateKind) -> None:
    """By the user's own; the task stays."""
    scenario = make(kind)
    prompt = render_prompt(scenario, 1, "Be brief.")
    assert (prompt.system, prompt.user) == ("Be brief.", render_prompt(scenario, 1).user)
